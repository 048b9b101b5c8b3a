import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  bitsPerDim,
  checkCausality,
  DiagonalBiLSTMBlock,
  diagonalBiLSTMBlock,
  type LSTMPath,
  normalize,
  type Ops,
  type PixelCNNArgs,
  PixelLayer,
  pixelCNN,
  type RecurrentBlockArgs,
  RowLSTMBlock,
  receptiveField,
  rowLSTMBlock,
} from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import diagonalGray from '../golden/pixelrnn/diagonal_c1.json';
import diagonalColour from '../golden/pixelrnn/diagonal_c3.json';
import rowGray from '../golden/pixelrnn/row_c1.json';
import rowColour from '../golden/pixelrnn/row_c3.json';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import {
  expectClose,
  expectCloseRelative,
  expectNoLeaks,
  golden,
  golden4d,
  noise,
  take,
  weightGradients,
} from '../support/tensors';

const references = [rowGray, rowColour, diagonalGray, diagonalColour];

/** The block of a golden file. */
function blockOf({ kind, filters, imageChannels, kernelSize }: (typeof references)[number]['config']) {
  return kind === 'row'
    ? rowLSTMBlock({ filters, imageChannels, kernelSize: kernelSize as number })
    : diagonalBiLSTMBlock({ filters, imageChannels });
}

const makers: [string, (args: RecurrentBlockArgs) => tfl.layers.Layer][] = [
  ['RowLSTMBlock', rowLSTMBlock],
  ['DiagonalBiLSTMBlock', diagonalBiLSTMBlock],
];

onEachBackend('Blocks of PixelRNN', () => {
  it.each(references)('match the golden output and gradients: $config.kind, $config.imageChannels', async (reference) => {
    const block = blockOf(reference.config);
    const [x, g] = [golden4d(reference.input), golden4d(reference.g)];
    tf.dispose(block.apply(x) as tf.Tensor); // builds it
    expect(block.weights.map(({ originalName }) => originalName.split('/').at(-1))).toEqual(Object.keys(reference.weights)); // biome-ignore format: one line
    const weights = Object.values(reference.weights).map((array) => golden(array));
    block.setWeights(weights);

    const f = (input: tf.Tensor) => tf.sum(tf.mul(block.apply(input), g)) as tf.Scalar;
    expectClose(await take(block.apply(x)), reference.output.data, 2e-5);
    expectCloseRelative(await take(tf.grad(f)(x)), reference.grad_input.data, 5e-4);
    const gradients = weightGradients(block, () => f(x));
    for (const [i, { data }] of Object.values(reference.grads).entries())
      expectCloseRelative(await take(gradients[i] as tf.Tensor), data, 5e-4);
    tf.dispose([x, g, ...weights]);
    block.dispose();
  }); // biome-ignore format: the name in one line

  it.each(makers)('%s leaves no tensor behind', async (_, make) => {
    const x = tf.ones([2, 3, 4, 6]);
    await expectNoLeaks(() => {
      const block = make({ filters: 3 });
      const y = block.apply(x);
      const { value, grads } = tf.variableGrads(() => tf.sum(block.apply(x) as tf.Tensor));
      block.dispose();
      return [y, value, grads];
    });
    x.dispose();
  });
});

/** A network with such blocks. */
function network(
  make: (args: RecurrentBlockArgs) => tfl.layers.Layer,
  imageShape: PixelCNNArgs['imageShape'] = [5, 6, 1],
  numBlocks = 1,
): AutoregressiveModel {
  const sizes = { hiddenDim: 3, outDim: 4, levels: 4, firstKernelSize: 3, seed: 5 };
  return pixelCNN({ imageShape, numBlocks, block: make, ...sizes });
}

