import { serialization } from '@tensorflow/tfjs-core';
import { checked, type Given, type Values } from '../core/arguments';
import type { Ops } from '../program/operations';
import { checkEncodedLevels } from '../program/operations/levels';
import { checkMap, DeclaredLayer } from './declared-layer';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** L, the levels that a channel can have, at most 65,536. */
  levels: checked(checkEncodedLevels),
};

/** Arguments of {@link OneHotLevels}. */
export interface OneHotLevelsArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Turns levels into one-hot vectors: normalized levels [N,H,W,C], as `normalize` makes them, become [N,H,W,C*L], with
 * the L features of each channel side by side. No weights.
 *
 * The level of x is round(x * (L - 1)), with halves rounded up. If that is not one of 0..L-1, or x is NaN, all L
 * features are 0. No gradient flows back into the image.
 *
 * In sampling, a convolution that reads this layer looks up one row of its kernel for each value, so the cost does not
 * grow with L. In training it does.
 *
 * Source: Chen et al., "PixelSNAIL: An Improved Autoregressive Generative Model" (2018), as the priors over codes of
 * Razavi et al., "Generating Diverse High-Fidelity Images with VQ-VAE-2" (2019), use it.
 *
 * @throws TypeError naming `levels`, or the input that is not [N,H,W,C].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { normalize, oneHotLevels } from 'pixelcnn-layers';
 * const image = tf.tensor4d([2, 0], [1, 1, 1, 2], 'int32'); // one pixel of two channels
 * const y = oneHotLevels({ levels: 3 }).apply(normalize(image, 3)); // [1, 1, 1, 6]
 * console.log(Array.from(await y.data())); // [0, 0, 1, 1, 0, 0]
 * ```
 */
export class OneHotLevels extends DeclaredLayer<Values<typeof declared>, OneHotLevelsArgs> {
  /** @nocollapse */
  static className = 'OneHotLevels';
  protected static readonly declared = declared;

  protected override checkInputs(shapes: readonly Shape[]): void {
    checkMap('input', shapes);
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.oneHotLevels(x, this.settings.levels); // [N,H,W,C] -> [N,H,W,C*L]
  }
}
serialization.registerClass(OneHotLevels);

/** Makes a {@link OneHotLevels}. */
export function oneHotLevels(args: OneHotLevelsArgs): OneHotLevels {
  return new OneHotLevels(args);
}
