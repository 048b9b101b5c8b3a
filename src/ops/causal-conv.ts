import * as tf from '@tensorflow/tfjs-core';
import { CONVOLUTION, CONVOLUTION_FUSED, CORRELATION, CORRELATION_FUSED } from '../kernels/modules';
import {
  type ConvAttributes,
  type ConvInputs,
  type ConvSaved,
  composedConv,
  type FusedActivation,
  withSaved,
} from './composed-conv';
import { defineOperation } from './operation';
import { output, wasmKernel } from './wasm-kernels';

/**
 * activation(x * kernel + bias): a convolution whose kernel has only causal rows. Its last row lies on the output's own
 * row, and `left` of its columns lie to the left of the output. The image is padded with zeros, so that height and
 * width stay the same. Only the first `presentColumns` columns of the last row are used: the others must be zero; they
 * may or may not be read, and their gradient is meaningless.
 *
 * @param x [N,H,W,in]
 * @param kernel [rows,columns,in,out], already masked
 * @param bias [out], or null
 * @param left 0 to columns - 1; by default the kernel is centred, which requires an odd number of columns
 * @param presentColumns 0 to columns; by default up to the output's own column
 * @returns [N,H,W,out]
 * @throws RangeError if the batch is larger than the GPU can hold
 */
export function causalConv2d(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  bias: tf.Tensor1D | null,
  activation: FusedActivation = 'linear',
  left: number = kernel.shape[1] >> 1,
  presentColumns: number = left + 1,
): tf.Tensor4D {
  const [n, h, w, featuresIn] = x.shape;
  checkBatchFits([n, h, w, Math.max(featuresIn, kernel.shape[3])]);
  return operation({ x, kernel, bias: bias ?? undefined }, { activation, left, presentColumns });
}

/**
 * With fused multiplications and additions where WebAssembly has them; whether a result is then rounded once or twice
 * depends on the processor. Sampling never uses them, since its results must be the same on every machine.
 */
const convolutions = [CONVOLUTION_FUSED, CONVOLUTION];
const correlations = [CORRELATION_FUSED, CORRELATION];

const wasmForward = wasmKernel(
  'PixelCNNCausalConv2D',
  convolutions,
  (loops, { x, kernel, bias }: ConvInputs, attributes: ConvAttributes) => {
    const lowerBound = attributes.activation === 'relu' ? 0 : Number.NEGATIVE_INFINITY;
    const [images, ...image] = sizesOf(x, kernel, attributes);
    const [height, width, , featuresOut] = image;
    return output(
      [images, height, width, featuresOut],
      loops.convolve,
      [x, kernel, bias],
      [images, ...image, lowerBound],
      loops.convolutionScratch(...image),
    );
  },
);

type GradientInputs = ConvSaved & { readonly dy: tf.Tensor4D };

const wasmInputGradient = wasmKernel(
  'PixelCNNCausalConv2DInputGradient',
  convolutions,
  (loops, { dy, x, kernel, y }: GradientInputs, attributes: ConvAttributes) => {
    const [images, ...image] = sizesOf(x, kernel, attributes);
    const scratchBytes = loops.convolutionScratch(...image);
    return output(x.shape, loops.convolveBack, [dy, y, kernel], [images, ...image], scratchBytes);
  },
);

const wasmKernelGradient = wasmKernel(
  'PixelCNNCausalConv2DKernelGradient',
  correlations,
  (loops, { dy, x, kernel, y }: GradientInputs, attributes: ConvAttributes) => {
    const [images, ...image] = sizesOf(x, kernel, attributes);
    const scratchBytes = loops.correlationScratch(...image);
    return output(kernel.shape, loops.correlate, [x, dy, y], [images, ...image], scratchBytes);
  },
);

const wasmBiasGradient = wasmKernel(
  'PixelCNNCausalConv2DBiasGradient',
  correlations,
  (loops, { dy, x, kernel, y }: GradientInputs, attributes: ConvAttributes) => {
    const [, ...image] = sizesOf(x, kernel, attributes);
    const scratchBytes = loops.correlationScratch(...image);
    return output([dy.shape[3]], loops.sumPixels, [dy, y], dy.shape, scratchBytes);
  },
);

