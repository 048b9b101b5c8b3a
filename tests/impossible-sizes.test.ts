import * as tf from '@tensorflow/tfjs-core';
import { input, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { imageBatches } from '../src/data';
import * as layers from '../src/index';
import * as runtime from '../src/runtime';
import { onBackend } from './support/backends';
import { expectNoLeaks } from './support/tensors';

// Sizes that no memory holds are refused by the name of the option, before memory is asked for.

type ImageShape = [number, number, number];
const network = { imageShape: [4, 4, 1] as ImageShape, levels: 4, hiddenDim: 2, outDim: 2, numBlocks: 1 };
const pixelCNN = (args: object) => () => layers.pixelCNN({ ...network, ...args });
const gatedPixelCNN = (args: object) => () => layers.gatedPixelCNN({ ...network, ...args });
const codeCondition = { levels: 4, shape: [2, 2] as const, resBlocks: 1, resFilters: 2 };
const imageGPT = (args: object) => () => layers.imageGPT({ imageShape: [4, 4, 1], levels: 4, width: 4, heads: 2, layers: 1, ...args });
const pixelSNAIL = (args: object) => () =>
  layers.pixelSNAIL({ imageShape: [4, 4, 1], levels: 4, filters: 16, numBlocks: 1, numResBlocks: 1, resFilters: 2, ...args });
const onInput = (make: () => tf.serialization.Serializable, features: number) => () =>
  (make() as ReturnType<typeof layers.maskedConv2d>).apply(input({ shape: [4, 4, features] }));
const block = (args: { filters: number; kernelSize?: number; skipFilters?: number }) => () => {
  const image = input({ shape: [4, 4, 1] });
  const stacks = { vertical: image, horizontal: image };
  return layers.gatedPixelCNNBlock(stacks, { ...args, maskType: 'A', imageChannels: 1 });
};
const gate = () => {
  const inputs: SymbolicTensor[] = [input({ shape: [4, 4, 2000] }), input({ shape: [1e6] })];
  return layers.gatedActivation({ imageChannels: 1 }).apply(inputs);
};

/** Any size: a model of the kind that `imageShape` is an option for. */
const anySize = () => layers.pixelCNN({ ...network, imageShape: [null, null, 1] });
const huge: ImageShape = [1e6, 1e6, 1];

// biome-ignore format: one row a line
const rows: [wanted: string, use: () => unknown][] = [
  ['pixelCNN: hiddenDim: wanted sizes whose product is at most 268435456, got [2000000000, 1000000000]', pixelCNN({ hiddenDim: 1e9 })],
  ['pixelCNN: outDim: wanted sizes', pixelCNN({ outDim: 1e9 })],
  ['pixelCNN: levels: wanted at most 2^24, the most that float32 can distinguish, got 2147483648', pixelCNN({ levels: 2 ** 31 })],
  ['pixelCNN: levels: wanted sizes', pixelCNN({ levels: 2 ** 24, outDim: 100 })],
  ['pixelCNN: firstKernelSize: wanted sizes', pixelCNN({ firstKernelSize: 9999 })],
  ['pixelCNN: kernelSize: wanted sizes', pixelCNN({ kernelSize: 99999 })],
  ['pixelCNN: numBlocks: wanted an integer from 0 to 10000, got 1000000000', pixelCNN({ numBlocks: 1e9 })],
  ['pixelCNN: imageShape: wanted sizes', pixelCNN({ imageShape: [1e6, 1e6, 3] })],
  ['pixelCNN: imageShape: wanted sizes', pixelCNN({ imageShape: [null, 1e9, 1] })],
  ['gatedPixelCNN: hiddenDim: wanted sizes', gatedPixelCNN({ hiddenDim: 1e9 })],
  ['gatedPixelCNN: numClasses: wanted at most 2^24', gatedPixelCNN({ numClasses: 1e9 })],
  ['gatedPixelCNN: conditionSize: wanted sizes', gatedPixelCNN({ conditionSize: 1e9 })],
  ['gatedPixelCNN: conditionMapSize: wanted sizes', gatedPixelCNN({ conditionMapSize: 1e9 })],
  ['gatedPixelCNNBlock: filters: wanted sizes', block({ filters: 1e8 })],
  ['gatedPixelCNNBlock: kernelSize: wanted sizes', block({ filters: 4, kernelSize: 9999 })],
  ['gatedPixelCNNBlock: skipFilters: wanted sizes', block({ filters: 4, skipFilters: 1e9 })],
  ['(MaskedConv2D): kernel: wanted sizes whose product is at most 268435456, got [', onInput(() => layers.maskedConv2d({ filters: 99_999_999, kernelSize: 1 }), 3)],
  ['(MaskedConv2D): kernel: wanted sizes whose product is at most 268435456, got [', onInput(() => layers.maskedConv2d({ filters: 3, kernelSize: 9999 }), 3)],
  ['(PixelCNNResBlock): conv_in_kernel: wanted sizes', onInput(() => layers.pixelCNNResBlock({ filters: 3e8 }), 6e8)],
  ['(PixelCNNResBlock): conv_mid_kernel: wanted sizes', onInput(() => layers.pixelCNNResBlock({ filters: 3, kernelSize: 9999 }), 6)],
  ['(GatedActivation): condition_kernel: wanted sizes', gate],
  ['imageGPT: width: wanted sizes', imageGPT({ width: 2 ** 14 })],
  ['imageGPT: levels: wanted sizes', imageGPT({ width: 2 ** 8, levels: 2 ** 21 })],
  ['imageGPT: imageShape: wanted sizes', imageGPT({ imageShape: [2 ** 12, 2 ** 12, 1], width: 2 ** 8 })],
  ['imageGPT: layers: wanted an integer from 1 to 10000, got 1000000', imageGPT({ layers: 1e6 })],
  ['imageGPT: numClasses: wanted sizes', imageGPT({ numClasses: 2 ** 24, width: 2 ** 6 })],
  ['pixelSNAIL: kernelSize, filters, resFilters: wanted sizes', pixelSNAIL({ kernelSize: 9999 })],
  ['pixelSNAIL: filters: wanted sizes', pixelSNAIL({ filters: 2 ** 14 })],
  ['pixelSNAIL: kernelSize, input features, filters: wanted sizes', pixelSNAIL({ levels: 65536, filters: 512 })],
  ['pixelSNAIL: numClasses: wanted sizes', pixelSNAIL({ numClasses: 2 ** 24 })],
  ['pixelSNAIL: codeCondition: kernelSize, levels, resFilters: wanted sizes', pixelSNAIL({ codeCondition: { ...codeCondition, kernelSize: 9999 } })],
  ['pixelSNAIL: codeCondition: kernelSize, levels, resFilters: wanted sizes', pixelSNAIL({ codeCondition: { ...codeCondition, levels: 2 ** 24 } })],
  ['pixelSNAIL: codeCondition: kernelSize, levels, resFilters: wanted sizes', pixelSNAIL({ codeCondition: { ...codeCondition, resFilters: 2 ** 14 } })],
  ['(CausalAttention): key_kernel: wanted sizes', () => layers.causalAttention({ heads: 1, units: 2 ** 20 }).apply([1, 2 ** 9].map((features) => input({ shape: [4, 4, features] })))],
  ['(CausalAttention): query_kernel: wanted sizes', () => layers.causalAttention({ heads: 1, units: 2 ** 20 }).apply([2 ** 9, 1].map((features) => input({ shape: [4, 4, features] })))],
  ['UpsampledMap: rows: wanted an integer from 1 to 16384, got 1000000000', () => layers.upsampledMap({ rows: 1e9 })],
  ['upsample: images, height, width, features: wanted sizes whose product is at most 268435456, got [1, 32768, 16384, 1]', () => tf.tidy(() => layers.upsampledMap({ rows: 2 ** 14, columns: 2 ** 14 }).apply(tf.zeros([1, 2, 1, 1])))],
  ['PixelLogits: levels: wanted at most 2^24', () => layers.pixelLogits({ imageChannels: 1, levels: 2 ** 31 })],
  ['pixelCNN: firstKernelSize: wanted sizes', pixelCNN({ input: { embedding: 1e9 } })],
  ['gatedPixelCNN: firstKernelSize: wanted sizes', gatedPixelCNN({ input: { embedding: 1e7 } })],
  ['pixelCNN: firstKernelSize: wanted sizes', pixelCNN({ levels: 2e6, input: 'oneHot' })],
  ['(LevelEmbedding): embeddings: wanted sizes', onInput(() => layers.levelEmbedding({ levels: 65536, units: 1e6 }), 1)],
  ['OneHotClass: numClasses: wanted at most 2^24', () => layers.oneHotClass({ numClasses: 1e9 })],
  ['normalize: levels: wanted at most 2^24', () => layers.normalize(undefined as never, 2 ** 31)],
  ['getMask: kernelSize, featuresIn, featuresOut: wanted sizes', () => layers.getMask({ kernelSize: 9999, featuresIn: 3, featuresOut: 3 })],
  ['sample: imageShape: wanted sizes', () => layers.sample(anySize(), { imageShape: huge })],
  ['use fewer images at a time', () => layers.sample(anySize(), { imageShape: [10, 10, 1], numImages: 1e9, strategy: 'full' })],
  ['checkCausality: imageShape: wanted at most 46340 values, since each is tested against each, got [1000, 1000, 1]', () => layers.checkCausality(anySize(), { inputs: 'all', imageShape: [1000, 1000, 1] })],
  ['receptiveField: imageShape: wanted sizes', () => layers.receptiveField(anySize(), { imageShape: huge, row: 0, column: 0 })],
  ['sample: imageShape: wanted sizes', async () => runtime.sample(await layers.toPortable(anySize()), { imageShape: huge })],
  ['stepper: imageShape: wanted sizes', async () => runtime.stepper(await layers.toPortable(anySize()), { imageShape: huge })],
  ['imageBatches: batchSize: wanted sizes', () => imageBatches({ data: new Uint8Array(16), shape: [1, 4, 4, 1], levels: 4 }, { batchSize: 1e9 })],
];

onBackend('cpu', 'sizes that fit in no memory', () => {
  it.each(rows)('%s', async (wanted, use) => {
    await expect((async () => use())()).rejects.toThrow(wanted);
  });

  it('leave nothing behind', () =>
    expectNoLeaks(() => {
      expect(pixelCNN({ block: () => layers.maskedConv2d({ filters: 4, kernelSize: 99_999 }) })).toThrow();
      expect(block({ filters: 1e8 })).toThrow();
      return undefined;
    }));
});
