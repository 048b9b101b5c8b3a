import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type AutoregressiveModel, bitsPerDim, normalize, pixelCNN, sample } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend, useBackend } from './support/backends';
import { loadDigits } from './support/golden/digits';
import { savedArtifacts } from './support/models/memory-file';
import { expectNoLeaks, noise, take } from './support/tensors';

const LEVELS = 17;

/** A small digits network whose weights are the same wherever it is made. */
function build(): AutoregressiveModel {
  const model = pixelCNN({ imageShape: [8, 8, 1], levels: LEVELS, hiddenDim: 6, outDim: 10, numBlocks: 2, firstKernelSize: 5 });
  const weights = model.getWeights().map(({ shape, size }, i) => {
    const fanIn = size / (shape.at(-1) ?? 1);
    const scale = shape.length === 1 ? 0 : Math.sqrt(3 / fanIn);
    const numbers = noise(size, i + 1).map((x) => scale * x);
    return tf.tensor(numbers, shape);
  });
  model.setWeights(weights);
  tf.dispose(weights);
  return model;
}

interface Trained {
  losses: number[];
  saved: tf.io.ModelArtifacts;
}

/** Losses of training steps on batches of digits, and the model saved at the end. */
async function train({ steps, batchSize }: { steps: number; batchSize: number }): Promise<Trained> {
  const model = build();
  const optimizer = tf.train.adam(3e-3, 0.9, 0.999, 1e-7);
  model.compile({ optimizer, loss: bitsPerDim });
  const { train: digits, test } = await loadDigits();
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const labels = tf.slice(digits, batchSize * step, batchSize);
    const xs = normalize(labels, LEVELS);
    losses.push((await model.trainOnBatch(xs, labels)) as number);
    tf.dispose([labels, xs]);
  }
  const saved = await savedArtifacts(model);
  tf.dispose([digits, test]);
  model.dispose();
  optimizer.dispose();
  return { losses, saved };
}

const onCpu = new Map<string, Promise<Trained>>();

/** What comes of it on the cpu, computed once. */
async function trainOnCpu(sizes: Parameters<typeof train>[0]): Promise<Trained> {
  await useBackend('cpu');
  const key = JSON.stringify(sizes);
  const trained = onCpu.get(key) ?? train(sizes);
  onCpu.set(key, trained);
  return trained;
}

onEachBackend('training and sampling', (backend) => {
  const sizes = { steps: 10, batchSize: 4 };

  it(`follows the losses of the cpu for ${sizes.steps} steps`, async () => {
    const { losses: expected } = await trainOnCpu(sizes);
    await useBackend(backend);
    const { losses } = await train(sizes);
    for (const [step, loss] of losses.entries()) {
      expect(Math.abs(loss - (expected[step] as number))).toBeLessThan(1e-3);
    }
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) - 0.3); // it learns: ten steps of four digits lower the loss by 0.43
  });

  it('draws the images of the cpu for the same seed, from a saved model', async () => {
    const { saved } = await trainOnCpu(sizes);
    const model = await tfl.loadLayersModel(tf.io.fromMemory(saved));
    const expected = await take(await sample(model, { numImages: 8, seed: 3 }));

    await useBackend(backend);
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved));
    // What draws value by value knows no backend.
    expect(await take(await sample(loaded, { numImages: 8, seed: 3 }))).toEqual(expected);
    for (const m of [model, loaded]) m.dispose();
  });

  it('leaves no tensor behind', () =>
    expectNoLeaks(async () => {
      const { saved } = await train({ ...sizes, steps: 2 });
      const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved));
      const images = await sample(loaded, { numImages: 2, seed: 1 });
      loaded.dispose();
      return images;
    }));
});
