import { cast, div, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { checkCategories } from '../runtime/core/check';

/**
 * Converts levels to the inputs of models: level / (levels - 1), float32 in [0, 1].
 *
 * @param images levels 0..levels-1, of any shape and type
 * @param levels L, at least 2; 256 by default
 * @returns float32, in the shape of `images`
 * @throws TypeError if `levels` is not an integer of at least 2.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { normalize } from 'pixelcnn-layers';
 * normalize(tf.tensor1d([0, 8, 16], 'int32'), 17).print(); // [0, 0.5, 1]
 * ```
 */
export function normalize<T extends Tensor>(images: T, levels = 256): T {
  checkCategories('normalize: levels', levels, 2);
  return tidy(() => div(cast(images, 'float32'), levels - 1));
}
