import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import type { AutoregressiveModel } from 'pixelcnn-layers';
import { bitsPerDim, createTrainer, gatedPixelCNN, normalize, pixelCNN, pixelCNNPlusPlus, pixelSNAIL } from 'pixelcnn-layers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { isGpu, onBackend, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/models/memory-file';
import { scoped } from '../support/scoped';
import { expectNoLeaks, take } from '../support/tensors';
import { expectWarning } from '../support/warnings';
import { startTrainInProcess } from '../support/workers/pool-in-process';

const LEVELS = 4;
const SIZES = { imageShape: [2, 2, 2] as [number, number, number], levels: LEVELS, hiddenDim: 1, outDim: 1, numBlocks: 0 };

const compile = (model: AutoregressiveModel, checkLabels?: boolean) => {
  model.compile({ optimizer: tf.train.sgd(0.1), loss: bitsPerDim, ...(checkLabels === undefined ? {} : { checkLabels }) });
  return model;
};

/** Levels of three images [3,2,2,2], with the value at [2, 0, 1, 1] replaced. */
const levelsWith = (value: number) => {
  const levels = Array.from({ length: 24 }, (_, i) => (i === 19 ? value : i % LEVELS));
  return tf.tensor4d(levels, [3, 2, 2, 2]);
};

/** A batch whose labels or images are wrong at one place. */
function batch(label: number, pixel: number) {
  return { xs: tf.tidy(() => tf.div(levelsWith(3 * pixel), 3)), ys: levelsWith(label) };
}

const WRONG_LABEL = 'labels at [2,0,1,1]: wanted integer levels 0 to 3, got';
const WRONG_IMAGE = 'images at [2,0,1,1]: wanted numbers from 0 to 1, as normalize returns, got';

onEachBackend('checkLabels', (backend) => {
  it('names invalid labels and images, and trains on valid ones', async () => {
    const model = scoped(compile(pixelCNN(SIZES), true));
    await expectNoLeaks(async () => {
      const cases: [number, number, string][] = [
        [4, 1, `${WRONG_LABEL} 4`],
        [-1, 1, `${WRONG_LABEL} -1`],
        [1.5, 1, `${WRONG_LABEL} 1.5`],
        [3, 2, `${WRONG_IMAGE} 2`],
        [3, -1, `${WRONG_IMAGE} -1`],
      ];
      for (const [label, pixel, message] of isGpu(backend) ? cases.slice(2, 4) : cases) {
        const { xs, ys } = batch(label, pixel);
        await expect(model.trainOnBatch(xs, ys)).rejects.toThrow(`trainOnBatch: ${message}`);
        tf.dispose([xs, ys]);
      }
      const { xs, ys } = batch(3, 1);
      expect(await model.trainOnBatch(xs, ys)).toBeGreaterThan(0);
      expect((await take(model.evaluate(xs, ys) as tf.Scalar))[0]).toBeGreaterThan(0);
      return [xs, ys];
    });
    model.optimizer.dispose();
  });

  it('of evaluate comes when a figure is read, also of tensors disposed meanwhile', async () => {
    const model = scoped(compile(pixelCNN(SIZES), true));
    await expectNoLeaks(async () => {
      const { xs, ys } = batch(4, 1);
      const figure = model.evaluate(xs, ys) as tf.Scalar;
      tf.dispose([xs, ys]);
      await expect(figure.data()).rejects.toThrow(`evaluate: ${WRONG_LABEL} 4`);
      await expect(figure.array()).rejects.toThrow(`evaluate: ${WRONG_LABEL} 4`);
      return figure;
    });
    model.optimizer.dispose();
  });
});

