import { checkArgs, checkBoolean, type NamesOf } from '../core/check';
import { type ConditionData, type NumericArray, readConditions } from '../core/conditions';
import { checkImages, checkLevels, resolveImageShape, valuesOf } from '../core/images';
import { distributionOf } from '../distributions/kinds';
import { logProbsFor } from '../distributions/readers';
import { checkModel, type PortableModel } from '../program/program';
import { checkWalkOptions, type WalkedImages, type WalkOptions, walkImages, walkOptionNames } from './walk';

/** Options of {@link logProb}. */
export interface LogProbOptions extends WalkOptions {
  /** The conditions of the images, for models that take any; several by name, `{ class, map }`. */
  condition?: ConditionData;
  /** Whether to return log p of each value instead of each image. @default false */
  perValue?: boolean;
}

const optionNames: NamesOf<LogProbOptions> = { condition: true, perValue: true, ...walkOptionNames };

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
  const job = planLogProb(model, images, options);
  const { data, numImages, imageShape } = job;
  const { perValue = false } = options;
  const total = valuesOf(imageShape);
  const distribution = distributionOf(model);
  const nats = new Float64Array(perValue ? numImages * total : numImages);
  await walkImages('logProb', { model, distribution }, job, options, (first, count) => {
    const reader = logProbsFor(distribution, count);
    const ofValue = new Float64Array(count);
    return {
      visit(present, index, levels) {
        for (let n = 0; n < count; n++) levels[n] = data[(first + n) * total + index] as number;
        reader.of(present, levels, ofValue);
        for (let n = 0; n < count; n++) {
          const to = perValue ? (first + n) * total + index : first + n;
          nats[to] = (nats[to] as number) + (ofValue[n] as number);
        }
      },
    };
  });
  return nats;
}

/** The job of {@link logProb}, checked. */
interface LogProbJob extends WalkedImages {
  readonly data: ArrayLike<number>;
}

/** Checks the images and options of {@link logProb}, all before anything is computed. */
export function planLogProb(model: PortableModel, images: NumericArray, options: LogProbOptions): LogProbJob {
  checkModel('logProb: model', model);
  const { perValue = false } = checkArgs('logProb: options', options, optionNames);
  checkWalkOptions('logProb', options);
  checkBoolean('logProb: perValue', perValue);
  const { data, shape } = checkImages('logProb: images', images);
  const [numImages = 0, ...size] = shape;
  const imageShape = resolveImageShape('logProb: images', model.imageShape, size);
  checkLevels('logProb: images', data, model.levels);
  const what = 'logProb: condition';
  const conditions = readConditions(what, model.conditions, options.condition, numImages, imageShape);
  return { data, numImages, imageShape, conditions };
}
