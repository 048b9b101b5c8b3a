import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Condition } from '../models/conditions';
import { type Given, integer, optional, readArguments } from '../runtime/core/arguments';
import type { NumericArray } from '../runtime/core/conditions';
import { valuesOf } from '../runtime/core/images';
import * as portable from '../runtime/likelihood/log-prob';
import { isPortable, type PortableModel } from '../runtime/program/program';
import { walkArguments } from '../runtime/sampling/walk';
import { readImages } from './batches';
import { type TfjsModel, tensorImageModel } from './tensor-model';

const logProbOptions = {
  /** Images in each forward pass. @default 32 */
  batchSize: optional(integer({ from: 1 }), 32),
  ...portable.logProbArguments<Condition>(),
  ...walkArguments,
};

/** Options of {@link logProb}. */
export interface LogProbOptions extends Given<typeof logProbOptions> {}

const { perValue: _, ...levelOptions } = logProbOptions;

/** Options of {@link levelLogProbs}. */
export interface LevelLogProbsOptions extends Given<typeof levelOptions> {}

/**
 * Computes the log-likelihood of images under a model: log p(x) in nats, summed over rows, columns and channels, in
 * float64 from the model's outputs, and rounded to float32. `logProb` of `pixelcnn-layers/runtime` takes plain arrays.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, equation 1.
 *
 * @param model any model from normalized images [N,H,W,C], and conditions, if any, to logits
 * [N,H,W,C,L] or the parameters [N,H,W,P] of another distribution
 * @param images levels 0..L-1, [N,H,W,C], int32 or float32; not normalized
 * @returns [N], or with `perValue` log p of each value given the values before it, [N,H,W,C]; the caller disposes it
 * @throws TypeError (rejects) if shapes do not fit the model, or a value is not one of its levels;
 * Error if the model's outputs are not finite
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { logProb, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [8, 8, 1], levels: 17, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const nats = await logProb(model, tf.zeros([2, 8, 8, 1], 'int32'));
 * console.log(nats.shape); // [2]
 * ```
 */
export async function logProb<PerValue extends boolean = false>(
  model: TfjsModel,
  images: tf.Tensor,
  options?: LogProbOptions & { perValue?: PerValue },
): Promise<PerValue extends true ? tf.Tensor4D : tf.Tensor1D>;
/** Of a portable model, as `logProb` of `pixelcnn-layers/runtime`. */
export async function logProb(
  model: PortableModel,
  images: NumericArray,
  options?: portable.LogProbOptions,
): Promise<Float64Array>;
export async function logProb(
  model: TfjsModel | PortableModel,
  images: tf.Tensor | NumericArray,
  options: LogProbOptions | portable.LogProbOptions = {},
): Promise<tf.Tensor | Float64Array> {
  if (isPortable(model))
    return portable.logProb(model, images as NumericArray, options as portable.LogProbOptions);
  const { batchSize, condition, ...values } = readArguments('logProb', options, logProbOptions);
  const checked = tensorImageModel('logProb: model', model, { batchSize });
  const known = await readImages('logProb', checked, images as tf.Tensor, condition);
  const nats = await portable.scoreImages(checked, { ...known, ...values });
  const { numImages, imageShape } = known;
  return tf.tensor(Float32Array.from(nats), values.perValue ? [numImages, ...imageShape] : [numImages]);
}

/**
 * Computes log p of every level of every value given the values before it, in nats, for the models
 * and images of {@link logProb}.
 *
 * @returns [N,H,W,C,L], whose probabilities sum to 1 over the last axis; the caller disposes it
 * @throws (rejects) as {@link logProb}
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { levelLogProbs, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const nats = await levelLogProbs(model, tf.zeros([2, 4, 4, 1], 'int32'));
 * console.log(nats.shape); // [2, 4, 4, 1, 8]
 * ```
 */
export async function levelLogProbs(
  model: LayersModel,
  images: tf.Tensor,
  options?: LevelLogProbsOptions,
): Promise<tf.Tensor5D>;
/** Of a portable model, as `levelLogProbs` of `pixelcnn-layers/runtime`. */
export async function levelLogProbs(
  model: PortableModel,
  images: NumericArray,
  options?: portable.LevelLogProbsOptions,
): Promise<Float64Array>;
export async function levelLogProbs(
  model: LayersModel | PortableModel,
  images: tf.Tensor | NumericArray,
  options: LevelLogProbsOptions | portable.LevelLogProbsOptions = {},
): Promise<tf.Tensor5D | Float64Array> {
  if (isPortable(model))
    return portable.levelLogProbs(model, images as NumericArray, options as portable.LevelLogProbsOptions);
  const { batchSize, condition, ...hooks } = readArguments('levelLogProbs', options, levelOptions);
  const ordered = tensorImageModel('levelLogProbs: model', model, { batchSize }).inOrder(
    'levelLogProbs: model',
  );
  const known = await readImages('levelLogProbs', ordered, images as tf.Tensor, condition);
  const { numImages, imageShape } = known;
  const { levels } = ordered;
  const nats = new Float32Array(numImages * valuesOf(imageShape) * levels); // [N,H,W,C,L]
  await portable.scoreLevels(ordered, { ...known, ...hooks }, nats);
  return tf.tensor5d(nats, [numImages, ...imageShape, levels]);
}
