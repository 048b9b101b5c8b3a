import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { autoregressiveModel, bitsPerDim, levelLogProbs, PixelLayer, sample, type TensorDistribution } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { anyBackend, onBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectNoLeaks } from '../support/tensors';

onBackend(anyBackend, 'a last layer of a user', () => {
  /** A model that ends in a layer with this distribution. */
  function modelWith(distribution: unknown) {
    class Own extends PixelLayer {
      static className = 'Own';
      readonly distribution = distribution;
      override express<T>(_: unknown, [x]: readonly [T, ...T[]]): T {
        return x;
      }
    }
    const image = tfl.input({ shape: [2, 2, 1] });
    return autoregressiveModel({ inputs: image, outputs: new Own({ name: 'own' }).apply(image) });
  }
  const right: TensorDistribution = {
    imageChannels: 1,
    levels: 2,
    numParameters: 1,
    logProbs() {},
    negativeLogLikelihood: (labels) => labels,
  };

  it.each([
    [{ ...right, imageChannels: 3 }, 'imageChannels: wanted 1, as the images have, got 3'],
    [{ ...right, levels: 1 }, 'levels: wanted an integer of at least 2, got 1'],
    [{ ...right, numParameters: 2 }, 'numParameters: wanted the number of features of the outputs [null,2,2,1], got 2'],
    [
      { ...right, numParameters: 2, channelOf: (parameter: number) => parameter },
      'numParameters: wanted the number of features of the outputs [null,2,2,1], got 2',
    ],
    [null, 'wanted an object with imageChannels, levels, numParameters, logProbs and negativeLogLikelihood, got null'],
    [{ ...right, logProbs: 3 }, 'logProbs: wanted a function, got 3'],
    [{ ...right, negativeLogLikelihood: 3 }, 'negativeLogLikelihood: wanted a function, got 3'],
    [{ ...right, levelAt: 3 }, 'levelAt: wanted a function, got 3'],
    [{ ...right, channelOf: () => 1 }, 'channelOf(0): wanted an integer from 0 to 0, got 1'],
  ])('must have a sound distribution: %o', (distribution, reason) => {
    expect(() => modelWith(distribution)).toThrow(`AutoregressiveModel: distribution of layer 'own': ${reason}`);
  });

  it.each([
    ['writes nothing', { logProbs() {} }],
    ['writes some', { logProbs: (_: unknown, __: unknown, to: Float64Array) => to.fill(-0.7, 0, 1) }],
    ['writes NaN', { logProbs: (_: unknown, __: unknown, to: Float64Array) => to.fill(Number.NaN) }],
    ['writes Infinity', { logProbs: (_: unknown, __: unknown, to: Float64Array) => to.fill(Infinity) }],
  ])('must write log p of every level: %s', async (_, wrong) => {
    const model = scoped(modelWith({ ...right, ...wrong }));
    const labels = scoped(tf.zeros([1, 2, 2, 1], 'int32'));
    await expectNoLeaks(async () => {
      const options = { seed: 1, strategy: 'full' } as const; // its graph is the image itself
      await expect(sample(model, options)).rejects.toThrow('not finite');
      await expect(levelLogProbs(model, labels)).rejects.toThrow('not finite');
    });
  });

  it.each([2, -1, 0.5, Number.NaN, undefined])('must draw one of its levels, not %s', async (level) => {
    const model = scoped(modelWith({ ...right, levelAt: () => level }));
    await expectNoLeaks(async () => {
      await expect(sample(model, { seed: 1, strategy: 'full' })).rejects.toThrow(
        `levelAt of the distribution: wanted integer levels 0 to 1, got ${level}`,
      );
    });
  });

  it('must return nats of the labels\u2019 shape', () => {
    const model = scoped(modelWith({ ...right, negativeLogLikelihood: (labels: tf.Tensor) => tf.sum(labels) }));
    const [labels, outputs] = [scoped(tf.zeros([1, 2, 2, 1], 'int32')), scoped(tf.zeros([1, 2, 2, 1]))];
    expect(() => bitsPerDim(labels, outputs, model.distribution)).toThrow(
      'negativeLogLikelihood of the distribution: wanted nats of shape [1,2,2,1], got []',
    );
  });
});
