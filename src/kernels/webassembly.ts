import { MODULE } from './module';
import type { ConvolutionKernels, Kernels } from './types';

const PAGE = 65536; // bytes

/** What assembly/ exports; its addresses count bytes. */
type Exports = Record<'run' | 'softmax', (...args: number[]) => void> & ConvolutionKernels;

let compiled: WebAssembly.Module | null | undefined;

/** The module, compiled once; null where WebAssembly SIMD is missing or forbidden. It is small enough to compile at once. */
function compile(): WebAssembly.Module | null {
  if (compiled === undefined) {
    try {
      compiled = new WebAssembly.Module(
        Uint8Array.from(atob(MODULE), (character) => character.charCodeAt(0)),
      );
    } catch {
      compiled = null;
    }
  }
  return compiled;
}

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Exports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
}

/** The kernels in WebAssembly SIMD, with a memory of their own; null where that is missing or forbidden. */
export function webAssemblyKernels(floats: number): Kernels | null {
  const module = compile();
  if (module === null) return null;
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((4 * floats) / PAGE)) });
  const { run, softmax } = instantiate(module, memory);
  return {
    heap: new Float32Array(memory.buffer),
    words: new Int32Array(memory.buffer),
    run: (start, end, places, images) => run(4 * start, 4 * end, 4 * places, images),
    softmax: (y, sums, x, images, levels, scale) => softmax(8 * y, 8 * sums, 4 * x, images, levels, scale),
  };
}

/** The loops of training over a memory of somebody else's; null where that cannot be. */
export function convolutionKernels(memory: WebAssembly.Memory): ConvolutionKernels | null {
  const module = compile();
  if (module === null) return null;
  try {
    return instantiate(module, memory);
  } catch {
    return null; // a memory shared between threads
  }
}
