import { anything, flag, type Given, optional, readArguments } from '../core/arguments';
import type { ConditionData, NumericArray } from '../core/conditions';
import { memoryFor, valuesOf } from '../core/images';
import type { PortableModel } from '../program/program';
import type { ImageModel, KnownImages, OrderedModel, WalkHooks } from '../sampling/image-model';
import { portableImageModel } from '../sampling/portable';
import { scoreInOrder } from '../sampling/score';
import { scoreSymmetric } from '../sampling/symmetric';
import { eachOutput, planImages, walkArguments } from '../sampling/walk';

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

const { perValue: _, ...levelOptions } = logProbOptions;

/** Options of {@link levelLogProbs}. */
export interface LevelLogProbsOptions extends Given<typeof levelOptions> {}

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
  return scoreImages(portableImageModel('logProb: model', model), planLogProb(model, images, options));
}

/** Checked images to score. */
export type LogProbJob = KnownImages & WalkHooks & { readonly perValue: boolean };

/** Checks the images and options of {@link logProb}. */
export function planLogProb(model: PortableModel, images: NumericArray, options: LogProbOptions): LogProbJob {
  const checked = portableImageModel('logProb: model', model);
  const { condition, ...values } = readArguments('logProb', options, logProbOptions);
  return { ...planImages('logProb', checked, images, condition), ...values };
}

/** log p of images [N], or of their values [N*H*W*C], under a model of any kind. */
export const scoreImages = async (model: ImageModel, job: LogProbJob): Promise<Float64Array> =>
  model.turned === undefined || job.perValue
    ? scoreInOrder('logProb', model.inOrder('logProb: perValue'), job, job.perValue)
    : scoreSymmetric(model.turned, job);

export const numbersPerImage = ({ perValue, imageShape }: LogProbJob): number =>
  perValue ? valuesOf(imageShape) : 1;

/**
 * Computes log p of every level of every value given the values before it, in nats, for the models and images of
 * {@link logProb}.
 *
 * @returns [N*H*W*C*L], whose probabilities sum to 1 over the levels of each value
 * @throws (rejects) as {@link logProb}; TypeError if the model is symmetric, since it has no one order of values
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { levelLogProbs } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const images = { data: new Uint8Array(32), shape: [2, 4, 4, 1] };
 * const nats = await levelLogProbs(await toPortable(model), images);
 * console.log(nats.length); // 256
 * ```
 */
export async function levelLogProbs(
  model: PortableModel,
  images: NumericArray,
  options: LevelLogProbsOptions = {},
): Promise<Float64Array> {
  const ordered = portableImageModel('levelLogProbs: model', model).inOrder('levelLogProbs: model');
  const { condition, ...hooks } = readArguments('levelLogProbs', options, levelOptions);
  const known = planImages('levelLogProbs', ordered, images, condition);
  const nats = memoryFor('levelLogProbs', () => new Float64Array(known.data.length * model.levels));
  await scoreLevels(ordered, { ...known, ...hooks }, nats);
  return nats;
}

/** Writes log p of every level of all values, [N*H*W*C*L]. */
export async function scoreLevels(
  model: OrderedModel,
  images: KnownImages & WalkHooks,
  nats: Float32Array | Float64Array,
): Promise<void> {
  const { levels } = model;
  let ofValues = new Float64Array(0);
  await eachOutput('levelLogProbs', model, images, (reader, current, values) => {
    const size = values.length * levels;
    if (ofValues.length !== size) ofValues = new Float64Array(size);
    reader.ofAll(current, ofValues);
    for (const [k, value] of values.entries())
      nats.set(ofValues.subarray(k * levels, (k + 1) * levels), value * levels);
  });
}
