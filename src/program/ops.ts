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
import { MOST_LENGTH } from '../core/images';
import type { KernelWindow } from '../core/window';
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
 * A weight of a layer, such as the `LayerVariable` that `addWeight` of tfjs-layers returns.
 */
export interface LayerWeight {
  /** The unique name that tfjs gives it. */
  readonly name: string;
  /** Its name without the suffix by which tfjs makes it unique. */
  readonly originalName?: string;
  /** The shape; all sizes are known once the weight exists. */
  readonly shape: readonly (number | null)[];
  /** Returns its value, a tensor. */
  read(): unknown;
}

/**
 * The name of a weight within its layer, in parts: for `block0/conv_mid_kernel`, the convolution that it belongs to and
 * its role there, `['conv_mid', 'kernel']`; for the only convolution of a layer, `['kernel']`.
 */
export function ownName({ name, originalName = name }: LayerWeight): readonly string[] {
  const own = originalName.split('/').at(-1) as string; // tfjs prepends the layer's name
  return /^(.+)_(kernel|gain|bias)$/.exec(own)?.slice(1) ?? [own];
}

/**
 * A weight-normalized kernel: gain direction / ||direction|| for each output feature, where the norm is taken over the
 * weights that the window does not hide.
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

/** The lower bound for the square of a norm, for directions that are 0. */
export const SMALLEST_SQUARE = 1e-12;

/** The kernel of a convolution. */
export type Kernel = LayerWeight | NormalizedKernel;

/** A number for each feature, [F], or one for all features, such as [1]. */
export interface ScaleAndShift {
  /** @default 1 */
  readonly scale?: LayerWeight;
  /** @default 0 */
  readonly shift?: LayerWeight;
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
  /** The number of groups of features, each with its own mean and variance. @default 1 */
  readonly groups?: number;
}

/** Arguments of {@link Ops.dropout}. */
export interface DropoutArgs {
  /** The probability of dropping a number, in [0, 1). */
  readonly rate: number;
  /** The same seed and training step drop the same numbers. @default a new one for each layer */
  readonly seed?: number | undefined;
}

/** The kind of a gate: tanh(a) sigmoid(b), or a sigmoid(b). */
export type GateKind = 'tanh' | 'linear';

/**
 * The operations that layers are made of. A layer writes its arithmetic once, in terms of these operations. It is then
 * carried out on tensors (`call`), on shapes (`computeOutputShape`), or as a program (`sample`, `toPortable`,
 * `receptiveField`). So T is a tensor [N,H,W,F], or [N,F] for a condition; a shape; or the features of a pixel.
 */
