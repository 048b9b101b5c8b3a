/**
 * Registers the wasm backend with its binaries as assets of the page. By itself the backend looks for them beside the script
 * that runs, under the names they have in the package, where no bundler puts them. `?url` has Vite copy each file and say
 * where; tfjs then takes the faster one that the browser can run.
 *
 * Without threads, which tfjs would start wherever the page may share memory (cross-origin isolation): they run tfjs's script
 * as text, which a minifier breaks, and starting then never ends. https://github.com/tensorflow/tfjs/issues/4107
 */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import { env } from '@tensorflow/tfjs-core';

env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
/** Also for `createTrainer`, whose workers start the backend again. */
export const wasmPaths = {
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': simd, // never asked for, but tfjs wants all three
};
setWasmPaths(wasmPaths);
