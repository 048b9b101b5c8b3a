import { INSTRUCTION_WORDS, Op, type SamplingKernels } from './instruction';
import { javascriptKernels, memoryOf, runInstruction } from './javascript';
import { javascriptMixtureLevels, type MixtureLevels, mixtureFloats } from './mixture-levels';
import {
  ATTENTION,
  CAUSAL_ATTENTION,
  CAUSAL_ATTENTION_BACK,
  CONCAT_ELU,
  CONVOLUTION,
  CONVOLUTION_FUSED,
  CORRELATION,
  CORRELATION_FUSED,
  CROSS_ENTROPY,
  GATE,
  GATED_RESNET,
  INSTRUCTIONS,
  LAYER_NORM,
  LINEAR_GATE,
  LOGISTIC_MIXTURE,
  LOOKUP,
  LSTM,
  LSTM_BACK,
  LSTM_KERNEL_BACK,
  MIXTURE_LEVELS,
  NORMALIZED_KERNEL,
  SOFTMAX,
} from './modules';
import type { TrainingKernels } from './training-kernels';

const PAGE = 65536; // bytes

const compiled = new Map<string, WebAssembly.Module | null>();

/**
 * A module of modules.ts, compiled once; null where WebAssembly SIMD is missing or forbidden. They are small
 * enough to compile at once.
 */
function compile(hex: string): WebAssembly.Module | null {
  let module = compiled.get(hex);
  if (module === undefined) {
    try {
      module = new WebAssembly.Module(
        Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)),
      );
    } catch {
      module = null;
    }
    compiled.set(hex, module);
  }
  return module;
}

/** It returns nothing, or an address. */
type Loop = (...args: number[]) => number;

/** What a module exports, over a memory; it must compile. */
function exportsOf(module: string, memory: WebAssembly.Memory): Record<string, Loop> {
  const { exports } = new WebAssembly.Instance(compile(module) as WebAssembly.Module, { env: { memory } });
  return exports as Record<string, Loop>;
}

/**
 * Each WebAssembly memory reserves gigabytes of address space, so a page can hold only about a hundred until garbage is
 * collected. If no more can be had, heaps up to this size use plain JavaScript, which gives the same bits more slowly.
 */
const FEW_FLOATS = 2 ** 19;

/**
 * The fastest kernels that run here, over a heap of at least the given number of floats, all zero.
 *
 * @throws RangeError where there is not so much memory
 */
export function makeKernels(floats: number): SamplingKernels {
  try {
    return webAssemblyKernels(floats) ?? javascriptKernels(floats);
  } catch (cause) {
    if (cause instanceof RangeError && floats <= FEW_FLOATS) return javascriptKernels(floats);
    const mebibytes = Math.ceil((4 * floats) / 2 ** 20);
    throw new RangeError(`cannot allocate ${mebibytes} MiB of memory`, { cause });
  }
}

/** The module that implements an operation; operations without a module run in JavaScript. */
function moduleOf(op: number): string | null {
  if (op === Op.lookup) return LOOKUP;
  if (op === Op.attend) return ATTENTION;
  if (op === Op.concatElu || op === Op.linearGate) return GATED_RESNET;
  return op <= Op.leakyRelu ? INSTRUCTIONS : null;
}

/** The kernels in WebAssembly SIMD, with their own memory; null if SIMD is missing or forbidden. */
export function webAssemblyKernels(floats: number): SamplingKernels | null {
  if (compile(INSTRUCTIONS) === null || compile(SOFTMAX) === null) return null;
  const wasmMemory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((4 * floats) / PAGE)) });
  const memory = memoryOf(wasmMemory.buffer);
  const instances = new Map<string, Loop>(); // most programs need only one
  const loops: Loop[] = []; // by operation
  const loopOf = (op: number): Loop | null => {
    const module = moduleOf(op);
    if (module === null) return null;
    const loop = instances.get(module) ?? (exportsOf(module, wasmMemory)['run'] as Loop);
    instances.set(module, loop);
    loops[op] = loop;
    return loop;
  };
  let draws: Record<string, Loop> | undefined;
  return {
    heap: memory.heap,
    words: memory.words,
    run(start, end, bases, images) {
      for (let at = start; at < end; ) {
        const op = memory.words[at] as number;
        const loop = loops[op] ?? loopOf(op);
        if (loop === null) {
          runInstruction(memory, at, bases, images);
          at += INSTRUCTION_WORDS;
        } else at = (loop(4 * at, 4 * end, 4 * bases, images) >>> 0) / 4;
      }
    },
    softmax(y, sums, x, images, levels, scale) {
      draws ??= exportsOf(SOFTMAX, wasmMemory);
      draws['softmax']?.(8 * y, 8 * sums, 4 * x, images, levels, scale);
    },
    drawCertain(drawn, uniforms, row, x, images, levels, scale) {
      draws ??= exportsOf(SOFTMAX, wasmMemory);
      draws['drawCertain']?.(4 * drawn, 8 * uniforms, 4 * row, 4 * x, images, levels, scale);
    },
  };
}

/**
 * The fastest implementation, of those that run here, of the sums over a mixture's components.
 *
 * @throws RangeError where there is not so much memory
 */
export function makeMixtureLevels(components: number, levels: number): MixtureLevels {
  return webAssemblyMixtureLevels(components, levels) ?? javascriptMixtureLevels(components, levels);
}

/** The implementation in WebAssembly SIMD; null if SIMD is missing or forbidden. */
export function webAssemblyMixtureLevels(components: number, levels: number): MixtureLevels | null {
  if (compile(MIXTURE_LEVELS) === null) return null;
  const pages = Math.ceil((4 * mixtureFloats(components, levels)) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages });
  const kernels = exportsOf(MIXTURE_LEVELS, memory);
  const [levelAt, weigh] = [kernels['levelAt'] as Loop, kernels['weigh'] as Loop];
  const row = 8 * components; // bytes
  const masses = 6 * row;
  return {
    table: new Float64Array(memory.buffer, 0, 6 * components),
    masses: new Float64Array(memory.buffer, masses, 2 * levels),
    levelAt: (threshold) => levelAt(0, row, levels, threshold),
    weigh() {
      weigh(masses, 0, row, levels);
    },
  };
}

/**
 * The loops of training, over the memory of tfjs's wasm backend; null if they are not available. Convolutions and their
 * gradients use fused multiply-add if WebAssembly has it; whether a result is then rounded once or twice depends on the
 * processor. Sampling never uses it, since its results must be the same on every machine.
 */
export function trainingKernels(memory: WebAssembly.Memory, isFused = true): TrainingKernels | null {
  const either = (fused: string, plain: string) => (isFused && compile(fused) !== null ? fused : plain);
  const modules = [
    CAUSAL_ATTENTION,
    CAUSAL_ATTENTION_BACK,
    CONCAT_ELU,
    either(CONVOLUTION_FUSED, CONVOLUTION),
    either(CORRELATION_FUSED, CORRELATION),
    CROSS_ENTROPY,
    GATE,
    LAYER_NORM,
    LINEAR_GATE,
    LOGISTIC_MIXTURE,
    LSTM,
    LSTM_BACK,
    LSTM_KERNEL_BACK,
    NORMALIZED_KERNEL,
  ];
  if (modules.some((module) => compile(module) === null)) return null;
  try {
    return Object.assign({}, ...modules.map((module) => exportsOf(module, memory))) as TrainingKernels;
  } catch {
    return null; // a memory shared between threads
  }
}
