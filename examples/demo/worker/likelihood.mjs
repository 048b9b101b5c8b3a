import * as tf from '@tensorflow/tfjs-core';
import { normalize } from 'pixelcnn-layers';
import { shippedModel } from './models.mjs';

/**
 * The bits that the model spends on each value of an image: -log2 of the probability that it gives to it.
 *
 * @param {import('./protocol.mjs').LikelihoodJob} job
 * @param {{ signal: AbortSignal }} context
 */
export async function measure({ model: name, levels }, { signal }) {
  signal.throwIfAborted();
  const model = await shippedModel(name);
  const bits = tf.tidy(() => {
    const labels = tf.tensor4d(levels, [1, ...model.imageShape], 'int32');
    const logits = model.apply(normalize(labels, model.levels)); // [1,H,W,C,L]
    const own = tf.oneHot(tf.reshape(labels, [-1]), model.levels); // [H*W*C,L]
    const nats = tf.sum(tf.mul(tf.logSoftmax(tf.reshape(logits, own.shape)), own), 1); // [H*W*C]
    return tf.mul(nats, -Math.LOG2E);
  });
  try {
    return { bits: await bits.data() };
  } finally {
    bits.dispose();
  }
}
