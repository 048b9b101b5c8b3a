import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { GatedActivation, gatedActivation } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

const [N, K] = [2, 3]; // images, numbers of a condition

const cases = fc.record({
  h: fc.integer({ min: 1, max: 3 }),
  w: fc.integer({ min: 1, max: 4 }),
  imageChannels: fc.integer({ min: 1, max: 3 }),
  half: fc.integer({ min: 1, max: 6 }), // features of a channel that come out
  conditions: fc.subarray(['vector', 'map', 'other vector', 'other map'] as const),
  seed: fc.integer({ min: 1, max: 1000 }),
});

onEachBackend('GatedActivation', (backend) => {
  it('is tanh(a) sigmoid(b) of the halves of each group, with each condition projected', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ h, w, imageChannels, half, conditions, seed }) => {
        const gates = 2 * half * imageChannels;
        const layer = gatedActivation({ imageChannels });
        const values = noise(N * h * w * gates, seed);
        const all = conditions.map((name, i) => {
          const isMap = name.endsWith('map');
          const shape = isMap ? [N, h, w, K] : [N, K];
          const given = noise(shape.reduce((a, b) => a * b, 1), seed + 10 * i + 1); // biome-ignore format: one line
          return {
            isMap,
            given,
            tensor: tf.tensor(given, shape),
            kernel: noise(K * gates, seed + 10 * i + 2),
          };
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
            for (let k = 0; k < K; k++)
              sum += (given[row * K + k] as number) * (kernel[k * gates + f] as number);
          }
          return sum;
        };
        const expected = Array.from({ length: y.size }, (_, i) => {
          const [pixel, f] = [Math.floor(i / (gates / 2)), i % (gates / 2)];
          const a = 2 * half * Math.floor(f / half) + (f % half);
          return Math.tanh(before(pixel, a)) / (1 + Math.exp(-before(pixel, a + half)));
        });
        expectClose(await take(y), expected, isGpu(backend) ? 1e-4 : 1e-5);
        tf.dispose(inputs);
        layer.dispose();
      }),
      { numRuns: isGpu(backend) ? 4 : 60, seed: 1 },
    );
  });

  it('leaves no tensor behind, with and without a tape, and where it throws', async () => {
    const [x, vector, map] = [tf.ones([2, 3, 3, 6]), tf.ones([2, 2]), tf.ones([2, 3, 3, 2])];
    for (const condition of [[], [vector], [map], [map, vector, vector]]) {
      await expectNoLeaks(() => {
        const layer = gatedActivation();
        const inputs = [x, ...condition];
        const y = layer.apply(inputs) as tf.Tensor;
        if (condition.length === 0) {
          layer.dispose();
          return y;
        }
        const { value, grads } = tf.variableGrads(
          () => tf.sum(layer.apply(inputs) as tf.Tensor) as tf.Scalar,
        );
        layer.dispose();
        return [y, value, grads];
      });
    }
    await expectNoLeaks(() => {
      const layer = gatedActivation();
      const three = tf.ones([3, 2]); // for two images
      expect(() => layer.apply([x, three])).toThrow(
        'GatedActivation: condition: wanted one of [2,3,3,6], got [3, 2]',
      );
      layer.dispose();
      return three;
    });
    tf.dispose([x, vector, map]);
  });
});

describe('GatedActivation', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('comes back from a saved model', async () => {
    const [x, condition] = [tfl.input({ shape: [2, 2, 8] }), tfl.input({ shape: [3] })];
    const layer = gatedActivation({ imageChannels: 2, name: 'gate' });
    const model = tfl.model({
      inputs: [x, condition],
      outputs: layer.apply([x, condition]) as tfl.SymbolicTensor,
    });
    const loaded = await saveAndLoad(model);
    const again = loaded.getLayer('gate');
    expect(again).toBeInstanceOf(GatedActivation);
    expect(again.getConfig()).toEqual(layer.getConfig());
    const inputs = [tf.tensor(noise(32), [1, 2, 2, 8]), tf.tensor(noise(3), [1, 3])];
    const [a, b] = [model, loaded].map((m) => m.predict(inputs) as tf.Tensor) as [tf.Tensor, tf.Tensor];
    expect(await take(b)).toEqual(await take(a));
    tf.dispose(inputs);
    for (const m of [model, loaded]) m.dispose();
  });

  it('refuses, once built, inputs of another number, rank or number of features', () => {
    const layer = gatedActivation({ imageChannels: 1 });
    const [x, wide, vector, long] = [[1, 2, 2, 4], [1, 2, 2, 6], [1, 3], [1, 5]].map((shape) => tf.zeros(shape)) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // biome-ignore format: one line
    tf.dispose(layer.apply([x, vector]) as tf.Tensor);
    expect(() => layer.apply([wide, vector])).toThrow('expected axis 3 of input shape to have value 4');
    expect(() => layer.apply([x, long])).toThrow('expected axis 1 of input shape to have value 3');
    expect(() => layer.apply([x, x])).toThrow('expected ndim=2');
    const symbolic = tfl.input({ shape: [2, 2, 4] });
    expect(() => layer.apply(symbolic)).toThrow('expects 2 inputs');
    tf.dispose([x, wide, vector, long]);
    layer.dispose();
  });

  it('names what is wrong', () => {
    expect(() => gatedActivation({ imageChannels: 0 })).toThrow('GatedActivation: imageChannels');
    expect(() => gatedActivation(null as never)).toThrow('GatedActivation: wanted an object of arguments');
    const apply = (...shapes: (number | null)[][]) => {
      const inputs = shapes.map((shape) => tfl.input({ shape }));
      return () => gatedActivation().apply(inputs.length === 1 ? (inputs[0] as tfl.SymbolicTensor) : inputs);
    };
    expect(apply([4, 4, 5])).toThrow(
      'GatedActivation: input features: wanted a multiple of 2 * imageChannels (6)',
    );
    expect(apply([4, 4])).toThrow('GatedActivation: input: wanted one tensor');
    const wanted =
      'GatedActivation: inputs: wanted features [N,H,W,2F], or with conditions [N,K] or [N,H,W,K]';
    for (const condition of [[4, 4], [null], [4, 3, 2], [4, 4, null]]) {
      expect(apply([4, 4, 6], condition)).toThrow(wanted);
    }
    expect(apply([4, 4, 6], [2], [4, 3, 2])).toThrow(wanted);
  });
});
