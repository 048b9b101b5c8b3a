import { checkArgs, checkInteger, checkOneOf, throwTypeError } from '../core/check';
import { checkKernel, type KernelWindow } from '../core/window';
import {
  affineNames,
  checkAttend,
  checkConstantConv,
  checkEncodedLevels,
  checkEnlarge,
  checkedKernelShape,
  checkGate,
  checkLSTM,
  checkNormalization,
  checkNormalize,
  checkPerFeature,
  checkRate,
  checkShift,
  checkSize,
  checkSlice,
  checkSoftmax,
  type DropoutArgs,
  type GateKind,
  type Kernel,
  type LayerWeight,
  type NormalizationArgs,
  type Ops,
  type ScaleAndShift,
  type StandardizeArgs,
  sizeOfAll,
  sizeOfConcat,
  standardizeNames,
  tableShape,
} from '../program/ops';
import {
  type CombinationName,
  type LSTMPath,
  type PointwiseName,
  parameterOf,
  type SoftmaxName,
} from '../program/program';
import type { TensorOps } from './tensor-ops';
import type { Shape } from './types';

/**
 * Carries out a layer's operations on shapes, [N,H,W,F] or [N,F]: makes the same checks as a program, and makes the
 * masks.
 */
export class ShapeOps implements Ops<Shape> {
  constructor(private readonly tensorOps: TensorOps) {}

  conv(
    x: Shape,
    kernel: Kernel,
    bias: LayerWeight | null,
    window: KernelWindow,
    activation: 'linear' | 'relu' = 'linear',
  ): Shape {
    checkOneOf('conv: activation', activation, ['linear', 'relu']);
    const kernelSizes = checkedKernelShape(kernel);
    const [, , , featuresOut] = kernelSizes;
    checkKernel(window, kernelSizes, featuresOf(x));
    if (x.length === 2) checkConstantConv('conv', window);
    if (bias !== null) checkSize(bias, [featuresOut]);
    this.tensorOps.prepare(kernel, window);
    return withFeatures(resized('conv', x, window), featuresOut);
  }

  pointwise(fn: PointwiseName, x: Shape, parameter?: number): Shape {
    parameterOf(fn, parameter);
    return x;
  }

  combine(fn: CombinationName, ...inputs: Shape[]): Shape {
    const size = sizeOfAll(fn, inputs.map(featuresOf));
    return withFeatures(ofPixels(fn, inputs), size);
  }

  concat(...inputs: Shape[]): Shape {
    const features = sizeOfConcat(inputs.map(featuresOf));
    return withFeatures(ofPixels('concat', inputs), features);
  }

  slice(x: Shape, start: number, size: number): Shape {
    if (x.length > 4) throwTypeError('slice: input', 'features [N,H,W,F]', x);
    checkSlice(featuresOf(x), start, size);
    return withFeatures(x, size);
  }

  shift(x: Shape, rows: number, columns: number): Shape {
    checkShift(rows, columns);
    if (x.length !== 4) throwTypeError('shift: input', 'features [N,H,W,F]', x);
    return x;
  }

  enlarge(x: Shape, rows: number, columns: number): Shape {
    checkEnlarge('enlarge', rows, columns);
    if (x.length !== 4) throwTypeError('enlarge: input', 'features [N,H,W,F]', x);
    const [n = null, height = null, width = null, features = null] = x;
    const times = (length: number | null, by: number) => (length === null ? null : length * by);
    return [n, times(height, rows), times(width, columns), features];
  }

  position(x: Shape): Shape {
    if (x.length !== 4) throwTypeError('position: input', 'features [N,H,W,F]', x);
    return withFeatures(x, 2);
  }

  concatElu(x: Shape): Shape {
    if (x.length > 4) throwTypeError('concatElu: input', 'features [N,H,W,F]', x);
    return withFeatures(x, 2 * featuresOf(x));
  }

  gate(x: Shape, groups: number, condition?: Shape, kind?: GateKind): Shape {
    if (condition !== undefined) this.combine('add', x, condition);
    checkGate(featuresOf(x), groups, kind);
    return withFeatures(x, featuresOf(x) / 2);
  }

  attend(queries: Shape, keys: Shape, values: Shape, heads: number, dropout?: DropoutArgs): Shape {
    const inputs = [queries, keys, values];
    for (const input of inputs)
      if (input.length !== 4) throwTypeError('attend: input', 'features [N,H,W,F]', input);
    checkAttend(inputs.map(featuresOf), heads, dropout);
    return ofPixels('attend', inputs);
  }

