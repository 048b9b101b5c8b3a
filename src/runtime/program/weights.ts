import { type Argument, checked, type Given, optional, positive, readArguments } from '../core/arguments';
import { sizeFromShape, throwTypeError } from '../core/check';

/** A weight of a layer, such as the `LayerVariable` that `addWeight` of tfjs-layers returns. */
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
 * The parts of a weight's name within its layer: for `block0/conv_mid_kernel`, the convolution (or norm) and the
 * weight's role in it, `['conv_mid', 'kernel']`; for the only convolution of a layer, `['kernel']`.
 */
export function ownName({ name, originalName = name }: LayerWeight): readonly string[] {
  const own = originalName.split('/').at(-1) as string; // tfjs prepends the layer's name
  return /^(.+)_(kernel|gain|bias|gamma|beta)$/.exec(own)?.slice(1) ?? [own];
}

/** Checks that something is a weight of a layer, since an accidental undefined would silently mean none. */
export function checkLayerWeight(what: string, weight: unknown, or = ''): LayerWeight {
  const { shape, read } = (weight ?? {}) as Partial<LayerWeight>;
  if (!Array.isArray(shape) || typeof read !== 'function')
    throwTypeError(what, `a weight, as addWeight returns it${or}`, weight);
  return weight as LayerWeight;
}

export const layerWeight: Argument<LayerWeight> = /* @__PURE__ */ checked((what, given) =>
  checkLayerWeight(what, given),
);

const normalizedKernel = {
  /** [rows,columns,in,out] */
  direction: layerWeight,
  /** [out] */
  gain: layerWeight,
  /** The standard deviation of the outputs after `initializeFromData`. @default 1 */
  initialScale: /* @__PURE__ */ optional(/* @__PURE__ */ positive()),
};

/**
 * A weight-normalized kernel: gain direction / ||direction|| for each output feature, where the norm is taken over the
 * weights that the window does not hide.
 *
 * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868.
 */
export interface NormalizedKernel extends Readonly<Given<typeof normalizedKernel>> {}

/** The lower bound for the square of a norm, for directions that are 0. */
export const SMALLEST_SQUARE = 1e-12;

/** The kernel of a convolution. */
export type Kernel = LayerWeight | NormalizedKernel;

/** The two weights of a kernel; the gain is null if it is not normalized. */
export function partsOf(kernel: Kernel): { direction: LayerWeight; gain: LayerWeight | null } {
  return 'direction' in kernel ? kernel : { direction: kernel, gain: null };
}

/** The shape of a kernel, [rows,columns,in,out]. A dense layer's, [in,out], counts as 1x1. */
export function kernelShape({ shape }: LayerWeight): [number, number, number, number] {
  const whole = shape.length === 2 ? [1, 1, ...shape] : shape;
  if (whole.length !== 4 || whole.includes(null))
    throwTypeError('conv: kernel', '[rows, columns, in, out]', shape);
  return whole as [number, number, number, number];
}

/** Checks the kernel of a convolution, and returns its shape. */
export function checkedKernelShape(kernel: Kernel): [number, number, number, number] {
  if (typeof kernel === 'object' && kernel !== null && !('shape' in kernel))
    readArguments('conv: kernel', kernel, normalizedKernel);
  else checkLayerWeight('conv: kernel', kernel, ', or { direction, gain }');
  const { direction, gain } = partsOf(kernel);
  const shape = kernelShape(direction);
  if (gain !== null && sizeFromShape(gain.shape) !== shape[3])
    throwTypeError(`weight '${gain.name}'`, `one of shape [${shape[3]}]`, gain.shape);
  return shape;
}
