import { throwTypeError } from '../core/check';
import { nextUniform, STATE_WORDS, startStream } from '../core/random';

/** Fills `uniforms` with a number in [0, 1) for each image, for the next value. */
export type Noise = (uniforms: Float64Array) => void;

/**
 * A stream of uniforms for every image, derived from the seed and the image's index, so that an image does not depend
 * on how many are drawn with it. All particles of an image except the first have streams of their own, and so does the
 * draw among them.
 *
 * @param streams streams of each image: [streams, images] uniforms are filled
 */
export function seededNoise(seed: number, firstImage: number, numImages: number, streams = 1): Noise {
  const states = new Uint32Array(STATE_WORDS * streams * numImages); // not one object for each image: there may be millions
  for (let k = 0; k < streams; k++) {
    for (let n = 0; n < numImages; n++) {
      const ofImage = `${seed}/${firstImage + n}${k === 0 ? '' : `/${k}`}`;
      startStream(states, STATE_WORDS * (k * numImages + n), ofImage);
    }
  }
  return (uniforms) => {
    for (let i = 0; i < uniforms.length; i++) uniforms[i] = nextUniform(states, STATE_WORDS * i);
  };
}

/** The caller's own uniforms, taken image by image. */
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
