import { expect, it } from 'vitest';
import { fromFloat16, isInfinite, toFloat16 } from '../../../src/runtime/program/float16';

/** All finite float16 of no sign, by the definition of the format, in order. */
const numbers = Array.from({ length: 0x7c00 }, (_, bits) => {
  const [exponent, fraction] = [Math.floor(bits / 1024), bits % 1024];
  return exponent === 0 ? fraction / 2 ** 24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
});

/** Those of which rounding makes another number than is wanted. */
function wrongOf(cases: readonly (readonly [given: number, wanted: number])[]) {
  const rounded = fromFloat16(toFloat16(Float32Array.from(cases, ([given]) => given)));
  return cases.filter(([, wanted], i) => !Object.is(rounded[i], wanted));
}

it('represents each of its numbers exactly, with its sign', () => {
  expect(wrongOf([...numbers, ...numbers.map((x) => -x)].map((x) => [x, x]))).toEqual([]);
});

it('rounds what lies at and beside the middle of neighbours, to the nearest, ties to even', () => {
  /** The float32 next to a number, on this side. */
  const beside = (number: number, step: number) => {
    const bits = new Uint32Array(Float32Array.of(number).buffer);
    bits[0] = (bits[0] as number) + step;
    return new Float32Array(bits.buffer)[0] as number;
  };
  const cases = numbers.slice(0, -1).flatMap((below, i) => {
    const above = numbers[i + 1] as number;
    const middle = (below + above) / 2; // exact in float32
    const even = i % 2 === 0 ? below : above;
    return [[beside(middle, -1), below], [middle, even], [-middle, -even], [beside(middle, 1), above]] as const; // biome-ignore format: one line
  });
  expect(wrongOf(cases)).toEqual([]);
  expect(wrongOf([1e-45, 2 ** -25, 2 ** -126, 0].map((x) => [x, 0]))).toEqual([]);
  expect(wrongOf([-1e-45, -0].map((x) => [x, -0]))).toEqual([]);
});

it('is infinite from the middle between its greatest and what would follow', () => {
  const halves = toFloat16(Float32Array.of(65504, beforeInfinity, 65520, -65520, 1e6, 3.4e38));
  expect(Array.from(halves, isInfinite)).toEqual([false, false, true, true, true, true]);
});

/** The greatest float32 below 65520. */
const beforeInfinity = 65520 - 2 ** -8;
