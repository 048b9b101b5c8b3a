import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { gatedActivation } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { isGpu, onEachBackend } from '../support/backends';
import { runs } from '../support/runs';
import { expectClose, noise, take } from '../support/tensors';

const [N, K] = [2, 3]; // images, numbers of a condition

const cases = fc.record({
  h: fc.integer({ min: 1, max: 3 }),
  w: fc.integer({ min: 1, max: 4 }),
  imageChannels: fc.integer({ min: 1, max: 3 }),
  half: fc.integer({ min: 1, max: 6 }), // features of a channel that come out
  kind: fc.constantFrom('tanh', 'linear', undefined), // undefined: left out
  conditions: fc.subarray(['vector', 'map', 'other vector', 'other map'] as const),
  seed: fc.integer({ min: 1, max: 1000 }),
});

onEachBackend('GatedActivation', (backend) => {
  it('is tanh(a) sigmoid(b), or a sigmoid(b), of the halves of each group, with each condition projected', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ h, w, imageChannels, half, kind, conditions, seed }) => {
        const gates = 2 * half * imageChannels;
        const layer = gatedActivation({ imageChannels, ...(kind && { kind }) });
        const values = noise(N * h * w * gates, seed);
        const all = conditions.map((name, i) => {
          const isMap = name.endsWith('map');
          const shape = isMap ? [N, h, w, K] : [N, K];
          const given = noise(tf.util.sizeFromShape(shape), seed + 10 * i + 1);
          return { isMap, given, tensor: tf.tensor(given, shape), kernel: noise(K * gates, seed + 10 * i + 2) };
        });
        const x = tf.tensor4d(values, [N, h, w, gates]);
        const inputs = all.length === 0 ? x : [x, ...all.map(({ tensor }) => tensor)];
        tf.dispose(layer.apply(inputs) as tf.Tensor); // builds it
        const weights = all.map(({ kernel }) => tf.tensor(kernel, [1, 1, K, gates]));
        layer.setWeights(weights);
        tf.dispose(weights);
        const y = layer.apply(inputs) as tf.Tensor;
        expect(y.shape).toEqual([N, h, w, gates / 2]);
        expect(layer.computeOutputShape([inputs].flat().map((input) => input.shape))).toEqual(y.shape);

        /** Feature f before the gate, at a pixel of all images. */
        const before = (pixel: number, f: number) => {
          let sum = values[pixel * gates + f] as number;
          for (const { isMap, given, kernel } of all) {
            const row = isMap ? pixel : Math.floor(pixel / (h * w));
            for (let k = 0; k < K; k++) sum += (given[row * K + k] as number) * (kernel[k * gates + f] as number);
          }
          return sum;
        };
        const expected = Array.from({ length: y.size }, (_, i) => {
          const [pixel, f] = [Math.floor(i / (gates / 2)), i % (gates / 2)];
          const a = 2 * half * Math.floor(f / half) + (f % half);
          const t = kind === 'linear' ? before(pixel, a) : Math.tanh(before(pixel, a));
          return t / (1 + Math.exp(-before(pixel, a + half)));
        });
        expectClose(await take(y), expected, isGpu(backend) ? 1e-4 : 1e-5);
        tf.dispose(inputs);
        layer.dispose();
      }),
      runs({ numRuns: isGpu(backend) ? 4 : 20, seed: 1 }),
    );
  });
});
