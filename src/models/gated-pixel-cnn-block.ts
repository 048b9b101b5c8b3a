import { initializers, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkArgs, checkBoolean, checkFeatures, checkInteger, checkKernelSize, checkNumber, checkOneOf, wrong } from '../check'; // biome-ignore format: one line
import { gatedActivation, isCondition } from '../layers/gated-activation';
import { imageInputShape } from '../layers/layer-input';
import { type MaskedConv2DArgs, maskedConv2d } from '../layers/masked-conv-2d';
import { getMask, type MaskArgs, type MaskType } from '../mask';

/** The two stacks of Gated PixelCNN, each [N,H,W,F]; for the block that reads the image, both are the image. */
export interface GatedStacks {
  /** Sees the rows above, whole. */
  vertical: SymbolicTensor;
  /** Sees the present row up to the present value and, through the vertical one, all above it. */
  horizontal: SymbolicTensor;
}

/** What a {@link gatedPixelCNNBlock} makes. */
export interface GatedBlockOutputs extends GatedStacks {
  /** [N,H,W,skipFilters], where `skipFilters` is given. */
  skip?: SymbolicTensor;
}

/** Arguments of {@link gatedPixelCNNBlock}. */
export interface GatedPixelCNNBlockArgs {
  /** F, the features of each stack that come out, a multiple of `imageChannels`. */
  filters: number;
  /** Rows and columns of the window, odd; one number for a square one. @default 3 */
  kernelSize?: number | [number, number];
  /** 'A' for the block that reads the image, 'B' for every later one. @default 'B' */
  maskType?: MaskType;
  /** Channels of the image (3 for RGB); features are split into as many groups. @default 3 */
  imageChannels?: number;
  /** A vector [N,K], such as a one-hot class, or a map [N,H,W,K], that enters the gates. @default none */
  condition?: SymbolicTensor;
  /** Features of a third output, made of the horizontal stack's gated features, a multiple of `imageChannels`. @default none */
  skipFilters?: number;
  /** Probability with which the horizontal stack's gated features are dropped in training, by tfjs's dropout, which takes no seed. @default 0 */
  dropout?: number;
  /** Whether it is the last block: its vertical stack, which nobody would read, is not made. @default false */
  isLast?: boolean;
  /** Prefix of the names of its layers. @default that of each layer's class */
  name?: string;
}

