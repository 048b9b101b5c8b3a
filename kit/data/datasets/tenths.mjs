import { pickImages } from '../pick-images.mjs';

/**
 * Splits every tenth image off for testing: those whose index ends in 9.
 *
 * @param {import('pixelcnn-layers/data').ImageSet} set
 */
export function splitTenths(set) {
  const indices = Array.from({ length: set.shape[0] }, (_, i) => i);
  const train = indices.filter((i) => i % 10 !== 9);
  const test = indices.filter((i) => i % 10 === 9);
  return { train: pickImages(set, train), test: pickImages(set, test) };
}
