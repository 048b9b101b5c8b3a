import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  autoregressiveModel,
  checkCausality,
  gatedPixelCNN,
  type InputEncoding,
  type Leak,
  levelEmbedding,
  type MaskType,
  maskedConv2d,
  oneHotClass,
  oneHotLevels,
  type Place,
  pixelCNN,
  pixelLogits,
} from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { isGpu, onEachBackend, useBackend } from '../support/backends';
import { expectNoLeaks } from '../support/tensors';

const LEVELS = 2;

/** A stack of masked convolutions: the first of the given type, then one of type B. */
function stack(firstType: MaskType, [h, w, c]: Place): tfl.LayersModel {
  const image = tfl.input({ shape: [h, w, c] });
  let x = maskedConv2d({ filters: 4 * c, kernelSize: 3, maskType: firstType, imageChannels: c }).apply(image);
  x = maskedConv2d({ filters: LEVELS * c, kernelSize: 1, imageChannels: c }).apply(x as tfl.SymbolicTensor);
  x = pixelLogits({ imageChannels: c, levels: LEVELS }).apply(x as tfl.SymbolicTensor);
  return autoregressiveModel({ inputs: image, outputs: x as tfl.SymbolicTensor });
}

function placesOf([h, w, c]: Place): Place[] {
  return Array.from({ length: h * w * c }, (_, i) => [Math.floor(i / (w * c)), Math.floor(i / c) % w, i % c]);
}

onEachBackend('checkCausality', (backend) => {
  it('passes every model of ours', async () => {
    const models = fc.record({
      imageShape: fc.tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
      ),
      numBlocks: fc.integer({ min: 0, max: 2 }),
      firstKernelSize: fc.tuple(fc.constantFrom(1, 3, 7), fc.constantFrom(1, 3, 5)),
      kernelSize: fc.constantFrom(1, 3, 5),
      input: fc.constantFrom<InputEncoding>('scaled', 'oneHot', { embedding: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(models, async (args) => {
        const model = pixelCNN({ ...args, levels: 3, hiddenDim: 2, outDim: 2 });
        expect(await checkCausality(model)).toEqual({ causal: true, leaks: [] });
        model.dispose();
      }),
      { seed: 1, numRuns: isGpu(backend) ? 3 : 10 },
    );
  });

  it('names every leaking pair of a stack that begins with mask B: each value sees itself', async () => {
    const shape: Place = [2, 3, 2];
    const model = stack('B', shape);
    const expected = placesOf(shape).map((place) => ({ output: place, input: place }));
    expect(await checkCausality(model)).toMatchObject({ causal: false, leaks: expected });
    model.dispose();
  });

  it('names every leaking pair where levels are categories, whichever they are', async () => {
    const shape: Place = [2, 3, 2];
    for (const levels of isGpu(backend) ? [16] : [2, 16]) {
      for (const encode of [oneHotLevels({ levels }), levelEmbedding({ levels, units: 3, seed: 1 })]) {
        const image = tfl.input({ shape });
        const conv = maskedConv2d({
          filters: 2 * levels,
          kernelSize: 3,
          maskType: 'B',
          imageChannels: 2,
          seed: 1,
        });
        const logits = pixelLogits({ imageChannels: 2, levels }).apply(conv.apply(encode.apply(image)));
        const model = autoregressiveModel({ inputs: image, outputs: logits });
        const expected = placesOf(shape).map((place) => ({ output: place, input: place }));
        expect(await checkCausality(model)).toEqual({ causal: false, leaks: expected, layer: conv.name });
        model.dispose();
      }
    }
  });

  it('names every leaking pair of a plain convolution, outside the library: its whole window from the value on', async () => {
    const shape: Place = [3, 3, 1];
    const image = tfl.input({ shape });
    const conv = tfl.layers.conv2d({ filters: LEVELS, kernelSize: 3, padding: 'same' });
    const logits = pixelLogits({ imageChannels: 1, levels: LEVELS }).apply(
      conv.apply(image) as tfl.SymbolicTensor,
    );
    const model = tfl.model({ inputs: image, outputs: logits as tfl.SymbolicTensor });

    const expected: Leak[] = [];
    for (const [o, output] of placesOf(shape).entries()) {
      for (const [i, input] of placesOf(shape).entries()) {
        const isInWindow = Math.abs(output[0] - input[0]) <= 1 && Math.abs(output[1] - input[1]) <= 1;
        if (i >= o && isInWindow) expected.push({ output, input });
      }
    }
    const { causal, leaks } = await checkCausality(model, { seed: 3, batchSize: 5 });
    expect(causal).toBe(false);
    expect(leaks).toEqual(expected);
    model.dispose();
  });

  it('names every leaking pair of a wrong channel order', async () => {
    // The logits of the two channels change places: those named channel 0 have seen channel 0.
    const shape: Place = [2, 2, 2];
    const image = tfl.input({ shape });
    const masked = maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 2 }).apply(image);
    const swap = tfl.layers.conv2d({ filters: 4, kernelSize: 1, useBias: false });
    const swapped = swap.apply(masked as tfl.SymbolicTensor);
    const order = [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]; // biome-ignore format: a matrix
    swap.setWeights([tf.tensor4d([[order]])]);
    const logits = pixelLogits({ imageChannels: 2, levels: LEVELS }).apply(swapped as tfl.SymbolicTensor);
    const model = tfl.model({ inputs: image, outputs: logits as tfl.SymbolicTensor });

    const expected = placesOf(shape).filter(([, , channel]) => channel === 0);
    expect(await checkCausality(model)).toMatchObject({
      causal: false,
      leaks: expected.map((place) => ({ output: place, input: place })),
    });
    model.dispose();
  });

  it('leaves no tensor behind, on errors too', async () => {
    const model = stack('A', [2, 2, 1]);
    await expectNoLeaks(async () => {
      await checkCausality(model);
    });
    const weights = model.getWeights().map((weight) => tf.fill(weight.shape, Number.NaN));
    model.setWeights(weights);
    tf.dispose(weights);
    await expectNoLeaks(async () => {
      await expect(checkCausality(model)).rejects.toThrow(
        'checkCausality: the model gave logits that are not finite',
      );
    });
    model.dispose();
  });
});

