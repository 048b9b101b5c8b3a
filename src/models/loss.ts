import * as tf from '@tensorflow/tfjs-core';
import { asFloat } from '../layers/pixel-layer';
import type { TensorDistribution } from '../layers/types';
import { crossEntropy } from '../ops/cross-entropy';
import { throwTypeError } from '../runtime/core/check';
import { isSoftmax } from '../runtime/distributions/pixel-distribution';
import type { ImageModelShape } from './image-model';

/**
 * Returns the negative log-likelihood in nats per dimension: the mean of -log p(label) over an image. A loss or metric.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016),
 * https://arxiv.org/abs/1601.06759, sections 3.3 and 5.1.
 *
 * @param labels levels 0..L-1, int32 or float32, of shape [N, ...]; for images [N,H,W,C]. Numbers
 * that are not levels make the result wrong; `checkLabels` of `compile` finds them.
 * @param outputs logits [N, ..., L], finite; for images [N,H,W,C,L], or the parameters [N,H,W,P] of the distribution
 * @param distribution of the outputs, such as `model.distribution`, which `compile` passes; by default a softmax.
 * @returns [N], one value for each image; empty if there are no images
 * @throws TypeError if the shapes do not fit each other.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { negativeLogLikelihood } from 'pixelcnn-layers';
 * const labels = tf.zeros([2, 4, 4, 1], 'int32');
 * const logits = tf.zeros([2, 4, 4, 1, 16]); // all levels alike
 * negativeLogLikelihood(labels, logits).print(); // [2.7725887, 2.7725887]: ln 16
 * ```
 */
export function negativeLogLikelihood(
  labels: tf.Tensor,
  outputs: tf.Tensor,
  distribution?: ImageModelShape['distribution'],
): tf.Tensor1D {
  if (!labels?.shape || !outputs?.shape)
    throwTypeError('labels and outputs', 'two tensors', [labels, outputs]);
  const isLogits = distribution === undefined || isSoftmax(distribution);
  return tf.tidy(() => {
    const nats = isLogits ? natsOfLogits(labels, outputs) : natsOf(distribution, labels, outputs); // [N, ...]
    const [n = 0, ...dimensions] = labels.shape;
    return tf.mean(tf.reshape(nats, [n, tf.util.sizeFromShape(dimensions)]), 1); // [N]
  });
}

/** -log p of every label given the labels before it, in nats, shaped like the labels. */
function natsOf(distribution: TensorDistribution, labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
  if (typeof distribution?.negativeLogLikelihood !== 'function')
    throwTypeError('distribution', 'a distribution, such as model.distribution', distribution);
  const { imageChannels, numParameters } = distribution;
  const [n, h, w, features] = outputs.shape;
  if (outputs.rank !== 4 || features !== numParameters)
    throwTypeError('outputs', `the parameters [N,H,W,${numParameters}] of the distribution`, outputs.shape);
  const wanted = String([n, h, w, imageChannels]);
  if (String(labels.shape) !== wanted) throwTypeError('labels', `levels of shape [${wanted}]`, labels.shape);
  const levels = tf.cast(labels, 'int32') as tf.Tensor4D;
  const nats = distribution.negativeLogLikelihood(levels, asFloat(outputs) as tf.Tensor4D);
  if (String(nats?.shape) !== wanted)
    throwTypeError('negativeLogLikelihood of the distribution', `nats of shape [${wanted}]`, nats?.shape);
  return nats;
}

