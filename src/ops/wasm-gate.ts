import { engine, type Tensor2D, type Tensor4D, type TensorInfo } from '@tensorflow/tfjs-core';
import { registerOnWasm, wasmKernels } from './wasm-kernels';
import { address, filled } from './wasm-memory';

const KERNEL_NAME = 'PixelCNNGate';
const GRADIENT = 'PixelCNNGateGradient';

interface Inputs {
  /** [N,H,W,2F] */
  x: Tensor4D;
  /** [N,2F] */
  condition?: Tensor2D;
}

type GradientInputs = Inputs & { dy: Tensor4D };

type Attributes = { readonly imageChannels: number };

registerOnWasm<Inputs, Attributes>(KERNEL_NAME, (kernels, { x, condition }, { imageChannels }) => {
  const [n, h, w, features] = x.shape;
  const [tensor] = filled([[n, h, w, features / 2]], 0, ([y = 0]) =>
    kernels.gate(y, address(x), address(condition), ...sizes(x, imageChannels)),
  );
  return tensor as TensorInfo;
});

registerOnWasm<GradientInputs, Attributes>(GRADIENT, (kernels, { dy, x, condition }, { imageChannels }) => {
  const [tensor] = filled([x.shape], 0, ([dx = 0]) =>
    kernels.gateBack(dx, address(dy), address(x), address(condition), ...sizes(x, imageChannels)),
  );
  return tensor as TensorInfo;
});

/** Images, pixels of each, groups of features and features of the output in each. */
function sizes({ shape: [n, h, w, features] }: Tensor4D, imageChannels: number) {
  return [n, h * w, imageChannels, features / (2 * imageChannels)] as const;
}

/** The gate [N,H,W,F] of x [N,H,W,2F] and condition [N,2F] by our own loop; null where that cannot be had. */
export function wasmGate(x: Tensor4D, imageChannels: number, condition: Tensor2D | null): Tensor4D | null {
  if (!isOwn(x, condition)) return null;
  const attributes: Attributes = { imageChannels };
  return engine().runKernel<Tensor4D>(KERNEL_NAME, condition === null ? { x } : { x, condition }, attributes);
}

/** The gradient for x [N,H,W,2F] of {@link wasmGate}, of dy [N,H,W,F]. */
export function wasmGateGradient(
  dy: Tensor4D,
  x: Tensor4D,
  imageChannels: number,
  condition: Tensor2D | null,
): Tensor4D | null {
  if (!isOwn(x, condition, dy)) return null;
  const attributes: Attributes = { imageChannels };
  return engine().runKernel<Tensor4D>(
    GRADIENT,
    condition === null ? { dy, x } : { dy, x, condition },
    attributes,
  );
}

function isOwn(...inputs: (Tensor4D | Tensor2D | null)[]): boolean {
  return wasmKernels() !== null && inputs.every((input) => input === null || input.dtype === 'float32');
}
