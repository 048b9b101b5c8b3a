import { backend, env, getBackend, type Tensor1D, type Tensor4D } from '@tensorflow/tfjs-core';
import type { ConvolutionSizes, TrainingKernels } from '../kernels/training-kernels';
import {
  type ConvAttributes,
  type ConvInputs,
  type ConvSaved,
  composedConv,
  type FusedActivation,
  withSaved,
} from './composed-conv';
import { defineOperation } from './operation';
import { address, filled, wasmKernel } from './wasm-kernels';

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
  x: Tensor4D,
  kernel: Tensor4D,
  bias: Tensor1D | null,
  activation: FusedActivation = 'linear',
  left: number = kernel.shape[1] >> 1,
  presentColumns: number = left + 1,
): Tensor4D {
  const [n, h, w, featuresIn] = x.shape;
  checkBatchFits([n, h, w, Math.max(featuresIn, kernel.shape[3])]);
  return operation({ x, kernel, bias: bias ?? undefined }, { activation, left, presentColumns });
}

const wasmForward = wasmKernel<ConvInputs, ConvAttributes, Tensor4D>(
  'PixelCNNCausalConv2D',
  (kernels, { x, kernel, bias }, attributes) => {
    const lowerBound = attributes.activation === 'relu' ? 0 : Number.NEGATIVE_INFINITY;
    const sizes = sizesOf(x, kernel, attributes);
    const [n, h, w, , featuresOut] = sizes;
    return compute([n, h, w, featuresOut], sizes, kernels.convolutionScratch, (y, scratch) =>
      kernels.convolve(y, address(x), address(kernel), address(bias), ...sizes, lowerBound, scratch),
    );
  },
);

type GradientInputs = ConvSaved & { readonly dy: Tensor4D };

const wasmInputGradient = wasmKernel<GradientInputs, ConvAttributes, Tensor4D>(
  'PixelCNNCausalConv2DInputGradient',
  (kernels, { dy, x, kernel, y }, attributes) => {
    const sizes = sizesOf(x, kernel, attributes);
    return compute(x.shape, sizes, kernels.convolutionScratch, (dx, scratch) =>
      kernels.convolveBack(dx, address(dy), address(y), address(kernel), ...sizes, scratch),
    );
  },
);

const wasmKernelGradient = wasmKernel<GradientInputs, ConvAttributes, Tensor4D>(
  'PixelCNNCausalConv2DKernelGradient',
  (kernels, { dy, x, kernel, y }, attributes) => {
    const sizes = sizesOf(x, kernel, attributes);
    return compute(kernel.shape, sizes, kernels.correlationScratch, (dkernel, scratch) =>
      kernels.correlate(dkernel, address(x), address(dy), address(y), ...sizes, scratch),
    );
  },
);

const wasmBiasGradient = wasmKernel<GradientInputs, ConvAttributes, Tensor1D>(
  'PixelCNNCausalConv2DBiasGradient',
  (kernels, { dy, x, kernel, y }, attributes) => {
    const sizes = sizesOf(x, kernel, attributes);
    const [n, h, w, , featuresOut] = sizes;
    return compute([featuresOut], sizes, kernels.correlationScratch, (dbias, scratch) =>
      kernels.sumPixels(dbias, address(dy), address(y), n, h, w, featuresOut, scratch),
    );
  },
);

function sizesOf(
  { shape: [n, h, w, featuresIn] }: Tensor4D,
  { shape: [rows, columns, , featuresOut] }: Tensor4D,
  { left, presentColumns }: ConvAttributes,
): ConvolutionSizes {
  return [n, h, w, featuresIn, featuresOut, rows, columns, left, presentColumns];
}

/** A tensor that kernels fill, given its address and scratch memory. */
function compute(
  shape: readonly number[],
  [, ...image]: ConvolutionSizes,
  scratchBytes: TrainingKernels['convolutionScratch'],
  fill: (output: number, scratch: number) => void,
) {
  const [tensor] = filled([shape], scratchBytes(...image) >>> 0, ([output], scratch) =>
    fill(output, scratch),
  );
  return tensor;
}

const operation = defineOperation<ConvInputs, ConvAttributes, ConvSaved, Tensor4D>({
  name: 'causalConv2d',
  composed: composedConv,
  wasmImplementation: {
    supports: ({ x, kernel, bias = x }) => [x, kernel, bias].every(({ dtype }) => dtype === 'float32'),
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
  switch (getBackend()) {
    case 'webgpu': {
      const { limits } = (backend() as unknown as DeviceLimits).device;
      return Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    }
    case 'webgl': // one number a texel, since not all of tfjs's programs pack four into it
      return 4 * env().getNumber('WEBGL_MAX_TEXTURE_SIZE') ** 2;
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
  throw new RangeError(`A batch of ${n} images is too large for ${getBackend()} here: ${tensor}; ${advice}`);
}
