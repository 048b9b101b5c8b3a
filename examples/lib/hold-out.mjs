/**
 * Holds images out of a set, evenly spread over it: sets are often sorted.
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 *
 * @param {ImageSet} set
 * @param {number} count fewer than the set has
 * @returns {[ImageSet, ImageSet | null]} the others, and those held out, null for none
 */
export function holdOut(set, count) {
  if (count === 0) return [set, null];
  const [total] = set.shape;
  const heldOut = new Set(Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * total) / count)));
  const places = Array.from({ length: total }, (_, place) => place);
  return [false, true].map((isHeldOut) => {
    const own = places.filter((place) => heldOut.has(place) === isHeldOut);
    return pick(set, own);
  });
}

function pick({ data, shape: [, ...imageShape], levels, labels }, places) {
  const size = imageShape.reduce((product, length) => product * length, 1);
  const images = data.slice(0, places.length * size); // of its type; all of it is overwritten
  for (const [i, place] of places.entries()) {
    images.set(data.subarray(place * size, (place + 1) * size), i * size);
  }
  const shape = [places.length, ...imageShape]; // [n,H,W,C]
  return {
    data: images,
    shape,
    levels,
    ...(labels && { labels: Uint8Array.from(places, (place) => labels[place]) }),
  };
}
