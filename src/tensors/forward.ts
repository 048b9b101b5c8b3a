import { cast, div, type Tensor, type Tensor4D, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkCategories, throwTypeError } from '../core/check';

/**
 * One forward pass at inference: from normalized images [N,H,W,C], and their conditions if the model takes any, to
 * logits [N,H,W,C,L] or parameters [N,H,W,P].
 */
export function forward(model: LayersModel, images: Tensor4D, conditions: readonly Tensor[]): Tensor {
  return model.apply(conditions.length === 0 ? images : [images, ...conditions]) as Tensor;
}

/**
 * The same for a whole model. Checks that the outputs have the height and width of the images, which for a model of
 * images of any size cannot be known earlier.
 *
 * @throws TypeError if they do not
 */
export function outputsOf(model: LayersModel, images: Tensor4D, conditions: readonly Tensor[]): Tensor {
  const outputs = forward(model, images, conditions);
  const [, height, width] = images.shape;
  if (outputs.shape[1] !== height || outputs.shape[2] !== width)
    throwTypeError(
      'model',
      `outputs of height ${height} and width ${width}, as the images have`,
      outputs.shape,
    );
  return outputs;
}

/**
 * Levels as models take them: level / (levels - 1), float32 in [0, 1].
 *
 * @param images levels 0..levels-1, of any shape and type
 * @param levels L, at least 2; 256 by default
 * @returns the same shape, float32
 * @throws TypeError where `levels` is not an integer of at least 2.
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
