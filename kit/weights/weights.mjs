import * as tf from '@tensorflow/tfjs-core';
import { randomNumbers } from '../random.mjs';

/**
 * Redraws the kernels of a model from a seed, Glorot-uniform, as tfjs does from its own seed. Biases stay unchanged.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {number} seed
 */
export function seedWeights(model, seed) {
  const random = randomNumbers(`${seed}/weights`);
  tf.tidy(() => {
    model.setWeights(
      model.getWeights().map((weight) => (weight.rank === 4 ? glorot(weight, random) : weight)),
    );
  });
}

/** @returns {tf.Tensor} a kernel of the same shape [rows, columns, in, out] */
function glorot({ shape, size }, random) {
  const [rows, columns, featuresIn, featuresOut] = shape;
  const limit = Math.sqrt(6 / (rows * columns * (featuresIn + featuresOut)));
  return tf.tensor(
    Float32Array.from({ length: size }, () => (2 * random() - 1) * limit),
    shape,
  );
}
