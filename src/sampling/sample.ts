import { type Tensor4D, tensor4d } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkArgs, wrong } from '../check';
import { placeOf, sizeOf } from '../image-model/place';
import { imageModelShape } from '../image-model/shape';
import { categorical, TO_DRAW } from './categorical';
import { type Job, planJob, type SampleOptions } from './options';
import { evaluatorFor } from './strategy';
import type { Evaluator } from './types';

/**
 * Draws images from a model, value by value in the order rows, columns, channels, each given all before it.
 *
 * A level is drawn by the inverse of the distribution function: the first level whose cumulative probability
 * exceeds a uniform u. One u is taken for every image at every place, also where the level is given, so a
 * seed means the same noise whatever is given. With `seed`, image i has a stream of its own, made from the
 * seed and i.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), section 2.1; "The Annotated
 * Pixel-CNN", `generate_images`.
 *
 * @param model any model from normalized images [N,H,W,C] to logits [N,H,W,C,L]
 * @returns levels, int32 [N,H,W,C]; the caller disposes it
 * @throws TypeError (rejects) naming the option that is wrong; `signal.reason`, an AbortError by default,
 * where the signal aborts; Error where the model gives logits that are NaN or +Infinity, or all -Infinity.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelCNN, sample } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const images = await sample(model, { numImages: 2, seed: 1, temperature: 0.9 });
 * console.log(images.shape, images.dtype); // [2, 4, 4, 1] int32
 *
 * // Completion: keep the upper half of both, draw the lower half again.
 * const known = tf.concat([tf.ones([2, 2, 4, 1]), tf.zeros([2, 2, 4, 1])], 1);
 * const completed = await sample(model, { initial: images, known, seed: 2 });
 * console.log(completed.shape); // [2, 4, 4, 1]
 * ```
 */
export async function sample(model: LayersModel, options: SampleOptions = {}): Promise<Tensor4D> {
  const { signal } = checkArgs('sample: options', options);
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    wrong('sample: signal', 'an AbortSignal', signal);
  }
  signal?.throwIfAborted();
  const job = await planJob(imageModelShape('sample: model', model), options);
  const evaluator = await evaluatorFor(model, job, options.strategy);
  try {
    const levels = await drawAll(evaluator, job, options);
    return tensor4d(levels, [job.numImages, ...job.imageShape], 'int32');
  } finally {
    evaluator.dispose();
  }
}

/** The levels of all images, [N*H*W*C]. */
async function drawAll(
  evaluator: Evaluator,
  job: Job,
  { signal, onProgress }: SampleOptions,
): Promise<Int32Array> {
  const { numImages, levels, noise, given, isFirstUniform } = job;
  const total = sizeOf(job.imageShape);
  const rowSize = total / job.imageShape[0];
  const images = new Int32Array(numImages * total);
  const uniforms = new Float64Array(numImages);
  const drawn = new Int32Array(numImages);
  const draw = categorical(levels, numImages, job.filters);
  const pause = pauses(job.yieldMilliseconds);

  for (let index = 0; index < total; index++) {
    signal?.throwIfAborted();
    const place = placeOf(index, job.imageShape);
    noise(uniforms);
    const isUniform = isFirstUniform && index === 0;
    for (let n = 0; n < numImages; n++) drawn[n] = given?.[n * total + index] ?? TO_DRAW;
    const needsLogits = !isUniform && drawn.includes(TO_DRAW);
    if (needsLogits) {
      const logits = evaluator.logits(...place);
      draw(logits instanceof Float32Array ? logits : await logits, uniforms, drawn);
    } else if (isUniform) {
      for (let n = 0; n < numImages; n++) {
        if (drawn[n] === TO_DRAW) drawn[n] = Math.floor((uniforms[n] as number) * levels);
      }
    }
    for (let n = 0; n < numImages; n++) images[n * total + index] = drawn[n] as number;
    evaluator.put(...place, drawn);

    const done = index + 1;
    if (done % rowSize === 0) onProgress?.({ done, total, levels: images });
    const paused = pause();
    if (paused !== undefined) await paused;
  }
  signal?.throwIfAborted();
  return images;
}

/**
 * A function to call often; where it gives a promise, awaiting that lets other work run once so many
 * milliseconds have passed.
 */
function pauses(milliseconds: number): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < milliseconds) return undefined;
    return new Promise((resolve) => {
      setTimeout(() => {
        last = performance.now();
        resolve();
      }, 0);
    });
  };
}
