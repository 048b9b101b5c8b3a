import * as tf from '@tensorflow/tfjs-core';
import { CONVOLUTION, CONVOLUTION_FUSED, CORRELATION, CORRELATION_FUSED } from '../runtime/kernels/modules';
import { defineOperation, type Implementation } from './operation';
import { outputs, wasmKernel } from './wasm-kernels';

/** The activation that is fused into a convolution. */
type Activation = 'linear' | 'relu';

interface Attributes {
  readonly activation: Activation;
  readonly left: number;
  readonly presentColumns: number;
  readonly dilation: readonly [rows: number, columns: number];
  /** Parts of the features, one after the other: outputs see only inputs of their own. */
  readonly groups: number;
}

interface Inputs {
  readonly x: tf.Tensor4D;
  readonly kernel: tf.Tensor4D;
  readonly bias: tf.Tensor1D | undefined;
}

/** The tensors that gradients need. */
interface Saved extends Pick<Inputs, 'x' | 'kernel'> {
  readonly y: tf.Tensor4D | undefined; // the output [N,H,W,out] of a ReLU, since dy is masked by y > 0
}

/**
 * activation(x * kernel + bias): a convolution whose kernel has only causal rows. Its last row lies on the output's own
 * row, and `left` of its columns lie to the left of the output. Zero padding keeps height and width. Only the first
 * `presentColumns` columns of the last row are used. The others must be zero, and their gradient is meaningless.
 *
 * @param x [N,H,W,in]
 * @param kernel [rows,columns,in/groups,out], already masked
 * @param bias [out], or null
 * @param left 0 to columns - 1; by default the kernel is centred, which requires an odd number of columns
 * @param presentColumns 0 to columns; by default up to the output's own column
 * @param dilation rows and columns from tap to tap; `left` counts taps
 * @param groups as many groups of features, one after the other, of which outputs see only inputs of their own
 * @returns [N,H,W,out]
 * @throws RangeError if the batch is larger than the GPU can hold
 */
export function causalConv2d(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  bias: tf.Tensor1D | null,
  activation: Activation = 'linear',
  left: number = kernel.shape[1] >> 1,
  presentColumns: number = left + 1,
  dilation: Attributes['dilation'] = [1, 1],
  groups = 1,
): tf.Tensor4D {
  const [n, h, w, featuresIn] = x.shape;
  checkBatchFits([n, h, w, Math.max(featuresIn, kernel.shape[3])]);
  return operation(
    { x, kernel, bias: bias ?? undefined },
    { activation, left, presentColumns, dilation, groups },
  );
}

/** The output [N,H,W,out], and what its gradients need. */
const withSaved = ({ x, kernel }: Inputs, y: tf.Tensor4D, { activation }: Attributes) => ({
  y,
  saved: { x, kernel, y: activation === 'relu' ? y : undefined },
});

export type Convolution = Implementation<Inputs, Attributes, Saved, tf.Tensor4D>;

/** Of forward convolutions, products and transposes: tfjs's filter gradient is missing on wasm and slow on cpu. */
export const composedConv: Convolution = {
  forward(inputs, attributes) {
    const part = usedPartOf(inputs.kernel.shape, attributes);
    const kernel = partOf(inputs.kernel, part); // [rows,columns of the part,in/groups,out]
    const y = byGroup(attributes, inputs.x, kernel, inputs.bias, (x, kernel, bias) =>
      forward({ x, kernel, bias }, part, attributes.activation),
    );
    return withSaved(inputs, y, attributes);
  },
  gradients(dy, { x, kernel, y }, attributes) {
    const dz: tf.Tensor4D = y === undefined ? dy : tf.mul(dy, tf.step(y)); // before the activation
    const part = usedPartOf(kernel.shape, attributes);
    return {
      x: () =>
        byGroup(attributes, dz, partOf(kernel, part), undefined, (dz, kernel) =>
          inputGradient(dz, kernel, part),
        ),
      kernel: () =>
        widened(
          byGroup(attributes, x, dz, undefined, (x, dz) => kernelGradient(x, dz, part)),
          kernel.shape,
        ),
      bias: () => sumOverPixels(dz),
    };
  },
};

/** Does something with the features of each group, and joins the results: [..,F] -> F/groups of each. */
function byGroup(
  { groups }: Attributes,
  a: tf.Tensor4D,
  b: tf.Tensor4D,
  c: tf.Tensor1D | undefined,
  act: (a: tf.Tensor4D, b: tf.Tensor4D, c: tf.Tensor1D | undefined) => tf.Tensor4D,
): tf.Tensor4D {
  if (groups === 1) return act(a, b, c);
  const parts = <T extends tf.Tensor>(of: T): T[] => tf.split(of, groups, -1);
  const [as, bs, cs] = [parts(a), parts(b), c && parts(c)]; // groups of [..,F/groups]
  return tf.concat(
    as.map((part, i) => act(part, bs[i] as tf.Tensor4D, cs?.[i])),
    3,
  ); // [..,F]
}

