import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { SamplingKernels } from '../../../src/runtime/kernels/instruction';

/** Stands behind memory that was asked for: a NaN of its own, which shows where it is read, too. */
const FENCE = 0x7fc0beef;
export const FENCE_FLOATS = 16;

/** A fence, in memory seen as integers. */
export const raise = (words: Int32Array, at: number): unknown => words.fill(FENCE, at, at + FENCE_FLOATS);

/** Nothing was written over a fence. */
export function expectStanding(words: Int32Array, at: number): void {
  const fence = Array.from(words.subarray(at, at + FENCE_FLOATS));
  if (!fence.every((word) => word === FENCE)) expect(fence).toEqual(new Array(FENCE_FLOATS).fill(FENCE));
}

/** Kernels with a fence behind their heap, and what sees that it stands. */
export function fencedHeap(make: (floats: number) => SamplingKernels) {
  const fences: [words: Int32Array, at: number][] = [];
  return {
    make(floats: number): SamplingKernels {
      const kernels = make(floats + FENCE_FLOATS);
      raise(kernels.words, floats);
      fences.push([kernels.words, floats]);
      return kernels;
    },
    expectStanding() {
      for (const fence of fences) expectStanding(...fence);
    },
  };
}

/** What is used of the module behind tfjs's wasm backend. */
interface WasmModule {
  _malloc(bytes: number): number;
  _free(address: number): void;
  readonly asm: { readonly memory: WebAssembly.Memory };
}

/**
 * Does something where a fence stands behind all memory that the wasm backend takes, and where what it takes is
 * full of NaN; all it has taken must be given back by the end. Gives how many bytes were taken each time.
 */
export async function withFencedTensors(act: () => Promise<unknown>): Promise<number[]> {
  tf.zeros([1]).dispose(); // the first call of each function puts another in its place
  const { wasm } = tf.backend() as unknown as { wasm: WasmModule };
  const { _malloc, _free } = wasm;
  const words = () => new Int32Array(wasm.asm.memory.buffer);
  const taken = new Map<number, number>();
  const sizes: number[] = [];
  wasm._malloc = (bytes) => {
    const address = _malloc(4 * Math.ceil(bytes / 4) + 4 * FENCE_FLOATS);
    const [start, end] = [(address >>> 0) / 4, (address >>> 0) / 4 + Math.ceil(bytes / 4)];
    words().fill(FENCE, start, end);
    raise(words(), end);
    taken.set(start, end);
    sizes.push(bytes);
    return address;
  };
  wasm._free = (address) => {
    const start = (address >>> 0) / 4;
    const end = taken.get(start);
    taken.delete(start);
    if (end !== undefined) expectStanding(words(), end);
    _free(address);
  };
  try {
    await act();
    expect(taken.size).toBe(0);
  } finally {
    Object.assign(wasm, { _malloc, _free });
  }
  return sizes;
}
