import {
  add,
  cast,
  clipByValue,
  concat,
  div,
  exp,
  greaterEqual,
  lessEqual,
  log,
  max,
  minimum,
  mul,
  neg,
  onesLike,
  reshape,
  sigmoid,
  slice,
  softmax,
  softplus,
  split,
  square,
  sub,
  type Tensor2D,
  tanh,
} from '@tensorflow/tfjs-core';
import {
  type MixtureSizes,
  numParameters,
  type ParameterOffsets,
  parameterOffsets,
  parameterStrides,
} from '../distributions/mixture-parameters';
import { MIN_LOG_SCALE } from '../kernels/limits';
import { defineOperation, type Gradients, type Implementation } from './operation';
import { address, filled, wasmKernel } from './wasm-kernels';

/** Sizes of a mixture of logistics over pixels. */
export interface LogisticMixtureSizes extends MixtureSizes {
  readonly levels: number;
}

// In shapes, C is the image channels, K the components, and P the parameters of a pixel, in blocks of K.

interface Inputs {
  /** [M,C] levels 0..L-1, int32 */
  readonly labels: Tensor2D;
  /** [M,P] in the order of {@link parameterOffsets} */
  readonly parameters: Tensor2D;
}

interface Saved {
  /** [M,(C+1)*K]: the components' probabilities given no channel, the first, ... and all of them. */
  readonly posteriors: Tensor2D;
  /** [M,P]: the derivative of a component's log p of the channel for each of its parameters; 1 for logits. */
  readonly slopes: Tensor2D;
}

type LogisticMixture = Implementation<Inputs, LogisticMixtureSizes, Saved, Tensor2D>;

/**
 * -log p of each channel of each pixel given the channels before it, in nats, under a mixture of K discretized
 * logistics over whole pixels, with a custom gradient for the parameters.
 *
 * Level l stands for x = 2 l / (L - 1) - 1. A component gives it the logistic's mass between x - 1 / (L - 1) and x + 1
 * / (L - 1); the lowest level also gets all mass below, the highest all mass above. A channel's mean is its parameter
 * plus, for each channel before it, tanh(coefficient) times that channel's x. Log scales are clamped from below at
 * {@link MIN_LOG_SCALE}, where the gradient still flows at that itself. Parameters may be any finite numbers: log-probabilities end at -1e18.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.1 and 2.2. Their code
 * replaces masses under 1e-5 by a density, so its levels do not quite sum to 1; these do.
 *
 * @param labels [M,C] levels 0..L-1, int32
 * @param parameters [M,P] in the order of {@link parameterOffsets}
 * @returns [M,C]
 */
export function logisticMixtureNats(
  labels: Tensor2D,
  parameters: Tensor2D,
  sizes: LogisticMixtureSizes,
): Tensor2D {
  return operation({ labels, parameters }, sizes);
}

/** Numbers are clamped there, so that sums of a few remain above -1e20, below which WebGL finds no maximum. */
const MOST = 1e18;

const composed: LogisticMixture = {
  forward(inputs, sizes) {
    const { norms, posteriors, slopes } = evaluate(inputs, sizes);
    return { y: neg(norms), saved: { posteriors, slopes } };
  },
  gradients,
};

/**
 * With S_c = logsumexp over components of (logit + the log p of the channels before c), channel c takes S_c - S_(c+1)
 * nats, and the derivative of S_c for a component's sum is its posterior.
 */
