import * as tf from '@tensorflow/tfjs-core';
import { normalize } from 'pixelcnn-layers';
import { shippedModel } from './models.mjs';

/**
 * The bits that the model spends on each value of an image: -log2 of the probability that it gives to it. And the probabilities of all levels.
 *
 * @param {import('./protocol.mjs').LikelihoodJob} job
 * @param {{ signal: AbortSignal }} context
 */
export async function measure({ model: name, levels }, { signal }) {
  signal.throwIfAborted();
  const model = await shippedModel(name);
  const [bits, probabilities] = tf.tidy(() => {
    const labels = tf.tensor4d(levels, [1, ...model.imageShape], 'int32');
    const logits = model.apply(normalize(labels, model.levels)); // [1,H,W,C,L]
    const own = tf.oneHot(tf.reshape(labels, [-1]), model.levels); // [H*W*C,L]
    const nats = tf.logSoftmax(tf.reshape(logits, own.shape));
    return [tf.mul(tf.sum(tf.mul(nats, own), 1), -Math.LOG2E), tf.exp(nats)];
  });
  try {
    return { bits: await bits.data(), probabilities: await probabilities.data() };
  } finally {
    tf.dispose([bits, probabilities]);
  }
}
