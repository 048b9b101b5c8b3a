import * as tf from '@tensorflow/tfjs-core';
import { maskedConv2d } from 'pixelcnn-layers';
import { PlainMaskedConv2D } from './networks/plain-masked-conv-2d.mjs';
import { timeInTurn } from './timing.mjs';

/** Forward and backward of one masked convolution of 48 features, ours and the blog's way written plainly. */
export async function layerTimes(kernelSize, seconds) {
  const args = { filters: 48, kernelSize, maskType: 'B', imageChannels: 3 };
  const x = tf.variable(tf.randomNormal([4, 16, 16, 48], 0, 1, 'float32', 1));
  const forwardAndBackward = (layer) => {
    tf.dispose(layer.apply(x)); // builds it
    const variables = [x, ...layer.trainableWeights.map((weight) => weight.read())];
    return () => tf.dispose(tf.variableGrads(() => tf.sum(layer.apply(x)), variables));
  };
  const times = await timeInTurn(
    { ours: forwardAndBackward(maskedConv2d(args)), plain: forwardAndBackward(new PlainMaskedConv2D(args)) },
    { seconds, minRounds: 3 },
  );
  x.dispose();
  return times;
}
