import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { softmaxDraw, softmaxOf } from '../../../src/runtime/distributions/categorical';
import { TO_DRAW } from '../../../src/runtime/distributions/levels';
import { wholeVectors } from '../../../src/runtime/kernels/instruction';
import { javascriptKernels } from '../../../src/runtime/kernels/javascript';
import { makeKernels } from '../../../src/runtime/kernels/webassembly';
import { fencedHeap } from '../../support/kernels/fences';
import { filtered } from '../../support/laws/all-images';
import { drawWith, type Filters } from '../../support/laws/draw-levels';
import { forAll } from '../../support/runs';

const plain: Filters = { temperature: 1, topK: undefined, topP: undefined };
const logs = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);

/** Logits of a first channel. */
const present = (outputs: Float32Array) => ({ outputs, channel: 0, levels: new Int32Array(0) });

/** The levels that images of the same logits draw, the same with and without WebAssembly. */
function drawEach(logits: Float32Array, uniforms: Float64Array, filters: Partial<Filters> = {}): Int32Array {
  const size = wholeVectors(logits.length);
  const padded = new Float32Array(uniforms.length * size).fill(99); // padding may be anything
  for (let n = 0; n < uniforms.length; n++) padded.set(logits, n * size);
  const { temperature, topK, topP } = { ...plain, ...filters };
  const newDrawn = () => new Int32Array(uniforms.length).fill(TO_DRAW);
  if (topK !== undefined || topP !== undefined) {
    const drawn = newDrawn();
    const distribution = softmaxOf(1, logits.length);
    drawWith(distribution, uniforms.length, { temperature, topK, topP })(present(padded), uniforms, drawn);
    return drawn;
  }
  const [levels, others] = [makeKernels, javascriptKernels].map((make) => {
    const drawn = newDrawn();
    const heap = fencedHeap(make);
    softmaxDraw(logits.length, uniforms.length, temperature, heap.make)(present(padded), uniforms, drawn);
    heap.expectStanding();
    return drawn;
  });
  expect(levels).toEqual(others);
  return levels as Int32Array;
}

/** The level that one image draws. */
const draw = (logits: Float32Array, u: number, filters: Partial<Filters> = {}) =>
  drawEach(logits, Float64Array.of(u), filters)[0] as number;

/** The sums of the first numbers of a list, of one, of two and so on. */
function cumulative(numbers: readonly number[]): number[] {
  let sum = 0;
  return numbers.map((x) => {
    sum += x;
    return sum;
  });
}

const isClose = (a: number, b: number) => Math.abs(a - b) < 1e-9;

