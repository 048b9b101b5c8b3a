import { expect, it } from 'vitest';
import {
  FACTOR,
  fromFloat16,
  fromNormal16,
  haveNormal16,
  isNotFinite,
  normalHalves,
  toFloat16,
} from '../../../src/runtime/kernels/float16';

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
  expect(Array.from(halves, isNotFinite)).toEqual([false, false, true, true, true, true]);
});

/** The greatest float32 below 65520. */
const beforeInfinity = 65520 - 2 ** -8;

it('has lower exponents of all below 128, so that none is subnormal', () => {
  const below = Uint16Array.from({ length: 2 * 0x5800 }, (_, i) => ((i & 1) << 15) | (i >> 1));
  const normal = normalHalves(below);
  expect(fromNormal16(normal).map((half) => half * FACTOR)).toEqual(fromFloat16(below)); // -0 too
  expect(normal.filter((half) => (half & 0x7c00) === 0)).toEqual(Uint16Array.of(0, 0x8000));
  expect([below, Uint16Array.of(0x5800), Uint16Array.of(0xd800)].map(haveNormal16)).toEqual([true, false, false]);
});
