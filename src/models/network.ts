import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import {
  checkArgs,
  checkCategories,
  checkInteger,
  checkKernelSize,
  checkMemory,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import { numParameters } from '../distributions/mixture-parameters';
import { levelEmbedding } from '../layers/level-embedding';
import { logisticMixture } from '../layers/logistic-mixture';
import { maskedConv2d } from '../layers/masked-conv-2d';
import { mixtureParameters } from '../layers/mixture-parameters';
import { oneHotLevels } from '../layers/one-hot-levels';
import { pixelLogits } from '../layers/pixel-logits';
import { checkSeed, partSeed, type SeedArgs } from '../layers/seeds';
import { checkRate } from '../program/operations/attend';
import { checkEncodedLevels } from '../program/operations/levels';

/**
 * How a network reads levels. `'scaled'` reads them as intensities, level / (L - 1), for photographs. The others read
 * them as categories without an order, for codes, tiles and palettes: `'oneHot'` as vectors of L numbers, and `{
 * embedding: units }` as learnt vectors of `units` numbers.
 */
export type InputEncoding = 'scaled' | 'oneHot' | { readonly embedding: number };

/**
 * What a network's outputs mean: `'softmax'`, a softmax over the levels of each channel, with logits [N,H,W,C,L], for
 * few levels, codes and other categories; or a mixture of `components` discretized logistics over whole pixels, with
 * parameters [N,H,W,P] in the order of {@link LogisticMixture}. The mixture has far fewer outputs and treats
 * neighbouring levels as similar: use it for intensities of many levels, not for categories.
 *
 * Source of the mixture: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 2.1.
 */
export type OutputMeaning = 'softmax' | { readonly components: number };

/** What every network of this library takes. */
export interface NetworkArgs extends SeedArgs {
  /** [H, W, C]; null for H and W takes images of any size. */
  imageShape: readonly [number | null, number | null, number];
  /** L, the number of levels of a channel. @default 256 */
  levels?: number;
  /** Features of the two 1x1 convolutions before the last, per image channel. */
  outDim: number;
  /** How levels are read. The input is always images [N,H,W,C] in [0, 1]. @default 'scaled' */
  input?: InputEncoding;
  /** Kernel, or window, of the layer that reads the image, odd. @default 7 */
  firstKernelSize?: number | [number, number];
  /** Kernel, or window, of the blocks, odd. @default 3 */
  kernelSize?: number | [number, number];
  /** The probability of dropping a feature in training, in each block. @default 0 */
  dropout?: number;
  /**
   * What the outputs mean. The coefficients of a mixture between channels are 0, since features are grouped by channel
   * and already see the earlier channels.
   * @default 'softmax'
   */
  output?: OutputMeaning;
  /** Name of the model. */
  name?: string;
}

/** The names of {@link NetworkArgs}, and of those that every network has beside them. */
export const networkArgNames: NamesOf<NetworkArgs & DepthArgs> = {
  imageShape: true,
  levels: true,
  input: true,
  hiddenDim: true,
  outDim: true,
  numBlocks: true,
  firstKernelSize: true,
  kernelSize: true,
  dropout: true,
  output: true,
  seed: true,
  name: true,
};

/** Arguments that every network takes, but documents itself. */
interface DepthArgs {
  hiddenDim: number;
  numBlocks: number;
}

/**
 * The sizes of a network, checked, with defaults filled in and features of all channels; `what` names the
 * network in errors.
 */
export function checkNetworkArgs<Args extends NetworkArgs & DepthArgs>(
  what: string,
  args: Args,
  names: NamesOf<Args>,
) {
  const {
    imageShape,
    levels = 256,
    firstKernelSize = 7,
    kernelSize = 3,
    name,
  } = checkArgs(what, args, names);
  const imageChannels = checkImageShape(`${what}: imageShape`, imageShape);
  const hidden = checkInteger(`${what}: hiddenDim`, args.hiddenDim, 1) * imageChannels;
  const out = checkInteger(`${what}: outDim`, args.outDim, 1) * imageChannels;
  const numBlocks = checkInteger(`${what}: numBlocks`, args.numBlocks, 0, MOST_BLOCKS);
  checkCategories(`${what}: levels`, levels, 2);
  const firstKernel = checkKernelSize(`${what}: firstKernelSize`, firstKernelSize);
  const kernel = checkKernelSize(`${what}: kernelSize`, kernelSize);
  // Kernels of the network. Each is named after the option being checked, and depends on the options checked before it.
  checkMemory(`${what}: hiddenDim`, [2 * hidden, hidden]);
  const { input = 'scaled' } = args;
  const inputs = imageChannels * checkEncoding(what, input, levels);
  checkMemory(`${what}: firstKernelSize`, [...firstKernel, inputs, 2 * hidden]);
  checkMemory(`${what}: kernelSize`, [...kernel, hidden, hidden]);
  checkMemory(`${what}: outDim`, [out, out]);
  const output = checkOutput(`${what}: output`, args.output ?? 'softmax');
  if (output === 'softmax') checkMemory(`${what}: levels`, [out, levels * imageChannels]);
  else checkMemory(`${what}: output.components`, [out, 3 * output.components * imageChannels]);
  const dropout = checkRate(`${what}: dropout`, args.dropout ?? 0);
  const seed = checkSeed(what, args.seed);
  const named = name === undefined ? {} : { name };
  const kernels = { firstKernelSize, kernelSize };
  return {
    imageShape,
    imageChannels,
    levels,
    input,
    hidden,
    out,
    numBlocks,
    ...kernels,
    output,
    dropout,
    seed,
    named,
  };
}

/** Checks how levels are read, and returns the number of features that each channel becomes. */
export function checkEncoding(what: string, input: InputEncoding, levels: number): number {
  if (input === 'scaled') return 1;
  const isEmbedding = typeof input === 'object' && input !== null;
  if (input !== 'oneHot' && !isEmbedding)
    throwTypeError(`${what}: input`, "'scaled', 'oneHot' or { embedding: units }", input);
  checkEncodedLevels(`${what}: levels`, levels);
  if (input === 'oneHot') return levels;
  const { embedding } = checkArgs(`${what}: input`, input, { embedding: true });
  const units = checkInteger(`${what}: input: embedding`, embedding, 1);
  checkMemory(`${what}: input: embedding`, [levels, units]);
  return units;
}

/** Far more than any network has. A typo could otherwise use up all memory and time. */
const MOST_BLOCKS = 10_000;

/** Checks [H, W, C], where H and W may be null, and returns C. */
export function checkImageShape(what: string, imageShape: unknown): number {
  const isSize = (size: unknown) => size === null || (Number.isSafeInteger(size) && (size as number) > 0);
  const [h, w, c, ...rest] = Array.isArray(imageShape) ? imageShape : [];
  if (!isSize(h) || !isSize(w) || !isSize(c) || c === null || rest.length > 0) {
    throwTypeError(what, '[H, W, C], with null for a size that may vary', imageShape);
  }
  checkMemory(what, [h ?? 1, w ?? 1, c]);
  return c;
}

/** Arguments of {@link inputLayers}. */
export interface InputLayersArgs extends SeedArgs {
  input: InputEncoding;
  /** L. */
  levels: number;
}

/**
 * The layers before the one that reads the image: none, or a layer that turns levels into categories, [N,H,W,C] ->
 * [N,H,W,C*features].
 */
export function inputLayers({ input, levels, seed }: InputLayersArgs): layers.Layer[] {
  const name = 'levels';
  if (input === 'scaled') return [];
  if (input === 'oneHot') return [oneHotLevels({ name, levels })];
  return [levelEmbedding({ name, levels, units: input.embedding, seed: partSeed(seed, name) })];
}

/** Checks the option that says what the outputs mean; `what` names it. */
export function checkOutput(what: string, output: unknown): OutputMeaning {
  if (output === 'softmax') return output;
  if (typeof output !== 'object' || output === null)
    throwTypeError(what, "'softmax' or { components }", output);
  const { components } = checkArgs<{ components?: number }>(what, output, { components: true });
  return { components: checkInteger(`${what}.components`, components, 1) };
}

/**
 * The last layer of a network whose features are not split by channel, which says what the outputs mean, and how many
 * features it reads. `label` names an option in errors.
 */
export function wholePixelOutputs(
  label: (option: string) => string,
  output: OutputMeaning,
  sizes: { readonly imageChannels: number; readonly levels: number },
  filters: number,
) {
  const { imageChannels, levels } = sizes;
  if (output === 'softmax') {
    checkMemory(label('levels'), [filters, imageChannels * levels]);
    return { numFeatures: imageChannels * levels, layer: pixelLogits({ name: 'logits', ...sizes }) }; // [N,H,W,C*L] -> [N,H,W,C,L]
  }
  const { components } = output;
  const numFeatures = numParameters({ imageChannels, components });
  checkMemory(label('output.components'), [filters, numFeatures]);
  return { numFeatures, layer: logisticMixture({ name: 'mixture', ...sizes, components }) }; // [N,H,W,P]
}

/** Features side by side. */
export const concat = (name: string, x: readonly SymbolicTensor[]): SymbolicTensor =>
  layers.concatenate({ name }).apply([...x]) as SymbolicTensor;

/** Arguments of {@link outputHead}. */
export interface OutputHeadArgs extends SeedArgs {
  /** outDim * C. */
  filters: number;
  /** C. */
  imageChannels: number;
  /** L. */
  levels: number;
  output: OutputMeaning;
}

/**
 * The layers from features, after a ReLU, to outputs: [N,H,W,F] -> [N,H,W,C,L] or [N,H,W,P], of 1x1 convolutions with
 * mask B.
 */
export function outputHead({ filters, imageChannels, levels, output, seed }: OutputHeadArgs): layers.Layer[] {
  const conv = (name: string) => ({ name, kernelSize: 1, imageChannels, seed: partSeed(seed, name) });
  const ofChannel = output === 'softmax' ? levels : 3 * output.components;
  const head: layers.Layer[] = [
    maskedConv2d({ ...conv('output_conv1'), filters, activation: 'relu' }), // [N,H,W,F] -> [N,H,W,outDim*C]
    maskedConv2d({ ...conv('output_conv2'), filters }), // [N,H,W,outDim*C] -> [N,H,W,outDim*C]
    maskedConv2d({ ...conv('final_conv'), filters: ofChannel * imageChannels }), // [N,H,W,outDim*C] -> [N,H,W,C*L] or [N,H,W,C*3K]
  ];
  if (output === 'softmax') return [...head, pixelLogits({ name: 'logits', imageChannels, levels })]; // [N,H,W,C*L] -> [N,H,W,C,L]
  const { components } = output;
  if (imageChannels > 1) head.push(mixtureParameters({ name: 'parameters', imageChannels, components })); // [N,H,W,C*3K] -> [N,H,W,P]
  return [...head, logisticMixture({ name: 'mixture', imageChannels, levels, components })]; // [N,H,W,P]
}
