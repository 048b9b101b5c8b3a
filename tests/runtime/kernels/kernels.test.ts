import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Instruction, Operand, OpName, SamplingKernels } from '../../../src/runtime/kernels/instruction';
import { encode, INSTRUCTION_WORDS, OPS } from '../../../src/runtime/kernels/instruction';
import { javascriptKernels } from '../../../src/runtime/kernels/javascript';
import { FACTOR, OUTPUTS, pack } from '../../../src/runtime/kernels/packed';
import { makeKernels, webAssemblyKernels } from '../../../src/runtime/kernels/webassembly';
import { fromFloat16 } from '../../../src/runtime/program/float16';
import { withoutMemory } from '../../support/kernels/machine';
import { forAll } from '../../support/runs';
import { combinations, functions } from '../../support/slow/program';
import { expectClose, noise } from '../../support/tensors';

const nan = Number.NaN;
const FLOATS = 20_000;
const CODE = FLOATS;
const BASES = FLOATS + 10 * INSTRUCTION_WORDS;
/** Any NaN is like any other. */
const values = ({ heap }: SamplingKernels, length = 300) => Array.from(heap.subarray(0, length));

/** Both have the same bits in all of the numbers. */
function expectSameBits(one: SamplingKernels, other: SamplingKernels): void {
  const [a, b] = [one, other].map(({ words }) => words.subarray(0, FLOATS)) as [Int32Array, Int32Array];
  if (!a.every((word, i) => word === b[i])) expect(a).toEqual(b);
}

/** Both implementations, each over the same numbers, with a table of bases [0, 100]. */
function both(seed: number): [slow: SamplingKernels, fast: SamplingKernels] {
  const make = (kernels: SamplingKernels) => {
    kernels.heap.set(noise(FLOATS, seed));
    kernels.words.set([0, 100], BASES);
    return kernels;
  };
  return [javascriptKernels(BASES + 2), webAssemblyKernels(BASES + 2) as SamplingKernels].map(make) as [SamplingKernels, SamplingKernels];
}

function run(kernels: SamplingKernels, images: number, ...instructions: Instruction[]): Int32Array {
  for (const [i, instruction] of instructions.entries()) encode(kernels.heap, CODE + i * INSTRUCTION_WORDS, instruction);
  kernels.run(CODE, CODE + instructions.length * INSTRUCTION_WORDS, BASES, images);
  return kernels.words;
}

type Sums = Instruction & { b: Operand; inputs: number };
type Places = (output: number, input: number) => readonly [input: number, weight: number];

/** A start plus inputs times weights, at `places`; the same bits in both. */
function expectSums([slow, fast]: ReturnType<typeof both>, images: number, sums: Sums, places: Places) {
  const before = slow.heap.slice();
  for (const kernels of [slow, fast]) run(kernels, images, sums);
  expectSameBits(fast, slow);
  const { y, a, b, length, inputs, parameter = 0 } = sums;
  const at = (index: number) => before[index] as number;
  const expected = before.slice();
  for (let n = 0; n < images; n++)
    for (let o = 0; o < length; o++) {
      let sum = at(2000 + n * b.stride + o);
      for (const [x, w] of Array.from({ length: inputs }, (_, i) => places(o, i))) sum += at(4000 + n * a.stride + x) * at(w);
      expected[n * y.stride + o] = Math.max(sum, parameter);
    }
  expectClose(slow.heap.subarray(0, FLOATS), expected.subarray(0, FLOATS), 1e-5); // and nothing beside them
}

const operand = (offset: number, stride: number, base = 0): Operand => ({ base, offset, stride });

/** Inputs in spans with gaps between them: the position of each, from the first. */
const spans = { span: fc.integer({ min: 1, max: 9 }), gap: fc.integer({ min: 0, max: 5 }) };
const placeOf = (input: number, span: number, gap: number) => input + Math.floor(input / span) * gap;

const sizes = fc.record({
  ...spans,
  images: fc.integer({ min: 1, max: 9 }),
  inputs: fc.integer({ min: 0, max: 21 }),
  outputs: fc.integer({ min: 1, max: 7 }).map((n) => 4 * n),
  seed: fc.integer({ min: 1, max: 1000 }),
  hasOneStart: fc.boolean(),
  lowerBound: fc.constantFrom(0, Number.NEGATIVE_INFINITY),
});

