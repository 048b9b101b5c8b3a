// Packed weights take half of the memory of float32, and hold each half and each small integer exactly: a sign, 5 bits of exponent
// with a lower range than a half's, and 10 of fraction. So no number is subnormal, which processors handle slowly.
// They lie in blocks of eight outputs, [outputs/8][inputs][4][2]: in 32-bit words, of which the first four outputs are the lower halves.

/** By which packed numbers, from 2^-24 up to 128, are smaller than what they represent. */
export const FACTOR = 2 ** 102;

/** Packs the bits of halves, or the halves of integers. Null if one is not below 128. */
export function pack(values: Uint16Array | Int8Array): Uint16Array | null {
  const areHalves = values instanceof Uint16Array;
  const lower = areHalves ? 10 : 33; // the exponents of halves, and of integers as the fractions of subnormal halves
  const { SharedArrayBuffer: Memory = ArrayBuffer } = globalThis; // so that workers need no copy, where pages allow that
  const packed = new Uint16Array(new Memory(2 * values.length));
  for (let i = 0; i < packed.length; i++) {
    const value = values[i] as number;
    const magnitude = areHalves ? value & 0x7fff : Math.abs(value);
    const sign = (areHalves ? value : value >> 8) & 0x8000;
    if (magnitude >= OF_128) return null;
    const shift = Math.max(0, Math.clz32(magnitude) - 21); // of a subnormal number's first bit to where it is implied
    packed[i] = sign | (magnitude && (magnitude << shift) + ((lower - shift) << 10));
  }
  return packed;
}

const OF_128 = 0x5800; // a half's bits

/** What packed bits represent, times a factor of each feature, the last axis; written to `numbers`. */
export function unpacked(
  packed: Uint16Array,
  factors: Float32Array,
  numbers: Float32Array = new Float32Array(packed.length),
): Float32Array {
  const all = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  for (let i = 0; i < all.length; ) {
    for (let feature = 0; feature < factors.length; feature++, i++) {
      const bits = packed[i] as number;
      all[i] = ((bits & 0x8000) << 16) | ((bits & 0x7fff) << 13);
      (numbers[i] as number) *= factors[feature] as number;
    }
  }
  return numbers;
}

/** The outputs of a block. */
export const OUTPUTS = 8;
