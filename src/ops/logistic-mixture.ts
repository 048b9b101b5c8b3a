import * as tf from '@tensorflow/tfjs-core';
import {
  type MixtureSizes,
  numParameters,
  type ParameterOffsets,
  parameterOffsets,
  parameterStrides,
} from '../runtime/distributions/mixture-parameters';
import { MIN_LOG_SCALE } from '../runtime/kernels/limits';
import { LOGISTIC_MIXTURE } from '../runtime/kernels/modules';
import { defineOperation } from './operation';
import { outputs, wasmKernel } from './wasm-kernels';

/** Sizes of a mixture of logistics over pixels. */
export interface LogisticMixtureSizes extends MixtureSizes {
  readonly levels: number;
}

// In shapes, C is the image channels, K the components, and P the parameters of a pixel, in blocks of K.

type Inputs = Readonly<Record<'labels' | 'parameters', tf.Tensor2D>>;

interface Saved {
  /** The components' probabilities given no channel, the first, ... and all of them, [M,(C+1)*K]. */
  readonly posteriors: tf.Tensor2D;
  /** The derivative of a component's log p of a channel for each of its parameters, 1 for logits, [M,P]. */
  readonly slopes: tf.Tensor2D;
}

/**
 * -log p of each channel of each pixel given the channels before it, in nats, under a mixture of K discretized
 * logistics over whole pixels, with a custom gradient for the parameters.
 *
 * The layer {@link LogisticMixture} defines levels and parameters. At the bound of log scales itself the
 * gradient still flows. Parameters may be any finite numbers, since log-probabilities are at least -1e18.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.1 and 2.2. Their
 * code replaces masses under 1e-5 by a density, so its probabilities do not quite sum to 1; these do.
 *
 * @param labels [M,C] levels 0..L-1, int32
 * @param parameters [M,P] in the order of {@link parameterOffsets}
 * @returns [M,C]
 */
export const logisticMixtureNats = (
  labels: tf.Tensor2D,
  parameters: tf.Tensor2D,
  sizes: LogisticMixtureSizes,
): tf.Tensor2D => operation({ labels, parameters }, sizes);

/** Numbers are clamped to this size, so that sums of a few stay above -1e20, below which WebGL finds no maximum. */
const MAX_NUMBER = 1e18;

/**
 * With S_c = logsumexp over components of (logit + the log p of the channels before c), channel c
 * costs S_c - S_(c+1) nats, and the derivative of S_c for a component's term is its posterior.
 */
function gradients(dy: tf.Tensor2D, { posteriors, slopes }: Saved, sizes: LogisticMixtureSizes) {
  const { imageChannels } = sizes;
  return {
    parameters() {
      const dys = parts(dy, imageChannels); // [M,C] -> [M,1] each
      const weights = parts(posteriors, imageChannels + 1); // [M,(C+1)*K] -> [M,K] each
      // The gradients for the logits and each channel's log p, summed from the last channel on.
      const sums: tf.Tensor2D[] = []; // [M,K] each
      for (let c = imageChannels; c >= 0; c--) {
        const part: tf.Tensor2D = tf.mul(weights[c] as tf.Tensor2D, slopeOf(dys[c], dys[c - 1])); // [M,K]
        sums.unshift(sums[0] === undefined ? part : tf.add(part, sums[0]));
      }
      const [logits, ...channels] = sums as [tf.Tensor2D, ...tf.Tensor2D[]];
      const coefficients = channels.map((sum, c) => channels.slice(0, c).map(() => sum));
      const spread = { logits, means: channels, logScales: channels, coefficients };
      return tf.mul(slopes, inOrder(parameterOffsets(sizes), spread)); // [M,P]
    },
  };
}

/** What S_c counts for: for channel c, and against the one before; the first and the last have one of them only, [M,1]. */
function slopeOf(own: tf.Tensor2D | undefined, before: tf.Tensor2D | undefined): tf.Tensor2D {
  if (own === undefined) return tf.neg(before as tf.Tensor2D);
  return before === undefined ? own : tf.sub(own, before);
}

