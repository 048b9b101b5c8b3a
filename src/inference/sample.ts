import * as tf from '@tensorflow/tfjs-core';
import { type Condition, checkImageTensor, conditionData, readTensor } from '../models/conditions';
import { type Given, oneOf, optional, readArguments } from '../runtime/core/arguments';
import type { NumericArray } from '../runtime/core/conditions';
import { type Images, memoryFor } from '../runtime/core/images';
import { isPortable, type PortableModel } from '../runtime/program/program';
import { planJob, sampleArguments } from '../runtime/sampling/options';
import * as portable from '../runtime/sampling/sample';
import { type TfjsModel, tensorImageModel } from './tensor-model';

const sampleOptions = {
  ...sampleArguments<tf.Tensor, Condition>(),
  /**
   * 'incremental' computes each feature once. It requires that every layer can be evaluated pixel by pixel,
   * like all layers of this library, and tfjs layers that act on each pixel separately. 'full' runs a whole
   * forward pass for each value, with any model. 'auto' is incremental if the model supports it, else warns
   * once on the console. @default 'auto'
   */
  strategy: optional(oneOf('auto', 'incremental', 'full'), 'auto'),
};

/** Options of {@link sample}. */
export interface SampleOptions extends Given<typeof sampleOptions> {}

/** Images with their log p, for {@link SampleOptions.withLogProb}. The caller disposes all tensors. */
export interface Sampled {
  /** int32 [N,H,W,C] */
  readonly images: tf.Tensor4D;
  /** log p of each image under the model, in nats, float32 [N]. */
  readonly logProb: tf.Tensor1D;
  /** log p with which each image was drawn, as the runtime's, float32 [N]. */
  readonly logDrawn: tf.Tensor1D;
  /** With `lookAhead`, an estimate of log p of each image's given values, as drawn from, float32 [N]. */
  readonly logGiven?: tf.Tensor1D;
}

/**
 * Draws images from a model, value by value in the order rows, columns, channels, each given all values before it.
 *
 * A level is drawn by inverting the distribution function: it is the first level whose cumulative probability exceeds a
 * uniform u. Each image uses one u at every place, even where the level is given, so the noise of a seed does not
 * depend on what is given. With `seed`, image i has its own stream of noise, derived from the seed and i.
 *
 * A model is compiled once, and again after its weights have been assigned, as training and `setWeights` do. Numbers that
 * are written in place, into what `dataSync()` returns on the cpu backend, are not seen.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, section 2.1;
 * "The Annotated Pixel-CNN", `generate_images`.
 *
 * @param model any model from normalized images [N,H,W,C] to logits [N,H,W,C,L] or the parameters
 * [N,H,W,P] of another distribution
 * @returns levels, int32 [N,H,W,C], which the caller disposes
 * @throws TypeError (rejects) naming the invalid option; `signal.reason`, an AbortError by default, if the signal
 * aborts; Error if the model's outputs are not finite (a logit may be -Infinity, as long as another is finite), or if
 * `adjust` leaves no level or `lookAhead` no particle
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelCNN, sample } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const images = await sample(model, { numImages: 2, seed: 1, temperature: 0.9 });
 * console.log(images.shape, images.dtype); // [2, 4, 4, 1] int32
 *
 * // Completion: keep the upper half of both, draw the lower half again.
 * const known = tf.concat([tf.ones([2, 2, 4, 1]), tf.zeros([2, 2, 4, 1])], 1);
 * const completed = await sample(model, { initial: images, known, seed: 2 });
 * console.log(completed.shape); // [2, 4, 4, 1]
 * ```
 */
export async function sample(
  model: TfjsModel,
  options?: SampleOptions & { withLogProb?: false },
): Promise<tf.Tensor4D>;
export async function sample(
  model: TfjsModel,
  options: SampleOptions & { withLogProb: true },
): Promise<Sampled>;
export async function sample(
  model: TfjsModel,
  options: SampleOptions & { withLogProb: boolean },
): Promise<tf.Tensor4D | Sampled>;
export async function sample(model: TfjsModel, options?: SampleOptions): Promise<tf.Tensor4D>;
/** From a portable model, draws arrays, as `sample` of `pixelcnn-layers/runtime`. */
export async function sample(
  model: PortableModel,
  options: portable.SampleOptions & { withLogProb: true },
): Promise<portable.Sampled>;
export async function sample(
  model: PortableModel,
  options?: portable.SampleOptions & { withLogProb?: false },
): Promise<Images>;
export async function sample(
  model: PortableModel,
  options: portable.SampleOptions & { withLogProb: boolean },
): Promise<Images | portable.Sampled>;
export async function sample(model: PortableModel, options?: portable.SampleOptions): Promise<Images>;
export async function sample(
  model: TfjsModel | PortableModel,
  options: SampleOptions | portable.SampleOptions = {},
): Promise<tf.Tensor4D | Sampled | Images | portable.Sampled> {
  if (isPortable(model)) return portable.sample(model, options as portable.SampleOptions);
  const values = readArguments('sample', options, sampleOptions);
  const { strategy, initial, known } = values;
  const checked = tensorImageModel('sample: model', model, { strategy });
  const numbers = {
    initial: initial && (await numbersOf('initial', 'levels', initial)),
    known: known && (await numbersOf('known', '0 and 1', known)),
    condition: await conditionData(values.condition),
  };
  const job = memoryFor('sample', () => planJob(checked, { ...values, ...numbers }));
  const { levels, ...logs } = await checked.draw(job);
  return tf.tidy(() => {
    const images = tf.tensor4d(Int32Array.from(levels), [job.numImages, ...job.imageShape], 'int32');
    if (!job.withLogProb) return images;
    const { logProb, logDrawn, logGiven } = logs;
    const nats = (of: Float64Array) => tf.tensor1d(Float32Array.from(of));
    return {
      images,
      logProb: nats(logProb),
      logDrawn: nats(logDrawn),
      ...(logGiven && { logGiven: nats(logGiven) }),
    };
  });
}

async function numbersOf(option: string, numbers: string, images: tf.Tensor): Promise<NumericArray> {
  checkImageTensor(`sample: ${option}`, images, numbers);
  return readTensor(images);
}
