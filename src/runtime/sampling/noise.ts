import { throwTypeError } from '../core/check';
import { streamsOf } from '../core/random';

/** Fills `uniforms` with a number in [0, 1) for each image, for the next value. */
export type Noise = (uniforms: Float64Array) => void;

/**
 * A stream of uniforms for every image, derived from the seed and the image's index, so that an image does not depend
 * on how many others are drawn. With several `streams` per image, fills [streams, images] uniforms.
 */
export function seededNoise(seed: number, firstImage: number, numImages: number, streams = 1): Noise {
  const next = streamsOf(streams * numImages, (i) => {
    const image = `${seed}/${firstImage + (i % numImages)}`;
    return i < numImages ? image : `${image}/${Math.floor(i / numImages)}`;
  });
  return (uniforms) => {
    for (let i = 0; i < uniforms.length; i++) uniforms[i] = next(i);
  };
}

/** The caller's uniforms, requested image by image. */
export function customNoise(random: () => number): Noise {
  return (uniforms) => {
    for (let n = 0; n < uniforms.length; n++) {
      const u = random();
      if (!(u >= 0 && u < 1))
        throwTypeError('sample: random', 'a function that returns numbers in [0, 1)', u);
      uniforms[n] = u;
    }
  };
}
