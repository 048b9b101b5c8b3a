import * as tf from '@tensorflow/tfjs-core';
import { pixelCNN } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { useBackend } from '../../../kit/runs/backend.mjs';
import { seedWeights } from '../../../kit/weights/weights.mjs';

it('weights draws kernels within the Glorot limit, the same for the same seed, and leaves biases zero', async () => {
  await useBackend('cpu');
  const draw = (seed: number) => {
    const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 3, outDim: 5, numBlocks: 1 });
    const before = tf.memory().numTensors;
    seedWeights(model, seed);
    expect(tf.memory().numTensors).toBe(before);
    const weights = model.getWeights().map((weight) => ({ shape: weight.shape, values: weight.dataSync() }));
    model.dispose();
    return weights;
  };
  const weights = draw(1);
  expect(draw(1)).toEqual(weights);
  expect(draw(2)).not.toEqual(weights);
  for (const { shape, values } of weights) {
    const [rows = 0, columns = 0, featuresIn = 0, featuresOut = 0] = shape;
    const limit = shape.length === 4 ? Math.sqrt(6 / (rows * columns * (featuresIn + featuresOut))) : 0;
    const largest = Math.max(...values.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThanOrEqual(limit / 2);
  }
});
