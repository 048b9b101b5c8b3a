import { anything, flag, type Given, optional, readArguments } from '../core/arguments';
import { throwTypeError } from '../core/check';
import type { ConditionData, NumericArray } from '../core/conditions';
import { memoryFor, valuesOf } from '../core/images';
import type { Symmetrizable } from '../core/symmetries';
import { distributionOf } from '../distributions/kinds';
import { logProbsFor } from '../distributions/readers';
import { checkModel, type PortableModel } from '../program/program';
import { scoreSymmetric } from '../sampling/symmetric';
import { type GivenImages, planImages, walkArguments, walkImages } from './walk';

/** Arguments of `logProb`, with conditions that are arrays or tensors. */
export const logProbArguments = <GivenCondition>() => ({
  /** The conditions of the images, as for `sample`. */
  condition: optional(anything<GivenCondition>()),
  /** Whether to return log p of each value instead of each image. @default false */
  perValue: flag(false),
});

const logProbOptions = { ...logProbArguments<ConditionData>(), ...walkArguments };

/** Options of {@link logProb}. */
export interface LogProbOptions extends Given<typeof logProbOptions> {}

/**
 * Computes the log-likelihood of images under a model, in nats: log p(x), the sum of log p of every value given the
 * values before it. Bit for bit equal on every machine; `logProb` of tensors agrees within float32 rounding.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, equation 1.
 *
 * @param images levels 0..L-1 [N,H,W,C]
 * @returns [N], or with `perValue` log p of every value, [N*H*W*C]
 * @throws TypeError (rejects) if the shapes do not fit the model, or a value is not one of its
 * levels; `signal.reason` if the signal aborts
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { logProb } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const images = { data: new Uint8Array(32), shape: [2, 4, 4, 1] };
 * const nats = await logProb(await toPortable(model), images);
 * console.log(nats.length); // 2
 * ```
 */
export async function logProb(
  model: PortableModel,
  images: NumericArray,
  options: LogProbOptions = {},
): Promise<Float64Array> {
  return scoreModel(model, planLogProb(model, images, options), (job) => scoreImages(model, job));
}

/** Checked images to score. */
export type LogProbJob = ReturnType<typeof planLogProb>;

/** Checks the images and options of {@link logProb}. */
export function planLogProb(model: PortableModel, images: NumericArray, options: LogProbOptions) {
  checkModel('logProb: model', model);
  const { condition, ...values } = readArguments('logProb', options, logProbOptions);
  return { ...planImages('logProb', model, images, condition), ...values };
}

/** Scores the images of a job in a model with or without symmetries. `score` scores them in it without. */
export async function scoreModel<Job extends GivenImages & { readonly perValue: boolean }>(
  { levels, conditions, symmetry }: Symmetrizable,
  job: Job,
  score: (job: Job) => Promise<Float64Array>,
): Promise<Float64Array> {
  if (symmetry === undefined) return score(job);
  if (job.perValue) throwTypeError('logProb: perValue', 'false for a model with symmetries', true);
  return scoreSymmetric({ levels, conditions, symmetry }, job, score);
}

export const numbersPerImage = ({ perValue, imageShape }: LogProbJob): number =>
  perValue ? valuesOf(imageShape) : 1;

export async function scoreImages(model: PortableModel, job: LogProbJob): Promise<Float64Array> {
  const { data, numImages, imageShape } = job;
  const total = valuesOf(imageShape);
  const size = numbersPerImage(job);
  const distribution = distributionOf(model);
  const nats = memoryFor('logProb', () => new Float64Array(numImages * size));
  await walkImages('logProb', model, distribution, job, (first, count) => {
    const reader = logProbsFor(distribution, count);
    const ofValue = new Float64Array(count);
    return {
      visit(current, index, levels) {
        for (let n = 0; n < count; n++) levels[n] = data[(first + n) * total + index] as number;
        reader.of(current, levels, ofValue);
        for (let n = 0; n < count; n++) {
          const to = (first + n) * size + (job.perValue ? index : 0);
          nats[to] = (nats[to] as number) + (ofValue[n] as number);
        }
      },
    };
  });
  return nats;
}