export interface Ops<T> {
  /**
   * A causal convolution, with zeros around the image: [N,H,W,in] -> [N,H,W,out], or [N,in] -> [N,out] with a 1x1
   * kernel. Pass the whole kernel [rows,columns,in,out]: the window's mask is applied here. A window of stride 2 gives
   * [N,H/2,W/2,out], or [N,2H,2W,out] if it is transposed. To be usable in incremental sampling, a window that looks on
   * all sides of its pixel may only read features computed from conditions.
   */
  conv(
    x: T,
    kernel: Kernel,
    bias: LayerWeight | null,
    window: KernelWindow,
    activation?: 'linear' | 'relu',
  ): T;
  /** A function of each number, by name, with its parameter if it takes one. */
  pointwise(fn: PointwiseName, x: T, parameter?: number): T;
  /** Combines inputs of the same size elementwise. */
  combine(fn: CombinationName, ...inputs: T[]): T;
  /** Concatenates features: [N,H,W,F], [N,H,W,G] -> [N,H,W,F+G]. */
  concat(...inputs: T[]): T;
  /** The `size` features from `start` on: [N,H,W,F] -> [N,H,W,size]. */
  slice(x: T, start: number, size: number): T;
  /** Shifts features down by `rows` and right by `columns`, both at least 0, and fills with zeros: [N,H,W,F]. */
  shift(x: T, rows: number, columns: number): T;
  /**
   * Repeats each place of a map over a number of rows and columns: [N,H,W,F] -> [N,rows*H,columns*W,F]. In programs,
   * only for maps computed from conditions.
   */
  enlarge(x: T, rows: number, columns: number): T;
  /** The position of each place of a map: ((row - H/2)/H, (column - W/2)/W), [N,H,W,F] -> [N,H,W,2]. */
  position(x: T): T;
  /** elu(x), then elu(-x): [N,H,W,F] -> [N,H,W,2F]. */
  concatElu(x: T): T;
  /**
   * tanh(a) sigmoid(b), or a sigmoid(b) for the kind 'linear'. Each group of features holds a, then as many features b:
   * [N,H,W,2F] -> [N,H,W,F]. A projected condition, [N,2F] or [N,H,W,2F], is added first.
   */
  gate(x: T, groups: number, condition?: T, kind?: GateKind): T;
  /**
   * Causal attention: the mean of the values of strictly earlier places, in row order, weighted by softmax(queries keys
   * / sqrt(U / heads)), separately for each of the heads; zeros at the first place. All [N,H,W,U] -> [N,H,W,U]. In
   * training, weights are dropped as {@link Ops.dropout} drops numbers.
   */
  attend(queries: T, keys: T, values: T, heads: number, dropout?: DropoutArgs): T;
  /**
   * An LSTM over pixels, from its input part of the gates: [N,H,W,4F] -> h [N,H,W,F]. Each group of features holds o,
   * f, i and g, before their activations. The path determines where the h and c of a pixel's predecessors come from:
   *
   * - `'rows'`: h from the row above, through a kernel [1,k,F,4F] centred on the pixel, and c from the pixel above.
   * - `'fromLeft'`, `'fromRight'`: h from the pixel above and the pixel to the left or right, through the two taps of a
   *   kernel [2,1,F,4F], and c from the pixel to the left or right. From the right, it has seen the rest of its row, so
   *   a causal layer must shift it down.
   */
  lstm(x: T, kernel: LayerWeight, path: LSTMPath, groups: number): T;
  /** scale x + shift, with a scale and a shift for each feature. */
  affine(x: T, args: ScaleAndShift): T;
  /**
   * e^x / sum e^x over the features of each group, one for each image channel, or its logarithm: [N,H,W,F] ->
   * [N,H,W,F].
   */
  softmax(fn: SoftmaxName, x: T, groups: number): T;
  /** (x - mean) / sqrt(variance + epsilon), then scale and shift, with separate numbers for each feature. */
  standardize(x: T, args: StandardizeArgs): T;
  /** (x - mean) / sqrt(variance + epsilon), with the mean and variance of each group of the pixel's features. */
  normalize(x: T, args: NormalizationArgs): T;
  /** Turns an index into a one-hot vector: [N,1] -> [N,size]; all zeros if the index is out of range. */
  oneHot(x: T, size: number): T;
  /**
   * Turns normalized levels into one-hot vectors: 1 for the level round(x (levels - 1)), with halves rounded up, 0 for
   * the others; all zeros if that is not a level. [N,H,W,C] -> [N,H,W,C*levels], the levels of each channel side by
   * side.
   */
  oneHotLevels(x: T, levels: number): T;
  /**
   * Turns normalized levels into rows of a table [levels,units], which all channels share: [N,H,W,C] ->
   * [N,H,W,C*units]; zeros if {@link oneHotLevels} gives zeros.
   */
  embedLevels(x: T, table: LayerWeight): T;
  /**
   * In training, sets each number to 0 with probability `rate`, and otherwise divides it by 1 - rate, which keeps the
   * mean. At inference, returns x unchanged.
   */
  dropout(x: T, args: DropoutArgs): T;
  /** Reshapes features to logits of each channel: [N,H,W,C*L] -> [N,H,W,C,L]. */
  perChannel(x: T, channels: number, levels: number): T;
}

/**
 * A layer whose arithmetic is written once: everything that can be done with it follows from `express`. The class
 * `PixelLayer` makes it a tfjs layer.
 */
export interface Expressed {
  /**
   * Computes the layer's output from its inputs; null if it cannot be evaluated pixel by pixel.
   */
  express<T>(ops: Ops<T>, inputs: readonly [T, ...T[]]): T | null;
}

/** The shape of a kernel, [rows,columns,in,out]. The kernel of a dense layer, [in,out], counts as 1x1. */
export function kernelShape({ shape }: LayerWeight): [number, number, number, number] {
  const whole = shape.length === 2 ? [1, 1, ...shape] : shape;
  if (whole.length !== 4 || whole.includes(null))
    throwTypeError('conv: kernel', '[rows, columns, in, out]', shape);
  return whole as [number, number, number, number];
}

/** Checks that a kernel is valid and that its gain fits, and returns its shape. */
export function checkedKernelShape(kernel: Kernel): [number, number, number, number] {
  if (!isWeight(kernel)) checkNormalizedKernel(kernel);
  const { direction, gain } = partsOf(kernel);
  const shape = kernelShape(direction);
  if (gain !== null) checkSize(gain, [shape[3]]);
  return shape;
}

function isWeight(given: unknown): given is LayerWeight {
  const { shape, read } = (given ?? {}) as Partial<LayerWeight>;
  return Array.isArray(shape) && typeof read === 'function';
}

