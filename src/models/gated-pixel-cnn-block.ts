import { initializers, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type MaskedConv2DArgs, maskedConv2d } from '../layers/causal-conv-2d';
import { areConditions } from '../layers/conditions';
import { normalizationArguments } from '../layers/convolution-weights';
import { checkMap } from '../layers/declared-layer';
import { gatedActivation } from '../layers/gated-activation';
import { pixelDropout } from '../layers/pixel-dropout';
import { partSeed, seedArguments } from '../layers/seeds';
import type { Applied } from '../layers/types';
import {
  anything,
  flag,
  type Given,
  integer,
  multipleOf,
  oddLengths,
  oneOf,
  optional,
  rate,
  readArguments,
  type Values,
} from '../runtime/core/arguments';
import { checkFeatures, checkMemories, checkNames, checkRecord, throwTypeError } from '../runtime/core/check';
import { dilationArguments, getMask } from '../runtime/core/declared-window';

/** The two stacks of Gated PixelCNN, each [N,H,W,F]. The block that reads the image receives it as both. */
export interface GatedStacks {
  /** Sees all of the rows above. */
  vertical: SymbolicTensor;
  /** Sees the current row up to the current value and, through the vertical stack, everything above. */
  horizontal: SymbolicTensor;
}

/**
 * The outputs of a {@link gatedPixelCNNBlock}. The last block has no vertical stack; with
 * `skipFilters` there is `skip` [N,H,W,skipFilters].
 */
export type GatedBlockOutputs<IsLast extends boolean = false, Skip = unknown> = Pick<
  GatedStacks,
  'horizontal'
> &
  (IsLast extends true ? { vertical?: never } : Pick<GatedStacks, 'vertical'>) &
  ([Skip] extends [number] ? { skip: SymbolicTensor } : { skip?: SymbolicTensor });

const declared = {
  /** Channels of the image (3 for RGB); features are split into as many groups. @default 3 */
  imageChannels: optional(integer({ from: 1 }), 3),
  /** F, the number of output features of each stack, a multiple of `imageChannels`. */
  filters: multipleOf('imageChannels'),
  /** Rows and columns of the window, odd; one number for a square one. @default 3 */
  kernelSize: optional(oddLengths(), [3, 3]),
  ...dilationArguments, // of both stacks
  /** 'A' for the block that reads the image, 'B' for every later one. @default 'B' */
  maskType: optional(oneOf('A', 'B'), 'B'),
  /**
   * Conditions to add in the gates: vectors [N,K], such as one-hot classes, maps [N,H,W,K], or a list. @default none
   */
  condition: optional(anything<Applied | readonly Applied[]>(), []),
  /** Features of the skip output, from the gated horizontal stack; a multiple of `imageChannels`. @default none */
  skipFilters: optional(multipleOf('imageChannels')),
  /** The probability of dropping gated features of the horizontal stack in training. @default 0 */
  dropout: rate(),
  ...normalizationArguments,
  ...seedArguments,
  /** Whether it is the last block, which makes no vertical stack, since nothing would read it. @default false */
  isLast: flag(false),
  /** Prefix of the names of its layers. @default tfjs names layers by their classes */
  name: optional(anything<string>()),
};

/** Arguments of {@link gatedPixelCNNBlock}. */
export interface GatedPixelCNNBlockArgs extends Given<typeof declared> {}

/**
 * The block of Gated PixelCNN, made of masked convolutions, gates and sums:
 *
 *     v = conv_{n x n, rows above and current}(vertical)
 *     h = conv_{1 x n, masked}(horizontal) + conv_{1x1}(v)
 *     vertical' = gate(v);  horizontal' = horizontal + conv_{1x1}(gate(h));  skip = conv_{1x1}(gate(h))
 *
 * The two stacks together have no blind spot. With mask A, for the block that reads the image, v sees only
 * the rows above the current one, and there is no residual sum. Kernels are initialized so that features keep
 * a variance of 1 through masks and gates, and later blocks initially add little to the horizontal stack.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016),
 * https://arxiv.org/abs/1606.05328, sections 2.1 to 2.3 and figure 2; the skip output is from WaveNet.
 *
 * @throws TypeError naming the argument, before any weight is made: an even kernel size, or `filters` that
 * are not a multiple of `imageChannels` or, with mask B, differ from the features of the horizontal stack.
 * @example
 * ```js
 * import { input } from '@tensorflow/tfjs-layers';
 * import { gatedPixelCNNBlock } from 'pixelcnn-layers';
 * const image = input({ shape: [8, 8, 3] });
 * const first = { vertical: image, horizontal: image };
 * const stacks = gatedPixelCNNBlock(first, { filters: 12, kernelSize: 5, maskType: 'A' });
 * const { horizontal } = gatedPixelCNNBlock(stacks, { filters: 12, isLast: true });
 * console.log(horizontal.shape); // [null, 8, 8, 12]
 * ```
 */
export function gatedPixelCNNBlock<
  IsLast extends boolean = false,
  Skip extends number | undefined = undefined,