function gradients(
  dy: Tensor2D,
  { posteriors, slopes }: Saved,
  sizes: LogisticMixtureSizes,
): Gradients<Inputs> {
  const { imageChannels } = sizes;
  return {
    parameters() {
      const dys = parts(dy, imageChannels); // [M,C] -> [M,1] each
      const weights = parts(posteriors, imageChannels + 1); // [M,(C+1)*K] -> [M,K] each
      // For the logits, and for log p of each channel: sums from the last channel on.
      const sums: Tensor2D[] = []; // [M,K] each
      for (let c = imageChannels; c >= 0; c--) {
        const [own, before] = [dys[c], dys[c - 1]];
        const slope = own === undefined ? neg(before as Tensor2D) : before === undefined ? own : sub<Tensor2D>(own, before); // biome-ignore format: one line
        const part: Tensor2D = mul(weights[c] as Tensor2D, slope);
        sums.unshift(sums[0] === undefined ? part : add(part, sums[0]));
      }
      const ofChannel = (channel: number) => sums[channel + 1] as Tensor2D;
      const spread = inOrder(parameterOffsets(sizes), sums[0] as Tensor2D, ofChannel, ofChannel, ofChannel);
      return mul(slopes, spread); // [M,P]
    },
  };
}

/** [M,count*N] -> [M,N] each; tfjs's split into one has no gradient. */
const parts = (x: Tensor2D, count: number): Tensor2D[] => (count === 1 ? [x] : split(x, count, 1));

/** Puts blocks [M,K] at their positions among the parameters: [M,P]. */
function inOrder(
  offsets: ParameterOffsets,
  logits: Tensor2D,
  mean: (channel: number) => Tensor2D,
  logScale: (channel: number) => Tensor2D,
  coefficient: (channel: number, earlier: number) => Tensor2D,
): Tensor2D {
  const blocks: [offset: number, block: Tensor2D][] = [
    [offsets.logits, logits],
    ...offsets.means.map((offset, c): [number, Tensor2D] => [offset, mean(c)]),
    ...offsets.logScales.map((offset, c): [number, Tensor2D] => [offset, logScale(c)]),
    ...offsets.coefficients.flatMap((ofChannel, c) =>
      ofChannel.map((offset, e): [number, Tensor2D] => [offset, coefficient(c, e)]),
    ),
  ];
  blocks.sort(([a], [b]) => a - b);
  return concat(
    blocks.map(([, block]) => block),
    1,
  );
}

/** The parts of the value and its gradients, computed by operations that can be differentiated. */
function evaluate(
  { labels, parameters }: Inputs,
  sizes: LogisticMixtureSizes,
): Saved & { readonly norms: Tensor2D } {
  const { imageChannels, components, levels } = sizes;
  const [pixels] = labels.shape;
  const channels = Array.from({ length: imageChannels }, (_, c) => c);
  const offsets = parameterOffsets(sizes);
  const block = (offset: number): Tensor2D => slice(parameters, [0, offset], [pixels, components]); // [M,K]
  const rows = (blocks: Tensor2D[]): Tensor2D =>
    reshape(concat(blocks, 1), [pixels * imageChannels, components]); // [M,K] each -> [M*C,K]
  const byChannel = (numbers: Tensor2D): Tensor2D[] =>
    parts(reshape(numbers, [pixels, imageChannels * numbers.shape[1]]), imageChannels); // [M*C,…] -> [M,…] each

  const label: Tensor2D = reshape(cast(labels, 'float32'), [pixels * imageChannels, 1]); // [M,C] -> [M*C,1]
  const x: Tensor2D = div(sub(mul(label, 2), levels - 1), levels - 1); // [M*C,1]
  const xs = byChannel(x); // [M,1] each
  const coefficients = offsets.coefficients.map((ofChannel) =>
    ofChannel.map((offset) => tanh(block(offset))),
  );
  const means = channels.map((c) =>
    (coefficients[c] as Tensor2D[]).reduce(
      (mean, coefficient, e) => add<Tensor2D>(mean, mul(coefficient, xs[e] as Tensor2D)),
      block(offsets.means[c] as number),
    ),
  );
  const logScales = rows(offsets.logScales.map(block));
  const component = evaluateLogistic(label, x, rows(means), logScales, levels);

  const logMasses = byChannel(component.logMass); // [M,K] each
  const posteriors: Tensor2D[] = [];
  const norms: Tensor2D[] = []; // log-probabilities of the channels
  let sums = clipByValue(block(offsets.logits), -MOST, MOST); // log of posteriors, not yet normalised
  for (let c = 0; c <= imageChannels; c++) {
    const posterior = softmax(sums);
    posteriors.push(posterior);
    // log sum exp(x), taken where the softmax cannot underflow
    const most: Tensor2D = max(sums, 1, true); // [M,K] -> [M,1]
    const logMost = log(max<Tensor2D>(posterior, 1, true)); // [M,K] -> [M,1]
    if (c > 0) norms.push(sub(most, logMost));
    const logMass = logMasses[c];
    if (logMass !== undefined) sums = add(add(sub(sums, most), logMost), logMass);
  }

  const byMean = byChannel(component.byMean); // [M,K] each
  const byLogScale = byChannel(component.byLogScale); // [M,K] each
  const slopes = inOrder(
    offsets,
    onesLike(posteriors[0] as Tensor2D),
    (c) => byMean[c] as Tensor2D,
    (c) => byLogScale[c] as Tensor2D,
    (c, e) => {
      const coefficient = coefficients[c]?.[e] as Tensor2D;
      return mul(mul(byMean[c] as Tensor2D, xs[e] as Tensor2D), sub(1, square(coefficient)));
    },
  );
  return { norms: concat(norms, 1), posteriors: concat(posteriors, 1), slopes };
}

