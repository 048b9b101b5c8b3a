import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, logProb, normalize, type PixelCNNPlusPlusArgs, pixelCNNPlusPlus, toPortable } from 'pixelcnn-layers';
import { logProb as portableLogProb, readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { goldenPlusPlus, goldenPlusPlusModel } from '../support/golden/plus-plus';
import { movedBy } from '../support/slow/moved';
import { expectClose, golden4d, setNoise, take } from '../support/tensors';

/** A small network; weights are noise where a seed of it is given. */
function build(args: Partial<PixelCNNPlusPlusArgs> = {}, noiseSeed?: number): AutoregressiveModel {
  const small = { imageShape: [4, 4, 1], levels: 4, filters: 2, numResnets: 1, output: { components: 2 }, seed: 1 } as const;
  const model = pixelCNNPlusPlus({ ...small, ...args });
  if (noiseSeed !== undefined) setNoise(model, noiseSeed);
  return model;
}

onEachBackend('pixelCNNPlusPlus', (backend) => {
  for (const golden of isGpu(backend) ? goldenPlusPlus.slice(0, 1) : goldenPlusPlus) {
    it(`computes the parameters and likelihoods of the reference, also without tensors: ${golden.name}`, async () => {
      const model = await goldenPlusPlusModel(golden);
      const images = golden4d(golden.images, 'int32');
      const parameters = tf.tidy(() => model.predict(normalize(images, golden.config.levels)));
      expectClose(await take(parameters), golden.parameters.data, 3e-5);
      const nats = await take(await logProb(model, images));
      const portable = readPortable(writePortable(await toPortable(model)));
      const { data, shape } = golden.images;
      const plain = { data: Uint8Array.from(data), shape: shape as [number, number, number, number] };
      const ofEngine = await portableLogProb(portable, plain);
      for (const [n, expected] of golden.nll_exact_nats_per_image.entries()) {
        expect(Math.abs((nats[n] as number) / -expected - 1)).toBeLessThan(1e-5);
        expect(Math.abs((ofEngine[n] as number) / -expected - 1)).toBeLessThan(1e-5);
      }
      tf.dispose([images]);
      model.dispose();
    });
  }
});

describe('pixelCNNPlusPlus', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('sees at each pixel all before it, nearby and far', async () => {
    const model = build({ imageShape: [8, 8, 1], filters: 8 });
    const { moved } = await movedBy([8, 8, 1], (x) => model.predict(x));
    for (const to of [9, 28, 54]) {
      const seen = Array.from({ length: 64 }, (_, from) => from).filter((from) => moved(from, to));
      expect(seen).toEqual(Array.from({ length: to }, (_, from) => from));
    }
    model.dispose();
  });

  /** Weights of a convolution: kernel, gain, bias. */
  const conv = (taps: number, featuresIn: number, featuresOut: number) => taps * featuresIn * featuresOut + 2 * featuresOut;

  /** By the paper's code: two streams, of windows 2x3 and 2x2. */
  function count(f: number, resnets: number, features: number, channels: number): number {
    const block = (taps: number, skip: number) => conv(taps, 2 * f, f) + (skip > 0 ? conv(1, 2 * skip, f) : 0) + conv(taps, 2 * f, 2 * f);
    const stem = conv(6, channels + 1, f) + conv(3, channels + 1, f) + conv(2, channels + 1, f);
    const down = 3 * resnets * (block(6, 0) + block(4, f));
    const up = (3 * resnets + 2) * (block(6, f) + block(4, 2 * f));
    return stem + down + up + 4 * (conv(6, f, f) + conv(4, f, f)) + conv(1, f, features);
  }

  it('has as many weights as the published one', () => {
    for (const [filters, numResnets, components, channels] of [
      [1, 5, 10, 3],
      [2, 5, 10, 3],
      [3, 2, 1, 1],
      [5, 1, 3, 2],
    ] as const) {
      const model = build({ imageShape: [8, 8, channels], filters, numResnets, output: { components } });
      const features = components * (1 + 2 * channels + (channels * (channels - 1)) / 2);
      expect(model.countParams()).toBe(count(filters, numResnets, features, channels));
      model.dispose();
    }
    expect((count(160, 5, 100, 3) / 1e6).toFixed(2)).toBe('53.66');
  });

  it('has a mixture of 10 logistics by default', () => {
    const model = pixelCNNPlusPlus({ imageShape: [4, 4, 1], filters: 1, numResnets: 1 });
    expect(model.outputs[0]?.shape).toEqual([null, 4, 4, 3 * 10]); // a logit, a mean and a log scale each
    model.dispose();
  });

  it('takes images of any size that is a multiple of 4', async () => {
    const any = build({ imageShape: [null, null, 1] }, 5);
    const even = tf.zeros([1, 12, 8, 1]);
    const outputs = any.predict(even);
    expect(outputs.shape).toEqual([1, 12, 8, 6]);
    tf.dispose([even, outputs]);
    for (const [h, w, message] of [
      [5, 4, 'height: wanted a multiple of 2, got 5'],
      [4, 6, 'width: wanted a multiple of 2, got 3'],
    ] as const) {
      const odd = tf.zeros<tf.Rank.R4>([1, h, w, 1], 'int32');
      expect(() => any.predict(odd)).toThrow(message);
      await expect(logProb(any, odd)).rejects.toThrow(message);
      odd.dispose();
    }
    any.dispose();
  });

  it('names invalid arguments', () => {
    expect(() => pixelCNNPlusPlus(undefined as never)).toThrow('pixelCNNPlusPlus: wanted an object of arguments');
    const wrong = (args: object) => () => build(args);
    for (const imageShape of [
      [6, 4, 1],
      [4, 2, 1],
      [null, 5, 1],
    ])
      expect(wrong({ imageShape })).toThrow('pixelCNNPlusPlus: imageShape: wanted a height and width that are multiples of 4, or null');
    for (const imageShape of [[4, 4], [4, 4, null], '4', [4, 4, 1, 1], [0, 4, 1]])
      expect(wrong({ imageShape })).toThrow('pixelCNNPlusPlus: imageShape: wanted [H, W, C]');
    expect(wrong({ levels: 1 })).toThrow('pixelCNNPlusPlus: levels: wanted an integer of at least 2, got 1');
    expect(wrong({ filters: 0 })).toThrow('pixelCNNPlusPlus: filters: wanted an integer of at least 1, got 0');
    expect(wrong({ filters: undefined })).toThrow('pixelCNNPlusPlus: filters');
    expect(wrong({ filters: 1e5 })).toThrow('pixelCNNPlusPlus: filters: wanted sizes');
    for (const numResnets of [0, 1.5, 1e9])
      expect(wrong({ numResnets })).toThrow('pixelCNNPlusPlus: numResnets: wanted an integer from 1 to 10000');
    const outputs: [output: unknown, message: string][] = [
      [{ components: 0 }, 'output: components: wanted an integer of at least 1, got 0'],
      [{ components: 2 ** 28 }, 'output: wanted sizes'],
      [{ component: 3 }, "output: unknown option 'component': did you mean components?"],
      ['mixture', "output: wanted 'softmax' or { components }, got 'mixture'"],
    ];
    for (const [output, message] of outputs) expect(wrong({ output })).toThrow(`pixelCNNPlusPlus: ${message}`);
    expect(wrong({ components: 2 })).toThrow("pixelCNNPlusPlus: unknown option 'components'");
    expect(wrong({ output: 'softmax', levels: 2 ** 24, filters: 64 })).toThrow('pixelCNNPlusPlus: levels: wanted sizes');
    expect(wrong({ dropout: 1 })).toThrow('pixelCNNPlusPlus: dropout: wanted a number from 0, below 1, got 1');
    expect(wrong({ seed: 1.5 })).toThrow('pixelCNNPlusPlus: seed: wanted an integer');
    expect(wrong({ numClasses: 0 })).toThrow('pixelCNNPlusPlus: numClasses: wanted an integer of at least 1');
    expect(wrong({ nullClass: true })).toThrow('pixelCNNPlusPlus: nullClass: wanted numClasses to be given too');
    expect(wrong({ conditionSize: 2 ** 28 })).toThrow('pixelCNNPlusPlus: conditionSize: wanted sizes');
  });
});
