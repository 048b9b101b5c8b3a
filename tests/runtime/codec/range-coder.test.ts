import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RangeDecoder, RangeEncoder, TOTAL } from '../../../src/runtime/codec/range-coder';
import { forAll } from '../../support/runs';

/** Frequencies of symbols that sum to the total, each at least 1. */
function frequenciesOf(shares: readonly number[]): number[] {
  const sum = shares.reduce((a, b) => a + b, 0);
  const all = shares.map((share) => 1 + Math.floor((share / sum) * (TOTAL - shares.length)));
  const rest = TOTAL - all.reduce((a, b) => a + b, 0);
  return all.map((frequency, i) => frequency + (i === 0 ? rest : 0));
}

const before = (frequencies: readonly number[], symbol: number) => frequencies.slice(0, symbol).reduce((a, b) => a + b, 0);

function encode(frequencies: readonly number[], symbols: readonly number[]): Uint8Array {
  const encoder = new RangeEncoder();
  for (const symbol of symbols) encoder.encode(before(frequencies, symbol), frequencies[symbol] as number);
  return encoder.finish();
}

function decode(frequencies: readonly number[], bytes: Uint8Array, count: number): number[] {
  const decoder = new RangeDecoder(bytes);
  return Array.from({ length: count }, () => {
    const target = decoder.target();
    const symbol = frequencies.findIndex((frequency, i) => target < before(frequencies, i) + frequency);
    decoder.take(before(frequencies, symbol), frequencies[symbol] as number);
    return symbol;
  });
}

const shares = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 10 }), fc.constant(1e9)), { minLength: 1, maxLength: 8 });
const cases = shares
  .filter((all) => all.some((share) => share > 0))
  .chain((all) =>
    fc.record({ shares: fc.constant(all), symbols: fc.array(fc.integer({ min: 0, max: all.length - 1 }), { maxLength: 300 }) }),
  );

describe('the range coder', () => {
  it('restores all symbols, from at most one byte more than their frequencies require', () =>
    forAll([cases], { numRuns: 100, seed: 1 }, ({ shares, symbols }) => {
      const frequencies = frequenciesOf(shares);
      const bytes = encode(frequencies, symbols);
      expect(decode(frequencies, bytes, symbols.length)).toEqual(symbols);
      const bits = symbols.reduce((sum, symbol) => sum - Math.log2((frequencies[symbol] as number) / TOTAL), 0);
      expect(8 * bytes.length).toBeLessThanOrEqual(bits * 1.0001 + symbols.length * 4e-4 + 8);
    }));

  type Coded = readonly (readonly [start: number, frequency: number])[];

  it.each<[string, Coded, number[]]>([
    // Range is 2^40, so 254 is written: of the next digits, [2^47, 2^47 + 2^48); then low is 2^48.
    ['begins just behind the digits that are written, and is just too narrow', [[254 * 2 ** 20 + 2 ** 19, 2 ** 20], [2 ** 27, 2 ** 20], [5, 7]], [255]],
    // Around 2^40: of low, 0, 255 and 255 are written, and the rest is 2^48 - 2^44, of a range of 2^45; then low is 2^48 + 2^43.
    ['is that of bytes that are full, all of them', [[2 ** 20 - 1, 2], [3 * 2 ** 26, 2 ** 20], [5, 7]], [1, 0, 0]],
  ])('carries where the interval %s', (_, coded, first) => {
    const encoder = new RangeEncoder();
    for (const [start, frequency] of coded) encoder.encode(start, frequency);
    const bytes = encoder.finish();
    expect(Array.from(bytes.subarray(0, first.length))).toEqual(first);
    const decoder = new RangeDecoder(bytes);
    for (const [start, frequency] of coded) {
      const target = decoder.target();
      expect(target >= start && target < start + frequency).toBe(true);
      decoder.take(start, frequency);
    }
  }); // biome-ignore format: a case a line

  it('uses no bits for certain symbols', () => {
    const frequencies = [TOTAL - 1, 1];
    expect(encode(frequencies, new Array(10_000).fill(0))).toHaveLength(0);
    expect(encode([TOTAL], new Array(10_000).fill(0))).toHaveLength(0);
  });

  it('stays within the numbers that are exact', () => {
    const encoder = new RangeEncoder();
    for (let i = 0; i < 100_000; i++) encoder.encode(TOTAL - 1, 1); // always at the upper end
    const bytes = encoder.finish();
    expect(bytes.length).toBe(Math.ceil((100_000 * 28) / 8));
    const decoder = new RangeDecoder(bytes);
    let wrong = 0;
    for (let i = 0; i < 100_000; i++) {
      if (decoder.target() !== TOTAL - 1) wrong++;
      decoder.take(TOTAL - 1, 1);
    }
    expect(wrong).toBe(0);
  });
});
