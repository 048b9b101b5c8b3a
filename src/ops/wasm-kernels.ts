import * as tf from '@tensorflow/tfjs-core';
import { SIMD, type WasmModule } from '../runtime/kernels/modules';
import { compileModule, exportsOf } from '../runtime/kernels/wasm-module';

/** The internals of tfjs's wasm backend that we use. */
interface WasmBackend {
  readonly wasm: { readonly asm: { readonly memory: WebAssembly.Memory } };
  readonly dataIdMap: { get(dataId: tf.DataId): { readonly memoryOffset: number } };
  incRef(dataId: tf.DataId): void;
  makeOutput(shape: readonly number[], dtype: 'float32'): tf.TensorInfo;
  disposeData(dataId: tf.DataId): boolean;
}

const wasmBackend = () => tf.engine().registry['wasm'] as unknown as WasmBackend;

const memoryOf = (backend: Partial<WasmBackend>) => backend.wasm?.asm?.memory;

/** A flag of tfjs's environment; if false, the wasm backend uses tfjs's own operations. */
const FLAG = 'PIXELCNN_WASM_KERNELS';

tf.env().registerFlag(FLAG, () => true);

/**
 * Returns whether masked convolutions, attention without dropout, the LSTMs of PixelRNN, gates, concatenated ELUs,
 * normalizations of features and of kernels, the cross-entropy and the loss of mixtures of logistics currently run in
 * this library's own WebAssembly kernels instead of tfjs's operations. They do on the wasm backend without threads, if
 * WebAssembly has SIMD. Results differ only by rounding, and for NaN, which tfjs's ReLU turns into 0.
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
  if (tf.getBackend() !== 'wasm' || !tf.env().getBool(FLAG)) return false;
  const backend: Partial<WasmBackend> = wasmBackend() ?? {}; // undefined while it starts
  const memory = memoryOf(backend);
  return (
    memory instanceof WebAssembly.Memory &&
    memory.buffer instanceof ArrayBuffer && // not shared between threads
    typeof backend.dataIdMap?.get === 'function' &&
    typeof backend.makeOutput === 'function' &&
    typeof backend.disposeData === 'function' &&
    compileModule(SIMD) !== null
  );
}

/**
 * Makes a kernel of tfjs's wasm backend that runs our loops, so that tfjs counts and profiles it. Call it
 * only while {@link kernelsInUse}. The first of the modules that compiles provides the loops.
 */
export function wasmKernel<Loops, Inputs, Attributes, Outputs extends tf.TensorInfo[]>(
  kernelName: string,
  modules: readonly WasmModule<Loops>[],
  compute: (loops: Loops, inputs: Inputs, attributes: Attributes) => Outputs,
): (inputs: Inputs, attributes: Attributes) => Outputs {
  const kernelFunc = ({ inputs, attrs }: { inputs: unknown; attrs?: unknown }) => {
    const module = modules.find((one) => compileModule(one) !== null) as WasmModule<Loops>;
    const loops = exportsOf(module, memoryOf(wasmBackend()) as WebAssembly.Memory);
    return compute(loops, inputs as Inputs, attrs as Attributes);
  };
  return (inputs, attributes) => {
    // Another copy of this library may have registered it.
    if (tf.getKernel(kernelName, 'wasm') === undefined) {
      tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
      if (!sharesClones) shareClones();
      sharesClones = true;
    }
    const named = [inputs as tf.NamedTensorMap, attributes as tf.NamedAttrMap] as const;
    return tf.engine().runKernel(kernelName, ...named) as tf.TensorInfo[] as Outputs;
  };
}

/** Makes clones share the memory of their tensor, as elsewhere: tfjs clones every tensor that a gradient needs. */
function shareClones(): void {
  const kernelName = tf.Identity;
  const copy = tf.getKernel(kernelName, 'wasm');
  const kernelFunc: tf.KernelFunc = (call) => {
    if (!kernelsInUse()) return copy.kernelFunc(call);
    const { dataId, shape, dtype } = call.inputs['x'] as tf.TensorInfo;
    wasmBackend().incRef(dataId);
    return { dataId, shape, dtype };
  };
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
}

let sharesClones = false;

type Shape = readonly number[];

/** The type of an output tensor of a shape. */
type TensorOf<S extends Shape> = S['length'] extends 4 ? tf.Tensor4D : S['length'] extends 3 ? tf.Tensor3D : S['length'] extends 2 ? tf.Tensor2D : S['length'] extends 1 ? tf.Tensor1D : tf.Tensor; // biome-ignore format: one a rank

/** The addresses of outputs or tensors, one for each. */
type Addresses<Of extends readonly unknown[]> = { [Index in keyof Of]: number };

/**
 * Makes an output of each shape, and fills them by a function of their addresses, the addresses of
 * tensors, some numbers, and the address of scratch memory. Releases all memory if it throws.
 */
export function outputs<
  const Shapes extends readonly Shape[],
  const Tensors extends readonly (tf.TensorInfo | undefined)[],
  const Numbers extends readonly number[],
>(
  shapes: Shapes,
  fill: (...args: [...Addresses<Shapes>, ...Addresses<Tensors>, ...Numbers, scratch: number]) => void,
  tensors: Tensors,
  numbers: Numbers,
  scratchBytes: (...numbers: number[]) => number = () => 0,
): { -readonly [Index in keyof Shapes]: TensorOf<Shapes[Index]> } {
  const made: tf.TensorInfo[] = [];
  try {
    const scratch = [Math.max(1, Math.ceil((scratchBytes(...numbers) >>> 0) / 4))]; // an empty tensor has no address
    for (const shape of [...shapes, scratch]) made.push(wasmBackend().makeOutput(shape, 'float32'));
    const places = made.map(address);
    const scratchAddress = places.pop();
    (fill as (...args: unknown[]) => void)(...places, ...tensors.map(address), ...numbers, scratchAddress);
  } catch (error) {
    for (const { dataId } of made) wasmBackend().disposeData(dataId);
    throw error;
  }
  wasmBackend().disposeData((made.pop() as tf.TensorInfo).dataId);
  return made as { -readonly [Index in keyof Shapes]: TensorOf<Shapes[Index]> };
}

/**
 * The address of a tensor's numbers in the backend's memory, 0 for no tensor. It does not change when the memory grows.
 *
 * @throws RangeError if they lie outside the memory. When memory runs out, the backend's allocator returns 0, and past
 * 4 GiB an address beyond the end. tfjs accepts either, and a kernel would trap or read other tensors.
 */
function address(tensor: tf.TensorInfo | undefined): number {
  if (tensor === undefined) return 0;
  const { dataIdMap, wasm } = wasmBackend();
  const { memoryOffset } = dataIdMap.get(tensor.dataId);
  const bytes = 4 * tf.util.sizeFromShape(tensor.shape); // float32 or int32
  const isInside = memoryOffset !== 0 && memoryOffset + bytes <= wasm.asm.memory.buffer.byteLength;
  if (isInside || bytes === 0) return memoryOffset;
  throw new RangeError(
    `A tensor [${tensor.shape}] does not fit in the memory of the wasm backend: dispose tensors, or use fewer images`,
  );
}
