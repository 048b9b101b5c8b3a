import { CONVOLUTION, CORRELATION, GATE, INSTRUCTIONS, LOSS, SOFTMAX } from './modules';
import type { Kernels, TrainingKernels } from './types';

const PAGE = 65536; // bytes

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

/** What several modules export, over one memory; null where one of them is missing or forbidden. */
function instantiate(modules: readonly string[], memory: WebAssembly.Memory): object | null {
  const all = {};
  for (const module of modules.map(compile)) {
    if (module === null) return null;
    Object.assign(all, new WebAssembly.Instance(module, { env: { memory } }).exports);
  }
  return all;
}

/** The kernels in WebAssembly SIMD, with a memory of their own; null where that is missing or forbidden. */
export function webAssemblyKernels(floats: number): Kernels | null {
  if (compile(INSTRUCTIONS) === null) return null; // before there is a memory
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((4 * floats) / PAGE)) });
  const kernels = instantiate([INSTRUCTIONS, SOFTMAX], memory);
  if (kernels === null) return null;
  const { run, softmax } = kernels as Record<'run' | 'softmax', (...args: number[]) => void>;
  return {
    heap: new Float32Array(memory.buffer),
    words: new Int32Array(memory.buffer),
    run: (start, end, places, images) => run(4 * start, 4 * end, 4 * places, images),
    softmax: (y, sums, x, images, levels, scale) => softmax(8 * y, 8 * sums, 4 * x, images, levels, scale),
  };
}

/** The loops of training over a memory of somebody else's; null where they cannot be had. */
export function trainingKernels(memory: WebAssembly.Memory): TrainingKernels | null {
  try {
    return instantiate([CONVOLUTION, CORRELATION, LOSS, GATE], memory) as TrainingKernels | null;
  } catch {
    return null; // a memory shared between threads
  }
}
