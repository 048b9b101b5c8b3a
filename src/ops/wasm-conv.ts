import { engine, type Tensor4D, type TensorInfo } from '@tensorflow/tfjs-core';
import type { ConvolutionSizes, TrainingKernels } from '../kernels/types';
import type { Implementation, Saved } from './implementation';
import { address, filled, ownLoops, registerOnWasm } from './wasm-backend';

/** The implementation by our own loops where they can be had on the present backend. */
export function ownOnWasm(): Implementation | null {
  return ownLoops() === null ? null : own;
}

const own: Implementation = {
  forward: ({ x, kernel, bias }, activation) => {
    const loops = ownLoops() as TrainingKernels;
    const least = activation === 'relu' ? 0 : Number.NEGATIVE_INFINITY;
    return compute([...x.shape.slice(0, 3), kernel.shape[3]], loops, x, kernel, (y, sizes, scratch) =>
      loops.convolve(y, address(x), address(kernel), address(bias), ...sizes, least, scratch),
    );
  },
  gradients(dy, saved) {
    const inputs = { dy, ...saved };
    return {
      x: () => engine().runKernel(GRADIENTS.x, inputs),
      kernel: () => engine().runKernel(GRADIENTS.kernel, inputs),
      bias: () => engine().runKernel(GRADIENTS.bias, inputs),
    };
  },
};

const GRADIENTS = {
  x: 'PixelCNNCausalConv2DInputGradient',
  kernel: 'PixelCNNCausalConv2DKernelGradient',
  bias: 'PixelCNNCausalConv2DBiasGradient',
} as const;

type GradientInputs = Saved & { dy: Tensor4D };

registerOnWasm<GradientInputs>(GRADIENTS.x, (loops, { dy, x, kernel, y }) =>
  compute(x.shape, loops, x, kernel, (dx, sizes, scratch) =>
    loops.convolveBack(dx, address(dy), address(y), address(kernel), ...sizes, scratch),
  ),
);

registerOnWasm<GradientInputs>(GRADIENTS.kernel, (loops, { dy, x, kernel, y }) =>
  compute(kernel.shape, loops, x, kernel, (dkernel, sizes, scratch) =>
    loops.correlate(dkernel, address(x), address(dy), address(y), ...sizes, scratch),
  ),
);

registerOnWasm<GradientInputs>(GRADIENTS.bias, (loops, { dy, x, kernel, y }) =>
  compute([kernel.shape[3]], loops, x, kernel, (dbias, [n, h, w, , featuresOut], scratch) =>
    loops.sumPixels(dbias, address(dy), address(y), n, h, w, featuresOut, scratch),
  ),
);

/** A tensor that loops fill, given its address, the sizes of the convolution and memory to work in. */
function compute(
  shape: readonly number[],
  { scratchBytes }: Pick<TrainingKernels, 'scratchBytes'>,
  { shape: [n, h, w, featuresIn] }: Tensor4D,
  { shape: [rows, columns, , featuresOut] }: Tensor4D,
  fill: (output: number, sizes: ConvolutionSizes, scratch: number) => void,
): TensorInfo {
  const bytes = scratchBytes(h, w, featuresIn, featuresOut, rows, columns) >>> 0;
  const [tensor] = filled([shape], bytes, ([output], scratch) =>
    fill(output as number, [n, h, w, featuresIn, featuresOut, rows, columns], scratch),
  );
  return tensor as TensorInfo;
}
