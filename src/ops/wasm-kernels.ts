import {
  type DataId,
  engine,
  env,
  getBackend,
  getKernel,
  type NamedAttrMap,
  type NamedTensorMap,
  registerKernel,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { TrainingKernels } from '../kernels/training-kernels';

/** The internals of tfjs's wasm backend that we use. */
interface WasmBackend {
  readonly wasm: { readonly asm: { readonly memory: WebAssembly.Memory } };
  readonly dataIdMap: { get(dataId: DataId): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorInfo;
  disposeData(dataId: DataId): boolean;
}

const wasmBackend = () => engine().registry['wasm'] as unknown as WasmBackend;

/**
 * If false, the wasm backend uses tfjs's own operations: `tf.env().set('PIXELCNN_WASM_KERNELS', false)`.
 */
const FLAG = 'PIXELCNN_WASM_KERNELS';

env().registerFlag(FLAG, () => true);

/** Makes the kernels over a memory; undefined in bundles without own-kernels.ts. */
let makeKernels: ((memory: WebAssembly.Memory) => TrainingKernels | null) | undefined;

/** Sets the function that makes kernels from now on. */
export function provideKernels(make: NonNullable<typeof makeKernels>): void {
  makeKernels = make;
}

/**
 * The kernels over a backend's memory, looked up once; null if its internals are not as expected, or it has no SIMD.
 */
const known = new WeakMap<object, TrainingKernels | null>();

function kernelsOver(backend: Partial<WasmBackend>): TrainingKernels | null {
  if (makeKernels === undefined) return null;
  let kernels = known.get(backend);
  if (kernels === undefined) {
    const memory = backend.wasm?.asm?.memory;
    const isAsKnown =
      memory instanceof WebAssembly.Memory &&
      typeof backend.dataIdMap?.get === 'function' &&
      typeof backend.makeOutput === 'function' &&
      typeof backend.disposeData === 'function';
    kernels = isAsKnown ? makeKernels(memory) : null;
    known.set(backend, kernels);
  }
  return kernels;
}

/**
 * Whether masked convolutions, attention without dropout, the LSTMs of PixelRNN, gates, concatenated ELUs,
 * normalizations of features and of kernels, the cross-entropy and the loss of mixtures of logistics currently run in
 * this library's own WebAssembly loops instead of operations of tfjs. They do on the wasm backend without threads, if
 * WebAssembly has SIMD. Results are the same except for rounding, and for NaN, which tfjs's ReLU turns into 0.
 *
 * Bundlers drop the loops from a page that imports neither layers, models nor functions that run them, such as one
 * that only needs `getMask`, or the import by which `tf.loadLayersModel` knows the classes.
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
  if (getBackend() !== 'wasm' || !env().getBool(FLAG)) return false;
  const backend = engine().registry['wasm']; // undefined while it starts
  return backend !== undefined && kernelsOver(backend as Partial<WasmBackend>) !== null;
}

/**
 * Registers a kernel of tfjs's wasm backend that runs our loops, so that tfjs counts and profiles it. Returns
 * the function that runs it, to be called while {@link kernelsInUse}.
 */
export function wasmKernel<Inputs, Attributes, Output>(
  kernelName: string,
  compute: (kernels: TrainingKernels, inputs: Inputs, attributes: Attributes) => TensorInfo | TensorInfo[],
): (inputs: Inputs, attributes: Attributes) => Output {
  // Another copy of this library in the program may have registered it.
  if (getKernel(kernelName, 'wasm') === undefined) {
    const kernelFunc = ({ inputs, attrs }: { inputs: unknown; attrs?: unknown }) =>
      compute(kernelsOver(wasmBackend()) as TrainingKernels, inputs as Inputs, attrs as Attributes);
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
  return (inputs, attributes) =>
    engine().runKernel(kernelName, inputs as NamedTensorMap, attributes as NamedAttrMap) as Output;
}

type Shape = readonly number[];

/**
 * Makes a tensor of each shape and fills them with a function that gets their addresses and that of `scratchBytes`
 * bytes of scratch memory. Releases all memory if it throws.
 */
export function filled<const Shapes extends readonly Shape[]>(
  shapes: Shapes,
  scratchBytes: number,
  fill: (addresses: { readonly [Index in keyof Shapes]: number }, scratch: number) => void,
): { -readonly [Index in keyof Shapes]: TensorInfo } {
  const made: TensorInfo[] = [];
  try {
    const scratch = [Math.max(1, Math.ceil(scratchBytes / 4))]; // an empty tensor has no address
    for (const shape of [...shapes, scratch]) made.push(allocate(shape));
    const addresses = made.map(address);
    const scratchAddress = addresses.pop() as number;
    fill(addresses as { [Index in keyof Shapes]: number }, scratchAddress);
  } catch (error) {
    for (const { dataId } of made) wasmBackend().disposeData(dataId);
    throw error;
  }
  wasmBackend().disposeData((made.pop() as TensorInfo).dataId);
  return made as { -readonly [Index in keyof Shapes]: TensorInfo };
}

function allocate(shape: Shape): TensorInfo {
  const tensor = wasmBackend().makeOutput(shape, 'float32');
  try {
    address(tensor);
    return tensor;
  } catch (error) {
    wasmBackend().disposeData(tensor.dataId);
    throw error;
  }
}

/**
 * The address of a tensor's numbers in the backend's memory, 0 for none. It does not change when the memory grows.
 *
 * @throws RangeError if they lie outside of it: when memory runs out, the backend's allocator returns 0, and past 4 GiB
 * an address beyond the end. tfjs accepts either, and a kernel would trap or read other tensors.
 */
export function address(tensor: TensorInfo | undefined): number {
  if (tensor === undefined) return 0;
  const { dataIdMap, wasm } = wasmBackend();
  const { memoryOffset } = dataIdMap.get(tensor.dataId);
  const bytes = 4 * tensor.shape.reduce((size, length) => size * length, 1); // float32 or int32
  const isInside = memoryOffset !== 0 && memoryOffset + bytes <= wasm.asm.memory.buffer.byteLength;
  if (isInside || bytes === 0) return memoryOffset;
  const advice = 'dispose what is not needed, or take fewer images at a time';
  throw new RangeError(
    `A tensor [${tensor.shape}] does not fit in the memory of the wasm backend: ${advice}`,
  );
}
