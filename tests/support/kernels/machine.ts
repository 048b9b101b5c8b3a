import { vi } from 'vitest';
import type { Machine } from '../../../src/runtime/engine/machine';
import type { FeatureCache } from '../../../src/runtime/engine/plan';
import type { Operand, SamplingKernels } from '../../../src/runtime/kernels/instruction';
import { javascriptKernels } from '../../../src/runtime/kernels/javascript';
import { makeKernels } from '../../../src/runtime/kernels/webassembly';

/** Every way to make kernels, by name, for `it.each`. */
export const kernelMakers: readonly [name: string, make: (floats: number) => SamplingKernels][] = [
  ['the fastest kernels', makeKernels],
  ['kernels in JavaScript', javascriptKernels],
];

/** Where an operand begins in the heap, for each image. */
function starts({ chunks }: Machine, operand: Operand): number[] {
  return chunks.flatMap(({ images, at }) => Array.from({ length: images }, (_, n) => at(operand) + n * operand.stride));
}

/** The numbers at an operand, for each image. */
export function read(machine: Machine, operand: Operand, length: number): number[][] {
  return starts(machine, operand).map((start) => Array.from(machine.heap.subarray(start, start + length)));
}

/** Numbers to an operand, for each image. */
export function write(machine: Machine, operand: Operand, values: readonly (readonly number[])[]): void {
  for (const [n, start] of starts(machine, operand).entries()) machine.heap.set(values[n] ?? [], start);
}

/** The features of the current pixel, for each image, in their order. */
export function readFeatures(machine: Machine, { layout }: FeatureCache, operand: Operand): number[][] {
  return read(machine, operand, layout.slots).map((slots) => layout.slotOf.map((slot) => slots[slot] as number));
}

/** Does something where WebAssembly gets no memory. */
export function withoutMemory(act: () => void): void {
  class Memory {
    constructor() {
      throw new RangeError('could not allocate memory');
    }
  }
  vi.stubGlobal('WebAssembly', { ...WebAssembly, Module: WebAssembly.Module, Memory });
  try {
    act();
  } finally {
    vi.unstubAllGlobals();
  }
}
