import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, exponentialDecay, pixelCNN, scheduleLearningRate } from 'pixelcnn-layers';
import { imageBatches, imageSet } from 'pixelcnn-layers/data';
import { expect, it } from 'vitest';
import { bitsByChannel } from '../../kit/models/channel-bits.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { trainInTurn } from './lib/train-in-turn.mjs';

await useBackend('cpu');

it('trains each model as if it were alone', async () => {
  const set = (count: number, from: number) =>
    imageSet({ data: Uint8Array.from({ length: count * 9 }, (_, i) => (from + 5 * i) % 4), shape: [count, 3, 3, 1], levels: 4 });
  const sets = { train: set(12, 0), test: set(5, 3) };
  const args = {
    imageShape: [3, 3, 1] as [number, number, number],
    levels: 4,
    hiddenDim: 2,
    outDim: 3,
    numBlocks: 1,
    firstKernelSize: 3,
    seed: 2,
  };
  const make = () => ({ one: pixelCNN(args), other: pixelCNN({ ...args, output: { components: 2 } }) });

  const wanted: Record<string, number> = {};
  for (const [name, model] of Object.entries(make())) {
    const optimizer = tf.train.adam(0.01, 0.9, 0.999, 1e-7);
    model.compile({ optimizer, loss: bitsPerDim });
    const schedule = scheduleLearningRate(optimizer, exponentialDecay({ initial: 0.01 }));
    let step = 0;
    for (const { xs, ys } of imageBatches(sets.train, { batchSize: 4, seed: 7 })) {
      schedule.beforeStep();
      await model.trainOnBatch(xs, ys);
      tf.dispose([xs, ys]);
      if (++step === 6) break;
    }
    const three = imageSet({ data: sets.test.data.slice(0, 27), shape: [3, 3, 3, 1], levels: 4 });
    [wanted[name]] = (await bitsByChannel(model, three, { batchSize: 3 })) as [number];
  }

  const models = make();
  const options = { steps: 6, batchSize: 4, learningRate: 0.01, seed: 7, evalImages: 3 };
  const got = await trainInTurn(models, sets, options);
  expect(Object.keys(got)).toEqual(['one', 'other']);
  for (const [name, { bits, step }] of Object.entries(got)) {
    expect(bits).toBe(wanted[name]);
    expect(step.rounds).toBe(6);
  }
});
