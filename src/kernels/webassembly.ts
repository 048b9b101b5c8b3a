import { CONVOLUTION, CORRELATION, GATE, LOSS, SAMPLING } from './modules';
import type { Kernels, TrainingKernels } from './types';

const PAGE = 65536; // bytes

type Exports = Record<'run' | 'softmax', (...args: number[]) => void>;

const compiled = new Map<string, WebAssembly.Module | null>();

/** A module of modules.ts, compiled once; null where WebAssembly SIMD is missing or forbidden. They are small enough to compile at once. */
function compile(base64: string): WebAssembly.Module | null {
  let module = compiled.get(base64);
  if (module === undefined) {
    try {
      module = new WebAssembly.Module(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
    } catch {
      module = null;
    }
    compiled.set(base64, module);
  }
  return module;
}

/** The kernels in WebAssembly SIMD, with a memory of their own; null where that is missing or forbidden. */
export function webAssemblyKernels(floats: number): Kernels | null {
  const module = compile(SAMPLING);
  if (module === null) return null;
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((4 * floats) / PAGE)) });
  const { run, softmax } = new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
  return {
    heap: new Float32Array(memory.buffer),
    words: new Int32Array(memory.buffer),
    run: (start, end, places, images) => run(4 * start, 4 * end, 4 * places, images),
    softmax: (y, sums, x, images, levels, scale) => softmax(8 * y, 8 * sums, 4 * x, images, levels, scale),
  };
}

/** The loops of training over a memory of somebody else's; null where they cannot be had. */
export function trainingKernels(memory: WebAssembly.Memory): TrainingKernels | null {
  const loops = {};
  for (const module of [CONVOLUTION, CORRELATION, LOSS, GATE].map(compile)) {
    if (module === null) return null;
    try {
      Object.assign(loops, new WebAssembly.Instance(module, { env: { memory } }).exports);
    } catch {
      return null; // a memory shared between threads
    }
  }
  return loops as TrainingKernels;
}