/** -log p of every label for logits [N, ..., L], in nats, shaped like the labels. */
function natsOfLogits(labels: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const levels = logits.shape[logits.rank - 1] ?? 0;
  const wanted = logits.shape.slice(0, -1);
  if (logits.rank < 2 || String(labels.shape) !== String(wanted)) {
    const areAlike = String(labels.shape) === String(logits.shape); // labels are one-hot, or outputs have no levels
    if (areAlike && labels.rank === 4) {
      const wanted = `logits [${labels.shape},L] of the labels [${labels.shape}], as pixelLogits returns`;
      throwTypeError('outputs', wanted, logits.shape);
    }
    const isOfPixels = labels.rank === 4 && logits.rank === 4; // [N,H,W,P]
    const hint = '; for parameters [N,H,W,P], pass model.distribution as the third argument';
    const levelsOfShape = areAlike
      ? `integer levels of shape [${wanted}], not one-hot: make the model with autoregressiveModel`
      : `levels of shape [${wanted}], like the logits [${logits.shape}] without the last axis${isOfPixels ? hint : ''}`;
    throwTypeError('labels', levelsOfShape, labels.shape);
  }
  const flatLabels: tf.Tensor1D = tf.reshape(tf.cast(labels, 'int32'), [labels.size]); // [N*D]
  const flatLogits: tf.Tensor2D = tf.reshape(asFloat(logits), [labels.size, levels]); // [N*D,L]
  return tf.reshape(crossEntropy(flatLabels, flatLogits), labels.shape); // [N*D] -> [N, ...]
}

/**
 * Returns the bits per dimension, {@link negativeLogLikelihood} / ln 2: what an ideal compressor with this model uses
 * for a channel of a pixel, for the uniform model log2(L). Takes, returns and throws what the former does.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, section 5.1.
 *
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { bitsPerDim } from 'pixelcnn-layers';
 * const labels = tf.zeros([2, 4, 4, 1], 'int32');
 * bitsPerDim(labels, tf.zeros([2, 4, 4, 1, 16])).print(); // [4, 4]: log2 16
 * ```
 */
export function bitsPerDim(
  labels: tf.Tensor,
  outputs: tf.Tensor,
  distribution?: ImageModelShape['distribution'],
): tf.Tensor1D {
  return tf.tidy(() => tf.mul(negativeLogLikelihood(labels, outputs, distribution), Math.LOG2E));
}

/** Marks this library's functions, so that they are recognized even if a program loads two copies of it. */
const MARK = Symbol.for('pixelcnn-layers/likelihood');

type Likelihood = typeof bitsPerDim;
const likelihoods: Readonly<Record<string, Likelihood>> = { bitsPerDim, negativeLogLikelihood };
for (const [name, fn] of Object.entries(likelihoods)) mark(fn, name);

/** Marks a function and fixes its name, by which tfjs names metrics in histories, whatever minifiers do. */
function mark(fn: Likelihood, name: string): Likelihood {
  return Object.defineProperties(fn, { name: { value: name }, [MARK]: { value: name } });
}

/** The name of a loss or metric of any copy of this library; undefined for other functions. */
export function likelihoodName(fn: unknown): string | undefined {
  return typeof fn === 'function' ? (fn as { [MARK]?: string })[MARK] : undefined;
}

/** Represents the program's own loss function in a saved model. */
export const OWN_LOSS = '(a function of the program)';

/** Replaces names by functions, in any form that `compile` takes, and binds ours to the distribution. */
export function withFunctions(
  what: string,
  value: unknown,
  distribution: ImageModelShape['distribution'],
): unknown {
  const replaced = (item: unknown) => withFunctions(what, item, distribution);
  if (Array.isArray(value)) return value.map(replaced);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([output, item]) => [output, replaced(item)]));
  if (value === OWN_LOSS)
    return () => {
      throw new Error('The loss was your own function, which is not saved: call compile again');
    };
  const name = likelihoodName(value) ?? String(value);
  const fn = Object.hasOwn(likelihoods, name) ? likelihoods[name] : undefined;
  if (fn !== undefined)
    return isSoftmax(distribution) ? fn : mark((labels, outputs) => fn(labels, outputs, distribution), name);
  if (typeof value === 'function') return value;
  const wanted = 'bitsPerDim, negativeLogLikelihood or a function of (labels, logits)';
  return throwTypeError(`compile: ${what}`, wanted, value);
}

/** The names of a loss or of metrics, as `compile` takes them; undefined for the program's own functions. */
export function namesOf(value: unknown): (string | undefined)[] {
  if (value == null) return [];
  return typeof value === 'object' ? Object.values(value).flatMap(namesOf) : [likelihoodName(value)];
}
