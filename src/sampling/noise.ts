import seedrandom from 'seedrandom';
import { wrong } from '../check';

/** Fills `uniforms` with one number in [0, 1) an image, for the next position. */
export type Noise = (uniforms: Float64Array) => void;

/**
 * A stream of uniforms for every image, made from the seed and the image's index, so that an image does not
 * depend on how many are drawn with it.
 */
export function seededNoise(seed: number, firstImage: number, numImages: number): Noise {
  const streams = Array.from({ length: numImages }, (_, n) => seedrandom.alea(`${seed}/${firstImage + n}`));
  return (uniforms) => {
    for (let n = 0; n < streams.length; n++) uniforms[n] = (streams[n] as () => number)();
  };
}

/** The caller's own uniforms, taken image by image. */
export function customNoise(random: () => number): Noise {
  return (uniforms) => {
    for (let n = 0; n < uniforms.length; n++) {
      const u = random();
      if (!(u >= 0 && u < 1)) wrong('sample: random', 'a function that returns numbers in [0, 1)', u);
      uniforms[n] = u;
    }
  };
}
