import seedrandom from 'seedrandom';

/**
 * Numbers in [0, 1), the same for a seed everywhere.
 *
 * @param {string} seed
 * @returns {() => number}
 */
export const randomNumbers = (seed) => seedrandom.alea(seed);
