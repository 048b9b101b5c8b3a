import { initializers } from '@tensorflow/tfjs-layers';
import { provideLayerNormKernels } from '../ops/layer-norm';
import { flag, type Given, integer, optional, positive, type Values } from '../runtime/core/arguments';
import { checkFeatures } from '../runtime/core/check';
import { normArgument } from '../runtime/program/operations/normalize';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** Groups of features, one for each channel of the image. @default 3 */
  imageChannels: optional(integer({ from: 1 }), 3),
  /** `'rms'` divides by the root mean square, and subtracts no mean. @default 'layer' */
  norm: normArgument,
  /** Added to the variance, or the mean square. @default 1e-3 */
  epsilon: optional(positive(), 1e-3),
  /** Whether to add a learnt shift, beta. @default true */
  center: flag(true),
  /** Whether to multiply by a learnt scale, gamma. @default true */
  scale: flag(true),
};

/** Arguments of {@link PixelNormalization}. */
export interface PixelNormalizationArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Group normalization over the features of each pixel, with a group for each image channel: (x - mean) / sqrt(variance
 * + epsilon) gamma + beta. Unlike ProGAN's layer of this name, it does not divide each pixel by its norm.
 *
 * [N,H,W,F] -> [N,H,W,F]. Features are channel-major, in groups of F/C for C channels, so it is causal between layers
 * with mask B. A group of one feature becomes beta. With one channel it equals `tf.layers.layerNormalization` over
 * features, whose gradient takes seconds in tfjs. Weights: gamma [F], initially ones, and beta [F], initially zeros.
 *
 * Source: Ba et al., "Layer Normalization" (2016), https://arxiv.org/abs/1607.06450; Zhang, Sennrich, "Root Mean
 * Square Layer Normalization" (2019), https://arxiv.org/abs/1910.07467. The groups of channels are ours.
 *
 * @throws TypeError naming the argument, or an input whose features do not split into groups
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelNormalization } from 'pixelcnn-layers';
 * const layer = pixelNormalization({ imageChannels: 2, epsilon: 1e-9 });
 * const y = layer.apply(tf.tensor4d([1, 3, 10, 50], [1, 1, 1, 4]));
 * console.log(Array.from(await y.data())); // [-1, 1, -1, 1]: each pair by itself
 * ```
 */
export class PixelNormalization extends DeclaredLayer<Values<typeof declared>, PixelNormalizationArgs> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    checkFeatures('input features', checkMap('input', shapes), this.settings.imageChannels);
  }

  protected override addWeights(shapes: readonly Shape[]): Arithmetic {
    const features = [checkMap('input', shapes)];
    const { imageChannels: groups, epsilon, norm, scale, center } = this.settings;
    const args = {
      ...{ groups, epsilon, norm },
      ...(scale && { scale: this.addSeededWeight('gamma', features, initializers.ones()) }),
      ...(center && { shift: this.addSeededWeight('beta', features, initializers.zeros()) }),
    };
    return (ops, [x]) => ops.normalize(x, args); // [N,H,W,F] -> [N,H,W,F]
  }
}
defineLayer(PixelNormalization, 'PixelNormalization', declared);
provideLayerNormKernels();

/** Makes a {@link PixelNormalization}. */
export const pixelNormalization = (args?: PixelNormalizationArgs) => new PixelNormalization(args);