describe('categorical', () => {
  it('draws the first level whose cumulative probability exceeds u', () => {
    const logits = logs(0.25, 0.5, 0.25);
    expect([0, 0.2, 0.26, 0.7, 0.76, 0.999].map((u) => draw(logits, u))).toEqual([0, 0, 1, 1, 2, 2]);
    const equal = new Float32Array(4); // edges exactly at 1/4, 2/4, 3/4: u on an edge belongs to the next level
    expect([0.25, 0.5, 0.75].map((u) => draw(equal, u))).toEqual([1, 2, 3]);
  });

  it('draws for every image that has no level yet', () => {
    const logits = Float32Array.of(9, -9, 0, 0, -9, 9, 0, 0, 9, -9, 0, 0); // three images of two levels, padded
    for (const filters of [plain, { ...plain, temperature: 0 }, { ...plain, topK: 1 }]) {
      const drawn = Int32Array.of(TO_DRAW, TO_DRAW, 7);
      drawWith(softmaxOf(1, 2), 3, filters)(present(logits), Float64Array.of(0.5, 0.5, 0.5), drawn);
      expect(Array.from(drawn)).toEqual([0, 1, 7]);
    }
  });

  it('never draws an impossible level, however close u is to 0 or 1', () => {
    const logits = Float32Array.of(Number.NEGATIVE_INFINITY, 3, -200, Number.NEGATIVE_INFINITY);
    expect(draw(logits, 0)).toBe(1);
    expect(draw(logits, 1 - 2 ** -53)).toBeLessThan(3);
    expect(draw(logits, 1 - 2 ** -53, { topK: 1 })).toBe(1);
    expect(draw(Float32Array.of(1000, -1000), 1 - 2 ** -53)).toBe(0);
  });

  it('never draws an impossible level next to u = 1, where the sum of the levels is rounded below their total', () => {
    const u = 1 - 2 ** -53;
    const impossible = new Array<number>(4).fill(Number.NEGATIVE_INFINITY);
    // Added to 1, less than 2^-53 is lost, so that level by level the sum stays 1; the total, of every fourth
    // level, has most of them: 1 + 43 * 2^-53.
    const lost = new Array<number>(63).fill(Math.log(0.9 * 2 ** -53));
    expect(draw(Float32Array.of(0, ...lost, ...impossible), u)).toBe(63);
    // Level by level, 20 of 0.6 * 2^-52 make 12 * 2^-52, and then 1; the likeliest first, each is rounded up and
    // they make 20 * 2^-52. The filters leave out what is less likely.
    const roundedUp = new Array<number>(20).fill(Math.log(0.6 * 2 ** -52));
    const unlikely = new Array<number>(4).fill(Math.log(0.3 * 2 ** -52));
    const logits = Float32Array.of(...roundedUp, 0, ...unlikely);
    expect(draw(logits, u, { topK: 21 })).toBe(20);
    expect(draw(logits, u, { topP: 1 - 2 ** -53 })).toBe(20);
    expect(draw(logits, u, { topK: 22, topP: 1 - 2 ** -53 })).toBe(20);
  });

  it('keeps even a very unlikely level if topK does', () => {
    const logits = Float32Array.of(-100, 0, -200); // e^-100 is lost in the sum with 1, but not as the first
    expect(draw(logits, 0)).toBe(0);
    expect(draw(logits, 0, { topK: 2 })).toBe(0);
    expect(draw(logits, 0, { topK: 2, topP: 1 })).toBe(0);
  });

  it('takes the most likely level at temperature 0, the lowest on a tie, whatever the other options', () => {
    const logits = Float32Array.of(1, 3, 3, 2);
    for (const filters of [{}, { topK: 2 }, { topP: 0.1 }]) expect(draw(logits, 0.99, { temperature: 0, ...filters })).toBe(1);
  });

  it('draws the likelier of two at temperatures next to 0', () => {
    const logits = logs(0.2, 0.8);
    expect(draw(logits, 0.999, { temperature: 1e-300 })).toBe(1); // no overflow
    expect(draw(logits, 0.999, { temperature: 1e-310 })).toBe(1); // nor where its inverse is infinite
  });

  it('computes differences of logits in float64, however high the temperature', () => {
    // 4e38 is infinite in float32; divided by 1e39, e^-0.4 = 0.67, so level 0 has 0.67 / 1.67 = 0.4013
    const logits = Float32Array.of(-2e38, 2e38);
    expect([0.4, 0.402].map((u) => draw(logits, u, { temperature: 1e39 }))).toEqual([0, 1]);
  });

  it('equals its definition for any logits and filters', () => {
    const filters = fc.record({
      temperature: fc.double({ min: 0.1, max: 5, noNaN: true }), topK: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      topP: fc.option(fc.double({ min: 0.01, max: 1, noNaN: true }), { nil: undefined }),
    }); // biome-ignore format: in few lines
    const logits = fc.array(fc.float({ min: -5, max: 5, noNaN: true }), { minLength: 2, maxLength: 8 });
    const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    forAll([logits, filters, uniform], { numRuns: 200, seed: 1 }, (values, asked, u) => {
      const x = Float32Array.from(values);
      const edges = cumulative(filtered(values, asked));
      // Where numbers are equal but for rounding, either level is right: at u, at topP, and between two levels' places in the order.
      const byProbability = filtered(values, { ...asked, topP: undefined }).sort((a, b) => b - a);
      const sorted = Array.from(x).sort((a, b) => a - b);
      fc.pre(edges.every((edge) => !isClose(edge, u)));
      const { topP = 1 } = asked;
      fc.pre(topP === 1 || cumulative(byProbability).every((edge) => !isClose(edge, topP)));
      fc.pre(sorted.every((logit, i) => logit === sorted[i + 1] || !isClose(logit, sorted[i + 1] ?? Infinity)));
      const expected = edges.findIndex((edge) => edge > u);
      expect(draw(x, u, asked)).toBe(expected);
    });
  });

  it('refuses logits that are not finite', () => {
    const message = 'outputs that are not finite';
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => draw(Float32Array.of(0, bad), 0.5)).toThrow(message);
      for (const logits of [Float32Array.of(bad, 0), Float32Array.of(0, bad)])
        expect(() => draw(logits, 0.5, { temperature: 0 })).toThrow(message);
    }
    expect(() => draw(new Float32Array(2).fill(Number.NEGATIVE_INFINITY), 0.5)).toThrow(message);
  });
});
