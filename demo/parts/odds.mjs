/** A chance that has no number of its own. */
export const RARE = 0.001;

/** 62%, 3.1%, under 0.1%. */
export function percent(chance) {
  if (chance < RARE) return 'under 0.1%';
  if (chance > 0.995 && chance < 1) return 'over 99%';
  return `${(100 * chance).toFixed(chance < 0.1 ? 1 : 0)}%`;
}

/**
 * The name of a level: a shade of grey by its share of ink, level 0 is paper.
 *
 * @param {number} level
 * @param {{ levels: number }} kind
 */
export function shadeName(level, { levels }) {
  if (level === 0) return 'white';
  return level === levels - 1 ? 'black' : `${Math.round((100 * level) / (levels - 1))}% grey`;
}
