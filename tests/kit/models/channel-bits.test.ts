import * as tf from '@tensorflow/tfjs-core';
import { gatedPixelCNN, logProb, pixelCNN } from 'pixelcnn-layers';
import { imageSet } from 'pixelcnn-layers/data';
import { expect, it } from 'vitest';
import { bitsByChannel, natsByImage } from '../../../kit/models/channel-bits.mjs';
import { onBackend } from '../../support/backends';
import { setNoise } from '../../support/tensors';

onBackend('cpu', 'bits by channel', () => {
  it('add up to logProb, for any size of batch, and leave no tensor', async () => {
    const shape = [5, 4, 3, 3] as const;
    const data = Uint8Array.from({ length: 5 * 4 * 3 * 3 }, (_, i) => (i * 5 + (i % 7)) % 8);
    const images = imageSet({ data, shape: [...shape], levels: 8 });
    const model = pixelCNN({ imageShape: [4, 3, 3], levels: 8, hiddenDim: 2, outDim: 3, numBlocks: 1 });
    const input = tf.tensor4d(data, [...shape], 'int32');
    const nats = await logProb(model, input);
    const each = Array.from(await nats.data());
    const total = each.reduce((sum, value) => sum - value, 0);
    tf.dispose([input, nats]);
    const before = tf.memory().numTensors;
    const done: number[] = [];
    const bits = await bitsByChannel(model, images, { batchSize: 2, onProgress: (count) => done.push(count) });
    expect(tf.memory().numTensors).toBe(before);
    expect(done).toEqual([2, 4, 5]);
    expect(bits).toHaveLength(3);
    const ofImages = await natsByImage(model, images, { batchSize: 3 });
    expect(ofImages.map((one) => one.length)).toEqual([3, 3, 3, 3, 3]);
    for (const [n, one] of ofImages.entries()) expect(one.reduce((sum, value) => sum + value, 0)).toBeCloseTo(-(each[n] as number), 4);
    const mean = bits.reduce((sum, value) => sum + value, 0) / 3;
    expect(mean).toBeCloseTo(total / (data.length * Math.LN2), 5);
    const atOnce = await bitsByChannel(model, images, { batchSize: 5 });
    for (const [i, value] of bits.entries()) expect(value).toBeCloseTo(atOnce[i] as number, 5);
    model.dispose();
  });

  it('takes the class of each image where the model is conditioned on classes', async () => {
    const data = Uint8Array.from({ length: 5 * 16 }, (_, i) => (i * 5 + (i % 7)) % 8);
    const labels = Uint8Array.of(2, 0, 1, 1, 2);
    const images = imageSet({ data, shape: [5, 4, 4, 1], levels: 8, labels });
    const sizes = { imageShape: [4, 4, 1] as [number, number, number], levels: 8, hiddenDim: 2, outDim: 3 };
    const model = gatedPixelCNN({ ...sizes, numBlocks: 1, numClasses: 3 });
    setNoise(model);
    const input = tf.tensor4d(data, [5, 4, 4, 1], 'int32');
    const bitsGiven = async (condition: number[]) => {
      const nats = await logProb(model, input, { condition });
      const total = Array.from(await nats.data()).reduce((sum, value) => sum - value, 0);
      nats.dispose();
      return total / (data.length * Math.LN2);
    };
    const [bits] = await bitsByChannel(model, images, { batchSize: 2 });
    expect(bits).toBeCloseTo(await bitsGiven([2, 0, 1, 1, 2]), 5);
    expect(bits).not.toBeCloseTo(await bitsGiven([0, 0, 0, 0, 0]), 3);
    const { labels: _, ...unlabelled } = images;
    await expect(bitsByChannel(model, unlabelled, { batchSize: 2 })).rejects.toThrow('the images have none');
    input.dispose();
    model.dispose();
  });
});
