import seedrandom from 'seedrandom';

/**
 * Batches of indices without end, from one shuffle of all after another: every index comes once before any comes again. A
 * batch may end one shuffle and begin the next, so that none is ever smaller.
 *
 * @param {number} count indices 0..count-1
 * @param {number} size of a batch
 * @param {number} seed
 * @returns {Generator<number[], never>}
 */
export function* batches(count, size, seed) {
  const random = seedrandom.alea(`${seed}/batches`);
  let waiting = [];
  while (true) {
    while (waiting.length < size) waiting.push(...shuffled(count, random));
    yield waiting.slice(0, size);
    waiting = waiting.slice(size);
  }
}

/** 0..count-1 in random order (Fisher and Yates). */
function shuffled(count, random) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
