import * as tf from '@tensorflow/tfjs-core';
import {
  bitsPerDim,
  checkCausality,
  type DistributionLayer,
  levelLogProbs,
  logProb,
  negativeLogLikelihood,
  normalize,
  receptiveField,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import { readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { expect, it } from 'vitest';
import { isGpu, onBackend, onEachBackend } from '../support/backends';
import { expectToFollow } from '../support/laws/chi-square';
import { allImages, kinds } from '../support/models/distributions';
import { saveAndLoad } from '../support/models/memory-file';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, take } from '../support/tensors';

const isOwn = (name: string) => name.includes('own');

onEachBackend('a model of any distribution', (backend) => {
  const enumerated = Object.entries(kinds).filter(([name]) => !isGpu(backend) || name.includes('two channels in groups'));
  it.each(enumerated)('has probabilities of all images of a tiny space that sum to 1: %s', async (_, make) => {
    const model = scoped(make());
    const images = scoped(allImages(model));
    const probabilities = (await take(await logProb(model, images))).map(Math.exp);
    expect(Math.abs(probabilities.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-5);
    expect(Math.max(...probabilities)).toBeGreaterThan(1.5 / probabilities.length); // not the uniform model

    const perValue = await logProb(model, images, { perValue: true });
    expect(perValue.shape).toEqual(images.shape);
    expectClose((await take(tf.sum(perValue, [1, 2, 3]))).map(Math.exp), probabilities, 1e-6);
    const ofLevels = scoped(await levelLogProbs(model, images));
    expect(ofLevels.shape).toEqual([...images.shape, model.levels]);
    const chosen = tf.sum(tf.mul(ofLevels, tf.cast(tf.oneHot(images, model.levels), 'float32')), 4); // [N,H,W,C,L] -> [N,H,W,C]
    expectClose(await take(chosen), await take(perValue), 2e-5);
  });

  const trained = Object.entries(kinds).filter(([name]) => !isGpu(backend) || name === 'a mixture, one channel');
  it.each(trained)('is trained, evaluated, saved and loaded by its last layer: %s', (_, make) =>
    expectNoLeaks(async () => {
      const model = make();
      const all = allImages(model);
      const images = tf.slice(all, 5, 6);
      const x = normalize(images, model.levels);
      const optimizer = tf.train.adam(0.05);
      model.compile({ optimizer, loss: bitsPerDim, metrics: [negativeLogLikelihood] });
      const figures = model.evaluate<tf.Scalar[]>(x, images);
      const nats = await take(await logProb(model, images));
      const wanted = -nats.reduce((a, b) => a + b) / images.size;
      expectClose([await take(figures[0] as tf.Scalar), await take(figures[1] as tf.Scalar)].flat(), [wanted / Math.LN2, wanted], 1e-5);
      tf.dispose(figures);
      const { history } = await model.fit(x, images, { epochs: 8, batchSize: 6 });
      const [losses, metric] = [history['loss'], history['negativeLogLikelihood']] as [number[], number[]];
      expect(losses.at(-1)).toBeLessThan((losses[0] as number) - 0.02);
      expect(metric[0]).toBeCloseTo((losses[0] as number) * Math.LN2, 4);

      const loaded = (await saveAndLoad(model, { includeOptimizer: true } as never)) as typeof model;
      expect(loaded.loss).toHaveProperty('name', 'bitsPerDim');
      expect(await take(await logProb(loaded, images))).toEqual(await take(await logProb(model, images)));
      loaded.dispose();
      model.dispose();
      optimizer.dispose();
      tf.dispose([all, images, x]);
    }),
  );
});

onBackend('wasm', 'without whole passes', () => {
  it.each(Object.entries(kinds))('draws as its probabilities say: %s', async (_, make) => {
    const model = scoped(make());
    const numImages = 1500;
    const images = scoped(await sample(model, { numImages, seed: 5, strategy: 'incremental' }));
    const all = scoped(allImages(model));
    const expected = (await take(await logProb(model, all))).map((nats) => numImages * Math.exp(nats));
    const counts = new Array<number>(expected.length).fill(0);
    const levels = await images.data();
    const values = levels.length / numImages;
    for (let n = 0; n < numImages; n++) {
      let index = 0;
      for (const level of levels.subarray(n * values, (n + 1) * values)) index = index * model.levels + level;
      (counts[index] as number)++;
    }
    expectToFollow(counts, expected);
  });

  it.each(Object.entries(kinds))('is causal, and sees what it depends on: %s', async (_, make) => {
    const model = scoped(make());
    expect(await checkCausality(model, { inputs: 'all' })).toMatchObject({ causal: true });
    const [height, width, channels] = model.imageShape as [number, number, number];
    const last = { row: height - 1, column: width - 1, channel: channels - 1 };
    const { seen } = await receptiveField(model, last);
    // of its own pixel all channels before, by the distribution if not by the network
    const own = seen.filter(([row, column]) => row === last.row && column === last.column);
    expect(own.map(([, , channel]) => channel)).toEqual([0, 1, 2].slice(0, channels - 1));
  });

  // What is read draws and scores alike, as whole passes do: random models, in tests/runtime/engine/random-models.test.ts.
  it.each(Object.entries(kinds).filter(([name]) => !isOwn(name)))('goes into a file: %s', async (name, make) => {
    const model = scoped(make());
    const portable = readPortable(writePortable(await toPortable(model)));
    const ofGaussian = { kind: 'gaussian', offset: 1 }; // of 2 or 3 levels
    const ofMixture = { kind: 'logisticMixture', components: 2 };
    expect(portable.distribution).toEqual(name.includes('Gaussian') ? ofGaussian : ofMixture);
  });

  it('completes single channels, by the posterior of the components', async () => {
    const model = scoped((kinds['a mixture, two channels of one group'] as () => ReturnType<(typeof kinds)[string]>)());
    const known = scoped(tf.tile(tf.tensor4d([1, 0, 1, 0], [1, 2, 1, 2]), [1000, 1, 1, 1])); // the first channel of both pixels
    const initial = scoped(tf.tile(tf.tensor4d([2, 0, 0, 0], [1, 2, 1, 2]), [1000, 1, 1, 1]));
    const images = scoped(await sample(model, { initial, known, seed: 1 }));
    const levels = await images.data();
    const all = scoped(allImages(model));
    const logProbs = await levelLogProbs(model, tf.slice(all, 2 * 27, 1)); // [2, 0, 0, 0]
    const wanted = (await take(logProbs)).slice(3, 6).map(Math.exp); // of the second channel of the first pixel
    for (const [level, probability] of wanted.entries()) {
      let count = 0;
      for (let n = 0; n < 1000; n++) if (levels[4 * n + 1] === level) count++;
      expect(Math.abs(count / 1000 - probability)).toBeLessThan(4 * Math.sqrt(0.25 / 1000)); // four standard deviations
    }
  });

  it('refuses to carry a distribution that is not data, by the layer’s name', async () => {
    const model = scoped((kinds["a user's own"] as () => ReturnType<(typeof kinds)[string]>)());
    await expect(toPortable(model)).rejects.toThrow(
      `toPortable: layer '${model.layers.at(-1)?.name}' has its own distribution, which is not data`,
    );
    const layer = model.layers.at(-1) as DistributionLayer;
    for (const data of [{ kind: 'other' }, { kind: 'logisticMixture', components: 5 }]) {
      Object.defineProperty(layer, 'distribution', { value: { ...layer.distribution, data } }); // data of another one
      await expect(toPortable(model)).rejects.toThrow('which is not data');
    }
  });
});
