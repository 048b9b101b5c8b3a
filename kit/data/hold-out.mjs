import { pickImages } from './pick-images.mjs';

/**
 * Holds images out of a set, spread evenly over it, since sets are often sorted.
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 *
 * @param {ImageSet} set
 * @param {number} count fewer than the set has
 * @returns {[ImageSet, ImageSet | undefined]} the others, and those held out, undefined for none
 */
export function holdOut(set, count) {
  if (count === 0) return [set, undefined];
  const [total] = set.shape;
  const heldOut = new Set(Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * total) / count)));
  const indices = Array.from({ length: total }, (_, i) => i);
  const others = indices.filter((i) => !heldOut.has(i));
  return [pickImages(set, others), pickImages(set, [...heldOut])];
}
