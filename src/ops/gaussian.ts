import * as tf from '@tensorflow/tfjs-core';
import { MIN_LOG_SCALE } from '../runtime/distributions/gaussian';
import { CENTRE, ERFCX_SERIES } from '../runtime/kernels/error-function';
import { defineOperation } from './operation';

/** What determines the meaning of labels. */
export interface GaussianSizes {
  readonly levels: number;
  /** The level that has the value 0. */
  readonly offset: number;
}

// In shapes, C is the image channels, and R = M * C.

type Inputs = Readonly<Record<'labels' | 'parameters', tf.Tensor2D>>;

/** The derivatives of log p for the parameters, [M,2C]. */
interface Saved {
  readonly slopes: tf.Tensor2D;
}

/**
 * -log p of each channel of each pixel, in nats, under discretized Gaussians, with a custom gradient for the parameters.
 *
 * The layer {@link Gaussian} defines levels and parameters. At the bound of log scales itself the gradient still flows.
 * Parameters may be any finite numbers, since levels count as at most 1e9 standard deviations from the mean.
 *
 * @param labels [M,C] levels 0..L-1, int32
 * @param parameters [M,2C] a mean and a log scale of each channel
 * @returns [M,C]
 */
export const gaussianNats = (
  labels: tf.Tensor2D,
  parameters: tf.Tensor2D,
  sizes: GaussianSizes,
): tf.Tensor2D => operation({ labels, parameters }, sizes);

const gradients = (dy: tf.Tensor2D, { slopes }: Saved) => ({
  parameters() {
    const [rows, channels] = dy.shape;
    const ofChannels = tf.reshape(slopes, [rows, channels, 2]); // [M,2C] -> [M,C,2]
    const products = tf.mul(ofChannels, tf.expandDims(tf.neg(dy), 2)); // [M,C,2] [M,C,1] -> [M,C,2]
    return tf.reshape(products, slopes.shape); // [M,C,2] -> [M,2C]
  },
});

/** How many standard deviations a level is from the mean, at most. */
const MAX_Z = 1e9;
const MAX_LOG_SCALE = 1e18;

/**
 * Computes log p [M,C] and its derivatives [M,2C] by differentiable operations.
 *
 * The Gaussian is mirrored so that the far edge of a level lies above the mean, and at an end of the levels is infinite.
 * If the near edge lies above the mean too, the mass may underflow: there it is counted in densities at that edge. A level
 * far narrower than the scale would lose its digits in a difference of masses: it has the mean of the density.
 */
function evaluate({ labels, parameters }: Inputs, { levels, offset }: GaussianSizes) {
  const [pixels, channels] = labels.shape;
  const rows = pixels * channels;
  const pairs: tf.Tensor2D = tf.reshape(parameters, [rows, 2]); // [M,2C] -> [R,2]
  const [mean, logScale] = tf.split(pairs, 2, 1) as [tf.Tensor2D, tf.Tensor2D]; // [R,2] -> [R,1] each
  const label: tf.Tensor2D = tf.reshape(tf.cast(labels, 'float32'), [rows, 1]); // [M,C] -> [R,1], as what follows
  const clamped = tf.clipByValue(logScale, MIN_LOG_SCALE, MAX_LOG_SCALE);
  const precision = tf.exp(tf.neg(clamped));
  const half = tf.mul(precision, 0.5); // of a level's width
  const z = tf.clipByValue(tf.mul(tf.sub(tf.sub(label, offset), mean), precision), -MAX_Z, MAX_Z);

  const isLowest = tf.lessEqual(label, 0);
  const isHighest = tf.greaterEqual(label, levels - 1);
  const isBetween = tf.logicalNot(tf.logicalOr(isLowest, isHighest));
  const upright = tf.where(isBetween, z, tf.where(isLowest, -1, 1));
  const sign = tf.sub(tf.mul(tf.cast(tf.greaterEqual(upright, 0), 'float32'), 2), 1);
  const middle = tf.mul(z, sign);
  const slope = tf.mul(middle, half);
  // tfjs has no gradient of a conjunction of conditions.
  const spare = tf.minimum(tf.sub(0.5, half), tf.sub(1, slope));
  const isNarrow = tf.greaterEqual(tf.where(isBetween, spare, -1), 0);
  const narrow = narrowLevel(middle, half, slope);

  const [near, far] = [tf.sub(middle, half), tf.add(middle, half)];
  const isTail = tf.greaterEqual(near, 0);
  const logUnit = tf.where(isTail, logDensity(near), 0);
  const ofNear = tf.exp(tf.where(isTail, 0, logDensity(near))); // densities at the edges, in units
  const ofFar = tf.mul(
    tf.exp(tf.where(isTail, tf.mul(slope, -2), logDensity(far))),
    tf.cast(isBetween, 'float32'),
  );
  const [nearMills, farMills] = tf.split(mills(tf.concat([near, far], 1)), 2, 1) as [tf.Tensor, tf.Tensor]; // [R,2] -> [R,1] each
  const aboveNear = tf.mul(ofNear, nearMills);
  const above = tf.where(isTail, aboveNear, tf.sub(1, aboveNear)); // mass above the near edge, in units
  const mass = tf.where(isNarrow, 1, tf.sub(above, tf.mul(ofFar, farMills)));
  const [atNear, atFar] = [tf.div(ofNear, mass), tf.div(ofFar, mass)];

  const logMass = tf.where(isNarrow, tf.sub(narrow.logMass, clamped), tf.add(tf.log(mass), logUnit));
  const byMiddle = tf.where(isNarrow, narrow.byMiddle, tf.sub(atFar, atNear));
  const ofEdges = tf.sub(tf.mul(near, atNear), tf.mul(far, atFar));
  const byLogScale = tf.where(isNarrow, narrow.byLogScale, ofEdges);
  const byMean = tf.neg(tf.mul(tf.mul(byMiddle, precision), sign));
  const isFree = tf.cast(tf.greaterEqual(logScale, MIN_LOG_SCALE), 'float32');
  const slopes = tf.concat([byMean, tf.mul(byLogScale, isFree)], 1); // [R,1] each -> [R,2]
  return {
    logProbs: tf.reshape(logMass, labels.shape) as tf.Tensor2D, // [R,1] -> [M,C]
    slopes: tf.reshape(slopes, parameters.shape) as tf.Tensor2D, // [R,2] -> [M,2C]
  };
}

