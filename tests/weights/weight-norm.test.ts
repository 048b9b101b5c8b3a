import { describe, expect, it } from 'vitest';
import { permuted } from '../../src/weights/model-weights';
import { weightNorm } from '../../src/weights/state-dict';

describe('weightNorm', () => {
  it('scales each slice along the first axis to the length in its gain', () => {
    const direction = Float32Array.of(3, 4, 0, -2); // of lengths 5 and 2
    expect([...weightNorm(direction, Float32Array.of(10, -1))]).toEqual([6, 8, -0, 1]);
    expect([...direction]).toEqual([3, 4, 0, -2]);
  });
});

describe('permuted', () => {
  const numbers = Float32Array.of(0, 1, 2, 10, 11, 12); // [2,3]

  it('turns axes, and copies what lies as it should', () => {
    expect([...permuted(numbers, [2, 3], [1, 0])]).toEqual([0, 10, 1, 11, 2, 12]);
    expect([...permuted(numbers, [2, 1, 3], [2, 1, 0])]).toEqual([0, 10, 1, 11, 2, 12]);
    for (const [shape, order] of [
      [
        [2, 3],
        [0, 1],
      ],
      [[6], [0]],
    ] as const) {
      // biome-ignore format: pairs
      const given = numbers.slice();
      const copy = permuted(given, shape, order);
      expect(copy).toEqual(given);
      expect(copy.buffer).not.toBe(given.buffer);
    }
    expect([...permuted(Float32Array.of(7), [], [])]).toEqual([7]);
  });
});