describe('checkLabels', () => {
  let model: AutoregressiveModel;
  let right: ReturnType<typeof batch>;
  beforeAll(async () => {
    await useBackend('cpu');
    right = batch(3, 1);
  });
  beforeEach(() => {
    model = compile(pixelCNN(SIZES), true);
  });
  afterAll(() => tf.dispose([right.xs, right.ys]));

  const dataset = (...labels: number[]) =>
    tfd.generator(function* () {
      for (const label of labels) yield batch(label, 1);
    });
  const fitted = (data: { xs: tf.Tensor; ys: tf.Tensor }, validation?: { xs: tf.Tensor; ys: tf.Tensor }) =>
    model.fit(data.xs, data.ys, { epochs: 1, verbose: 0, ...(validation && { validationData: [validation.xs, validation.ys] }) });

  it('looks at the first batch of each fit by default, and at all if it is true', async () => {
    const wrong = scoped(batch(4, 1)); // in the third of its images
    const trained = (batchSize: number) => model.fit(wrong.xs, wrong.ys, { batchSize, epochs: 1, verbose: 0, shuffle: false });
    await expectNoLeaks(async () => {
      await expect(trained(2)).rejects.toThrow(`fit: ${WRONG_LABEL} 4`);
      await expect(fitted(right, wrong)).rejects.toThrow(`fit: validationData: ${WRONG_LABEL} 4`);
    });
    await expect(fitted(right, right)).resolves.toBeDefined();
    compile(model);
    await expectNoLeaks(async () => {
      for (let again = 0; again < 2; again++) {
        await trained(2);
        await expect(trained(3)).rejects.toThrow(`fit: ${WRONG_LABEL} 4`);
      }
      await expect(fitted(right, wrong)).rejects.toThrow(`fit: validationData: ${WRONG_LABEL} 4`);
    });
    compile(model, false);
    await trained(3);
  });

  it('looks at the first batch of a dataset by default, in the first of its epochs', async () => {
    compile(model);
    await expect(model.fitDataset(dataset(4, 3), { epochs: 1, verbose: 0 })).rejects.toThrow(`fitDataset: ${WRONG_LABEL} 4`);
    let epochs = 0;
    const worse = tfd.generator(function* () {
      yield batch(3 + epochs++, 1);
    });
    await model.fitDataset(worse, { epochs: 2, verbose: 0 });
    await model.fitDataset(dataset(3, 4), { epochs: 1, verbose: 0 });
    await expect(model.evaluateDataset(dataset(4, 3))).rejects.toThrow(`evaluateDataset: ${WRONG_LABEL} 4`);
    tf.dispose(await model.evaluateDataset(dataset(3, 4)));
  });

  it('is in fitDataset and evaluateDataset, batch by batch', async () => {
    const epochs = { epochs: 1, verbose: 0 } as const;
    await expectNoLeaks(async () => {
      await expect(model.fitDataset(dataset(4, 3), epochs)).rejects.toThrow(`fitDataset: ${WRONG_LABEL} 4`);
      await expect(model.evaluateDataset(dataset(4, 3))).rejects.toThrow(`evaluateDataset: ${WRONG_LABEL} 4`);
      const iterator = await dataset(4).iterator();
      await expect(model.evaluateDataset(iterator as never)).rejects.toThrow(`evaluateDataset: ${WRONG_LABEL} 4`);
    });
    // What tfjs has summed over the batches before, it leaves behind where an iterator throws.
    await expect(model.fitDataset(dataset(3, 4), epochs)).rejects.toThrow(`fitDataset: ${WRONG_LABEL} 4`);
    const validated = model.fitDataset(dataset(3), { ...epochs, validationData: dataset(3, 4) });
    await expect(validated).rejects.toThrow(`evaluateDataset: ${WRONG_LABEL} 4`);
    const wrong = scoped(batch(4, 1));
    const onTensors = model.fitDataset(dataset(3), { ...epochs, validationData: [wrong.xs, wrong.ys] });
    await expect(onTensors).rejects.toThrow(`fitDataset: validationData: ${WRONG_LABEL} 4`);
    const { history } = await model.fitDataset(dataset(3, 2), epochs);
    expect(history['loss']).toHaveLength(1);
    expect((await take((await model.evaluateDataset(dataset(3))) as tf.Scalar))[0]).toBeGreaterThan(0);
  });

  it('explains if labels are normalized, and images are not', async () => {
    const levels = scoped(tf.tensor4d([0, 1, 2, 3, 0, 0, 0, 0], [1, 2, 2, 2], 'int32'));
    const images = scoped(normalize(levels, LEVELS));
    const message = 'labels at [0,0,0,1]: wanted integer levels 0 to 3, not normalized, got 0.3333';
    await expect(model.trainOnBatch(images, images)).rejects.toThrow(message);
    const ofImages = 'images at [0,0,1,0]: wanted numbers from 0 to 1, as normalize returns, got 2';
    await expect(model.trainOnBatch(levels, levels)).rejects.toThrow(ofImages);
  });

  it('takes tensors by name and in lists, and looks at classes', async () => {
    const gated = scoped(compile(gatedPixelCNN({ ...SIZES, numClasses: 3 }), true));
    const { xs, ys } = scoped(batch(4, 1));
    const [classes, wrong] = [scoped(tf.tensor1d([0, 1, 2])), scoped(tf.tensor2d([0, 3, 1], [3, 1]))];
    const [name = ''] = gated.outputNames;
    const named = { image: xs, condition: wrong };
    await expect(gated.trainOnBatch(named, { [name]: ys })).rejects.toThrow(`trainOnBatch: ${WRONG_LABEL} 4`);
    const message = 'condition: wanted an integer from 0 to 2, got 3';
    await expect(gated.trainOnBatch(named, { [name]: right.ys })).rejects.toThrow(`trainOnBatch: ${message}`);
    await expect(gated.fit([xs, wrong], right.ys, { verbose: 0 })).rejects.toThrow(`fit: ${message}`);
    await gated.fit(xs, right.ys, { epochs: 1, verbose: 0, condition: classes });
  });

  it('checks all conditions that fit receives as condition, and otherwise those of the checked images', async () => {
    const gated = scoped(compile(gatedPixelCNN({ ...SIZES, numClasses: 3 })));
    const { xs, ys } = scoped(batch(3, 1));
    const wrong = scoped(tf.tensor2d([0, 1, 3], [3, 1])); // of the third image
    const message = 'condition: wanted an integer from 0 to 2, got 3';
    const args = { batchSize: 2, epochs: 1, verbose: 0, shuffle: false } as const;
    await expect(gated.fit(xs, ys, { ...args, condition: wrong })).rejects.toThrow(`fit: ${message}`);
    await expect(gated.fit(ys, { ...args, condition: wrong })).rejects.toThrow(`fit: ${message}`);
    await expect(gated.fit([xs, wrong], ys, { ...args, batchSize: 3 })).rejects.toThrow(`fit: ${message}`);
    expect((await gated.fit([xs, wrong], ys, args)).epoch).toEqual([0]);
    const evaluated = (batchSize: number) => gated.evaluate(ys, { condition: wrong, batchSize });
    expect(await take(evaluated(2))).toHaveLength(1);
    const figure = scoped(evaluated(3));
    await expect(figure.data()).rejects.toThrow(`evaluate: ${message}`);
  });

  it('checks the first batch of trainOnBatch by default, also once loaded, and none if it is false', async () => {
    const { xs, ys } = scoped(batch(4, 1));
    const loaded = (await saveAndLoad(model, { includeOptimizer: true })) as AutoregressiveModel;
    for (const each of [compile(pixelCNN(SIZES)), compile(model), loaded]) {
      await expect(each.trainOnBatch(xs, ys)).rejects.toThrow(`trainOnBatch: ${WRONG_LABEL} 4`);
      await expect(each.trainOnBatch(xs, ys)).rejects.toThrow(WRONG_LABEL); // none has passed yet
      await each.trainOnBatch(right.xs, right.ys);
      expect(await each.trainOnBatch(xs, ys)).toBeTypeOf('number');
      expect(await (each.evaluate(xs, ys) as tf.Scalar).data()).toHaveLength(1);
      compile(each); // begins anew
      await expect(each.trainOnBatch(xs, ys)).rejects.toThrow(WRONG_LABEL);
      compile(each, false);
      expect(await each.trainOnBatch(xs, ys)).toBeTypeOf('number');
      expect((await each.fit(xs, ys, { epochs: 1, verbose: 0 })).epoch).toEqual([0]);
    }
    expect(() => compile(model, 'yes' as never)).toThrow("compile: checkLabels: wanted true or false, got 'yes'");
  });
});

