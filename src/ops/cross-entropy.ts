import * as tf from '@tensorflow/tfjs-core';
import { CROSS_ENTROPY } from '../runtime/kernels/modules';
import { defineOperation, type Gradients } from './operation';
import { outputs, wasmKernel } from './wasm-kernels';

type Inputs = { readonly labels: tf.Tensor1D; readonly logits: tf.Tensor2D };

interface Saved {
  /** Softmax minus one-hot [M,L], computed with the value, since both need the exponentials. */
  readonly slope: tf.Tensor2D;
}

/** -log softmax(logits)[label] in nats, with a custom gradient: labels [M], int32, logits [M,L] -> [M]. */
export const crossEntropy = (labels: tf.Tensor1D, logits: tf.Tensor2D): tf.Tensor1D =>
  operation({ labels, logits });

const gradients = (dy: tf.Tensor1D, { slope }: Saved): Gradients<Inputs> => ({
  logits: () => tf.mul(slope, tf.expandDims(dy, 1)), // [M,L] [M,1] -> [M,L]
});

/**
 * The logarithm of the normalizer is computed at the most likely level, where the softmax cannot underflow: log sum
 * exp(x) = max(x) - log max(softmax(x)). This is exact for labels of any probability, and saves a pass of exp.
 */
const operation = defineOperation<Inputs, void, Saved, tf.Tensor1D>({
  name: 'crossEntropy',
  composed: {
    forward({ labels, logits }) {
      const p = tf.softmax(logits); // [M,L]
      const target = oneHotRows(labels, logits); // [M,L]
      const logNormaliser = tf.sub(tf.max(logits, 1), tf.log(tf.max(p, 1))); // [M,L] -> [M]
      const y: tf.Tensor1D = tf.sub(logNormaliser, tf.sum(tf.mul(target, logits), 1)); // [M]
      return { y, saved: { slope: tf.sub(p, target) } };
    },
    gradients,
  },
  wasmImplementation: {
    forward(inputs, attributes) {
      const [slope, sums, below] = wasmForward(inputs, attributes);
      return { y: tf.add(tf.log(sums), below), saved: { slope } }; // [M]
    },
    gradients,
  },
  differentiableGradients: (dy, { labels, logits }) =>
    gradients(dy, { slope: tf.sub(tf.softmax(logits), oneHotRows(labels, logits)) }),
  constants: ['labels'],
});

/** The value from two terms [M], and the slope [M,L], in one pass. */
const wasmForward = wasmKernel(
  'PixelCNNCrossEntropy',
  [CROSS_ENTROPY],
  (loops, { labels, logits }: Inputs) => {
    const { shape } = logits;
    const shapes = [shape, labels.shape, labels.shape] as const;
    return outputs(shapes, loops.crossEntropy, [logits, labels], shape, loops.crossEntropyScratch);
  },
);

/** 1 at the label of each row, 0 elsewhere: [M] -> [M,L]; oneHot's own float32 output is wrong on wasm */
const oneHotRows = (labels: tf.Tensor1D, logits: tf.Tensor2D): tf.Tensor2D =>
  tf.cast(tf.oneHot(labels, logits.shape[1]), 'float32') as tf.Tensor2D;
