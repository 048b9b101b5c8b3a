import * as tf from '@tensorflow/tfjs-core';
import { gatedPixelCNN, type LogProbOptions, logProb, pixelCNN } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { allTinyImages, tinyModel } from '../support/models/tiny-space';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, setNoise, take } from '../support/tensors';

onEachBackend('logProb', (backend) => {
  it('does not depend on the batch', async () => {
    const model = scoped(tinyModel());
    const all = scoped(allTinyImages());
    const images = scoped(tf.slice(all, 36, 8));
    const whole = await take(await logProb(model, images, { batchSize: 8 }));
    expect(new Set(whole).size).toBe(8);
    for (const batchSize of isGpu(backend) ? [3] : [1, 3, 9]) {
      expectClose(await take(await logProb(model, images, { batchSize })), whole, 1e-6);
    }
  });

  it('adds up many small numbers without losing any', async () => {
    // Four levels, one of them e^12 times as likely as each of the others, whatever came before: -log p of a value is
    // log(1 + 3 e^-12), 1.8e-5. In float32, 1 + 1.8e-5 has lost the fourth digit.
    const model = scoped(pixelCNN({ imageShape: [28, 28, 3], levels: 4, hiddenDim: 1, outDim: 1, numBlocks: 0, firstKernelSize: 3 }));
    const weights = model.getWeights();
    const zeros = scoped(weights.slice(0, -1).map((weight) => tf.zerosLike(weight)));
    const bias = scoped(tf.tensor1d([12, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0]));
    model.setWeights([...zeros, bias]);
    const images = scoped(tf.zeros<tf.Rank.R4>([1, 28, 28, 3], 'int32'));
    const [nats = Number.NaN] = await take(await logProb(model, images));
    const wanted = -2352 * Math.log1p(3 * Math.exp(-12));
    expect(Math.abs(nats / wanted - 1)).toBeLessThan(1e-6);
    const ofValues = await take(await logProb(model, images, { perValue: true }));
    for (const one of ofValues) expect(Math.abs((2352 * one) / wanted - 1)).toBeLessThan(1e-6);
  });

  it('does not depend on how conditions are given', async () => {
    const sizes = { levels: 3, hiddenDim: 2, outDim: 3, numBlocks: 1, firstKernelSize: 3 };
    const model = scoped(gatedPixelCNN({ ...sizes, imageShape: [2, 2, 1], numClasses: 3 }));
    setNoise(model, 5);
    const all = scoped(allTinyImages());
    const images = scoped(tf.slice(all, 30, 5));
    const classes = [2, 0, 1, 1, 2];
    const [condition, labels] = [scoped(tf.tensor1d(classes, 'int32')), scoped(tf.tensor2d(classes, [5, 1]))];
    const natsOf = async (options: LogProbOptions) => take(await logProb(model, images, options));
    const nats = await natsOf({ condition: classes });
    expect(await natsOf({ condition })).toEqual(nats);
    expectClose(await natsOf({ condition: labels, batchSize: 2 }), nats, 1e-6);
    const ones = await natsOf({ condition: new Array<number>(5).fill(1) });
    expect(await natsOf({ condition: 1 })).toEqual(ones);
    expect(Math.abs((ones[0] as number) - (nats[0] as number))).toBeGreaterThan(1e-3); // the class counts
    await expectNoLeaks(async () => {
      await expect(logProb(model, images)).rejects.toThrow('logProb: condition: wanted a class from 0 to 2, or 5 of them');
    });
  });

  it('leaves no tensor behind, on errors too', async () => {
    const model = scoped(tinyModel());
    const images = scoped(allTinyImages());
    const bad = scoped(tf.fill([1, 2, 2, 1], 3) as tf.Tensor4D);
    const none = scoped(tf.zeros<tf.Rank.R4>([0, 2, 2, 1]));
    await expectNoLeaks(() => logProb(model, images));
    await expectNoLeaks(async () => {
      await expect(logProb(model, bad)).rejects.toThrow();
      await expect(logProb(model, none)).rejects.toThrow('logProb: images: wanted at least one image, got [0, 2, 2, 1]');
    });
  });
});

onBackend(anyBackend, 'logProb', () => {
  it('names invalid arguments', async () => {
    const model = scoped(pixelCNN({ imageShape: [2, 2, 1], levels: 3, hiddenDim: 2, outDim: 2, numBlocks: 0 }));
    const images = tf.zeros<tf.Rank.R4>([1, 2, 2, 1]);
    await expect(logProb(undefined as never, images)).rejects.toThrow('logProb: model: wanted a model');
    await expect(logProb(model, undefined as never)).rejects.toThrow('logProb: images: wanted a tensor of levels');
    await expect(logProb(model, images, { batchSize: 0 })).rejects.toThrow('logProb: batchSize');
    await expect(logProb(model, tf.zeros([1, 2, 3, 1]))).rejects.toThrow('logProb: images: wanted [2, 2, 1]');
    await expect(logProb(model, tf.zeros([2, 2, 1]))).rejects.toThrow('logProb: images');
    for (const level of [3, -1, 0.5]) {
      const bad = tf.fill([1, 2, 2, 1], level) as tf.Tensor4D;
      await expect(logProb(model, bad)).rejects.toThrow('logProb: images: wanted integer levels 0 to 2');
    }
  });
});
