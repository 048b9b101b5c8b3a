import {
  cast,
  mean,
  mul,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tidy,
} from '@tensorflow/tfjs-core';
import { throwTypeError } from '../core/check';
import { isSoftmax } from '../distributions/pixel-distribution';
import { asFloat } from '../layers/pixel-layer';
import { crossEntropy } from '../ops/cross-entropy';
import type { ImageModelShape } from './image-model';

/**
 * The negative log-likelihood in nats per dimension: the mean of -log p(label) over all values of an image. A loss or
 * metric for `compile`.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, section 3.3
 * and 5.1.
 *
 * @param labels levels 0..L-1, int32 or float32, of shape [N, ...]; for images [N,H,W,C]. They are not
 * checked: a number that is not a level makes the result wrong; `checkLabels` of `compile` finds such numbers.
 * @param outputs logits [N, ..., L], finite; for images [N,H,W,C,L], or the parameters [N,H,W,P] of the distribution
 * @param distribution what the outputs mean, `model.distribution`; a softmax by default. With `compile` it is the model's.
 * @returns [N], one value for each image; empty if there are no images
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
export function negativeLogLikelihood(
  labels: Tensor,
  outputs: Tensor,
  distribution?: ImageModelShape['distribution'],
): Tensor1D {
  return tidy(() => {
    const nats = natsOf(labels, outputs, distribution); // [N, ...]
    const [n = 0, ...dimensions] = labels.shape;
    const size = dimensions.reduce((product, length) => product * length, 1); // D, of one image
    return mean(reshape(nats, [n, size]), 1); // [N]
  });
}

/**
 * -log p of every label given the labels before it, in nats, in the shape of the labels. To be called within a tidy.
 */
export function natsOf(
  labels: Tensor,
  outputs: Tensor,
  distribution?: ImageModelShape['distribution'],
): Tensor {
  if (!labels?.shape || !outputs?.shape) {
    throwTypeError('labels and outputs', 'two tensors', [labels, outputs]);
  }
  if (distribution === undefined || isSoftmax(distribution)) return natsOfLogits(labels, outputs);
  if (typeof distribution?.negativeLogLikelihood !== 'function')
    throwTypeError('distribution', 'what the outputs mean, as model.distribution', distribution);
  const { imageChannels, numParameters } = distribution;
  const [n, h, w, features] = outputs.shape;
  if (outputs.rank !== 4 || features !== numParameters) {
    throwTypeError('outputs', `the parameters [N,H,W,${numParameters}] of the distribution`, outputs.shape);
  }
  if (String(labels.shape) !== String([n, h, w, imageChannels])) {
    throwTypeError('labels', `levels of shape [${[n, h, w, imageChannels]}]`, labels.shape);
  }
  const nats = distribution.negativeLogLikelihood(
    cast(labels, 'int32') as Tensor4D,
    asFloat(outputs) as Tensor4D,
  );
  if (String(nats?.shape) !== String(labels.shape)) {
    throwTypeError(
      'negativeLogLikelihood of the distribution',
      `nats of shape [${labels.shape}]`,
      nats?.shape,
    );
  }
  return nats;
}

/** The same for logits [N, ..., L]. */
function natsOfLogits(labels: Tensor, logits: Tensor): Tensor {
  const levels = logits.shape[logits.rank - 1] ?? 0;
  const wanted = logits.shape.slice(0, -1);
  if (
    logits.rank < 2 ||
    wanted.some((size, i) => size !== labels.shape[i]) ||
    labels.rank !== wanted.length
  ) {
    const isOneHot = String(labels.shape) === String(logits.shape);
    const isOfPixels = labels.rank === 4 && logits.rank === 4; // [N,H,W,P]
    const hint = isOfPixels
      ? '; where these are parameters [N,H,W,P], what they mean comes third: model.distribution'
      : '';
    throwTypeError(
      'labels',
      isOneHot
        ? `integer levels of shape [${wanted}], not one-hot: autoregressiveModel makes models that take them, tf.model and tf.sequential do not`
        : `levels of shape [${wanted}], the logits' [${logits.shape}] but the last${hint}`,
      labels.shape,
    );
  }
  const flatLabels = reshape(cast(labels, 'int32'), [labels.size]); // [N*D]
  const flatLogits: Tensor2D = reshape(asFloat(logits), [labels.size, levels]); // [N*D,L]
  return reshape(crossEntropy(flatLabels as Tensor1D, flatLogits), labels.shape); // [N*D] -> [N, ...]
}

