import { makeKernels } from '../kernels/kernels';
import type { SamplingKernels } from '../kernels/sampling-kernels';

/**
 * The fastest kernels that run here, over a heap of at least so many floats.
 *
 * @throws RangeError that says what to do, where there is not so much memory
 */
export function kernelsForSampling(floats: number): SamplingKernels {
  try {
    return makeKernels(floats);
  } catch (cause) {
    throw new RangeError(`sample: ${(cause as Error).message}; draw fewer images at a time`, { cause });
  }
}
