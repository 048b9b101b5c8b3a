import {
  checkArgs,
  checkFeatures,
  checkFields,
  checkInteger,
  checkNumber,
  checkOneOf,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import type { Window } from '../core/window';
import {
  type CombinationName,
  combinationNames,
  type LSTMPath,
  lstmPaths,
  type PointwiseName,
  type SoftmaxName,
  softmaxNames,
} from './program';

/**
 * A weight of a layer. A tfjs-layers `LayerVariable` is one: what `addWeight` gives.
 */
export interface LayerWeight {
  /** As tfjs has it, unique. */
  readonly name: string;
  /** Its name without the suffix that tfjs makes it unique by. */
  readonly originalName?: string;
  /** All known once it is made. */
  readonly shape: readonly (number | null)[];
  /** A tensor. */
  read(): unknown;
}

/**
 * What a weight is called in its layer, in words: of `block0/conv_mid_kernel`, the convolution that it belongs to and what it
 * is of that, `['conv_mid', 'kernel']`; of the only convolution, `['kernel']`.
 */
export function ownName({ name, originalName = name }: LayerWeight): readonly string[] {
  const own = originalName.split('/').at(-1) as string; // tfjs puts the layer's name before
  return /^(.+)_(kernel|gain|bias)$/.exec(own)?.slice(1) ?? [own];
}

/**
 * A kernel by direction and length: gain direction / ||direction||, of each output feature by itself, where the norm runs
 * over the weights that the window does not hide.
 *
 * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868.
 */
export interface NormalizedKernel {
  /** [rows,columns,in,out] */
  readonly direction: LayerWeight;
  /** [out] */
  readonly gain: LayerWeight;
  /** The standard deviation that `initializeFromData` gives the outputs. @default 1 */
  readonly initialScale?: number;
}

/** What the square of a norm is taken for at least, where a direction is 0. */
export const SMALLEST_SQUARE = 1e-12;

/** The kernel of a convolution. */
export type Kernel = LayerWeight | NormalizedKernel;

/** A number of its own for each feature, [F], or one for all, such as [1]. */
export interface ScaleAndShift {
  /** @default 1 */
  readonly scale?: LayerWeight | undefined;
  /** @default 0 */
  readonly shift?: LayerWeight | undefined;
}

/** Arguments of {@link Ops.standardize}: mean and variance [F]. */
export interface StandardizeArgs extends ScaleAndShift {
  /** [F] */
  readonly mean: LayerWeight;
  /** [F] */
  readonly variance: LayerWeight;
  /** Added to the variance. */
  readonly epsilon: number;
}

/** Arguments of {@link Ops.normalize}. */
export interface NormalizationArgs extends ScaleAndShift {
  /** Added to the variance. */
  readonly epsilon: number;
  /** Groups of features side by side, each with a mean and a variance of its own. @default 1 */
  readonly groups?: number;
}

/** Arguments of {@link Ops.dropout}. */
export interface DropoutArgs {
  /** Probability with which a number is dropped, from 0, below 1. */
  readonly rate: number;
  /** Same seed and step of training, same numbers dropped. @default a new one for each layer */
  readonly seed?: number | undefined;
}

/** What a gate does to a: tanh(a) sigmoid(b), or a sigmoid(b). */
export type GateKind = 'tanh' | 'linear';

/**
 * What layers are made of. A layer writes its arithmetic once, over these operations, and is then carried out
 * on tensors (`call`), on shapes (`computeOutputShape`), or as a program (`sample`, `toPortable`,
 * `receptiveField`): T is a tensor [N,H,W,F] or, of a condition, [N,F]; a shape; or the features of a pixel.
 */
export interface Ops<T> {
  /**
   * A causal convolution, zeros around the image: [N,H,W,in] -> [N,H,W,out], or [N,in] -> [N,out] with a 1x1
   * kernel. The kernel [rows,columns,in,out] is whole: the window's mask is applied here. A window of stride 2 gives
   * [N,H/2,W/2,out], or where it is transposed [N,2H,2W,out]. One that looks around its pixel reads what is made of
   * conditions alone, if it is to be drawn with.
   */
  conv(x: T, kernel: Kernel, bias: LayerWeight | null, window: Window, activation?: 'linear' | 'relu'): T;
  /** A function of each number, by name, with its parameter where it takes one. */
  pointwise(fn: PointwiseName, x: T, parameter?: number): T;
  /** Number by number, of inputs of the same size. */
  combine(fn: CombinationName, ...inputs: T[]): T;
  /** Concatenates features: [N,H,W,F], [N,H,W,G] -> [N,H,W,F+G]. */
  concat(...inputs: T[]): T;
  /** So many features from one on: [N,H,W,F] -> [N,H,W,size]. */
  slice(x: T, start: number, size: number): T;
  /** Down by so many rows and right by so many columns, neither less than 0; zeros come in: [N,H,W,F]. */
  shift(x: T, rows: number, columns: number): T;
  /**
   * Each place of a map as so many rows and columns of places, all alike: [N,H,W,F] -> [N,rows*H,columns*W,F]. In programs of
   * maps made of conditions alone.
   */
  enlarge(x: T, rows: number, columns: number): T;
  /** Where each place of a map is: ((row - H/2)/H, (column - W/2)/W), [N,H,W,F] -> [N,H,W,2]. */
  position(x: T): T;
  /** elu(x), then elu(-x): [N,H,W,F] -> [N,H,W,2F]. */
  concatElu(x: T): T;
  /**
   * tanh(a) sigmoid(b), or a sigmoid(b) for the kind 'linear', where each of so many groups of features is a, then as
   * many b: [N,H,W,2F] -> [N,H,W,F]. What a condition has been projected to, [N,2F] or [N,H,W,2F], is added first.
   */
  gate(x: T, groups: number, condition?: T, kind?: GateKind): T;
  /**
   * Causal attention, the values of strictly earlier places in the order of rows, weighed by
   * softmax(queries keys / sqrt(U / heads)) of each of so many groups of features by itself; zeros at the first place.
   * All [N,H,W,U] -> [N,H,W,U]. In training, weights are dropped as {@link Ops.dropout} drops numbers.
   */
  attend(queries: T, keys: T, values: T, heads: number, dropout?: DropoutArgs): T;
  /**
   * An LSTM over pixels, from what comes of the input: [N,H,W,4F] -> h [N,H,W,F]. Of so many groups of features each is o, f,
   * i and g, before their activations. The path says from where h and c come to a pixel:
   *
   * - `'rows'`: h from the row above, by a kernel [1,k,F,4F] around the pixel, and c from the pixel above.
   * - `'fromLeft'`, `'fromRight'`: h from the pixel above and the one beside, to the left or right, by the two taps of a
   *   kernel [2,1,F,4F], and c from the one beside. From the right, it has seen all of its row that is there: what is to be
   *   causal shifts it down.
   */
  lstm(x: T, kernel: LayerWeight, path: LSTMPath, groups: number): T;
  /** scale x + shift, of each feature with its own numbers. */
  affine(x: T, args: ScaleAndShift): T;
  /**
   * e^x / sum e^x over the features of each of so many groups, one an image channel, or its logarithm:
   * [N,H,W,F] -> [N,H,W,F].
   */
  softmax(fn: SoftmaxName, x: T, groups: number): T;
  /** (x - mean) / sqrt(variance + epsilon), then scale and shift, of each feature with its own numbers. */
  standardize(x: T, args: StandardizeArgs): T;
  /** The same with the mean and variance over each group of the pixel's features. */
  normalize(x: T, args: NormalizationArgs): T;
  /** One number as the feature with its index: [N,1] -> [N,size]; all zeros where there is none. */
  oneHot(x: T, size: number): T;
  /**
   * Normalized levels as one-hot vectors: 1 for the level round(x (levels - 1)), half upwards, 0 for the others; all
   * zeros where that is no level. [N,H,W,C] -> [N,H,W,C*levels], the levels of each channel side by side.
   */
  oneHotLevels(x: T, levels: number): T;
  /**
   * Normalized levels as rows of a table [levels,units], one table for all channels: [N,H,W,C] -> [N,H,W,C*units]; zeros
   * where {@link oneHotLevels} has them.
   */
  embedLevels(x: T, table: LayerWeight): T;
  /**
   * In training, each number is 0 with the probability `rate`, and otherwise divided by 1 - rate, so that its mean
   * stays; else x as it is.
   */
  dropout(x: T, args: DropoutArgs): T;
  /** Features as those of each channel: [N,H,W,C*L] -> [N,H,W,C,L]. */
  perChannel(x: T, channels: number, levels: number): T;
}

/**
 * A layer whose arithmetic is written once: from `express` follows all that can be done with it. The class
 * `PixelLayer` makes a tfjs layer of it.
 */
export interface Expressed {
  /**
   * The layer's output, made of its inputs; null where it cannot be evaluated pixel by pixel.
   */
  express<T>(ops: Ops<T>, inputs: readonly T[]): T | null;
}

/** The shape of a kernel, [rows,columns,in,out]; that of a dense layer is [in,out]. */
export function kernelShape({ shape }: LayerWeight): [number, number, number, number] {
  const whole = shape.length === 2 ? [1, 1, ...shape] : shape;
  if (whole.length !== 4 || whole.includes(null))
    throwTypeError('conv: kernel', '[rows, columns, in, out]', shape);
  return whole as [number, number, number, number];
}

/** The shape of a kernel, and a check that it is one and that what else it has fits. */
export function checkedKernelShape(kernel: Kernel): [number, number, number, number] {
  if (!isWeight(kernel)) checkNormalizedKernel(kernel);
  const { direction, gain } = partsOf(kernel);
  const shape = kernelShape(direction);
  if (gain !== null) checkSize(gain, [shape[3]]);
  return shape;
}

const isWeight = (given: unknown): given is LayerWeight =>
  Array.isArray((given as LayerWeight | null | undefined)?.shape);

function checkNormalizedKernel(kernel: unknown): void {
  const { initialScale, ...weights } = checkFields(
    'conv: kernel',
    kernel,
    ['direction', 'gain'],
    ['initialScale'],
  );
  for (const [name, weight] of Object.entries(weights))
    if (!isWeight(weight)) throwTypeError(`conv: kernel: ${name}`, 'a weight, as addWeight gives it', weight);
  checkNumber('conv: kernel: initialScale', initialScale ?? 1, 'above 0', (scale) => scale > 0);
}

/** Checks a window on what is the same at every pixel: one that looks around, or at every second pixel, would see edges. */
export function checkConstantConv(what: string, { kernelSize, stride }: Window): void {
  const [rows, columns] = kernelSize;
  if (rows * columns > 1)
    throwTypeError(`${what}: kernel`, '1x1, since its input is the same at every pixel', kernelSize);
  if (stride > 1) throwTypeError(`${what}: stride`, '1, since its input is the same at every pixel', stride);
}

/** Checks that a weight has as many numbers as a shape. */
export function checkSize({ name, shape: given }: LayerWeight, shape: readonly number[]): void {
  const sizeOf = (lengths: readonly (number | null)[]) =>
    lengths.reduce<number>((product, length) => product * (length ?? 0), 1);
  if (sizeOf(given ?? []) !== sizeOf(shape))
    throwTypeError(`weight '${name}'`, `one of shape [${shape}]`, given);
}

/** The size of features that are combined: one for all. */
export function sizeOfAll(fn: CombinationName, sizes: readonly number[]): number {
  checkOneOf('combine', fn, combinationNames);
  if (new Set(sizes).size !== 1) throwTypeError(fn, 'features of one size', sizes);
  return sizes[0] as number;
}

/** Checks that there are so many features from one on. */
export function checkSlice(features: number, start: number, size: number): void {
  checkInteger('slice: size', size, 1, features);
  checkInteger('slice: start', start, 0, features - size);
}

/** Checks how many rows and columns of places one becomes. */
export function checkEnlarge(rows: number, columns: number): void {
  checkInteger('enlarge: rows', rows, 1);
  checkInteger('enlarge: columns', columns, 1);
}

/** Checks by how much features are shifted: to places that come later. */
export function checkShift(rows: number, columns: number): void {
  checkInteger('shift: rows', rows, 0);
  checkInteger('shift: columns', columns, 0);
}

/** The two weights of a kernel, of which one that is not normalized has but the first. */
export function partsOf(kernel: Kernel): { direction: LayerWeight; gain: LayerWeight | null } {
  return 'direction' in kernel ? kernel : { direction: kernel, gain: null };
}

/** Checks that features are a and b of so many groups. */
export function checkGate(size: number, groups: number, kind: GateKind = 'tanh'): void {
  checkOneOf('gate: kind', kind, ['tanh', 'linear']);
  checkInteger('gate: groups', groups, 1);
  checkFeatures('gate: input', size, 2 * groups, '2 * groups');
}

/** Checks that queries, keys and values are of one size, and that of so many heads. */
export function checkAttend(sizes: readonly number[], heads: number, dropout?: DropoutArgs): number {
  if (new Set(sizes).size !== 1) throwTypeError('attend', 'queries, keys and values of one size', sizes);
  if (dropout !== undefined) checkRate('attend: rate', dropout.rate);
  return checkFeatures('attend: features', sizes[0], checkInteger('attend: heads', heads, 1), 'heads');
}

/** Checks the path of an LSTM, its groups of features and its kernel; returns F of 4F. */
export function checkLSTM(size: number, kernel: LayerWeight, path: LSTMPath, groups: number): number {
  checkOneOf('lstm: path', path, lstmPaths);
  checkInteger('lstm: groups', groups, 1);
  const features = checkFeatures('lstm: input', size, 4 * groups, '4 * groups') / 4;
  const [rows, columns, ...rest] = kernelShape(kernel);
  if (!isOfPath(path, rows, columns) || String(rest) !== String([features, size])) {
    const wanted = path === 'rows' ? '1,k' : '2,1';
    const odd = path === 'rows' ? ' with k odd' : '';
    throwTypeError(`weight '${kernel.name}'`, `[${wanted},${features},${size}]${odd}`, kernel.shape);
  }
  return features;
}

/** Whether the kernel of an LSTM has as many rows and columns as its path wants. */
export const isOfPath = (path: LSTMPath, rows: number, columns: number): boolean =>
  path === 'rows' ? rows === 1 && columns % 2 === 1 : rows === 2 && columns === 1;

/** Checks that features are those of so many groups. */
export function checkSoftmax(fn: SoftmaxName, size: number, groups: number): void {
  checkOneOf('softmax', fn, softmaxNames);
  checkFeatures(`${fn}: input`, size, checkInteger(`${fn}: groups`, groups, 1), 'groups');
}

/** How many levels can be told apart in [0, 1] on every backend: divisions of GPUs are off by some of the last bits. */
const MOST_LEVELS = 2 ** 16;

/** Checks a count of levels that numbers in [0, 1] are to be turned back into. */
export function checkEncodedLevels(what: string, levels: unknown): number {
  return checkInteger(what, levels, 2, MOST_LEVELS);
}

/** The shape of a table of levels, [levels,units]. */
export function tableShape({ name, shape }: LayerWeight): [levels: number, units: number] {
  const [levels, units, ...rest] = shape;
  if (units == null || rest.length > 0) throwTypeError(`weight '${name}'`, 'a table [levels,units]', shape);
  return [checkEncodedLevels(`weight '${name}': levels`, levels), units];
}

/** Checks that a weight has a number for each feature, or one for all. */
export function checkPerFeature(weight: LayerWeight, size: number): void {
  if (!isOfAll(weight)) checkSize(weight, [size]);
}

/** Whether a weight is one number, for all features alike. */
export const isOfAll = ({ shape }: LayerWeight): boolean => shape.every((length) => length === 1);

/** Checks a probability with which numbers are dropped. */
export function checkRate(what: string, rate: unknown): number {
  return checkNumber(what, rate, 'from 0, below 1', (p) => p >= 0 && p < 1);
}

/** The names of arguments of {@link Ops.affine}. */
export const affineNames: NamesOf<ScaleAndShift> = { scale: true, shift: true };

/** The names of arguments of {@link Ops.normalize}. */
export const normalizeNames: NamesOf<NormalizationArgs> = {
  scale: true,
  shift: true,
  epsilon: true,
  groups: true,
};

/** The names of arguments of {@link Ops.standardize}. */
export const standardizeNames: NamesOf<StandardizeArgs> = {
  mean: true,
  variance: true,
  scale: true,
  shift: true,
  epsilon: true,
};

/** Checks the names of a normalization's arguments, and what is added to the variance. */
export function checkNormalization<Args extends NormalizationArgs>(
  op: string,
  args: Args,
  names: NamesOf<Args>,
): void {
  const { epsilon } = checkArgs(op, args, names);
  checkNumber(`${op}: epsilon`, epsilon, 'of at least 0', (value) => value >= 0);
}

/** Checks the arguments of {@link Ops.normalize}, and that the features are so many groups. */
export function checkNormalize(size: number, args: NormalizationArgs): void {
  checkNormalization('normalize', args, normalizeNames);
  const groups = checkInteger('normalize: groups', args.groups ?? 1, 1);
  checkFeatures('normalize: input', size, groups, 'groups');
}
