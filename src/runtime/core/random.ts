// Uniforms in [0, 1) from a seed, with 32 bits each: Johannes Baagøe's Alea 0.9 (2010), a
// multiply-with-carry generator. Implemented here because the packages that provide it are not ES
// modules, so a worker in a page could not load them.

export function uniformsOf(seed: string): () => number {
  const next = streamsOf(1, () => seed);
  return () => next(0);
}

/** The state of a stream: the last three numbers, in 32 bits, and the carry. */
const STATE_WORDS = 4;

/** Streams of uniforms, each from its own seed. Returns a function that returns the next number of stream i. */
export function streamsOf(count: number, seedOf: (i: number) => string): (i: number) => number {
  const states = new Uint32Array(STATE_WORDS * count); // one array, since there may be millions of streams
  for (let i = 0; i < count; i++) {
    const digest = mash();
    const blanks = [' ', ' ', ' '].map(digest);
    const seed = seedOf(i);
    const starts = blanks.map((blank) => blank - digest(seed));
    states.set([...starts.map((x) => 2 ** 32 * (x < 0 ? x + 1 : x)), 1], STATE_WORDS * i);
  }
  return (i) => {
    const at = STATE_WORDS * i;
    const product = 2091639 * (states[at] as number) + (states[at + 3] as number); // less than 2^53, so exact
    const carry = Math.floor(product * 2 ** -32);
    const z = product - carry * 2 ** 32;
    states[at] = states[at + 1] as number;
    states[at + 1] = states[at + 2] as number;
    states[at + 2] = z;
    states[at + 3] = carry;
    return z * 2 ** -32;
  };
}

/** Baagøe's Mash 0.9: hashes all text so far to a number in [0, 1), with 32 bits. */
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
