import { CONVOLUTION, CORRELATION, CROSS_ENTROPY, GATE, INSTRUCTIONS, SOFTMAX } from './modules';
import type { SamplingKernels } from './sampling-kernels';
import type { TrainingKernels } from './training-kernels';

const PAGE = 65536; // bytes

const compiled = new Map<string, WebAssembly.Module | null>();

/**
 * A module of modules.ts, compiled once; null where WebAssembly SIMD is missing or forbidden. They are small
 * enough to compile at once.
 */
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

type Loop = (...args: number[]) => void;

/** What a module exports, over a memory; it must compile. */
function exportsOf(module: string, memory: WebAssembly.Memory): Record<string, Loop> {
  const { exports } = new WebAssembly.Instance(compile(module) as WebAssembly.Module, { env: { memory } });
  return exports as Record<string, Loop>;
}

/** The kernels in WebAssembly SIMD, with a memory of their own; null where that is missing or forbidden. */
export function webAssemblyKernels(floats: number): SamplingKernels | null {
  if (compile(INSTRUCTIONS) === null || compile(SOFTMAX) === null) return null;
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((4 * floats) / PAGE)) });
  let run: Loop | undefined; // most who want the one do not want the other
  let softmax: Loop | undefined;
  return {
    heap: new Float32Array(memory.buffer),
    words: new Int32Array(memory.buffer),
    run(start, end, bases, images) {
      run ??= exportsOf(INSTRUCTIONS, memory)['run'] as Loop;
      run(4 * start, 4 * end, 4 * bases, images);
    },
    softmax(y, sums, x, images, levels, scale) {
      softmax ??= exportsOf(SOFTMAX, memory)['softmax'] as Loop;
      softmax(8 * y, 8 * sums, 4 * x, images, levels, scale);
    },
  };
}

/** The loops of training, over the memory of tfjs's wasm backend; null where they cannot be had. */
export function trainingKernels(memory: WebAssembly.Memory): TrainingKernels | null {
  const modules = [CONVOLUTION, CORRELATION, CROSS_ENTROPY, GATE];
  if (modules.some((module) => compile(module) === null)) return null;
  try {
    return Object.assign({}, ...modules.map((module) => exportsOf(module, memory))) as TrainingKernels;
  } catch {
    return null; // a memory shared between threads
  }
}