onBackend('cpu', 'The default of 256 levels', () => {
  const imageShape: [number, number, number] = [4, 4, 1];
  const sizes = { imageShape, hiddenDim: 1, outDim: 1, numBlocks: 0 };
  /** Two images, black but for one pixel of this level in the second. */
  const imagesWith = (level: number) => tf.tensor4d([...new Array(31).fill(0), level], [2, 4, 4, 1], 'int32');

  it.each([
    ['pixelCNN', () => pixelCNN(sizes)],
    ['gatedPixelCNN', () => gatedPixelCNN(sizes)],
    ['pixelCNNPlusPlus', () => pixelCNNPlusPlus({ imageShape, filters: 1, numResnets: 1 })],
    ['pixelSNAIL', () => pixelSNAIL({ imageShape, filters: 2, heads: 1, numBlocks: 1, numResBlocks: 0, resFilters: 1 })],
  ])('that %s took is warned of once, where the first images stay far below it', async (_, make) => {
    const model = scoped(compile(make()));
    const images = scoped(imagesWith(16));
    const message =
      'fit: no level is above 16, and the model has 256 levels, the default: give `levels: 17` to the function that ' +
      'makes it, or `levels: 256` if these images are only dark';
    await expectNoLeaks(async () => {
      await expectWarning(message, async () => {
        await model.fit(images, { verbose: 0 });
        await model.fit(images, { verbose: 0 });
        await model.trainOnBatch(images);
      });
    });
  });

  it('is warned of by all methods that check labels, and by trainers', async () => {
    const ways: [string, (model: AutoregressiveModel, images: tf.Tensor4D) => Promise<unknown>][] = [
      ['trainOnBatch', (model, images) => model.trainOnBatch(normalize(images), images)],
      ['evaluate', (model, images) => take(model.evaluate<tf.Scalar>(images))],
      ['fitDataset', (model, images) => model.fitDataset(tfd.array([0]).map(() => images.clone()), { epochs: 1, verbose: 0 })],
      ['fit', async (model, images) => {
        const trainer = await createTrainer(model, { workers: 1, createWorker: startTrainInProcess });
        await trainer.fit(images, { verbose: 0 });
        await trainer.dispose();
      }],
    ]; // biome-ignore format: one way an item
    const images = scoped(imagesWith(1));
    for (const [caller, train] of ways) {
      const model = scoped(compile(pixelCNN(sizes)));
      await expectWarning(`${caller}: no level is above 1,`, () => train(model, images));
    }
  });

  it('is not warned of where labels are wrong, which is what to mend first', async () => {
    const warn = vi.spyOn(console, 'warn');
    const model = scoped(compile(pixelCNN(sizes)));
    const images = scoped(imagesWith(16));
    const normalized = scoped(normalize(images));
    await expect(model.fit(normalized, normalized)).rejects.toThrow('wanted integer levels 0 to 255, not normalized');
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('is not warned of where it was given, where levels reach 32, in black images, or unchecked', async () => {
    const warn = vi.spyOn(console, 'warn');
    const [dark, light, black] = [scoped(imagesWith(31)), scoped(imagesWith(32)), scoped(imagesWith(0))];
    const cases: [object, tf.Tensor4D, boolean?][] = [[{ levels: 256 }, dark], [{ levels: 32 }, dark], [{}, light], [{}, black], [{}, dark, false]]; // biome-ignore format: rows
    for (const [levels, images, checkLabels] of cases) {
      const model = scoped(compile(pixelCNN({ ...sizes, ...levels }), checkLabels));
      await model.fit(images, { verbose: 0, batchSize: 1, shuffle: false }); // the first batch is black
    }
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});
