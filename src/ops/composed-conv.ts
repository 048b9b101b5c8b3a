import * as tf from '@tensorflow/tfjs-core';
import type { Implementation } from './operation';

/** What follows the convolution within the same operation. */
export type FusedActivation = 'linear' | 'relu';

/** Where a kernel lies, and the activation. */
export type ConvAttributes = {
  readonly activation: FusedActivation;
  /** The first `presentColumns` columns of the kernel's last row are used. */
  readonly presentColumns: number;
  /** Columns of the kernel to the left of the output's own. */
  readonly left: number;
};

/** The inputs of a convolution. */
export interface ConvInputs {
  /** [N,H,W,in] */
  readonly x: tf.Tensor4D;
  /** [rows,columns,in,out] */
  readonly kernel: tf.Tensor4D;
  /** [out] */
  readonly bias: tf.Tensor1D | undefined;
}

/** What its gradients need. */
export interface ConvSaved {
  readonly x: tf.Tensor4D;
  readonly kernel: tf.Tensor4D;
  /** The output [N,H,W,out] of a ReLU: dy is masked by y > 0. */
  readonly y: tf.Tensor4D | undefined;
}

export type ConvImplementation = Implementation<ConvInputs, ConvAttributes, ConvSaved, tf.Tensor4D>;

/** The output [N,H,W,out], and what its gradients need. */
export function withSaved({ x, kernel }: ConvInputs, y: tf.Tensor4D, { activation }: ConvAttributes) {
  return { y, saved: { x, kernel, y: activation === 'relu' ? y : undefined } };
}

/**
 * The operation in terms of tfjs's own operations: forward convolutions, products and transposes, which are available
 * and fast on every backend (the stock filter gradient is missing on wasm and slow on cpu).
 */
export const composedConv: ConvImplementation = {
  forward(inputs, attributes) {
    const part = usedPartOf(inputs.kernel.shape, attributes);
    const kernel = cut(inputs.kernel, part); // [rows,columns of the part,in,out]
    return withSaved(inputs, forward({ ...inputs, kernel }, part, attributes.activation), attributes);
  },
  gradients(dy, { x, kernel, y }, attributes) {
    const dz: tf.Tensor4D = y === undefined ? dy : tf.mul(dy, tf.step(y)); // before the activation
    const part = usedPartOf(kernel.shape, attributes);
    return {
      x: () => inputGradient(dz, cut(kernel, part), part),
      kernel: () => uncut(kernelGradient(x, dz, part), kernel.shape),
      bias: () => sumOverPixels(dz),
    };
  },
};

type Pads = [[number, number], [number, number], [number, number], [number, number]];

/**
 * The part of a kernel that is convolved with: its first columns, and how many of them lie to the left and to the right
 * of the output's own pixel.
 */
interface UsedPart {
  /** [rows,columns,in,out] */
  shape: tf.Tensor4D['shape'];
  left: number;
  right: number;
}

/** The whole kernel, unless it is a single row in which nothing to the right of the output's own pixel is used. */
function usedPartOf(shape: tf.Tensor4D['shape'], { presentColumns, left }: ConvAttributes): UsedPart {
  const [rows, columns, featuresIn, featuresOut] = shape;
  if (rows > 1 || presentColumns !== left + 1) return { shape, left, right: columns - 1 - left };
  return { shape: [1, left + 1, featuresIn, featuresOut], left, right: 0 };
}

/** [rows,columns,in,out] -> [rows,columns of the part,in,out] */
function cut(kernel: tf.Tensor4D, { shape }: UsedPart): tf.Tensor4D {
  return shape[1] === kernel.shape[1] ? kernel : tf.slice(kernel, [0, 0, 0, 0], shape); // [rows,columns of the part,in,out]
}

/** [rows,columns of the part,in,out] -> [rows,columns,in,out], 0 where nothing was convolved with */
function uncut(kernel: tf.Tensor4D, [, columns]: tf.Tensor4D['shape']): tf.Tensor4D {
  const missing = columns - kernel.shape[1];
  if (missing === 0) return kernel;
  return tf.pad(kernel, [[0, 0], [0, missing], [0, 0], [0, 0]]); // biome-ignore format: one pair a dimension
}

function forward({ x, kernel, bias }: ConvInputs, part: UsedPart, activation: FusedActivation): tf.Tensor4D {
  const [n, h, w, featuresIn] = x.shape;
  const featuresOut = kernel.shape[3];
  const optionalBias: tf.NamedTensorMap = bias === undefined ? {} : { bias };
  if (isPointwise(kernel.shape)) {
    const a = tf.reshape(x, [1, n * h * w, featuresIn]); // [N,H,W,in] -> [1, N*H*W, in]
    const b = tf.reshape(kernel, [1, featuresIn, featuresOut]); // [1,1,in,out] -> [1,in,out]
    const y: tf.Tensor = tf
      .engine()
      .runKernel(
        tf._FusedMatMul,
        { a, b, ...optionalBias },
        { transposeA: false, transposeB: false, activation },
      ); // [1, N*H*W, out]
    return tf.reshape(y, [n, h, w, featuresOut]); // [1, N*H*W, out] -> [N,H,W,out]
  }
  return tf
    .engine()
    .runKernel(
      tf.FusedConv2D,
      { x, filter: kernel, ...optionalBias },
      { strides: 1, pad: padsAbove(part), dataFormat: 'NHWC', dilations: 1, activation },
    ); // [N,H,W,out]
}

/**
 * [N,H,W,out] -> [N,H,W,in]: the reversed convolution, with the kernel flipped and its rows reaching downwards.
 */