/**
 * The block of Gated PixelCNN, of layers that are each of use by themselves: masked convolutions, gates and sums.
 *
 *     v = conv_{n x n, rows above and present}(vertical)
 *     h = conv_{1 x n, masked}(horizontal) + conv_{1x1}(v)
 *     vertical' = gate(v);  horizontal' = horizontal + conv_{1x1}(gate(h));  skip = conv_{1x1}(gate(h))
 *
 * The two stacks together have no blind spot. With mask A, for the block that reads the image, v sees the rows above the present one only, and nothing is added
 * to conv_{1x1}(gate(h)). Kernels are initialized with a variance of 1 / (inputs seen).
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016), section 2.1 to 2.3 and figure 2; the skip output is that of WaveNet.
 *
 * @throws TypeError naming the argument, before any weight is made: even kernels, `filters` that `imageChannels` does not divide, or that are not those of the
 * horizontal stack with mask B.
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
export function gatedPixelCNNBlock(
  stacks: GatedStacks,
  args: GatedPixelCNNBlockArgs & { isLast: true },
): Omit<GatedBlockOutputs, 'vertical'>;
export function gatedPixelCNNBlock(
  stacks: GatedStacks,
  args: GatedPixelCNNBlockArgs & { isLast?: false },
): GatedBlockOutputs;
export function gatedPixelCNNBlock(
  stacks: GatedStacks,
  args: GatedPixelCNNBlockArgs,
): Partial<GatedStacks> & Omit<GatedBlockOutputs, 'vertical'>;
export function gatedPixelCNNBlock(
  stacks: GatedStacks,
  args: GatedPixelCNNBlockArgs,
): Partial<GatedStacks> & Omit<GatedBlockOutputs, 'vertical'> {
  const { filters, imageChannels, maskType, columns, rows, condition, dropout, skipFilters, isLast } = checkBlock(stacks, args); // biome-ignore format: one line
  const { vertical, horizontal } = stacks;
  const named = (part: string) => (args.name === undefined ? {} : { name: `${args.name}_${part}` });
  const conv = (part: string, x: SymbolicTensor, rest: ConvArgs) =>
    maskedConv2d({ ...named(part), ...rest, kernelInitializer: bySeen(x, rest) }).apply(x) as SymbolicTensor;
  const gate = (part: string, x: SymbolicTensor) =>
    gatedActivation({ ...named(part), imageChannels }).apply(
      condition ? [x, condition] : x,
    ) as SymbolicTensor;
  const add = (part: string, ...terms: SymbolicTensor[]) =>
    layers.add(named(part)).apply(terms) as SymbolicTensor;

  const gates = 2 * filters;
  const v = conv('vertical', vertical, {
    filters: gates,
    kernelSize: [rows, columns],
    maskType,
    imageChannels: 1,
    vertical: true,
  }); // [N,H,W,in] -> [N,H,W,2F]
  const h = add(
    'sum',
    conv('horizontal', horizontal, { filters: gates, kernelSize: [1, columns], maskType, imageChannels }), // [N,H,W,in] -> [N,H,W,2F]
    conv('across', v, { filters: gates, kernelSize: 1, imageChannels: 1, useBias: false }), // [N,H,W,2F] -> [N,H,W,2F]
  );
  const gated = gate('horizontal_gate', h); // [N,H,W,2F] -> [N,H,W,F]
  const kept = dropout > 0 ? (layers.dropout({ ...named('dropout'), rate: dropout }).apply(gated) as SymbolicTensor) : gated; // biome-ignore format: one line
  const y = conv('out', kept, { filters, kernelSize: 1, imageChannels }); // [N,H,W,F] -> [N,H,W,F]
  return {
    ...(!isLast && { vertical: gate('vertical_gate', v) }), // [N,H,W,2F] -> [N,H,W,F]
    horizontal: maskType === 'A' ? y : add('residual', horizontal, y),
    ...(skipFilters !== undefined && {
      skip: conv('skip', kept, { filters: skipFilters, kernelSize: 1, imageChannels }),
    }), // [N,H,W,F] -> [N,H,W,S]
  };
}

type ConvArgs = Omit<MaskedConv2DArgs, 'imageChannels'> & { imageChannels: number };

/** A variance of 1 / (inputs seen), of which tfjs would count also those that are masked: gate by gate, what comes in would fade. */
function bySeen(x: SymbolicTensor, { filters, ...mask }: ConvArgs) {
  const { values } = getMask({ ...(mask as Pick<MaskArgs, 'kernelSize'>), featuresIn: x.shape[3] as number, featuresOut: filters }); // biome-ignore format: one line
  const seen = values.reduce((sum, value) => sum + value, 0);
  return initializers.varianceScaling({ scale: values.length / Math.max(1, seen), mode: 'fanIn', distribution: 'uniform' }); // biome-ignore format: one line
}

/** The arguments, checked, with all defaults filled in. */
function checkBlock(stacks: GatedStacks, args: GatedPixelCNNBlockArgs) {
  const named = (what: string) => `gatedPixelCNNBlock: ${what}`;
  const { vertical, horizontal } = checkArgs(named('stacks'), stacks);
  const { condition, skipFilters } = checkArgs('gatedPixelCNNBlock', args);
  const isLast = checkBoolean(named('isLast'), args.isLast ?? false);
  const imageChannels = checkInteger(named('imageChannels'), args.imageChannels ?? 3, 1);
  const filters = checkFeatures(named('filters'), args.filters, imageChannels);
  const [rows, columns] = checkKernelSize(named('kernelSize'), args.kernelSize ?? 3);
  const maskType = checkOneOf(named('maskType'), args.maskType ?? 'B', ['A', 'B']);
  const dropout = checkNumber(named('dropout'), args.dropout ?? 0, 'from 0, below 1', (p) => p >= 0 && p < 1);
  if (skipFilters !== undefined) checkFeatures(named('skipFilters'), skipFilters, imageChannels);
  const [, height, width] = imageInputShape(named('vertical'), vertical?.shape ?? []);
  const [, h, w, features] = imageInputShape(named('horizontal'), horizontal?.shape ?? []);
  if (h !== height || w !== width) {
    wrong(named('vertical'), "a stack of the horizontal one's height and width", vertical.shape);
  }
  checkFeatures(named('features of the horizontal stack'), features, imageChannels);
  if (maskType === 'B' && features !== filters) {
    wrong(named(`filters (${filters})`), 'a horizontal stack of as many features', features);
  }
  if (
    condition !== undefined &&
    !(condition?.sourceLayer && isCondition(condition.shape, horizontal.shape))
  ) {
    wrong(named('condition'), 'a symbolic [N,K] or [N,H,W,K]', condition?.shape ?? condition);
  }
  return { imageChannels, filters, rows, columns, maskType, dropout, condition, skipFilters, isLast };
}
