import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, normalize, pixelCNN } from 'pixelcnn-layers';
import { imageSet } from 'pixelcnn-layers/data';
import { beforeAll, expect, it } from 'vitest';
import { bitsByPixel, heatColour } from '../../../kit/pictures/heat-map.mjs';
import { useBackend } from '../../support/backends';

beforeAll(() => useBackend('cpu'));

it('has for each pixel the mean over its channels, and over all pixels the bits per dimension', async () => {
  const shape = [3, 4, 5, 3] as const;
  const data = Uint8Array.from({ length: 180 }, (_, i) => (i * 7) % 4);
  const model = pixelCNN({ imageShape: [4, 5, 3], levels: 4, hiddenDim: 2, outDim: 2, numBlocks: 1 });
  const bits = await bitsByPixel(model, imageSet({ data, shape, levels: 4 }));
  const images = tf.tensor4d(data, [...shape], 'int32');
  const logits = model.predict(normalize(images, 4)) as tf.Tensor;
  const ofValues = await tf.mul(tf.neg(tf.logSoftmax(logits)), Math.LOG2E).data(); // [N,H,W,C,L]
  expect(bits).toHaveLength(60);
  for (const [pixel, value] of bits.entries()) {
    const channels = [0, 1, 2].map((c) => ofValues[(3 * pixel + c) * 4 + (data[3 * pixel + c] as number)]);
    const mean = channels.reduce<number>((sum, own) => sum + (own as number) / 3, 0);
    expect(value).toBeCloseTo(mean, 4);
  }
  const whole = await bitsPerDim(images, logits).data();
  const first = bits.subarray(0, 20).reduce((sum, value) => sum + value / 20, 0);
  expect(first).toBeCloseTo(whole[0] as number, 4);
});

it('colours from light to dark, and no darker beyond the scale', () => {
  const light = (colour: string) => [1, 3, 5].reduce((sum, at) => sum + Number.parseInt(colour.slice(at, at + 2), 16), 0);
  const shares = [0, 0.1, 0.25, 0.4, 0.5, 0.7, 0.75, 0.9, 1].map((share) => light(heatColour(share)));
  expect(shares).toEqual([...shares].sort((a, b) => b - a));
  expect(new Set(shares).size).toBe(9);
  expect(heatColour(3)).toBe(heatColour(1));
  expect(heatColour(-1)).toBe(heatColour(0));
});
