// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. Below 2^-14 numbers are multiples of 2^-24.

const INFINITY = 0x7c00;
const SMALLEST_NORMAL = 0x38800000; // 2^-14 in float32
const MORE_EXPONENT = 127 - 15; // from the exponents of float16 to those of float32

/** Rounds each number to the nearest float16, ties to even; from 65520 on, to infinity. */
export function toFloat16(numbers: Float32Array): Uint16Array<ArrayBuffer> {
  const all = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const halves = new Uint16Array(numbers.length);
  for (let i = 0; i < halves.length; i++) {
    const bits = all[i] as number;
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    halves[i] =
      sign | (magnitude < SMALLEST_NORMAL ? subnormal(Math.abs(numbers[i] as number)) : normal(magnitude));
  }
  return halves;
}

/** Adding 2^52 leaves no bits for fractions, so it rounds them. */
const subnormal = (magnitude: number): number => magnitude * 2 ** 24 + 2 ** 52 - 2 ** 52;

/** Rounds away 13 of the 23 bits of fraction. A carry correctly increments the exponent. */
function normal(bits: number): number {
  const isOdd = (bits >>> 13) & 1;
  return Math.min((bits - (MORE_EXPONENT << 23) + 0xfff + isOdd) >>> 13, INFINITY);
}

export const isInfinite = (half: number): boolean => (half & 0x7fff) === INFINITY;

let table: Float32Array | undefined;

/** The numbers that float16 bits represent, exactly. */
export function fromFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  table ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => {
    const exponent = (half >> 10) & 31;
    const fraction = half % 0x400;
    const steps = exponent === 0 ? fraction : (fraction + 0x400) * 2 ** (exponent - 1); // of 2^-24
    const magnitude = exponent < 31 ? steps * 2 ** -24 : fraction ? NaN : Infinity;
    return half < 0x8000 ? magnitude : -magnitude;
  });
  const numbers = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) numbers[i] = table[halves[i] as number] as number;
  return numbers;
}
