import { vi } from 'vitest';
import type { SamplingKernels } from '../../../src/runtime/kernels/instruction';
import { javascriptKernels } from '../../../src/runtime/kernels/javascript';
import { makeKernels } from '../../../src/runtime/kernels/webassembly';

/** Every way to make kernels, by name, for `it.each`. */
export const kernelMakers: readonly [name: string, make: (floats: number) => SamplingKernels][] = [
  ['the fastest kernels', makeKernels],
  ['kernels in JavaScript', javascriptKernels],
];

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
