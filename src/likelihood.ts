import {
  cast,
  div,
  mean,
  mul,
  reshape,
  slice,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkArgs, checkInteger, checkLevel, wrong } from './check';
import { type Condition, conditionTensor, readCondition } from './condition';
import { forward, imageModelShape, resolveImageShape } from './image-model';
import { crossEntropy } from './ops/cross-entropy';

/**
 * The negative log-likelihood in nats per dimension: the mean of -log p(label) over every dimension of an image but the
 * batch. Loss and metric for `compile`.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), section 3.3 and 5.1.
 *
 * @param labels levels 0..L-1, int32 or float32, of shape [N, ...]; for images [N,H,W,C]
 * @param logits [N, ..., L]; for images [N,H,W,C,L], finite
 * @returns [N], one value an image
 * @throws TypeError where the shapes do not fit each other.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { negativeLogLikelihood } from 'pixelcnn-layers';
 * const labels = tf.zeros([2, 4, 4, 1], 'int32');
 * const logits = tf.zeros([2, 4, 4, 1, 16]); // all levels alike
 * negativeLogLikelihood(labels, logits).print(); // [2.7725887, 2.7725887]: ln 16
 * ```
 */
export function negativeLogLikelihood(labels: Tensor, logits: Tensor): Tensor1D {
  if (!labels?.shape || !logits?.shape) wrong('labels and logits', 'two tensors', [labels, logits]);
  const levels = logits.shape[logits.rank - 1] ?? 0;
  const wanted = logits.shape.slice(0, -1);
  if (
    logits.rank < 2 ||
    wanted.some((size, i) => size !== labels.shape[i]) ||
    labels.rank !== wanted.length
  ) {
    wrong('labels', `levels of shape [${wanted}], the logits' [${logits.shape}] but the last`, labels.shape);
  }
  return tidy(() => {
    const [n = 0, ...dimensions] = labels.shape;
    const size = dimensions.reduce((product, length) => product * length, 1); // D, of one image
    const flatLabels = reshape(cast(labels, 'int32'), [labels.size]); // [N*D]
    const flatLogits: Tensor2D = reshape(logits, [labels.size, levels]); // [N*D,L]
    const nats = crossEntropy(flatLabels as Tensor1D, flatLogits); // [N*D]
    return mean(reshape(nats, [n, size]), 1); // [N]
  });
}

/**
 * Bits per dimension: {@link negativeLogLikelihood} / ln 2, the bits that an ideal compressor with this model spends on one
 * channel of one pixel. The uniform model is at log2(L). Loss and metric for `compile`.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), section 5.1.
 *
 * @param labels levels 0..L-1, int32 or float32, of shape [N, ...]; for images [N,H,W,C]
 * @param logits [N, ..., L]; for images [N,H,W,C,L], finite
 * @returns [N], one value an image
 * @throws TypeError where the shapes do not fit each other.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { bitsPerDim } from 'pixelcnn-layers';
 * const labels = tf.zeros([2, 4, 4, 1], 'int32');
 * bitsPerDim(labels, tf.zeros([2, 4, 4, 1, 16])).print(); // [4, 4]: log2 16
 * ```
 */
export function bitsPerDim(labels: Tensor, logits: Tensor): Tensor1D {
  return tidy(() => mul(negativeLogLikelihood(labels, logits), Math.LOG2E));
}

/** Both functions by name: they are known by a mark, since copies of this package (ESM, CommonJS) may meet in one program. */
const MARK = Symbol.for('pixelcnn-layers/likelihood');

type Likelihood = (labels: Tensor, logits: Tensor) => Tensor;

const likelihoods: Readonly<Record<string, Likelihood>> = { bitsPerDim, negativeLogLikelihood };

for (const [name, fn] of Object.entries(likelihoods)) {
  // tfjs names a metric by the function's name: pinned, so that minifiers do not change the keys of a history.
  Object.defineProperties(fn, { name: { value: name }, [MARK]: { value: name } });
}

/** The name of a loss or metric of this library, from whichever copy of it; undefined for any other. */
export function likelihoodName(fn: unknown): string | undefined {
  return typeof fn === 'function' ? (fn as { [MARK]?: string })[MARK] : undefined;
}

/** The loss or metric of that name; undefined where this library has none. */
export function likelihoodNamed(name: string): Likelihood | undefined {
  return Object.hasOwn(likelihoods, name) ? likelihoods[name] : undefined;
}

/**
 * Levels as models take them: level / (levels - 1), float32 in [0, 1].
 *
 * @param images levels 0..levels-1, of any shape and type
 * @param levels L, at least 2; 256 by default
 * @returns the same shape, float32
 * @throws TypeError where `levels` is not an integer of at least 2.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { normalize } from 'pixelcnn-layers';
 * normalize(tf.tensor1d([0, 8, 16], 'int32'), 17).print(); // [0, 0.5, 1]
 * ```
 */
export function normalize<T extends Tensor>(images: T, levels = 256): T {
  checkInteger('normalize: levels', levels, 2);
  return tidy(() => div(cast(images, 'float32'), levels - 1));
}

/** Options of {@link logProb}. */
export interface LogProbOptions {
  /** Images a forward pass. @default 32 */
  batchSize?: number;
  /** What the images are conditioned on, for models that take it. */
  condition?: Condition;
}

/**
 * The log-likelihood of images under a model: log p(x) in nats, summed over rows, columns and channels.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), equation 1.
 *
 * @param model any model from normalized images [N,H,W,C], and conditions where it takes any, to logits [N,H,W,C,L]
 * @param images levels 0..L-1, [N,H,W,C], int32 or float32; not normalized
 * @returns [N]; the caller disposes it
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
  images: Tensor4D,
  options: LogProbOptions = {},
): Promise<Tensor1D> {
  const shape = imageModelShape('logProb: model', model);
  const batchSize = checkInteger(
    'logProb: batchSize',
    checkArgs('logProb: options', options).batchSize ?? 32,
    1,
  );
  if (images?.rank !== 4) wrong('logProb: images', 'a tensor of levels [N,H,W,C]', images?.shape ?? images);
  const imageShape = resolveImageShape('logProb: images', shape, images.shape.slice(1));
  const what = 'logProb: condition';
  const given = await readCondition(what, shape.condition, options.condition, images.shape[0], imageShape);
  for (const value of await images.data()) checkLevel('logProb: images', value, shape.levels);

  const nats = new Float32Array(images.shape[0]);
  for (let start = 0; start < nats.length; start += batchSize) {
    const batch = tidy(() => {
      const size = Math.min(batchSize, nats.length - start);
      const part = slice(images, [start, 0, 0, 0], [size, -1, -1, -1]); // [size,H,W,C]
      const condition = given && conditionTensor(given, start, size);
      const logits = forward(model, normalize(part, shape.levels), condition); // [size,H,W,C,L]
      const perDimension = negativeLogLikelihood(part, logits);
      return mul(perDimension, -part.size / size); // [size]
    });
    try {
      nats.set(await batch.data(), start);
    } finally {
      batch.dispose();
    }
  }
  return tensor1d(nats);
}
