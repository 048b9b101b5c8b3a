import * as tf from '@tensorflow/tfjs-core';

/** @param {number} rate of learning */
export const adam = (rate) => tf.train.adam(rate, 0.9, 0.999, 1e-7);

/**
 * Makes an Adam that was loaded with its model go on exactly as the one that was saved. tfjs 4.22 takes its powers of beta by `pow`, which
 * differs in the last bits from the float32 products that training made. (Models of pixelcnn-layers do this by themselves.)
 *
 * @param {tf.AdamOptimizer} optimizer
 */
export function restorePowers({ iterations, beta1, beta2, accBeta1, accBeta2 }) {
  const power = (beta) => {
    const factor = Math.fround(beta);
    let product = factor; // the first power is there before the first step
    for (let step = 0; step < iterations; step++) product = Math.fround(product * factor);
    return product;
  };
  tf.tidy(() => {
    accBeta1.assign(tf.scalar(power(beta1)));
    accBeta2.assign(tf.scalar(power(beta2)));
  });
}

/**
 * Saves a model with its optimizer, and nothing else, since tfjs 4.22 leaves a tensor of the optimizer's steps behind.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {import('@tensorflow/tfjs-core').io.IOHandler} handler
 */
export async function saveWithOptimizer(model, handler) {
  tf.engine().startScope();
  try {
    await model.save(handler, { includeOptimizer: true });
  } finally {
    tf.engine().endScope();
  }
}
