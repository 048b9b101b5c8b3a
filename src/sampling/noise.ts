import { throwTypeError } from '../core/check';

/** Fills `uniforms` with one number in [0, 1) an image, for the next position. */
export type Noise = (uniforms: Float64Array) => void;

/**
 * Uniforms in [0, 1) of a seed, in 32 bits: Johannes Baagøe's Alea 0.9 (2010), which multiplies with carry. Written
 * out here rather than taken from a package, since those that have it are no ES modules, which a worker in a page
 * cannot load as they are.
 */
export function uniformsOf(seed: string): () => number {
  const state = new Uint32Array(STATE_WORDS);
  start(state, 0, seed);
  return () => next(state, 0);
}

/** Of one stream: the last three numbers, in 32 bits, and the carry. */
const STATE_WORDS = 4;

/** Begins the stream of a seed, with its state at an index of all states. */
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

/** His Mash 0.9: a number in [0, 1), in 32 bits, of all the text so far. */
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
 * A stream of uniforms for every image, made from the seed and the image's index, so that an image does not
 * depend on how many are drawn with it. Particles but the first of an image have streams of their own, as has the drawing
 * among them.
 *
 * @param streams of each image: [streams, images] uniforms are filled
 */
export function seededNoise(seed: number, firstImage: number, numImages: number, streams = 1): Noise {
  const states = new Uint32Array(STATE_WORDS * streams * numImages); // not an object an image: there may be millions
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
