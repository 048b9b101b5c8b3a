import { imageSet } from 'pixelcnn-layers/data';

/**
 * Sets each tenth image apart for the test: those whose index ends in 9.
 *
 * @param {object} args
 * @param {Uint8Array | Uint16Array} args.data levels, one image after the other
 * @param {[number, number, number]} args.imageShape height, width and channels
 * @param {number} args.levels
 */
export function splitTenths({ data, imageShape, levels }) {
  const size = imageShape.reduce((product, length) => product * length);
  const indices = Array.from({ length: data.length / size }, (_, i) => i);
  const pick = (chosen) => {
    const picked = data.slice(0, chosen.length * size); // of its type; all of it is overwritten
    for (const [to, from] of chosen.entries()) {
      picked.set(data.subarray(from * size, (from + 1) * size), to * size);
    }
    return imageSet({ data: picked, shape: [chosen.length, ...imageShape], levels });
  };
  return {
    train: pick(indices.filter((i) => i % 10 !== 9)),
    test: pick(indices.filter((i) => i % 10 === 9)),
  };
}