/**
 * Bits per dimension: {@link negativeLogLikelihood} / ln 2, the bits that an ideal compressor with this model
 * spends on one channel of one pixel. The uniform model is at log2(L). Loss and metric for `compile`.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, section 5.1.
 *
 * @param labels levels 0..L-1, int32 or float32, of shape [N, ...]; for images [N,H,W,C]. They are not
 * checked: a number that is not a level makes the result wrong; `checkLabels` of `compile` finds such numbers.
 * @param outputs logits [N, ..., L], finite; for images [N,H,W,C,L], or the parameters [N,H,W,P] of the distribution
 * @param distribution what the outputs mean, `model.distribution`; a softmax by default. With `compile` it is the model's.
 * @returns [N], one value for each image; empty if there are no images
 * @throws TypeError where the shapes do not fit each other.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { bitsPerDim } from 'pixelcnn-layers';
 * const labels = tf.zeros([2, 4, 4, 1], 'int32');
 * bitsPerDim(labels, tf.zeros([2, 4, 4, 1, 16])).print(); // [4, 4]: log2 16
 * ```
 */
export function bitsPerDim(
  labels: Tensor,
  outputs: Tensor,
  distribution?: ImageModelShape['distribution'],
): Tensor1D {
  return tidy(() => mul(negativeLogLikelihood(labels, outputs, distribution), Math.LOG2E));
}

/**
 * Both functions by name. They carry a mark by which they are recognized, since several copies of this package (ESM,
 * CommonJS) may be loaded in one program.
 */
const MARK = Symbol.for('pixelcnn-layers/likelihood');

type Likelihood = (labels: Tensor, outputs: Tensor, distribution?: ImageModelShape['distribution']) => Tensor;

const likelihoods: Readonly<Record<string, Likelihood>> = { bitsPerDim, negativeLogLikelihood };

for (const [name, fn] of Object.entries(likelihoods)) mark(fn, name);

/** tfjs names a metric by the function's name: pinned, so that minifiers do not change the keys of a history. */
function mark<Fn extends Likelihood>(fn: Fn, name: string): Fn {
  return Object.defineProperties(fn, { name: { value: name }, [MARK]: { value: name } });
}

/** The loss or metric of that name for a distribution: tfjs calls it with labels and outputs only. */
function boundLikelihood(
  name: string,
  distribution: ImageModelShape['distribution'],
): Likelihood | undefined {
  const fn = likelihoodNamed(name);
  if (fn === undefined || isSoftmax(distribution)) return fn;
  return mark((labels, outputs) => fn(labels, outputs, distribution), name);
}

/** The name of a loss or metric of this library, from whichever copy of it; undefined for any other. */
export function likelihoodName(fn: unknown): string | undefined {
  return typeof fn === 'function' ? (fn as { [MARK]?: string })[MARK] : undefined;
}

/** The loss or metric of that name; undefined if this library has none. */
export function likelihoodNamed(name: string): Likelihood | undefined {
  return Object.hasOwn(likelihoods, name) ? likelihoods[name] : undefined;
}

/** Marks a loss function of the program's own in a saved model, since functions are not saved. */
export const OWN_LOSS = '(a function of the program)';

/**
 * Replaces names by the functions they stand for, in any of the forms that `compile` takes (one, a list, or a record by
 * output), and binds this library's functions to the distribution of the model.
 */
export function withFunctions(
  what: string,
  value: unknown,
  distribution: ImageModelShape['distribution'],
): unknown {
  const name = typeof value === 'string' ? value : likelihoodName(value);
  if (typeof value === 'function')
    return (name === undefined ? undefined : boundLikelihood(name, distribution)) ?? value;
  if (Array.isArray(value)) return value.map((item) => withFunctions(what, item, distribution));
  if (value === OWN_LOSS) return notSaved;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([output, item]) => [output, withFunctions(what, item, distribution)]),
    );
  }
  return (
    (name === undefined ? undefined : boundLikelihood(name, distribution)) ??
    throwTypeError(
      `compile: ${what}`,
      'bitsPerDim, negativeLogLikelihood or a function of (labels, logits)',
      value,
    )
  );
}

/**
 * The names of a loss or of metrics, in any of the forms that `compile` takes; undefined for functions of the
 * program's own.
 */
export function namesOf(value: unknown): (string | undefined)[] {
  return flatten(value).map(likelihoodName);
}

function flatten(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(flatten);
  return typeof value === 'object' ? Object.values(value).flatMap(flatten) : [value];
}

function notSaved(): Tensor {
  throw new Error(
    "The loss of this model was the program's own function and is not saved: call compile again",
  );
}