function sizesOf(
  { shape: [n, h, w, featuresIn] }: tf.Tensor4D,
  { shape: [rows, columns, , featuresOut] }: tf.Tensor4D,
  { left, presentColumns }: ConvAttributes,
) {
  return [n, h, w, featuresIn, featuresOut, rows, columns, left, presentColumns] as const;
}

const operation = defineOperation<ConvInputs, ConvAttributes, ConvSaved, tf.Tensor4D>({
  name: 'causalConv2d',
  composed: composedConv,
  wasmImplementation: {
    forward: (inputs, attributes) => withSaved(inputs, wasmForward(inputs, attributes), attributes),
    gradients: (dy, saved, attributes) => ({
      x: () => wasmInputGradient({ dy, ...saved }, attributes),
      kernel: () => wasmKernelGradient({ dy, ...saved }, attributes),
      bias: () => wasmBiasGradient({ dy, ...saved }, attributes),
    }),
  },
});

/** The parts of a WebGPU device that we use. */
interface DeviceLimits {
  device: { limits: { maxBufferSize: number; maxStorageBufferBindingSize: number } };
}

/** The most bytes of one tensor on the current backend: what a buffer or a texture of the GPU can hold. */
function largestTensor(): number {
  switch (tf.getBackend()) {
    case 'webgpu': {
      const { limits } = (tf.backend() as unknown as DeviceLimits).device;
      return Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    }
    case 'webgl': // one number a texel, since not all of tfjs's programs pack four into it
      return 4 * tf.env().getNumber('WEBGL_MAX_TEXTURE_SIZE') ** 2;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/**
 * Throws if a tensor [N,H,W,F] is larger than the GPU can hold in one piece, and says which batch size fits. WebGPU
 * itself would not throw, but continue with zeros.
 *
 * @throws RangeError
 */
export function checkBatchFits([n, h, w, features]: readonly [number, number, number, number]): void {
  const bytesPerImage = 4 * h * w * features;
  const limit = largestTensor();
  if (limit === Number.POSITIVE_INFINITY || n * bytesPerImage <= limit) return;
  const tensor = `one tensor [${n},${h},${w},${features}] has ${n * bytesPerImage} bytes, ${limit} is the limit`;
  const fitting = Math.floor(limit / bytesPerImage);
  const advice = fitting > 0 ? `at most ${fitting} images fit` : 'not even one image fits';
  throw new RangeError(
    `A batch of ${n} images is too large for ${tf.getBackend()} here: ${tensor}; ${advice}`,
  );
}

// Strided convolutions are computed at stride 1, after which places are dropped. Transposed ones are computed at stride
// 1 on a map with zeros between its places. A PixelCNN++ has eight of them among some sixty others, so only about
// 3 % of the multiplications are wasted.

/** Every second row and column: [N,H,W,F] -> [N,H/2,W/2,F]. */
export function everySecond(x: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, features] = x.shape;
  const pairs: tf.Tensor4D = tf.reshape(x, [(n * h) / 2, 2, w / 2, 2 * features]); // [N*H/2,2,W/2,2F]
  const first = tf.slice(pairs, 0, [(n * h) / 2, 1, w / 2, features]); // [N*H/2,1,W/2,F]
  return tf.reshape(first, [n, h / 2, w / 2, features]);
}

/** Rows and columns of zeros after each: [N,H,W,F] -> [N,2H,2W,F]. */
export function dilated(x: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, features] = x.shape;
  const places: tf.Tensor4D = tf.reshape(x, [n * h, 1, w, features]); // [N*H,1,W,F]
  const padded = tf.pad(places, [[0, 0], [0, 1], [0, 0], [0, features]]); // biome-ignore format: [N*H,2,W,2F], one pair a dimension
  return tf.reshape(padded, [n, 2 * h, 2 * w, features]);
}
