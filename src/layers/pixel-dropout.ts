import { type Given, probability, type Values } from '../runtime/core/arguments';
import type { Ops } from '../runtime/program/operations';
import { DeclaredLayer, defineLayer } from './declared-layer';
import { seedArguments } from './seeds';
import type { LayerArgs } from './types';

const declared = {
  /** The probability of dropping a number in training, in [0, 1). */
  rate: probability(),
  ...seedArguments,
};

/** Arguments of {@link PixelDropout}. */
export interface PixelDropoutArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Dropout with reproducible noise. In training, each number becomes 0 with probability `rate`, and
 * is otherwise divided by 1 - rate. At inference, nothing changes.
 *
 * With a seed, the noise depends only on the seed, the training step and the image, on every backend, so a model saved with its
 * optimizer continues as if it had never stopped. Give each layer its own seed, or all drop the same places.
 *
 * Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
 *
 * @throws TypeError naming `rate` or `seed`.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelDropout } from 'pixelcnn-layers';
 * const layer = pixelDropout({ rate: 0.5, seed: 1 });
 * layer.apply(tf.ones([6]), { training: true }).print(); // [0, 0, 0, 2, 2, 0]
 * layer.apply(tf.ones([6])).print(); // [1, 1, 1, 1, 1, 1]
 * ```
 */
export class PixelDropout extends DeclaredLayer<Values<typeof declared>, PixelDropoutArgs> {
  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.dropout(x, this.settings);
  }
}
defineLayer(PixelDropout, 'PixelDropout', declared);

/** Makes a {@link PixelDropout}. */
export const pixelDropout = (args: PixelDropoutArgs) => new PixelDropout(args);
