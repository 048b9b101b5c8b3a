import { type Given, oneOf, optional, readArguments } from '../core/arguments';
import type { ConditionData, NumericArray } from '../core/conditions';
import { memoryFor, type OwnImages } from '../core/images';
import type { ModelShape } from '../core/model-shape';
import type { PortableModel } from '../program/program';
import type { SampledImages } from './image-model';
import { type Job, planJob, sampleArguments } from './options';
import { portableImageModel } from './portable';

const sampleOptions = () => ({
  ...sampleArguments<NumericArray, ConditionData>(),
  /** Both compute each feature once; for compatibility with `sample` of tensors. @default 'auto' */
  strategy: optional(oneOf('auto', 'incremental'), 'auto'),
});

/** Options of {@link sample}. */
export interface SampleOptions extends Given<ReturnType<typeof sampleOptions>> {}

/**
 * Draws images from a model, value by value in the order rows, columns, channels, each given all values before it.
 * Draws exactly the images of `sample` of tensors, which documents how a level is drawn and what a seed means.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759,
 * section 2.1; "The Annotated Pixel-CNN", `generate_images`.
 *
 * @returns levels [N,H,W,C]: bytes up to 256 levels, 16-bit integers up to 65536
 * @throws TypeError (rejects) naming the invalid option; `signal.reason`, an AbortError by default, if the
 * signal aborts; Error if the model's outputs are not finite (a logit may be -Infinity, as long as another is
 * finite), or if `adjust` leaves no level or `lookAhead` no particle; RangeError if there is not enough memory for this many images at a time.
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { sample } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const portable = await toPortable(model); // or: readPortable(bytes of a file)
 * const { data, shape } = await sample(portable, { numImages: 2, seed: 1 });
 * console.log(data.constructor.name, shape); // Uint8Array [2, 4, 4, 1]
 * ```
 */
export async function sample(
  model: PortableModel,
  options?: SampleOptions & { withLogProb?: false },
): Promise<OwnImages>;
export async function sample(
  model: PortableModel,
  options: SampleOptions & { withLogProb: true },
): Promise<Sampled>;
export async function sample(
  model: PortableModel,
  options: SampleOptions & { withLogProb: boolean },
): Promise<OwnImages | Sampled>;
export async function sample(model: PortableModel, options?: SampleOptions): Promise<OwnImages>;
export async function sample(
  model: PortableModel,
  options: SampleOptions = {},
): Promise<OwnImages | Sampled> {
  const checked = portableImageModel('sample: model', model);
  const job = planSample(checked, options);
  return sampled(job, await checked.draw(job));
}

/** Checks the options of {@link sample}, all before anything is drawn. */
export function planSample(model: ModelShape, options: SampleOptions): Job {
  const values = readArguments('sample', options, sampleOptions());
  return memoryFor('sample', () => planJob(model, values));
}

/** The result of {@link sample}. */
export function sampled(
  { numImages, imageShape, withLogProb }: Job,
  { levels, logProb, logDrawn, logGiven }: SampledImages,
): OwnImages | Sampled {
  const images: OwnImages = { data: levels, shape: [numImages, ...imageShape] };
  return withLogProb ? { images, logProb, logDrawn, ...(logGiven && { logGiven }) } : images;
}

/** Images with their log p, for {@link SampleOptions.withLogProb}. */
export interface Sampled {
  /** The images that were drawn. */
  readonly images: OwnImages;
  /** log p of each image under the model, in nats, [N], as `logProb` computes it. */
  readonly logProb: Float64Array;
  /**
   * log p with which each image was drawn, [N]: after `adjust`, `guidance`, temperature and filters, where given values
   * are certain; equal to `logProb` without any of these. Of a model with symmetries it is that of all elements that might
   * have been used. Choices among particles count, by how many copies of each were expected, so that it is an estimate.
   *
   * Weights w = e^(logProb - logDrawn) make up for how values were drawn: the mean of w is p of the given values, and that
   * of w f(x) the sum of p(x) f(x) over all images that agree with them, as far as these can be drawn.
   */
  readonly logDrawn: Float64Array;
  /** With `lookAhead`, an estimate of log p of each image's given values under the distribution that is drawn from. */
  readonly logGiven?: Float64Array;
}