>(
  stacks: GatedStacks,
  args: GatedPixelCNNBlockArgs & { isLast?: IsLast; skipFilters?: Skip },
): GatedBlockOutputs<IsLast, Skip> {
  const what = 'gatedPixelCNNBlock: stacks';
  checkNames(what, Object.keys(checkRecord(what, stacks)), ['vertical', 'horizontal', 'skip']); // all that a block returns
  const values = readArguments('gatedPixelCNNBlock', args, declared);
  const { filters, imageChannels, maskType, dropout, weightNormalization, seed, skipFilters } = values;
  const { dilationRate } = values;
  const [rows, columns] = values.kernelSize;
  const conditions = checkGraph(stacks, values);
  const { vertical, horizontal } = stacks;
  const layerName = (part: string) => (values.name === undefined ? {} : { name: `${values.name}_${part}` });
  const layerArgs = (part: string) => ({ ...layerName(part), seed: partSeed(seed, part) });
  const conv = (part: string, x: SymbolicTensor, convArgs: ConvArgs) => {
    // The other convolutions that read a gate are terms of a sum over blocks, which start small.
    const compensates = part === (maskType === 'A' ? 'out' : 'vertical');
    const kernelInitializer = keepVariance(x, convArgs, compensates ? GATED_SQUARE : 1);
    const own = weightNormalization ? { weightNormalization } : { kernelInitializer };
    return maskedConv2d({ ...layerArgs(part), ...convArgs, ...own }).apply(x);
  };
  const gate = (part: string, x: SymbolicTensor) => {
    const layer = gatedActivation({ ...layerArgs(part), imageChannels });
    return layer.apply(conditions.length > 0 ? [x, ...conditions] : x);
  };
  const add = (part: string, ...terms: SymbolicTensor[]) =>
    layers.add(layerName(part)).apply(terms) as SymbolicTensor;

  const gateInputs = 2 * filters;
  const above = {
    kernelSize: [rows, columns],
    dilationRate,
    imageChannels: 1,
    vertical: true,
  } satisfies Partial<ConvArgs>;
  const present = { kernelSize: [1, columns], dilationRate, imageChannels } satisfies Partial<ConvArgs>;
  const v = conv('vertical', vertical, { filters: gateInputs, maskType, ...above }); // [N,H,W,in] -> [N,H,W,2F]
  const h = add(
    'sum',
    conv('horizontal', horizontal, { filters: gateInputs, maskType, ...present }), // [N,H,W,in] -> [N,H,W,2F]
    conv('across', v, { filters: gateInputs, kernelSize: 1, imageChannels: 1, useBias: false }), // [N,H,W,2F] -> [N,H,W,2F]
  );
  const gated = gate('horizontal_gate', h); // [N,H,W,2F] -> [N,H,W,F]
  let kept = gated;
  if (dropout > 0)
    kept = pixelDropout({ ...layerArgs('dropout'), rate: dropout }).apply(gated) as SymbolicTensor;
  const y = conv('out', kept, { filters, kernelSize: 1, imageChannels }); // [N,H,W,F] -> [N,H,W,F]
  return {
    ...(!values.isLast && { vertical: gate('vertical_gate', v) }), // [N,H,W,2F] -> [N,H,W,F]
    horizontal: maskType === 'A' ? y : add('residual', horizontal, y),
    ...(skipFilters !== undefined && {
      skip: conv('skip', kept, { filters: skipFilters, kernelSize: 1, imageChannels }),
    }), // [N,H,W,F] -> [N,H,W,S]
  } as GatedBlockOutputs<IsLast, Skip>;
}

type ConvArgs = Omit<MaskedConv2DArgs, 'imageChannels'> & { imageChannels: number };

/** E[tanh(a)^2] E[sigmoid(b)^2] = 0.394 * 0.293, the mean square of a gate's output for normal a, b of variance 1. */
const GATED_SQUARE = 0.1157;

/** Initializes a kernel so that outputs have variance 1, of inputs that it sees, with this mean square. */
function keepVariance(x: SymbolicTensor, args: ConvArgs, meanSquare: number) {
  const { kernelSize, imageChannels, maskType = 'B', vertical = false, filters: featuresOut } = args;
  const featuresIn = x.shape[3] as number;
  const mask = getMask({ kernelSize, featuresIn, featuresOut, maskType, imageChannels, vertical });
  const seen = mask.values.reduce((sum, value) => sum + value, 0) / mask.values.length; // of each input
  const scale = 1 / (Math.max(seen, 1 / mask.values.length) * meanSquare);
  return initializers.varianceScaling({ scale, mode: 'fanIn', distribution: 'uniform' });
}

/** Checks that stacks and conditions fit the arguments, before any weight is made, and returns the conditions. */
function checkGraph(stacks: GatedStacks, values: Values<typeof declared>): SymbolicTensor[] {
  const { filters, kernelSize, imageChannels, maskType, skipFilters } = values;
  const label = (what: string) => `gatedPixelCNNBlock: ${what}`;
  const { vertical, horizontal } = stacks;
  checkMap(label('vertical'), [vertical?.shape ?? []]);
  const features = checkMap(label('horizontal'), [horizontal?.shape ?? []]);
  if (!areConditions([vertical.shape], horizontal.shape))
    throwTypeError(label('vertical'), 'the height and width of the horizontal stack', vertical.shape);
  checkFeatures(label('features of the horizontal stack'), features, imageChannels);
  if (maskType === 'B' && features !== filters)
    throwTypeError(label(`filters (${filters})`), 'a horizontal stack of as many features', features);
  checkMemories('gatedPixelCNNBlock', {
    filters: [2 * filters, 2 * filters],
    kernelSize: [...kernelSize, features, 2 * filters],
    skipFilters: [filters, skipFilters ?? 1],
  });
  const conditions = [values.condition].flat() as SymbolicTensor[];
  for (const condition of conditions) {
    if (condition?.sourceLayer && areConditions([condition.shape], horizontal.shape)) continue;
    throwTypeError(label('condition'), 'a symbolic [N,K] or [N,H,W,K]', condition?.shape ?? condition);
  }
  return conditions;
}
