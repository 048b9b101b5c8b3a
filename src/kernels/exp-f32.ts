const { fround } = Math;

const LOG2E = fround(Math.LOG2E);
// ln 2 in two parts, of which the first times k is exact.
const LN2_HIGH = 0.693145751953125;
const LN2_LOW = fround(1.428606765330187e-6);
// Coefficients of r^3 to r^6 in e^r - 1: nearest to it over all r, where those of its series would need one
// term more for as many digits.
const C3 = fround(0.16666576);
const C4 = fround(0.041666556);
const C5 = fround(0.008363203);
const C6 = fround(0.0013926213);

/** Added and taken away again, rounds to an integer. */
const SHIFT = 1.5 * 2 ** 23 + 127;

/** e^x is 0 there: 2^k has no exponent left. */
const LEAST = -88;

// e^x = 2^k e^r with |r| <= ln(2) / 2, and e^r - 1 by a polynomial of degree 6. Each step is rounded to
// float32,
// so that the kernels in WebAssembly, of four numbers at once, give the same bits.

/** e^x of float32 numbers of at most 0, to seven digits; 0 below -88, NaN of NaN. */
export function expFloat32(x: number): number {
  const inRange = clamped(x);
  const power = powerOf2(inRange);
  return fround(power + scaledExpm1(inRange, power));
}

/** 1 - e^x of float32 numbers of at most 0, to seven digits, also where e^x is next to 1. */
export function oneMinusExpFloat32(x: number): number {
  const inRange = clamped(x);
  const power = powerOf2(inRange);
  return fround(fround(1 - power) - scaledExpm1(inRange, power));
}

/** Keeps NaN. */
const clamped = (x: number) => Math.max(x, LEAST);

const exponent = (x: number) => fround(fround(fround(x * LOG2E) + SHIFT) - SHIFT);

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/** 2^k, of its biased exponent. */
function powerOf2(x: number): number {
  bits[0] = (exponent(x) + 127) << 23;
  return float[0] as number;
}

/** 2^k (e^r - 1) */
function scaledExpm1(x: number, power: number): number {
  const k = exponent(x);
  const r = fround(fround(x - k * LN2_HIGH) - fround(k * LN2_LOW));
  const r2 = fround(r * r);
  const low = fround(0.5 + fround(r * C3));
  const high = fround(fround(C4 + fround(r * C5)) + fround(C6 * r2));
  const sum = fround(low + fround(high * r2));
  return fround(power * fround(r + fround(sum * r2)));
}
