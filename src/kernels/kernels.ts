import { javascriptKernels } from './javascript';
import type { Kernels } from './types';
import { webAssemblyKernels } from './webassembly';

/** The fastest kernels that run here, over a heap of so many floats, all zero. */
export function makeKernels(floats: number): Kernels {
  return webAssemblyKernels(floats) ?? javascriptKernels(floats);
}