describe('kernels', () => {
  it('are WebAssembly here', () => {
    expect(webAssemblyKernels(8)).not.toBeNull();
    expect(Array.from(makeKernels(8).heap.subarray(0, 8))).toEqual(new Array(8).fill(0));
  });

  it('product: a start plus a product of matrices, the same bits in both', () =>
    forAll([sizes], { numRuns: 60, seed: 1 }, ({ images, inputs, span, gap, outputs, seed, hasOneStart, lowerBound }) => {
      const y = operand(0, outputs + 3);
      const a = operand(3900, placeOf(inputs, span, gap) + 2, 1); // after the base at 100
      const b = operand(2000, hasOneStart ? 0 : outputs + 1);
      const [weights, weightStride] = [6000, 4 * inputs + 4]; // blocks of four outputs
      const matrix = { length: outputs, weights, weightStride, inputs, span, gap };
      const places: Places = (o, i) => [placeOf(i, span, gap), weights + (o >> 2) * weightStride + (o & 3) + 4 * i];
      expectSums(both(seed), images, { op: 'product', y, a, b, ...matrix, parameter: lowerBound }, places);
    }));

  it('packed products: of halves times factors, the same bits in both', () =>
    forAll([sizes], { numRuns: 80, seed: 1 }, ({ images, inputs, span, gap, seed, lowerBound: parameter, ...few }) => {
      const outputs = few.outputs * (1 + 2 * (seed & 1)); // up to 28, or from 12 to 84, of which 32 may run together
      const size = [0, 1, 2 ** 28][seed % 3] as number; // factors of halves multiply inputs up to 2 ** 26
      const [y, a, b, c] = [operand(0, outputs), operand(3900, placeOf(inputs, span, gap) + 1, 1), operand(2000, 0), operand(15_000, 0)];
      const kernels = both(seed);
      const factors = kernels[0].heap.slice(c.offset, c.offset + outputs).map((x, o) => (size === 0 || (size === 1 && o === 30) ? x : 1));
      const values = Uint16Array.from(noise(inputs * outputs, seed), (x) => (2 ** 16 * x) & 0xd7ff); // [inputs,outputs]
      const [bits, halves] = [pack(values) as Uint16Array, fromFloat16(values)];
      for (const { heap } of kernels) {
        const packed = new Uint16Array(heap.buffer, 4 * 6000, 4000);
        for (const [k, half] of halves.entries()) {
          const [input, output] = [Math.floor(k / outputs), k % outputs];
          packed[((output >> 3) * inputs + input) * OUTPUTS + 2 * (output & 3) + ((output >> 2) & 1)] = bits[k] as number;
          heap[10_000 + ((output >> 2) * inputs + input) * 4 + (output & 3)] = half * (factors[output] as number);
        }
        for (const [o, factor] of factors.entries()) heap[c.offset + o] = FACTOR * factor;
        (heap[4000] as number) *= Math.max(size, 1);
      }
      const ofAll = { a, length: outputs, inputs, weightStride: 4 * inputs };
      const product = { ...ofAll, op: 'product' as const, b, c, y, span, gap, parameter };
      const unpack = { ...ofAll, op: 'unpack' as const, y: operand(17_000, 0), c, weights: 6000 };
      const resultsOf = (...program: Instruction[]) => kernels.map((each) => run(each, images, ...program).slice(0, images * outputs));
      const expected = resultsOf({ ...product, weights: 10_000 });
      expect(resultsOf({ ...product, op: 'productPacked', weights: 6000 })).toEqual(expected);
      expect(resultsOf(unpack, { ...product, weights: 17_000 })).toEqual(expected);
      expect(pack(Uint16Array.of(0x57ff, 0x5800))).toBeNull(); // 128
    }));

  it('depthwise: a start plus rows times rows, feature by feature, the same bits in both', () =>
    forAll([sizes], { numRuns: 60, seed: 1 }, ({ images, inputs, outputs, seed, hasOneStart, lowerBound }) => {
      const [y, b] = [operand(0, outputs + 3), operand(2000, hasOneStart ? 0 : outputs + 1)];
      const [gap, weightStride] = [outputs + 2, outputs + 1];
      const a = operand(3900, inputs * gap + 1, 1); // after the base at 100
      const rows = { length: outputs, weights: 12000, weightStride, inputs, gap, parameter: lowerBound };
      const places: Places = (o, i) => [i * gap + o, 12000 + i * weightStride + o];
      expectSums(both(seed), images, { op: 'depthwise', y, a, b, ...rows }, places);
    }));

  const lookups = fc.record({
    ...spans,
    images: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 0, max: 3 }),
    inputs: fc.integer({ min: 0, max: 7 }),
    rows: fc.integer({ min: 1, max: 6 }),
    outputs: fc.integer({ min: 1, max: 39 }), // blocks of 16, vectors of four, and tails of each length
    seed: fc.integer({ min: 1, max: 1000 }),
    lowerBound: fc.constantFrom(0, Number.NEGATIVE_INFINITY),
    isInPlace: fc.boolean(),
  });

  it('lookup: a start plus one row for each input, none if its number is 0; the same bits in both', () =>
    forAll([lookups], { numRuns: 60, seed: 1 }, ({ images, columns, inputs, rows, span, gap, outputs, seed, lowerBound, isInPlace }) => {
      const side = (base: Operand, columnStride: number) => ({ ...base, columnStride });
      const y = side(operand(0, 4 * (outputs + 2)), outputs + 2);
      const a = side(operand(3900, 4 * (placeOf(inputs, span, gap) + 1), 1), placeOf(inputs, span, gap) + 1); // after the base at 100
      const b = isInPlace ? y : side(operand(2000, 0), outputs + 1);
      const [weights, weightStride] = [6000, outputs + 3];
      const kernels = both(seed);
      const numbers = Array.from({ length: 999 }, (_, i) => Math.floor(Math.abs(Math.sin(seed + i)) * 999) % (rows + 1));
      for (const { heap } of kernels) heap.set(numbers, 4000);
      const before = kernels[0].heap.slice();
      const sizes = { length: outputs, columns, inputs, rows, span, gap };
      const lookup = { op: 'lookup' as const, y, a, b, ...sizes, weights, weightStride, parameter: lowerBound };
      for (const one of kernels) run(one, images, lookup);
      expectSameBits(...kernels);
      const at = (index: number) => before[index] as number;
      const expected = before.slice(0, 2000);
      for (let n = 0; n < images; n++)
        for (let column = 0; column < Math.max(1, columns); column++)
          for (let o = 0; o < outputs; o++) {
            let sum = at(b.offset + n * b.stride + column * b.columnStride + o);
            for (let i = 0; i < inputs; i++) {
              const number = at(4000 + n * a.stride + column * a.columnStride + placeOf(i, span, gap));
              if (number > 0) sum = Math.fround(sum + at(weights + (i * rows + number - 1) * weightStride + o));
            }
            expected[n * y.stride + column * y.columnStride + o] = Math.max(sum, lowerBound);
          }
      expectClose(kernels[0].heap.subarray(0, 2000), expected, 0); // and nothing beside them
    }));

  const attentions = fc.record({
    images: fc.integer({ min: 1, max: 3 }),
    columns: fc.integer({ min: 0, max: 3 }),
    places: fc.integer({ min: 0, max: 16 }), // quarters, with padding of each length
    keys: fc.integer({ min: 1, max: 37 }),
    length: fc.integer({ min: 1, max: 37 }), // blocks of 16, vectors of four, and tails of each length
    seed: fc.integer({ min: 1, max: 1000 }),
    scale: fc.constantFrom(0.1, 1, 30),
  });

  it('attend: the values of places weighted by softmax, 0 for no places; the same bits in both', () =>
    forAll([attentions], { numRuns: 60, seed: 1 }, ({ images, columns, places, keys, length, seed, scale }) => {
      const inputs = 20 * keys;
      const y = { ...operand(0, 3 * (length + 2)), columnStride: length + 2 };
      const a = { ...operand(2900, 3 * keys, 1), columnStride: keys }; // after the base at 100
      const b = operand(4000, inputs + 20 * length);
      const c = { ...operand(4000 + places * keys, b.stride), columnStride: keys };
      const kernels = both(seed);
      const end = c.offset + keys * (Math.max(1, columns) - 1);
      for (const { heap } of kernels) for (let n = 0; n < images; n++) heap[end + n * b.stride] = Number.POSITIVE_INFINITY; // is not read
      const before = kernels[0].heap.slice();
      const room = 2000;
      const sizes = { length, columns, inputs, weights: room, weightStride: keys };
      const attend = { op: 'attend' as const, y, a, b, c, ...sizes, parameter: scale };
      for (const one of kernels) run(one, images, attend);
      const outputs = kernels.map((one) => Array.from(one.heap.subarray(0, room)));
      expectClose(outputs[1] as number[], outputs[0] as number[], 0);
      const beyond = before.subarray(room + 20, CODE); // the room for scores
      for (const { heap } of kernels) expect(beyond.every((x, i) => x === heap[room + 20 + i])).toBe(true);
      const at = (index: number) => before[index] as number;
      const expected = Float64Array.from(before.subarray(0, room));
      for (let n = 0; n < images; n++)
        for (let column = 0; column < Math.max(1, columns); column++) {
          const to = n * y.stride + column * y.columnStride;
          const query = 3000 + n * a.stride + column * a.columnStride;
          const first = b.offset + n * b.stride;
          const scores = Array.from({ length: places + column }, (_, p) => {
            let score = 0;
            for (let i = 0; i < keys; i++) score += at(query + i) * at(first + p * keys + i);
            return score * scale;
          });
          const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
          const total = powers.reduce((sum, power) => sum + power, 0);
          for (let i = 0; i < length; i++) {
            const value = (p: number) => at(first + inputs + p * length + i);
            expected[to + i] = powers.reduce((sum, power, p) => sum + (power / total) * value(p), 0);
          }
        }
      expectClose(outputs[0] as number[], expected, 2e-6 * Math.max(1, scale * 5));
    }));

  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const PARAMETER = 0.3; // alpha, theta, maximum, factor

  /** Every operation on each value by itself, by its definition. */
  const { scale: _, shift: __, quickGelu: ___, ...ofOne } = functions; // which are made of others
  const definitions: Record<string, (a: number, b: number) => number> = {
    ...Object.fromEntries(Object.entries(ofOne).map(([name, of]) => [name, (a: number) => of(a, PARAMETER)])),
    ...combinations,
    copy: (a) => a,
    gate: (a, b) => Math.tanh(a) * sigmoid(b),
    glu: (a, b) => a * sigmoid(b),
    concatElu: (a) => (a > 0 ? a : Math.expm1(a)), // its first half
    levelNumber: (a) => {
      const level = Math.floor(PARAMETER * a + 0.5); // none of the numbers is near a half
      return level >= 0 && level <= PARAMETER ? level + 1 : 0;
    },
  };

  it('knows a definition of every operation on each value', () => {
    const products = ['product', 'productPacked', 'unpack', 'depthwise'];
    const others = [...products, 'lookup', 'attend', 'oneHot', 'normalize', 'rms', 'softmax', 'logSoftmax'];
    expect(new Set([...Object.keys(definitions), ...others])).toEqual(new Set(OPS));
  });

  it.each(Object.entries(definitions))('%s: of each value, the same bits in both', (name, definition) => {
    const [slow, fast] = both(3);
    const special = [0, 1e-45, -1, 3e38, -3e38, Number.NEGATIVE_INFINITY, 88.5, -104];
    const large = Array.from({ length: 8 }, (_, i) => 10 * (i - 4) + 0.3);
    const more = [-0, -1e-45, 1e-39, Number.POSITIVE_INFINITY, 709.5, -709.5, 1 / 64, -1 / 64];
    for (const { heap } of [slow, fast]) heap.set([...special, ...large, ...more], 1000);
    const a = slow.heap.slice(1000, 1040);
    const b = slow.heap.slice(2000, 2055);
    const operands = { y: operand(0, 10), a: operand(1000, 8), b: operand(2000, 11) };
    const instruction: Instruction = { op: name as OpName, ...operands, length: 8, parameter: PARAMETER };
    for (const kernels of [slow, fast]) {
      run(kernels, 5, instruction);
      // any length, and nothing beyond it
      for (const length of [1, 2, 3, 5, 7]) run(kernels, 1, { ...instruction, y: operand(100 + 20 * length, 0), length });
    }
    expect(values(fast)).toEqual(values(slow));
    const digits = ['gate', 'glu', 'concatElu'].includes(name) ? 3.5e-7 : name === 'gelu' ? 1e-4 : 2e-7; // gates are of float32, a gelu made of tfjs's erf
    for (let n = 0; n < 5; n++)
      for (let i = 0; i < 8; i++) {
        const expected = Math.fround(definition(a[8 * n + i] as number, b[11 * n + i] as number));
        const got = slow.heap[10 * n + i] as number;
        const error = Math.abs(got - expected);
        const isClose = error <= digits * Math.abs(expected) || error < 1e-7 * digits;
        expect(isClose || Object.is(got + 0, expected + 0)).toBe(true);
      }
  });

  it('computes the same bits in both for any numbers', () => {
    const floats = fc.array(fc.float(), { minLength: 13, maxLength: 13 });
    const operations = fc.constantFrom(...Object.keys(definitions)) as fc.Arbitrary<OpName>;
    forAll([operations, floats, floats, fc.double({ min: -2, max: 2 })], { numRuns: 100, seed: 1 }, (name, a, b, parameter) => {
      const kernels = both(1);
      for (const one of kernels) {
        one.heap.set([...a, ...b], 1000);
        const rest = { y: operand(0, 0), a: operand(1000, 0), b: operand(1013, 0), length: 13, parameter };
        run(one, 1, { op: name, ...rest });
      }
      expect(values(kernels[1], 13)).toEqual(values(kernels[0], 13));
    });
  });

  it('normalize and rms: by their definition, the same bits in both, for any number of features', () => {
    for (const name of ['normalize', 'rms'] as const)
      for (const length of [1, 2, 3, 4, 7, 16]) {
        const kernels = both(length);
        const at = (index: number) => kernels[0].heap[index] as number;
        const features = [...Array(length).keys()];
        const expected = [0, 1].flatMap((n) => {
          const x = features.map((i) => at(1000 + 20 * n + i));
          const mean = name === 'rms' ? 0 : x.reduce((sum, value) => sum + value, 0) / length;
          const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length;
          return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 0.01)) * at(2000 + i) + at(3000 + i));
        });
        const operands = { y: operand(0, 20), a: operand(1000, 20), b: operand(2000, 0), weights: 3000 };
        for (const one of kernels) run(one, 2, { op: name, ...operands, length, parameter: 0.01 });
        const got = [0, 20].flatMap((start) => Array.from(kernels[1].heap.subarray(start, start + length)));
        expectClose(got, expected, 3e-7);
        expectSameBits(...kernels);
      }
  });

  it('softmax and logSoftmax of features: by their definition, also in place, where powers of e overflow and of impossible ones', () => {
    const x = [1, -2, 0.5, 3, 900, 899, -50, 880, 0, Number.NEGATIVE_INFINITY, -200, 1].map(Math.fround);
    const rows = [0, 4, 8].map((start) => x.slice(start, start + 4));
    const logs = rows.flatMap((row) => {
      const max = Math.max(...row);
      const sum = row.reduce((total, value) => total + Math.exp(value - max), 0);
      return row.map((value) => value - max - Math.log(sum));
    });
    for (const kernels of both(1)) {
      const { heap } = kernels;
      heap.set(x, 1000);
      const rest = { a: operand(1000, 4), length: 4 };
      run(kernels, 3, { op: 'logSoftmax', y: operand(100, 4), ...rest });
      expect(Array.from(heap.subarray(100, 112))).toEqual(logs.map(Math.fround));
      run(kernels, 3, { op: 'softmax', y: operand(1000, 4), ...rest });
      for (const [i, log] of logs.entries())
        expect(Math.abs((heap[1000 + i] as number) - Math.exp(log))).toBeLessThan(6e-8 * Math.exp(log) + 1e-40);
      heap.set([1, Number.NaN, 2, 3], 1000);
      run(kernels, 1, { op: 'softmax', y: operand(1000, 4), ...rest });
      expect(Array.from(heap.subarray(1000, 1004))).toEqual([nan, nan, nan, nan]);
    }
  });

  it('runs instructions that WebAssembly lacks between others, in any position', () => {
    const [x, y, z] = [operand(1000, 4), operand(0, 4), operand(100, 4)];
    const own: Instruction = { op: 'clippedRelu', y, a: x, length: 4, parameter: 2 };
    const add: Instruction = { op: 'add', y: z, a: y, b: x, length: 4 };
    const again: Instruction = { op: 'clippedRelu', y: z, a: z, length: 4, parameter: 3 };
    const gate: Instruction = { op: 'glu', y: z, a: z, b: y, length: 4 }; // of another module
    const parts = [[own, add, again], [add, own, own, add], [own], [own, again, add], [gate, own, gate, gate, add], []];
    for (const program of parts) {
      const [slow, fast] = both(4);
      for (const kernels of [slow, fast]) run(kernels, 3, ...program);
      expectSameBits(fast, slow);
    }
    for (const kernels of both(1)) {
      kernels.heap.set([1, -2, 3, -4], 1000);
      run(kernels, 1, own, add, again);
      expect(Array.from(kernels.heap.subarray(100, 104))).toEqual([2, 0, 3, 0]); // of [1, 0, 2, 0] + x
    }
  });

  it('keeps NaN in every function of one number', () => {
    const others = ['add', 'multiply', 'maximum', 'minimum', 'levelNumber']; // of two numbers; NaN is no level
    for (const name of Object.keys(definitions).filter((one) => !others.includes(one)))
      for (const kernels of both(1)) {
        const rest = { y: operand(0, 4), a: operand(1000, 4), length: 4, parameter: PARAMETER };
        kernels.heap[1000] = Number.NaN;
        run(kernels, 1, { op: name as OpName, ...rest });
        expect(kernels.heap[0]).toBeNaN();
        expect(kernels.heap[1]).not.toBeNaN();
      }
  });

  it('keeps the sign of 0 in a ReLU, by itself and behind a product, in both', () => {
    for (const kernels of both(1)) {
      kernels.heap.set([-0, 0, -1, 1, -0, 0, -1, 1], 1000);
      run(kernels, 1, { op: 'relu', y: operand(0, 8), a: operand(1000, 8), length: 8 });
      expect(Array.from(kernels.heap.subarray(0, 8))).toEqual([-0, 0, 0, 1, -0, 0, 0, 1]);
      const [a, b, weights] = [operand(2000, 4), operand(1000, 8), 3000];
      for (const inputs of [0, 1]) {
        kernels.heap.set([1], 2000);
        kernels.heap.fill(-0, 3000, 3008);
        const product = { op: 'product' as const, y: operand(0, 8), a, b, length: 8, weights, weightStride: 4, inputs };
        run(kernels, 1, { ...product, parameter: 0 });
        expect(Array.from(kernels.heap.subarray(0, 8))).toEqual([-0, 0, 0, 1, -0, 0, 0, 1]);
      }
    }
  });

  it('softmax: powers of e below the largest, and their sums, the same bits in both', () => {
    const shapes = fc.record({
      images: fc.integer({ min: 1, max: 5 }), levels: fc.integer({ min: 1, max: 9 }).map((n) => 4 * n),
      scale: fc.double({ min: 0.1, max: 40, noNaN: true }), seed: fc.integer({ min: 1, max: 1000 }),
    }); // biome-ignore format: in few lines
    forAll([shapes], { numRuns: 40, seed: 1 }, ({ images, levels, scale, seed }) => {
      const [slow, fast] = both(seed);
      for (const kernels of [slow, fast]) {
        kernels.heap[1] = Number.NEGATIVE_INFINITY; // an impossible level
        kernels.softmax(1000, 3000, 0, images, levels, scale);
      }
      expectSameBits(fast, slow);
      const doubles = new Float64Array(fast.heap.buffer);
      for (let n = 0; n < images; n++) {
        const x = fast.heap.subarray(n * levels, (n + 1) * levels);
        const expected = Array.from(x, (logit) => Math.exp((logit - Math.max(...x)) * scale));
        const got = doubles.subarray(1000 + n * levels, 1000 + (n + 1) * levels);
        for (const [i, e] of expected.entries()) expect(Math.abs((got[i] as number) - e)).toBeLessThan(1e-9);
        const sum = expected.reduce((total, e) => total + e, 0);
        expect(Math.abs((doubles[3000 + n] as number) - sum)).toBeLessThan(1e-8);
      }
      expect(doubles[1001]).toBe(0);
    });
  });

  it('softmax of levels next to impossible: the same bits in both, down to e^-708', () => {
    const [slow, fast] = both(1);
    for (const kernels of [slow, fast]) {
      kernels.heap.set([0, -707.9, -680, -600, -650, -708.1, -1000, -0.5]);
      kernels.softmax(100, 200, 0, 1, 8, 1);
    }
    expectSameBits(fast, slow);
    const weights = Array.from(new Float64Array(fast.heap.buffer, 800, 8));
    const expected = [0, -707.9, -680, -600, -650, -708.1, -1000, -0.5].map(Math.fround).map(Math.exp);
    for (const [i, e] of expected.entries()) {
      if (i === 5 || i === 6) expect(weights[i]).toBe(0);
      else expect((weights[i] as number) / e).toBeCloseTo(1, 9);
    }
  });

  it('softmax of numbers that are not finite has a sum that is not finite', () => {
    const bad = [[0, Number.NaN], [Number.NaN, 0], [0, Number.POSITIVE_INFINITY], [-Infinity, -Infinity]]; // biome-ignore format: one line
    for (const kernels of both(1))
      for (const [a, b] of bad as [number, number][]) {
        kernels.heap.set([a, b, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
        kernels.softmax(100, 200, 0, 1, 4, 1);
        expect(new Float64Array(kernels.heap.buffer)[200]).toBeNaN();
      }
  });

  describe('drawCertain', () => {
    /** The levels drawn of logits by uniforms, one image each; -1 for a doubt. */
    function certain(logits: Float32Array, uniforms: readonly number[], scale = 1): number[] {
      const [levels, images] = [logits.length, uniforms.length];
      const [drawn, row] = [images * levels, images * (levels + 1) + 4];
      const noise = Math.ceil((row + levels) / 2);
      const kernels = webAssemblyKernels(2 * (noise + images)) as SamplingKernels;
      for (let n = 0; n < images; n++) kernels.heap.set(logits, n * levels);
      new Float64Array(kernels.heap.buffer, 8 * noise, images).set(uniforms);
      kernels.drawCertain?.(drawn, noise, row, 0, images, levels, scale);
      return Array.from(kernels.words.subarray(drawn, drawn + images));
    }

    /** Cumulative probabilities in float64. */
    function cumulative(logits: Float32Array, scale: number): number[] {
      const max = logits.reduce((a, b) => Math.max(a, b));
      let sum = 0;
      const sums = Array.from(logits, (x) => {
        sum += Math.exp((x - max) * scale);
        return sum;
      });
      return sums.map((partial) => partial / sum);
    }

    const cases = fc.record({
      levels: fc.constantFrom(4, 8, 16, 40, 256, 1024), spread: fc.constantFrom(0.1, 3, 30, 300), scale: fc.constantFrom(0.3, 1, 7),
      seed: fc.integer({ min: 1, max: 1000 }),
    }); // biome-ignore format: in few lines

    it('is the level that float64 draws, or a doubt: next to the edges of levels most of all', () =>
      forAll([cases], { numRuns: 20, seed: 1 }, ({ levels, spread, scale, seed }) => {
        const logits = Float32Array.from(noise(levels, seed), (x) => x * spread);
        logits[levels - 1] = Number.NEGATIVE_INFINITY; // an impossible level
        const edges = cumulative(logits, scale);
        const near = edges.flatMap((edge) => [0, 1e-8, 1e-7, 1e-6, 1e-5].flatMap((e) => [edge - e, edge + e]));
        const uniforms = near.filter((u) => u >= 0 && u < 1);
        const drawn = certain(logits, uniforms, scale);
        for (const [n, u] of uniforms.entries()) {
          const level = edges.findIndex((edge) => edge > u);
          if (drawn[n] !== -1 && drawn[n] !== level) expect({ u, drawn: drawn[n] }).toEqual({ u, drawn: level });
        }
      }));

    it('is rarely a doubt', () => {
      for (const levels of [4, 16, 256]) {
        const uniforms = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);
        const doubts = certain(noise(levels, levels), uniforms).filter((level) => level === -1);
        expect(doubts.length).toBeLessThan(30); // each level has an edge, around which it is
      }
    });

    it('is a doubt where the logits are not finite, or the uniform is next to 1', () => {
      const [least, nan] = [Number.NEGATIVE_INFINITY, Number.NaN];
      const each = [[0, nan], [nan, 0], [0, Number.POSITIVE_INFINITY], [least, least]]; // biome-ignore format: a line
      for (const bad of each) expect(certain(Float32Array.of(...bad, least, least), [0, 0.5])).toEqual([-1, -1]);
      expect(certain(Float32Array.of(0, 0, least, least), [0, 1 - 2 ** -53])).toEqual([0, -1]);
    });
  });

  it('states how much memory cannot be allocated', () => {
    withoutMemory(() => expect(() => makeKernels(2 ** 20)).toThrow('cannot allocate 4 MiB of memory'));
    withoutMemory(() => expect(makeKernels(2 ** 19).heap).toHaveLength(2 ** 19)); // in JavaScript
  });
});
