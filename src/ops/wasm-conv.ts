import { engine, type Tensor4D, type TensorInfo } from '@tensorflow/tfjs-core';
import type { ConvolutionSizes, TrainingKernels } from '../kernels/training-kernels';
import type { ConvAttributes, ConvImplementation, ConvSaved } from './conv-implementation';
import { registerOnWasm, wasmKernels } from './wasm-kernels';
import { address, filled } from './wasm-memory';

/** The implementation by our own kernels where they can be had on the present backend. */
export function wasmConv(): ConvImplementation | null {
  return wasmKernels() === null ? null : own;
}

const own: ConvImplementation = {
  forward: ({ x, kernel, bias }, activation, presentColumns) => {
    const { convolve, convolutionScratch } = wasmKernels() as TrainingKernels;
    const least = activation === 'relu' ? 0 : Number.NEGATIVE_INFINITY;
    const sizes = sizesOf(x, kernel, { presentColumns });
    return compute([...x.shape.slice(0, 3), kernel.shape[3]], sizes, convolutionScratch, (y, scratch) =>
      convolve(y, address(x), address(kernel), address(bias), ...sizes, least, scratch),
    );
  },
  gradients(dy, saved, presentColumns) {
    const inputs = { dy, ...saved };
    const attributes: ConvAttributes = { presentColumns };
    return {
      x: () => engine().runKernel(GRADIENTS.x, inputs, attributes),
      kernel: () => engine().runKernel(GRADIENTS.kernel, inputs, attributes),
      bias: () => engine().runKernel(GRADIENTS.bias, inputs, attributes),
    };
  },
};

const GRADIENTS = {
  x: 'PixelCNNCausalConv2DInputGradient',
  kernel: 'PixelCNNCausalConv2DKernelGradient',
  bias: 'PixelCNNCausalConv2DBiasGradient',
} as const;

type GradientInputs = ConvSaved & { dy: Tensor4D };

registerOnWasm<GradientInputs, ConvAttributes>(GRADIENTS.x, (kernels, { dy, x, kernel, y }, attributes) => {
  const sizes = sizesOf(x, kernel, attributes);
  return compute(x.shape, sizes, kernels.convolutionScratch, (dx, scratch) =>
    kernels.convolveBack(dx, address(dy), address(y), address(kernel), ...sizes, scratch),
  );
});

registerOnWasm<GradientInputs, ConvAttributes>(
  GRADIENTS.kernel,
  (kernels, { dy, x, kernel, y }, attributes) => {
    const sizes = sizesOf(x, kernel, attributes);
    return compute(kernel.shape, sizes, kernels.correlationScratch, (dkernel, scratch) =>
      kernels.correlate(dkernel, address(x), address(dy), address(y), ...sizes, scratch),
    );
  },
);

registerOnWasm<GradientInputs, ConvAttributes>(
  GRADIENTS.bias,
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
  { presentColumns }: ConvAttributes,
): ConvolutionSizes {
  return [n, h, w, featuresIn, featuresOut, rows, columns, presentColumns];
}

/** A tensor that kernels fill, given its address and memory to work in. */
function compute(
  shape: readonly number[],
  [, ...image]: ConvolutionSizes,
  scratchBytes: TrainingKernels['convolutionScratch'],
  fill: (output: number, scratch: number) => void,
): TensorInfo {
  const bytes = scratchBytes(...image) >>> 0;
  const [tensor] = filled([shape], bytes, ([output], scratch) => fill(output as number, scratch));
  return tensor as TensorInfo;
}
