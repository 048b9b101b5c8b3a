import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import {
  checkArgs,
  checkBoolean,
  checkCategories,
  checkInteger,
  checkMemory,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import type { Shift } from '../core/window';
import { causalAttention } from '../layers/causal-attention';
import { enlargedMap } from '../layers/enlarged-map';
import { type GatedResBlockArgs, gatedResBlock } from '../layers/gated-res-block';
import { pixelPosition } from '../layers/pixel-position';
import { pixelShift } from '../layers/pixel-shift';
import { checkSeed, partSeed, type SeedArgs } from '../layers/seeds';
import { shiftedConv2d } from '../layers/shifted-conv-2d';
import { checkRate } from '../program/operations/attend';
import { type AutoregressiveModel, autoregressiveModel } from './autoregressive-model';
import { type ConditionArgs, conditionArgNames, conditionInputs } from './condition-inputs';
import {
  checkEncoding,
  checkImageShape,
  checkOutput,
  concat,
  type InputEncoding,
  inputLayers,
  type OutputMeaning,
  wholePixelOutputs,
} from './network';

/** A coarser map of codes that images are conditioned on, and the network that reads it. */
export interface CodeConditionArgs {
  /** How many codes there are. */
  levels: number;
  /** [h, w], which divide the height and width of the image. */
  shape: readonly [number, number];
  /** Gated residual blocks. */
  resBlocks: number;
  /** K, the features of its maps. */
  resFilters: number;
  /** Windows of its convolutions, which see all sides, odd. @default 3 */
  kernelSize?: number;
}

/** Arguments of {@link pixelSNAIL}. */
export interface PixelSNAILArgs extends SeedArgs, ConditionArgs {
  /** [H, W, C]; null for H and W takes images of any size. */
  imageShape: readonly [number | null, number | null, number];
  /** L, the levels or codes that a channel can have. @default 256 */
  levels?: number;
  /** F, the number of features of each map; with attention, a multiple of 2 * heads. */
  filters: number;
  /** Windows of the residual blocks, odd, 3 or more. @default 3 */
  kernelSize?: number;
  /** Blocks, each of residual blocks and attention. */
  numBlocks: number;
  /** Gated residual blocks in each block: 0 or more, or with conditions 1 or more, since conditions are added there. */
  numResBlocks: number;
  /** Features between the two convolutions of a residual block. */
  resFilters: number;
  /** Whether blocks attend to all earlier places. Without it each ends with a 1x1 convolution instead. @default true */
  attention?: boolean;
  /** Heads of attention. @default 8 */
  heads?: number;
  /**
   * The probability of dropping features and attention weights in training. The residual blocks after the last block
   * have no dropout.
   * @default 0
   */
  dropout?: number;
  /** Gated residual blocks of 1x1 convolutions after the last block. @default 0 */
  outResBlocks?: number;
  /** How levels are read. The input is always images [N,H,W,C] in [0, 1]. @default 'oneHot' */
  input?: InputEncoding;
  /**
   * What the outputs mean. With the softmax the channels of a pixel are independent of each other given all earlier
   * pixels; with the mixture they are not.
   * @default 'softmax'
   */
  output?: OutputMeaning;
  /** A coarser map of codes as a condition, as in the finer priors of VQ-VAE-2. */
  codeCondition?: CodeConditionArgs;
  /** Name of the model. */
  name?: string;
}

const argNames: NamesOf<PixelSNAILArgs> = {
  imageShape: true,
  levels: true,
  filters: true,
  kernelSize: true,
  numBlocks: true,
  numResBlocks: true,
  resFilters: true,
  attention: true,
  heads: true,
  dropout: true,
  outResBlocks: true,
  input: true,
  output: true,
  codeCondition: true,
  seed: true,
  name: true,
  ...conditionArgNames,
};

/**
 * PixelSNAIL: each block has gated residual blocks ({@link GatedResBlock}), whose convolutions leave out the present
 * pixel, followed by attention to all earlier places ({@link CausalAttention}). So every pixel sees everything before
 * it, at any distance, with one exception: the first pixels of a row do not see the end of the row above, which is only
 * in the features of later places. This is the form that is common for priors over the codes of a VQ-VAE: ELU; queries
 * computed from [features, position], keys and values from [the block's input, features, position]; weight
 * normalization in every convolution.
 *
 * It may be conditioned on a class, a vector and a coarser map of codes, which are added in every residual block that
 * has a window. The network that reads the codes sees all sides; in sampling, it runs once, before the first pixel.
 *
 * Source: Chen et al., "PixelSNAIL: An Improved Autoregressive Generative Model" (2018),
 * https://arxiv.org/abs/1712.09763, as implemented by https://github.com/rosinality/vq-vae-2-pytorch, whose state dicts
 * can be loaded (`loadWeights`). As a prior: Razavi et al., "Generating Diverse High-Fidelity Images with VQ-VAE-2"
 * (2019), https://arxiv.org/abs/1906.00446.
 *
 * @returns a model from images [N,H,W,C] in [0, 1] (see `normalize`), or from [images, conditions], to logits [N,H,W,C,L],
 * or with `output: { components }` to parameters [N,H,W,P]
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
  const sizes = checkNetwork(args);
  const { imageShape, filters, kernelSize, numBlocks, numResBlocks, resFilters, attention, heads } = sizes;
  const { codeCondition, outputs, dropout, seed, named } = sizes;
  const conditions = conditionInputs('pixelSNAIL', { ...args, codeCondition }, 2 * filters);
  if (conditions.length > 0 && numResBlocks === 0)
    throwTypeError('pixelSNAIL: numResBlocks', '1 or more, since conditions enter them', numResBlocks);
  const part = (name: string) => ({ name, seed: partSeed(seed, name), weightNormalization: true });
  const resBlock = (
    name: string,
    shift: Shift,
    x: readonly SymbolicTensor[],
    of: Partial<GatedResBlockArgs>,
  ) => {
    const features = (x[0] as SymbolicTensor).shape[3] as number;
    const block = { ...part(name), filters: features, shift, activation: 'elu', dropout, ...of } as const;
    return gatedResBlock(block).apply([...x]); // [N,H,W,F], and the other inputs, if any
  };
  const point = { kernelSize: 1, hiddenFilters: filters };
  const conv = (
    name: string,
    x: SymbolicTensor,
    shift: Shift,
    size: number | [number, number],
    to = filters,
  ) => shiftedConv2d({ ...part(name), filters: to, shift, kernelSize: size }).apply(x);

  /** The codes' map through its network, enlarged: [N,h,w,codes] -> [N,H,W,K]. */
  const codesAround = (
    codes: SymbolicTensor,
    { kernelSize, resFilters, resBlocks, rows, columns }: CodeNetwork,
  ) => {
    let x = conv('codes_conv', codes, 'around', kernelSize, resFilters); // [N,h,w,codes] -> [N,h,w,K]
    for (let index = 0; index < resBlocks; index++)
      x = resBlock(`codes_res${index}`, 'around', [x], { kernelSize });
    return enlargedMap({ name: 'codes_enlarged', rows, columns }).apply(x); // [N,h,w,K] -> [N,H,W,K]
  };

  const image = input({ shape: [...imageShape], name: 'image' }); // [N,H,W,C]
  const condition = conditions.map(({ kind, features }) =>
    kind === 'codes' ? codesAround(features, codeCondition as CodeNetwork) : features,
  );
  const encoded = inputLayers(sizes).reduce((x, layer) => layer.apply(x) as SymbolicTensor, image); // [N,H,W,C] -> [N,H,W,in*C]
  const half = kernelSize >> 1;
  const above = conv('stem_above', encoded, 'down', [half, kernelSize]); // [N,H,W,in*C] -> [N,H,W,F], as the next
  const left = conv('stem_left', encoded, 'downRight', [half + 1, half]);
  let x = layers.add({ name: 'stem' }).apply([
    pixelShift({ name: 'stem_above_shift', rows: 1 }).apply(above), // [N,H,W,F]
    pixelShift({ name: 'stem_left_shift', columns: 1 }).apply(left), // [N,H,W,F]
  ]) as SymbolicTensor;
  const position = pixelPosition({ name: 'position' }).apply(x); // [N,H,W,2]

  for (let block = 0; block < numBlocks; block++) {
    const name = (of: string) => `block${block}_${of}`;
    const before = x;
    for (let index = 0; index < numResBlocks; index++) {
      const of = { kernelSize, hiddenFilters: resFilters };
      x = resBlock(name(`res${index}`), 'before', [x, ...condition], of);
    }
    const here = concat(name('here'), [x, position]); // [N,H,W,F+2]
    if (attention) {
      const earlier = concat(name('earlier'), [before, here]); // [N,H,W,2F+2]
      const keys = resBlock(name('keys'), 'downRight', [earlier], point);
      const queries = resBlock(name('queries'), 'downRight', [here], point);
      const attend = { ...part(name('attention')), heads, units: filters / 2, dropout };
      const attended = causalAttention(attend).apply([queries, keys]); // [N,H,W,F+2], [N,H,W,2F+2] -> [N,H,W,F/2]
      x = resBlock(name('out'), 'downRight', [x, attended], { ...point, hasSkip: true }); // [N,H,W,F]
    } else x = conv(name('out'), here, 'downRight', 1); // [N,H,W,F+2] -> [N,H,W,F]
  }
  for (let index = 0; index < sizes.outResBlocks; index++)
    x = resBlock(`out_res${index}`, 'downRight', [x], {
      kernelSize: 1,
      hiddenFilters: resFilters,
      dropout: 0,
    });
  const active = layers.elu({ name: 'elu' }).apply(x) as SymbolicTensor;
  const last = conv('final_conv', active, 'downRight', 1, outputs.numFeatures); // [N,H,W,F] -> [N,H,W,C*L] or [N,H,W,P]
  return autoregressiveModel({
    inputs: [image, ...conditions.map((one) => one.input)],
    outputs: outputs.layer.apply(last),
    ...named,
  });
}

