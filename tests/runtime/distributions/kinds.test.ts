import * as tf from '@tensorflow/tfjs-core';
import { input } from '@tensorflow/tfjs-layers';
import {
  autoregressiveModel,
  logProb as logProbTensors,
  maskedConv2d,
  type Ops,
  PixelLayer,
  sample as sampleTensors,
  type TensorDistribution,
  toPortable,
} from 'pixelcnn-layers';
import type { DistributionShape } from 'pixelcnn-layers/runtime';
import { compress, decompress, logProb, readPortable, sample, stepper, writePortable } from 'pixelcnn-layers/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { integer } from '../../../src/runtime/core/arguments';
import { kinds } from '../../../src/runtime/distributions/kinds';
import type { DistributionKind } from '../../../src/runtime/distributions/pixel-distribution';
import { exp, log } from '../../../src/runtime/kernels/arithmetic';
import { useBackend } from '../../support/backends';
import { scoped } from '../../support/scoped';
import { expectClose, setNoise, take } from '../../support/tensors';

// A new kind of distribution is one record, in the table of kinds. Here is one beside those of the library.

const fields = { slowness: integer({ from: 1 }) };

/** A truncated geometric distribution for each channel: p of level l is in proportion to e^(l x / slowness). */
const geometric: DistributionKind<typeof fields> = {
  fields,
  numParameters: ({ imageChannels }) => imageChannels,
  limited: ({ levels, slowness }) => ({ 'levels times slowness': levels * slowness }),
  make: ({ imageChannels, levels, slowness }) => ({
    imageChannels,
    levels,
    numParameters: imageChannels,
    channelOf: (parameter) => parameter,
    logProbs(parameters, { length: channel }, to) {
      const x = (parameters[channel] as number) / slowness;
      const most = Math.max(0, x * (levels - 1));
      let sum = 0;
      for (let level = 0; level < levels; level++) sum += exp(level * x - most);
      for (let level = 0; level < levels; level++) to[level] = level * x - most - log(sum);
    },
  }),
};

const sizes = { imageChannels: 2, levels: 5, slowness: 3 };

/** The layer of it, with its loss. */
class Geometric extends PixelLayer {
  static className = 'Geometric';
  readonly distribution = {
    ...geometric.make(sizes),
    data: { kind: 'geometric', slowness: sizes.slowness } as unknown as DistributionShape,
    negativeLogLikelihood: (labels: tf.Tensor4D, parameters: tf.Tensor4D) => {
      const x = tf.div(tf.expandDims(parameters, 4), sizes.slowness); // [N,H,W,C] -> [N,H,W,C,1]
      const logits = tf.mul(x, tf.range(0, sizes.levels)); // [N,H,W,C,L]
      const picked = tf.sum(tf.mul(logits, tf.oneHot(labels, sizes.levels)), 4);
      return tf.sub(tf.logSumExp(logits, 4), picked);
    },
  } satisfies TensorDistribution;
  express<T>(_: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return x;
  }
}

function geometricModel() {
  const image = input({ shape: [3, 4, 2] });
  const conv = maskedConv2d({ filters: 2, kernelSize: 3, maskType: 'A', imageChannels: 2 });
  const outputs = new Geometric({ name: 'geometric' }).apply(conv.apply(image)) as typeof image;
  const model = autoregressiveModel({ inputs: image, outputs });
  setNoise(model, 1, 2);
  return scoped(model);
}

describe('a kind of distribution in the table', () => {
  beforeEach(async () => {
    await useBackend('cpu');
    Object.assign(kinds, { geometric });
  });
  afterEach(() => {
    Reflect.deleteProperty(kinds, 'geometric');
  });

  it('survives a file, and can then be sampled, scored, stepped and coded', async () => {
    const model = geometricModel();
    const portable = readPortable(writePortable(await toPortable(model)));
    expect(portable.distribution).toEqual({ kind: 'geometric', slowness: 3 });
    const images = await sample(portable, { numImages: 3, seed: 1 });
    expect([...new Set(images.data)].sort()).toEqual([0, 1, 2, 3, 4]);
    const drawn = scoped(await sampleTensors(model, { numImages: 3, seed: 1 }));
    expect([...(await drawn.data())]).toEqual([...images.data]);

    const nats = await logProb(portable, images);
    expectClose(nats, await take(await logProbTensors(model, drawn)), 2e-5);
    const steps = stepper(portable, { numImages: 3 });
    const sums = new Float64Array(3);
    for (let value = 0; value < 24; value++) {
      const levels = [0, 1, 2].map((n) => images.data[24 * n + value] as number);
      const logProbs = steps.logProbs();
      for (const [n, level] of levels.entries()) sums[n] = (sums[n] as number) + (logProbs[5 * n + level] as number);
      steps.put(levels);
    }
    expect(nats).toEqual(sums);
    expect((await decompress(portable, await compress(portable, images))).data).toEqual(images.data);
  });

  it('is refused if its fields, sizes or outputs do not match the record', async () => {
    const portable = await toPortable(geometricModel());
    const read = (slowness: unknown, more = {}, options = {}) => {
      const distribution = { kind: 'geometric', slowness, ...more } as unknown as DistributionShape;
      return () => readPortable(writePortable({ ...portable, distribution }), options);
    };
    expect(read(3)).not.toThrow();
    expect(read(0)).toThrow('distribution: slowness: wanted an integer of at least 1, got 0');
    expect(read(3, { more: 1 })).toThrow("distribution: wanted no fields but kind, slowness, got 'more'");
    expect(read(9, {}, { maxValues: 44 })).toThrow('distribution: levels times slowness: wanted at most 44 values');
    expect(() => writePortable({ ...portable, levels: 4, distribution: { kind: 'softmax' } })).toThrow(
      'output: wanted a node of 8 numbers, for a softmax of 2 channels and 4 levels, got 2',
    );
  });

  it('is not known once it is no longer in the table', async () => {
    const model = geometricModel();
    const bytes = writePortable(await toPortable(model));
    Reflect.deleteProperty(kinds, 'geometric');
    expect(() => readPortable(bytes)).toThrow("distribution: kind: wanted 'softmax' or 'logisticMixture' or 'gaussian', got 'geometric'");
    await expect(toPortable(model)).rejects.toThrow("layer 'geometric' has its own distribution");
  });
});
