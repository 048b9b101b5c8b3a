import { log } from '../kernels/arithmetic';
import { type SamplingKernels, wholeVectors } from '../kernels/instruction';
import { makeKernels } from '../kernels/webassembly';

/** How many logits are given of each value: whole vectors of the kernels. */
export const paddedLevels = (levels: number): number => wholeVectors(levels);

type MakeKernels = (floats: number) => SamplingKernels;

/** Softmax of logits [images, {@link paddedLevels}], not yet divided by its sums, in float64. */
interface Softmax {
  /** e^((logit - max) scale) of each level, [images, padded levels]. */
  readonly weights: Float64Array;
  /** Their sums, [images]. */
  readonly totals: Float64Array;
  /** Takes the logits of all images. What pads those of an image is unspecified. */
  put(logits: Float32Array): void;
  /** Computes both, of so many images from one on. */
  weigh(first: number, images: number, scale: number): void;
  /** The level of each image that float32 numbers leave no doubt about, else {@link TO_DRAW}; null where that is not faster. */
  readonly drawCertain: ((uniforms: Float64Array, scale: number) => Int32Array) | null;
}

/** By kernels that give the same bits everywhere. */
function softmaxOver(levels: number, numImages: number, make: MakeKernels): Softmax {
  const stride = paddedLevels(levels);
  // [images, stride] logits, [images] certain levels, [stride] room; then in float64 [images] uniforms, [images,
  // stride] weights, [images] totals
  const certain = numImages * stride;
  const row = wholeVectors(certain + numImages);
  const noise = (row + stride) / 2;
  const y = noise + numImages;
  const sums = y + numImages * stride;
  const kernels = make(2 * (sums + numImages));
  const { heap, words } = kernels;
  const noiseInHeap = new Float64Array(heap.buffer, 8 * noise, numImages);
  const certainLevels = words.subarray(certain, certain + numImages);
  return {
    weights: new Float64Array(heap.buffer, 8 * y, numImages * stride),
    totals: new Float64Array(heap.buffer, 8 * sums, numImages),
    put(logits) {
      heap.set(logits);
      for (let pad = levels; pad < stride; pad++) {
        for (let n = 0; n < numImages; n++) heap[n * stride + pad] = Number.NEGATIVE_INFINITY;
      }
    },
    weigh(first, images, scale) {
      kernels.softmax(y + first * stride, sums + first, first * stride, images, stride, scale);
    },
    drawCertain:
      kernels.drawCertain === undefined
        ? null
        : (uniforms, scale) => {
            noiseInHeap.set(uniforms);
            kernels.drawCertain?.(certain, noise, row, 0, numImages, stride, scale);
            return certainLevels;
          },
  };
}

/** Log-probabilities of levels, from logits [images, {@link paddedLevels}]. */
export interface LogProbs {
  /** Of every level, [images, levels]. */
  ofAll(logits: Float32Array, to: Float64Array): void;
  /** Of one level of each image, [images]. */
  of(logits: Float32Array, drawn: ArrayLike<number>, to: Float64Array): void;
}

/**
 * log p of a level: logit - max - log(sum of e^(logit - max)), in float64, the same bits everywhere.
 *
 * @throws Error as {@link categorical}
 */
export function logProbs(levels: number, numImages: number, make: MakeKernels = makeKernels): LogProbs {
  const stride = paddedLevels(levels);
  const softmax = softmaxOver(levels, numImages, make);
  const shifts = new Float64Array(numImages); // log of the sums, [images]
  const maxima = new Float64Array(numImages);
  const normalize = (logits: Float32Array) => {
    softmax.put(logits);
    softmax.weigh(0, numImages, 1);
    for (let n = 0; n < numImages; n++) {
      const total = softmax.totals[n] as number;
      if (!(total > 0)) notFinite();
      let max = Number.NEGATIVE_INFINITY;
      for (let i = n * stride; i < n * stride + levels; i++) max = Math.max(max, logits[i] as number);
      maxima[n] = max;
      shifts[n] = log(total);
    }
  };
  const one = (logits: Float32Array, n: number, level: number) =>
    (logits[n * stride + level] as number) - (maxima[n] as number) - (shifts[n] as number);
  return {
    ofAll(logits, to) {
      normalize(logits);
      for (let n = 0; n < numImages; n++) {
        for (let level = 0; level < levels; level++) to[n * levels + level] = one(logits, n, level);
      }
    },
    of(logits, drawn, to) {
      normalize(logits);
      for (let n = 0; n < numImages; n++) to[n] = one(logits, n, drawn[n] as number);
    },
  };
}