/** A {@link CodeConditionArgs}, and how many rows and columns of the image one of its places stands for. */
interface CodeNetwork extends Required<CodeConditionArgs> {
  readonly rows: number;
  readonly columns: number;
}

/** Far more than any network has. A typo could otherwise use up all memory and time. */
const MOST_BLOCKS = 1000;

/** The arguments, checked, with defaults filled in. */
function checkNetwork(args: PixelSNAILArgs) {
  const label = (what: string) => `pixelSNAIL: ${what}`;
  const { imageShape, levels = 256, name, input = 'oneHot' } = checkArgs('pixelSNAIL', args, argNames);
  const imageChannels = checkImageShape(label('imageShape'), imageShape);
  checkCategories(label('levels'), levels, 2);
  const attention = checkBoolean(label('attention'), args.attention ?? true);
  const heads = checkInteger(label('heads'), args.heads ?? 8, 1);
  const filters = checkInteger(label('filters'), args.filters, 1);
  if (attention && filters % (2 * heads) !== 0)
    throwTypeError(label('filters'), `a multiple of 2 * heads (${2 * heads}), or attention: false`, filters);
  const kernelSize = checkWindow(label('kernelSize'), args.kernelSize ?? 3, 3);
  const numBlocks = checkInteger(label('numBlocks'), args.numBlocks, 1, MOST_BLOCKS);
  const numResBlocks = checkInteger(label('numResBlocks'), args.numResBlocks, 0, MOST_BLOCKS);
  const outResBlocks = checkInteger(label('outResBlocks'), args.outResBlocks ?? 0, 0, MOST_BLOCKS);
  const resFilters = checkInteger(label('resFilters'), args.resFilters, 1);
  checkMemory(label('kernelSize, filters, resFilters'), [kernelSize, kernelSize, 2 * filters, resFilters]);
  checkMemory(label('filters'), [2 * (2 * filters + 2), filters]);
  const inputs = imageChannels * checkEncoding('pixelSNAIL', input, levels);
  checkMemory(label('kernelSize, input features, filters'), [kernelSize, kernelSize, inputs, filters]);
  const output = checkOutput(label('output'), args.output ?? 'softmax');
  const dropout = checkRate(label('dropout'), args.dropout ?? 0);
  const seed = checkSeed('pixelSNAIL', args.seed);
  const codeCondition = checkCodeCondition(label('codeCondition'), args.codeCondition, imageShape);
  return {
    imageShape,
    levels,
    filters,
    kernelSize,
    numBlocks,
    numResBlocks,
    resFilters,
    attention,
    heads,
    outResBlocks,
    input,
    codeCondition,
    outputs: wholePixelOutputs(label, output, { imageChannels, levels }, filters),
    dropout,
    seed,
    named: name === undefined ? {} : { name },
  };
}