  lstm(x: Shape, kernel: LayerWeight, path: LSTMPath, groups: number): Shape {
    if (x.length !== 4) throwTypeError('lstm: input', 'features [N,H,W,F]', x);
    return withFeatures(x, checkLSTM(featuresOf(x), kernel, path, groups));
  }

  affine(x: Shape, args: ScaleAndShift): Shape {
    const { scale, shift } = checkArgs('affine', args, affineNames);
    for (const weight of [scale, shift]) if (weight !== undefined) checkPerFeature(weight, featuresOf(x));
    return x;
  }

  softmax(fn: SoftmaxName, x: Shape, groups: number): Shape {
    checkSoftmax(fn, featuresOf(x), groups);
    return x;
  }

  standardize(x: Shape, args: StandardizeArgs): Shape {
    checkNormalization('standardize', args, standardizeNames);
    const { mean, variance, scale, shift } = args;
    this.affine(x, { scale: mean, shift: variance });
    return this.affine(x, { scale, shift });
  }

  normalize(x: Shape, args: NormalizationArgs): Shape {
    checkNormalize(featuresOf(x), args);
    const { scale, shift } = args;
    return this.affine(x, { scale, shift });
  }

  oneHot(x: Shape, size: number): Shape {
    if (featuresOf(x) !== 1) throwTypeError('oneHot: input', 'one feature', featuresOf(x));
    return withFeatures(x, checkInteger('oneHot: size', size, 1));
  }

  oneHotLevels(x: Shape, levels: number): Shape {
    return withFeatures(x, featuresOf(x) * checkEncodedLevels('oneHotLevels: levels', levels));
  }

  embedLevels(x: Shape, table: LayerWeight): Shape {
    const [, units] = tableShape(table);
    return withFeatures(x, featuresOf(x) * units);
  }

  dropout(x: Shape, { rate }: DropoutArgs): Shape {
    checkRate('dropout: rate', rate);
    return x;
  }

  perChannel(x: Shape, channels: number, levels: number): Shape {
    const size = channels * levels;
    if (featuresOf(x) !== size) throwTypeError('perChannel: input', `${size} features`, featuresOf(x));
    return [...x.slice(0, -1), channels, levels]; // [N,H,W,C*L] -> [N,H,W,C,L]
  }
}

/** F of [N,H,W,F] or [N,F], C*L of [N,H,W,C,L]. */
function featuresOf(shape: Shape): number {
  if (!Array.isArray(shape)) throwTypeError('input', 'an input, or what an operation of ops made', shape);
  const axes = shape.slice(shape.length === 2 ? 1 : 3);
  const size = axes.reduce<number>((product, length) => product * (length ?? 0), 1);
  if (size === 0) throwTypeError('input', 'a shape whose features are known', shape);
  return size;
}

/** The shape of a convolution's outputs: [N,H,W,F] -> [N,H/2,W/2,F] or [N,2H,2W,F] with a stride of 2. */
export function resized(what: string, shape: Shape, { stride, transposed }: KernelWindow): Shape {
  if (stride === 1 || shape.length !== 4) return shape;
  const [n = null, height = null, width = null, features = null] = shape;
  const length = (side: string, given: number | null) => {
    if (given === null) return null;
    if (!transposed && given % stride !== 0)
      throwTypeError(`${what}: ${side}`, `a multiple of ${stride}`, given);
    return transposed ? given * stride : given / stride;
  };
  return [n, length('height', height), length('width', width), features];
}

/** The same pixels with another number of features: [N,H,W,in] -> [N,H,W,out]. */
const withFeatures = (shape: Shape, features: number): Shape => [
  ...shape.slice(0, shape.length === 2 ? 1 : 3),
  features,
];

/**
 * The shape of the first input that has pixels, if any. All inputs that do must agree in height and width, as far as
 * these are known.
 */
function ofPixels(op: string, inputs: readonly Shape[]): Shape {
  const maps = inputs.filter(({ length }) => length > 2);
  const sizesOf = (axis: 1 | 2) => new Set(maps.map((map) => map[axis]).filter((length) => length !== null));
  if (sizesOf(1).size > 1 || sizesOf(2).size > 1)
    throwTypeError(op, 'features of one height and width', inputs);
  return maps[0] ?? (inputs[0] as Shape);
}
