import { afterEach, expect, it, vi } from 'vitest';
import { encode, INSTRUCTION_WORDS } from '../../../src/runtime/kernels/instruction';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it('falls back to JavaScript if a page forbids WebAssembly', async () => {
  vi.resetModules(); // a module compiled before is kept
  class Forbidden {
    constructor() {
      throw new WebAssembly.CompileError('Refused by the policy of the page');
    }
  }
  const { CompileError, Memory, Instance } = WebAssembly;
  vi.stubGlobal('WebAssembly', { CompileError, Memory, Instance, Module: Forbidden });
  const { makeKernels, webAssemblyKernels } = await import('../../../src/runtime/kernels/webassembly');
  expect(webAssemblyKernels(8)).toBeNull();
  const kernels = makeKernels(8 + INSTRUCTION_WORDS + 1);
  kernels.heap.set([-1, 2, -3, 4]);
  const x = { base: 0, offset: 0, stride: 4 };
  encode(kernels.heap, 8, { op: 'relu', y: { ...x, offset: 4 }, a: x, length: 4 });
  kernels.run(8, 8 + INSTRUCTION_WORDS, 8 + INSTRUCTION_WORDS, 1);
  expect(Array.from(kernels.heap.subarray(0, 8))).toEqual([-1, 2, -3, 4, 0, 2, 0, 4]);
});
