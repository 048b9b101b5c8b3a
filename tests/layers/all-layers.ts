import * as tfl from '@tensorflow/tfjs-layers';
import * as all from 'pixelcnn-layers';

// Every layer of the library. Another one is another row.

type Shape = readonly (number | null)[];

export interface LayerRow {
  make(args: never): all.PixelLayer;
  /** All arguments of its own, none of them at its default. */
  args: object;
  /** As few arguments as there must be, and what the others then are. */
  least: object;
  defaults?: object;
  /** The inputs, but for the images. */
  inputs: readonly number[][];
  /** What it makes of a pixel, where that is all it does. */
  ofPixel?: (features: readonly number[]) => number[];
  /** Whether height and width must be known. */
  isOfKnownSize?: true;
  /** Whether it takes integers, of which it has no gradient. */
  areIntegers?: true;
  /** Whether a value depends on later ones, of which the next shift makes earlier ones. */
  isEarly?: false;
  /** In how many groups the features of input and output are, one for each channel, of which none sees a later one. @default 1 */
  groups?: number;
  /** Arguments that `args` cannot have too. */
  apart?: string[];
  /** Arguments that are wrong, and what is said of them. */
  wrong: readonly [args: object, message: string][];
  /** Inputs that are wrong, of the least arguments and some others; only one input is left out of its list. */
  wrongInputs: readonly [inputs: readonly Shape[], message: string, others?: object][];
}

const elu = (x: number) => (x > 0 ? x : Math.expm1(x));
const hot = (levels: number) => (level: number) => Array.from({ length: levels }, (_, i) => Number(i === level));

const image = 'input: wanted one tensor [N,H,W,features]';
const seed: [object, string][] = [[{ seed: 0.5 }, 'seed: wanted an integer'], [{ seed: 'x' }, 'seed: wanted an integer']]; // biome-ignore format: rows
const dropout: [object, string][] = [[{ dropout: 1 }, 'dropout: wanted a number from 0, below 1, got 1']];
const normalization: [object, string][] = [[{ weightNormalization: 'on' }, "weightNormalization: wanted true or false, got 'on'"]];
const channels: [object, string][] = [[{ imageChannels: 0 }, 'imageChannels: wanted'], [{ imageChannels: -1 }, 'imageChannels: wanted']]; // biome-ignore format: rows

/** Arguments of any layer with a kernel, in the middle of numbers. */
const ofKernel = { kernelInitializer: 'heNormal', kernelRegularizer: 'l1l2', kernelConstraint: 'nonNeg' };
const ofBias = { biasInitializer: 'ones', biasRegularizer: 'l1l2', biasConstraint: 'nonNeg' };
const ofAny = { ...ofKernel, ...ofBias, activation: 'hardSigmoid', useBias: false };
const ofBlock = { ...ofKernel, ...ofBias };

const recurrent = (make: LayerRow['make']): LayerRow => ({
  make,
  args: { filters: 4, imageChannels: 2, seed: 4, dropout: 0.25, ...ofBlock },
  least: { filters: 3 },
  defaults: { imageChannels: 3, dropout: 0 },
  inputs: [[3, 4, 8]],
  groups: 2,
  wrong: [
    ...seed, ...dropout, ...channels,
    [{ filters: 4 }, 'filters: wanted a multiple of imageChannels (3)'],
  ],
  wrongInputs: [
    [[[4, 4, 9]], 'input: wanted 6 features (2 * filters), got 9'],
    [[[4, 6]], image],
    [[[4, 4, 2e9]], 'input_kernel: wanted sizes', { filters: 1e9, imageChannels: 1 }],
  ],
}); // biome-ignore format: one property a line

