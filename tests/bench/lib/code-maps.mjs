import { imageSet } from 'pixelcnn-layers/data';
import { randomNumbers } from '../../../kit/random.mjs';

/** Codes, in a ring of as many places. */
const CODES = 512;
/** Rows and columns of a map. */
const SIDE = 8;
/** How far a code's place in the ring is from that of the code which it follows, and how often. */
const STEPS = [
  { step: 0, probability: 0.8 },
  { step: 1, probability: 0.1 },
  { step: -1, probability: 0.1 },
];
/** Where the code lies that is followed, as rows up and columns to the left: one for each class. */
const FOLLOWED = [[0, 1], [1, 0], [1, 1], [1, -1]]; // biome-ignore format: one line

/** What maps are made of, for whoever builds a model. */
export const codeMapSizes = { imageShape: [SIDE, SIDE, 1], levels: CODES, numClasses: FOLLOWED.length };

/**
 * Bits per dimension of the maps, given their classes: their entropy, below which no model gets on average. The first code is any,
 * each of the others is one of the steps from one before it.
 */
export const codeMapEntropy =
  (Math.log2(CODES) + (SIDE * SIDE - 1) * STEPS.reduce((sum, { probability: p }) => sum - p * Math.log2(p), 0)) / (SIDE * SIDE);

/**
 * Maps of codes such as an encoder of images makes, [N,8,8,1] with labels: smooth, in an order of the codes that their
 * numbers do not tell.
 *
 * A code follows another of its map, by its class the one to the left, above, above and left, or above and right; at the
 * edges, where that one is missing, the one to the left or above that is there. Its place in a hidden ring of all codes
 * is the same, or the one beside it. The places have been given numbers by a random permutation, the same one for every
 * `seed`. All codes are equally frequent, and two numbers next to each other mean nothing.
 *
 * @param {number} count
 * @param {string} seed
 * @returns {import('pixelcnn-layers/data').ImageSet}
 */
export function codeMaps(count, seed) {
  const random = randomNumbers(seed);
  const data = new Uint16Array(count * SIDE * SIDE);
  const labels = new Uint8Array(count);
  for (let n = 0; n < count; n++) {
    labels[n] = Math.floor(random() * FOLLOWED.length);
    const places = []; // in the ring
    for (let at = 0; at < SIDE * SIDE; at++) {
      const from = followed(labels[n], at);
      const place = from === null ? Math.floor(random() * CODES) : places[from] + drawStep(random());
      places.push((place + CODES) % CODES);
    }
    data.set(
      places.map((place) => numbers[place]),
      n * SIDE * SIDE,
    );
  }
  return imageSet({ data, shape: [count, SIDE, SIDE, 1], levels: CODES, labels });
}

/** Which code of a map one follows; null for the first. */
function followed(kind, at) {
  const [row, column] = [Math.floor(at / SIDE), at % SIDE];
  if (at === 0) return null;
  const [up, left] = FOLLOWED[kind];
  const isThere = row >= up && column >= left && column - left < SIDE;
  if (isThere) return at - up * SIDE - left;
  return column > 0 ? at - 1 : at - SIDE;
}

function drawStep(u) {
  let cumulative = 0;
  for (const { step, probability } of STEPS) {
    cumulative += probability;
    if (u < cumulative) return step;
  }
  return STEPS.at(-1).step;
}

/** The number of each place in the ring. */
const numbers = permutation(randomNumbers('numbers of codes'));

/** Fisher and Yates. */
function permutation(random) {
  const order = Array.from({ length: CODES }, (_, i) => i);
  for (let last = CODES - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
