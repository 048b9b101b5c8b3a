import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type InitializationOptions, initialize } from './initial-pass';

/**
 * Sets gains and biases of all weight-normed convolutions from one batch, layer by layer, so that each one's outputs
 * have mean 0 and a standard deviation of 1 over the batch, or of 0.1 at the end of a residual block. Call it before
 * training, since it overwrites gains and biases. Gains of outputs that do not vary over the batch stay unchanged.
 *
 * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868, section 3, as used by
 * PixelCNN++.
 *
 * @param images levels 0..L-1, [N,H,W,C], int32 or float32; not normalized. Pass a training batch
 * or, better, a few times as many, which the model evaluates at once
 * @throws TypeError (rejects) if the shapes do not fit the model, a value is not one of its levels, or no
 * convolution is weight-normed; Error if outputs are not finite. On any error, weights are unchanged.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { initializeFromData, pixelCNNPlusPlus } from 'pixelcnn-layers';
 * const model = pixelCNNPlusPlus({ imageShape: [8, 8, 1], levels: 4, filters: 4, numResnets: 1, output: { components: 2 } });
 * await initializeFromData(model, tf.randomUniform([16, 8, 8, 1], 0, 4, 'int32'));
 * ```
 */
export async function initializeFromData(
  model: LayersModel,
  images: Tensor4D,
  options: InitializationOptions = {},
): Promise<void> {
  return initialize(model, images, options);
}
