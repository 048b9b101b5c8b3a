import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { causalAttention } from '../layers/causal-attention';
import { shiftedConv2d } from '../layers/causal-conv-2d';
import { type GatedResBlockArgs, gatedResBlock } from '../layers/gated-res-block';
import { pixelPosition, upsampledMap } from '../layers/map-layers';
import { partSeed } from '../layers/seeds';
import {
  categories,
  checked,
  flag,
  type Given,
  group,
  integer,
  optional,
  readArguments,
  type Values,
} from '../runtime/core/arguments';
import { checkInteger, checkMemories, throwTypeError } from '../runtime/core/check';
import type { Shift } from '../runtime/core/declared-window';
import type { AutoregressiveModel } from './autoregressive-model';
import * as network from './network';

/** The side of a square window. */
const oddInteger = ({ from }: { from: number }) =>
  checked((what, given) => {
    const side = checkInteger(what, given, from);
    return side % 2 === 1 ? side : throwTypeError(what, 'an odd integer', side);
  });

const codeArguments = {
  /** The number of codes. */
  levels: categories({ from: 2 }),
  /** [h, w], which divide the height and width of the image. */
  shape: checked<readonly [number, number]>((what, given) => {
    if (!Array.isArray(given) || given.length !== 2) throwTypeError(what, '[h, w]', given);
    for (const size of given) checkInteger(what, size, 1);
    return given as [number, number];
  }),
  /** Gated residual blocks. */
  resBlocks: network.blocks({ from: 0 }),
  /** K, the features of its maps. */
  resFilters: integer({ from: 1 }),
  /** Windows of its convolutions, which see all sides; odd. @default 3 */
  kernelSize: optional(oddInteger({ from: 1 }), 3),
};

/** A coarser map of codes that images are conditioned on, and the network that reads it. */
export interface CodeConditionArgs extends Given<typeof codeArguments> {}

const declared = {
  ...network.anyNetworkArguments,
  /** F, the number of features of each map; with attention, a multiple of 2 * heads. */
  filters: integer({ from: 1 }),
  /** Windows of the residual blocks, odd, 3 or more. @default 3 */
  kernelSize: optional(oddInteger({ from: 3 }), 3),
  /** Blocks, each of residual blocks and attention. */
  numBlocks: network.blocks({ from: 1 }),
  /** Gated residual blocks in each block; at least 1 with conditions, which are added there, else at least 0. */
  numResBlocks: network.blocks({ from: 0 }),
  /** Features between the two convolutions of a residual block. */
  resFilters: integer({ from: 1 }),
  /** Whether blocks attend to all earlier places. Without attention, each ends with a 1x1 convolution. @default true */
  attention: flag(true),
  /** Heads of attention. @default 8 */
  heads: optional(integer({ from: 1 }), 8),
  /**
   * The probability of dropping features and attention weights in training, but not after the last block.
   * @default 0
   */
  dropout: network.anyNetworkArguments.dropout,
  /** Gated residual blocks of 1x1 convolutions after the last block. @default 0 */
  outResBlocks: optional(network.blocks({ from: 0 }), 0),
  /** How levels are read. Inputs are always images [N,H,W,C] in [0, 1]. @default 'oneHot' */
  input: optional(network.inputArgument, 'oneHot'),
  /** The distribution of the outputs, as for {@link pixelCNNPlusPlus}. @default 'softmax' */
  output: optional(network.outputArgument, 'softmax'),
  ...network.conditionArguments(),
  /** A coarser map of codes as a condition, as in the finer priors of VQ-VAE-2. */
  codeCondition: optional(group(codeArguments)),
};

/** Arguments of {@link pixelSNAIL}. */
export interface PixelSNAILArgs extends Given<typeof declared> {}