/** [M,count*N] -> [M,N] each; tfjs's split into one has no gradient. */
const parts = (x: tf.Tensor2D, count: number): tf.Tensor2D[] => (count === 1 ? [x] : tf.split(x, count, 1));

/** Blocks of the parameters, one for each of {@link ParameterOffsets}: [M,K] each. */
type Blocks<T = ParameterOffsets> = T extends number ? tf.Tensor2D : { [K in keyof T]: Blocks<T[K]> };

/** Puts blocks at their positions among the parameters: [M,P]. */
function inOrder(offsets: ParameterOffsets, blocks: Blocks): tf.Tensor2D {
  const all = [blocks.logits, ...blocks.means, ...blocks.logScales, ...blocks.coefficients.flat()];
  const places = [offsets.logits, ...offsets.means, ...offsets.logScales, ...offsets.coefficients.flat()];
  const order = [...places.keys()].sort((a, b) => (places[a] as number) - (places[b] as number));
  const ordered = order.map((i) => all[i] as tf.Tensor2D);
  return tf.concat(ordered, 1); // [M,K] each -> [M,P]
}

/** Computes the value and the parts of its gradients by differentiable operations. */
function evaluate({ labels, parameters }: Inputs, sizes: LogisticMixtureSizes) {
  const { imageChannels, components, levels } = sizes;
  const [pixels] = labels.shape;
  const channels = Array.from({ length: imageChannels }, (_, c) => c);
  const offsets = parameterOffsets(sizes);
  const block = (offset: number): tf.Tensor2D => tf.slice(parameters, [0, offset], [pixels, components]); // [M,K]
  const rows = (blocks: tf.Tensor2D[]): tf.Tensor2D =>
    tf.reshape(tf.concat(blocks, 1), [pixels * imageChannels, components]); // [M,K] each -> [M*C,K]
  const byChannel = (numbers: tf.Tensor2D): tf.Tensor2D[] =>
    parts(tf.reshape(numbers, [pixels, imageChannels * numbers.shape[1]]), imageChannels); // [M*C,…] -> [M,…] each

  const label: tf.Tensor2D = tf.reshape(tf.cast(labels, 'float32'), [pixels * imageChannels, 1]); // [M,C] -> [M*C,1]
  const x: tf.Tensor2D = tf.div(tf.sub(tf.mul(label, 2), levels - 1), levels - 1); // [M*C,1]
  const xs = byChannel(x); // [M,1] each
  const coefficients = offsets.coefficients.map((some) => some.map((offset) => tf.tanh(block(offset))));
  const means = channels.map((c) =>
    (coefficients[c] as tf.Tensor2D[]).reduce(
      (mean, coefficient, e) => tf.add<tf.Tensor2D>(mean, tf.mul(coefficient, xs[e] as tf.Tensor2D)),
      block(offsets.means[c] as number),
    ),
  );
  const logScales = rows(offsets.logScales.map(block));
  const component = evaluateLogistic(label, x, rows(means), logScales, levels);

  const logMasses = byChannel(component.logMass); // [M,K] each
  const posteriors: tf.Tensor2D[] = [];
  const norms: tf.Tensor2D[] = []; // log-probabilities of the channels
  let sums = tf.clipByValue(block(offsets.logits), -MAX_NUMBER, MAX_NUMBER); // log of posteriors, not yet normalized
  for (let c = 0; c <= imageChannels; c++) {
    const posterior = tf.softmax(sums);
    posteriors.push(posterior);
    // log sum exp(x), computed where the softmax cannot underflow
    const most: tf.Tensor2D = tf.max(sums, 1, true); // [M,K] -> [M,1]
    const logMost = tf.log(tf.max<tf.Tensor2D>(posterior, 1, true)); // [M,K] -> [M,1]
    if (c > 0) norms.push(tf.sub(most, logMost));
    const logMass = logMasses[c];
    if (logMass !== undefined) sums = tf.add(tf.add(tf.sub(sums, most), logMost), logMass);
  }

  const byMean = byChannel(component.byMean); // [M,K] each
  const slopes = inOrder(offsets, {
    logits: tf.onesLike(posteriors[0] as tf.Tensor2D),
    means: byMean,
    logScales: byChannel(component.byLogScale),
    coefficients: coefficients.map((some, c) => {
      const slopeOf = (coefficient: tf.Tensor2D, e: number): tf.Tensor2D =>
        tf.mul(tf.mul(byMean[c] as tf.Tensor2D, xs[e] as tf.Tensor2D), tf.sub(1, tf.square(coefficient)));
      return some.map(slopeOf);
    }),
  });
  return { norms: tf.concat(norms, 1), posteriors: tf.concat(posteriors, 1), slopes }; // [M,C], [M,(C+1)*K], [M,P]
}

