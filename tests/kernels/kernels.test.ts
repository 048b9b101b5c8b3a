import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, INSTRUCTION_WORDS, type Instruction, Op, type Operand } from '../../src/kernels/instruction';
import { javascriptKernels } from '../../src/kernels/javascript';
import { makeKernels } from '../../src/kernels/kernels';
import type { SamplingKernels } from '../../src/kernels/sampling-kernels';
import { webAssemblyKernels } from '../../src/kernels/webassembly';
import { withoutMemory } from '../support/machine';
import { noise } from '../support/tensors';

const FLOATS = 20_000;
const CODE = FLOATS;
const BASES = FLOATS + 10 * INSTRUCTION_WORDS;
const bits = ({ words }: SamplingKernels) => Array.from(words.subarray(0, FLOATS));

/** Both implementations, each over the same numbers, with a table of bases [0, 100]. */
function both(seed: number): [slow: SamplingKernels, fast: SamplingKernels] {
  const make = (kernels: SamplingKernels) => {
    kernels.heap.set(noise(FLOATS, seed));
    kernels.words.set([0, 100], BASES);
    return kernels;
  };
  return [javascriptKernels(BASES + 2), webAssemblyKernels(BASES + 2) as SamplingKernels].map(make) as [
    SamplingKernels,
    SamplingKernels,
  ];
}

function run(kernels: SamplingKernels, images: number, ...instructions: Instruction[]): void {
  for (const [i, instruction] of instructions.entries()) {
    encode(kernels.heap, CODE + i * INSTRUCTION_WORDS, instruction);
  }
  kernels.run(CODE, CODE + instructions.length * INSTRUCTION_WORDS, BASES, images);
}

