import { input as inputLayer, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { maskedConv2d } from '../layers/causal-conv-2d';
import { levelEmbedding, oneHotClass, oneHotCodes, oneHotLevels } from '../layers/encodings';
import { pixelShift } from '../layers/map-layers';
import { gaussian, logisticMixture, mixtureParameters, pixelLogits } from '../layers/output-layers';
import { partSeed, seedArguments } from '../layers/seeds';
import type { Shape } from '../layers/types';
import {
  type Argument,
  anything,
  categories,
  flag,
  type Given,
  integer,
  oddLengths,
  optional,
  rate,
  type Values,
  wordOr,
} from '../runtime/core/arguments';
import { checkMemories, checkMemory, throwTypeError } from '../runtime/core/check';
import type { ConditionShape } from '../runtime/core/conditions';
import { dilationArguments } from '../runtime/core/declared-window';
import { numParameters } from '../runtime/distributions/mixture-parameters';
import {
  type AutoregressiveModel,
  type AutoregressiveModelArgs,
  autoregressiveModel,
} from './autoregressive-model';

// The common parts of this library's networks: arguments, encodings of levels, and last layers.

/**
 * How a network reads levels: `'scaled'` as intensities, level / (L - 1), for photographs; as unordered categories,
 * for codes, tiles and palettes, `'oneHot'` by vectors of L numbers, `{ embedding: units }` by learnt vectors.
 */
export type InputEncoding = 'scaled' | 'oneHot' | { readonly embedding: number };

/**
 * The distribution that a network's outputs parameterize. `'softmax'`, over the levels of each channel, with
 * logits [N,H,W,C,L], suits few levels, codes and other categories. A mixture of `components` discretized
 * logistics over whole pixels, with parameters [N,H,W,P] in the order of {@link LogisticMixture}, suits
 * intensities of many levels, since it has far fewer outputs and treats neighbouring levels as similar. `'gaussian'`,
 * one discretized Gaussian for each channel, with parameters [N,H,W,2C] in the order of {@link Gaussian}, suits values
 * that fall off from one peak on both sides, such as those of an autoencoder.
 *
 * Source of the mixture: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 2.1.
 */
export type OutputMeaning = 'softmax' | 'gaussian' | { readonly components: number };

type AnyImageShape = readonly [number | null, number | null, number];

/** [H, W, C]; H and W may be null. */
const imageShape: Argument<AnyImageShape> = {
  check(what, given) {
    const isSize = (size: unknown) => size === null || (Number.isSafeInteger(size) && (size as number) > 0);
    const [h, w, c, ...rest] = Array.isArray(given) ? given : [];
    if (!isSize(h) || !isSize(w) || !isSize(c) || c === null || rest.length > 0)
      throwTypeError(what, '[H, W, C], with null for a size that may vary', given);
    checkMemory(what, [h ?? 1, w ?? 1, c]);
    return [h, w, c];
  },
};

const count = integer({ from: 1 });
export const inputArgument: Argument<InputEncoding> = wordOr(['scaled', 'oneHot'], { embedding: count });
export const outputArgument: Argument<OutputMeaning> = wordOr(['softmax', 'gaussian'], {
  components: count,
});

/** A number of blocks, up to far more than any network has, so that a typo does not use up memory and time. */
export const blocks = ({ from }: { from: number }): Argument<number> => integer({ from, to: 10_000 });

/** Arguments of all networks. */
export const anyNetworkArguments = {
  /** [H, W, C]; with null for H and W, images of any size. */
  imageShape,
  /**
   * L, the number of levels of a channel. If it is left out, and no level of the first images that are trained on or
   * evaluated reaches 32, a warning asks whether it was forgotten.
   * @default 256
   */
  levels: optional(categories({ from: 2 }), 256),
  /** The probability of dropping a feature in training, in each block. @default 0 */
  dropout: rate(),
  ...seedArguments,
  /** Name of the model. */
  name: optional(anything<string>()),
};

/** Arguments of networks whose features are split by channel. */
export const networkArguments = {
  ...anyNetworkArguments,
  /** Features of the two 1x1 convolutions before the last one, per image channel. */
  outDim: integer({ from: 1 }),
  /** How levels are read. Inputs are always images [N,H,W,C] in [0, 1]. @default 'scaled' */
  input: optional(inputArgument, 'scaled'),
  /** Kernel size, or window, of the layer that reads the image, odd. @default 7 */
  firstKernelSize: optional(oddLengths(), [7, 7]),
  /** Kernel size, or window, of the blocks, odd. @default 3 */
  kernelSize: optional(oddLengths(), [3, 3]),
  ...dilationArguments, // of the blocks' kernels
  /**
   * The distribution of the outputs. A mixture's coefficients between channels are 0, since
   * features are grouped by channel and already see the earlier channels.
   * @default 'softmax'
   */
  output: optional(outputArgument, 'softmax'),
};

/** Arguments of every network whose features are split by channel. */
export interface NetworkArgs extends Given<typeof networkArguments> {}

type Network = Values<typeof networkArguments>;

export const conditionArguments = () => ({
  /** Adds a condition: an input [N,1] of classes 0 to numClasses - 1. */
  numClasses: optional(categories({ from: 1 })),
  /**
   * Whether `numClasses` itself is a valid class that means "no class", for training with dropped conditions.
   * @default false
   */
  nullClass: flag(false),
  /** Adds a condition: an input [N,K] of vectors of this length. */
  conditionSize: optional(integer({ from: 1 })),
});

/** The conditions that networks may have. */
export interface ConditionArgs extends Given<ReturnType<typeof conditionArguments>> {}

/** Checks the sizes of a network whose features are split by channel, and returns the features of all channels. */
export function networkSizes(what: string, values: Network & { readonly hiddenDim: number }) {
  const { levels, input, output, firstKernelSize, kernelSize } = values;
  const imageChannels = values.imageShape[2];
  const [hidden, out] = [values.hiddenDim * imageChannels, values.outDim * imageChannels];
  // Kernels of the network. Each is named after the option being checked, and depends on the options checked before it.
  checkMemories(what, {
    hiddenDim: [2 * hidden, hidden],
    firstKernelSize: [...firstKernelSize, imageChannels * encodedFeatures(input, levels), 2 * hidden],
    kernelSize: [...kernelSize, hidden, hidden],
    outDim: [out, out],
    [optionOf(output)]: [out, outputsOfChannel(output, levels), imageChannels],
  });
  return { imageChannels, hidden, out };
}

interface Conditions extends Values<ReturnType<typeof conditionArguments>> {
  readonly conditionMapSize?: number | undefined;
  readonly codeCondition?: { readonly levels: number; readonly shape: readonly [number, number] } | undefined;
  readonly imageShape: AnyImageShape;
}

/**
 * The inputs of a network: the image [N,H,W,C], then class, vector, map and codes. `conditions` are all but the image,
 * encoded: [N,K], [N,H,W,K], or [N,h,w,K] for codes. The others will be projected to `projected` features.
 */
export function networkInputs(
  what: string,
  { numClasses, nullClass, conditionSize, conditionMapSize, codeCondition, imageShape }: Conditions,
  projected: number,
) {
  if (nullClass && numClasses === undefined)
    throwTypeError(`${what}: nullClass`, 'numClasses to be given too', nullClass);
  const [height, width] = imageShape;
  type Taken = [kind: ConditionShape['kind'], option: string, size: number | undefined, shape: Shape];
  const possible: Taken[] = [
    ['class', 'numClasses', numClasses, [1]],
    ['vector', 'conditionSize', conditionSize, [conditionSize ?? null]],
    ['map', 'conditionMapSize', conditionMapSize, [height, width, conditionMapSize ?? null]],
    ['codes', 'codeCondition: levels', codeCondition?.levels, [...(codeCondition?.shape ?? []), 1]],
  ];
  const taken = possible.filter(([, , size]) => size !== undefined);
  for (const [, option, size = 0] of taken) checkMemory(`${what}: ${option}`, [size, projected]);
  const image = inputLayer({ shape: [...imageShape], name: 'image' });
  const inputs = [image];
  const conditions = taken.map(([kind, , size = 0, shape]) => {
    const given = inputLayer({ shape, name: taken.length === 1 ? 'condition' : kind }); // [N,1], [N,K], [N,H,W,K] or [N,h,w,1]
    inputs.push(given);
    if (kind === 'class') return oneHotClass({ name: 'one_hot', numClasses: size, nullClass }).apply(given); // [N,1] -> [N,K]
    if (kind === 'codes') return oneHotCodes({ name: 'one_hot_codes', levels: size }).apply(given); // [N,h,w,1] -> [N,h,w,K]
    return given;
  });
  return { image, inputs, conditions };
}

/** The number of features that encode each channel. */
export function encodedFeatures(input: InputEncoding, levels: number): number {
  if (input === 'scaled') return 1;
  return input === 'oneHot' ? levels : input.embedding;
}

/** The option that determines the number of outputs. */
const optionOf = (output: OutputMeaning) => (output === 'softmax' ? 'levels' : 'output');

/** The outputs of each channel, if features are split by channel. */
function outputsOfChannel(output: OutputMeaning, levels: number): number {
  if (output === 'softmax') return levels;
  return output === 'gaussian' ? 2 : 3 * output.components;
}

/** The layers before the one that reads the image: [N,H,W,C] -> [N,H,W,C*{@link encodedFeatures}]. */
export function inputLayers({
  input,
  levels,
  seed,
}: Pick<Network, 'input' | 'levels' | 'seed'>): layers.Layer[] {
  const name = 'levels';
  if (input === 'scaled') return [];
  if (input === 'oneHot') return [oneHotLevels({ name, levels })];
  return [levelEmbedding({ name, levels, units: input.embedding, seed: partSeed(seed, name) })];
}

export const chain = (all: readonly layers.Layer[], x: SymbolicTensor): SymbolicTensor =>
  all.reduce((y, layer) => layer.apply(y) as SymbolicTensor, x);

/** The last layer of a network whose features are not split by channel, and how many it reads, as set by `option`. */
export function outputLayer({
  imageShape,
  levels,
  output,
}: Pick<Network, 'imageShape' | 'levels' | 'output'>) {
  const imageChannels = imageShape[2];
  const option = optionOf(output);
  if (output === 'softmax') {
    const layer = pixelLogits({ name: 'logits', imageChannels, levels }); // [N,H,W,C*L] -> [N,H,W,C,L]
    return { option, numFeatures: imageChannels * levels, layer };
  }
  if (output === 'gaussian') {
    const layer = gaussian({ name: 'gaussian', imageChannels, levels }); // [N,H,W,2C]
    return { option, numFeatures: 2 * imageChannels, layer };
  }
  const { components } = output;
  const layer = logisticMixture({ name: 'mixture', imageChannels, levels, components }); // [N,H,W,P]
  return { option, numFeatures: numParameters({ imageChannels, components }), layer };
}

/** Adds features [N,H,W,F] of rows above and of pixels to the left, shifted to exclude the current pixel. */
export function addShifted(name: string, above: SymbolicTensor, left: SymbolicTensor): SymbolicTensor {
  const shiftedAbove = pixelShift({ name: `${name}_above_shift`, rows: 1 }).apply(above);
  const shiftedLeft = pixelShift({ name: `${name}_left_shift`, columns: 1 }).apply(left);
  return layers.add({ name }).apply([shiftedAbove, shiftedLeft]) as SymbolicTensor;
}

export const concat = (name: string, x: readonly SymbolicTensor[]): SymbolicTensor =>
  layers.concatenate({ name }).apply([...x]) as SymbolicTensor;

/** 1x1 convolutions with mask B, two to `filters` features: [N,H,W,F] -> [N,H,W,C,L] or [N,H,W,P]. */
export function outputHead(filters: number, values: Network): layers.Layer[] {
  const { imageShape, levels, output, seed } = values;
  const imageChannels = imageShape[2];
  const conv = (name: string) => ({ name, kernelSize: 1, imageChannels, seed: partSeed(seed, name) });
  const head: layers.Layer[] = [
    layers.reLU({ name: 'relu' }),
    maskedConv2d({ ...conv('output_conv1'), filters, activation: 'relu' }), // [N,H,W,F] -> [N,H,W,outDim*C]
    maskedConv2d({ ...conv('output_conv2'), filters }), // [N,H,W,outDim*C] -> [N,H,W,outDim*C]
    maskedConv2d({ ...conv('final_conv'), filters: outputsOfChannel(output, levels) * imageChannels }), // [N,H,W,outDim*C] -> [N,H,W,C*L], [N,H,W,C*3K] or [N,H,W,2C]
  ];
  if (typeof output === 'object' && imageChannels > 1)
    head.push(mixtureParameters({ name: 'parameters', imageChannels, ...output })); // [N,H,W,C*3K] -> [N,H,W,P]
  return [...head, outputLayer(values).layer];
}

/** The model of a factory's arguments. */
export const networkModel = (
  { levels }: { readonly levels?: number | undefined },
  graph: AutoregressiveModelArgs,
): AutoregressiveModel => Object.assign(autoregressiveModel(graph), { hasDefaultLevels: levels == null });