/** By the name of each class. */
export const allLayers: Readonly<Record<string, LayerRow>> = {
  CausalAttention: {
    make: all.causalAttention, args: { heads: 2, units: 6, keyUnits: 2, own: true, dropout: 0.25, weightNormalization: true, seed: 4 },
    isEarly: false, least: { heads: 1, units: 4, keyUnits: 4 }, defaults: { own: false, dropout: 0, weightNormalization: false },
    inputs: [[3, 4, 2], [3, 4, 1]],
    wrong: [
      ...seed, ...dropout, ...normalization,
      [{ heads: 0 }, 'heads: wanted an integer of at least 1, got 0'],
      [{ heads: 3 }, 'units: wanted a multiple of heads (3), got 4'],
      [{ heads: 2, keyUnits: 3 }, 'keyUnits: wanted a multiple of heads (2), got 3'],
      [{ own: 'yes' }, "own: wanted true or false, got 'yes'"],
    ],
    wrongInputs: [
      [[[4, 4, 2]], 'inputs: wanted two, for queries and for keys and values, got'],
      [[[4, 4, 2], [4, 4, 2], [4, 4, 2]], 'inputs: wanted two, for queries and for keys and values, got'],
      [[[4, 4, 2], [3]], image],
      [[[4, 4, 2], [4, 4, null]], image],
      [[[4, 4, 2], [4, 3, 2]], 'attend: wanted features of equal height and width, got'],
      [[[4, 4, 2], [4, 4, 2 ** 28]], 'key_kernel: wanted sizes'],
    ],
  },
  CenteredImage: {
    make: all.centeredImage, args: {}, least: {}, inputs: [[2, 3, 3]], ofPixel: (x) => [...x.map((of) => 2 * of - 1), 1],
    wrong: [],
    wrongInputs: [[[[2, 2, 3, 4]], '[N,H,W,F]']],
  },
  ConcatElu: {
    make: all.concatElu, args: {}, least: {}, inputs: [[2, 3, 3]], ofPixel: (x) => [...x.map(elu), ...x.map((of) => elu(-of))],
    wrong: [],
    wrongInputs: [],
  },
  DiagonalBiLSTMBlock: recurrent(all.diagonalBiLSTMBlock),
  TransformerBlock: {
    make: all.transformerBlock,
    args: { heads: 2, norm: 'rms', activation: 'quickGelu', residual: 'normalized', dropout: 0.25, hiddenFilters: 6, initialScale: 0.5, epsilon: 0.25, seed: 4 },
    least: { heads: 1 },
    defaults: { norm: 'layer', activation: 'gelu', residual: 'input', dropout: 0, hiddenFilters: null, initialScale: 1, epsilon: 1e-5 },
    inputs: [[3, 4, 4]],
    wrong: [
      ...seed, ...dropout,
      [{ heads: 0 }, 'heads: wanted an integer of at least 1, got 0'],
      [{ norm: 'l2' }, "norm: wanted 'layer' or 'rms', got 'l2'"],
      [{ activation: 'relu' }, "activation: wanted 'gelu' or 'quickGelu', got 'relu'"],
      [{ residual: 'none' }, "residual: wanted 'input' or 'normalized', got 'none'"],
      [{ hiddenFilters: 0 }, 'hiddenFilters: wanted an integer of at least 1, got 0'],
      [{ initialScale: 0 }, 'initialScale: wanted a number above 0, got 0'],
      [{ epsilon: 0 }, 'epsilon: wanted a number above 0'],
    ],
    wrongInputs: [
      [[[4, 6]], image],
      [[[4, 4, 3]], 'input features: wanted a multiple of heads (2), got 3', { heads: 2 }],
      [[[4, 4, 2 ** 15]], 'query_kernel: wanted sizes'],
    ],
  },
  UpsampledMap: {
    make: all.upsampledMap, args: { rows: 3, columns: 4, spread: true }, least: {}, defaults: { rows: 2, columns: 2, spread: false }, inputs: [[2, 3, 24]],
    isEarly: false,
    wrong: [0, 1.5, '2', 2 ** 14 + 1, 1e9].flatMap((wrong) =>
      ['rows', 'columns'].map((name): [object, string] => [{ [name]: wrong }, `${name}: wanted an integer from 1 to 16384, got`]),
    ),
    wrongInputs: [
      [[[3]], 'upsample: input: wanted features [N,H,W,F], got [null, 3]'],
      [[[2, 3, 6]], 'upsample: input: wanted a multiple of rows * columns (4), got 6', { spread: true }],
    ],
  },
  GatedActivation: {
    make: all.gatedActivation, args: { imageChannels: 2, kind: 'linear', seed: 4 }, least: {}, defaults: { imageChannels: 3, kind: 'tanh' },
    inputs: [[3, 4, 8], [3], [3, 4, 2]], groups: 2,
    wrong: [...seed, ...channels, [{ kind: 'relu' }, "kind: wanted 'tanh' or 'linear', got 'relu'"]],
    wrongInputs: [
      [[[4, 4, 5]], 'input features: wanted a multiple of 2 * imageChannels (6)'],
      [[[4, 4]], image],
      ...[[4, 4], [null], [4, 3, 2], [3, 4, 2], [4, 4, null]].map((condition): [Shape[], string] => [[[4, 4, 6], condition], 'inputs: wanted features [N,H,W,2F], or with conditions [N,K] or [N,H,W,K]']),
      [[[4, 4, 6], [2], [4, 3, 2]], 'inputs: wanted features'],
    ],
  },
  GatedResBlock: {
    make: all.gatedResBlock,
    args: { filters: 3, shift: 'downRight', kernelSize: [3, 2], dilationRate: [2, 1], hiddenFilters: 5, hasSkip: true, activation: 'elu', dropout: 0.25, weightNormalization: true, seed: 4 },
    least: { filters: 2, shift: 'down' },
    defaults: { kernelSize: [2, 3], dilationRate: [1, 1], hiddenFilters: 2, hasSkip: false, activation: 'concatElu', dropout: 0, weightNormalization: false },
    inputs: [[3, 4, 3], [3, 4, 1], [3]],
    wrong: [
      ...seed, ...dropout, ...normalization,
      [{ filters: 0 }, 'filters: wanted an integer of at least 1, got 0'],
      [{ hiddenFilters: 0 }, 'hiddenFilters: wanted an integer of at least 1'],
      [{ activation: 'relu' }, "activation: wanted 'concatElu' or 'elu', got 'relu'"],
      [{ shift: 'right' }, "shift: wanted 'down' or 'downRight' or 'excludesCentre' or 'same', got 'right'"],
      [{ kernelSize: 0 }, 'kernelSize: wanted a positive integer'],
      [{ hasSkip: 1 }, 'hasSkip: wanted true or false, got 1'],
    ],
    wrongInputs: [
      [[[4, 4, 3]], 'input: wanted 2 features (filters), got 3'],
      [[[4, 4]], image],
      ...[[4, 4], [null], [4, 3, 2], [3, 4, 2], [4, 4, null]].map((condition): [Shape[], string] => [[[4, 4, 2], condition], 'inputs: wanted x [N,H,W,F] and conditions [N,K] or [N,H,W,K], if any']),
      [[[4, 4, 2], [2 ** 28]], 'condition_kernel: wanted sizes'],
      ...[[], [[3]], [[4, 3, 1]], [[4, 4, null]]].map((skip): [Shape[], string, object] => [[[4, 4, 2], ...skip], 'inputs: wanted x [N,H,W,F], a skip [N,H,W,S] and conditions', { hasSkip: true }]),
      [[[4, 4, 2], [4, 4, 2 ** 28]], 'conv_skip_kernel: wanted sizes', { hasSkip: true }],
      [[[4, 4, 12000]], 'conv_in_kernel: wanted sizes', { filters: 12000 }],
    ],
  },
  Gaussian: {
    make: all.gaussian, args: { imageChannels: 2, levels: 256, offset: 100 }, least: { levels: 4 },
    defaults: { imageChannels: 3, offset: 2 }, inputs: [[2, 3, 4]], ofPixel: (x) => [...x],
    wrong: [...channels, [{ offset: 0.5 }, 'offset: wanted an integer from'], [{ levels: 1 }, 'levels: wanted']],
    wrongInputs: [[[[2, 2, 2]], 'input: wanted 6 features (2 * imageChannels: 2 * 3), got 2']],
  },
  LevelEmbedding: {
    make: all.levelEmbedding,
    args: { levels: 4, units: 2, seed: 4, embeddingsInitializer: 'ones', embeddingsRegularizer: 'l1l2', embeddingsConstraint: 'nonNeg' },
    least: { levels: 3, units: 3 }, inputs: [[2, 3, 2]], groups: 2,
    wrong: [
      ...seed,
      ...[1, 1048577, '3'].map((levels): [object, string] => [{ levels }, 'levels: wanted an integer from 2 to 1048576']),
      ...[0, 1.5, undefined].map((units): [object, string] => [{ units }, 'units: wanted an integer of at least 1']),
    ],
    wrongInputs: [[[[3]], image]],
  },
  LogisticMixture: {
    make: all.logisticMixture, args: { imageChannels: 2, levels: 256, components: 2 }, least: { levels: 4, components: 1 },
    defaults: { imageChannels: 3 }, inputs: [[2, 3, 12]], ofPixel: (x) => [...x],
    wrong: [...channels, [{ components: 0 }, 'components: wanted'], [{ levels: 1 }, 'levels: wanted']],
    wrongInputs: [[[[2, 2, 2]], 'input: wanted 10 features (the parameters of 1 components, imageChannels: 3), got 2']],
  },
  MaskedConv2D: {
    make: all.maskedConv2d,
    args: { filters: 8, kernelSize: [3, 5], dilationRate: [1, 2], groups: 2, maskType: 'A', imageChannels: 2, vertical: true, weightNormalization: true, seed: 4, ...ofAny },
    least: { filters: 3, kernelSize: 3 },
    defaults: { kernelSize: [3, 3], dilationRate: [1, 1], groups: 1, maskType: 'B', imageChannels: 3, vertical: false, weightNormalization: false, useBias: true, activation: 'linear' },
    inputs: [[3, 4, 4]],
    isEarly: false, // a vertical stack sees all of the rows above
    wrong: [
      ...seed, ...channels, ...normalization,
      [{ filters: 4 }, 'filters: wanted a multiple'],
      [{ kernelSize: 2 }, 'kernelSize: wanted'],
      [{ maskType: 'a' }, "maskType: wanted 'A' or 'B'"],
      [{ vertical: 1 }, 'vertical: wanted true or false, got 1'],
    ],
    wrongInputs: [[[[4, 4, 4]], 'input features: wanted a multiple'], [[[4, 3]], 'input: wanted']],
  },
  MixtureParameters: {
    make: all.mixtureParameters, args: { imageChannels: 2, components: 2 }, least: { components: 1 }, defaults: { imageChannels: 3 },
    inputs: [[2, 3, 12]],
    // Logits, means and log scales of the first channel, without logits those of the second, and coefficients of 0.
    ofPixel: (x) => [...x.slice(0, 6), ...x.slice(8, 12), 0, 0],
    wrong: [...channels, [{ components: 0 }, 'components: wanted']],
    wrongInputs: [[[[2, 2, 8]], 'input: wanted 9 features (3 * imageChannels * components: 3 * 3 * 1), got 8']],
  },
  OneHotClass: {
    make: all.oneHotClass, args: { numClasses: 3, nullClass: true }, least: { numClasses: 1 }, defaults: { nullClass: false },
    inputs: [[1]], areIntegers: true, ofPixel: ([x = 0]) => hot(4)(x),
    wrong: [[{ numClasses: 0 }, 'numClasses: wanted an integer of at least 1'], [{ nullClass: 3 }, 'nullClass: wanted true or false, got 3']],
    wrongInputs: [[[[2]], 'input: wanted classes [N,1]'], [[[null]], 'input: wanted classes [N,1]'], [[[1, 1]], 'input: wanted classes [N,1]'], [[[]], 'input: wanted classes [N,1]'], [[[1], [1]], 'input: wanted classes [N,1]']],
  },
  OneHotCodes: {
    make: all.oneHotCodes, args: { levels: 3 }, least: { levels: 2 }, inputs: [[2, 3, 1]], areIntegers: true,
    ofPixel: ([x = 0]) => hot(3)(x),
    wrong: [[{ levels: 1 }, 'levels: wanted an integer of at least 2, got 1'], [{ levels: 1e9 }, 'levels: wanted at most 2^24']],
    wrongInputs: [[[[1]], 'input: wanted'], [[[2, 2, 2]], 'input: wanted codes [N,h,w,1], got [null, 2, 2, 2]'], [[[2, 2, null]], 'input: wanted']],
  },
  OneHotLevels: {
    make: all.oneHotLevels, args: { levels: 3 }, least: { levels: 2 }, inputs: [[2, 3, 2]], groups: 2,
    ofPixel: (x) => x.flatMap((of) => hot(3)(Math.floor(2 * of + 0.5))),
    wrong: [1, 2.5, 1048577, undefined].map((levels): [object, string] => [{ levels }, 'levels: wanted an integer from 2 to 1048576']),
    wrongInputs: [[[[2]], image], [[[2, 2]], image], [[[2, 2, null]], image], [[[2, 2, 1], [2, 2, 1]], image]],
  },
  PixelCNNResBlock: {
    make: all.pixelCNNResBlock,
    args: { filters: 4, imageChannels: 2, kernelSize: [5, 3], dilationRate: [1, 2], dropout: 0.25, weightNormalization: true, seed: 4 }, least: { filters: 3 },
    defaults: { imageChannels: 3, kernelSize: [3, 3], dilationRate: [1, 1], dropout: 0, weightNormalization: false }, inputs: [[3, 4, 8]], groups: 2,
    wrong: [...seed, ...dropout, ...channels, ...normalization, [{ filters: 4 }, 'filters: wanted a multiple'], [{ kernelSize: 2 }, 'kernelSize: wanted']],
    wrongInputs: [[[[4, 4, 9]], 'input: wanted 6 features (2 * filters), got 9']],
  },
  PixelDropout: {
    make: all.pixelDropout, args: { rate: 0.5, seed: 4 }, least: { rate: 0 }, inputs: [[3, 4, 2]], ofPixel: (x) => [...x],
    wrong: [...seed, ...[-0.1, 1, Number.NaN, '0.5', undefined].map((rate): [object, string] => [{ rate }, 'rate: wanted a number from 0, below 1'])],
    wrongInputs: [],
  },
  PixelLogits: {
    make: all.pixelLogits, args: { imageChannels: 2, levels: 3 }, least: { levels: 2 }, defaults: { imageChannels: 3 }, inputs: [[2, 3, 6]],
    ofPixel: (x) => [...x], // channel by channel, the levels of each
    wrong: [...channels, [{ levels: 1 }, 'levels: wanted']],
    wrongInputs: [[[[2, 2, 3]], 'input: wanted 6 features (imageChannels * levels: 3 * 2), got 3']],
  },
  PixelNormalization: {
    make: all.pixelNormalization, args: { imageChannels: 2, norm: 'rms', epsilon: 0.25, center: false, scale: false }, least: {},
    defaults: { imageChannels: 3, norm: 'layer', epsilon: 1e-3, center: true, scale: true }, inputs: [[2, 3, 8]], groups: 2,
    wrong: [
      ...channels,
      ...[-1, 0, Number.NaN, '1'].map((epsilon): [object, string] => [{ epsilon }, 'epsilon: wanted a number above 0']),
      [{ center: 1 }, 'center: wanted true or false'],
      [{ norm: 'l2' }, "norm: wanted 'layer' or 'rms', got 'l2'"],
      [{ scale: 'no' }, 'scale: wanted true or false'],
    ],
    wrongInputs: [[[[4, 4, 8]], 'input features: wanted a multiple of imageChannels (3), got 8'], [[[4, 4]], image], [[[4, 4, null]], image]],
  },
  FeatureSlice: {
    make: all.featureSlice, args: { from: 1, to: 3, imageChannels: 2 }, least: { from: 0, to: 1 }, defaults: { imageChannels: 3 },
    inputs: [[2, 3, 8]], groups: 2,
    wrong: [...channels, [{ from: -1 }, 'from: wanted an integer of at least 0, got -1'], [{ to: 0 }, 'to: wanted an integer of at least 1, got 0']],
    wrongInputs: [[[[4, 4, 3]], 'from, to: wanted a part of the 1 features of a channel, got [0, 2]', { to: 2 }], [[[4, 4, 7]], 'input features: wanted a multiple'], [[[4]], 'input: wanted one tensor']],
  },
  PixelPosition: {
    make: all.pixelPosition, args: {}, least: {}, inputs: [[2, 3, 2]],
    wrong: [],
    wrongInputs: [[[[3]], 'position: input: wanted features [N,H,W,F], got [null, 3]']],
  },
  PixelShift: {
    make: all.pixelShift, args: { rows: 1, columns: 2 }, least: {}, defaults: { rows: 0, columns: 0 }, inputs: [[3, 4, 2]],
    wrong: [-1, 0.5, '1'].flatMap((wrong) => ['rows', 'columns'].map((name): [object, string] => [{ [name]: wrong }, `${name}: wanted an integer of at least 0`])),
    wrongInputs: [[[[3]], 'shift: input: wanted features [N,H,W,F], got [null, 3]']],
  },
  RowLSTMBlock: {
    ...recurrent(all.rowLSTMBlock),
    args: { ...recurrent(all.rowLSTMBlock).args, kernelSize: 5 },
    wrong: [...recurrent(all.rowLSTMBlock).wrong, [{ kernelSize: 2 }, 'kernelSize: wanted an odd']],
  },
  PlaceEmbedding: {
    make: all.placeEmbedding, args: { seed: 4 }, least: {}, defaults: {}, inputs: [[3, 4, 4], [2]], isOfKnownSize: true,
    wrong: [...seed],
    wrongInputs: [
      [[[4, 6]], image],
      [[[null, 4, 6]], 'input: wanted [N,H,W,F] whose height and width are known, got'],
      [[[4, 4, 6], [4, 3, 2]], 'inputs: wanted x [N,H,W,F] and conditions [N,K] or [N,H,W,K], if any, got'],
      [[[2 ** 14, 2 ** 14, 2]], 'embeddings: wanted sizes'],
    ],
  },
  RasterShift: {
    make: all.rasterShift, args: { seed: 4 }, least: {}, defaults: {}, inputs: [[3, 4, 4]], groups: 4,
    wrong: [...seed],
    wrongInputs: [[[[4, 6]], image], [[[4, 4, null]], image]],
  },
  ShiftedConv2D: {
    make: all.shiftedConv2d,
    args: { filters: 4, kernelSize: [2, 3], shift: 'downRight', stride: 2, transposed: true, groups: 2, weightNormalization: true, seed: 4, ...ofAny },
    least: { filters: 2, kernelSize: 2, shift: 'down' },
    defaults: { kernelSize: [2, 2], stride: 1, transposed: false, groups: 1, weightNormalization: false, useBias: true }, inputs: [[2, 3, 2]],
    isEarly: false, // since transposed
    apart: ['dilationRate'],
    wrong: [
      [{ transposed: true, dilationRate: 2 }, 'dilationRate: wanted 1 with a stride, or transposed, got [2, 2]'], [{ stride: 2, dilationRate: 2 }, 'dilationRate: wanted 1'], [{ dilationRate: 0 }, 'dilationRate: wanted'],
      ...seed, ...normalization,
      ...['up', undefined, 'down_right'].map((shift): [object, string] => [{ shift }, "shift: wanted 'down' or 'downRight' or 'excludesCentre' or 'same', got"]),
      ...[0, 1.5, [2, -1], [1, 2, 3], '2'].map((kernelSize): [object, string] => [{ kernelSize }, 'kernelSize: wanted a positive integer']),
      [{ stride: 3 }, 'stride: wanted 1 or 2, got 3'],
      [{ transposed: 1 }, 'transposed: wanted true or false, got 1'],
      [{ filters: 0 }, 'filters: wanted an integer of at least 1, got 0'],
    ],
    wrongInputs: [
      [[[4, 4]], image], [[[4, 4, null]], image],
      [[[4, 4, 2 ** 28]], 'kernel: wanted sizes whose product is at most'],
      [[[5, 4, 1]], '(ShiftedConv2D): input: height: wanted a multiple of 2, got 5', { stride: 2 }],
      [[[4, 5, 1]], '(ShiftedConv2D): input: width: wanted a multiple of 2, got 5', { stride: 2 }],
    ],
  },
}; // biome-ignore format: a row is a table

/** Symbolic inputs of shapes: one alone, or a list. */
export function symbolic(shapes: readonly Shape[]): tfl.SymbolicTensor | tfl.SymbolicTensor[] {
  const inputs = shapes.map((shape) => tfl.input({ shape: [...shape] }));
  return inputs.length === 1 ? (inputs[0] as tfl.SymbolicTensor) : inputs;
}
