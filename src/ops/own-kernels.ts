import { trainingKernels } from '../kernels/webassembly';
import { areKernelsUsed, provideKernels } from './wasm-kernels';

/**
 * Makes our own WebAssembly loops available to the operations, on the wasm backend. They are a quarter of all code. No
 * registered class imports this file, and it is a separate file in the package, so bundlers drop the loops from a page
 * that only needs a mask, or classes to load a model. Functions that make or run a model call this.
 */
export function useOwnKernels(): void {
  provideKernels(trainingKernels);
}

useOwnKernels();

/**
 * Whether masked convolutions, attention without dropout, the LSTMs of PixelRNN, gates, concatenated ELUs,
 * normalizations of features and of kernels, the cross-entropy and the loss of mixtures of logistics currently run in
 * this library's own WebAssembly loops instead of operations of tfjs. They do on the wasm backend without threads, if
 * WebAssembly has SIMD. Results are the same except for rounding, and for NaN, which tfjs's ReLU turns into 0.
 *
 * Bundlers drop the loops from a page that uses only classes and masks of this package. To train a loaded model there,
 * call this function.
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
