/**
 * Numbers in [0, 1) from a seed, the same in every browser: Mulberry32, by Tommy Ettinger.
 *
 * @param {number} seed
 */
export function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The highest seed that the page offers. */
export const MAX_SEED = 999_999_999;

/** A seed that nobody has asked for. */
export const freshSeed = () => Math.floor(MAX_SEED * Math.random());