type Pads = Exclude<Parameters<typeof tf.conv2d>[3], string | number>;

/** The part of a kernel that is used: its first columns, and how many lie left and right of the output's own. */
interface UsedPart extends Pick<Attributes, 'left' | 'dilation'> {
  readonly shape: tf.Tensor4D['shape']; // [rows,columns,in,out]
  readonly right: number;
}

/** The whole kernel, unless it is a single row in which nothing to the right of the output's own pixel is used. */
function usedPartOf(shape: tf.Tensor4D['shape'], { presentColumns, left, dilation }: Attributes): UsedPart {
  const [rows, columns, featuresIn, featuresOut] = shape;
  if (rows > 1 || presentColumns !== left + 1) return { shape, left, right: columns - 1 - left, dilation };
  return { shape: [1, left + 1, featuresIn, featuresOut], left, right: 0, dilation };
}

const partOf = (kernel: tf.Tensor4D, { shape }: UsedPart): tf.Tensor4D =>
  shape[1] === kernel.shape[1] ? kernel : tf.slice(kernel, [0, 0, 0, 0], shape); // [rows,columns of the part,in,out]

/** [rows,columns of the part,in,out] -> [rows,columns,in,out], with 0 for unused columns */
function widened(kernel: tf.Tensor4D, [, columns]: tf.Tensor4D['shape']): tf.Tensor4D {
  const missing = columns - kernel.shape[1];
  if (missing === 0) return kernel;
  return tf.pad(kernel, [[0, 0], [0, missing], [0, 0], [0, 0]]); // biome-ignore format: one pair a dimension
}

function forward({ x, kernel, bias }: Inputs, part: UsedPart, activation: Activation): tf.Tensor4D {
  const [n, h, w, featuresIn] = x.shape;
  const featuresOut = kernel.shape[3];
  const optionalBias: tf.NamedTensorMap = bias === undefined ? {} : { bias };
  if (isPointwise(kernel.shape)) {
    const a = tf.reshape(x, [1, n * h * w, featuresIn]); // [N,H,W,in] -> [1, N*H*W, in]
    const b = tf.reshape(kernel, [1, featuresIn, featuresOut]); // [1,1,in,out] -> [1,in,out]
    const attributes = { transposeA: false, transposeB: false, activation };
    const y: tf.Tensor = tf.engine().runKernel(tf._FusedMatMul, { a, b, ...optionalBias }, attributes); // [1, N*H*W, out]
    return tf.reshape(y, [n, h, w, featuresOut]); // [1, N*H*W, out] -> [N,H,W,out]
  }
  const { dilation: dilations } = part;
  const attributes = { strides: 1, pad: padsAbove(part), dataFormat: 'NHWC', dilations, activation };
  return tf.engine().runKernel(tf.FusedConv2D, { x, filter: kernel, ...optionalBias }, attributes); // [N,H,W,out]
}

/** [N,H,W,out] -> [N,H,W,in]: the reversed convolution, with the kernel flipped and its rows reaching downwards. */
function inputGradient(dz: tf.Tensor4D, kernel: tf.Tensor4D, part: UsedPart): tf.Tensor4D {
  const [rows, columns, featuresIn, featuresOut] = kernel.shape;
  if (isPointwise(kernel.shape)) {
    const [n, h, w] = dz.shape;
    const dx = tf.matMul(pixelRows(dz), tf.transpose(tf.reshape(kernel, [featuresIn, featuresOut]))); // [N*H*W, in]
    return tf.reshape(dx, [n, h, w, featuresIn]); // [N*H*W, in] -> [N,H,W,in]
  }
  const taps = tf.reshape(kernel, [rows * columns, featuresIn, featuresOut]); // [rows,columns,in,out] -> [rows*columns,in,out]
  const lastFirst = tf.range(rows * columns - 1, -1, -1, 'int32');
  const flipped = tf.transpose(tf.gather(taps, lastFirst), [0, 2, 1]); // [rows*columns,out,in]; gather is faster than reverse
  const backwards = tf.reshape(flipped, [rows, columns, featuresOut, featuresIn]); // [rows*columns,out,in] -> [rows,columns,out,in]
  return paddedConv2d(dz, backwards as tf.Tensor4D, padsBelow(part), { dilation: part.dilation }); // [N,H,W,in]
}

