import * as tf from '@tensorflow/tfjs-core';
import type { BlockArgs } from 'pixelcnn-layers';
import { bitsPerDim, checkCausality, logProb, maskedConv2d, negativeLogLikelihood, normalize, pixelCNN } from 'pixelcnn-layers';
import { describe, expect, it } from 'vitest';
import { partSeed } from '../../src/layers/seeds';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { loadDigits, loadTrainedDigits } from '../support/golden/digits';
import { buildGolden, goldenModels } from '../support/golden/models';
import { scoped } from '../support/scoped';
import { expectClose, expectCloseRelative, golden4d, take, weightGradients } from '../support/tensors';

onEachBackend('pixelCNN', (backend) => {
  describe.each(goldenModels)('against the golden values of $name', (reference) => {
    const { images, weights, config } = reference.model;
    // In software, GPUs take long: there the gradients are those of colour images, and the training is that of gray ones.
    const isColour = images.shape[3] === 3;

    it('logits, losses and log-likelihoods', async () => {
      const model = scoped(buildGolden(reference));
      const labels = scoped(golden4d(images, 'int32'));
      const logits = scoped(model.predict(normalize(labels, config.levels)) as tf.Tensor);
      expectClose(await logits.data(), reference.logits, 2e-5);

      const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
      expect(mean(await take(negativeLogLikelihood(labels, logits)))).toBeCloseTo(reference.model.loss_nats, 5);
      expect(mean(await take(bitsPerDim(labels, logits)))).toBeCloseTo(reference.model.bits_per_dim, 5);
      const bits = (await take(await logProb(model, labels))).map((nats) => -nats / Math.LN2);
      expectCloseRelative(bits, reference.model.nll_bits_per_image, 1e-6);
    });

    it.skipIf(isGpu(backend) && !isColour)('gradients of the loss for every weight', async () => {
      const model = scoped(buildGolden(reference));
      const labels = scoped(golden4d(images, 'int32'));
      const x = scoped(normalize(labels, config.levels));
      const gradients = weightGradients(model, () => tf.mean(negativeLogLikelihood(labels, model.apply(x) as tf.Tensor)));
      const expected = Object.values(reference.grads);
      expect(gradients).toHaveLength(expected.length);
      for (const [i, { data }] of expected.entries()) {
        expectCloseRelative(await take(gradients[i] as tf.Tensor), data, 2e-4);
      }
    });

    it.skipIf(isGpu(backend) && isColour)('ten steps of Adam, by which masked weights never move', async () => {
      const model = scoped(buildGolden(reference));
      const optimizer = scoped(tf.train.adam(1e-3, 0.9, 0.999, 1e-7));
      model.compile({ optimizer, loss: negativeLogLikelihood });
      const labels = scoped(golden4d(images, 'int32'));
      const x = scoped(normalize(labels, config.levels));
      for (const [step, loss] of reference.adam.losses_nats.entries()) {
        if (step === 10) break; // the eleventh loss is the one after the tenth step
        (optimizer as tf.AdamOptimizer & { learningRate: number }).learningRate = 1e-3 * 0.999995 ** step;
        expect(await model.trainOnBatch(x, labels)).toBeCloseTo(loss, 5);
      }
      const after = model.evaluate(x, labels) as tf.Scalar;
      expect((await take(after))[0]).toBeCloseTo(reference.adam.losses_nats[10] as number, 5);

      const changes = Object.values(reference.adam.final_weight_sum_abs_change);
      for (const [i, before] of Object.values(weights).entries()) {
        const now = await (model.getWeights()[i] as tf.Tensor).data();
        const change = before.data.reduce((sum, value, j) => sum + Math.abs(value - (now[j] as number)), 0);
        expect(Math.abs(change - (changes[i] as number))).toBeLessThan(1e-3 * (changes[i] as number) + 1e-5);
      }
    });
  });

  it('reproduces the test result of the trained digits network, and the bits of its first images', async () => {
    const { model, testBitsPerDim, firstBits } = await loadTrainedDigits();
    const { test } = scoped(await loadDigits());
    const expected = isGpu(backend) ? firstBits.slice(0, 2) : firstBits;
    const first = scoped(tf.slice(test, 0, expected.length));
    const bits = (await take(await logProb(model, first))).map((nats) => -nats / Math.LN2);
    expectCloseRelative(bits, expected, 1e-5);
    if (!isGpu(backend)) {
      const nats = await take(await logProb(model, test));
      const mean = -nats.reduce((a, b) => a + b) / (test.size * Math.LN2);
      expect(mean).toBeCloseTo(testBitsPerDim, 5); // 1.90564
    }
    model.dispose();
  });
});

onBackend(anyBackend, 'pixelCNN', () => {
  it('has the layers and weights of the blog, in its order', () => {
    const model = scoped(pixelCNN({ imageShape: [32, 32, 3], hiddenDim: 2, outDim: 4, numBlocks: 2, name: 'mine' }));
    const [h, out, l] = [2 * 3, 4 * 3, 256 * 3];
    const conv = (name: string, ...shape: number[]) => [[`${name}kernel`, shape], [`${name}bias`, shape.slice(-1)]]; // biome-ignore format: rows
    const blocks = ['block0/conv_', 'block1/conv_'].flatMap((name) => [
      ...conv(`${name}in_`, 1, 1, 2 * h, h),
      ...conv(`${name}mid_`, 3, 3, h, h),
      ...conv(`${name}out_`, 1, 1, h, 2 * h),
    ]);
    const head = [...conv('output_conv1/', 1, 1, 2 * h, out), ...conv('output_conv2/', 1, 1, out, out)];
    const [first, last] = [conv('input_conv/', 7, 7, 3, 2 * h), conv('final_conv/', 1, 1, out, l)];
    const weights = model.weights.map(({ originalName, shape }) => [originalName, shape]);
    expect(weights).toEqual([...first, ...blocks, ...head, ...last]);
    expect(model.name).toBe('mine');
    expect(model.outputs[0]?.shape).toEqual([null, 32, 32, 3, 256]);
    const ours = model.layers.map((layer) => layer.getClassName()).filter((name) => name.startsWith('Pixel'));
    expect(ours).toEqual(['PixelCNNResBlock', 'PixelCNNResBlock', 'PixelLogits']);
  });

  it('is built of blocks of the caller', async () => {
    const seen: BlockArgs[] = [];
    const sizes = { levels: 4, hiddenDim: 3, outDim: 2, numBlocks: 2, kernelSize: [3, 5] as [number, number] };
    const block = (args: BlockArgs) => {
      seen.push(args);
      const { dropout: _, ...rest } = args;
      return maskedConv2d({ ...rest, filters: 2 * args.filters });
    };
    const model = scoped(pixelCNN({ imageShape: [3, 3, 2], ...sizes, seed: 4, dropout: 0.25, block }));
    const shared = { filters: 6, imageChannels: 2, kernelSize: [3, 5], dropout: 0.25 };
    expect(seen).toEqual([
      { ...shared, name: 'block0', index: 0, seed: partSeed(4, 'block0') },
      { ...shared, name: 'block1', index: 1, seed: partSeed(4, 'block1') },
    ]);
    expect(model.layers.map(({ name }) => name).slice(1, 4)).toEqual(['input_conv', 'block0', 'block1']);
    expect((await checkCausality(model, { inputs: 'all' })).causal).toBe(true);
  });
});
