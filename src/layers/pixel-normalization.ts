import { serialization } from '@tensorflow/tfjs-core';
import { initializers } from '@tensorflow/tfjs-layers';
import { checkBoolean, checkFeatures, checkInteger, checkNumber, type NamesOf } from '../core/check';
import { provideLayerNormKernels } from '../ops/layer-norm';
import type { Ops } from '../program/operations';
import type { LayerWeight } from '../program/weights';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { imageInputShape, imageInputSpec, PixelLayer } from './pixel-layer';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link PixelNormalization}. */
export interface PixelNormalizationArgs extends LayerArgs {
  /** Groups of features, one for each channel of the image. @default 3 */
  imageChannels?: number;
  /** Added to the variance. @default 1e-3 */
  epsilon?: number;
  /** Whether to add a learnt shift, beta. @default true */
  center?: boolean;
  /** Whether to multiply by a learnt scale, gamma. @default true */
  scale?: boolean;
}

const argNames: NamesOf<PixelNormalizationArgs> = {
  imageChannels: true,
  epsilon: true,
  center: true,
  scale: true,
  ...layerArgNames,
};

/**
 * Layer normalization that keeps the order of channels: (x - mean) / sqrt(variance + epsilon) gamma + beta,
 * with a mean and a variance of each channel's group of features, at each pixel.
 *
 * [N,H,W,F] -> [N,H,W,F]. Features are channel-major: with C image channels, the group of channel c is features c F/C
 * to (c+1) F/C - 1. So it may be used between layers with mask B. A group of one feature always becomes beta. With one
 * channel it equals `tf.layers.layerNormalization` over features, but much faster: the gradient of that takes tfjs
 * seconds.
 *
 * Weights: gamma [F], initially ones, and beta [F], initially zeros.
 *
 * Source: Ba et al., "Layer Normalization" (2016), https://arxiv.org/abs/1607.06450. Groups: ours.
 *
 * @throws TypeError naming the argument, or the input, whose features do not split into groups
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelNormalization } from 'pixelcnn-layers';
 * const layer = pixelNormalization({ imageChannels: 2, epsilon: 1e-9 });
 * const y = layer.apply(tf.tensor4d([1, 3, 10, 50], [1, 1, 1, 4]));
 * console.log(Array.from(await y.data())); // [-1, 1, -1, 1]: each pair by itself
 * ```
 */
export class PixelNormalization extends PixelLayer {
  /** @nocollapse */
  static className = 'PixelNormalization';

  private readonly imageChannels: number;
  private readonly epsilon: number;
  private readonly center: boolean;
  private readonly scale: boolean;
  private gamma?: LayerWeight;
  private beta?: LayerWeight;

  constructor(args: PixelNormalizationArgs = {}) {
    super(checkLayerArgs(PixelNormalization, new.target, args, argNames));
    const { imageChannels = 3, epsilon = 1e-3, center = true, scale = true } = args;
    this.imageChannels = checkInteger('PixelNormalization: imageChannels', imageChannels, 1);
    this.epsilon = checkNumber('PixelNormalization: epsilon', epsilon, 'above 0', (value) => value > 0);
    this.center = checkBoolean('PixelNormalization: center', center);
    this.scale = checkBoolean('PixelNormalization: scale', scale);
  }

  override build(inputShape: Shape | Shape[]): void {
    const [, , , features] = imageInputShape('PixelNormalization', inputShape);
    checkFeatures('PixelNormalization: input features', features, this.imageChannels);
    const { ones, zeros } = initializers;
    if (this.scale) this.gamma = this.addWeight('gamma', [features], 'float32', ones());
    if (this.center) this.beta = this.addWeight('beta', [features], 'float32', zeros());
    this.inputSpec = imageInputSpec(features);
    super.build(inputShape);
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const { imageChannels: groups, epsilon, gamma, beta } = this;
    const weights = { ...(gamma && { scale: gamma }), ...(beta && { shift: beta }) };
    return ops.normalize(x, { groups, epsilon, ...weights }); // [N,H,W,F] -> [N,H,W,F]
  }

  override getConfig(): serialization.ConfigDict {
    const { imageChannels, epsilon, center, scale } = this;
    return { ...super.getConfig(), imageChannels, epsilon, center, scale };
  }
}
serialization.registerClass(PixelNormalization);
provideLayerNormKernels();

/** Makes a {@link PixelNormalization}. */
export function pixelNormalization(args?: PixelNormalizationArgs): PixelNormalization {
  return new PixelNormalization(args);
}
