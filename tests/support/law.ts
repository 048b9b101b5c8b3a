import { logProb, type PortableModel, type SampleOptions, sample } from 'pixelcnn-layers/runtime';
import { expect } from 'vitest';
import { expectToFollow } from './chi-square';

const DRAWS = 20_000;

/**
 * Expects that the probabilities of all images of a tiny space sum to 1, and that samples follow them. `conditionOf` makes
 * one of so many images, all alike.
 */
export async function expectLaw(
  model: PortableModel,
  imageShape: readonly [number, number, number],
  conditionOf: (count: number) => Pick<SampleOptions, 'condition'> = () => ({}),
): Promise<void> {
  const { levels } = model;
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  const count = levels ** size;
  const level = (image: number, i: number) => Math.floor(image / levels ** (size - 1 - i)) % levels;
  // Image i is i in base L, the first value its highest digit.
  const data = Uint8Array.from({ length: count * size }, (_, i) => level(Math.floor(i / size), i % size));
  const nats = await logProb(model, { data, shape: [count, ...imageShape] }, conditionOf(count));
  expect(Math.abs(nats.reduce((sum, value) => sum + Math.exp(value), 0) - 1)).toBeLessThan(1e-6);
  expect(Math.max(...nats)).toBeGreaterThan(Math.log(2 / count)); // not the uniform model
  const drawn = await sample(model, { numImages: DRAWS, seed: 3, ...conditionOf(DRAWS) });
  const counts = new Array<number>(count).fill(0);
  for (let n = 0; n < DRAWS; n++) {
    const digits: ArrayLike<number> = drawn.data.subarray(size * n, size * (n + 1));
    const index = Array.from(digits).reduce((sum, digit) => levels * sum + digit, 0);
    counts[index] = (counts[index] as number) + 1;
  }
  expectToFollow(
    counts,
    Array.from(nats, (value) => DRAWS * Math.exp(value)),
  );
}