const NO_EDGE = 1e20; // added to an edge, so that a level has all the mass on that side
const NEAR = 1 / 4; // the width up to which functions that would lose digits by cancellation are series
const NEAR_EXP = Math.exp(-NEAR);

/**
 * Log p of levels [R,1], with values x [R,1], under each logistic [R,K], and its derivatives [R,K].
 *
 * With z = (x - mean) / scale and half the width h = 1 / (scale (L - 1)), the edges are b = z + h and a = z - h, and
 * the mass sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - e^-2h), whose logarithm has no cancellation.
 */
function evaluateLogistic(
  label: tf.Tensor2D,
  x: tf.Tensor2D,
  mean: tf.Tensor2D,
  logScale: tf.Tensor2D,
  levels: number,
) {
  const clampedLogScale: tf.Tensor2D = tf.clipByValue(logScale, MIN_LOG_SCALE, MAX_NUMBER);
  const precision = tf.exp(tf.neg(clampedLogScale));
  const z = tf.clipByValue(tf.mul<tf.Tensor2D>(tf.sub(x, mean), precision), -MAX_NUMBER, MAX_NUMBER); // [R,1] [R,K] -> [R,K]
  const halfWidth: tf.Tensor2D = tf.mul(precision, 1 / (levels - 1));
  const isLowest: tf.Tensor2D = tf.cast(tf.lessEqual<tf.Tensor2D>(label, 0), 'float32'); // [R,1]
  const isHighest: tf.Tensor2D = tf.cast(tf.greaterEqual<tf.Tensor2D>(label, levels - 1), 'float32'); // [R,1]
  const isBetween = tf.sub<tf.Tensor2D>(tf.sub(1, isLowest), isHighest); // [R,1]
  const upper: tf.Tensor2D = tf.add(tf.add(z, halfWidth), tf.mul(isHighest, NO_EDGE)); // [R,K]
  const lower: tf.Tensor2D = tf.sub(tf.sub(z, halfWidth), tf.mul(isLowest, NO_EDGE)); // [R,K]

  // log(1 - e^-w) of the width w, and w / (e^w - 1), its derivative times w: for min(w, NEAR) by their series, log w +
  // s/24 - s^2/2880 - w/2 and 1 + s/12 - s^2/720 - w/2 with s = w^2, plus the contribution of the rest of the width.
  const width = tf.mul(halfWidth, 2);
  const near = tf.clipByValue(width, 0, NEAR);
  const far = tf.clipByValue(width, NEAR, MAX_NUMBER);
  const s = tf.square(near);
  const half = tf.mul(near, 0.5);
  const e = tf.exp(tf.neg(far));
  const rest = tf.sub(1, e);
  const logWidth = tf.minimum(tf.sub(Math.log(2 / (levels - 1)), clampedLogScale), Math.log(NEAR));
  const logNear = tf.sub(tf.add(logWidth, tf.mul(s, tf.sub(1 / 24, tf.mul(s, 1 / 2880)))), half);
  const logOfRest = tf.add(logNear, tf.sub(tf.log(rest), Math.log(1 - NEAR_EXP)));
  const slopeNear = tf.sub(tf.add(tf.mul(s, tf.sub(1 / 12, tf.mul(s, 1 / 720))), 1), half);
  const slopeOfFar = tf.sub(tf.div(tf.mul(far, e), rest), (NEAR * NEAR_EXP) / (1 - NEAR_EXP));
  const slopeOfRest = tf.add(slopeNear, slopeOfFar);

  const [above, below] = [tf.sigmoid(tf.neg(upper)), tf.sigmoid(lower)];
  const edges = tf.sub(tf.mul(lower, below), tf.mul(upper, above));
  const [ofUpper, ofLower] = [tf.softplus(tf.neg(upper)), tf.softplus(lower)];
  const isFree: tf.Tensor2D = tf.cast(tf.greaterEqual<tf.Tensor2D>(logScale, MIN_LOG_SCALE), 'float32');
  return {
    logMass: tf.sub<tf.Tensor2D>(tf.sub(tf.mul(logOfRest, isBetween), ofUpper), ofLower),
    byMean: tf.mul<tf.Tensor2D>(tf.sub(below, above), precision),
    byLogScale: tf.mul<tf.Tensor2D>(tf.sub(edges, tf.mul(slopeOfRest, isBetween)), isFree),
  };
}