/** Added to an edge without which a level has all the mass on that side. */
const NO_EDGE = 1e20;

/** Up to this width, what has a difference next to 0 is taken from its series. */
const NEAR = 1 / 4;
const NEAR_EXP = Math.exp(-NEAR);

/**
 * Log p of levels [R,1], which stand for x [R,1], under each logistic [R,K], and its derivatives [R,K].
 *
 * With z = (x - mean) / scale and half the width h = 1 / (scale (L - 1)), the edges are b = z + h and a = z - h, and the
 * mass is sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - e^-2h). Each factor has a logarithm without
 * cancellation, and the last needs neither edge.
 */
function evaluateLogistic(label: Tensor2D, x: Tensor2D, mean: Tensor2D, logScale: Tensor2D, levels: number) {
  const clampedLogScale: Tensor2D = clipByValue(logScale, MIN_LOG_SCALE, MOST);
  const precision = exp(neg(clampedLogScale));
  const z = clipByValue(mul<Tensor2D>(sub(x, mean), precision), -MOST, MOST); // [R,1] [R,K] -> [R,K]
  const halfWidth: Tensor2D = mul(precision, 1 / (levels - 1));
  const isLowest: Tensor2D = cast(lessEqual<Tensor2D>(label, 0), 'float32'); // [R,1]
  const isHighest: Tensor2D = cast(greaterEqual<Tensor2D>(label, levels - 1), 'float32'); // [R,1]
  const isBetween = sub<Tensor2D>(sub(1, isLowest), isHighest); // [R,1]
  const upper: Tensor2D = add(add(z, halfWidth), mul(isHighest, NO_EDGE)); // [R,K]
  const lower: Tensor2D = sub(sub(z, halfWidth), mul(isLowest, NO_EDGE)); // [R,K]

  // log(1 - e^-w) of the width w, and w / (e^w - 1), its derivative times w: of min(w, NEAR) by their series, log w +
  // s/24 - s^2/2880 - w/2 and 1 + s/12 - s^2/720 - w/2 with s = w^2, and what the rest of the width adds.
  const width: Tensor2D = mul(halfWidth, 2);
  const near = clipByValue(width, 0, NEAR);
  const far = clipByValue(width, NEAR, MOST);
  const s = square(near);
  const half: Tensor2D = mul(near, 0.5);
  const e = exp(neg(far));
  const rest: Tensor2D = sub(1, e);
  const logWidth: Tensor2D = minimum(sub(Math.log(2 / (levels - 1)), clampedLogScale), Math.log(NEAR));
  const logNear = sub<Tensor2D>(add(logWidth, mul(s, sub(1 / 24, mul(s, 1 / 2880)))), half);
  const logOfRest = add<Tensor2D>(logNear, sub(log(rest), Math.log(1 - NEAR_EXP)));
  const slopeNear = sub<Tensor2D>(add(mul(s, sub(1 / 12, mul(s, 1 / 720))), 1), half);
  const slopeOfRest = add<Tensor2D>(
    slopeNear,
    sub(div(mul(far, e), rest), (NEAR * NEAR_EXP) / (1 - NEAR_EXP)),
  );

  const [above, below] = [sigmoid(neg(upper)), sigmoid(lower)];
  const edges = sub<Tensor2D>(mul(lower, below), mul(upper, above));
  const isFree: Tensor2D = cast(greaterEqual<Tensor2D>(logScale, MIN_LOG_SCALE), 'float32');
  return {
    logMass: sub<Tensor2D>(sub(mul(logOfRest, isBetween), softplus(neg(upper))), softplus(lower)),
    byMean: mul<Tensor2D>(sub(below, above), precision),
    byLogScale: mul<Tensor2D>(sub(edges, mul(slopeOfRest, isBetween)), isFree),
  };
}