/** Gauss and Legendre's quadrature with five nodes, of what is even: nodes from 0 on, and the weights of both sides. */
const NODES = [0, 0.5384693101056831, 0.906179845938664];
const WEIGHTS = [0.28444444444444444, 0.47862867049936647, 0.23692688505618908];

/**
 * log of the mass of levels [R,1] divided by their width, for half <= 1/2 and slope = half middle <= 1, and its
 * derivatives for the middle and for the log scale, by which it is divided as half is. The mean of e^-(slope t + half^2
 * t^2 / 2) over t from -1 to 1, times the density at the middle.
 */
function narrowLevel(middle: tf.Tensor, half: tf.Tensor, slope: tf.Tensor) {
  const [nodes, weights] = [tf.tensor1d(NODES), tf.tensor1d(WEIGHTS)]; // [3]
  const squares = tf.square(nodes);
  const square = tf.square(tf.minimum(half, 0.5)); // [R,1], kept finite where levels are wider
  const inRange = tf.clipByValue(slope, -1, 1);
  const growth = tf.mul(inRange, nodes); // [R,1] [3] -> [R,3]
  const bell = tf.mul(tf.exp(tf.mul(tf.mul(square, squares), -0.5)), tf.mul(weights, 0.5)); // [R,3]
  const [up, down] = [tf.mul(bell, tf.exp(growth)), tf.mul(bell, tf.exp(tf.neg(growth)))]; // [R,3]
  const [even, odd] = [tf.add(up, down), tf.sub(up, down)];
  const sum = tf.sum(even, 1, true); // [R,3] -> [R,1], as the next two
  const first = tf.div(tf.sum(tf.mul(odd, nodes), 1, true), sum);
  const second = tf.div(tf.sum(tf.mul(even, squares), 1, true), sum);
  const drift = tf.sub(tf.mul(tf.mul(inRange, first), 2), tf.mul(square, second));
  return {
    logMass: tf.add(logDensity(middle), tf.log(sum)),
    byMiddle: tf.sub(tf.mul(half, first), middle),
    byLogScale: tf.sub(tf.sub(tf.square(middle), 1), drift),
  };
}

// Of the standard Gaussian.

const logDensity = (z: tf.Tensor) => tf.sub(tf.mul(tf.square(z), -0.5), 0.5 * Math.log(2 * Math.PI));

/** The coefficients that float32 needs. */
const SERIES = ERFCX_SERIES.slice(0, 13);

/** The mass above |z|, divided by the density there: sqrt(pi / 2) times `erfcx` of |z| / sqrt 2. */
function mills(z: tf.Tensor): tf.Tensor {
  const x = tf.mul(tf.abs(z), Math.SQRT1_2);
  const t = tf.div(tf.sub(x, CENTRE), tf.add(x, CENTRE));
  const twice = tf.mul(t, 2);
  let sum = tf.zerosLike(t);
  let before = sum;
  for (const coefficient of SERIES.slice(1).reverse()) {
    const next = tf.add(tf.sub(tf.mul(twice, sum), before), coefficient);
    before = sum;
    sum = next;
  }
  const series = tf.add(tf.sub(tf.mul(t, sum), before), SERIES[0] as number);
  return tf.div(tf.mul(series, Math.sqrt(Math.PI / 2)), tf.add(tf.mul(x, 2), 1));
}

const operation = defineOperation<Inputs, GaussianSizes, Saved, tf.Tensor2D>({
  name: 'gaussianNats',
  composed: {
    forward(inputs, sizes) {
      const { logProbs, slopes } = evaluate(inputs, sizes);
      return { y: tf.neg(logProbs), saved: { slopes } };
    },
    gradients,
  },
  differentiableGradients: (dy, inputs, sizes) => gradients(dy, evaluate(inputs, sizes)),
  constants: ['labels'],
});
