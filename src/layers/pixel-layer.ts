import { cast, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { InputSpec, layers } from '@tensorflow/tfjs-layers';
import { checkArgs, checkFunction, checkInteger, checkOneOf, throwTypeError } from '../core/check';
import { checkKernel, type Window } from '../core/window';
import type { Features } from '../program/builder';
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
  type Expressed,
  type GateKind,
  type Kernel,
  type LayerWeight,
  type NormalizationArgs,
  type Ops,
  type ScaleAndShift,
  type StandardizeArgs,
  sizeOfAll,
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
import type { Program } from './incremental';
import type { InitialWeights } from './initial-weights';
import { TensorOps } from './tensor-ops';
import type { Apply, Shape } from './types';

/**
 * A layer whose arithmetic is written once, in `express`, in terms of the operations {@link Ops}. This gives it `call`,
 * `computeOutputShape`, incremental sampling, `receptiveField` and `toPortable`.
 *
 * A layer of your own adds its weights in `build`, which ends with `super.build(inputShape)`, and registers
 * its class as any tfjs layer does.
 *
 * @throws Error if it is called before it is built, or if `express` returns null and the class has no `call` of its
 * own.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { PixelLayer } from 'pixelcnn-layers';
 * class Swish extends PixelLayer {
 *   static className = 'Swish';
 *   express(ops, [x]) {
 *     return ops.combine('multiply', x, ops.pointwise('sigmoid', x)); // [N,H,W,F] -> [N,H,W,F]
 *   }
 * }
 * tf.serialization.registerClass(Swish);
 * const [y] = await new Swish().apply(tf.ones([1, 1, 1, 1])).data();
 * console.log(y.toFixed(4)); // 0.7311: sigmoid(1)
 * ```
 */
export abstract class PixelLayer extends layers.Layer implements Expressed {
  /** As tfjs has it, typed: symbolic from symbolic inputs, a tensor from tensors. */
  declare apply: Apply;

  protected readonly tensorOps = new TensorOps();

  /**
   * Computes the layer's output from its inputs, whatever T is: tensors [N,H,W,F], shapes, or features of a pixel. Null
   * if the layer cannot be evaluated pixel by pixel.
   */
  abstract express<T>(ops: Ops<T>, inputs: readonly T[]): T | null;

  /** Makes the masks of the convolutions in `express`. Add all weights before you call it. */
  override build(inputShape: Shape | Shape[]): void {
    super.build(inputShape);
    try {
      this.computeOutputShape(inputShape); // so that a class can report a wrong shape in its own words
      this.expressShape(inputShape);
    } catch (error) {
      this.disposeWeights(); // tfjs does not dispose a layer that was never built
      throw error;
    }
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return this.expressShape(inputShape) ?? this.cannot('a shape');
  }

  /** The shape of the output; null if `express` returns null. */
  private expressShape(inputShape: Shape | Shape[]): Shape | null {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as Shape[];
    checkFunction(`${this.getClassName()}: express`, this.express);
    const output = this.express<Shape>(new ShapeOps(this.tensorOps), shapes);
    if (output !== null && (!Array.isArray(output) || Array.isArray(output[0]))) {
      throwTypeError(`${this.getClassName()}: express`, 'to return what an operation of ops made', output);
    }
    return output;
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    return tidy(() => {
      if (!this.built) throw new Error(`${this.getClassName()}: called before it was built`);
      this.invokeCallHook(inputs, kwargs);
      const tensors = [inputs].flat(); // tfjs passes one input alone or in a list
      const [first, ...rest] = tensors.map(({ shape }) => shape) as [Shape, ...Shape[]];
      for (const [index, shape] of rest.entries()) {
        const what = `${this.getClassName()}: input ${index + 1}`;
        if (shape[0] !== first[0]) throwTypeError(what, `one of ${first[0]} images`, shape); // tensors would repeat one
      }
      this.computeOutputShape(rest.length === 0 ? first : [first, ...rest]); // checks the shapes
      this.tensorOps.isTraining = kwargs?.['training'] === true;
      return this.express(this.tensorOps, tensors.map(asFloat)) ?? this.cannot('tensor');
    });
  }

  /**
   * Sets the number of the next training step, counted from 0, for the noise of `ops.dropout`. An
   * {@link AutoregressiveModel} calls this itself, with the steps that its optimizer counts. In a training loop of your
   * own you need not call it: the noise then changes from call to call.
   */
  setStep(step: number): void {
    this.tensorOps.setStep(checkInteger(`${this.getClassName()}: step`, step, 0));
  }

  /**
   * From now on, weight-normed convolutions compute new initial gains and biases from their inputs; null ends that.
   *
   * @internal
   */
  beginWith(initial: InitialWeights | null): void {
    this.tensorOps.initial = initial;
  }

  /** The same as a layer's part of a program. */
  incremental({ builder }: Program, inputs: readonly Features[]): Features | null {
    return this.express(builder, inputs);
  }

  private cannot(what: string): never {
    throw new Error(`${this.getClassName()}: express gave no ${what}`);
  }

  protected override disposeWeights(): number {
    this.tensorOps.dispose();
    return super.disposeWeights();
  }
}

/** A tensor as float32. */
export const asFloat = (x: Tensor) => (x.dtype === 'float32' ? x : cast(x, 'float32'));

/**
 * Carries out a layer's operations on shapes, [N,H,W,F] or [N,F]: makes the same checks as a program, and makes the
 * masks.
 */
class ShapeOps implements Ops<Shape> {
  constructor(private readonly tensorOps: TensorOps) {}

  conv(
    x: Shape,
    kernel: Kernel,
    bias: LayerWeight | null,
    window: Window,
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
    const features = inputs.map(featuresOf).reduce((sum, size) => sum + size, 0);
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
export function resized(what: string, shape: Shape, { stride, transposed }: Window): Shape {
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

/** The shape [N,H,W,F] of a layer's one input, with F known. */
export function imageInputShape(
  layer: string,
  inputShape: Shape | Shape[],
): [Shape[0], Shape[0], Shape[0], number] {
  const isOne = !inputShape.some(Array.isArray);
  const features = isOne ? (inputShape as Shape)[3] : null;
  if (!isOne || inputShape.length !== 4 || features == null) {
    throwTypeError(`${layer}: input`, 'one tensor [N,H,W,features] with its features known', inputShape);
  }
  const [n = null, h = null, w = null] = inputShape as Shape;
  return [n, h, w, features as number];
}

/**
 * Makes tfjs refuse inputs of another rank or another number of features (the last axis) once a layer is built.
 */
export function imageInputSpec(features: number, rank = 4): InputSpec[] {
  return [new InputSpec({ ndim: rank, axes: { [rank - 1]: features } })];
}
