import * as tfl from '@tensorflow/tfjs-layers';
import {
  checkCausality,
  gatedPixelCNNBlock,
  levelEmbedding,
  maskedConv2d,
  pixelCNN,
  pixelNormalization,
  pixelShift,
  placeEmbedding,
  shiftedConv2d,
  transformerBlock,
} from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { FromRight } from '../support/models/from-right';
import { apply, modelOf, type Symbolic, through } from '../support/models/graphs';
import { scoped } from '../support/scoped';
import { expectNoLeaks, setNoise } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

/** A model of layers one after the other; two levels. */
const stack = (channels: number, ...layers: tfl.layers.Layer[]) =>
  scoped(modelOf([2, 3, channels], 2, (image) => through(image, ...layers)));

const conv = (name: string, maskType: 'A' | 'B', imageChannels: number) =>
  maskedConv2d({ name, filters: 2 * imageChannels, kernelSize: 3, maskType, imageChannels });
const stock = (name: string, filters: number, kernelSize: number) => tfl.layers.conv2d({ name, filters, kernelSize, padding: 'same' });
const linear = () => tfl.layers.activation({ activation: 'linear' });

const shiftless = () => [
  levelEmbedding({ levels: 2, units: 4 }), placeEmbedding(), pixelNormalization({ imageChannels: 1, norm: 'rms' }),
  transformerBlock({ name: 'a', heads: 2 }), stock('b', 2, 1),
]; // biome-ignore format: in few lines

it.each([
  ['a stock convolution, which sees later pixels', 1, [conv('a', 'A', 1), stock('b', 2, 3), conv('c', 'B', 1)], 'b'],
  ['a stock pointwise convolution, which mixes channels', 3, [conv('a', 'A', 3), stock('b', 6, 1), linear()], 'b'],
  ['a first mask of type B', 1, [linear(), conv('a', 'B', 1), conv('b', 'B', 1)], 'a'],
  ['the same with channels', 3, [conv('a', 'B', 3), conv('b', 'B', 3)], 'a'],
  ['one group for all channels', 2, [conv('a', 'A', 2), maskedConv2d({ name: 'b', filters: 4, kernelSize: 1, imageChannels: 1 })], 'b'],
  ['a stock pointwise convolution whose features belong to no channel', 3, [conv('a', 'A', 3), stock('b', 10, 1), stock('c', 6, 1)], 'b'],
  ['what sees its own place without a raster shift, not what keeps places apart', 1, shiftless(), 'a'],
] as [string, number, tfl.layers.Layer[], string][])('names %s', async (_, channels, layers, name) => {
  const model = stack(channels, ...layers);
  const { causal, layer } = await checkCausality(model);
  expect(causal).toBe(false);
  expect(layer).toBe(name);
});

/** A model of a graph from the image to features of one channel and two levels. */
const graph = (build: (image: Symbolic) => Symbolic) => scoped(modelOf([4, 4, 1], 2, build));

const relu = (name: string) => tfl.layers.reLU({ name });
/** Sees its row whole. */
const row = (name: string) => maskedConv2d({ name, filters: 2, kernelSize: [1, 3], vertical: true, imageChannels: 1 });

/** Graphs in which `culprit` lets the future in, and `innocent` ones only pass it on. */
const graphs: Record<string, (image: Symbolic) => Symbolic> = {
  'a layer that another model has too'(image) {
    const [first, culprit] = [conv('a', 'A', 1), stock('culprit', 2, 3)];
    const x = apply(relu('innocent'), apply(culprit, apply(first, image)));
    apply(culprit, apply(first, tfl.input({ shape: [4, 4, 1] })));
    return x;
  },
  'a layer that is applied twice'(image) {
    const culprit = stock('culprit', 2, 3);
    return apply(relu('innocent'), apply(culprit, apply(culprit, apply(conv('a', 'A', 1), image))));
  },
  'one of two branches'(image) {
    const causal = apply(conv('a', 'A', 1), image);
    return apply(tfl.layers.add({ name: 'innocent' }), causal, apply(stock('culprit', 2, 3), causal));
  },
  'a branch of its own from the image'(image) {
    const causal = apply(conv('b', 'B', 1), apply(conv('a', 'A', 1), image));
    return apply(tfl.layers.add({ name: 'innocent' }), causal, apply(conv('culprit', 'B', 1), image));
  },
  'what looks to the right after rows are seen whole and moved down, which is allowed'(image) {
    const moved = apply(pixelShift({ rows: 1 }), apply(row('innocent'), image));
    return apply(conv('late', 'B', 1), apply(row('culprit'), apply(tfl.layers.add(), moved, apply(conv('a', 'A', 1), image))));
  },
  'an LSTM from the right that is not shifted down'(image) {
    const gates = apply(conv('a', 'A', 1), image);
    return apply(relu('innocent'), apply(new FromRight({ name: 'culprit' }), apply(tfl.layers.concatenate(), gates, gates, gates, gates)));
  },
};

