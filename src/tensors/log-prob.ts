import { mul, slice, type Tensor, type Tensor1D, type Tensor4D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkArgs, checkInteger, type NamesOf, throwTypeError } from '../core/check';
import { readConditions } from '../core/conditions';
import { checkLevels, resolveImageShape } from '../core/images';
import { type Condition, conditionData, conditionTensors } from '../models/conditions';
import { imageModelShape } from '../models/image-model';
import { negativeLogLikelihood } from '../models/loss';
import { forward, normalize } from './forward';

/** Options of {@link logProb}. */
export interface LogProbOptions {
  /** Images a forward pass. @default 32 */
  batchSize?: number;
  /** What the images are conditioned on, for models that take it; several by name, `{ class, map }`. */
  condition?: Condition;
}

const optionNames: NamesOf<LogProbOptions> = { batchSize: true, condition: true };

/**
 * The log-likelihood of images under a model: log p(x) in nats, summed over rows, columns and channels.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), equation 1.
 *
 * @param model any model from normalized images [N,H,W,C], and conditions where it takes any, to logits
 * [N,H,W,C,L]
 * @param images levels 0..L-1, [N,H,W,C], int32 or float32; not normalized
 * @returns [N]; the caller disposes it
 * @throws TypeError (rejects) where the shapes do not fit, or a value is not one of the model's levels.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { logProb, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [8, 8, 1], levels: 17, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const nats = await logProb(model, tf.zeros([2, 8, 8, 1], 'int32'));
 * console.log(nats.shape); // [2]
 * ```
 */
export async function logProb(
  model: LayersModel,
  images: Tensor,
  options: LogProbOptions = {},
): Promise<Tensor1D> {
  const shape = imageModelShape('logProb: model', model);
  const batchSize = checkInteger(
    'logProb: batchSize',
    checkArgs('logProb: options', options, optionNames).batchSize ?? 32,
    1,
  );
  if (images?.rank !== 4)
    throwTypeError('logProb: images', 'a tensor of levels [N,H,W,C]', images?.shape ?? images);
  if (images.shape[0] === 0) throwTypeError('logProb: images', 'at least one image', images.shape);
  const imageShape = resolveImageShape('logProb: images', shape.imageShape, images.shape.slice(1));
  const given = readConditions(
    'logProb: condition',
    shape.conditions,
    await conditionData(options.condition),
    images.shape[0],
    imageShape,
  );
  checkLevels('logProb: images', await images.data(), shape.levels);

  const nats = new Float32Array(images.shape[0]);
  for (let start = 0; start < nats.length; start += batchSize) {
    const batch = tidy(() => {
      const size = Math.min(batchSize, nats.length - start);
      const part = slice(images as Tensor4D, [start, 0, 0, 0], [size, -1, -1, -1]); // [size,H,W,C]
      const conditions = conditionTensors(given, start, size);
      const logits = forward(model, normalize(part, shape.levels), conditions); // [size,H,W,C,L]
      const perDimension = negativeLogLikelihood(part, logits);
      return mul(perDimension, -part.size / size); // [size]
    });
    try {
      nats.set(await batch.data(), start);
    } finally {
      batch.dispose();
    }
  }
  return tensor1d(nats);
}