describe.each(makers)('%s', (className, make) => {
  beforeAll(() => useBackend(backends.includes('wasm') ? 'wasm' : (backends[0] ?? 'cpu')));

  it('keeps the order of pixels and channels', async () => {
    for (const imageShape of [[3, 4, 1], [2, 3, 3]] as const) {
      const model = network(make, imageShape, 2);
      expect(await checkCausality(model, { inputs: 'all' })).toEqual({ causal: true, leaks: [] });
      model.dispose();
    }
  }); // biome-ignore format: one line

  it('learns in a network, which saves, loads and goes on', async () => {
    const model = network(make, [4, 5, 1]);
    const levels = Array.from({ length: 16 * 20 }, (_, i) => ((i % 5) + Math.floor((i % 20) / 5) + Math.floor(i / 20)) % 4); // biome-ignore format: one line
    const labels = tf.tensor4d(levels, [16, 4, 5, 1], 'int32');
    const x = normalize(labels, 4);
    model.compile({ optimizer: tf.train.adam(2e-2, 0.9, 0.999, 1e-7), loss: bitsPerDim });
    const train = (of: AutoregressiveModel, epochs: number) =>
      of.fit(x, labels, { epochs, batchSize: 8, shuffle: false, verbose: 0 }).then(({ history }) => history['loss'] as number[]); // biome-ignore format: one line
    const losses = await train(model, 25);
    expect(losses.at(-1)).toBeLessThan(1); // 2 bits at first
    const loaded = (await saveAndLoad(model, { includeOptimizer: true })) as AutoregressiveModel;
    expect(await train(loaded, 2)).toEqual(await train(model, 2));
    tf.dispose([labels, x]);
    for (const each of [model, loaded]) each.dispose();
  });

  it('takes images of any height and width, one row or column too, and has the same weights whatever they are', async () => {
    const block = make({ filters: 2, imageChannels: 1, seed: 1 });
    const input = tfl.input({ shape: [null, null, 4] });
    expect((block.apply(input) as tfl.SymbolicTensor).shape).toEqual([null, null, null, 4]);
    const whole = tf.tensor4d(noise(2 * 4 * 5 * 4), [2, 4, 5, 4]);
    const all = tf.tidy(() => (block.apply(whole) as tf.Tensor).arraySync()) as number[][][][];
    const upper = tf.slice(whole, 0, [2, 1, 5, 4]);
    const row = tf.tidy(() => (block.apply(upper) as tf.Tensor).arraySync()) as number[][][][];
    for (const [n, [first]] of [...row.entries()] as [number, [number[][]]][])
      expectClose(first.flat(), (all as [number[][]][])[n]?.[0].flat() as number[], 1e-6);
    const column = tf.ones([1, 4, 1, 4]);
    expect((await take(block.apply(column) as tf.Tensor)).every(Number.isFinite)).toBe(true);
    const gradient = tf.grad((x) => tf.sum(block.apply(x) as tf.Tensor))(upper);
    expect(gradient.shape).toEqual(upper.shape);
    tf.dispose([whole, upper, column, gradient]);
    block.dispose();
  });

  it('has second derivatives', async () => {
    const block = make({ filters: 1, imageChannels: 1, seed: 1 });
    const values = Array.from(noise(2 * 3 * 2));
    const image = (of: readonly number[]) => tf.tensor4d([...of], [1, 2, 3, 2]);
    const x = image(values);
    tf.dispose(block.apply(x) as tf.Tensor); // builds it
    const ofSquares = (y: tf.Tensor) => tf.sum(tf.square(block.apply(y) as tf.Tensor));
    const slope = (y: tf.Tensor): tf.Tensor => tf.sum(tf.square(tf.grad(ofSquares)(y)));
    const second = await take(tf.grad(slope)(x));
    const step = 1e-2;
    const differences = await Promise.all(
      values.map(async (value, i) => {
        const put = (moved: number) => image(values.map((x, k) => (k === i ? moved : x)));
        const [above, below] = await Promise.all(
          [value + step, value - step].map((moved) => take(tf.tidy(() => slope(put(moved))))),
        );
        return ((above?.[0] as number) - (below?.[0] as number)) / (2 * step);
      }),
    );
    expectCloseRelative(second, differences, 5e-3);
    x.dispose();
    block.dispose();
  });

  it('begins by its seed, and takes initializers, regularizers and constraints', async () => {
    const x = tf.ones([1, 2, 2, 4]);
    const begin = async (args: Partial<RecurrentBlockArgs>) => {
      const block = make({ filters: 2, imageChannels: 1, ...args });
      tf.dispose(block.apply(x) as tf.Tensor);
      const numbers = await Promise.all(block.getWeights().map(async (weight) => Array.from(await weight.data()))); // biome-ignore format: one line
      const { losses } = block;
      block.dispose();
      return { numbers, losses: losses.length };
    };
    const [first, again, other] = [await begin({ seed: 1 }), await begin({ seed: 1 }), await begin({ seed: 2 })];
    expect(again).toEqual(first);
    expect(other.numbers[0]).not.toEqual(first.numbers[0]);
    expect(new Set(first.numbers.map((numbers) => numbers[0])).size).toBeGreaterThan(2);
    const kernels = first.numbers.length === 5 ? 3 : 5;
    const given = await begin({ kernelInitializer: 'ones', biasInitializer: 'ones', kernelRegularizer: 'l1l2' });
    expect(new Set(given.numbers.flat())).toEqual(new Set([1]));
    expect(given.losses).toBe(kernels);
    expect(first.losses).toBe(0);
    x.dispose();
  }); // biome-ignore format: one line

  it('drops features of its state in training, the same for the same seed and step, and none elsewhere', async () => {
    const [x, filters] = [tf.ones([1, 3, 3, 8]), 4];
    const run = async (args: Partial<RecurrentBlockArgs>, training: boolean) => {
      const block = make({ filters, imageChannels: 1, seed: 1, ...args });
      const y = await take(block.apply(x, { training }) as tf.Tensor);
      block.dispose();
      return y;
    };
    const plain = await run({}, true);
    expect(await run({ dropout: 0.5 }, false)).toEqual(plain);
    const dropped = await run({ dropout: 0.5 }, true);
    expect(dropped).not.toEqual(plain);
    expect(await run({ dropout: 0.5 }, true)).toEqual(dropped);
    expect(() => make({ filters, imageChannels: 1, dropout: 1 })).toThrow(`${className}: dropout: wanted a number from 0, below 1`); // biome-ignore format: one line
    x.dispose();
  });

  it('is one layer that saves and loads with its config', async () => {
    const block = make({ filters: 4, imageChannels: 2, seed: 3, dropout: 0.25, biasInitializer: 'ones', kernelRegularizer: 'l1l2' }); // biome-ignore format: one line
    const input = tfl.input({ shape: [4, 4, 8] });
    const model = tfl.model({ inputs: input, outputs: block.apply(input) as tfl.SymbolicTensor });
    const loaded = await saveAndLoad(model);
    expect(loaded.layers.at(-1)?.getClassName()).toBe(className);
    expect(loaded.layers.at(-1)?.getConfig()).toEqual(block.getConfig());
    const x = tf.ones([1, 4, 4, 8]);
    const [before, after] = [model, loaded].map((m) => m.predict(x) as tf.Tensor) as [tf.Tensor, tf.Tensor];
    expect(await take(after)).toEqual(await take(before));
    x.dispose();
    for (const m of [model, loaded]) m.dispose();
  });

  it('names what is wrong', () => {
    expect(() => make(undefined as never)).toThrow(`${className}: wanted an object of arguments`);
    expect(() => make({ filters: 4 })).toThrow(`${className}: filters: wanted a multiple of imageChannels (3)`);
    expect(() => make({ filters: 1e9, imageChannels: 1 })).toThrow(`${className}: filters: wanted sizes`);
    expect(() => make({ filters: 3, imageChannels: 0 })).toThrow(`${className}: imageChannels`);
    expect(() => make({ filters: 3, seed: 0.5 })).toThrow(`${className}: seed`);
    expect(() => make({ filters: 3 }).apply(tfl.input({ shape: [4, 4, 9] }))).toThrow(
      `${className}: filters (3): wanted an input of 2 * filters = 6 features, got 9`,
    );
    expect(() => make({ filters: 3 }).apply(tfl.input({ shape: [4, 6] }))).toThrow(
      `${className}: input: wanted one tensor [N,H,W,features]`,
    );
    expect(() => make({ filters: 3 }).call(tf.zeros([1, 2, 2, 6]), {})).toThrow('called before it was built');
  }); // biome-ignore format: one line each
});

