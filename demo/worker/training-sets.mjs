/**
 * What the page trains on.
 *
 * @typedef {{ title: string, shape: [number, number, number], levels: number }} TrainingSet
 *
 * @type {Record<import('./protocol.mjs').SetName, TrainingSet>}
 */
export const SETS = {
  digits: { title: 'Digits, 8×8', shape: [8, 8, 1], levels: 17 },
  syllables: { title: 'Korean syllables, 16×16', shape: [16, 16, 1], levels: 2 },
  drawings: { title: 'My drawings, 16×16', shape: [16, 16, 1], levels: 2 },
};

/** How many images the dots of the curves are measured on. */
export const TEST_IMAGES = 99;
