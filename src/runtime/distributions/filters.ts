import { exp, log } from '../kernels/arithmetic';

/** Options that restrict or sharpen the distribution of levels. */
export interface Filters {
  /** Divides log p of levels, or their logits; 0 takes the most likely level. */
  readonly temperature: number;
  /** How many of the most likely levels are kept. */
  readonly topK: number | undefined;
  /** The probability that the kept levels, the fewest most likely ones, must reach. */
  readonly topP: number | undefined;
}

/** Marks a level that is not drawn yet. */
export const TO_DRAW = -1;

/** The factor applied to log p or logits; Infinity for the most likely level. */
export const scaleOf = ({ temperature }: Filters): number => 1 / temperature;

/** Whether topK and topP exclude some levels. */
export const excludesLevels = (levels: number, { topK = levels, topP = 1 }: Filters): boolean =>
  topK < levels || topP < 1;

/** Zeroes the weights [levels] that topK and topP exclude, and returns the sum of the others; undefined for none. */
export function keptLevels(
  levels: number,
  filters: Filters,
): ((weights: Float64Array) => number) | undefined {
  if (!excludesLevels(levels, filters)) return undefined;
  const { topK = levels, topP = 1 } = filters;
  const most = Math.min(topK, levels);
  const sorted = new Float64Array(levels);
  return (weights) => {
    sorted.set(weights);
    sorted.sort(); // sorting numbers is faster than sorting levels by weight
    sorted.reverse();
    let total = 0;
    for (let rank = 0; rank < most; rank++) total += sorted[rank] as number;
    let kept = 0;
    let numKept = 0;
    while (numKept < most && (topP === 1 || kept < topP * total)) {
      kept += sorted[numKept] as number;
      numKept++;
    }
    const least = sorted[numKept - 1] as number;
    let ties = 0; // how many levels of that weight are kept, lowest first
    while (ties < numKept && sorted[numKept - 1 - ties] === least) ties++;
    for (let level = 0; level < levels; level++) {
      const weight = weights[level] as number;
      const isTie = weight === least;
      if (weight < least || (isTie && ties === 0)) weights[level] = 0;
      else if (isTie) ties--;
    }
    return kept;
  };
}

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

/** The most likely level, the lowest on a tie, from logits [levels] that start at an offset. */
export function mostLikelyLevel(logits: ArrayLike<number>, offset: number, levels: number): number {
  let best = 0;
  let sum = 0; // NaN if any logit is
  for (let level = 0; level < levels; level++) {
    const logit = logits[offset + level] as number;
    sum += logit;
    if (logit > (logits[offset + best] as number)) best = level;
  }
  if (Number.isNaN(sum) || !Number.isFinite(logits[offset + best])) notFinite();
  return best;
}

/** Reads log-probabilities of levels [levels], which need not be normalized, as filters change them. */
export function filteredLevels(levels: number, filters: Filters) {
  const scale = scaleOf(filters);
  const keep = keptLevels(levels, filters);
  const weights = new Float64Array(levels);
  /** Sets the weights of levels, and returns their sum. */
  const weigh = (logProbs: Float64Array): number => {
    const best = mostLikelyLevel(logProbs, 0, levels);
    if (scale === Infinity) return weights.fill(0).fill(1, best, best + 1)[best] as number;
    const max = logProbs[best] as number;
    let total = 0;
    for (let level = 0; level < levels; level++) {
      const weight = exp(((logProbs[level] as number) - max) * scale);
      weights[level] = weight;
      total += weight;
    }
    return keep?.(weights) ?? total;
  };
  return {
    /** Draws a level, using a uniform. */
    draw: (logProbs: Float64Array, u: number): number => inverse(weights, 0, levels, u * weigh(logProbs)),
    /** log p of a level, as it is drawn. */
    logProb: (logProbs: Float64Array, level: number): number => {
      const total = weigh(logProbs);
      return log((weights[level] as number) / total);
    },
  };
}

/** Thrown if a model's outputs are not finite, because it has diverged. */
export class NotFinite extends Error {}

export function notFinite(): never {
  throw new NotFinite('the model returned outputs that are not finite numbers');
}
