import {
  type DataId,
  engine,
  env,
  getBackend,
  type NamedTensorMap,
  registerKernel,
  type Tensor4D,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { ConvolutionKernels } from '../kernels/types';
import { convolutionKernels } from '../kernels/webassembly';
import type { Implementation, Saved } from './implementation';

/** Set to false, it leaves the wasm backend to tfjs's own operations: `tf.env().set('PIXELCNN_WASM_KERNELS', false)`. */
const FLAG = 'PIXELCNN_WASM_KERNELS';

env().registerFlag(FLAG, () => true);

/** What is used of the inside of tfjs's wasm backend. */
interface WasmBackend {
  readonly wasm: { readonly asm: { readonly memory: WebAssembly.Memory } };
  readonly dataIdMap: { get(dataId: DataId): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorInfo;
  disposeData(dataId: DataId): boolean;
}

/** The loops over a backend's memory, looked for once; null where its inside is not as we know it, or has no SIMD. */
const loops = new WeakMap<object, ConvolutionKernels | null>();

function loopsOver(backend: Partial<WasmBackend>): ConvolutionKernels | null {
  let found = loops.get(backend);
  if (found === undefined) {
    const memory = backend.wasm?.asm?.memory;
    const isKnown =
      memory instanceof WebAssembly.Memory &&
      typeof backend.dataIdMap?.get === 'function' &&
      typeof backend.makeOutput === 'function' &&
      typeof backend.disposeData === 'function';
    found = isKnown ? convolutionKernels(memory) : null;
    loops.set(backend, found);
  }
  return found;
}

/**
 * Whether masked convolutions run in this library's own WebAssembly loops now, rather than in operations of tfjs: on the wasm backend,
 * without threads, where WebAssembly has SIMD. Results are the same but for rounding.
 *
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { kernelsInUse } from 'pixelcnn-layers';
 * tf.env().set('PIXELCNN_WASM_KERNELS', false); // to compare
 * console.log(kernelsInUse()); // false
 * tf.env().set('PIXELCNN_WASM_KERNELS', true);
 * ```
 */
export function kernelsInUse(): boolean {
  return ownOnWasm() !== null;
}

/** The implementation by our own loops where they can be had on the present backend. */
export function ownOnWasm(): Implementation | null {
  if (getBackend() !== 'wasm' || !env().getBool(FLAG)) return null;
  return loopsOver(engine().backend as Partial<WasmBackend>) === null ? null : own;
}

const own: Implementation = {
  forward({ x, kernel, bias }, activation) {
    const [n, h, w] = x.shape;
    const y = output([n, h, w, kernel.shape[3]]);
    const least = activation === 'relu' ? 0 : Number.NEGATIVE_INFINITY;
    withScratch(x, kernel, ({ convolve }, sizes, scratch) =>
      convolve(address(y), address(x), address(kernel), address(bias), ...sizes, least, scratch),
    );
    return y;
  },
  gradients(dy, { x, kernel, y }) {
    const inputs: NamedTensorMap = y === undefined ? { dy, x, kernel } : { dy, x, kernel, y };
    return {
      x: () => engine().runKernel(GRADIENTS.x, inputs),
      kernel: () => engine().runKernel(GRADIENTS.kernel, inputs),
      bias: () => engine().runKernel(GRADIENTS.bias, inputs),
    };
  },
};

/** The gradients' names as kernels of the wasm backend. */
const GRADIENTS = {
  x: 'PixelCNNCausalConv2DInputGradient',
  kernel: 'PixelCNNCausalConv2DKernelGradient',
  bias: 'PixelCNNCausalConv2DBiasGradient',
} as const;

/** Registers a gradient as a kernel: its shape, and how loops fill it. */
function registerGradientKernel(
  kernelName: string,
  shapeOf: (inputs: GradientInputs) => readonly number[],
  fill: (
    loops: ConvolutionKernels,
    gradient: number,
    inputs: GradientInputs,
    sizes: Sizes,
    scratch: number,
  ) => void,
): void {
  registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc(args) {
      const inputs = args.inputs as unknown as GradientInputs;
      const gradient = output(shapeOf(inputs));
      withScratch(inputs.x, inputs.kernel, (loops, sizes, scratch) =>
        fill(loops, address(gradient), inputs, sizes, scratch),
      );
      return gradient;
    },
  });
}

type GradientInputs = Saved & { dy: Tensor4D };
type Sizes = readonly [n: number, h: number, w: number, featuresIn: number, featuresOut: number, rows: number, columns: number]; // biome-ignore format: one line

registerGradientKernel(
  GRADIENTS.x,
  ({ x }) => x.shape,
  ({ convolveBack }, dx, { dy, y, kernel }, sizes, scratch) =>
    convolveBack(dx, address(dy), address(y), address(kernel), ...sizes, scratch),
);

registerGradientKernel(
  GRADIENTS.kernel,
  ({ kernel }) => kernel.shape,
  ({ correlate }, dkernel, { x, dy, y }, sizes, scratch) =>
    correlate(dkernel, address(x), address(dy), address(y), ...sizes, scratch),
);

registerGradientKernel(
  GRADIENTS.bias,
  ({ kernel }) => [kernel.shape[3]],
  ({ sumPixels }, dbias, { dy, y }, [n, h, w, , featuresOut], scratch) =>
    sumPixels(dbias, address(dy), address(y), n, h, w, featuresOut, scratch),
);

const backend = () => engine().backend as unknown as WasmBackend;

const output = (shape: readonly number[]): TensorInfo => backend().makeOutput(shape, 'float32');

/** Where a tensor's numbers lie in the backend's memory, 0 for none. Good until the next allocation at least: they never move. */
function address(tensor: TensorInfo | undefined): number {
  return tensor === undefined ? 0 : backend().dataIdMap.get(tensor.dataId).memoryOffset;
}

/** Runs a loop with the sizes it wants, and memory to work in. */
function withScratch(
  { shape: [n, h, w, featuresIn] }: Tensor4D,
  { shape: [rows, columns, , featuresOut] }: Tensor4D,
  run: (loops: ConvolutionKernels, sizes: Sizes, scratch: number) => void,
): void {
  const kernels = loopsOver(backend()) as ConvolutionKernels;
  const bytes = kernels.scratchBytes(h, w, featuresIn, featuresOut, rows, columns);
  const scratch = output([Math.ceil(bytes / 4)]);
  run(kernels, [n, h, w, featuresIn, featuresOut, rows, columns], address(scratch));
  backend().disposeData(scratch.dataId);
}
