import { exp } from '../kernels/exp';

/** Which levels may be drawn, and how boldly. */
export interface Filters {
  /** Divides the logits; 0 takes the most likely level. */
  readonly temperature: number;
  /** Keeps so many of the most likely levels. */
  readonly topK: number | undefined;
  /** Keeps the smallest set of most likely levels whose probability reaches this. */
  readonly topP: number | undefined;
}

/** Draws one level from its logits, logits[offset .. offset + levels), by a uniform u in [0, 1). */
export type Draw = (logits: Float32Array, offset: number, u: number) => number;

/**
 * The draw of a level by the inverse of the distribution function: the first level whose cumulative probability exceeds u.
 *
 * Temperature comes first, then topK, then topP, each on the distribution that the one before left, renormalised; ties go to the
 * lower level. Computed in float64 on the host. A uniform next to 1 takes the last level of non-zero probability, never an
 * impossible one.
 *
 * @throws Error where no level has a finite logit, or a logit is NaN or +Infinity (-Infinity is a level that cannot come).
 */
export function categorical(levels: number, filters: Filters): Draw {
  const { temperature, topK = levels, topP = 1 } = filters;
  const weights = new Float64Array(levels); // unnormalised probabilities
  const keep = topK < levels || topP < 1 ? likeliest(weights, topK, topP) : undefined;

  return (logits, offset, u) => {
    const best = argmax(logits, offset, levels);
    if (temperature === 0) return best;
    const max = logits[offset + best] as number;
    let total = 0;
    for (let level = 0; level < levels; level++) {
      const below = (logits[offset + level] as number) - max;
      const weight = exp(temperature === 1 ? below : below / temperature);
      weights[level] = weight;
      total += weight;
    }
    return inverse(weights, u * (keep?.() ?? total));
  };
}

/** The most likely level, the lowest on a tie. */
function argmax(logits: Float32Array, offset: number, levels: number): number {
  let best = 0;
  let sum = 0; // NaN where any logit is
  for (let level = 0; level < levels; level++) {
    const logit = logits[offset + level] as number;
    sum += logit;
    if (logit > (logits[offset + best] as number)) best = level;
  }
  if (Number.isNaN(sum) || !Number.isFinite(logits[offset + best])) {
    throw new Error('sample: the model gave logits that are not finite numbers');
  }
  return best;
}

/** The first level whose cumulative weight exceeds a threshold. */
function inverse(weights: Float64Array, threshold: number): number {
  let cumulative = 0;
  let last = 0; // of those with any weight
  for (let level = 0; level < weights.length; level++) {
    const weight = weights[level] as number;
    if (weight === 0) continue;
    cumulative += weight;
    if (cumulative > threshold) return level;
    last = level;
  }
  return last;
}

/** A function that zeroes the weights that topK and topP leave out, and gives the sum of the others. */
function likeliest(weights: Float64Array, topK: number, topP: number): () => number {
  const order = Array.from(weights, (_, level) => level);
  const byWeight = (a: number, b: number) => (weights[b] as number) - (weights[a] as number) || a - b;
  return () => {
    order.sort(byWeight);
    let total = 0;
    for (let rank = 0; rank < topK; rank++) total += weights[order[rank] as number] ?? 0;
    let kept = 0;
    for (let rank = 0; rank < order.length; rank++) {
      const level = order[rank] as number;
      const isKept = rank === 0 || (rank < topK && (topP === 1 || kept < topP * total));
      if (isKept) kept += weights[level] as number;
      else weights[level] = 0;
    }
    return kept;
  };
}
