const { fround } = Math;

const LOG2E = fround(Math.LOG2E);
// ln 2 in two parts, of which the first times k is exact.
const LN2_HIGH = 0.693145751953125;
const LN2_LOW = fround(1.428606765330187e-6);
const F6 = fround(1 / 6);
const F24 = fround(1 / 24);
const F120 = fround(1 / 120);
const F720 = fround(1 / 720);
const F5040 = fround(1 / 5040);

/** Added and taken away again, rounds to an integer. */
const SHIFT = 1.5 * 2 ** 23 + 127;

/** e^x is 0 below it. */
const LEAST = -87;

// e^x = 2^k e^r with |r| <= ln(2) / 2, and e^r - 1 by its series to r^7. Each step is rounded to float32, so
// that the kernels in WebAssembly, of four numbers at once, give the same bits.

/** e^x of float32 numbers of at most 0, to seven digits; 0 below -87. */
export function expFloat32(x: number): number {
  if (x < LEAST) return 0;
  const k = exponent(x);
  const power = powerOf2(k);
  return fround(power + fround(power * expm1OfRest(x, k)));
}

/** 1 - e^x of float32 numbers of at most 0, to seven digits, also where e^x is next to 1. */
export function oneMinusExpFloat32(x: number): number {
  if (x < LEAST) return 1;
  const k = exponent(x);
  const power = powerOf2(k);
  return fround(fround(1 - power) - fround(power * expm1OfRest(x, k)));
}

/** k */
const exponent = (x: number) => fround(fround(fround(x * LOG2E) + SHIFT) - SHIFT);

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/** 2^k, of its biased exponent. */
function powerOf2(k: number): number {
  bits[0] = (k + 127) << 23;
  return float[0] as number;
}

/** e^r - 1 */
function expm1OfRest(x: number, k: number): number {
  const r = fround(fround(x - k * LN2_HIGH) - fround(k * LN2_LOW));
  const r2 = fround(r * r);
  const c2 = fround(0.5 + fround(r * F6));
  const c4 = fround(F24 + fround(r * F120));
  const c6 = fround(F720 + fround(r * F5040));
  const c = fround(c2 + fround(fround(c4 + fround(c6 * r2)) * r2));
  return fround(r + fround(c * r2));
}
