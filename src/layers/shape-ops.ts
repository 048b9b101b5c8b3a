import { checkInteger, checkNames, checkOneOf, throwTypeError } from '../core/check';
import { checkKernel, type KernelWindow } from '../core/window';
import {
  checkAffine,
  checkAttend,
  checkBias,
  checkConstantConv,
  checkDropout,
  checkEncodedLevels,
  checkEnlarge,
  checkedKernelShape,
  checkGate,
  checkLSTM,
  checkNormalize,
  checkShift,
  checkSlice,
  checkSoftmax,
  checkStandardize,
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

  /** These operations, where asking for one that is not there throws, and suggests the nearest. */
  static of(tensorOps: TensorOps): Ops<Shape> {
    const known = Object.getOwnPropertyNames(ShapeOps.prototype).filter((name) => name !== 'constructor');
    const unknown = (name: string) => `unknown operation '${name}'`;
    return new Proxy(new ShapeOps(tensorOps), {
      get(ops, name) {
        if (typeof name === 'string' && !(name in ops)) checkNames('ops', [name], known, unknown);
        return Reflect.get(ops, name);
      },
    });
  }

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
    checkKernel(window, kernelSizes, featuresOf('conv', x));
    if (x.length === 2) checkConstantConv('conv', window);
    checkBias(bias, featuresOut);
    this.tensorOps.prepare(kernel, window);
    return withFeatures(resized('conv', x, window), featuresOut);
  }

  pointwise(fn: PointwiseName, x: Shape, parameter?: number): Shape {
    parameterOf(fn, parameter);
    return checkInput('pointwise', x);
  }

  combine(fn: CombinationName, ...inputs: Shape[]): Shape {
    const sizes = inputs.map((input) => featuresOf('combine', input));
    return withFeatures(ofPixels(fn, inputs), sizeOfAll(fn, sizes));
  }

  concat(...inputs: Shape[]): Shape {
    const features = sizeOfConcat(inputs.map((input) => featuresOf('concat', input)));
    return withFeatures(ofPixels('concat', inputs), features);
  }

  slice(x: Shape, start: number, size: number): Shape {
    checkSlice(featuresOf('slice', flat('slice', x)), start, size);
    return withFeatures(x, size);
  }

  shift(x: Shape, rows: number, columns: number): Shape {
    checkShift(rows, columns);
    return checkMap('shift', x);
  }

  enlarge(x: Shape, rows: number, columns: number): Shape {
    checkEnlarge('enlarge', rows, columns);
    const [n = null, height = null, width = null, features = null] = checkMap('enlarge', x);
    const times = (length: number | null, by: number) => (length === null ? null : length * by);
    return [n, times(height, rows), times(width, columns), features];
  }

  position(x: Shape): Shape {
    return withFeatures(checkMap('position', x), 2);
  }

  concatElu(x: Shape): Shape {
    return withFeatures(x, 2 * featuresOf('concatElu', flat('concatElu', x)));
  }

  gate(x: Shape, groups: number, condition?: Shape, kind?: GateKind): Shape {
    const features = featuresOf('gate', x);
    checkGate(features, groups, kind);
    if (condition !== undefined) {
      if (!Array.isArray(condition))
        throwTypeError('gate: condition', 'features, or undefined for none', condition);
      this.combine('add', x, condition);
    }
    return withFeatures(x, features / 2);
  }

  attend(queries: Shape, keys: Shape, values: Shape, heads: number, dropout?: DropoutArgs): Shape {
    const inputs = [queries, keys, values];
    const sizes = inputs.map((input) => featuresOf('attend', checkMap('attend', input)));
    checkAttend(sizes, heads, dropout);
    return ofPixels('attend', inputs);
  }

  lstm(x: Shape, kernel: LayerWeight, path: LSTMPath, groups: number): Shape {
    return withFeatures(x, checkLSTM(featuresOf('lstm', checkMap('lstm', x)), kernel, path, groups));
  }

  affine(x: Shape, args: ScaleAndShift): Shape {
    checkAffine(featuresOf('affine', x), args);
    return x;
  }

  softmax(fn: SoftmaxName, x: Shape, groups: number): Shape {
    checkSoftmax(fn, featuresOf('softmax', x), groups);
    return x;
  }

  standardize(x: Shape, args: StandardizeArgs): Shape {
    checkStandardize(featuresOf('standardize', x), args);
    return x;
  }

  normalize(x: Shape, args: NormalizationArgs): Shape {
    checkNormalize(featuresOf('normalize', x), args);
    return x;
  }

  oneHot(x: Shape, size: number): Shape {
    const features = featuresOf('oneHot', x);
    if (features !== 1) throwTypeError('oneHot: input', 'one feature', features);
    return withFeatures(x, checkInteger('oneHot: size', size, 1));
  }

  oneHotLevels(x: Shape, levels: number): Shape {
    return withFeatures(
      x,
      featuresOf('oneHotLevels', x) * checkEncodedLevels('oneHotLevels: levels', levels),
    );
  }

  embedLevels(x: Shape, table: LayerWeight): Shape {
    const [, units] = tableShape(table);
    return withFeatures(x, featuresOf('embedLevels', x) * units);
  }

  dropout(x: Shape, args: DropoutArgs): Shape {
    checkDropout('dropout', args);
    return checkInput('dropout', x);
  }

  perChannel(x: Shape, channels: number, levels: number): Shape {
    const size = channels * levels;
    const features = featuresOf('perChannel', x);
    if (features !== size) throwTypeError('perChannel: input', `${size} features`, features);
    return [...x.slice(0, -1), channels, levels]; // [N,H,W,C*L] -> [N,H,W,C,L]
  }
}

/** Checks that an operand is one, not a list of them, and returns it. */
function checkInput(op: string, x: Shape): Shape {
  if (!Array.isArray(x) || x.some(Array.isArray))
    throwTypeError(`${op}: input`, 'an input, or what an operation of ops made', x);
  return x;
}

/** Checks that an operand has features on one axis, [N,H,W,F] or [N,F]. */
function flat(op: string, x: Shape): Shape {
  if (checkInput(op, x).length > 4) throwTypeError(`${op}: input`, 'features [N,H,W,F]', x);
  return x;
}

/** Checks that an operand is a map, [N,H,W,F]. */
function checkMap(op: string, x: Shape): Shape {
  if (checkInput(op, x).length !== 4) throwTypeError(`${op}: input`, 'features [N,H,W,F]', x);
  return x;
}

/** F of [N,H,W,F] or [N,F], C*L of [N,H,W,C,L]. */
function featuresOf(op: string, x: Shape): number {
  const shape = checkInput(op, x);
  const axes = shape.slice(shape.length === 2 ? 1 : 3);
  const size = axes.reduce<number>((product, length) => product * (length ?? 0), 1);
  if (size === 0) throwTypeError(`${op}: input`, 'a shape whose features are known', shape);
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