describe('What blocks of PixelRNN see', () => {
  beforeAll(() => useBackend(backends.includes('wasm') ? 'wasm' : (backends[0] ?? 'cpu')));

  /** The receptive field of a network whose first layer sees the pixel to the left alone, or with those above. */
  async function seenBy(
    block: NonNullable<PixelCNNArgs['block']>,
    firstKernelSize: [number, number],
    column = 4,
  ) {
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
  }); // biome-ignore format: one line each

  it('Diagonal BiLSTM: all that comes before, but from afar the last pixel of the row above', async () => {
    const block = diagonalBiLSTMBlock;
    // No feature of the row above has seen it, since each sees earlier pixels only: windows of the present row do.
    const { seen, blindSpot } = await seenBy(block, [3, 3]);
    expect(blindSpot).toEqual([[3, 8, 0]]);
    expect(seen).toHaveLength(4 * 9 + 4 - 1);
    const near = await seenBy(block, [3, 3], 7);
    expect(near.blindSpot).toEqual([]);
    expect(near.seen).toHaveLength(4 * 9 + 7);
  });
});

describe('RowLSTMBlock', () => {
  it('takes an odd kernel, by one number or two, of which the second counts', () => {
    expect(rowLSTMBlock({ filters: 3 }).getConfig()['kernelSize']).toBe(3);
    expect(rowLSTMBlock({ filters: 3, kernelSize: [7, 5] }).getConfig()['kernelSize']).toBe(5);
    expect(() => rowLSTMBlock({ filters: 3, kernelSize: 2 })).toThrow('RowLSTMBlock: kernelSize: wanted an odd');
    expect(() => rowLSTMBlock({ filters: 3000, kernelSize: 99 })).toThrow('RowLSTMBlock: kernelSize, filters');
  }); // biome-ignore format: one line each

  it('may be extended, as its sibling', () => {
    class Own extends RowLSTMBlock {
      static override className = 'Own';
    }
    class OwnToo extends DiagonalBiLSTMBlock {
      static override className = 'OwnToo';
    }
    expect(new Own({ filters: 3, extra: 1 } as never).getClassName()).toBe('Own');
    expect(new OwnToo({ filters: 3, extra: 1 } as never).getClassName()).toBe('OwnToo');
  });
});

