import { throwTypeError } from '../core/check';

/** Fills `uniforms` with a number in [0, 1) for each image, for the next position. */
export type Noise = (uniforms: Float64Array) => void;

/**
 * Uniforms in [0, 1) from a seed, with 32 bits each: Johannes Baagøe's Alea 0.9 (2010), a multiply-with-carry
 * generator. Written out here because the packages that provide it are not ES modules, so a worker in a page could not
 * load them directly.
 */
export function uniformsOf(seed: string): () => number {
  const state = new Uint32Array(STATE_WORDS);
  start(state, 0, seed);
  return () => next(state, 0);
}

/** The state of one stream: the last three numbers, in 32 bits, and the carry. */
const STATE_WORDS = 4;

/** Starts the stream of a seed, with its state at an index in the array of states. */
function start(states: Uint32Array, at: number, seed: string): void {
  const digest = mash();
  const blanks = [' ', ' ', ' '].map(digest);
  for (const [i, blank] of blanks.entries()) {
    const x = blank - digest(seed);
    states[at + i] = 2 ** 32 * (x < 0 ? x + 1 : x);
  }
  states[at + 3] = 1;
}

/** The next number of a stream. */
function next(states: Uint32Array, at: number): number {
  const product = 2091639 * (states[at] as number) + (states[at + 3] as number); // less than 2^53, so exact
  const carry = Math.floor(product * 2 ** -32);
  const z = product - carry * 2 ** 32;
  states[at] = states[at + 1] as number;
  states[at + 1] = states[at + 2] as number;
  states[at + 2] = z;
  states[at + 3] = carry;
  return z * 2 ** -32;
}

/** Baagøe's Mash 0.9: a number in [0, 1), with 32 bits, from all the text so far. */
function mash(): (text: string) => number {
  let n = 0xefc8249d;
  return (text) => {
    for (let i = 0; i < text.length; i++) {
      const product = 0.02519603282416938 * (n + text.charCodeAt(i));
      const whole = Math.floor(product);
      const next = (product - whole) * whole;
      n = Math.floor(next) + (next - Math.floor(next)) * 2 ** 32;
    }
    return (n >>> 0) * 2 ** -32;
  };
}

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
      start(states, STATE_WORDS * (k * numImages + n), `${seed}/${firstImage + n}${k === 0 ? '' : `/${k}`}`);
    }
  }
  return (uniforms) => {
    for (let i = 0; i < uniforms.length; i++) uniforms[i] = next(states, STATE_WORDS * i);
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
