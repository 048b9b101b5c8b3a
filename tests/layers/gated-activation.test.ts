import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { GatedActivation, gatedActivation } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { setLayerNoise, slopesOf } from '../support/slow-plus-plus';
import {
  expectClose,
  expectCloseRelative,
  expectNoLeaks,
  noise,
  take,
  weightGradients,
} from '../support/tensors';

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
          const t = kind === 'linear' ? before(pixel, a) : Math.tanh(before(pixel, a));
          return t / (1 + Math.exp(-before(pixel, a + half)));
        });
        expectClose(await take(y), expected, isGpu(backend) ? 1e-4 : 1e-5);
        tf.dispose(inputs);
        layer.dispose();
      }),
      { numRuns: isGpu(backend) ? 4 : 60, seed: 1 },
    );
  });

  it('has, of the linear kind, the gradients of loops in plain numbers', async () => {
    const gates = 8; // of two channels: a of two features, b of two
    const layer = gatedActivation({ imageChannels: 2, kind: 'linear' });
    const shapes = [[N, 2, 3, gates], [N, K], [N, 2, 3, K]]; // biome-ignore format: one line
    const values = shapes.map((shape, i) => noise(shape.reduce((a, b) => a * b, 1), i + 1)); // biome-ignore format: one line
    const inputs = shapes.map((shape, i) => tf.tensor(values[i] as Float32Array, shape));
    tf.dispose(layer.apply(inputs)); // builds it
    setLayerNoise(layer, 2);
    const kernels = (await Promise.all(layer.getWeights().map((weight) => weight.data()))) as Float32Array[];
    const g = noise(N * 6 * 4, 9);
    /** The sum of all outputs, each times its number of g. */
    const slow = ([x, vector, map, first, second]: ArrayLike<number>[]) => {
      let sum = 0;
      for (let pixel = 0; pixel < N * 6; pixel++) {
        const z = Array.from({ length: gates }, (_, f) => {
          let before = x?.[pixel * gates + f] as number;
          for (let k = 0; k < K; k++) {
            before +=
              (vector?.[Math.floor(pixel / 6) * K + k] as number) * (first?.[k * gates + f] as number);
            before += (map?.[pixel * K + k] as number) * (second?.[k * gates + f] as number);
          }
          return before;
        }) as [number, number, number, number, number, number, number, number];
        const y = [[z[0], z[2]], [z[1], z[3]], [z[4], z[6]], [z[5], z[7]]].map(([a = 0, b = 0]) => a / (1 + Math.exp(-b))); // biome-ignore format: one line
        sum += y.reduce((total, value, f) => total + value * (g[4 * pixel + f] as number), 0);
      }
      return sum;
    };
    const gs = tf.tensor(g, [N, 2, 3, 4]);
    const f = (...of: tf.Tensor[]) => tf.sum(tf.mul(layer.apply(of), gs)) as tf.Scalar;
    const gradients = [...tf.grads(f)(inputs), ...weightGradients(layer, () => f(...inputs))];
    const all: ArrayLike<number>[] = [...values, ...kernels];
    for (const [i, gradient] of gradients.entries()) {
      const slopes = slopesOf((moved) => slow(all.map((of, k) => (k === i ? moved : of))), all[i] as Float32Array); // biome-ignore format: one line
      expectCloseRelative(await take(gradient), slopes, 2e-4);
    }
    tf.dispose([inputs, gs]);
    layer.dispose();
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
        'GatedActivation: input 1: wanted one of 2 images, got [3, 2]',
      );
      layer.dispose();
      return three;
    });
    tf.dispose([x, vector, map]);
  });
});

describe('GatedActivation', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it.each(['tanh', 'linear'] as const)('comes back from a saved model, of the kind %s', async (kind) => {
    const [x, condition] = [tfl.input({ shape: [2, 2, 8] }), tfl.input({ shape: [3] })];
    const layer = gatedActivation({ imageChannels: 2, name: 'gate', kind });
    const model = tfl.model({
      inputs: [x, condition],
      outputs: layer.apply([x, condition]) as tfl.SymbolicTensor,
    });
    const loaded = await saveAndLoad(model);
    const again = loaded.getLayer('gate');
    expect(again).toBeInstanceOf(GatedActivation);
    expect(again.getConfig()).toEqual(layer.getConfig());
    expect(again.getConfig()['kind']).toBe(kind);
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
    expect(() => gatedActivation({ kind: 'relu' as never })).toThrow(
      "GatedActivation: kind: wanted 'tanh' or 'linear', got 'relu'",
    );
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
