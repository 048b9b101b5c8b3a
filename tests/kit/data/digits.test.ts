import { describe, expect, it } from 'vitest';
import { LEVELS, readDigits } from '../../../kit/data/digits.mjs';

describe('digits', () => {
  it.each([
    ['train', 1500],
    ['test', 297],
  ] as const)('reads the %s part: %i images and as many classes', async (part, count) => {
    const { images, labels } = await readDigits(part);
    expect([images.length, labels.length]).toEqual([count * 64, count]);
    expect(new Set(images)).toEqual(new Set(Array.from({ length: LEVELS }, (_, level) => level)));
    expect(new Set(labels)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});
