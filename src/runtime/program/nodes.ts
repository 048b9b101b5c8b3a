import type { Declaration, Values } from '../core/arguments';
import { sizeFromShape, throwTypeError } from '../core/check';
import { eachVisibleRun, type KernelWindow } from '../core/window';
import type { OperandShape, Operands, Operation, WeightReference } from './operation';
import { type Kernel, kernelShape, type LayerWeight, partsOf, SMALLEST_SQUARE } from './weights';

/**
 * Checks the operands and fields of a node, whether from a layer or from a file.
 *
 * @returns how many features it computes
 * @throws TypeError that begins with `what`
 */
export function checkedSize(
  { name, operands: count, fields: declared, isOfMaps = false, size: sizeOf }: Operation,
  operands: readonly OperandShape[],
  fields: Readonly<Record<string, unknown>>,
  what: string = name,
  size?: number,
): number {
  if (count === 'any' && operands.length === 0) throwTypeError(`${what}: inputs`, 'at least one', 0);
  if (count !== 'any' && operands.length !== count)
    throwTypeError(`${what}: inputs`, `${count}`, operands.length);
  for (const field of Object.keys(declared)) {
    const isLeftOut = fields[field] === undefined && 'fallback' in declared[field];
    if (!isLeftOut) declared[field].check(`${what}: ${field}`, fields[field], fields);
  }
  if (isOfMaps && !fields['spread'] && operands.some(({ isConstant }) => isConstant))
    throwTypeError(`${what}: input`, 'features of pixels', 'features that are equal at all pixels');
  return sizeOf(operands as readonly [OperandShape, ...OperandShape[]], fields, what, size as number); // checked by those that use it
}

/** Computes the numbers of a program's weight from the numbers of a layer's weights. */
export type MakeWeight = (numbers: readonly ArrayLike<number>[]) => Float32Array;

/** What normalizes a kernel, besides its direction. */
export interface Norm {
  readonly gain: LayerWeight;
  /** The window whose visible weights the norm is taken over. */
  readonly window: KernelWindow;
}

/** Adds operations as nodes: on features in the builder, on shapes in the check of layers; see `opsOf`. */
export abstract class Nodes<T> {
  /** The number of features. */
  abstract sizeOf(x: T, what: string): number;
  /** Checks and adds a node. @throws TypeError that begins with `what`, by default the operation's name */
  abstract add<D extends Declaration>(
    operation: Operation<string, Operands, D>,
    operands: readonly T[],
    fields: Values<D>,
    options?: { readonly size?: number; readonly what?: string },
  ): T;
  /** A weight that is computed from others, once these are read. */
  abstract derived(
    name: string,
    shape: readonly number[],
    from: readonly LayerWeight[],
    make: MakeWeight,
  ): WeightReference;
  /** For features computed with strides, the image and how many of its rows and columns a place covers; else null. */
  abstract strided(x: T): { readonly image: T; readonly scale: number } | null;

  /** Refers to a weight, or to a normalized one. */
  protected abstract named(
    weight: LayerWeight,
    shape: readonly number[],
    make: MakeWeight,
    norm?: Norm,
  ): WeightReference;

  /** A weight, reshaped if `shape` is given. */
  weight(weight: LayerWeight, shape = weight.shape as readonly number[]): WeightReference {
    if (sizeFromShape(weight.shape) !== sizeFromShape(shape))
      throwTypeError(`weight '${weight.name}'`, `one of shape [${shape}]`, weight.shape);
    return this.named(weight, shape, ([numbers = []]) => new Float32Array(numbers));
  }

  /** A kernel [rows,columns,in,out], normalized if it has a gain. */
  kernel(kernel: Kernel, window: KernelWindow): WeightReference {
    const { direction, gain } = partsOf(kernel);
    const shape = kernelShape(direction);
    if (gain === null) return this.weight(direction, shape);
    const make: MakeWeight = ([numbers = [], gains = []]) =>
      normalizedKernel(numbers, gains, window, shape[2]);
    return this.named(direction, shape, make, { gain, window });
  }

  /** A weight [size]. A single number is repeated, and so is `value` if there is no weight. */
  perFeature(name: string, weight: LayerWeight | undefined, size: number, value: number): WeightReference {
    if (weight !== undefined && (size === 1 || sizeFromShape(weight.shape) !== 1))
      return this.weight(weight, [size]);
    const from = weight === undefined ? [] : [weight];
    return this.derived(name, [size], from, ([one = [value]]) =>
      new Float32Array(size).fill(one[0] as number),
    );
  }
}

/** gain direction / ||direction|| for each output, over the visible part of the mask; see {@link NormalizedKernel}. */
function normalizedKernel(
  direction: ArrayLike<number>,
  gain: ArrayLike<number>,
  window: KernelWindow,
  featuresIn: number,
): Float32Array {
  const featuresOut = gain.length;
  const kernel = new Float32Array(direction.length);
  const factors = new Float64Array(featuresOut);
  eachVisibleRun(window, featuresIn, featuresOut, (from, to) => {
    for (let i = from; i < to; i++) {
      const o = i % featuresOut;
      const one = direction[i] as number;
      factors[o] = (factors[o] as number) + one * one;
    }
  });
  for (const [o, square] of factors.entries()) {
    factors[o] = (gain[o] as number) / Math.sqrt(Math.max(square, SMALLEST_SQUARE));
  }
  eachVisibleRun(window, featuresIn, featuresOut, (from, to) => {
    for (let i = from; i < to; i++) {
      kernel[i] = (direction[i] as number) * (factors[i % featuresOut] as number);
    }
  });
  return kernel;
}
