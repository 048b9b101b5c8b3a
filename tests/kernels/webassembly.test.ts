import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it('gives way to JavaScript where a page forbids WebAssembly', async () => {
  vi.resetModules(); // a module compiled before is kept
  class Forbidden {
    constructor() {
      throw new WebAssembly.CompileError('Refused by the policy of the page');
    }
  }
  const { CompileError, Memory, Instance } = WebAssembly;
  vi.stubGlobal('WebAssembly', { CompileError, Memory, Instance, Module: Forbidden });
  const { webAssemblyKernels } = await import('../../src/kernels/webassembly');
  const { makeKernels } = await import('../../src/kernels/kernels');
  expect(webAssemblyKernels(8)).toBeNull();
  const kernels = makeKernels(8);
  kernels.heap.set([-1, 2, -3, 4]);
  kernels.relu(4, 4, 0, 4, 1, 4);
  expect(Array.from(kernels.heap)).toEqual([-1, 2, -3, 4, 0, 2, 0, 4]);
});
