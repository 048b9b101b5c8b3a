import { exp } from '../kernels/arithmetic';

/** Which levels may be drawn, and how boldly. */
export interface Filters {
  /** Divides log p of levels, or their logits; 0 takes the most likely level. */
  readonly temperature: number;
  /** Keeps so many of the most likely levels. */
  readonly topK: number | undefined;
  /** Keeps the smallest set of most likely levels whose probability reaches this. */
  readonly topP: number | undefined;
}

/** Stands for a level to be drawn. */
export const TO_DRAW = -1;

/** The factor of log p, or of logits; Infinity where the most likely level is taken. */
export const scaleOf = ({ temperature }: Filters): number => 1 / temperature;

/**
 * A function that zeroes the weights [levels] that topK and topP leave out, and gives the sum of the others; undefined
 * where they leave out none.
 */
export function keptLevels(
  levels: number,
  { topK = levels, topP = 1 }: Filters,
): ((weights: Float64Array) => number) | undefined {
  if (topK >= levels && topP === 1) return undefined;
  const most = Math.min(topK, levels);
  const sorted = new Float64Array(levels);
  return (weights) => {
    sorted.set(weights);
    sorted.sort(); // numbers sort faster than levels by their weights
    sorted.reverse();
    let total = 0;
    for (let rank = 0; rank < most; rank++) total += sorted[rank] as number;
    let kept = 0;
    let numKept = 0;
    while (numKept < most && (topP === 1 || kept < topP * total)) {
      kept += sorted[numKept++] as number;
    }
    const least = sorted[numKept - 1] as number;
    let ties = 0; // how many levels of that weight are kept: the lowest
    while (ties < numKept && sorted[numKept - 1 - ties] === least) ties++;
    for (let level = 0; level < levels; level++) {
      const weight = weights[level] as number;
      if (weight < least || (weight === least && ties-- <= 0)) weights[level] = 0;
    }
    return kept;
  };
}

/** The first level whose cumulative weight exceeds a threshold; next to the sum the last level of any weight. */
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

/** The most likely level, the lowest on a tie: of logits or log-probabilities [levels] from an offset on. */
export function likeliestLevel(logits: ArrayLike<number>, offset: number, levels: number): number {
  let best = 0;
  let sum = 0; // NaN where any logit is
  for (let level = 0; level < levels; level++) {
    const logit = logits[offset + level] as number;
    sum += logit;
    if (logit > (logits[offset + best] as number)) best = level;
  }
  if (Number.isNaN(sum) || !Number.isFinite(logits[offset + best])) notFinite();
  return best;
}

/** Draws a level by a uniform of log-probabilities [levels], which need not sum to 1. */
export function levelDraw(levels: number, filters: Filters): (logProbs: Float64Array, u: number) => number {
  const scale = scaleOf(filters);
  if (scale === Number.POSITIVE_INFINITY) return (logProbs) => likeliestLevel(logProbs, 0, levels);
  const keep = keptLevels(levels, filters);
  const weights = new Float64Array(levels);
  return (logProbs, u) => {
    const max = logProbs[likeliestLevel(logProbs, 0, levels)] as number;
    let total = 0;
    for (let level = 0; level < levels; level++) {
      const weight = exp(((logProbs[level] as number) - max) * scale);
      weights[level] = weight;
      total += weight;
    }
    return inverse(weights, 0, levels, u * (keep?.(weights) ?? total));
  };
}

/** A model that has diverged. */
export function notFinite(): never {
  throw new Error('the model gave logits that are not finite numbers');
}
