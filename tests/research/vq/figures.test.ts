import { imageSet } from 'pixelcnn-layers/data';
import { expect, it } from 'vitest';
import { baselines, codebookUse, reconstructionError } from '../../../research/vq/figures.mjs';

const setOf = (levels: number, shape: [number, number, number, number], data: number[]) =>
  imageSet({ data: Uint8Array.from(data), shape, levels });

it('reconstructionError is in levels, and as a share of the variance', () => {
  const images = setOf(11, [2, 1, 2, 1], [0, 10, 4, 6]); // mean 5, squares of what is apart 25, 25, 1, 1
  const { rms, unexplained } = reconstructionError(images, [1, 10, 2, 4]); // off by 1, 0, 2, 2
  expect(rms).toBeCloseTo(Math.sqrt(9 / 4), 12);
  expect(unexplained).toBeCloseTo(9 / 52, 12);
});

it('codebookUse counts entries, and those that would do if used evenly', () => {
  expect(codebookUse(setOf(8, [1, 2, 4, 1], [3, 3, 5, 5, 1, 1, 7, 7]))).toEqual({ used: 4, perplexity: 4 });
  const { used, perplexity } = codebookUse(setOf(8, [1, 2, 2, 1], [2, 2, 2, 6]));
  expect(used).toBe(2);
  expect(perplexity).toBeCloseTo(4 / 3 ** 0.75, 12); // 2^H, H = 2 - 3/4 log2 3
});

it('baselines know no other code', () => {
  const train = setOf(4, [3, 1, 2, 1], [0, 1, 0, 1, 0, 1]);
  const test = setOf(4, [1, 1, 2, 1], [0, 1]);
  const bits = baselines(train, test);
  expect(bits.uniform).toBe(2);
  expect(bits.histogram).toBeCloseTo(-Math.log2(4 / 10), 12); // each 3 times of 6, and 1 more for each of 4
  expect(bits['histogram by place']).toBeCloseTo(-Math.log2(4 / 7), 12); // 3 times of 3 at its place
});