/**
 * PixelSNAIL: each block has gated residual blocks ({@link GatedResBlock}), whose convolutions exclude the current
 * pixel, followed by attention to all earlier places ({@link CausalAttention}). So every pixel sees all earlier pixels,
 * at any distance, except that the first pixels of a row do not see the end of the row above. This is the common form
 * of priors over the codes of a VQ-VAE, with ELUs; queries from [features, position], keys and values from [the block's
 * input, features, position]; and weight normalization in every convolution. It may be conditioned on a class, a vector
 * and a coarser map of codes, which are added in every residual block that has a window. The network that reads the
 * codes sees all sides; in sampling, it runs once, before the first pixel.
 *
 * Source: Chen et al., "PixelSNAIL: An Improved Autoregressive Generative Model" (2018),
 * https://arxiv.org/abs/1712.09763, as in https://github.com/rosinality/vq-vae-2-pytorch, whose state dicts
 * `loadWeights` loads. As a prior: Razavi et al., "Generating Diverse High-Fidelity Images with VQ-VAE-2" (2019),
 * https://arxiv.org/abs/1906.00446.
 *
 * @returns a model as {@link pixelCNN} returns, from images or [images, conditions]
 * @throws TypeError naming the argument that is missing or out of range.
 * @example
 * ```js
 * import { pixelSNAIL, sample } from 'pixelcnn-layers';
 * const prior = pixelSNAIL({
 *   imageShape: [6, 6, 1], levels: 32, filters: 16, heads: 4, numBlocks: 1, numResBlocks: 2, resFilters: 8, numClasses: 10,
 * });
 * const codes = await sample(prior, { numImages: 2, condition: [3, 7], seed: 1 });
 * console.log(codes.shape); // [2, 6, 6, 1]
 * ```
 */
export function pixelSNAIL(args: PixelSNAILArgs): AutoregressiveModel {
  const values = readArguments('pixelSNAIL', args, declared);
  const { imageShape, filters, kernelSize, numBlocks, numResBlocks, resFilters, attention, heads } = values;
  const { outResBlocks, codeCondition, dropout, seed, name } = values;
  const head = network.outputLayer(values);
  checkSizes(values, head);
  const { image, inputs, conditions } = network.networkInputs('pixelSNAIL', values, 2 * filters);
  if (conditions.length > 0 && numResBlocks === 0) {
    const wanted = '1 or more, since residual blocks read the conditions';
    throwTypeError('pixelSNAIL: numResBlocks', wanted, numResBlocks);
  }
  const part = (name: string) => ({ name, seed: partSeed(seed, name), weightNormalization: true });
  const resBlock = (name: string, shift: Shift, x: SymbolicTensor[], of: Partial<GatedResBlockArgs>) => {
    const features = x[0]?.shape[3] as number;
    const block = { ...part(name), filters: features, shift, activation: 'elu', dropout, ...of } as const;
    return gatedResBlock(block).apply(x); // [N,H,W,F], and the other inputs, if any
  };
  const point = { kernelSize: 1, hiddenFilters: filters };
  type Size = number | [number, number];
  const conv = (name: string, x: SymbolicTensor, shift: Shift, kernelSize: Size, to = filters) =>
    shiftedConv2d({ ...part(name), filters: to, shift, kernelSize }).apply(x);

  /** Encodes the map of codes and enlarges it: [N,h,w,codes] -> [N,H,W,K]. */
  const codesAround = (codes: SymbolicTensor, of: Values<typeof codeArguments>) => {
    const { kernelSize, shape } = of;
    let x = conv('codes_conv', codes, 'same', kernelSize, of.resFilters); // [N,h,w,codes] -> [N,h,w,K]
    for (let index = 0; index < of.resBlocks; index++)
      x = resBlock(`codes_res${index}`, 'same', [x], { kernelSize });
    const [rows, columns] = [Number(imageShape[0]) / shape[0], Number(imageShape[1]) / shape[1]];
    return upsampledMap({ name: 'codes_enlarged', rows, columns }).apply(x); // [N,h,w,K] -> [N,H,W,K]
  };

  if (codeCondition !== undefined)
    conditions.push(codesAround(conditions.pop() as SymbolicTensor, codeCondition)); // codes are the last condition
  const encoded = network.chain(network.inputLayers(values), image); // [N,H,W,C] -> [N,H,W,in*C]
  const half = kernelSize >> 1;
  const above = conv('stem_above', encoded, 'down', [half, kernelSize]); // [N,H,W,in*C] -> [N,H,W,F], as the next
  const left = conv('stem_left', encoded, 'downRight', [half + 1, half]);
  let x = network.addShifted('stem', above, left); // [N,H,W,F]
  const position = pixelPosition({ name: 'position' }).apply(x); // [N,H,W,2]

  for (let block = 0; block < numBlocks; block++) {
    const name = (of: string) => `block${block}_${of}`;
    const before = x;
    for (let index = 0; index < numResBlocks; index++) {
      const of = { kernelSize, hiddenFilters: resFilters };
      x = resBlock(name(`res${index}`), 'excludesCentre', [x, ...conditions], of);
    }
    const here = network.concat(name('here'), [x, position]); // [N,H,W,F+2]
    if (attention) {
      const earlier = network.concat(name('earlier'), [before, here]); // [N,H,W,2F+2]
      const keys = resBlock(name('keys'), 'downRight', [earlier], point);
      const queries = resBlock(name('queries'), 'downRight', [here], point);
      const attend = { ...part(name('attention')), heads, units: filters / 2, dropout };
      const attended = causalAttention(attend).apply([queries, keys]); // [N,H,W,F+2], [N,H,W,2F+2] -> [N,H,W,F/2]
      x = resBlock(name('out'), 'downRight', [x, attended], { ...point, hasSkip: true }); // [N,H,W,F]
    } else x = conv(name('out'), here, 'downRight', 1); // [N,H,W,F+2] -> [N,H,W,F]
  }
  const after = { kernelSize: 1, hiddenFilters: resFilters, dropout: 0 };
  for (let index = 0; index < outResBlocks; index++) x = resBlock(`out_res${index}`, 'downRight', [x], after);
  const active = layers.elu({ name: 'elu' }).apply(x) as SymbolicTensor;
  const last = conv('final_conv', active, 'downRight', 1, head.numFeatures); // [N,H,W,F] -> [N,H,W,C*L] or [N,H,W,P]
  return network.networkModel(args, { inputs, outputs: head.layer.apply(last), name });
}

