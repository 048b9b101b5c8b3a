import { serialization } from '@tensorflow/tfjs-core';
import type { Ops } from '../program/operations';
import { DeclaredLayer } from './declared-layer';
import type { LayerArgs } from './types';

/**
 * The position of each place in a map, ((row - H/2) / H, (column - W/2) / W), from -1/2 on: [N,H,W,F] -> [N,H,W,2].
 * With it, attention can tell places apart. No weights.
 *
 * Source: Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763, its code; and
 * https://github.com/rosinality/vq-vae-2-pytorch: `background`.
 *
 * @throws TypeError for an unknown option, or an input that is not [N,H,W,F].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelPosition } from 'pixelcnn-layers';
 * const y = pixelPosition().apply(tf.zeros([1, 1, 2, 8])); // [1, 1, 2, 2]
 * console.log(Array.from(await y.data())); // [-0.5, -0.5, -0.5, 0]
 * ```
 */
export class PixelPosition extends DeclaredLayer<object> {
  /** @nocollapse */
  static className = 'PixelPosition';
  protected static readonly declared = {};

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.position(x); // [N,H,W,F] -> [N,H,W,2]
  }
}
serialization.registerClass(PixelPosition);

/** Makes a {@link PixelPosition}. */
export function pixelPosition(args?: LayerArgs): PixelPosition {
  return new PixelPosition(args);
}
