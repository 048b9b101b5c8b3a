import type { AutoregressiveModel } from '../models/autoregressive-model';
import { dataParallel, type Trainer, type TrainerOptions } from './data-parallel';

/**
 * Makes a trainer, which trains a model on all cores. Each batch is cut into `shards` parts; workers compute the
 * gradients of parts, which are added up in a fixed order and applied by the model's own optimizer, here. So the weights
 * are the same bits for any number of workers, with dropout too, and those of `model.fit` but for rounding. Callbacks,
 * histories, `clipGradients`, `WeightAverage` and saved models work as with `model.fit`. Weights that you assign are sent
 * to the workers; numbers written in place, into what `dataSync()` returns on the cpu backend, are not seen.
 *
 * Workers run the wasm backend with this library's kernels, or cpu if `@tensorflow/tfjs-backend-wasm` is not installed;
 * the model itself may be on any backend. Each worker has the weights twice, a part's gradients, and what the layers
 * compute of a part's images. Only tfjs's own layers of noise, such as its `dropout`, draw other noise than with
 * `model.fit`. In a page, the bundler must find the workers' file:
 *
 * ```ts page
 * import { createTrainer, type AutoregressiveModel } from 'pixelcnn-layers';
 * const trainer = (model: AutoregressiveModel) =>
 *   createTrainer(model, {
 *     createWorker: () => new Worker(new URL('pixelcnn-layers/train-worker', import.meta.url), { type: 'module' }),
 *   });
 * ```
 *
 * Source: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour" (2017),
 * https://arxiv.org/abs/1706.02677, section 3.
 *
 * @param model a compiled model, with losses and metrics of this library
 * @throws (rejects) TypeError naming the option that is wrong, a layer `batchNormalization`, which mixes images, or a
 * loss that cannot be sent to a worker; an Error if the model has not been compiled, or a worker cannot start the wasm
 * backend, does not know a layer, or does not answer within 60 seconds. The methods reject like those of the model, and
 * with an Error after `dispose`, or once no worker is left: if one ends, the others compute its parts again.
 * @example
 * ```js
 * import '@tensorflow/tfjs-backend-wasm';
 * import * as tf from '@tensorflow/tfjs-core';
 * import { bitsPerDim, createTrainer, pixelCNN } from 'pixelcnn-layers';
 * await tf.setBackend('wasm');
 * const model = pixelCNN({ imageShape: [8, 8, 1], levels: 4, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * model.compile({ optimizer: tf.train.adam(1e-2), loss: bitsPerDim });
 * const trainer = await createTrainer(model, { workers: 2 });
 * const levels = tf.zeros([32, 8, 8, 1], 'int32');
 * const { history } = await trainer.fit(levels, { epochs: 2, batchSize: 16, verbose: 0 });
 * console.log(history.loss.length); // 2
 * await trainer.dispose();
 * ```
 */
export async function createTrainer(
  model: AutoregressiveModel,
  options: TrainerOptions = {},
): Promise<Trainer> {
  return dataParallel(model, options);
}