const wasmForward = wasmKernel<
  Inputs,
  LogisticMixtureSizes,
  [nats: Tensor2D, posteriors: Tensor2D, slopes: Tensor2D]
>('PixelCNNLogisticMixture', (kernels, { labels, parameters }, sizes) => {
  const { imageChannels, levels, components } = sizes;
  const [pixels] = labels.shape;
  return filled(
    [labels.shape, [pixels, (imageChannels + 1) * components], parameters.shape],
    scratchBytes(sizes),
    ([nats, posteriors, slopes], scratch) =>
    kernels.logisticMixture(nats, posteriors, slopes, address(labels), address(parameters), pixels, imageChannels, levels, ...layoutOf(sizes), scratch), // biome-ignore format: one call
  );
});

const wasmGradient = wasmKernel<Saved & { readonly dy: Tensor2D }, LogisticMixtureSizes, Tensor2D>(
  'PixelCNNLogisticMixtureGradient',
  (kernels, { dy, posteriors, slopes }, sizes) => {
    const [dx] = filled(
      [slopes.shape],
      scratchBytes(sizes),
      ([dx], scratch) =>
      kernels.logisticMixtureBack(dx, address(dy), address(posteriors), address(slopes), ...dy.shape, ...layoutOf(sizes), scratch), // biome-ignore format: one call
    );
    return dx;
  },
);

/** Components, and where the kernels find what is theirs. */
function layoutOf(sizes: LogisticMixtureSizes) {
  const { channelStride, coefficients, pairStride } = parameterStrides(sizes);
  return [sizes.components, numParameters(sizes), channelStride, coefficients, pairStride] as const;
}

/** Room for four pixels. */
const scratchBytes = (sizes: LogisticMixtureSizes) =>
  16 * (numParameters(sizes) + sizes.imageChannels + (sizes.imageChannels + 2) * sizes.components);

const operation = defineOperation<Inputs, LogisticMixtureSizes, Saved, Tensor2D>({
  name: 'logisticMixtureNats',
  composed,
  wasmImplementation: {
    supports: ({ labels, parameters }) => labels.dtype === 'int32' && parameters.dtype === 'float32',
    forward(inputs, sizes) {
      const [y, posteriors, slopes] = wasmForward(inputs, sizes);
      return { y, saved: { posteriors, slopes } };
    },
    gradients: (dy, saved, sizes) => ({ parameters: () => wasmGradient({ dy, ...saved }, sizes) }),
  },
  differentiableGradients: (dy, inputs, sizes) => gradients(dy, evaluate(inputs, sizes), sizes),
  constants: ['labels'],
});
