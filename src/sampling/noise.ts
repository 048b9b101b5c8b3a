import { throwTypeError } from '../core/check';

/** Fills `uniforms` with one number in [0, 1) an image, for the next position. */
export type Noise = (uniforms: Float64Array) => void;

/**
 * Uniforms in [0, 1) of a seed, in 32 bits: Johannes Baagøe's Alea 0.9 (2010), which multiplies with carry. Written
 * out here rather than taken from a package, since those that have it are no ES modules, which a worker in a page
 * cannot load as they are.
 */
export function uniformsOf(seed: string): () => number {
  const digest = mash();
  const start = [' ', ' ', ' '].map(digest);
  let [x = 0, y = 0, z = 0] = start.map((s) => {
    const t = s - digest(seed);
    return t < 0 ? t + 1 : t;
  });
  let carry = 1;
  return () => {
    const product = 2091639 * x + carry * 2 ** -32;
    carry = Math.floor(product);
    x = y;
    y = z;
    z = product - carry;
    return z;
  };
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
 * depend on how many are drawn with it.
 */
export function seededNoise(seed: number, firstImage: number, numImages: number): Noise {
  let streams: (() => number)[] | undefined; // many jobs are planned in one thread and drawn in others
  return (uniforms) => {
    streams ??= Array.from({ length: numImages }, (_, n) => uniformsOf(`${seed}/${firstImage + n}`));
    for (let n = 0; n < streams.length; n++) uniforms[n] = (streams[n] as () => number)();
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
