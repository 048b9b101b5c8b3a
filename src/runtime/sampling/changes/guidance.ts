import { sizeFromShape } from '../../core/check';
import type { ConditionShape, ConditionValues } from '../../core/conditions';
import { outputStride, type PixelDistribution } from '../../distributions/pixel-distribution';
import { logProbsFor } from '../../distributions/readers';
import type { OutputSource } from '../growing-images';
import type { Change } from './change';

// With guidance, a model evaluates each image in two rows, with its class and without.

/** Checks that a model can be guided. */
export function checkNullClass(kinds: readonly ConditionShape[]): void {
  const classes = kinds.find((condition) => condition.kind === 'class');
  if (classes?.nullClass) return;
  const names = kinds.map(({ kind }) => kind).join(' and ');
  let got = names === '' ? 'one without conditions' : `one by ${names}`;
  if (classes) got = 'one without';
  const wanted = 'a model of classes with a null class (nullClass: true)';
  throw new TypeError(`sample: guidance: wanted ${wanted}, got ${got}`);
}

/** Repeats each image's condition, the second time without its class. */
export function withAndWithoutClass(
  condition: ConditionShape,
  { shape, values }: ConditionValues,
): ConditionValues {
  const size = sizeFromShape(shape);
  const both = new Float32Array(2 * values.length);
  for (let from = 0; from < values.length; from += size) {
    const one = values.subarray(from, from + size);
    both.set(one, 2 * from);
    both.set(condition.kind === 'class' ? [condition.numClasses] : one, 2 * from + size);
  }
  return { shape, values: both };
}

/** Changes by guidance, and the outputs of each image's row with its class, of a source of both. */
export function guidance(
  weight: number,
  both: OutputSource,
  distribution: PixelDistribution,
  numImages: number,
): { readonly change: Change; readonly source: OutputSource } {
  const { source, withoutClass } = divided(both, numImages, outputStride(distribution));
  const reader = logProbsFor(distribution, numImages);
  const free = new Float64Array(numImages * distribution.levels); // log p without the class
  const change: Change = (logProbs, { current }) => {
    const ofImages = free.subarray(0, logProbs.length);
    reader.ofAll({ ...current, outputs: withoutClass.subarray(0, current.outputs.length) }, ofImages);
    guide(logProbs, ofImages, weight);
  };
  return { change, source };
}

/** The lower bound on log p without the condition in guidance, so that numbers stay finite. */
const MIN_LOG_PROB = -745;

/**
 * Replaces log p by log p + weight (log p - log p without the condition), without renormalizing.
 *
 * Source: Ho and Salimans, "Classifier-Free Diffusion Guidance" (2022), https://arxiv.org/abs/2207.12598, equation 6.
 */
export function guide(logProbs: Float64Array, withoutCondition: Float64Array, weight: number): void {
  for (let i = 0; i < logProbs.length; i++) {
    const guided = logProbs[i] as number;
    const free = Math.max(withoutCondition[i] as number, MIN_LOG_PROB);
    if (guided > -Infinity) logProbs[i] = guided + weight * (guided - free);
  }
}

/** Divides a source of both rows of each image: one of the row with its class, and the outputs of the other. */
function divided(rows: OutputSource, numImages: number, stride: number) {
  const withClass = new Float32Array(numImages * stride);
  const withoutClass = new Float32Array(numImages * stride);
  const ofRows = new Int32Array(2 * numImages);
  let numActive = numImages;
  const apart = (outputs: Float32Array): Float32Array => {
    for (let i = 0; i < numActive; i++) {
      const middle = (2 * i + 1) * stride;
      withClass.set(outputs.subarray(middle - stride, middle), i * stride);
      withoutClass.set(outputs.subarray(middle, middle + stride), i * stride);
    }
    return withClass.subarray(0, numActive * stride);
  };
  const source: OutputSource = {
    beginRow: (row) => rows.beginRow?.(row) ?? [],
    outputs(...place) {
      const outputs = rows.outputs(...place);
      return outputs instanceof Float32Array ? apart(outputs) : outputs.then(apart);
    },
    put(row, column, channel, levels) {
      for (let i = 0; i < numActive; i++) ofRows.fill(levels[i] as number, 2 * i, 2 * i + 2);
      rows.put(row, column, channel, ofRows);
    },
    release: () => rows.release?.(),
    evaluateFirst(count) {
      numActive = count;
      rows.evaluateFirst(2 * count);
    },
    copy(from) {
      rows.copy(Int32Array.from(ofRows, (_, row) => 2 * (from[row >> 1] as number) + (row & 1)));
    },
  };
  return { source, withoutClass };
}
