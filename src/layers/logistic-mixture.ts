import { cast, reshape, serialization, type Tensor2D, tidy } from '@tensorflow/tfjs-core';
import { categories, type Given, integer, type Values } from '../core/arguments';
import { checkMemory } from '../core/check';
import type { DistributionShape } from '../distributions/kinds';
import { mixtureOfLogistics } from '../distributions/logistic-mixture';
import { logisticMixtureNats } from '../ops/logistic-mixture';
import type { Ops } from '../program/operations';
import { checkMap, DeclaredLayer } from './declared-layer';
import type { LayerArgs, Shape, TensorDistribution } from './types';

const declared = {
  /** Channels of the image, C. */
  imageChannels: integer({ from: 1 }),
  /** L, the number of levels of a channel. */
  levels: categories({ from: 2 }),
  /** K, the number of logistics in the mixture. */
  components: integer({ from: 1 }),
};

/** Arguments of {@link LogisticMixture}. */
export interface LogisticMixtureArgs extends LayerArgs, Given<typeof declared> {}

/**
 * The last layer of a model: declares that features are the parameters of a mixture of K discretized logistics over
 * whole pixels. It returns them unchanged, [N,H,W,P] -> [N,H,W,P]. No weights.
 *
 * A level stands for x = 2 level / (L - 1) - 1. Its probability is the logistic's mass between x - 1 / (L - 1) and x +
 * 1 / (L - 1); the first level also gets all mass below, the last all mass above, so that probabilities sum to 1. The
 * channels of a pixel share the mixture: given earlier channels, a component's weight is its posterior probability.
 *
 * P and the order of parameters depend on C. For one channel (P = 3K): K logits, K means, K log scales. For three (P =
 * 10K): K logits; then for red, green and blue in turn K means, K log scales and K coefficients. Red's block holds the
 * coefficients of green on red, green's those of blue on red, blue's those of blue on green. For other C: K logits; for
 * each channel K means and K log scales; then K coefficients for each pair of a channel and an earlier one, (1, 0), (2,
 * 0), (2, 1), ... Log scales are clamped from below at -7; coefficients go through tanh, and each adds its product with
 * the earlier channel's true value to the mean of the later channel.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.1 and 2.2.
 *
 * @throws TypeError naming the argument that is out of range, or the input if it does not have P features.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { input } from '@tensorflow/tfjs-layers';
 * import { autoregressiveModel, bitsPerDim, logisticMixture, maskedConv2d } from 'pixelcnn-layers';
 * const image = input({ shape: [8, 8, 1] });
 * const features = maskedConv2d({ filters: 15, kernelSize: 5, maskType: 'A', imageChannels: 1 }).apply(image); // 3 * 5
 * const outputs = logisticMixture({ imageChannels: 1, levels: 256, components: 5 }).apply(features);
 * const model = autoregressiveModel({ inputs: image, outputs });
 * model.compile({ optimizer: tf.train.adam(1e-3), loss: bitsPerDim });
 * console.log(model.levels); // 256
 * ```
 */
export class LogisticMixture extends DeclaredLayer<Values<typeof declared>, LogisticMixtureArgs> {
  /** @nocollapse */
  static className = 'LogisticMixture';
  protected static readonly declared = declared;

  /** What its outputs mean. */
  readonly distribution: TensorDistribution = distributionOf(this.settings);

  protected override checkInputs(shapes: readonly Shape[]): void {
    const { numParameters } = this.distribution;
    checkMap('input', shapes, numParameters, `the parameters of ${this.settings.components} components`);
  }

  override express<T>(_: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return x; // [N,H,W,P]
  }
}
serialization.registerClass(LogisticMixture);

function distributionOf(sizes: Values<typeof declared>): TensorDistribution {
  const { imageChannels, components } = sizes;
  checkMemory('LogisticMixture: components', [imageChannels, imageChannels, components]);
  return {
    ...mixtureOfLogistics(sizes),
    data: { kind: 'logisticMixture', components } satisfies DistributionShape,
    negativeLogLikelihood: (labels, parameters) =>
      tidy(() => {
        const flatLabels: Tensor2D = reshape(cast(labels, 'int32'), [-1, imageChannels]); // [N,H,W,C] -> [M,C]
        const flat: Tensor2D = reshape(parameters, [-1, parameters.shape[3]]); // [N,H,W,P] -> [M,P]
        return reshape(logisticMixtureNats(flatLabels, flat, sizes), labels.shape); // [M,C] -> [N,H,W,C]
      }),
  };
}

/** Makes a {@link LogisticMixture}. */
export function logisticMixture(args: LogisticMixtureArgs): LogisticMixture {
  return new LogisticMixture(args);
}