/** What a weight of a layer is, for messages. */
const A_WEIGHT = 'a weight, as addWeight gives it';

/** Checks that something is a weight of a layer. It may not be left undefined by mistake, which would mean none. */
function checkLayerWeight(what: string, weight: unknown): void {
  if (!isWeight(weight)) throwTypeError(what, A_WEIGHT, weight);
}

/** Checks the bias of a convolution, which may be null. */
export function checkBias(bias: LayerWeight | null, featuresOut: number): void {
  if (bias === null) return;
  if (!isWeight(bias)) throwTypeError('conv: bias', `${A_WEIGHT}, or null`, bias);
  checkSize(bias, [featuresOut]);
}

function checkNormalizedKernel(kernel: unknown): void {
  if (typeof kernel !== 'object' || kernel === null)
    throwTypeError('conv: kernel', `${A_WEIGHT}, or { direction, gain }`, kernel);
  const { initialScale, ...weights } = checkFields(
    'conv: kernel',
    kernel,
    ['direction', 'gain'],
    ['initialScale'],
  );
  for (const [name, weight] of Object.entries(weights)) checkLayerWeight(`conv: kernel: ${name}`, weight);
  checkNumber('conv: kernel: initialScale', initialScale ?? 1, 'above 0', (scale) => scale > 0);
}

/** Checks a window on features that are the same at every pixel: a larger window, or a stride, would see edges. */
export function checkConstantConv(what: string, { kernelSize, stride }: KernelWindow): void {
  const [rows, columns] = kernelSize;
  if (rows * columns > 1)
    throwTypeError(`${what}: kernel`, '1x1, since its input is the same at every pixel', kernelSize);
  if (stride > 1) throwTypeError(`${what}: stride`, '1, since its input is the same at every pixel', stride);
}

/** Checks that a weight has as many numbers as a shape requires. */
export function checkSize({ name, shape: given }: LayerWeight, shape: readonly number[]): void {
  const sizeOf = (lengths: readonly (number | null)[]) =>
    lengths.reduce<number>((product, length) => product * (length ?? 0), 1);
  if (sizeOf(given ?? []) !== sizeOf(shape))
    throwTypeError(`weight '${name}'`, `one of shape [${shape}]`, given);
}

/** The size of features that are concatenated. */
export function sizeOfConcat(sizes: readonly number[]): number {
  if (sizes.length === 0) throwTypeError('concat', 'at least one operand', sizes);
  return sizes.reduce((sum, size) => sum + size);
}

/** The common size of features that are combined. */
export function sizeOfAll(fn: CombinationName, sizes: readonly number[]): number {
  checkOneOf('combine', fn, combinationNames);
  if (new Set(sizes).size !== 1) throwTypeError(fn, 'features of one size', sizes);
  return sizes[0] as number;
}

/** Checks that the features have a slice of this size at this start. */
export function checkSlice(features: number, start: number, size: number): void {
  checkInteger('slice: size', size, 1, features);
  checkInteger('slice: start', start, 0, features - size);
}

/** Checks by how much a map is enlarged: to no more than an image may have. */
export function checkEnlarge(what: string, rows: number, columns: number): void {
  checkInteger(`${what}: rows`, rows, 1, MOST_LENGTH);
  checkInteger(`${what}: columns`, columns, 1, MOST_LENGTH);
}

/** Checks by how much features are shifted, which must be towards later places. */
export function checkShift(rows: number, columns: number): void {
  checkInteger('shift: rows', rows, 0);
  checkInteger('shift: columns', columns, 0);
}

/** The two weights of a kernel; one that is not normalized has only the first. */
export function partsOf(kernel: Kernel): { direction: LayerWeight; gain: LayerWeight | null } {
  return 'direction' in kernel ? kernel : { direction: kernel, gain: null };
}

/** Checks that features consist of a and b in `groups` groups. */
export function checkGate(size: number, groups: number, kind: GateKind = 'tanh'): void {
  checkOneOf('gate: kind', kind, ['tanh', 'linear']);
  checkInteger('gate: groups', groups, 1);
  checkFeatures('gate: input', size, 2 * groups, '2 * groups');
}

/** Checks that queries, keys and values have the same size, a multiple of the number of heads. */
export function checkAttend(sizes: readonly number[], heads: number, dropout?: DropoutArgs): number {
  if (new Set(sizes).size !== 1) throwTypeError('attend', 'queries, keys and values of one size', sizes);
  if (dropout !== undefined) checkDropout('attend: dropout', dropout);
  return checkFeatures('attend: features', sizes[0], checkInteger('attend: heads', heads, 1), 'heads');
}

