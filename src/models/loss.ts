import {
  cast,
  mean,
  mul,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
} from '@tensorflow/tfjs-core';
import { throwTypeError } from '../core/check';
import { asFloat } from '../layers/pixel-layer';
import { crossEntropy } from '../ops/cross-entropy';

/**
 * The negative log-likelihood in nats per dimension: the mean of -log p(label) over every dimension of an
 * image but the batch. Loss and metric for `compile`.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), section 3.3 and 5.1.
 *
 * @param labels levels 0..L-1, int32 or float32, of shape [N, ...]; for images [N,H,W,C]. They are not looked at: one
 * that is no level makes the figure wrong, which `checkLabels` of `compile` finds.
 * @param logits [N, ..., L]; for images [N,H,W,C,L], finite
 * @returns [N], one value an image; none for no images
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
  if (!labels?.shape || !logits?.shape) throwTypeError('labels and logits', 'two tensors', [labels, logits]);
  const levels = logits.shape[logits.rank - 1] ?? 0;
  const wanted = logits.shape.slice(0, -1);
  if (
    logits.rank < 2 ||
    wanted.some((size, i) => size !== labels.shape[i]) ||
    labels.rank !== wanted.length
  ) {
    const isOneHot = String(labels.shape) === String(logits.shape);
    throwTypeError(
      'labels',
      isOneHot
        ? `integer levels of shape [${wanted}], not one-hot: autoregressiveModel makes models that take them, tf.model and tf.sequential do not`
        : `levels of shape [${wanted}], the logits' [${logits.shape}] but the last`,
      labels.shape,
    );
  }
  return tidy(() => {
    const [n = 0, ...dimensions] = labels.shape;
    const size = dimensions.reduce((product, length) => product * length, 1); // D, of one image
    const flatLabels = reshape(cast(labels, 'int32'), [labels.size]); // [N*D]
    const flatLogits: Tensor2D = reshape(asFloat(logits), [labels.size, levels]); // [N*D,L]
    const nats = crossEntropy(flatLabels as Tensor1D, flatLogits); // [N*D]
    return mean(reshape(nats, [n, size]), 1); // [N]
  });
}

/**
 * Bits per dimension: {@link negativeLogLikelihood} / ln 2, the bits that an ideal compressor with this model
 * spends on one channel of one pixel. The uniform model is at log2(L). Loss and metric for `compile`.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), section 5.1.
 *
 * @param labels levels 0..L-1, int32 or float32, of shape [N, ...]; for images [N,H,W,C]. They are not looked at: one
 * that is no level makes the figure wrong, which `checkLabels` of `compile` finds.
 * @param logits [N, ..., L]; for images [N,H,W,C,L], finite
 * @returns [N], one value an image; none for no images
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

/**
 * Both functions by name: they are known by a mark, since copies of this package (ESM, CommonJS) may meet in
 * one program.
 */
const MARK = Symbol.for('pixelcnn-layers/likelihood');

type Likelihood = (labels: Tensor, logits: Tensor) => Tensor;

const likelihoods: Readonly<Record<string, Likelihood>> = { bitsPerDim, negativeLogLikelihood };

for (const [name, fn] of Object.entries(likelihoods)) {
  // tfjs names a metric by the function's name: pinned, so that minifiers do not change the keys of a
  // history.
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

/** Stands in a saved model for a loss that was the program's own: functions are not saved. */
export const OWN_LOSS = '(a function of the program)';

/**
 * Replaces names by the functions they name, in any of the forms that `compile` takes: one, a list, a record
 * by output.
 */
export function withFunctions(what: string, value: unknown): unknown {
  if (typeof value === 'function') return value;
  if (Array.isArray(value)) return value.map((item) => withFunctions(what, item));
  if (value === OWN_LOSS) return notSaved;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([output, item]) => [output, withFunctions(what, item)]),
    );
  }
  const fn = typeof value === 'string' ? likelihoodNamed(value) : undefined;
  return (
    fn ??
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