function inputGradient(dz: tf.Tensor4D, kernel: tf.Tensor4D, part: UsedPart): tf.Tensor4D {
  const [rows, columns, featuresIn, featuresOut] = kernel.shape;
  if (isPointwise(kernel.shape)) {
    const [n, h, w] = dz.shape;
    const dx = tf.matMul(pixelRows(dz), tf.transpose(tf.reshape(kernel, [featuresIn, featuresOut]))); // [N*H*W, in]
    return tf.reshape(dx, [n, h, w, featuresIn]); // [N*H*W, in] -> [N,H,W,in]
  }
  const taps = tf.reshape(kernel, [rows * columns, featuresIn, featuresOut]); // [rows,columns,in,out] -> [rows*columns,in,out]
  const lastFirst = tf.tensor1d(
    Array.from({ length: rows * columns }, (_, tap) => rows * columns - 1 - tap),
    'int32',
  );
  const flipped = tf.transpose(tf.gather(taps, lastFirst), [0, 2, 1]); // [rows*columns,out,in]; gather is faster than reverse
  const turned = tf.reshape(flipped, [rows, columns, featuresOut, featuresIn]); // [rows*columns,out,in] -> [rows,columns,out,in]
  return paddedConv2d(dz, turned as tf.Tensor4D, padsBelow(part)); // [N,H,W,in]
}

/**
 * [N,H,W,in], [N,H,W,out] -> [rows,columns,in,out]: the image, with the batch as features, convolved with dz as a
 * kernel of the image's size.
 */
function kernelGradient(x: tf.Tensor4D, dz: tf.Tensor4D, part: UsedPart): tf.Tensor4D {
  const { shape } = part;
  const featuresIn = shape[2];
  if (isPointwise(shape)) return tf.reshape(productOverPixels(x, dz), shape); // [in,out] -> [1,1,in,out]
  const [n, h, w] = x.shape;
  const byImage = tf.reshape(featureRows(x), [featuresIn, n, h * w]); // [in, N*H*W] -> [in,N,H*W]
  const images = tf.reshape(tf.transpose(byImage, [0, 2, 1]), [featuresIn, h, w, n]); // [in,H,W,N]
  const kernels = tf.transpose(dz, [1, 2, 0, 3]); // [H,W,N,out]
  const dk = paddedConv2d(images as tf.Tensor4D, kernels, padsAbove(part)); // [in,rows,columns,out]
  return tf.transpose(dk, [1, 2, 0, 3]) as tf.Tensor4D; // [rows,columns,in,out]
}

/**
 * [N,H,W,F], [rows,columns,F,out] -> [N,H,W,out]: a convolution with zeros around the image. If it is recorded in order
 * to be differentiated, the zeros are added by a separate operation, since tfjs-node has no gradient for asymmetric
 * padding.
 */
function paddedConv2d(x: tf.Tensor4D, kernel: tf.Tensor4D, pads: Pads): tf.Tensor4D {
  const isRecorded = tf.engine().state.gradientDepth > 0;
  return isRecorded ? tf.conv2d(tf.pad(x, pads), kernel, 1, 'valid') : tf.conv2d(x, kernel, 1, pads);
}

/**
 * [N,H,W,F] -> [F]: the sum over pixels, as a mean over each image, which is much faster than `sum` on wasm.
 */
export function sumOverPixels(x: tf.Tensor4D): tf.Tensor1D {
  const [n, h, w, features] = x.shape;
  const means = tf.reshape(tf.avgPool(x, [h, w], 1, 'valid'), [n, features]); // [N,F]
  return tf.reshape(tf.matMul(tf.fill([1, n], h * w), means), [features]); // [1,N] [N,F] -> [1,F] -> [F]
}

/**
 * The sum over pixels of x y: [N,H,W,in], [N,H,W,out] -> [in,out]. On wasm a transpose flag is slow, so one side is
 * transposed here and the product packs the other. Packing costs more, so the narrower side is packed.
 */
function productOverPixels(x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor2D {
  if (x.shape[3] >= y.shape[3]) return tf.matMul(featureRows(x), pixelRows(y));
  return tf.transpose(tf.matMul<tf.Tensor2D>(featureRows(y), pixelRows(x)));
}

/** [N,H,W,F] -> [F, N*H*W], in two steps: a transpose within each image stays within the cache. */
function featureRows(x: tf.Tensor4D): tf.Tensor2D {
  const [n, h, w, features] = x.shape;
  const images = tf.transpose(tf.reshape(x, [n, h * w, features]), [0, 2, 1]); // [N,F,H*W]
  return tf.reshape(tf.transpose(images, [1, 0, 2]), [features, n * h * w]);
}

/** [N,H,W,F] -> [N*H*W, F] */
function pixelRows(x: tf.Tensor4D): tf.Tensor2D {
  const [n, h, w, features] = x.shape;
  return tf.reshape(x, [n * h * w, features]);
}

function isPointwise([rows, columns]: tf.Tensor4D['shape']): boolean {
  return rows === 1 && columns === 1;
}

function padsAbove({ shape: [rows], left, right }: UsedPart): Pads {
  return [[0, 0], [rows - 1, 0], [left, right], [0, 0]]; // biome-ignore format: one pair a dimension, NHWC
}

function padsBelow({ shape: [rows], left, right }: UsedPart): Pads {
  return [[0, 0], [0, rows - 1], [right, left], [0, 0]]; // biome-ignore format: one pair a dimension, NHWC
}
