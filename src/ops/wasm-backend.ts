import {
  type DataId,
  engine,
  env,
  getBackend,
  getKernel,
  registerKernel,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { TrainingKernels } from '../kernels/training-kernels';
import { trainingKernels } from '../kernels/webassembly';

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
const known = new WeakMap<object, TrainingKernels | null>();

function loopsOver(backend: Partial<WasmBackend>): TrainingKernels | null {
  let loops = known.get(backend);
  if (loops === undefined) {
    const memory = backend.wasm?.asm?.memory;
    const isAsKnown =
      memory instanceof WebAssembly.Memory &&
      typeof backend.dataIdMap?.get === 'function' &&
      typeof backend.makeOutput === 'function' &&
      typeof backend.disposeData === 'function';
    loops = isAsKnown ? trainingKernels(memory) : null;
    known.set(backend, loops);
  }
  return loops;
}

/**
 * Whether masked convolutions, gates and the cross-entropy run in this library's own WebAssembly loops now, rather than in operations of
 * tfjs: on the wasm backend, without threads, where WebAssembly has SIMD. Results are the same but for rounding, and for a NaN, which
 * tfjs's ReLU turns into 0.
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
  return ownLoops() !== null;
}

/** Our loops, where they are wanted and can be had on the present backend. */
export function ownLoops(): TrainingKernels | null {
  if (getBackend() !== 'wasm' || !env().getBool(FLAG)) return null;
  const backend = engine().registry['wasm']; // not there while it starts
  return backend === undefined ? null : loopsOver(backend as Partial<WasmBackend>);
}

/** Makes a kernel of tfjs's wasm backend of them, so that tfjs counts and profiles what they do. */
export function registerOnWasm<Inputs, Attributes = undefined>(
  kernelName: string,
  compute: (loops: TrainingKernels, inputs: Inputs, attributes: Attributes) => TensorInfo | TensorInfo[],
): void {
  if (getKernel(kernelName, 'wasm') !== undefined) return; // by another copy of this library in the program
  const kernelFunc = ({ inputs, attrs }: { inputs: unknown; attrs?: unknown }) =>
    compute(loopsOver(wasm()) as TrainingKernels, inputs as Inputs, attrs as Attributes);
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
}

/**
 * Tensors [shapes] that loops fill, given their addresses and that of so many bytes to work in. Nothing is left in the backend where
 * they throw.
 */
export function filled(
  shapes: readonly (readonly number[])[],
  scratchBytes: number,
  fill: (addresses: readonly number[], scratch: number) => void,
): TensorInfo[] {
  const made: TensorInfo[] = [];
  try {
    const scratch = [Math.max(1, Math.ceil(scratchBytes / 4))]; // no address is had of nothing
    for (const shape of [...shapes, scratch]) made.push(allocate(shape));
    const addresses = made.map(address);
    fill(addresses, addresses.at(-1) as number);
  } catch (error) {
    for (const { dataId } of made) wasm().disposeData(dataId);
    throw error;
  }
  wasm().disposeData((made.pop() as TensorInfo).dataId);
  return made;
}

const wasm = () => engine().registry['wasm'] as unknown as WasmBackend;

function allocate(shape: readonly number[]): TensorInfo {
  const tensor = wasm().makeOutput(shape, 'float32');
  if (address(tensor) !== 0) return tensor;
  wasm().disposeData(tensor.dataId);
  throw new RangeError(`A tensor [${shape}] finds no room in the memory of the wasm backend`);
}

/** Where a tensor's numbers lie in the backend's memory, 0 for none. They do not move when it grows. */
export function address(tensor: TensorInfo | undefined): number {
  return tensor === undefined ? 0 : wasm().dataIdMap.get(tensor.dataId).memoryOffset;
}
