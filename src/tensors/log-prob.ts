import {
  neg,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  type Tensor5D,
  tensor1d,
  tensor4d,
  tensor5d,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkArgs, checkBoolean, type NamesOf } from '../core/check';
import { valuesOf } from '../core/images';
import { readOutputs, writeLogProbs } from '../distributions/readers';
import { natsOf } from '../models/loss';
import { type BatchOptions, batches, dataOf, planBatches } from './batches';

/** Options of {@link logProb}. */
export interface LogProbOptions extends BatchOptions {
  /** Whether to return log p of each value instead of each image. @default false */
  perValue?: boolean;
}

const optionNames: NamesOf<LogProbOptions> = { batchSize: true, condition: true, perValue: true };

/** Options of {@link levelLogProbs}. */
export type LevelLogProbsOptions = BatchOptions;

const levelOptionNames: NamesOf<LevelLogProbsOptions> = { batchSize: true, condition: true };

/**
 * The log-likelihood of images under a model: log p(x) in nats, summed over rows, columns and channels.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, equation 1.
 *
 * @param model any model from normalized images [N,H,W,C], and conditions if it takes any, to logits [N,H,W,C,L], or to
 * the parameters [N,H,W,P] of another distribution
 * @param images levels 0..L-1, [N,H,W,C], int32 or float32; not normalized
 * @returns [N], or with `perValue` log p of each value given the values before it, [N,H,W,C]; the caller disposes of it
 * @throws TypeError (rejects) where the shapes do not fit, or a value is not one of the model's levels.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { logProb, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [8, 8, 1], levels: 17, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const nats = await logProb(model, tf.zeros([2, 8, 8, 1], 'int32'));
 * console.log(nats.shape); // [2]
 * ```
 */
export async function logProb(
  model: LayersModel,
  images: Tensor,
  options: LogProbOptions & { perValue: true },
): Promise<Tensor4D>;
export async function logProb(
  model: LayersModel,
  images: Tensor,
  options?: LogProbOptions & { perValue?: false },
): Promise<Tensor1D>;
export async function logProb(
  model: LayersModel,
  images: Tensor,
  options?: LogProbOptions,
): Promise<Tensor1D | Tensor4D>;
export async function logProb(
  model: LayersModel,
  images: Tensor,
  options: LogProbOptions = {},
): Promise<Tensor1D | Tensor4D> {
  const { perValue = false } = checkArgs('logProb: options', options, optionNames);
  checkBoolean('logProb: perValue', perValue);
  const job = await planBatches('logProb', model, images, options);
  const { numImages, imageShape, shape } = job;
  const values = perValue ? valuesOf(imageShape) : 1; // of an image
  const nats = new Float32Array(numImages * values);
  for (const { start, outputs } of batches(job, (labels, outputs) => {
    const ofValues = natsOf(labels, outputs, shape.distribution); // [size,H,W,C]
    return neg(perValue ? ofValues : sum(ofValues, [1, 2, 3])); // [size,H,W,C] or [size]
  })) {
    nats.set(await dataOf(outputs), start * values);
  }
  return perValue ? tensor4d(nats, [numImages, ...imageShape]) : tensor1d(nats);
}

/**
 * log p of every level of every value given the values before it, in nats, for any distribution. Computed from the
 * model's outputs in float64.
 *
 * @param model any model that {@link logProb} takes
 * @param images levels 0..L-1, [N,H,W,C], int32 or float32; not normalized
 * @returns [N,H,W,C,L], whose probabilities sum to 1 over the last axis; the caller disposes of it
 * @throws TypeError (rejects) as {@link logProb}; Error if the model's outputs are not finite
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
  images: Tensor,
  options: LevelLogProbsOptions = {},
): Promise<Tensor5D> {
  checkArgs('levelLogProbs: options', options, levelOptionNames);
  const job = await planBatches('levelLogProbs', model, images, options);
  const { numImages, imageShape, shape, levels: drawn } = job;
  const { distribution } = shape;
  const { levels, imageChannels, numParameters } = distribution;
  const [height, width] = imageShape;
  const pixels = height * width; // of an image
  const nats = new Float32Array(numImages * pixels * imageChannels * levels); // [N,H,W,C,L]
  const ofLevels = new Float64Array(levels);
  for (const { start, outputs } of batches(job, (_, outputs) => outputs.clone())) {
    const all = await dataOf(outputs); // [size,H,W,P]; of a softmax [size,H,W,C,L]
    for (let pixel = 0; pixel * numParameters < all.length; pixel++) {
      const parameters = all.subarray(pixel * numParameters, (pixel + 1) * numParameters);
      const place = (start * pixels + pixel) * imageChannels;
      for (let channel = 0; channel < imageChannels; channel++) {
        const earlier = drawn.subarray(place, place + channel);
        readOutputs('levelLogProbs', distribution, () =>
          writeLogProbs(distribution, parameters, earlier, ofLevels),
        );
        nats.set(ofLevels, (place + channel) * levels);
      }
    }
  }
  return tensor5d(nats, [numImages, ...imageShape, levels]);
}
