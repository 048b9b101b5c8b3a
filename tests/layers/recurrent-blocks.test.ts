import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { PixelCNNArgs, RowLSTMBlockArgs } from 'pixelcnn-layers';
import { diagonalBiLSTMBlock, pixelCNN, receptiveField, rowLSTMBlock } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import diagonalGray from '../golden/pixelrnn/diagonal_c1.json';
import diagonalColour from '../golden/pixelrnn/diagonal_c3.json';
import rowGray from '../golden/pixelrnn/row_c1.json';
import rowColour from '../golden/pixelrnn/row_c3.json';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, expectCloseRelative, golden, golden4d, noise, take, weightGradients } from '../support/tensors';

const references = [rowGray, rowColour, diagonalGray, diagonalColour];

/** The block of a golden file. */
function blockOf({ kind, filters, imageChannels, kernelSize }: (typeof references)[number]['config']) {
  return kind === 'row'
    ? rowLSTMBlock({ filters, imageChannels, kernelSize: kernelSize as number })
    : diagonalBiLSTMBlock({ filters, imageChannels });
}

const makers: [string, (args: RowLSTMBlockArgs) => tfl.layers.Layer][] = [
  ['RowLSTMBlock', rowLSTMBlock],
  ['DiagonalBiLSTMBlock', diagonalBiLSTMBlock],
];

onEachBackend('Blocks of PixelRNN', (backend) => {
  const some = isGpu(backend) ? [rowColour, diagonalColour] : references;
  it.each(some)('match the golden output and gradients: $config.kind, $config.imageChannels', async (reference) => {
    const block = scoped(blockOf(reference.config));
    const [x, g] = [scoped(golden4d(reference.input)), scoped(golden4d(reference.g))];
    tf.dispose(block.apply(x) as tf.Tensor); // builds it
    expect(block.weights.map(({ originalName }) => originalName.split('/').at(-1))).toEqual(Object.keys(reference.weights));
    const weights = scoped(Object.values(reference.weights).map((array) => golden(array)));
    block.setWeights(weights);

    const f = (input: tf.Tensor) => tf.sum(tf.mul(block.apply(input), g)) as tf.Scalar;
    expectClose(await take(block.apply(x)), reference.output.data, 2e-5);
    expectCloseRelative(await take(tf.grad(f)(x)), reference.grad_input.data, 5e-4);
    const gradients = weightGradients(block, () => f(x));
    for (const [i, { data }] of Object.values(reference.grads).entries())
      expectCloseRelative(await take(gradients[i] as tf.Tensor), data, 5e-4);
  });
});

describe.each(makers)('%s', (_className, make) => {
  beforeAll(() => useBackend(backends.includes('wasm') ? 'wasm' : (backends[0] ?? 'cpu')));

  it('takes images of any height and width, one row or column too, and has the same weights whatever they are', async () => {
    const block = scoped(make({ filters: 2, imageChannels: 1, seed: 1 }));
    const input = tfl.input({ shape: [null, null, 4] });
    expect((block.apply(input) as tfl.SymbolicTensor).shape).toEqual([null, null, null, 4]);
    const whole = scoped(tf.tensor4d(noise(2 * 4 * 5 * 4), [2, 4, 5, 4]));
    const all = tf.tidy(() => (block.apply(whole) as tf.Tensor).arraySync()) as number[][][][];
    const upper = scoped(tf.slice(whole, 0, [2, 1, 5, 4]));
    const row = tf.tidy(() => (block.apply(upper) as tf.Tensor).arraySync()) as number[][][][];
    for (const [n, [first]] of [...row.entries()] as [number, [number[][]]][])
      expectClose(first.flat(), (all as [number[][]][])[n]?.[0].flat() as number[], 1e-6);
    const column = scoped(tf.ones([1, 4, 1, 4]));
    expect((await take(block.apply(column) as tf.Tensor)).every(Number.isFinite)).toBe(true);
    const gradient = scoped(tf.grad((x) => tf.sum(block.apply(x) as tf.Tensor))(upper));
    expect(gradient.shape).toEqual(upper.shape);
  });
});

describe('What blocks of PixelRNN see', () => {
  beforeAll(() => useBackend(backends.includes('wasm') ? 'wasm' : (backends[0] ?? 'cpu')));

  /** The receptive field of a network whose first layer sees the pixel to the left alone, or with those above. */
  async function seenBy(block: NonNullable<PixelCNNArgs['block']>, firstKernelSize: [number, number], column = 4) {
    const sizes = { hiddenDim: 8, outDim: 8, levels: 4, seed: 1, firstKernelSize } as const;
    const model = pixelCNN({ imageShape: [5, 9, 1], numBlocks: 1, block, ...sizes });
    const field = await receptiveField(model, { row: 4, column });
    model.dispose();
    return field;
  }

  it('Row LSTM: a triangle above', async () => {
    const { seen } = await seenBy(rowLSTMBlock, [1, 3]);
    // The first layer sees one pixel to the left, and so does the convolution of x. Each row up, the state widens by 1.
    const triangle = Array.from({ length: 5 }, (_, row) => {
      const up = 4 - row;
      const [from, to] = [4 - 2 - up, up === 0 ? 3 : 4 + up - 1];
      return Array.from({ length: 9 }, (_, column) => [row, column, 0]).filter(([, c = 0]) => c >= from && c <= to);
    });
    expect(seen).toEqual(triangle.flat());
  });

  it('Diagonal BiLSTM: all that comes before, but from afar the last pixel of the row above', async () => {
    const block = diagonalBiLSTMBlock;
    // No feature of the row above has seen it, since each sees earlier pixels only: windows of the current row do.
    const { seen, blindSpot } = await seenBy(block, [3, 3]);
    expect(blindSpot).toEqual([[3, 8, 0]]);
    expect(seen).toHaveLength(4 * 9 + 4 - 1);
    const near = await seenBy(block, [3, 3], 7);
    expect(near.blindSpot).toEqual([]);
    expect(near.seen).toHaveLength(4 * 9 + 7);
  });
});

it('RowLSTMBlock takes a kernel by one number or two, of which the second counts', () => {
  expect(rowLSTMBlock({ filters: 3 }).getConfig()['kernelSize']).toBe(3);
  expect(rowLSTMBlock({ filters: 3, kernelSize: [7, 5] }).getConfig()['kernelSize']).toBe(5);
});
