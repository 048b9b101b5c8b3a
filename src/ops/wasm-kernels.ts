import { engine, env, getBackend, getKernel, registerKernel, type TensorInfo } from '@tensorflow/tfjs-core';
import type { TrainingKernels } from '../kernels/training-kernels';
import { trainingKernels } from '../kernels/webassembly';
import { type WasmBackend, wasmBackend } from './wasm-memory';

/**
 * Set to false, it leaves the wasm backend to tfjs's own operations: `tf.env().set('PIXELCNN_WASM_KERNELS',
 * false)`.
 */
const FLAG = 'PIXELCNN_WASM_KERNELS';

env().registerFlag(FLAG, () => true);

/**
 * The kernels over a backend's memory, looked for once; null where its inside is not as we know it, or has no
 * SIMD.
 */
const known = new WeakMap<object, TrainingKernels | null>();

function kernelsOver(backend: Partial<WasmBackend>): TrainingKernels | null {
  let kernels = known.get(backend);
  if (kernels === undefined) {
    const memory = backend.wasm?.asm?.memory;
    const isAsKnown =
      memory instanceof WebAssembly.Memory &&
      typeof backend.dataIdMap?.get === 'function' &&
      typeof backend.makeOutput === 'function' &&
      typeof backend.disposeData === 'function';
    kernels = isAsKnown ? trainingKernels(memory) : null;
    known.set(backend, kernels);
  }
  return kernels;
}

/**
 * Whether masked convolutions, gates and the cross-entropy run in this library's own WebAssembly loops now,
 * rather than in operations of tfjs: on the wasm backend, without threads, where WebAssembly has SIMD.
 * Results are the same but for rounding, and for a NaN, which tfjs's ReLU turns into 0.
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
  return wasmKernels() !== null;
}

/** Our kernels, where they are wanted and can be had on the present backend. */
export function wasmKernels(): TrainingKernels | null {
  if (getBackend() !== 'wasm' || !env().getBool(FLAG)) return null;
  const backend = engine().registry['wasm']; // not there while it starts
  return backend === undefined ? null : kernelsOver(backend as Partial<WasmBackend>);
}

/** Makes a kernel of tfjs's wasm backend of them, so that tfjs counts and profiles what they do. */
export function registerOnWasm<Inputs, Attributes = undefined>(
  kernelName: string,
  compute: (kernels: TrainingKernels, inputs: Inputs, attributes: Attributes) => TensorInfo | TensorInfo[],
): void {
  if (getKernel(kernelName, 'wasm') !== undefined) return; // by another copy of this library in the program
  const kernelFunc = ({ inputs, attrs }: { inputs: unknown; attrs?: unknown }) =>
    compute(kernelsOver(wasmBackend()) as TrainingKernels, inputs as Inputs, attrs as Attributes);
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
}
