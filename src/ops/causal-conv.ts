import {
  engine,
  getBackend,
  getGradient,
  getKernel,
  type NamedAttrMap,
  registerGradient,
  registerKernel,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { checkBatchFits } from './batch-limit';
import { composedConv } from './composed-conv';
import type { ConvAttributes, ConvImplementation, ConvInputs, FusedActivation } from './conv-implementation';
import { wasmConv } from './wasm-conv';

/** Our own kernels on the wasm backend where they can be had, tfjs's operations elsewhere. */
const implementation = (): ConvImplementation => wasmConv() ?? composedConv;

/**
 * Gradients that are recorded on a tape must be differentiable themselves, as tfjs's operations are as far as
 * the backend goes.
 */
const gradientImplementation = (): ConvImplementation =>
  engine().state.gradientDepth > 0 ? composedConv : implementation();

/** The names under which the operation is a kernel of every backend. */
const KERNEL_NAMES = { linear: 'PixelCNNCausalConv2D', relu: 'PixelCNNCausalConv2DRelu' } as const;

/**
 * activation(x * kernel + bias): a convolution whose kernel has only causal rows. Its last row lies on the
 * output's own row, its middle column on the output's own column; zeros pad the image, so that height and
 * width stay. Of the last row only the first `presentColumns` columns are used: the others must be zero; they
 * may or may not be looked at, and their gradient is meaningless.
 *
 * @param x [N,H,W,in]
 * @param kernel [rows,columns,in,out], already masked; columns odd
 * @param bias [out], or null
 * @param presentColumns 0 to columns; up to the output's own column where nothing is said
 * @returns [N,H,W,out]
 * @throws RangeError where the batch is larger than the GPU holds
 */
export function causalConv2d(
  x: Tensor4D,
  kernel: Tensor4D,
  bias: Tensor1D | null,
  activation: FusedActivation = 'linear',
  presentColumns: number = (kernel.shape[1] >> 1) + 1,
): Tensor4D {
  const [n, h, w, featuresIn] = x.shape;
  checkBatchFits([n, h, w, Math.max(featuresIn, kernel.shape[3])]);
  const kernelName = KERNEL_NAMES[activation];
  const backendName = getBackend();
  if (getKernel(kernelName, backendName) === undefined) {
    const kernelFunc = ({ inputs, attrs }: { inputs: unknown; attrs?: unknown }) =>
      implementation().forward(inputs as ConvInputs, activation, (attrs as ConvAttributes).presentColumns);
    registerKernel({ kernelName, backendName, kernelFunc });
  }
  const attributes: ConvAttributes = { presentColumns };
  return engine().runKernel(kernelName, bias === null ? { x, kernel } : { x, kernel, bias }, attributes);
}

// The first copy of this library in a program keeps its kernels, so also its gradients.
for (const [activation, kernelName] of Object.entries(KERNEL_NAMES)) {
  if (getGradient(kernelName) !== undefined) continue;
  const outputsToSave = activation === 'relu' ? [true] : [];
  registerGradient({ kernelName, inputsToSave: ['x', 'kernel'], outputsToSave, gradFunc: gradients });
}

function gradients(dy: Tensor | Tensor[], saved: Tensor[], attributes: NamedAttrMap) {
  const [x, kernel, y] = saved as [Tensor4D, Tensor4D, Tensor4D?];
  return gradientImplementation().gradients(
    dy as Tensor4D,
    y === undefined ? { x, kernel } : { x, kernel, y },
    (attributes as ConvAttributes).presentColumns,
  );
}