const operand = (offset: number, stride: number, base = 0): Operand => ({ base, offset, stride });

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
    expect(makeKernels(8).heap.length).toBeGreaterThanOrEqual(8);
    expect(makeKernels(8).heap.every((x) => x === 0)).toBe(true);
  });

  it('product: a start plus a product of matrices, the same bits in both', () => {
    fc.assert(
      fc.property(sizes, ({ images, inputs, outputs, seed, hasOneStart, least }) => {
        const y = operand(0, outputs + 3);
        const a = operand(3900, inputs + 2, 1); // after the base at 100
        const b = operand(2000, hasOneStart ? 0 : outputs + 1);
        const [weights, weightStride] = [6000, outputs + 5];
        const [slow, fast] = both(seed);
        const before = slow.heap.slice();
        const product = { op: Op.product, y, a, b, length: outputs, weights, weightStride, inputs, least };
        for (const kernels of [slow, fast]) run(kernels, images, product);
        expect(bits(fast)).toEqual(bits(slow));
        const at = (index: number) => before[index] as number;
        for (let n = 0; n < images; n++) {
          for (let o = 0; o < outputs; o++) {
            let sum = at(2000 + n * b.stride + o);
            for (let i = 0; i < inputs; i++)
              sum += at(4000 + n * a.stride + i) * at(weights + i * weightStride + o);
            const got = slow.heap[n * y.stride + o] as number;
            expect(Math.abs(got - Math.max(sum, least))).toBeLessThan(1e-5);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['add', (a: number, b: number) => a + b],
    ['multiply', (a: number, b: number) => a * b],
    ['copy', (a: number) => a],
    ['relu', (a: number) => Math.max(a, 0)],
    ['sigmoid', (a: number) => 1 / (1 + Math.exp(-a))],
    ['tanh', (a: number) => Math.tanh(a)],
    ['gate', (a: number, b: number) => Math.tanh(a) / (1 + Math.exp(-b))],
  ] as const)('%s: of each value, the same bits in both', (name, definition) => {
    const [slow, fast] = both(3);
    const special = [0, 1e-45, -1, 3e38, -3e38, Number.NEGATIVE_INFINITY, 88.5, -104];
    const large = Array.from({ length: 8 }, (_, i) => 10 * (i - 4) + 0.3);
    for (const { heap } of [slow, fast]) {
      heap.set(special, 1000);
      heap.set(large, 1008);
    }
    const a = slow.heap.slice(1000, 1040);
    const b = slow.heap.slice(2000, 2055);
    const instruction = { op: Op[name], y: operand(0, 10), a: operand(1000, 8), b: operand(2000, 11) };
    for (const kernels of [slow, fast]) {
      run(kernels, 5, { ...instruction, length: 8 });
      // any length, and nothing beyond it
      for (const length of [1, 2, 3, 5, 7]) {
        run(kernels, 1, { ...instruction, y: operand(100 + 20 * length, 0), length });
      }
    }
    expect(bits(fast)).toEqual(bits(slow));
    for (let n = 0; n < 5; n++) {
      for (let i = 0; i < 8; i++) {
        const expected = Math.fround(definition(a[8 * n + i] as number, b[11 * n + i] as number));
        const got = slow.heap[10 * n + i] as number;
        const digits = name === 'gate' ? 3.5e-7 : 2e-7; // a gate is of float32
        expect(Math.abs(got - expected) <= digits * Math.abs(expected) || got === expected).toBe(true);
      }
    }
  });

  it('keeps NaN in every function of one number', () => {
    for (const op of [Op.relu, Op.sigmoid, Op.tanh, Op.gate]) {
      for (const kernels of both(1)) {
        kernels.heap[1000] = Number.NaN;
        run(kernels, 1, { op, y: operand(0, 4), a: operand(1000, 4), length: 4 });
        expect(kernels.heap[0]).toBeNaN();
        expect(kernels.heap[1]).not.toBeNaN();
      }
    }
  });

  it('keeps the sign of 0 in a ReLU, by itself and behind a product, in both', () => {
    for (const kernels of both(1)) {
      kernels.heap.set([-0, 0, -1, 1, -0, 0, -1, 1], 1000);
      run(kernels, 1, { op: Op.relu, y: operand(0, 8), a: operand(1000, 8), length: 8 });
      expect(Array.from(kernels.heap.subarray(0, 8))).toEqual([-0, 0, 0, 1, -0, 0, 0, 1]);
      const [a, b, weights] = [operand(2000, 4), operand(1000, 8), 3000];
      for (const inputs of [0, 1]) {
        kernels.heap.set([1], 2000);
        kernels.heap.fill(-0, 3000, 3008);
        const product = {
          op: Op.product,
          y: operand(0, 8),
          a,
          b,
          length: 8,
          weights,
          weightStride: 8,
          inputs,
        };
        run(kernels, 1, { ...product, least: 0 });
        expect(Array.from(kernels.heap.subarray(0, 8))).toEqual([-0, 0, 0, 1, -0, 0, 0, 1]);
      }
    }
  });

  it('runs an instruction on the columns of each image as on as many images, the same bits in both', () => {
    const [images, columns, length] = [3, 6, 8];
    for (const op of [Op.product, Op.add, Op.gate, Op.relu]) {
      const rest = { op, length, weights: 6000, weightStride: 8, inputs: 5, least: 0 };
      const row = {
        y: { ...operand(0, 100), columnStride: 12 },
        a: { ...operand(1000, 70), columnStride: 9 },
        b: { ...operand(3000, 90), columnStride: 0 },
      };
      const [slow, fast] = both(5);
      for (const kernels of [slow, fast]) run(kernels, images, { ...rest, ...row, columns });
      expect(bits(fast)).toEqual(bits(slow));
      const [pixels] = both(5);
      for (let n = 0; n < images; n++) {
        for (let column = 0; column < columns; column++) {
          const at = ({ offset, stride, columnStride }: (typeof row)['y']) =>
            operand(offset + n * stride + column * columnStride, 0);
          run(pixels, 1, { ...rest, y: at(row.y), a: at(row.a), b: at(row.b) });
        }
      }
      expect(bits(pixels)).toEqual(bits(slow));
    }
  });

  it('runs instructions in order, each on what the one before left', () => {
    const [x, y] = [operand(1000, 4), operand(0, 4)];
    for (const kernels of both(1)) {
      kernels.heap.set([1, -2, 3, -4], 1000);
      run(kernels, 1, { op: Op.relu, y, a: x, length: 4 }, { op: Op.add, y, a: y, b: x, length: 4 });
      expect(Array.from(kernels.heap.subarray(0, 4))).toEqual([2, -2, 6, -4]);
    }
  });

  it('softmax: powers of e below the largest, and their sums, the same bits in both', () => {
    const shapes = fc.record({
      images: fc.integer({ min: 1, max: 5 }),
      levels: fc.integer({ min: 1, max: 9 }).map((n) => 4 * n),
      scale: fc.double({ min: 0.1, max: 40, noNaN: true }),
      seed: fc.integer({ min: 1, max: 1000 }),
    });
    fc.assert(
      fc.property(shapes, ({ images, levels, scale, seed }) => {
        const [slow, fast] = both(seed);
        for (const kernels of [slow, fast]) {
          kernels.heap[1] = Number.NEGATIVE_INFINITY; // an impossible level
          kernels.softmax(1000, 3000, 0, images, levels, scale);
        }
        expect(bits(fast)).toEqual(bits(slow));
        const doubles = new Float64Array(fast.heap.buffer);
        for (let n = 0; n < images; n++) {
          const x = fast.heap.subarray(n * levels, (n + 1) * levels);
          const expected = Array.from(x, (logit) => Math.exp((logit - Math.max(...x)) * scale));
          const got = doubles.subarray(1000 + n * levels, 1000 + (n + 1) * levels);
          for (const [i, e] of expected.entries())
            expect(Math.abs((got[i] as number) - e)).toBeLessThan(1e-9);
          const sum = expected.reduce((total, e) => total + e, 0);
          expect(Math.abs((doubles[3000 + n] as number) - sum)).toBeLessThan(1e-8);
        }
        expect(doubles[1001]).toBe(0);
      }),
    );
  });

  it('softmax of levels next to impossible: the same bits in both, down to e^-708', () => {
    const [slow, fast] = both(1);
    for (const kernels of [slow, fast]) {
      kernels.heap.set([0, -707.9, -680, -600, -650, -708.1, -1000, -0.5]);
      kernels.softmax(100, 200, 0, 1, 8, 1);
    }
    expect(bits(fast)).toEqual(bits(slow));
    const weights = Array.from(new Float64Array(fast.heap.buffer, 800, 8));
    const expected = [0, -707.9, -680, -600, -650, -708.1, -1000, -0.5].map(Math.fround).map(Math.exp);
    for (const [i, e] of expected.entries()) {
      if (i === 5 || i === 6) expect(weights[i]).toBe(0);
      else expect((weights[i] as number) / e).toBeCloseTo(1, 9);
    }
  });

  it('softmax of what is not finite has a sum that is not', () => {
    const bad = [[0, Number.NaN], [Number.NaN, 0], [0, Number.POSITIVE_INFINITY], [-Infinity, -Infinity]]; // biome-ignore format: one line
    for (const kernels of both(1)) {
      for (const [a, b] of bad as [number, number][]) {
        kernels.heap.set([a, b, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
        kernels.softmax(100, 200, 0, 1, 4, 1);
        expect(new Float64Array(kernels.heap.buffer)[200]).toBeNaN();
      }
    }
  });

  it('says how much memory cannot be allocated', () => {
    withoutMemory(() => expect(() => makeKernels(2 ** 20)).toThrow('cannot allocate 4 MiB of memory'));
  });
});
