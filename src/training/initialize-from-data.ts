import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { batches, readImages } from '../inference/batches';
import { InitialWeights } from '../layers/initial-weights';
import { eachLayer } from '../layers/pixel-layer';
import { conditionOption } from '../models/conditions';
import { imageModelShape } from '../models/image-model';
import { type Given, readArguments } from '../runtime/core/arguments';

/** Options of {@link initializeFromData}. */
export interface InitializationOptions extends Given<typeof conditionOption> {}

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
  const { condition } = readArguments('initializeFromData', options, conditionOption);
  const batchSize = Math.max(1, images?.shape?.[0] ?? 1);
  const shaped = { ...imageModelShape('initializeFromData: model', model), model };
  const known = await readImages('initializeFromData', shaped, images, condition);
  const initial = new InitialWeights();
  /** Sets it on all layers. While it is set, nothing else runs. */
  const setInitial = (to: InitialWeights | null) => eachLayer(model, (layer) => layer.initializeFrom?.(to));
  try {
    setInitial(initial);
    try {
      for (const { outputs } of batches(shaped, { ...known, batchSize })) outputs.dispose();
    } finally {
      setInitial(null);
    }
    if (initial.size === 0)
      throw new TypeError('initializeFromData: model: wanted a layer with weight normalization, got none');
    if (!(await initial.areFinite()))
      throw new Error('initializeFromData: the outputs of a convolution are not finite');
    initial.write();
  } finally {
    initial.dispose();
  }
}
