import { log } from '../kernels/arithmetic';
import { wholeVectors } from '../kernels/instruction';
import { makeKernels } from '../kernels/webassembly';
import { inverse, notFinite, TO_DRAW } from './levels';
import { normalizeLogProbs } from './logistic-mixture';
import type { DistributionKind, Draw, LogProbs, Softmax } from './pixel-distribution';

/** A softmax over levels, whose parameters are logits, channel by channel [C*L]. */
export function softmaxOf(imageChannels: number, levels: number): Softmax {
  return {
    isSoftmax: true,
    imageChannels,
    levels,
    numParameters: imageChannels * levels,
    channelOf: (parameter) => Math.floor(parameter / levels),
    logProbs(logits, { length: channel }, to) {
      to.set(logits.subarray(channel * levels, (channel + 1) * levels));
      normalizeLogProbs(to);
    },
  };
}

/** The softmax as files name it. */
export const softmax: DistributionKind<Record<never, never>> = {
  fields: {},
  numParameters: ({ imageChannels, levels }) => imageChannels * levels,
  limited: () => ({}),
  make: ({ imageChannels, levels }) => softmaxOf(imageChannels, levels),
};

/** The softmax of logits in float64, before division by its sums, bit for bit equal everywhere. */
export function softmaxWeights(levels: number, numImages: number, make = makeKernels) {
  const stride = wholeVectors(levels);
  // logits [images, stride], certain levels [images], scratch [stride]; then in float64 uniforms
  // [images], weights [images, stride], totals [images]
  const certain = numImages * stride;
  const row = wholeVectors(certain + numImages);
  const noise = (row + stride) / 2;
  const y = noise + numImages;
  const sums = y + numImages * stride;
  const { heap, words, softmax, drawCertain } = make(2 * (sums + numImages));
  const noiseInHeap = new Float64Array(heap.buffer, 8 * noise, numImages);
  const certainLevels = words.subarray(certain, certain + numImages);
  return {
    /** e^((logit - max) scale) of each level, [images, padded levels]. */
    weights: new Float64Array(heap.buffer, 8 * y, numImages * stride),
    /** Their sums, [images]. */
    totals: new Float64Array(heap.buffer, 8 * sums, numImages),
    /** Sets the logits of all images, [images, padded levels]; the padding is unspecified. */
    put(logits: Float32Array): void {
      heap.set(logits);
      for (let pad = levels; pad < stride; pad++) {
        for (let n = 0; n < numImages; n++) heap[n * stride + pad] = -Infinity;
      }
    },
    /** Computes weights and totals for a number of images from a given one on. */
    weigh(first: number, images: number, scale: number): void {
      softmax(y + first * stride, sums + first, first * stride, images, stride, scale);
    },
    /** The level of each image that has a uniform if float32 determines it, else {@link TO_DRAW}. Undefined if it would not be faster. */
    drawCertain:
      drawCertain &&
      ((uniforms: Float64Array, scale: number): Int32Array => {
        noiseInHeap.set(uniforms);
        drawCertain(certain, noise, row, 0, uniforms.length, stride, scale);
        return certainLevels;
      }),
  };
}

/** log p of levels: logit - max - log(sum of e^(logit - max)). @throws Error as {@link softmaxDraw} */
export function softmaxLogProbs(levels: number, maxImages: number): LogProbs {
  const stride = wholeVectors(levels);
  const softmax = softmaxWeights(levels, maxImages);
  const shifts = new Float64Array(maxImages); // log of the sums, [images]
  const maxima = new Float64Array(maxImages);
  const normalize = (logits: Float32Array, numImages: number) => {
    softmax.put(logits);
    softmax.weigh(0, numImages, 1);
    for (let n = 0; n < numImages; n++) {
      const total = softmax.totals[n] as number;
      if (!(total > 0)) notFinite();
      let max = -Infinity;
      for (let i = n * stride; i < n * stride + levels; i++)
        if ((logits[i] as number) > max) max = logits[i] as number;
      maxima[n] = max;
      shifts[n] = log(total);
    }
  };
  return {
    ofAll({ outputs: logits }, to) {
      const numImages = to.length / levels;
      normalize(logits, numImages);
      for (let n = 0; n < numImages; n++) {
        const max = maxima[n] as number;
        const shift = shifts[n] as number;
        for (let level = 0; level < levels; level++)
          to[n * levels + level] = (logits[n * stride + level] as number) - max - shift;
      }
    },
    of({ outputs: logits }, drawn, to) {
      normalize(logits, to.length);
      for (let n = 0; n < to.length; n++) {
        const logit = logits[n * stride + (drawn[n] as number)] as number;
        to[n] = logit - (maxima[n] as number) - (shifts[n] as number);
      }
    },
  };
}

/**
 * `drawFor` of a softmax. Even a uniform close to 1 never draws an impossible level.
 *
 * @throws Error if no level has a finite logit, or a logit is NaN or +Infinity (-Infinity marks an impossible level)
 */
export function softmaxDraw(
  levels: number,
  maxImages: number,
  temperature: number,
  make = makeKernels,
): Draw {
  const stride = wholeVectors(levels);
  const scale = 1 / temperature;
  if (scale === Infinity) {
    return ({ outputs: logits }, _, drawn) => {
      for (let n = 0; n < drawn.length; n++)
        if (drawn[n] === TO_DRAW) drawn[n] = greatest(logits, n * stride, levels);
    };
  }
  const softmax = softmaxWeights(levels, maxImages, make);
  const { weights, totals } = softmax;
  // At higher temperatures, a difference of logits that is infinite in float32 may become small.
  const isInFloat32 = scale > 1e-30;
  return ({ outputs: logits }, uniforms, drawn) => {
    softmax.put(logits);
    const certain = isInFloat32
      ? softmax.drawCertain?.(uniforms.subarray(0, drawn.length), scale)
      : undefined;
    if (certain === undefined) softmax.weigh(0, drawn.length, scale);
    for (let n = 0; n < drawn.length; n++) {
      if (drawn[n] !== TO_DRAW) continue;
      if (certain !== undefined) {
        drawn[n] = certain[n] as number;
        if (drawn[n] !== TO_DRAW) continue;
        softmax.weigh(n, 1, scale);
      }
      const total = totals[n] as number;
      if (!(total > 0)) notFinite();
      drawn[n] = inverse(weights, n * stride, levels, (uniforms[n] as number) * total);
    }
  };
}

/** The level of the greatest logit, the lowest on a tie, from logits [levels] that start at an offset. */
function greatest(logits: Float32Array, offset: number, levels: number): number {
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
