import { throwTypeError } from '../core/check';
import { streamsOf } from '../core/random';
import type { Job } from './options';

/** Fills `uniforms` with a number in [0, 1) for each image, for the next value. */
export type Noise = (uniforms: Float64Array) => void;

/** The noise of a job: the caller's, or from the seed. */
export const noiseOf = (
  { random, seed, firstImage, numImages }: Pick<Job, 'random' | 'seed' | 'firstImage' | 'numImages'>,
  streams?: readonly string[],
): Noise => (random ? customNoise(random) : seededNoise(seed, firstImage, numImages, streams));

/**
 * A stream of uniforms for every image, derived from the seed and the image's index, so that an image does not depend
 * on how many others are drawn. With several streams per image, by name, fills [streams, images] uniforms.
 */
export function seededNoise(
  seed: number,
  firstImage: number,
  numImages: number,
  streams: readonly string[] = [''],
): Noise {
  const next = streamsOf(
    streams.length * numImages,
    (i) => `${seed}/${firstImage + (i % numImages)}${streams[Math.floor(i / numImages)]}`,
  );
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
