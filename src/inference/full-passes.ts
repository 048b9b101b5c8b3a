import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { conditionTensors } from '../models/conditions';
import { indexOfPlace, normalizedLevel, valuesOf } from '../runtime/core/images';
import { isSoftmax, outputStride, type PixelDistribution } from '../runtime/distributions/pixel-distribution';
import type { EvaluatorArgs } from '../runtime/engine/evaluator';
import type { OutputSource } from '../runtime/sampling/growing-images';
import { outputsOf } from './batches';

/** No padding before and after a dimension. */
const NOTHING: [number, number] = [0, 0];

/** An output source for any model, by a whole forward pass for each value. Images stay on the device. */
export function fullPasses(
  model: LayersModel,
  distribution: PixelDistribution,
  { numImages, imageShape, conditions: given = [], numConditions = numImages }: EvaluatorArgs,
): OutputSource {
  const { levels, numParameters, imageChannels } = distribution;
  const values = valuesOf(imageShape);
  const pixels = values / imageChannels;
  void new Float32Array(numImages * pixels * numParameters); // as large as the outputs [N,H,W,P], to throw early if memory is too small
  // What one read covers: the logits of one channel for a softmax, else all
  // parameters of a pixel.
  const [places, size] = isSoftmax(distribution) ? [values, levels] : [pixels, numParameters];
  const repeat = (one: tf.Tensor) =>
    tf.tile(one, [numImages / numConditions, ...new Array(one.rank - 1).fill(1)]); // [N',...] -> [N,...]
  const [blank, ...begun] = tf.tidy(() => [
    tf.zeros<tf.Rank.R2>([numImages, values]),
    ...conditionTensors(given, 0, numConditions).map(repeat),
  ]) as [tf.Tensor2D, ...tf.Tensor[]];
  let images = tf.keep(blank); // normalized, zero where not drawn yet
  let conditions = begun.map((condition) => tf.keep(condition)); // [N,...] each
  let numActive = numImages;
  const firstOf = <T extends tf.Tensor>(all: T): T =>
    numActive === numImages ? all : tf.slice(all, 0, numActive); // [N,...] -> [active,...]
  return {
    async outputs(...place) {
      const here = tf.tidy(() => {
        const drawn = tf.reshape<tf.Rank.R4>(firstOf(images), [numActive, ...imageShape]); // [N,H*W*C] -> [N,H,W,C]
        const outputs = outputsOf(model, drawn, conditions.map(firstOf)); // [N,H,W,C,L] or [N,H,W,P]
        const all = tf.reshape(outputs, [numActive, places, size]); // [N,H*W*C,L] or [N,H*W,P]
        const index = Math.floor((indexOfPlace(place, imageShape) * places) / values);
        const one = tf.slice(all, [0, index, 0], [-1, 1, -1]); // [N,1,size]
        return tf.pad(one, [NOTHING, NOTHING, [0, outputStride(distribution) - size]]); // [N,1,padded size]
      });
      try {
        return (await here.data()) as Float32Array;
      } finally {
        here.dispose();
      }
    },
    put(row, column, channel, drawn) {
      const before = images;
      images = tf.tidy(() => {
        const inputs = new Float32Array(numImages); // unspecified for images that are not evaluated
        for (let n = 0; n < numActive; n++) inputs[n] = normalizedLevel(drawn[n] as number, levels);
        const index = indexOfPlace([row, column, channel], imageShape);
        const here = tf.tensor2d(inputs, [numImages, 1]);
        return tf.keep(tf.add(before, tf.pad(here, [NOTHING, [index, values - index - 1]]))); // [N,1] -> [N,H*W*C]
      });
      before.dispose();
    },
    evaluateFirst(count) {
      numActive = count;
    },
    copy(from) {
      const before = [images, ...conditions];
      tf.tidy(() => {
        const index = tf.tensor1d(from, 'int32');
        images = tf.keep(tf.gather(images, index)); // [N,H*W*C]
        conditions = conditions.map((condition) => tf.keep(tf.gather(condition, index)));
      });
      tf.dispose(before);
    },
    dispose() {
      images.dispose();
      tf.dispose(conditions);
    },
  };
}