/** Checks the path of an LSTM, its groups of features and its kernel; returns F of 4F. */
export function checkLSTM(size: number, kernel: LayerWeight, path: LSTMPath, groups: number): number {
  checkOneOf('lstm: path', path, lstmPaths);
  checkLayerWeight('lstm: kernel', kernel);
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

/** Whether the kernel of an LSTM has the rows and columns that its path requires. */
export const isOfPath = (path: LSTMPath, rows: number, columns: number): boolean =>
  path === 'rows' ? rows === 1 && columns % 2 === 1 : rows === 2 && columns === 1;

/** Checks that features divide into `groups` groups. */
export function checkSoftmax(fn: SoftmaxName, size: number, groups: number): void {
  checkOneOf('softmax', fn, softmaxNames);
  checkFeatures(`${fn}: input`, size, checkInteger(`${fn}: groups`, groups, 1), 'groups');
}

/** The most levels that can be distinguished in [0, 1] on every backend: divisions on GPUs are off in the last bits. */
const MOST_ENCODED_LEVELS = 2 ** 16;

/** Checks a count of levels, into which numbers in [0, 1] will be turned back. */
export function checkEncodedLevels(what: string, levels: unknown): number {
  return checkInteger(what, levels, 2, MOST_ENCODED_LEVELS);
}

/** The shape of a table of levels, [levels,units]. */
export function tableShape(table: LayerWeight): [levels: number, units: number] {
  checkLayerWeight('embedLevels: table', table);
  const { name, shape } = table;
  const [levels, units, ...rest] = shape;
  if (units == null || rest.length > 0) throwTypeError(`weight '${name}'`, 'a table [levels,units]', shape);
  return [checkEncodedLevels(`weight '${name}': levels`, levels), units];
}

/** Checks that a weight has a number for each feature, or one for all features. */
function checkPerFeature(weight: LayerWeight, size: number): void {
  if (!isOfAll(weight)) checkSize(weight, [size]);
}

/** Whether a weight is a single number for all features. */
export const isOfAll = ({ shape }: LayerWeight): boolean => shape.every((length) => length === 1);

/** Checks a dropout probability. */
export function checkRate(what: string, rate: unknown): number {
  return checkNumber(what, rate, 'from 0, below 1', (p) => p >= 0 && p < 1);
}

const dropoutNames: NamesOf<DropoutArgs> = { rate: true, seed: true };

/** Checks the arguments of {@link Ops.dropout}. */
export function checkDropout(what: string, args: DropoutArgs): void {
  checkRate(`${what}: rate`, checkArgs(what, args, dropoutNames).rate);
}

/** The names of arguments of {@link Ops.affine}. */
const affineNames: NamesOf<ScaleAndShift> = { scale: true, shift: true };

/** The names of arguments of {@link Ops.normalize}. */
const normalizeNames: NamesOf<NormalizationArgs> = {
  scale: true,
  shift: true,
  epsilon: true,
  groups: true,
};

/** The names of arguments of {@link Ops.standardize}. */
const standardizeNames: NamesOf<StandardizeArgs> = {
  mean: true,
  variance: true,
  scale: true,
  shift: true,
  epsilon: true,
};

/** Checks the arguments of {@link Ops.affine}. */
export function checkAffine(size: number, args: ScaleAndShift): void {
  checkNumbers('affine', size, checkArgs('affine', args, affineNames), []);
}

/** Checks the arguments of {@link Ops.standardize}. */
export function checkStandardize(size: number, args: StandardizeArgs): void {
  checkArgs('standardize', args, standardizeNames);
  checkEpsilon('standardize', args);
  checkNumbers('standardize', size, args, ['mean', 'variance']);
}

/** Checks the arguments of {@link Ops.normalize}, and that the features divide into its groups. */
export function checkNormalize(size: number, args: NormalizationArgs): void {
  checkArgs('normalize', args, normalizeNames);
  checkEpsilon('normalize', args);
  const groups = checkInteger('normalize: groups', args.groups ?? 1, 1);
  checkFeatures('normalize: input', size, groups, 'groups');
  checkNumbers('normalize', size, args, []);
}

function checkEpsilon(op: string, { epsilon }: { epsilon: unknown }): void {
  checkNumber(`${op}: epsilon`, epsilon, 'of at least 0', (value) => value >= 0);
}

/** Checks the weights with a number for each feature: those that are needed, and a scale and a shift that are there. */
function checkNumbers(op: string, size: number, args: object, needed: readonly string[]): void {
  const weights = args as Readonly<Record<string, LayerWeight>>;
  const optional = ['scale', 'shift'].filter((name) => name in args);
  for (const name of [...needed, ...optional]) {
    checkLayerWeight(`${op}: ${name}`, weights[name]);
    checkPerFeature(weights[name] as LayerWeight, size);
  }
}
