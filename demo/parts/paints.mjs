const GREYS = [
  ['paper', 0],
  ['light grey', 0.25],
  ['grey', 0.5],
  ['dark grey', 0.75],
  ['ink', 1],
];

/**
 * What can be painted with: paper, which a blank image is of, then greys, and ink; each level once.
 *
 * @param {import('./pictures.mjs').Kind} kind
 * @returns {{ name: string, level: number }[]}
 */
export const paintsOf = ({ levels }) =>
  GREYS.filter(([, share]) => levels > 2 || Number.isInteger(share)).map(([name, share]) => ({
    name,
    level: Math.round(share * (levels - 1)),
  }));
