import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Given, integer, optional, readArguments } from '../core/arguments';
import { valuesOf } from '../core/images';
import {
  type CurrentPixels,
  isSoftmax,
  type LogProbs,
  outputStride,
} from '../distributions/pixel-distribution';
import { logProbsFor, readOutputs } from '../distributions/readers';
import { logProbArguments, scoreModel } from '../likelihood/log-prob';
import type { Condition } from '../models/conditions';
import { imageModelShape } from '../models/image-model';
import { type SymmetricModel, symmetricShape } from '../models/symmetric';
import { type BatchJob, batches, planBatches, readAndDispose } from './batches';

const logProbOptions = {
  /** Images in each forward pass. @default 32 */
  batchSize: optional(integer({ from: 1 }), 32),
  ...logProbArguments<Condition>(),
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
  model: LayersModel | SymmetricModel,
  images: tf.Tensor,
  options: LogProbOptions & { perValue?: PerValue } = {},
): Promise<PerValue extends true ? tf.Tensor4D : tf.Tensor1D> {
  const { perValue, ...values } = readArguments('logProb', options, logProbOptions);
  const job = await planBatches('logProb', symmetricShape('logProb: model', model), images, values);
  const nats = await scoreModel(job.shape, { ...job, perValue }, scoreBatches);
  const { numImages, imageShape } = job;
  const tensor = tf.tensor(Float32Array.from(nats), perValue ? [numImages, ...imageShape] : [numImages]);
  return tensor as PerValue extends true ? tf.Tensor4D : tf.Tensor1D;
}

/** log p of images, [N], or of their values, [N*H*W*C]. */
export async function scoreBatches(job: BatchJob & { readonly perValue: boolean }): Promise<Float64Array> {
  const { numImages, imageShape, data: drawn, perValue } = job;
  const ofImage = valuesOf(imageShape);
  const nats = new Float64Array(perValue ? numImages * ofImage : numImages);
  const ofRows = new Float64Array(ROWS);
  await eachRows('logProb', job, (reader, current, values) => {
    const levels = values.map((value) => drawn[value] as number);
    reader.of(current, levels, ofRows);
    for (const [row, value] of values.entries()) {
      const to = perValue ? value : Math.floor(value / ofImage);
      nats[to] = (nats[to] as number) + (ofRows[row] as number);
    }
  });
  return nats;
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
  options: LevelLogProbsOptions = {},
): Promise<tf.Tensor5D> {
  const values = readArguments('levelLogProbs', options, levelOptions);
  const shape = { ...imageModelShape('levelLogProbs: model', model), model };
  const job = await planBatches('levelLogProbs', shape, images, values);
  const { numImages, imageShape } = job;
  const { levels } = job.shape;
  const nats = new Float32Array(numImages * valuesOf(imageShape) * levels); // [N,H,W,C,L]
  const ofRows = new Float64Array(ROWS * levels);
  await eachRows('levelLogProbs', job, (reader, current, values) => {
    reader.ofAll(current, ofRows);
    for (const [row, value] of values.entries())
      nats.set(ofRows.subarray(row * levels, (row + 1) * levels), value * levels);
  });
  return tf.tensor5d(nats, [numImages, ...imageShape, levels]);
}

/** How many rows of outputs are read together. */
const ROWS = 256;

/**
 * Passes images through a model, and calls `read` with groups of up to {@link ROWS} rows of its
 * outputs. `values` [ROWS] are the indices of the rows' values in all images [N,H,W,C]. A softmax
 * has a row for each value, other distributions one for each pixel.
 */
async function eachRows(
  caller: string,
  job: BatchJob,
  read: (reader: LogProbs, current: CurrentPixels, values: Int32Array) => void,
): Promise<void> {
  const { distribution } = job.shape;
  const { imageChannels, levels, numParameters } = distribution;
  const ofImage = valuesOf(job.imageShape);
  const [size, step] = isSoftmax(distribution) ? [levels, 1] : [numParameters, imageChannels];
  const stride = outputStride(distribution);
  const reader = logProbsFor(distribution, ROWS);
  const outputs = new Float32Array(ROWS * stride);
  const ofPixels = new Int32Array(ROWS * imageChannels);
  for (const { start, outputs: all } of batches(job)) {
    const numbers = await readAndDispose(all); // [size,H,W,C,L] or [size,H,W,P]
    const rows = numbers.length / size;
    for (let first = 0; first < rows; first += ROWS) {
      const count = Math.min(ROWS, rows - first);
      for (let row = 0; row < count; row++) {
        outputs.set(numbers.subarray((first + row) * size, (first + row + 1) * size), row * stride);
      }
      const firstValue = start * ofImage + first * step;
      ofPixels.set(job.data.subarray(firstValue, firstValue + count * step));
      for (let channel = 0; channel < step; channel++) {
        const values = Int32Array.from({ length: count }, (_, row) => firstValue + row * step + channel);
        readOutputs(caller, distribution, () => read(reader, { outputs, channel, levels: ofPixels }, values));
      }
    }
  }
}
