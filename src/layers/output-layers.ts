import * as tf from '@tensorflow/tfjs-core';
import { gaussianNats } from '../ops/gaussian';
import { logisticMixtureNats } from '../ops/logistic-mixture';
import { categories, derived, type Given, integer, optional, type Values } from '../runtime/core/arguments';
import { checkMemory } from '../runtime/core/check';
import { discretizedGaussian, gaussianFields } from '../runtime/distributions/gaussian';
import type { DistributionShape } from '../runtime/distributions/kinds';
import { mixtureOfLogistics } from '../runtime/distributions/logistic-mixture';
import { numParameters, parameterOffsets } from '../runtime/distributions/mixture-parameters';
import type { Ops } from '../runtime/program/operations';
import { checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import type { LayerArgs, Shape, TensorDistribution } from './types';

// Layers that turn features into the parameters of distributions over levels.

const imageArguments = {
  /** C, the channels of the image (3 for RGB). @default 3 */
  imageChannels: optional(integer({ from: 1 }), 3),
};

const logitsArguments = {
  ...imageArguments,
  /** L, the number of levels of a channel. */
  levels: categories({ from: 2 }),
};

/** Arguments of {@link PixelLogits}. */
export interface PixelLogitsArgs extends LayerArgs, Given<typeof logitsArguments> {}

/**
 * Reshapes features to logits: [N,H,W,C*L] -> [N,H,W,C,L], channel-major. H and W may be unknown. No weights.
 *
 * Source: "The Annotated Pixel-CNN", `PixelRNN`, its last reshape.
 *
 * @throws TypeError naming `imageChannels`, `levels`, or an input that does not have C*L features.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelLogits } from 'pixelcnn-layers';
 * const layer = pixelLogits({ imageChannels: 3, levels: 256 });
 * console.log(layer.apply(tf.zeros([1, 8, 8, 768])).shape); // [1, 8, 8, 3, 256]
 * ```
 */
export class PixelLogits extends DeclaredLayer<Values<typeof logitsArguments>, PixelLogitsArgs> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    const { imageChannels, levels } = this.settings;
    checkMap('input', shapes, imageChannels * levels, `imageChannels * levels: ${imageChannels} * ${levels}`);
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.perChannel(x, this.settings.imageChannels, this.settings.levels); // [N,H,W,C*L] -> [N,H,W,C,L]
  }
}
defineLayer(PixelLogits, 'PixelLogits', logitsArguments);

/** Makes a {@link PixelLogits}. */
export const pixelLogits = (args: PixelLogitsArgs) => new PixelLogits(args);

const parametersArguments = {
  ...imageArguments,
  /** K, the number of logistics in the mixture. */
  components: integer({ from: 1 }),
};

/** Arguments of {@link MixtureParameters}. */
export interface MixtureParametersArgs extends LayerArgs, Given<typeof parametersArguments> {}

/**
 * Turns features, grouped by channel, into the parameters of a {@link LogisticMixture}: [N,H,W,C*3K] -> [N,H,W,P].
 *
 * Each channel has 3K features: K logits, of which only the first channel's are used, K means and K log scales.
 * Features grouped by channel already see earlier channels, so the coefficients between channels are 0. No weights.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 2.2.
 *
 * @throws TypeError naming the argument that is out of range, or an input that does not have C*3K features.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { mixtureParameters } from 'pixelcnn-layers';
 * const layer = mixtureParameters({ imageChannels: 3, components: 10 });
 * console.log(layer.apply(tf.zeros([1, 8, 8, 90])).shape); // [1, 8, 8, 100]
 * ```
 */
export class MixtureParameters extends DeclaredLayer<
  Values<typeof parametersArguments>,
  MixtureParametersArgs
> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    const { imageChannels, components } = this.settings;
    const formula = `3 * imageChannels * components: 3 * ${imageChannels} * ${components}`;
    checkMap('input', shapes, 3 * imageChannels * components, formula);
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const { components } = this.settings;
    const { logits, means, logScales } = parameterOffsets(this.settings);
    const part = (index: number) => ops.slice(x, index * components, components); // [N,H,W,C*3K] -> [N,H,W,K]
    const ofMixture = part(0);
    const zeros = ops.pointwise('scale', ofMixture, 0); // [N,H,W,K]
    const parts = new Array<T>(numParameters(this.settings) / components).fill(zeros);
    parts[logits / components] = ofMixture;
    for (const [channel, offset] of means.entries()) {
      parts[offset / components] = part(3 * channel + 1);
      parts[(logScales[channel] as number) / components] = part(3 * channel + 2);
    }
    return ops.concat(...parts); // [N,H,W,P]
  }
}
defineLayer(MixtureParameters, 'MixtureParameters', parametersArguments);

/** Makes a {@link MixtureParameters}. */
export const mixtureParameters = (args: MixtureParametersArgs) => new MixtureParameters(args);

const mixtureArguments = { ...logitsArguments, ...parametersArguments };

/** Arguments of {@link LogisticMixture}. */
export interface LogisticMixtureArgs extends LayerArgs, Given<typeof mixtureArguments> {}

/**
 * The last layer of a model, which declares that its features [N,H,W,P] are the parameters of a
 * mixture of K discretized logistics over whole pixels, and returns them unchanged. No weights.
 *
 * A level stands for x = 2 level / (L - 1) - 1. Its probability is the logistic's mass between x - 1 / (L - 1) and x +
 * 1 / (L - 1); the first level also gets all mass below, the last all mass above, so that probabilities sum to 1. The
 * channels of a pixel share the mixture: given earlier channels, a component's weight is its posterior probability.
 *
 * The parameters are K logits; for each channel K means and K log scales; then K coefficients for each pair of a
 * channel and an earlier one, (1, 0), (2, 0), (2, 1), .... For one channel, P = 3K. For three, P = 10K, and
 * coefficients lie with the channels: of green on red behind red's log scales, of blue on red behind green's, of blue
 * on green behind blue's. Log scales are at least -7. A coefficient's tanh, times the earlier channel's value, is
 * added to the later channel's mean.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.1 and 2.2.
 *
 * @throws TypeError naming the argument that is out of range, or an input that does not have P features.
 * @example
 * ```js
 * import { input } from '@tensorflow/tfjs-layers';
 * import { autoregressiveModel, logisticMixture, maskedConv2d } from 'pixelcnn-layers';
 * const image = input({ shape: [8, 8, 1] });
 * const features = maskedConv2d({ filters: 15, kernelSize: 5, maskType: 'A', imageChannels: 1 }).apply(image); // 3 * 5
 * const outputs = logisticMixture({ imageChannels: 1, levels: 256, components: 5 }).apply(features);
 * console.log(autoregressiveModel({ inputs: image, outputs }).levels); // 256
 * ```
 */
export class LogisticMixture extends DeclaredLayer<Values<typeof mixtureArguments>, LogisticMixtureArgs> {
  /** The distribution that its outputs parameterize. */
  readonly distribution: TensorDistribution = mixtureOf(this.settings);

  protected override checkInputs(shapes: readonly Shape[]): void {
    const { numParameters, imageChannels } = this.distribution;
    const formula = `the parameters of ${this.settings.components} components, imageChannels: ${imageChannels}`;
    checkMap('input', shapes, numParameters, formula);
  }

  override express<T>(_: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return x; // [N,H,W,P]
  }
}
defineLayer(LogisticMixture, 'LogisticMixture', mixtureArguments);

function mixtureOf(sizes: Values<typeof mixtureArguments>): TensorDistribution {
  const { imageChannels, components } = sizes;
  checkMemory('LogisticMixture: components', [imageChannels, imageChannels, components]);
  return {
    ...mixtureOfLogistics(sizes),
    data: { kind: 'logisticMixture', components } satisfies DistributionShape,
    negativeLogLikelihood: byPixel((levels, parameters) => logisticMixtureNats(levels, parameters, sizes)),
  };
}