describe('checkCausality', () => {
  beforeAll(() => useBackend('cpu'));

  it('tries every class, or the one that is given', async () => {
    // The future leaks under class 1 only: a stock convolution of the image, times the label.
    const [image, label] = [tfl.input({ shape: [2, 2, 1] }), tfl.input({ shape: [1] })];
    const oneHot = oneHotClass({ numClasses: 2 }).apply(label) as tfl.SymbolicTensor;
    const isOne = tfl.layers
      .dense({ units: 1, useBias: false, weights: [tf.tensor2d([0, 1], [2, 1])] })
      .apply(oneHot);
    const conv = tfl.layers.conv2d({ name: 'stock', filters: LEVELS, kernelSize: 1 }).apply(image);
    const everywhere = tfl.layers.repeatVector({ n: 4 }).apply(isOne) as tfl.SymbolicTensor;
    const map = tfl.layers.reshape({ targetShape: [2, 2, 1] }).apply(everywhere) as tfl.SymbolicTensor;
    const product = tfl.layers.multiply().apply([conv as tfl.SymbolicTensor, map]) as tfl.SymbolicTensor;
    const logits = pixelLogits({ imageChannels: 1, levels: LEVELS }).apply(product) as tfl.SymbolicTensor;
    const model = autoregressiveModel({ inputs: [image, label], outputs: logits });
    expect(await checkCausality(model, { condition: 0 })).toEqual({ causal: true, leaks: [] });
    for (const options of [{ condition: 1 }, { condition: [1] }, {}, { seed: 1 }, { batchSize: 4 }]) {
      const { causal, leaks, layer } = await checkCausality(model, options);
      expect([causal, leaks.length, layer]).toEqual([false, 4, 'stock']);
    }
    model.dispose();
  });

  it('finds every leak that only one of many classes opens', async () => {
    const numClasses = 7;
    for (const leaking of [0, 3, 6]) {
      const [image, label] = [tfl.input({ shape: [4, 4, 1] }), tfl.input({ shape: [1] })];
      const oneHot = oneHotClass({ numClasses }).apply(label) as tfl.SymbolicTensor;
      const gates = tf.tensor2d(Array.from({ length: numClasses }, (_, k) => [Number(k === leaking)]));
      const isOpen = tfl.layers.dense({ units: 1, useBias: false, weights: [gates] }).apply(oneHot);
      const map = tfl.layers.repeatVector({ n: 16 }).apply(isOpen) as tfl.SymbolicTensor;
      const open = tfl.layers.reshape({ targetShape: [4, 4, 1] }).apply(map) as tfl.SymbolicTensor;
      const itself = tfl.layers.conv2d({ filters: LEVELS, kernelSize: 1 }).apply(image);
      const features = tfl.layers.multiply().apply([itself as tfl.SymbolicTensor, open]);
      const logits = pixelLogits({ imageChannels: 1, levels: LEVELS }).apply(features as tfl.SymbolicTensor);
      const model = autoregressiveModel({ inputs: [image, label], outputs: logits as tfl.SymbolicTensor });
      const expected = placesOf([4, 4, 1]).map((place) => ({ output: place, input: place }));
      expect((await checkCausality(model)).leaks).toEqual(expected);
      model.dispose();
      gates.dispose();
    }
  });

  it('takes a vector or a map of one image, of any size', async () => {
    const args = {
      imageShape: [null, null, 2] as [null, null, number],
      levels: 2,
      hiddenDim: 1,
      outDim: 1,
      numBlocks: 0,
    };
    const imageShape: Place = [2, 3, 2];
    for (const [size, shape] of [
      [{ conditionSize: 3 }, [1, 3]],
      [{ conditionMapSize: 3 }, [1, 2, 3, 3]],
    ] as const) {
      const model = gatedPixelCNN({ ...args, ...size });
      const [condition, other] = [tf.ones([...shape]), tf.ones([2, ...shape.slice(1)])];
      await expectNoLeaks(async () => {
        expect((await checkCausality(model, { imageShape, condition })).causal).toBe(true);
        await expect(checkCausality(model, { imageShape, condition: other })).rejects.toThrow(
          `checkCausality: condition: wanted numbers of shape [${shape}], got [2, `,
        );
        await expect(checkCausality(model, { imageShape, condition: 1 })).rejects.toThrow('got 1');
      });
      tf.dispose([condition, other]);
      model.dispose();
    }
    const plain = stack('A', [2, 2, 1]);
    await expect(checkCausality(plain, { condition: 1 })).rejects.toThrow(
      'checkCausality: condition: wanted none, since the model takes no condition, got 1',
    );
    plain.dispose();
  });

  it('takes the image shape from the caller where the model takes any', async () => {
    const model = pixelCNN({ imageShape: [null, null, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 1 });
    expect((await checkCausality(model, { imageShape: [2, 3, 1] })).causal).toBe(true);
    await expect(checkCausality(model)).rejects.toThrow('checkCausality: imageShape: wanted [H, W, 1]');
    model.dispose();
  });

  it('names what is wrong', async () => {
    const model = stack('A', [2, 2, 1]);
    await expect(checkCausality(model, { imageShape: [2, 3, 1] })).rejects.toThrow(
      'checkCausality: imageShape',
    );
    await expect(checkCausality(model, { batchSize: 0 })).rejects.toThrow('checkCausality: batchSize');
    await expect(checkCausality(model, { seed: 0.5 })).rejects.toThrow('checkCausality: seed');
    const image = tfl.input({ shape: [2, 2, 1] });
    const other = tfl.model({ inputs: image, outputs: image });
    await expect(checkCausality(other)).rejects.toThrow('checkCausality: model: wanted a model');
    model.dispose();
  });
});