/** Checks the size of a square window, odd and at least `minimum`. */
function checkWindow(what: string, kernelSize: unknown, minimum: number): number {
  const side = checkInteger(what, kernelSize, minimum);
  if (side % 2 === 0) throwTypeError(what, 'an odd integer', side);
  return side;
}

const codeArgNames: NamesOf<CodeConditionArgs> = {
  levels: true,
  shape: true,
  resBlocks: true,
  resFilters: true,
  kernelSize: true,
};

function checkCodeCondition(
  what: string,
  given: CodeConditionArgs | undefined,
  [height, width]: readonly (number | null)[],
): CodeNetwork | undefined {
  if (given === undefined) return undefined;
  const { levels, shape, resBlocks, resFilters, kernelSize = 3 } = checkArgs(what, given, codeArgNames);
  checkCategories(`${what}: levels`, levels, 2);
  if (!Array.isArray(shape) || shape.length !== 2) throwTypeError(`${what}: shape`, '[h, w]', shape);
  const [h, w] = shape;
  const times = (whole: number | null | undefined, coarse: unknown) => {
    checkInteger(`${what}: shape`, coarse, 1);
    if (whole == null)
      throwTypeError(`${what}: shape`, 'an imageShape whose height and width are known', whole);
    if (whole % (coarse as number) !== 0)
      throwTypeError(`${what}: shape`, `[h, w] that divide those of the image, [${height}, ${width}]`, shape);
    return whole / (coarse as number);
  };
  const [rows, columns] = [times(height, h), times(width, w)];
  const side = checkWindow(`${what}: kernelSize`, kernelSize, 1);
  checkInteger(`${what}: resBlocks`, resBlocks, 0, MOST_BLOCKS);
  const features = checkInteger(`${what}: resFilters`, resFilters, 1);
  checkMemory(`${what}: kernelSize, levels, resFilters`, [
    side,
    side,
    Math.max(levels, 2 * features),
    features,
  ]);
  return {
    levels,
    shape: [h, w],
    resBlocks,
    resFilters,
    kernelSize: side,
    rows,
    columns,
  };
}
