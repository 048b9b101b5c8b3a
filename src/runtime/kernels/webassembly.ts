import { checkByteOrder } from '../core/check';
import { INSTRUCTION_WORDS, OPS, type SamplingKernels } from './instruction';
import { javascriptKernels, memoryOf, runInstruction } from './javascript';
import { javascriptMixtureLevels, type MixtureLevels } from './mixture-levels';
import { ATTENTION, INSTRUCTIONS, MIXTURE_LEVELS, MORE_INSTRUCTIONS, SOFTMAX } from './modules';
import { compileModule, exportsOf } from './wasm-module';

const PAGE = 65536; // bytes

/**
 * Each WebAssembly memory reserves gigabytes of address space, so a page can hold only about a hundred until garbage is
 * collected. If allocation fails, heaps up to this size use plain JavaScript, which is slower but bit for bit equal.
 */
const FEW_FLOATS = 2 ** 19;

/**
 * The fastest kernels that run here, over a heap of at least the given number of floats, all zero.
 *
 * @throws RangeError if there is not enough memory; Error on a big-endian processor
 */
export function makeKernels(floats: number): SamplingKernels {
  checkByteOrder();
  try {
    return webAssemblyKernels(floats) ?? javascriptKernels(floats);
  } catch (cause) {
    if (cause instanceof RangeError && floats <= FEW_FLOATS) return javascriptKernels(floats);
    const mebibytes = Math.ceil((4 * floats) / 2 ** 20);
    throw new RangeError(`cannot allocate ${mebibytes} MiB of memory`, { cause });
  }
}

type Run = NonNullable<(typeof INSTRUCTIONS)['exports']>['run'];

/** The module that implements an operation, by its number; false for those that run in JavaScript. */
function moduleOf(op: number): typeof INSTRUCTIONS | false {
  if (op <= OPS.indexOf('gate')) return INSTRUCTIONS;
  if (op < OPS.indexOf('lookup')) return false;
  return op < OPS.indexOf('attend') ? MORE_INSTRUCTIONS : ATTENTION;
}

/** The kernels in WebAssembly SIMD, with their own memory; null if SIMD is missing or forbidden. */
export function webAssemblyKernels(floats: number): SamplingKernels | null {
  if (compileModule(INSTRUCTIONS) === null || compileModule(SOFTMAX) === null) return null;
  const wasmMemory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((4 * floats) / PAGE)) });
  const memory = memoryOf(wasmMemory.buffer);
  const { heap, words } = memory;
  const loops: (Run | false)[] = []; // by operation; most programs need only one module
  const loopOf = (op: number): Run | false => {
    const module = moduleOf(op);
    return module && exportsOf(module, wasmMemory).run;
  };
  return {
    heap,
    words,
    run(start, end, bases, images) {
      for (let at = start; at < end; ) {
        const op = words[at] as number;
        loops[op] ??= loopOf(op);
        const loop = loops[op];
        if (loop) at = (loop(4 * at, 4 * end, 4 * bases, images) >>> 0) / 4;
        else {
          runInstruction(memory, at, bases, images);
          at += INSTRUCTION_WORDS;
        }
      }
    },
    softmax(y, sums, x, images, levels, scale) {
      exportsOf(SOFTMAX, wasmMemory).softmax(8 * y, 8 * sums, 4 * x, images, levels, scale);
    },
    drawCertain(drawn, uniforms, row, x, images, levels, scale) {
      const { drawCertain } = exportsOf(SOFTMAX, wasmMemory);
      drawCertain(4 * drawn, 8 * uniforms, 4 * row, 4 * x, images, levels, scale);
    },
  };
}

/**
 * The fastest implementation, of those that run here, of the sums over a mixture's components.
 *
 * @throws RangeError if there is not enough memory
 */
export function makeMixtureLevels(components: number, levels: number): MixtureLevels {
  return webAssemblyMixtureLevels(components, levels) ?? javascriptMixtureLevels(components, levels);
}

/** The implementation in WebAssembly SIMD; null if SIMD is missing or forbidden. */
export function webAssemblyMixtureLevels(components: number, levels: number): MixtureLevels | null {
  if (compileModule(MIXTURE_LEVELS) === null) return null;
  const row = 8 * components; // bytes
  const masses = 6 * row;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((masses + 16 * levels) / PAGE) });
  const kernels = exportsOf(MIXTURE_LEVELS, memory);
  return {
    table: new Float64Array(memory.buffer, 0, 6 * components),
    masses: new Float64Array(memory.buffer, masses, 2 * levels),
    levelAt: (threshold) => kernels.levelAt(0, row, levels, threshold),
    weigh() {
      kernels.weigh(masses, 0, row, levels);
    },
  };
}