/** Checks that sizes fit each other, and that no kernel is too large. */
function checkSizes(values: Values<typeof declared>, head: ReturnType<typeof network.outputLayer>): void {
  const { filters, kernelSize, resFilters, attention, heads, codeCondition } = values;
  const [height, width, channels] = values.imageShape;
  const imageFeatures = channels * network.encodedFeatures(values.input, values.levels);
  if (attention && filters % (2 * heads) !== 0) {
    const wanted = `a multiple of 2 * heads (${2 * heads}), or attention: false`;
    throwTypeError('pixelSNAIL: filters', wanted, filters);
  }
  checkMemories('pixelSNAIL', {
    'kernelSize, filters, resFilters': [kernelSize, kernelSize, 2 * filters, resFilters],
    filters: [2 * (2 * filters + 2), filters],
    'kernelSize, input features, filters': [kernelSize, kernelSize, imageFeatures, filters],
    [head.option]: [filters, head.numFeatures],
  });
  if (codeCondition === undefined) return;
  const what = 'pixelSNAIL: codeCondition';
  const { shape, kernelSize: side } = codeCondition;
  if (height === null || width === null)
    throwTypeError(`${what}: shape`, 'an imageShape whose height and width are known', null);
  if (height % shape[0] !== 0 || width % shape[1] !== 0)
    throwTypeError(`${what}: shape`, `[h, w] that divide the image's, [${height}, ${width}]`, shape);
  const features = Math.max(codeCondition.levels, 2 * codeCondition.resFilters);
  const sizes = [side, side, features, codeCondition.resFilters];
  checkMemories(what, { 'kernelSize, levels, resFilters': sizes });
}
