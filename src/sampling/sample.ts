import { checkArgs, checkOneOf, checkSignal } from '../core/check';
import { type Images, levelsArray } from '../core/images';
import { memoryFor } from '../core/memory';
import { distributionOf } from '../distributions/kinds';
import { copyImages, type Evaluator, evaluatorFor } from '../engine/evaluator';
import { checkModel, type PortableModel } from '../program/program';
import { drawImages, memoryForJob, type OutputSource } from './drawing';
import { type Job, planJob, type SampleOptions, sampleOptionNames } from './options';

/**
 * Draws images from a model, value by value in the order rows, columns, channels, each given all values before it.
 * Without tensors, but with exactly the same result as the tensor function `sample` of `pixelcnn-layers`. See there for
 * how a level is drawn and what a seed means.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759,
 * section 2.1; "The Annotated Pixel-CNN", `generate_images`.
 *
 * @param model a model from `toPortable` or `readPortable`
 * @returns levels [N,H,W,C]: bytes up to 256 levels, 16-bit integers up to 65536
 * @throws TypeError (rejects) naming the option that is wrong; `signal.reason`, an AbortError by default, if the signal
 * aborts; Error if the model's outputs are not finite (a logit may be -Infinity, as long as another is finite);
 * RangeError if there is not enough memory for this many images at a time.
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
): Promise<Images>;
export async function sample(
  model: PortableModel,
  options: SampleOptions & { withLogProb: true },
): Promise<Sampled>;
export async function sample(
  model: PortableModel,
  options: SampleOptions & { withLogProb: boolean },
): Promise<Images | Sampled>;
export async function sample(model: PortableModel, options?: SampleOptions): Promise<Images>;
export async function sample(model: PortableModel, options: SampleOptions = {}): Promise<Images | Sampled> {
  const job = planSample(model, options);
  const sampled = await drawJob(model, job, options);
  return job.withLogProb ? sampled : sampled.images;
}

/** Images with their log p, for {@link SampleOptions.withLogProb}. */
export interface Sampled {
  /** What was drawn. */
  readonly images: Images;
  /** log p of each image under the model, in nats, [N], as `logProb` computes it. */
  readonly logProb: Float64Array;
  /**
   * With `lookAhead`: an estimate, for each image, of log p of the given values, under the distribution that images are
   * drawn from.
   */
  readonly logGiven?: Float64Array;
}

/** The result of a job; log p is empty if it was not asked for. */
export async function drawJob(
  model: PortableModel,
  job: Job,
  options: Pick<SampleOptions, 'signal' | 'onProgress'>,
): Promise<Sampled> {
  const { numImages, imageShape, levels } = job;
  const evaluator = memoryForJob(job, () => evaluatorFor(model, { ...job, ...job.evaluated }));
  const { levels: drawn, ...logProbs } = await drawImages(sourceOf(evaluator), job, options);
  const data = memoryFor('sample', () => levelsArray(drawn.length, levels));
  data.set(drawn);
  return { images: { data, shape: [numImages, ...imageShape] }, ...logProbs };
}

/** Checks the options of {@link sample}, all before anything is drawn. */
export function planSample(model: PortableModel, options: SampleOptions): Job {
  checkModel('sample: model', model);
  const { signal, strategy = 'auto' } = checkArgs('sample: options', options, sampleOptionNames);
  checkSignal('sample: signal', signal);
  checkOneOf('sample: strategy', strategy, ['auto', 'incremental']);
  return memoryFor('sample', () => planJob({ ...model, distribution: distributionOf(model) }, options));
}

/** An evaluator as a source. */
export const sourceOf = (evaluator: Evaluator): OutputSource => ({
  beginRow: (row) => evaluator.beginRow(row),
  outputs: (row, column, channel) => evaluator.outputs(row, column, channel),
  put: (row, column, channel, levels) => evaluator.put(row, column, channel, levels),
  evaluateFirst: (numImages) => evaluator.evaluateFirst(numImages),
  copy: (from) => copyImages(evaluator, from),
  release: () => evaluator.release(),
});