/** Which levels may be drawn, and how boldly. */
export interface Filters {
  /** Divides the logits; 0 takes the most likely level. */
  readonly temperature: number;
  /** Keeps so many of the most likely levels. */
  readonly topK: number | undefined;
  /** Keeps the smallest set of most likely levels whose probability reaches this. */
  readonly topP: number | undefined;
}

/**
 * Draws a level for every image that has none yet: `drawn` [images] has {@link TO_DRAW} there. From logits
 * [images, {@link paddedLevels}], by uniforms [images] in [0, 1).
 */
export type Draw = (logits: Float32Array, uniforms: Float64Array, drawn: Int32Array) => void;

/** Stands for a level to be drawn. */
export const TO_DRAW = -1;

/**
 * The draw of levels by the inverse of the distribution function: the first level whose cumulative
 * probability exceeds u.
 *
 * Temperature comes first, then topK, then topP, each on the distribution that the one before left,
 * renormalised; ties go to the lower level. Computed in float64, by kernels that give the same bits
 * everywhere. A uniform next to 1 takes the last level of non-zero probability, never an impossible one.
 *
 * @throws Error where no level has a finite logit, or a logit is NaN or +Infinity (-Infinity is a level that
 * cannot come).
 */
export function categorical(
  levels: number,
  numImages: number,
  { temperature, topK = levels, topP = 1 }: Filters,
  make: MakeKernels = makeKernels,
): Draw {
  const stride = paddedLevels(levels);
  const scale = 1 / temperature;
  if (scale === Number.POSITIVE_INFINITY) return likeliestLevel(levels, stride);
  const softmax = softmaxOver(levels, numImages, make);
  const { weights, totals } = softmax;
  // Where logits are divided by far more, a difference of theirs that float32 takes for infinite may be small.
  const isInFloat32 = scale > 1e-30;
  const keep = topK < levels || topP < 1 ? likeliest(levels, Math.min(topK, levels), topP) : undefined;

  return (logits, uniforms, drawn) => {
    softmax.put(logits);
    const certain =
      keep === undefined && isInFloat32 && softmax.drawCertain !== null
        ? softmax.drawCertain(uniforms, scale)
        : null;
    if (certain === null) softmax.weigh(0, numImages, scale);
    for (let n = 0; n < numImages; n++) {
      if (drawn[n] !== TO_DRAW) continue;
      if (certain !== null) {
        drawn[n] = certain[n] as number;
        if (drawn[n] !== TO_DRAW) continue;
        softmax.weigh(n, 1, scale);
      }
      let total = totals[n] as number;
      if (!(total > 0)) notFinite();
      const from = n * stride;
      if (keep !== undefined) total = keep(weights.subarray(from, from + levels));
      drawn[n] = inverse(weights, from, levels, (uniforms[n] as number) * total);
    }
  };
}

/** The most likely level, the lowest on a tie, whatever the uniform. */
function likeliestLevel(levels: number, stride: number): Draw {
  return (logits, _, drawn) => {
    for (let n = 0; n < drawn.length; n++) {
      if (drawn[n] === TO_DRAW) drawn[n] = argmax(logits, n * stride, levels);
    }
  };
}

function argmax(logits: Float32Array, offset: number, levels: number): number {
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

function notFinite(): never {
  throw new Error('the model gave logits that are not finite numbers');
}

/** The first level whose cumulative weight exceeds a threshold. */
function inverse(weights: Float64Array, from: number, levels: number, threshold: number): number {
  let cumulative = 0;
  for (let level = 0; level < levels; level++) {
    cumulative += weights[from + level] as number;
    if (cumulative > threshold) return level;
  }
  let last = levels - 1; // of those with any weight
  while (weights[from + last] === 0) last--;
  return last;
}

/**
 * A function that zeroes the weights [levels] that topK and topP leave out, and gives the sum of the others.
 */
function likeliest(levels: number, topK: number, topP: number): (weights: Float64Array) => number {
  const order = Array.from({ length: levels }, (_, level) => level);
  return (weights) => {
    order.sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b);
    let total = 0;
    for (let rank = 0; rank < topK; rank++) total += weights[order[rank] as number] as number;
    let kept = 0;
    for (const [rank, level] of order.entries()) {
      const isKept = rank === 0 || (rank < topK && (topP === 1 || kept < topP * total));
      if (isKept) kept += weights[level] as number;
      else weights[level] = 0;
    }
    return kept;
  };
}
