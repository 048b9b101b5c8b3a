import { trainingKernels } from '../kernels/webassembly';
import { areKernelsUsed, provideKernels } from './wasm-kernels';

/**
 * Makes our own WebAssembly loops available to the operations, on the wasm backend. They are a quarter of all code. No
 * registered class imports this file, and it is a file of its own in the package: so bundlers drop the loops from a
 * page that only wants a mask, or classes to load a model with. What makes a model or runs one calls this.
 */
export function useOwnKernels(): void {
  provideKernels(trainingKernels);
}

useOwnKernels();

/**
 * Whether masked convolutions, attention without dropout, the LSTMs of PixelRNN, gates, concatenated ELUs, normalizations
 * of features and of kernels, the cross-entropy and the loss of mixtures of logistics run in this library's own WebAssembly loops now, rather
 * than in operations of tfjs: on the wasm backend, without threads, where WebAssembly has SIMD.
 * Results are the same but for rounding, and for a NaN, which tfjs's ReLU turns into 0.
 *
 * Bundlers drop the loops from a page that uses nothing of this package but classes and masks. To train a loaded model
 * there, call this function.
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
  useOwnKernels();
  return areKernelsUsed();
}
