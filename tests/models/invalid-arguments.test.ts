import * as tf from '@tensorflow/tfjs-core';
import { input } from '@tensorflow/tfjs-layers';
import {
  gatedPixelCNN,
  gatedPixelCNNBlock,
  imageGPT,
  pixelCNN,
  pixelCNNPlusPlus,
  pixelCNNResBlock,
  pixelSNAIL,
  RowLSTMBlock,
} from 'pixelcnn-layers';
import { beforeAll, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { expectNoLeaks } from '../support/tensors';

// What each network says of arguments that are wrong. Unknown names and sizes that fit in no memory are in tables of their own.

beforeAll(() => useBackend('cpu'));

type Row = [args: object, message: string];

const ofAll: Row[] = [
  ...[undefined, null, 4, '4,4,1', [], [4, 4], [4, 4, 1, 1], [4, 4, null], [0, 4, 1], [4, -1, 1], [4, 1.5, 1], [4, 4, 0], [undefined, 4, 1]].map((imageShape): Row => [{ imageShape }, 'imageShape: wanted [H, W, C], with null for a size that may vary']),
  [{ levels: 1 }, 'levels: wanted an integer of at least 2, got 1'],
  [{ dropout: 1 }, 'dropout: wanted a number from 0, below 1, got 1'],
  [{ seed: 0.5 }, 'seed: wanted an integer'],
]; // biome-ignore format: a row a line

const ofConditions: Row[] = [
  ...['numClasses', 'conditionSize'].flatMap((name): Row[] => [
    [{ [name]: 0 }, `${name}: wanted an integer of at least 1, got 0`],
    [{ [name]: '3' }, `${name}: wanted an integer of at least 1, got '3'`],
  ]),
  [{ nullClass: true, conditionSize: 2 }, 'nullClass: wanted numClasses to be given too, got true'],
  [{ nullClass: 10, numClasses: 10 }, 'nullClass: wanted true or false, got 10'],
];

const ofInput: Row[] = [
  ...['onehot', 3, true].map((input): Row => [{ input }, "input: wanted 'scaled' or 'oneHot' or { embedding }, got"]),
  [{ input: [8] }, 'input: wanted an object of arguments'],
  [{ input: {} }, 'input: embedding: wanted an integer of at least 1, got undefined'],
  [{ input: { embedding: 0 } }, 'input: embedding: wanted an integer of at least 1, got 0'],
];

const ofOutput: Row[] = [
  [{ output: 'mixture' }, "output: wanted 'softmax' or 'gaussian' or { components }, got 'mixture'"],
  [{ output: { components: 0 } }, 'output: components: wanted an integer of at least 1, got 0'],
];

/** Of networks of blocks. */
const ofBlocks: Row[] = [
  ...ofAll, ...ofInput, ...ofOutput,
  [{ hiddenDim: 0 }, 'hiddenDim: wanted'],
  [{ outDim: 1.5 }, 'outDim: wanted'],
  [{ numBlocks: -1 }, 'numBlocks: wanted'],
  [{ firstKernelSize: 2 }, 'firstKernelSize: wanted'],
  [{ kernelSize: [3, 4] }, 'kernelSize: wanted'],
]; // biome-ignore format: a row a line

const imageShape = [4, 4, 1];
const blocks = { imageShape, hiddenDim: 2, outDim: 2, numBlocks: 1 };
const snail = { imageShape, levels: 4, filters: 4, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 2 };
const codes = { levels: 3, shape: [2, 2], resBlocks: 1, resFilters: 2 };
const ofCodes = (args: object) => ({ codeCondition: { ...codes, ...args } });

const networks: [name: string, make: (args: never) => unknown, least: object, rows: Row[]][] = [
  ['pixelCNN', pixelCNN, blocks, [
    ...ofBlocks,
    [{ block: 3 }, 'block: wanted a function, got 3'],
    [{ block: RowLSTMBlock }, 'block: wanted a function that returns a layer, not a class, got a function'],
    [{ block: () => 3 }, 'block: wanted a function that returns a layer, got 3'],
    [{ block: () => pixelCNNResBlock({ filters: 5, imageChannels: 1 }) }, '(PixelCNNResBlock): input: wanted 10 features (2 * filters), got 4'],
    [{ input: { embedding: 1 }, levels: 2 ** 20 + 1 }, 'LevelEmbedding: levels: wanted an integer from 2 to 1048576, got 1048577'],
    [{ hiddenDim: 99, levels: 65536, input: 'oneHot' }, 'firstKernelSize: wanted sizes whose product'],
  ]],
  ['gatedPixelCNN', gatedPixelCNN, blocks, [
    ...ofBlocks, ...ofConditions,
    [{ conditionMapSize: 0 }, 'conditionMapSize: wanted an integer of at least 1, got 0'],
    [{ conditionMapSize: '3' }, "conditionMapSize: wanted an integer of at least 1, got '3'"],
  ]],
  ['pixelCNNPlusPlus', pixelCNNPlusPlus, { imageShape, levels: 4, filters: 2, numResnets: 1 }, [
    ...ofAll, ...ofConditions, ...ofOutput,
    ...[[6, 4, 1], [4, 2, 1], [null, 5, 1]].map((imageShape): Row => [{ imageShape }, 'imageShape: wanted a height and width that are multiples of 4, or null']),
    [{ filters: 0 }, 'filters: wanted an integer of at least 1, got 0'],
    [{ filters: undefined }, 'filters'],
    [{ filters: 1e5 }, 'filters: wanted sizes'],
    ...[0, 1.5, 1e9].map((numResnets): Row => [{ numResnets }, 'numResnets: wanted an integer from 1 to 10000']),
    [{ output: { components: 2 ** 28 } }, 'output: wanted sizes'],
    [{ components: 2 }, "unknown option 'components'"],
    [{ output: 'softmax', levels: 2 ** 24, filters: 64 }, 'levels: wanted sizes'],
    [{ conditionSize: 2 ** 28 }, 'conditionSize: wanted sizes'],
  ]],
  ['pixelSNAIL', pixelSNAIL, snail, [
    ...ofAll, ...ofConditions, ...ofInput, ...ofOutput,
    [{ filters: 6 }, 'filters: wanted a multiple of 2 * heads (4), or attention: false, got 6'],
    [{ filters: 0 }, 'filters: wanted an integer of at least 1, got 0'],
    [{ filters: 2 ** 15 }, 'filters: wanted sizes'],
    [{ heads: 0 }, 'heads: wanted an integer of at least 1, got 0'],
    [{ kernelSize: 1 }, 'kernelSize: wanted an integer of at least 3, got 1'],
    [{ kernelSize: 4 }, 'kernelSize: wanted an odd integer, got 4'],
    [{ numBlocks: 0 }, 'numBlocks: wanted an integer from 1 to 10000, got 0'],
    [{ numResBlocks: -1 }, 'numResBlocks: wanted an integer from 0 to 10000, got -1'],
    [{ outResBlocks: 1e9 }, 'outResBlocks: wanted an integer from 0 to 10000'],
    [{ resFilters: 0 }, 'resFilters: wanted an integer of at least 1, got 0'],
    [{ attention: 1 }, 'attention: wanted true or false, got 1'],
    [{ numResBlocks: 0, numClasses: 2 }, 'numResBlocks: wanted 1 or more, since residual blocks read the conditions, got 0'],
    [{ numResBlocks: 0, ...ofCodes({}) }, 'numResBlocks: wanted 1 or more'],
    [{ codeCondition: 3 }, 'codeCondition: wanted an object'],
    [ofCodes({ levels: 1 }), 'codeCondition: levels: wanted an integer of at least 2, got 1'],
    [ofCodes({ shape: [3, 2] }), "codeCondition: shape: wanted [h, w] that divide the image's, [4, 4], got [3, 2]"],
    [ofCodes({ shape: [2] }), 'codeCondition: shape: wanted [h, w], got [2]'],
    [ofCodes({ shape: [2, 2, 1] }), 'codeCondition: shape: wanted [h, w], got [2, 2, 1]'],
    [{ ...ofCodes({}), imageShape: [null, 4, 1] }, 'codeCondition: shape: wanted an imageShape whose height and width are known'],
    [ofCodes({ resBlocks: -1 }), 'codeCondition: resBlocks: wanted an integer from 0 to 10000'],
    [ofCodes({ resFilters: 0 }), 'codeCondition: resFilters: wanted an integer of at least 1'],
    [ofCodes({ kernelSize: 2 }), 'codeCondition: kernelSize: wanted an odd integer'],
  ]],
  ['imageGPT', imageGPT, { imageShape, levels: 4, width: 4, heads: 2, layers: 1 }, [
    ...ofAll, ...ofConditions,
    [{ imageShape: [4, 4, 3] }, 'imageShape: wanted [H, W, 1]; turn colours into the levels of a palette first, got [4, 4, 3]'],
    [{ imageShape: [null, 4, 1] }, 'imageShape: wanted a known height and width, since each place has a vector, got [null, 4, 1]'],
    [{ width: 5 }, 'width: wanted a multiple of heads (2), got 5'],
    [{ layers: 0 }, 'layers: wanted an integer from 1 to 10000, got 0'],
    [{ levels: undefined }, 'levels: wanted an integer of at least 2, got undefined'],
    [{ norm: 'batch' }, "norm: wanted 'layer' or 'rms', got 'batch'"],
  ]],
]; // biome-ignore format: a row a line

it.each(networks)('%s names what is wrong, and leaves nothing behind', (name, make, least, rows) =>
  expectNoLeaks(() => {
    expect(() => make(undefined as never)).toThrow(`${name}: wanted an object of arguments`);
    for (const [args, message] of rows) {
      const thrown = /^[A-Z(]/.test(message) ? message : `${name}: ${message}`; // of a layer or of the network
      expect(() => make({ ...least, ...args } as never), message).toThrow(thrown);
    }
  }),
);

it('gatedPixelCNNBlock names what is wrong, before any weight is made', async () => {
  const [image, features] = [input({ shape: [4, 4, 3] }), input({ shape: [4, 4, 6] })];
  const notOne = 'condition: wanted a symbolic [N,K] or [N,H,W,K]';
  const rows: [args: object | undefined, message: string, stacks?: unknown][] = [
    [{}, 'stacks: wanted an object', null],
    [undefined, 'wanted an object'],
    [{ filters: 4 }, 'filters: wanted a multiple of imageChannels (3)'],
    [{ filters: undefined }, 'filters: wanted an integer'],
    ...[2, [3, 4], [4, 3], [3, 3, 3], 0, 1.5].map((kernelSize): Row => [{ kernelSize }, 'kernelSize: wanted an odd integer']),
    [{ maskType: 'a' }, "maskType: wanted 'A' or 'B', got 'a'"],
    [{ imageChannels: 0 }, 'imageChannels'],
    [{ skipFilters: 4 }, 'skipFilters: wanted a multiple'],
    [{ skipFilters: 0 }, 'skipFilters: wanted an integer'],
    ...[-0.1, 1, Number.NaN, '0.5'].map((dropout): Row => [{ dropout }, 'dropout: wanted a number from 0, below 1']),
    ...[[4, 4], [null], [4, 4, 4, 1]].map((shape): Row => [{ condition: input({ shape }) }, notOne]),
    [{ condition: 'cat' }, `${notOne}, got 'cat'`],
    [{ condition: input({ shape: [2, 4, 1] }) }, 'condition'],
    [{ isLast: 'no' }, "isLast: wanted true or false, got 'no'"],
    [{ weightNormalization: 1 }, 'weightNormalization: wanted true or false, got 1'],
    [{}, 'vertical: wanted the height and width of the horizontal stack', { vertical: input({ shape: [4, 5, 6] }), horizontal: features }],
    [{}, 'vertical: wanted one tensor', { horizontal: features }],
    [{}, 'horizontal: wanted one tensor', { vertical: features, horizontal: input({ shape: [4, 4, null] }) }],
    [{ maskType: 'A' }, 'features of the horizontal stack: wanted a multiple', { vertical: image, horizontal: input({ shape: [4, 4, 4] }) }],
    [{}, 'filters (6): wanted a horizontal stack of as many features, got 3', { vertical: features, horizontal: image }],
  ]; // biome-ignore format: a row a line
  const right = { vertical: features, horizontal: features };
  const numTensors = tf.memory().numTensors;
  for (const [args, message, stacks = right] of rows) {
    const given = args && { filters: 6, ...args };
    expect(() => gatedPixelCNNBlock(stacks as never, given as never), message).toThrow(`gatedPixelCNNBlock: ${message}`);
  }
  expect(tf.memory().numTensors).toBe(numTensors);
});