/**
 * [N,H,W,in], [N,H,W,out] -> [rows,columns,in,out]: the image, with its batch as features, convolved with dz. Where taps
 * are dilated, so are the places of this convolution's outputs: a stride.
 */
function kernelGradient(x: tf.Tensor4D, dz: tf.Tensor4D, part: UsedPart): tf.Tensor4D {
  const { shape } = part;
  const featuresIn = shape[2];
  if (isPointwise(shape)) return tf.reshape(productOverPixels(x, dz), [1, 1, featuresIn, dz.shape[3]]); // [in,out] -> [1,1,in,out]
  const [n, h, w] = x.shape;
  const byImage = tf.reshape(featureRows(x), [featuresIn, n, h * w]); // [in, N*H*W] -> [in,N,H*W]
  const images = tf.reshape(tf.transpose(byImage, [0, 2, 1]), [featuresIn, h, w, n]); // [in,H,W,N]
  const kernels = tf.transpose(dz, [1, 2, 0, 3]); // [H,W,N,out]
  const dk = paddedConv2d(images as tf.Tensor4D, kernels, padsAbove(part), { stride: part.dilation }); // [in,rows,columns,out]
  return tf.transpose(dk, [1, 2, 0, 3]) as tf.Tensor4D; // [rows,columns,in,out]
}

/**
 * [N,H,W,F], [rows,columns,F,out] -> [N,H,W,out]: a convolution with zeros around the image. If it will be
 * differentiated, a separate operation adds the zeros, since tfjs-node has no gradient for asymmetric padding.
 */
function paddedConv2d(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  pads: Pads,
  {
    stride = [1, 1],
    dilation = [1, 1],
  }: { stride?: Attributes['dilation']; dilation?: Attributes['dilation'] },
): tf.Tensor4D {
  const isRecorded = tf.engine().state.gradientDepth > 0;
  const [of, pad] = isRecorded ? [tf.pad(x, pads), 'valid' as const] : [x, pads];
  return tf.conv2d(of, kernel, [...stride], pad, 'NHWC', [...dilation]);
}

/** [N,H,W,F] -> [F]: the sum over pixels, as a mean over each image, which is much faster than `sum` on wasm. */
export function sumOverPixels(x: tf.Tensor4D): tf.Tensor1D {
  const [n, h, w, features] = x.shape;
  const means = tf.reshape(tf.avgPool(x, [h, w], 1, 'valid'), [n, features]); // [N,F]
  return tf.reshape(tf.matMul(tf.fill([1, n], h * w), means), [features]); // [1,N] [N,F] -> [1,F] -> [F]
}

/**
 * The sum over pixels of x y: [N,H,W,in], [N,H,W,out] -> [in,out]. On wasm a transpose flag is slow, so one side is
 * transposed here and the product packs the other. The narrower side is packed, since packing costs more.
 */
