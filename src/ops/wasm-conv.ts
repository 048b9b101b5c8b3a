import {
  type DataId,
  engine,
  env,
  getBackend,
  getKernel,
  registerKernel,
  type Tensor4D,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { ConvolutionKernels, ConvolutionSizes } from '../kernels/types';
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
const known = new WeakMap<object, ConvolutionKernels | null>();

function loopsOver(backend: Partial<WasmBackend>): ConvolutionKernels | null {
  let loops = known.get(backend);
  if (loops === undefined) {
    const memory = backend.wasm?.asm?.memory;
    const isAsKnown =
      memory instanceof WebAssembly.Memory &&
      typeof backend.dataIdMap?.get === 'function' &&
      typeof backend.makeOutput === 'function' &&
      typeof backend.disposeData === 'function';
    loops = isAsKnown ? convolutionKernels(memory) : null;
    known.set(backend, loops);
  }
  return loops;
}

/**
 * Whether masked convolutions run in this library's own WebAssembly loops now, rather than in operations of tfjs: on the wasm backend,
 * without threads, where WebAssembly has SIMD. Results are the same but for rounding, and for a NaN, which tfjs's ReLU turns into 0.
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
  const backend = engine().registry['wasm']; // not there while it starts
  return backend === undefined || loopsOver(backend as Partial<WasmBackend>) === null ? null : own;
}

const own: Implementation = {
  forward: ({ x, kernel, bias }, activation) =>
    compute([...x.shape.slice(0, 3), kernel.shape[3]], x, kernel, ({ convolve }, y, sizes, scratch) => {
      const least = activation === 'relu' ? 0 : Number.NEGATIVE_INFINITY;
      convolve(y, address(x), address(kernel), address(bias), ...sizes, least, scratch);
    }),
  gradients(dy, saved) {
    const inputs = { dy, ...saved };
    return {
      x: () => engine().runKernel(GRADIENTS.x, inputs),
      kernel: () => engine().runKernel(GRADIENTS.kernel, inputs),
      bias: () => engine().runKernel(GRADIENTS.bias, inputs),
    };
  },
};

/** The gradients are kernels too, so that tfjs counts and profiles them. */
const GRADIENTS = {
  x: 'PixelCNNCausalConv2DInputGradient',
  kernel: 'PixelCNNCausalConv2DKernelGradient',
  bias: 'PixelCNNCausalConv2DBiasGradient',
} as const;

type GradientInputs = Saved & { dy: Tensor4D };

function registerOnWasm(kernelName: string, gradient: (inputs: GradientInputs) => TensorInfo): void {
  if (getKernel(kernelName, 'wasm') !== undefined) return; // by another copy of this library in the program
  const kernelFunc = ({ inputs }: { inputs: unknown }) => gradient(inputs as GradientInputs);
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
}

registerOnWasm(GRADIENTS.x, ({ dy, x, kernel, y }) =>
  compute(x.shape, x, kernel, ({ convolveBack }, dx, sizes, scratch) =>
    convolveBack(dx, address(dy), address(y), address(kernel), ...sizes, scratch),
  ),
);

registerOnWasm(GRADIENTS.kernel, ({ dy, x, kernel, y }) =>
  compute(kernel.shape, x, kernel, ({ correlate }, dkernel, sizes, scratch) =>
    correlate(dkernel, address(x), address(dy), address(y), ...sizes, scratch),
  ),
);

registerOnWasm(GRADIENTS.bias, ({ dy, x, kernel, y }) =>
  compute([kernel.shape[3]], x, kernel, ({ sumPixels }, dbias, [n, h, w, , featuresOut], scratch) =>
    sumPixels(dbias, address(dy), address(y), n, h, w, featuresOut, scratch),
  ),
);

/** A tensor that loops fill, given its address, the sizes of the convolution and memory to work in. */
function compute(
  shape: readonly number[],
  { shape: [n, h, w, featuresIn] }: Tensor4D,
  { shape: [rows, columns, , featuresOut] }: Tensor4D,
  fill: (loops: ConvolutionKernels, output: number, sizes: ConvolutionSizes, scratch: number) => void,
): TensorInfo {
  const loops = loopsOver(wasm()) as ConvolutionKernels;
  const bytes = loops.scratchBytes(h, w, featuresIn, featuresOut, rows, columns) >>> 0;
  const output = allocate(shape);
  try {
    const scratch = allocate([Math.ceil(bytes / 4)]);
    try {
      fill(loops, address(output), [n, h, w, featuresIn, featuresOut, rows, columns], address(scratch));
    } finally {
      wasm().disposeData(scratch.dataId);
    }
    return output;
  } catch (error) {
    wasm().disposeData(output.dataId);
    throw error;
  }
}

const wasm = () => engine().registry['wasm'] as unknown as WasmBackend;

function allocate(shape: readonly number[]): TensorInfo {
  const tensor = wasm().makeOutput(shape, 'float32');
  if (address(tensor) !== 0) return tensor;
  wasm().disposeData(tensor.dataId);
  throw new RangeError(`A tensor [${shape}] finds no room in the memory of the wasm backend`);
}

/** Where a tensor's numbers lie in the backend's memory, 0 for none. They do not move when it grows. */
function address(tensor: TensorInfo | undefined): number {
  return tensor === undefined ? 0 : wasm().dataIdMap.get(tensor.dataId).memoryOffset;
}
