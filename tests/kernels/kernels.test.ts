import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { javascriptKernels } from '../../src/kernels/javascript';
import { makeKernels } from '../../src/kernels/kernels';
import type { Kernels } from '../../src/kernels/types';
import { webAssemblyKernels } from '../../src/kernels/webassembly';
import { noise } from '../support/tensors';

const FLOATS = 20_000;
const bits = ({ heap }: Kernels) => Array.from(new Uint32Array(heap.buffer, heap.byteOffset, heap.length));

/** Both implementations, each over the same numbers. */
function both(seed: number): [Kernels, Kernels] {
  const kernels: [Kernels, Kernels] = [javascriptKernels(FLOATS), webAssemblyKernels(FLOATS) as Kernels];
  for (const { heap } of kernels) heap.set(noise(FLOATS, seed));
  return kernels;
}

const sizes = fc.record({
  images: fc.integer({ min: 1, max: 9 }),
  inputs: fc.integer({ min: 0, max: 21 }),
  outputs: fc.integer({ min: 1, max: 7 }).map((n) => 4 * n),
  seed: fc.integer({ min: 1, max: 1000 }),
  hasOneStart: fc.boolean(),
  least: fc.constantFrom(0, Number.NEGATIVE_INFINITY),
});

describe('kernels', () => {
  it('are WebAssembly here', () => {
    expect(webAssemblyKernels(8)).not.toBeNull();
    expect(makeKernels(8).heap).toHaveLength(8);
    expect(makeKernels(8).heap.every((x) => x === 0)).toBe(true);
  });

  it('product: a start plus a product of matrices, the same bits in both', () => {
    fc.assert(
      fc.property(sizes, ({ images, inputs, outputs, seed, hasOneStart, least }) => {
        const [y, start, x, w] = [0, 2000, 4000, 6000];
        const [yStride, startStride, xStride, wStride] = [outputs + 3, hasOneStart ? 0 : outputs + 1, inputs + 2, outputs + 5]; // biome-ignore format: one line
        const [slow, fast] = both(seed);
        const before = slow.heap.slice();
        for (const kernels of [slow, fast]) {
          kernels.product(
            y,
            yStride,
            start,
            startStride,
            x,
            xStride,
            w,
            wStride,
            images,
            inputs,
            outputs,
            least,
          );
        }
        expect(bits(fast)).toEqual(bits(slow));
        const at = (index: number) => before[index] as number;
        for (let n = 0; n < images; n++) {
          for (let o = 0; o < outputs; o++) {
            let sum = at(start + n * startStride + o);
            for (let i = 0; i < inputs; i++) sum += at(x + n * xStride + i) * at(w + i * wStride + o);
            expect(Math.abs((slow.heap[y + n * yStride + o] as number) - Math.max(sum, least))).toBeLessThan(
              1e-5,
            );
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('relu and add, the same bits in both', () => {
    const [slow, fast] = both(3);
    for (const { heap } of [slow, fast]) heap.set([-0, 0, 1e-45, -1, 3e38, Number.NEGATIVE_INFINITY], 1000);
    for (const kernels of [slow, fast]) {
      kernels.relu(0, 10, 1000, 12, 5, 8);
      kernels.add(100, 9, 1000, 8, 2000, 11, 5, 8);
    }
    expect(bits(fast)).toEqual(bits(slow));
    expect(Array.from(slow.heap.subarray(0, 2))).toEqual([0, 0]);
    expect(Array.from(slow.heap.subarray(2, 6))).toEqual([1e-45, 0, 3e38, 0].map(Math.fround));
    // image 1, value 2: y at 100 + 9 + 2, a at 1000 + 8 + 2, b at 2000 + 11 + 2
    const [a, b] = [slow.heap[1010], slow.heap[2013]] as [number, number];
    expect(slow.heap[111]).toBe(Math.fround(a + b));
  });
});