function productOverPixels(x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor2D {
  if (x.shape[3] >= y.shape[3]) return tf.matMul(featureRows(x), pixelRows(y));
  return tf.transpose(tf.matMul<tf.Tensor2D>(featureRows(y), pixelRows(x)));
}

/** [N,H,W,F] -> [F, N*H*W], in two steps, since a transpose within each image stays in the cache. */
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

const isPointwise = ([rows, columns]: tf.Tensor4D['shape']) => rows === 1 && columns === 1;

// biome-ignore-start format: one pair a dimension, NHWC
const padsAbove = ({ shape: [rows], left, right, dilation: [down, across] }: UsedPart): Pads => [
  [0, 0],
  [down * (rows - 1), 0],
  [across * left, across * right],
  [0, 0],
];
const padsBelow = ({ shape: [rows], left, right, dilation: [down, across] }: UsedPart): Pads => [
  [0, 0],
  [0, down * (rows - 1)],
  [across * right, across * left],
  [0, 0],
];
// biome-ignore-end format: one pair a dimension, NHWC

/** The first use fused multiply-add, which rounds differently on some processors, so sampling never uses them. */
const convolutions = [CONVOLUTION_FUSED, CONVOLUTION];
const correlations = [CORRELATION_FUSED, CORRELATION];

const wasmForward = wasmKernel(
  'PixelCNNCausalConv2D',
  convolutions,
  (loops, { x, kernel, bias }: Inputs, attributes: Attributes) => {
    const [n, h, w] = x.shape;
    const shape = [n, h, w, kernel.shape[3]] as const;
    const lowerBound = attributes.activation === 'relu' ? 0 : -Infinity;
    const numbers = [...sizesOf(x, kernel, attributes), lowerBound] as const;
    return outputs([shape], loops.convolve, [x, kernel, bias], numbers, loops.convolutionScratch);
  },
);

type GradientInputs = Saved & { readonly dy: tf.Tensor4D };

const wasmInputGradient = wasmKernel(
  'PixelCNNCausalConv2DInputGradient',
  convolutions,
  (loops, { dy, x, kernel, y }: GradientInputs, attributes: Attributes) => {
    const sizes = sizesOf(x, kernel, attributes);
    return outputs([x.shape], loops.convolveBack, [dy, y, kernel], sizes, loops.convolutionScratch);
  },
);

const wasmWeightGradients = wasmKernel(
  'PixelCNNCausalConv2DWeightGradients',
  correlations,
  (loops, { dy, x, kernel, y }: GradientInputs, attributes: Attributes) => {
    const sizes = sizesOf(x, kernel, attributes);
    const shapes = [kernel.shape, [dy.shape[3]]] as const;
    return outputs(shapes, loops.correlate, [x, dy, y], sizes, loops.correlationScratch);
  },
);

function sizesOf(
  { shape: [n, h, w, featuresIn] }: tf.Tensor4D,
  { shape: [rows, columns, , featuresOut] }: tf.Tensor4D,
  { left, presentColumns, dilation, groups }: Attributes,
) {
  return [
    n,
    h,
    w,
    featuresIn,
    featuresOut,
    rows,
    columns,
    left,
    presentColumns,
    ...dilation,
    groups,
  ] as const;
}

export const wasmConv: Convolution = {
  forward: (inputs, attributes) => withSaved(inputs, wasmForward(inputs, attributes)[0], attributes),
  gradients(dy, saved, attributes) {
    const inputs = { dy, ...saved };
    const [kernel, bias] = wasmWeightGradients(inputs, attributes); // one pass over the images gives both
    return { x: () => wasmInputGradient(inputs, attributes)[0], kernel, bias };
  },
};

const operation = defineOperation({
  name: 'causalConv2d',
  composed: composedConv,
  wasmImplementation: wasmConv,
});

/** The part of the WebGPU backend that we use. */
interface WebGPUBackend {
  readonly device: { readonly limits: { maxBufferSize: number; maxStorageBufferBindingSize: number } };
}

/** The most bytes of one tensor on the current backend, limited by the buffers or textures of the GPU. */
function largestTensor(): number {
  switch (tf.getBackend()) {
    case 'webgpu': {
      const { limits } = (tf.backend() as unknown as WebGPUBackend).device;
      return Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    }
    case 'webgl': // one number per texel, since not all of tfjs's programs pack four into one
      return 4 * tf.env().getNumber('WEBGL_MAX_TEXTURE_SIZE') ** 2;
    default:
      return Infinity;
  }
}

/** Checks that the GPU can hold a tensor [N,H,W,F] in one piece. WebGPU itself would continue with zeros. */
export function checkBatchFits([n, h, w, features]: readonly [number, number, number, number]): void {
  const bytesPerImage = 4 * h * w * features;
  const limit = largestTensor();
  if (limit === Infinity || n * bytesPerImage <= limit) return;
  const fitting = Math.floor(limit / bytesPerImage);
  const advice = fitting > 0 ? `at most ${fitting} images fit` : 'not even one image fits';
  throw new RangeError(
    `A batch of ${n} images is too large for ${tf.getBackend()}: a tensor [${n},${h},${w},${features}] has more than ${limit} bytes; ${advice}`,
  );
}

// Strided convolutions are computed at stride 1 and then subsampled. Transposed ones are computed
// at stride 1 on a map with zeros between its places.

/** Takes every second row and column: [N,H,W,F] -> [N,H/2,W/2,F]. */
export function everySecond(x: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, features] = x.shape;
  const pairs: tf.Tensor4D = tf.reshape(x, [(n * h) / 2, 2, w / 2, 2 * features]); // [N*H/2,2,W/2,2F]
  const first = tf.slice(pairs, 0, [(n * h) / 2, 1, w / 2, features]); // [N*H/2,1,W/2,F]
  return tf.reshape(first, [n, h / 2, w / 2, features]);
}

/** Adds zeros after each row and column: [N,H,W,F] -> [N,2H,2W,F]. */
export function dilated(x: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, features] = x.shape;
  const places: tf.Tensor4D = tf.reshape(x, [n * h, 1, w, features]); // [N*H,1,W,F]
  const padded = tf.pad(places, [[0, 0], [0, 1], [0, 0], [0, features]]); // biome-ignore format: [N*H,2,W,2F], one pair a dimension
  return tf.reshape(padded, [n, 2 * h, 2 * w, features]);
}
