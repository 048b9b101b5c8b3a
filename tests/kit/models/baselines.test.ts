import { expect, it } from 'vitest';
import { histogramBits, histogramBitsByChannel } from '../../../kit/models/baselines.mjs';

it('the histogram counts one more of every level', () => {
  // Counts 5 and 0 of two levels become 6 and 1 of 7.
  const bits = histogramBits(Uint8Array.of(0, 0, 0, 0, 0), Uint8Array.of(0, 1), 2);
  expect(bits).toBeCloseTo(-(Math.log2(6 / 7) + Math.log2(1 / 7)) / 2, 12);
});

it('the histogram by channel knows each channel by itself; the whole is their mean', () => {
  // Counts of two levels, one more each: channel 0 has 5 and 1 of 6, channel 1 has 1 and 5.
  const train = Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1);
  const test = Uint8Array.of(0, 0);
  const [first, second] = histogramBitsByChannel(train, test, 2, 2);
  expect(first).toBeCloseTo(-Math.log2(5 / 6), 12);
  expect(second).toBeCloseTo(-Math.log2(1 / 6), 12);
  expect(histogramBits(train, test, 2, 2)).toBeCloseTo(((first ?? 0) + (second ?? 0)) / 2, 12);
});
