import { exp } from '../kernels/arithmetic';

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

/** The most likely level, the lowest on a tie. */
export function mostLikelyLevel(logProbs: Float64Array): number {
  let best = 0;
  for (let level = 1; level < logProbs.length; level++) {
    if ((logProbs[level] as number) > (logProbs[best] as number)) best = level;
  }
  return best;
}

/** Writes the weight of each level, 1 of the most likely one, and returns their sum; 0 if no level is possible. */
export function weighLevels(logProbs: Float64Array, weights: Float64Array): number {
  const max = logProbs[mostLikelyLevel(logProbs)] as number;
  if (max === -Infinity) return 0;
  let total = 0;
  for (let level = 0; level < logProbs.length; level++) {
    const weight = exp((logProbs[level] as number) - max);
    weights[level] = weight;
    total += weight;
  }
  return total;
}

/** Thrown if a model's outputs are not finite, because it has diverged. */
export class NotFinite extends Error {}

export function notFinite(): never {
  throw new NotFinite('the model returned outputs that are not finite numbers');
}