const wasmForward = wasmKernel(
  'PixelCNNLogisticMixture',
  [LOGISTIC_MIXTURE],
  (loops, { labels, parameters }: Inputs, sizes: LogisticMixtureSizes) => {
    const { imageChannels, levels, components } = sizes;
    const [pixels] = labels.shape;
    return outputs(
      [labels.shape, [pixels, (imageChannels + 1) * components], parameters.shape],
      loops.logisticMixture,
      [labels, parameters],
      [...numbersOf(pixels, sizes), levels],
      loops.logisticMixtureScratch,
    );
  },
);

const wasmGradient = wasmKernel(
  'PixelCNNLogisticMixtureGradient',
  [LOGISTIC_MIXTURE],
  (loops, { dy, posteriors, slopes }: Saved & { readonly dy: tf.Tensor2D }, sizes: LogisticMixtureSizes) => {
    const { logisticMixtureBack, logisticMixtureScratch } = loops;
    const numbers = numbersOf(dy.shape[0], sizes);
    const given = [dy, posteriors, slopes] as const;
    return outputs([slopes.shape], logisticMixtureBack, given, numbers, logisticMixtureScratch);
  },
);

/** Pixels, channels, components, and the offsets and strides of the kernels' parameters. */
function numbersOf(pixels: number, sizes: LogisticMixtureSizes) {
  const { imageChannels, components } = sizes;
  const { channelStride, coefficients, pairStride } = parameterStrides(sizes);
  const strides = [channelStride, coefficients, pairStride] as const;
  return [pixels, imageChannels, components, numParameters(sizes), ...strides] as const;
}

const operation = defineOperation<Inputs, LogisticMixtureSizes, Saved, tf.Tensor2D>({
  name: 'logisticMixtureNats',
  composed: {
    forward(inputs, sizes) {
      const { norms, posteriors, slopes } = evaluate(inputs, sizes);
      return { y: tf.neg(norms), saved: { posteriors, slopes } };
    },
    gradients,
  },
  wasmImplementation: {
    forward(inputs, sizes) {
      const [y, posteriors, slopes] = wasmForward(inputs, sizes);
      return { y, saved: { posteriors, slopes } };
    },
    gradients: (dy, saved, sizes) => ({ parameters: () => wasmGradient({ dy, ...saved }, sizes)[0] }),
  },
  differentiableGradients: (dy, inputs, sizes) => gradients(dy, evaluate(inputs, sizes), sizes),
  constants: ['labels'],
});
