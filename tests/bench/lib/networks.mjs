import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { bitsPerDim, gatedPixelCNN, pixelCNN } from 'pixelcnn-layers';
import { graph } from './networks/graph.mjs';
import { PlainMaskedConv2D } from './networks/plain-masked-conv-2d.mjs';

const digits = { imageShape: [8, 8, 1], levels: 17, firstKernelSize: 5 };
const emoji = { imageShape: [16, 16, 3], levels: 256, firstKernelSize: 7 };
const fashion = { imageShape: [28, 28, 1], levels: 16, firstKernelSize: 7 };

/**
 * The networks that are measured, by name.
 *
 * @type {Record<string, import('pixelcnn-layers').PixelCNNArgs & { model?: string }>}
 */
export const shapes = {
  'digits 8x8x1, 17 levels, hidden 16, 3 blocks': { ...digits, hiddenDim: 16, outDim: 32, numBlocks: 3 },
  '28x28x1, 16 levels, hidden 16, 5 blocks': { ...fashion, hiddenDim: 16, outDim: 32, numBlocks: 5 },
  '28x28x1, 16 levels, gated, hidden 14, 3 blocks': { ...fashion, model: 'gatedPixelCNN', hiddenDim: 14, outDim: 32, numBlocks: 3 },
  '28x28x1, 16 levels, hidden 64, 5 blocks': { ...fashion, hiddenDim: 64, outDim: 64, numBlocks: 5 },
  '28x28x1, 16 levels, gated, hidden 32, 4 blocks': { ...fashion, model: 'gatedPixelCNN', hiddenDim: 32, outDim: 64, numBlocks: 4 },
  '16x16x3, 256 levels, hidden 8, 4 blocks': { ...emoji, hiddenDim: 8, outDim: 32, numBlocks: 4 },
};

/**
 * The network as this library makes it.
 *
 * @param {import('pixelcnn-layers').PixelCNNArgs & { model?: string }} shape
 */
export const ours = ({ model, ...args }) => (model === 'gatedPixelCNN' ? gatedPixelCNN(args) : pixelCNN(args));

/** The same network made of stock convolutions, without masks: what its forward pass costs in plain tfjs. */
export const stock = (shape) => graph(shape, (args) => tfl.layers.conv2d({ ...args, padding: 'same' }));

/** The same network the blog's way, written plainly: whole kernel times mask, SAME convolution, tfjs's own gradients. */
export const plain = (shape) => graph(shape, (args, mask) => new PlainMaskedConv2D({ ...args, ...mask }));

/** Random levels as inputs in [0, 1] and labels, [batch, ...imageShape]. */
export function randomBatch({ imageShape, levels }, batch) {
  const labels = tf.randomUniform([batch, ...imageShape], 0, levels, 'int32', 1);
  const xs = tf.tidy(() => tf.div(tf.cast(labels, 'float32'), levels - 1));
  return { xs, labels };
}

/** Compiles a model as the examples do, and gives it back. */
export function compiled(model) {
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
  return model;
}

/** A task: a forward pass, to its last number. */
export const forwardPass = (model, xs) => async () => {
  const outputs = model.predict(xs, { batchSize: xs.shape[0] });
  await outputs.data();
  outputs.dispose();
};
