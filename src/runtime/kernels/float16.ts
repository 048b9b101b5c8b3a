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

/** Whether float16 bits are of infinity or NaN. */
export const isNotFinite = (half: number): boolean => (half & INFINITY) === INFINITY;

/** The numbers that float16 bits represent, exactly. */
export function fromFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const numbers = times(halves, MORE_EXPONENT);
  const all = new Uint32Array(numbers.buffer);
  for (let i = 0; i < halves.length; i++) {
    if (isNotFinite(halves[i] as number)) all[i] = (all[i] as number) | 0x7f800000; // infinity, or NaN
  }
  return numbers;
}

/** The sign, exponent and fraction of each as float32, times a power of 2, which also makes subnormal numbers normal. */
function times(halves: Uint16Array, exponent: number): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(halves.length);
  const all = new Uint32Array(numbers.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] as number;
    all[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    numbers[i] = (numbers[i] as number) * 2 ** exponent;
  }
  return numbers;
}

// Processors are slow at subnormal numbers. With exponents that count from 10 lower, all numbers below 128 are normal.

const LOWER = 10;

/** Whether the numbers of float16 bits are all below 128. */
export function haveNormal16(halves: Uint16Array): boolean {
  let all = 0;
  for (let i = 0; i < halves.length; i++) all = Math.max(all, (halves[i] as number) & 0x7fff);
  return all < 0x5800;
}

/** The bits of halves below 128 with lower exponents. */
export function normalHalves(halves: Uint16Array): Uint16Array {
  return halves.map((half) => {
    const magnitude = half & 0x7fff;
    if (magnitude === 0) return half;
    const shift = Math.max(0, Math.clz32(magnitude) - 21); // of a subnormal number's first bit to where it is implied
    return (half & 0x8000) | ((magnitude << shift) + ((LOWER - shift) << 10));
  });
}

/** By which {@link fromNormal16} is to be multiplied. */
export const FACTOR = 2 ** (MORE_EXPONENT - LOWER);

/** The numbers that bits with lower exponents represent, exactly, each divided by {@link FACTOR}. */
export const fromNormal16 = (halves: Uint16Array) => times(halves, 0);
