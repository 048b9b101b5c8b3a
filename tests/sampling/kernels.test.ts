import { expect, it } from 'vitest';
import { kernelsForSampling } from '../../src/sampling/kernels';
import { withoutMemory } from '../support/machine';

it('says what to do where memory cannot be allocated', () => {
  expect(kernelsForSampling(8).heap.length).toBeGreaterThanOrEqual(8);
  withoutMemory(() => {
    expect(() => kernelsForSampling(2 ** 20)).toThrow(
      new RangeError('sample: cannot allocate 4 MiB of memory; draw fewer images at a time'),
    );
  });
});