/** Makes nats of images from nats of pixels [M,C], given their levels [M,C] and parameters [M,P]. */
const byPixel =
  (natsOf: (levels: tf.Tensor2D, parameters: tf.Tensor2D) => tf.Tensor2D) =>
  (labels: tf.Tensor4D, parameters: tf.Tensor4D): tf.Tensor =>
    tf.tidy(() => {
      const levels: tf.Tensor2D = tf.reshape(tf.cast(labels, 'int32'), [-1, labels.shape[3]]); // [N,H,W,C] -> [M,C]
      const flat: tf.Tensor2D = tf.reshape(parameters, [-1, parameters.shape[3]]); // [N,H,W,P] -> [M,P]
      return tf.reshape(natsOf(levels, flat), labels.shape); // [M,C] -> [N,H,W,C]
    });

/** Makes a {@link LogisticMixture}. */
export const logisticMixture = (args: LogisticMixtureArgs) => new LogisticMixture(args);

const gaussianArguments = {
  ...logitsArguments,
  /**
   * The level that has the value 0, an integer; there need be no such level.
   * @default levels / 2, rounded down, since a new network's means are near 0
   */
  offset: derived(gaussianFields.offset, ({ levels }) => levels >> 1),
};

/** Arguments of {@link Gaussian}. */
export interface GaussianArgs extends LayerArgs, Given<typeof gaussianArguments> {}

/**
 * The last layer of a model, which declares that its features [N,H,W,2C] are the parameters of a discretized Gaussian
 * for each channel, and returns them unchanged. No weights.
 *
 * The parameters are a mean and a log scale for each channel in turn, in levels: level k has the value k - offset, and the
 * Gaussian's mass from 1/2 below to 1/2 above it. The first level also gets all mass below, the last all mass above, so
 * that probabilities sum to 1. The scale, e^(log scale), is the standard deviation. Log scales are at least -3, where a
 * level at the mean has all but 1e-23 of the mass. Given their parameters, the channels of a pixel are independent.
 *
 * Source: Minnen, Ballé and Toderici, "Joint Autoregressive and Hierarchical Priors for Learned Image Compression"
 * (2018), https://arxiv.org/abs/1809.02736, where it models the integers of an autoencoder.
 *
 * @throws TypeError naming the argument that is out of range, or an input that does not have 2C features.
 * @example
 * ```js
 * import { input } from '@tensorflow/tfjs-layers';
 * import { autoregressiveModel, gaussian, maskedConv2d, sample } from 'pixelcnn-layers';
 * const image = input({ shape: [8, 8, 1] });
 * const features = maskedConv2d({ filters: 2, kernelSize: 5, maskType: 'A', imageChannels: 1 }).apply(image);
 * const outputs = gaussian({ imageChannels: 1, levels: 31 }).apply(features); // values -15 to 15
 * const model = autoregressiveModel({ inputs: image, outputs });
 * console.log((await sample(model, { seed: 1 })).shape); // [1, 8, 8, 1]
 * ```
 */
export class Gaussian extends DeclaredLayer<Values<typeof gaussianArguments>, GaussianArgs> {
  /** The distribution that its outputs parameterize. */
  readonly distribution: TensorDistribution = gaussianOf(this.settings);

  protected override checkInputs(shapes: readonly Shape[]): void {
    const { imageChannels } = this.settings;
    checkMap('input', shapes, 2 * imageChannels, `2 * imageChannels: 2 * ${imageChannels}`);
  }

  override express<T>(_: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return x; // [N,H,W,2C]
  }
}
defineLayer(Gaussian, 'Gaussian', gaussianArguments);

const gaussianOf = (sizes: Values<typeof gaussianArguments>): TensorDistribution => ({
  ...discretizedGaussian(sizes),
  data: { kind: 'gaussian', offset: sizes.offset } satisfies DistributionShape,
  negativeLogLikelihood: byPixel((levels, parameters) => gaussianNats(levels, parameters, sizes)),
});

/** Makes a {@link Gaussian}. */
export const gaussian = (args: GaussianArgs) => new Gaussian(args);
