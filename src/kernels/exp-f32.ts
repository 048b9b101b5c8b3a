const { fround } = Math;

const LOG2E = fround(Math.LOG2E);
const LN2_LOW = fround(1.428606765330187e-6); // with 0.693145751953125 above it, which times k is exact
const [SIXTH, F24, F120, F720] = [6, 24, 120, 720].map((n) => fround(1 / n)) as [
  number,
  number,
  number,
  number,
];

/** Added and taken away again, rounds to an integer. */
const SHIFT = 1.5 * 2 ** 23 + 127;

const bits = new Int32Array(1);
const power = new Float32Array(bits.buffer);

/**
 * e^x of float32 numbers of at most 0, to seven digits (0 below -87), each step rounded to float32: the same bits as the kernels in WebAssembly, of four numbers
 * at once, give.
 *
 * e^x = 2^k e^r with |r| <= ln(2) / 2, and e^r by its series to r^6.
 */
export function expFloat32(x: number): number {
  if (x < -87) return 0;
  const k = fround(fround(fround(x * LOG2E) + SHIFT) - SHIFT);
  const r = fround(fround(x - k * 0.693145751953125) - fround(k * LN2_LOW));
  const r2 = fround(r * r);
  const low = fround(fround(1 + r) + fround(fround(0.5 + fround(r * SIXTH)) * r2));
  const high = fround(fround(F24 + fround(r * F120)) + fround(F720 * r2));
  bits[0] = (k + 127) << 23; // 2^k
  return fround(fround(low + fround(high * fround(r2 * r2))) * (power[0] as number));
}