describe('ops.lstm', () => {
  it('names what does not fit', () => {
    class Own extends PixelLayer {
      static className = 'OwnLSTM';
      constructor(readonly of: { kernel: number[]; path: string; groups?: number }) {
        super({});
      }
      override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
        const { path, groups = 1 } = this.of;
        return ops.lstm(x, { name: 'k', shape: this.of.kernel, read: () => null }, path as LSTMPath, groups);
      }
    }
    const shape = (of: Own['of'], ofInput: (number | null)[] = [null, null, null, 8]) => new Own(of).computeOutputShape(ofInput); // biome-ignore format: one line
    expect(shape({ kernel: [1, 3, 2, 8], path: 'rows' })).toEqual([null, null, null, 2]);
    expect(shape({ kernel: [2, 1, 2, 8], path: 'fromLeft' })).toEqual([null, null, null, 2]);
    expect(() => shape({ kernel: [1, 3, 2, 8], path: 'columns' })).toThrow("lstm: path: wanted 'rows'");
    expect(() => shape({ kernel: [1, 3, 2, 8], path: 'rows', groups: 3 })).toThrow('lstm: input: wanted a multiple of 4 * groups (12)'); // biome-ignore format: one line
    expect(() => shape({ kernel: [1, 2, 2, 8], path: 'rows' })).toThrow(
      "weight 'k': wanted [1,k,2,8] with k odd",
    );
    expect(() => shape({ kernel: [1, 3, 2, 8], path: 'fromRight' })).toThrow("weight 'k': wanted [2,1,2,8]");
    expect(() => shape({ kernel: [2, 1, 2, 8], path: 'fromLeft' }, [null, 8])).toThrow('lstm: input');
  });
});
