import * as tf from '@tensorflow/tfjs-core';
import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type AutoregressiveModel, autoregressiveModel, gatedPixelCNN, oneHotClass } from 'pixelcnn-layers';
import { imageSet } from 'pixelcnn-layers/data';
import { expect, it } from 'vitest';
import { mostLikelyClasses, rightByClass } from '../../../kit/models/classify.mjs';
import { onBackend } from '../../support/backends';

/** A model of 2x2 images of 3 levels and 3 classes, to which level k is the most likely of class k. */
function levelIsClass(): AutoregressiveModel {
  const image = input({ shape: [2, 2, 1] });
  const label = input({ shape: [1] });
  const oneHot = oneHotClass({ numClasses: 3 }).apply(label);
  const each = layers.repeatVector({ n: 4 }).apply(oneHot); // [N,3] -> [N,4,3]
  const logits = layers.reshape({ targetShape: [2, 2, 1, 3] }).apply(each) as SymbolicTensor; // [N,4,3] -> [N,2,2,1,3]
  return autoregressiveModel({ inputs: [image, label], outputs: logits });
}

onBackend('cpu', 'the most likely class', () => {
  it('is that under which the image is most likely, the lowest on a tie, for any size of batch', async () => {
    const data = Uint8Array.of(2, 2, 2, 2, 0, 0, 0, 1, 1, 1, 1, 0, 2, 1, 2, 1, 2, 2, 2, 0);
    const images = imageSet({ data, shape: [5, 2, 2, 1], levels: 3 });
    const model = levelIsClass();
    const before = tf.memory().numTensors;
    const done: number[] = [];
    const onProgress = (count: number) => done.push(count);
    const found = await mostLikelyClasses(model, images, { batchSize: 2, onProgress });
    expect(found).toEqual([2, 0, 1, 1, 2]);
    expect(done).toEqual([2, 4, 5]);
    expect(await mostLikelyClasses(model, images, { batchSize: 5 })).toEqual(found);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('is none where the weights are broken, and no tensor is left', async () => {
    const images = imageSet({ data: new Uint8Array(4), shape: [1, 2, 2, 1], levels: 3 });
    const sizes = { imageShape: [2, 2, 1] as [number, number, number], levels: 3, hiddenDim: 2, outDim: 2 };
    const model = gatedPixelCNN({ ...sizes, numBlocks: 0, numClasses: 2 });
    tf.tidy(() => model.setWeights(model.getWeights().map((weight) => tf.fill(weight.shape, Number.NaN))));
    const before = tf.memory().numTensors;
    await expect(mostLikelyClasses(model, images, { batchSize: 1 })).rejects.toThrow('not finite');
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('is counted by class', () => {
    const counts = rightByClass(Uint8Array.of(2, 0, 2, 2), [2, 1, 0, 2], 4);
    expect(counts.map(({ images, right }) => `${right} of ${images}`)).toEqual(['0 of 1', '0 of 0', '2 of 3', '0 of 0']);
  });
});
