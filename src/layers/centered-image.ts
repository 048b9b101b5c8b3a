import { serialization } from '@tensorflow/tfjs-core';
import type { Ops } from '../program/operations';
import { DeclaredLayer } from './declared-layer';
import type { LayerArgs } from './types';

/**
 * The input of PixelCNN++: the image, scaled from [0, 1] to [-1, 1], with an added channel of ones, by which
 * convolutions can tell the zeros around the image from middle grey: [N,H,W,C] -> [N,H,W,C+1]. No weights.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, its code.
 *
 * @throws TypeError for an unknown option, or an input that is not [N,H,W,C].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { centeredImage } from 'pixelcnn-layers';
 * const y = centeredImage().apply(tf.tensor4d([0, 0.5, 1], [1, 1, 1, 3])); // [1, 1, 1, 4]
 * console.log(Array.from(await y.data())); // [-1, 0, 1, 1]
 * ```
 */
export class CenteredImage extends DeclaredLayer<object> {
  /** @nocollapse */
  static className = 'CenteredImage';
  protected static readonly declared = {};

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const centered = ops.pointwise('shift', ops.pointwise('scale', x, 2), -1); // [N,H,W,C]
    const ones = ops.pointwise('shift', ops.pointwise('scale', ops.slice(x, 0, 1), 0), 1); // [N,H,W,1]
    return ops.concat(centered, ones); // [N,H,W,C+1]
  }
}
serialization.registerClass(CenteredImage);

/** Makes a {@link CenteredImage}. */
export function centeredImage(args?: LayerArgs): CenteredImage {
  return new CenteredImage(args);
}