function nested(): tfl.LayersModel {
  const inner = tfl.input({ shape: [4, 4, 2] });
  return tfl.model({ inputs: inner, outputs: apply(stock('within', 2, 3), inner), name: 'graph' });
}

it('names one of a model within by both', async () => {
  const model = graph((image) => apply(nested(), apply(conv('a', 'A', 1), image)));
  expect(await checkCausality(model)).toMatchObject({ causal: false, layer: 'graph.within' });
});

it.each(Object.keys(graphs))('names %s', async (name) => {
  const model = graph(graphs[name] as (typeof graphs)[string]);
  expect(await checkCausality(model)).toMatchObject({ causal: false, layer: 'culprit' });
});

it.each<[string, () => tfl.layers.Layer]>([
  ['a pooling layer', () => tfl.layers.maxPooling2d({ poolSize: 3, strides: 1, padding: 'same' })],
  ['a row of a stock convolution, which may be moved down', () => tfl.layers.conv2d({ filters: 2, kernelSize: [1, 3], padding: 'same' })],
])('names none where the graph does not tell: %s', async (_, make) => {
  const model = graph((image) => apply(make(), apply(conv('a', 'A', 1), image)));
  const { causal, layer } = await checkCausality(model);
  expect([causal, layer]).toEqual([false, undefined]);
});

it.each([
  ['that begins with mask B', 'B', 1, 'first_'],
  ['that mixes channels', 'A', 2, 'second_horizontal'],
] as const)('names the part of a gated block %s', async (_, maskType, channels, name) => {
  const filters = 2 * channels;
  const model = scoped(
    modelOf([2, 3, channels], 2, (image) => {
      const wide = apply(conv('wide', 'A', channels), image);
      const x = maskType === 'A' ? image : apply(tfl.layers.concatenate(), image, image);
      const first = gatedPixelCNNBlock({ vertical: x, horizontal: x }, { name: 'first', filters, imageChannels: channels, maskType });
      const second = gatedPixelCNNBlock(first, { name: 'second', filters, imageChannels: 1, isLast: true });
      return apply(tfl.layers.add(), wide, second.horizontal);
    }),
  );
  setNoise(model);
  const { causal, layer } = await checkCausality(model, { inputs: 'all' });
  expect(causal).toBe(false);
  expect(layer?.startsWith(name)).toBe(true);
});

describe('maps of every second row and column', () => {
  const resize = (filters: number, transposed: boolean, name: string) =>
    shiftedConv2d({ filters, kernelSize: 2, shift: 'downRight', stride: 2, transposed, name });

  it.each([
    ['the layer before them', 'B', () => conv('culprit', 'B', 1), relu],
    ['one between', 'A', () => conv('a', 'A', 1), (name: string) => stock(name, 3, 3)],
  ] as const)('are followed to %s, in a model of any size', async (_, maskType, first, between) => {
    for (const size of [4, null]) {
      const middle = between(maskType === 'A' ? 'culprit' : 'innocent');
      const layers = [first(), resize(3, false, 'smaller'), middle, resize(2, true, 'greater')];
      const model = scoped(modelOf([size, size, 1], 2, (image) => through(image, ...layers)));
      expect(await checkCausality(model, { imageShape: [4, 4, 1] })).toMatchObject({ causal: false, layer: 'culprit' });
    }
  });
});

it('names no layer if nothing leaks, and leaks no tensor', async () => {
  const model = pixelCNN({ imageShape: [3, 2, 2], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 1 });
  expect(await checkCausality(model)).toEqual({ causal: true, leaks: [] });
  model.dispose();
  const leaking = stack(1, conv('a', 'B', 1));
  await expectNoLeaks(() => checkCausality(leaking));
});
