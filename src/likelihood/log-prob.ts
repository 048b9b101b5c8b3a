import { checkArgs, checkBoolean, checkFunction, type NamesOf } from '../core/check';
import {
  type ConditionData,
  type ConditionValues,
  type NumericArray,
  part,
  readConditions,
} from '../core/conditions';
import {
  checkImages,
  checkLevels,
  type ImageShape,
  placeOf,
  resolveImageShape,
  valuesOf,
} from '../core/images';
import { memoryFor } from '../core/memory';
import { distributionOf, logProbsFor } from '../distributions/readers';
import { evaluatorFor } from '../engine/evaluator';
import { checkModel, type PortableModel } from '../program/program';
import { checkSignal, pauses } from '../sampling/options';

/** Options of {@link logProb}. */
export interface LogProbOptions {
  /** The conditions of the images, for models that take any; several by name, `{ class, map }`. */
  condition?: ConditionData;
  /** Whether to return log p of each value instead of each image. @default false */
  perValue?: boolean;
  /** Stops the job: it rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Called after each row, with the number of values scored so far, out of N*H*W*C. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

const optionNames: NamesOf<LogProbOptions> = {
  condition: true,
  perValue: true,
  signal: true,
  onProgress: true,
};

/**
 * The log-likelihood of images under a model, in nats: log p(x), the sum of log p of every value given the values
 * before it. The result is the same on every machine, bit for bit; the tensor function `logProb` of `pixelcnn-layers`
 * agrees with it within float32 rounding.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759,
 * equation 1.
 *
 * @param images levels 0..L-1 [N,H,W,C]
 * @returns [N], or with `perValue` log p of every value, [N*H*W*C]
 * @throws TypeError (rejects) if the shapes do not fit, or a value is not one of the model's levels; `signal.reason` if
 * the signal aborts.
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
  const { data, numImages, imageShape, conditions } = planLogProb(model, images, options);
  const { signal, perValue = false, onProgress } = options;
  const total = valuesOf(imageShape);
  const [, , numChannels] = imageShape;
  const distribution = distributionOf(model);
  const nats = new Float64Array(perValue ? numImages * total : numImages);
  const pause = pauses(YIELD_MILLISECONDS);
  for (let first = 0; first < numImages; first += IMAGES_AT_A_TIME) {
    const group = Math.min(IMAGES_AT_A_TIME, numImages - first);
    const [evaluator, reader, ofPixel] = memoryFor('logProb', () => [
      evaluatorFor(model, {
        numImages: group,
        imageShape,
        conditions: conditions.map((condition) => part(condition, first, group)),
        distribution,
      }),
      logProbsFor(distribution, group),
      new Int32Array(group * numChannels),
    ]);
    const levels = new Int32Array(group);
    const ofPlace = new Float64Array(group);
    for (let index = 0; index < total; index++) {
      signal?.throwIfAborted();
      const place = placeOf(index, imageShape);
      for (let n = 0; n < group; n++) levels[n] = data[(first + n) * total + index] as number;
      const [, , channel] = place;
      reader.of({ outputs: evaluator.outputs(...place), channel, levels: ofPixel }, levels, ofPlace);
      evaluator.put(...place, levels);
      for (let n = 0; n < group; n++) {
        ofPixel[n * numChannels + channel] = levels[n] as number;
        const to = perValue ? (first + n) * total + index : first + n;
        nats[to] = (nats[to] as number) + (ofPlace[n] as number);
      }
      const isRowDone = (index + 1) % (total / imageShape[0]) === 0;
      if (isRowDone) onProgress?.({ done: first * total + group * (index + 1), total: numImages * total });
      const paused = pause();
      if (paused !== undefined) await paused;
    }
  }
  signal?.throwIfAborted();
  return nats;
}

/** The job of {@link logProb}, checked. */
export interface LogProbJob {
  readonly data: ArrayLike<number>;
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
}

/** Checks the images and options of {@link logProb}, all before anything is computed. */
export function planLogProb(model: PortableModel, images: NumericArray, options: LogProbOptions): LogProbJob {
  checkModel('logProb: model', model);
  const { signal, perValue = false, onProgress } = checkArgs('logProb: options', options, optionNames);
  checkSignal('logProb: signal', signal);
  checkBoolean('logProb: perValue', perValue);
  checkFunction('logProb: onProgress', onProgress ?? (() => {}));
  const { data, shape } = checkImages('logProb: images', images);
  const [numImages = 0, ...size] = shape;
  const imageShape = resolveImageShape('logProb: images', model.imageShape, size);
  checkLevels('logProb: images', data, model.levels);
  const what = 'logProb: condition';
  const conditions = readConditions(what, model.conditions, options.condition, numImages, imageShape);
  return { data, numImages, imageShape, conditions };
}

/** Images computed together: few enough to need little memory, enough that many share each weight that is loaded. */
const IMAGES_AT_A_TIME = 256;

/** How often other work gets a turn. */
const YIELD_MILLISECONDS = 125;
