/** Marks a level that is not drawn yet. */
export const TO_DRAW = -1;

/** The first level whose cumulative weight exceeds a threshold, or the last one with any weight. */
export function inverse(weights: Float64Array, from: number, levels: number, threshold: number): number {
  let cumulative = 0;
  for (let level = 0; level < levels; level++) {
    cumulative += weights[from + level] as number;
    if (cumulative > threshold) return level;
  }
  let last = levels - 1; // of those with any weight
  while (weights[from + last] === 0) last--;
  return last;
}

/** The most likely level, the lowest on a tie, from log-probabilities [levels] that start at an offset. */
export function mostLikelyLevel(logProbs: Float64Array, offset: number, levels: number): number {
  let best = 0;
  let max = logProbs[offset] as number;
  for (let level = 1; level < levels; level++) {
    const one = logProbs[offset + level] as number;
    if (one > max) {
      max = one;
      best = level;
    }
  }
  return best;
}

/** Thrown if a model's outputs are not finite, because it has diverged. */
export class NotFinite extends Error {}

export function notFinite(): never {
  throw new NotFinite('the model returned outputs that are not finite numbers');
}
