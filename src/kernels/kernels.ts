import { javascriptKernels } from './javascript';
import type { SamplingKernels } from './sampling-kernels';
import { webAssemblyKernels } from './webassembly';

/**
 * The fastest kernels that run here, over a heap of at least so many floats, all zero.
 *
 * @throws RangeError where there is not so much memory
 */
export function makeKernels(floats: number): SamplingKernels {
  try {
    return webAssemblyKernels(floats) ?? javascriptKernels(floats);
  } catch (cause) {
    const mebibytes = Math.ceil((4 * floats) / 2 ** 20);
    throw new RangeError(`cannot allocate ${mebibytes} MiB of memory`, { cause });
  }
}
