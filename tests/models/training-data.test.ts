import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  bitsPerDim,
  type Condition,
  gatedPixelCNN,
  logProb,
  normalize,
  oneHotLevels,
  pixelCNN,
  pixelLogits,
  pixelShift,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import { imageSet } from 'pixelcnn-layers/data';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { isGpu, onEachBackend, useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectCleanRefusal, expectNoLeaks, noise, take, weightsOf } from '../support/tensors';

const LEVELS = 4;
const N = 6;
const sizes = { levels: LEVELS, hiddenDim: 1, outDim: 2, numBlocks: 0, firstKernelSize: 3, seed: 1 };
const SIZES = { ...sizes, imageShape: [2, 3, 2] as [number, number, number] };

const compiled = (model: AutoregressiveModel, checkLabels?: boolean): AutoregressiveModel => {
  model.compile({ optimizer: 'sgd', loss: bitsPerDim, ...(checkLabels !== undefined && { checkLabels }) });
  return model;
};
const plain = () => compiled(pixelCNN(SIZES));
const byClass = () => compiled(gatedPixelCNN({ ...SIZES, numClasses: 3 }));
const byBoth = () => compiled(gatedPixelCNN({ ...SIZES, numClasses: 3, conditionSize: 2 }));

/** Levels of 6 images, no two alike. */
const someLevels = (n = N) => {
  const levels = Array.from({ length: n * 12 }, (_, i) => (i * i + 3 * i + Math.floor(i / 12)) % LEVELS);
  return tf.tensor4d(levels, [n, 2, 3, 2], 'int32');
};

const CLASSES = [0, 1, 2, 1, 0, 2];
const VECTORS = { data: noise(2 * N), shape: [N, 2] };

/** The number of a loss, which is disposed of. */
const read = (loss: tf.Scalar) => take(loss);

onEachBackend('levels alone', (backend) => {
  it('train and are measured as with inputs and labels, to the bit', () =>
    expectNoLeaks(async () => {
      const [alone, paired] = [plain(), plain()];
      const levels = someLevels();
      const xs = normalize(levels, LEVELS);
      const args = { epochs: 2, batchSize: 3, shuffle: false, validationSplit: 1 / 3, verbose: 0 } as const;
      const [a, b] = [await alone.fit(levels, args), await paired.fit(xs, levels, args)];
      expect(a.history).toEqual(b.history);
      expect(a.history['val_loss']).toHaveLength(2);
      const floats = tf.cast(levels, 'float32');
      expect(await alone.trainOnBatch(floats)).toBe(await paired.trainOnBatch(xs, levels));
      expect(await read(alone.evaluate(levels))).toEqual(await read(paired.evaluate(xs, levels)));
      expect(await weightsOf(alone)).toEqual(await weightsOf(paired));
      for (const model of [alone, paired]) model.dispose();
      tf.dispose([levels, xs, floats]);
    }));

  if (isGpu(backend)) return;

  it('train with every kind of condition as beside inputs', async () => {
    const vectors = scoped(tf.tensor2d(VECTORS.data, [N, 2]));
    const classes = scoped(tf.tensor2d(CLASSES, [N, 1], 'int32'));
    const levels = scoped(someLevels());
    const xs = scoped(normalize(levels, LEVELS));
    const cases: [() => AutoregressiveModel, Condition, tf.Tensor[]][] = [
      [byClass, CLASSES, [classes]],
      [byBoth, { class: Int32Array.from(CLASSES), vector: VECTORS }, [classes, vectors]],
      [byBoth, { class: classes, vector: vectors }, [classes, vectors]],
    ];
    for (const [make, condition, tensors] of cases) {
      await expectNoLeaks(async () => {
        const [alone, paired] = [make(), make()];
        const args = { epochs: 1, batchSize: 2, shuffle: false, validationSplit: 0.5, verbose: 0 } as const;
        const { history } = await alone.fit(levels, { ...args, condition });
        expect(history).toEqual((await paired.fit([xs, ...tensors], levels, args)).history);
        const again = await alone.fit(xs, levels, { ...args, condition });
        expect(again.history).toEqual((await paired.fit([xs, ...tensors], levels, args)).history);
        expect(await take(alone.predict(xs, { condition }))).toEqual(await take(paired.predict([xs, ...tensors])));
        expect(await alone.trainOnBatch(levels, { condition })).toBe(await paired.trainOnBatch([xs, ...tensors], levels));
        expect(await read(alone.evaluate(levels, { condition, batchSize: 4 }))).toEqual(
          await read(paired.evaluate([xs, ...tensors], levels, { batchSize: 4 })),
        );
        for (const model of [alone, paired]) model.dispose();
      });
    }
  });
});

/** A dataset of what each of these makes. */
const datasetOf = (...makes: (() => unknown)[]) =>
  tfd.generator<tf.Tensor4D>(function* () {
    for (const make of makes) yield make();
  } as never);

let levels: tf.Tensor4D;
let xs: tf.Tensor4D;
const makeLevels = async () => {
  await useBackend('cpu');
  levels = someLevels();
  xs = normalize(levels, LEVELS);
};
const disposeLevels = () => tf.dispose([levels, xs]);

describe('levels alone', () => {
  beforeAll(makeLevels);
  afterAll(disposeLevels);

  it('are validated on: a tensor, one with its condition, or inputs and labels', async () => {
    const quiet = { epochs: 1, verbose: 0, shuffle: false } as const;
    await expectNoLeaks(async () => {
      const histories = [];
      for (const validationData of [levels, { levels }, [xs, levels] as [tf.Tensor, tf.Tensor]]) {
        const before = compiled(pixelCNN(SIZES));
        const { history } = await before.fit(levels, { ...quiet, validationData });
        histories.push(history['val_loss']?.[0]);
        before.dispose();
      }
      expect(new Set(histories).size).toBe(1);
      expect(histories[0]).toBeGreaterThan(0);
      const gated = byClass();
      const classes = tf.tensor1d(CLASSES);
      const { history } = await gated.fit(levels, { ...quiet, condition: 1, validationData: { levels, condition: classes } });
      const [wanted] = await read(gated.evaluate(levels, { condition: CLASSES }));
      expect(history['val_loss']).toEqual([wanted]);
      classes.dispose();
      gated.dispose();
    });
  });

  it('are an image set, with its classes as condition, to the bit as the tensor', async () => {
    const data = Uint8Array.from(await levels.data());
    const set = imageSet({ data, shape: [N, 2, 3, 2], levels: LEVELS, labels: Uint8Array.from(CLASSES) });
    const codes = imageSet({ data: Uint16Array.from(data), shape: [N, 2, 3, 2], levels: 512 });
    const quiet = { epochs: 1, batchSize: 4, verbose: 0, shuffle: false } as const;
    await expectNoLeaks(async () => {
      const [ofSet, ofTensor] = [byClass(), byClass()];
      const condition = set.labels as Uint8Array;
      const validationData = { levels: set, condition };
      const { history } = await ofSet.fit(set, { ...quiet, condition, validationData });
      const wanted = await ofTensor.fit(levels, { ...quiet, condition, validationData: { levels, condition } });
      expect(history).toEqual(wanted.history);
      expect(await ofSet.trainOnBatch(set, { condition })).toBe(await ofTensor.trainOnBatch(levels, { condition }));
      expect(await read(ofSet.evaluate(set, { condition }))).toEqual(await read(ofTensor.evaluate(levels, { condition })));
      const ofCodes = compiled(pixelCNN({ ...SIZES, levels: 512 }));
      const [loss] = (await ofCodes.fit(codes, { ...quiet, validationData: codes })).history['val_loss'] as number[];
      expect(await read(ofCodes.evaluate(levels))).toEqual([loss]);
      for (const model of [ofSet, ofTensor, ofCodes]) model.dispose();
    });
  });

  it('stay beside their conditions when they are shuffled', async () => {
    const model = scoped(compiled(gatedPixelCNN({ ...SIZES, levels: 8, numClasses: 8 })));
    const ofClass = scoped(tf.tile(tf.reshape(tf.range(0, 8), [8, 1, 1, 1]), [1, 2, 3, 2])); // image n has level n everywhere
    const seen: number[][] = [];
    const makeTrainFunction = model['makeTrainFunction'].bind(model);
    model['makeTrainFunction'] = () => {
      const train = makeTrainFunction();
      return (data) => {
        const [images, classes, labels] = data.slice(0, 3).map((tensor) => Array.from(tensor.dataSync())) as [number[], number[], number[]];
        seen.push(classes);
        expect(labels).toEqual(classes.flatMap((n) => new Array(12).fill(n)));
        expect(images.map((x) => Math.round(7 * x))).toEqual(labels);
        return train(data);
      };
    };
    await model.fit(ofClass, { condition: [0, 1, 2, 3, 4, 5, 6, 7], epochs: 3, batchSize: 4, verbose: 0 });
    expect(seen).toHaveLength(6);
    expect([...(seen[0] ?? []), ...(seen[1] ?? [])].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(seen.slice(0, 2).flat()).not.toEqual(seen.slice(2, 4).flat()); // shuffled
  });

  it('come from datasets, with and without conditions', async () => {
    const args = { epochs: 2, verbose: 0 } as const;
    await expectNoLeaks(async () => {
      const [alone, paired] = [plain(), plain()];
      const bare = datasetOf(someLevels, () => someLevels(2));
      const pairs = bare.mapAsync(async (ys) => ({ xs: normalize(ys as tf.Tensor4D, LEVELS), ys: (ys as tf.Tensor).clone() }));
      const { history } = await alone.fitDataset(bare, { ...args, validationData: levels });
      const { history: wanted } = await paired.fitDataset(pairs, { ...args, validationData: bare as never });
      expect(history['loss']).toEqual(wanted['loss']);
      expect(history['val_loss']).not.toEqual(wanted['val_loss']); // of 6 images and of 8
      expect(await read(await alone.evaluateDataset(bare))).toEqual(await read(await paired.evaluateDataset(pairs)));
      for (const model of [alone, paired]) model.dispose();
    });
    await expectNoLeaks(async () => {
      const [gated, paired] = [byBoth(), byBoth()];
      const given = datasetOf(
        () => ({ levels: someLevels(), condition: { class: tf.tensor1d(CLASSES), vector: tf.tensor2d(VECTORS.data, [N, 2]) } }),
        () => ({ levels: someLevels(), condition: { class: 2, vector: VECTORS } }),
      );
      const { history } = await gated.fitDataset(given as never, args);
      const losses: number[] = [];
      for (const epoch of [0, 1]) {
        const each = [];
        for (const of of [CLASSES, 2]) each.push(await paired.trainOnBatch(levels, { condition: { class: of, vector: VECTORS } }));
        losses[epoch] = ((each[0] as number) + (each[1] as number)) / 2;
      }
      expect((history['loss'] as number[]).map((loss) => loss.toFixed(5))).toEqual(losses.map((loss) => loss.toFixed(5)));
      for (const model of [gated, paired]) model.dispose();
    });
  });

  it('belong to a dataset where they do not fit', async () => {
    const model = scoped(byClass());
    const args = { epochs: 1, verbose: 0 } as const;
    const cases: [() => unknown, string][] = [
      [() => tf.zeros([1, 2, 2, 2]), 'fitDataset: levels: wanted [2, 3, 2], got [2, 2, 2]'],
      [() => someLevels(), 'fitDataset: condition: wanted a class from 0 to 2, or 6 of them, got undefined'],
      [() => ({ levels: someLevels(), class: tf.zeros([N]) }), "fitDataset: unknown option 'class'"],
      [() => ({ levels: someLevels(), condition: tf.fill([N], 3) }), 'fitDataset: condition: wanted an integer from 0 to 2, got 3'],
      [() => ({ levels: tf.zeros([N, 2, 3, 2, 4]), condition: tf.zeros([N]) }), 'fitDataset: levels: wanted integer levels [N,H,W,C], not one-hot'],
      [() => ({ levels: tf.fill([1, 2, 3, 2], 0.5), condition: 1 }), 'fitDataset: levels at [0,0,0,0]: wanted whole levels 0 to 3'],
    ]; // biome-ignore format: one case a line
    for (const [make, message] of cases) await expectCleanRefusal(() => model.fitDataset(datasetOf(make), args), message);
  });

  it('are refused by name if batches have another form, or it is not a dataset', async () => {
    const model = scoped(plain());
    const wanted = 'fitDataset: batch: wanted levels, { levels, condition } or { xs, ys }, got';
    const cases: [() => unknown, string][] = [
      [() => [normalize(someLevels(), LEVELS), someLevels()], `${wanted} [Tensor, Tensor]`],
      [() => ({ images: someLevels() }), `${wanted} ['images']`],
      [() => 4, `${wanted} 4`],
      [() => ({ xs: normalize(someLevels(), LEVELS) }), 'fitDataset: labels: wanted a tensor [N,H,W,C], got undefined'],
      [() => ({ xs: normalize(someLevels(), LEVELS), ys: tf.zeros([N, 2, 3, 2, 4]) }), 'fitDataset: labels: wanted integer levels [N,H,W,C], not one-hot'],
      [() => ({ xs: normalize(someLevels(2), LEVELS), ys: someLevels() }), 'fitDataset: xs: wanted images of shape [6,2,3,2]'],
    ]; // biome-ignore format: one case a line
    for (const [make, message] of cases)
      await expectNoLeaks(async () => {
        const dataset = datasetOf(() => tf.tidy(make as never));
        await expect(model.fitDataset(dataset, { epochs: 1, verbose: 0 })).rejects.toThrow(message);
      });
    for (const none of [[levels], levels, undefined, null] as never[]) {
      const notOne = (by: string) => `Dataset: dataset: wanted a dataset of tf.data (${by} takes tensors), got`;
      await expect(model.fitDataset(none, { epochs: 1 })).rejects.toThrow(`fit${notOne('fit')}`);
      await expect(model.evaluateDataset(none)).rejects.toThrow(`evaluate${notOne('evaluate')}`);
    }
    const dataset = datasetOf(() => levels) as never;
    const hint = ' (fitDataset and evaluateDataset take datasets), got';
    await expect(model.fit(dataset)).rejects.toThrow(`fit: levels: wanted a tensor [N,H,W,C]${hint}`);
    const wantedToo = 'fit: validationData: wanted levels, { levels, condition } or [x, labels]';
    await expect(model.fit(levels, { validationData: dataset })).rejects.toThrow(`${wantedToo}${hint}`);
  });

  it('are distinguished from inputs only by the absence of labels', async () => {
    const model = scoped(plain());
    const [name = ''] = model.outputNames;
    const wanted = await model.evaluate(xs, levels).data();
    const given = [model.evaluate(levels), model.evaluate(levels, {}), model.evaluate(levels, undefined), model.evaluate([xs], [levels])];
    given.push(model.evaluate(xs, levels, {}), model.evaluate({ image: xs } as never, { [name]: levels } as never));
    for (const each of given) expect(await each.data()).toEqual(wanted);
    expectTypeOf(model.evaluate(levels)).toEqualTypeOf<tf.Scalar>();
    expectTypeOf(await model.trainOnBatch(levels)).toEqualTypeOf<number>();
    expectTypeOf(await model.trainOnBatch<number[]>(levels, { condition: 1 }).catch(() => [0])).toEqualTypeOf<number[]>();
    // Both are 0 and 1 where there are two levels: no number tells them apart.
    const two = scoped(compiled(pixelCNN({ ...SIZES, levels: 2 })));
    const bits = scoped(tf.cast(tf.greater(levels, 1), 'int32'));
    expect(await two.evaluate(bits).data()).toEqual(await two.evaluate(normalize(bits, 2), bits).data());
  });

  it('are not fractions, which are images without labels', async () => {
    const message = 'levels at [0,0,0,1]: wanted whole levels 0 to 3 (normalized images, without labels?), got 0.333';
    const fractions = scoped(tf.tensor4d([0, 1 / 3, ...new Array(10).fill(1)], [1, 2, 3, 2]));
    for (const checkLabels of [undefined, true]) {
      const model = scoped(compiled(pixelCNN(SIZES), checkLabels));
      await expectNoLeaks(async () => {
        await expect(model.fit(fractions, { verbose: 0 })).rejects.toThrow(`fit: ${message}`);
        await expect(model.trainOnBatch(fractions)).rejects.toThrow(`trainOnBatch: ${message}`);
        await expect(model.fit(levels, { verbose: 0, validationData: fractions })).rejects.toThrow(`fit: validationData: ${message}`);
        const figure = model.evaluate(fractions);
        await expect(figure.data()).rejects.toThrow(`evaluate: ${message}`);
        figure.dispose();
      });
    }
    const unchecked = compiled(pixelCNN(SIZES), false);
    expect(await unchecked.evaluate(fractions).data()).toHaveLength(1);
    const tooHigh = scoped(tf.fill<tf.Rank.R4>([1, 2, 3, 2], 4));
    await expect(plain().trainOnBatch(tooHigh)).rejects.toThrow('trainOnBatch: levels at [0,0,0,0]: wanted integer levels 0 to 3, got 4');
    const nan = scoped(tf.fill<tf.Rank.R4>([1, 2, 3, 2], Number.NaN));
    await expect(plain().trainOnBatch(nan)).rejects.toThrow('levels at [0,0,0,0]: wanted integer levels 0 to 3, got NaN');
  });
});

describe('training explains which data it cannot train on', () => {
  beforeAll(makeLevels);
  afterAll(disposeLevels);

  it('which tensors, and what came instead', async () => {
    const model = scoped(plain());
    const [two, small, disposed] = scoped([someLevels(2), tf.zeros([N, 2, 2, 2]), tf.zeros([1, 2, 3, 2])] as const);
    disposed.dispose();
    const nested = [[[[0, 1]]]];
    const row = scoped(tf.zeros([2]));
    const text = scoped(tf.fill([1, 2, 3, 2], 'a', 'string' as never));
    const complex = scoped(tf.complex(tf.zeros([1, 2, 3, 2]), tf.zeros([1, 2, 3, 2])));
    const cases: [given: unknown[], message: string][] = [
      [[xs, Promise.resolve(levels)], 'labels: wanted a tensor [N,H,W,C], got a Promise (is an await missing?)'],
      [[xs, [Promise.resolve(levels)]], 'labels: wanted a tensor [N,H,W,C], got [a Promise (is an await missing?)]'],
      [[Promise.resolve(levels)], 'levels: wanted a tensor [N,H,W,C], got a Promise (is an await missing?)'],
      [[xs, nested], 'labels: wanted a tensor [N,H,W,C], as tf.tensor4d makes from nested arrays, got [[[[0, 1]]]]'],
      [[nested], 'levels: wanted a tensor [N,H,W,C], as tf.tensor4d makes from nested arrays, got [[[[0, 1]]]]'],
      [[nested, levels], 'x: wanted a tensor [N,H,W,C], as tf.tensor4d makes from nested arrays'],
      [[new Uint8Array(12)], 'levels: wanted a tensor [N,H,W,C], got Uint8Array'],
      [[{ data: new Uint8Array(11), shape: [1, 2, 3, 2], levels: LEVELS }], 'levels: data: wanted 12 levels, got 11'],
      [[{ data: new Uint8Array(12), shape: [1, 2, 3, 2], levels: 256 }], 'levels: wanted images of 4 levels, as the model has, got 256'],
      [[{ data: new Uint8Array(12), shape: [1, 2, 2, 3], levels: LEVELS }], 'levels: wanted [2, 3, 2], got [2, 2, 3]'],
      [[{ data: new Uint8Array(12), shape: [12], levels: LEVELS }], 'levels: wanted images of levels [N,H,W,C], got [12]'],
      [[xs, { data: new Uint8Array(12), shape: [1, 2, 3, 2] }], 'labels: wanted a tensor [N,H,W,C], got Object'],
      [[xs, null], 'labels: wanted a tensor [N,H,W,C], got null'],
      [[xs, undefined, {}], 'labels: wanted a tensor [N,H,W,C], got undefined'],
      [[undefined], 'levels: wanted a tensor [N,H,W,C], got undefined'],
      [[xs, []], 'labels: wanted a tensor [N,H,W,C], got []'],
      [[[levels]], 'levels: wanted one tensor, with conditions in the options, got [Tensor]'],
      [[disposed], 'levels: wanted a tensor that is not disposed'],
      [[xs, disposed], 'labels: wanted a tensor that is not disposed'],
      [[text], 'levels: wanted a tensor of int32 or float32, got \'string\''],
      [[xs, text], 'labels: wanted a tensor of int32 or float32'],
      [[complex, levels], 'x: wanted a tensor of int32 or float32'],
      [[xs, two], 'x: wanted images of shape [2,2,3,2], as the labels have, got [6, 2, 3, 2]'],
      [[small, levels], 'x: wanted images of shape [6,2,3,2], as the labels have, got [6, 2, 2, 2]'],
      [[small], 'levels: wanted [2, 3, 2], got [2, 2, 2]'],
      [[levels, { condition: 1 }], 'condition: wanted none, since the model takes no condition'],
      [[levels, { conditions: 1 }], "unknown option 'conditions': did you mean condition?"],
      [[levels, { classWeight: { 0: 1 } }], 'classWeight: wanted none, since labels are levels'],
      [[xs, levels, { sampleWeight: xs }], 'sampleWeight: wanted none, since labels are levels'],
    ]; // biome-ignore format: one case a line
    await expectNoLeaks(async () => {
      for (const [given, message] of cases) {
        for (const method of ['fit', 'trainOnBatch', 'evaluate'] as const) {
          const call = async () => (model[method] as (...given: unknown[]) => unknown)(...given);
          await expect(call(), `${method}: ${message}`).rejects.toThrow(`${method}: ${message}`);
        }
      }
    });
    const predicted: [x: unknown, message: string][] = [
      [disposed, 'a tensor that is not disposed'],
      [text, 'a tensor of int32 or float32'],
      [nested, 'a tensor [N,H,W,C], as tf.tensor4d makes from nested arrays'],
      [row, 'a tensor of images [N,H,W,C], got [2]'],
    ];
    await expectNoLeaks(async () => {
      for (const [x, wanted] of predicted) expect(() => model.predict(x as tf.Tensor)).toThrow(`predict: x: wanted ${wanted}`);
    });
    const validated = (validationData: unknown) => model.fit(levels, { validationData: validationData as never });
    for (const wrong of [[], [xs], [xs, levels, xs], 3, {}])
      await expect(validated(wrong)).rejects.toThrow('fit: validationData: wanted levels, { levels, condition } or [x, labels], got');
    await expect(validated([xs, two])).rejects.toThrow('fit: validationData: x: wanted images of shape [2,2,3,2]');
    const weighted = model.fitDataset([] as never, { epochs: 1, classWeight: {} } as never);
    await expect(weighted).rejects.toThrow('fitDataset: classWeight: wanted none');
    const fitted: [options: object, message: string][] = [
      ...[0, 1.5, '2'].map((batchSize): [object, string] => [{ batchSize }, 'batchSize: wanted an integer of at least 1']),
      ...[-1, 1.5, '3'].map((epochs): [object, string] => [{ epochs }, 'epochs: wanted an integer of at least 0']),
      ...[-0.5, 1, 20, Number.NaN].map((split): [object, string] => [{ validationSplit: split }, 'validationSplit: wanted a number from 0, below 1, got']),
      [{ validationSplit: 0.9 }, 'validationSplit: wanted one that leaves some of 6 images to train on, got 0.9'],
    ]; // biome-ignore format: one case a line
    for (const [options, message] of fitted) {
      await expect(model.fit(levels, options), message).rejects.toThrow(`fit: ${message}`);
      if ('batchSize' in options) expect(() => model.evaluate(levels, options as object)).toThrow(`evaluate: ${message}`);
    }
    const notOptimizer = 'compile: optimizer: wanted an optimizer, such as tf.train.adam(1e-3), or its name, got';
    for (const optimizer of [undefined, null, 0.1, {}])
      expect(() => model.compile({ optimizer: optimizer as never, loss: bitsPerDim })).toThrow(notOptimizer);
    expect(await model.trainOnBatch(levels)).toBeGreaterThan(0); // it has kept its optimizer
  });

  it('that levels are text, before it makes tensors of a condition', async () => {
    const model = scoped(byClass());
    const text = scoped(tf.fill([1, 2, 3, 2], 'a', 'string' as never));
    await expectNoLeaks(async () => {
      const call = model.fit(text, { condition: [0] });
      await expect(call).rejects.toThrow('fit: levels: wanted a tensor of int32 or float32');
    });
  });

  it('that a condition is missing', async () => {
    const [one, both] = [scoped(byClass()), scoped(byBoth())];
    await expectNoLeaks(async () => {
      await expect(one.fit(levels)).rejects.toThrow('fit: condition: wanted a class from 0 to 2, or 6 of them, got undefined');
      await expect(both.fit(levels)).rejects.toThrow('fit: condition: wanted { class, vector }, since the model takes them');
      const classes = tf.tensor1d([0, 1, 2, 3, 0, 0]);
      const wrong = (got: number) => `condition: wanted an integer from 0 to 2, got ${got}`;
      await expect(one.trainOnBatch(levels, { condition: [0, 1, 2, 3, 0, 0] })).rejects.toThrow(`trainOnBatch: ${wrong(3)}`);
      await expect(one.fit(levels, { condition: classes })).rejects.toThrow(`fit: ${wrong(3)}`);
      const validationData = { levels, condition: 5 };
      await expect(one.fit(levels, { condition: 1, validationData })).rejects.toThrow(`fit: validationData: ${wrong(5)}`);
      classes.dispose();
      const wanted = 'condition: wanted a tensor that is not disposed';
      await expect(one.fit(levels, { condition: classes })).rejects.toThrow(`fit: ${wanted}`);
      expect(() => one.predict(xs, { condition: classes })).toThrow(`predict: ${wanted}`);
    });
  });

  it('that the model is disposed, in training and elsewhere, also where it has no weights', async () => {
    const image = tfl.input({ shape: SIZES.imageShape });
    const encoded = oneHotLevels({ levels: LEVELS }).apply(pixelShift({ columns: 1 }).apply(image));
    const outputs = pixelLogits({ imageChannels: 2, levels: LEVELS }).apply(encoded);
    for (const model of [plain(), compiled(autoregressiveModel({ inputs: image, outputs }))]) {
      model.dispose();
      const message = 'model: it has been disposed';
      await expectNoLeaks(async () => {
        await expect(model.fit(levels)).rejects.toThrow(`fit: ${message}`);
        await expect(model.trainOnBatch(xs, levels)).rejects.toThrow(`trainOnBatch: ${message}`);
        expect(() => model.evaluate(levels)).toThrow(`evaluate: ${message}`);
        expect(() => model.predict(xs)).toThrow(`predict: ${message}`);
        const dataset = datasetOf(() => levels);
        await expect(model.fitDataset(dataset, { epochs: 1 })).rejects.toThrow(`fitDataset: ${message}`);
        await expect(model.evaluateDataset(dataset)).rejects.toThrow(`evaluateDataset: ${message}`);
        await expect(sample(model)).rejects.toThrow(`sample: ${message}`);
        await expect(logProb(model, levels)).rejects.toThrow(`logProb: ${message}`);
        await expect(toPortable(model)).rejects.toThrow(`toPortable: ${message}`);
      });
    }
  });

  it('in the types, too', () => {
    const model = scoped(pixelCNN(SIZES));
    const never = () => [
      // @ts-expect-error: tfjs's own losses do not take levels
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' }),
      // @ts-expect-error: labels have no classes
      model.fit(levels, { classWeight: { 0: 1 } }),
      // @ts-expect-error: did you mean epochs?
      model.fit(levels, { epoch: 3 }),
      // @ts-expect-error: a Promise
      model.fit(xs, Promise.resolve(levels)),
      // @ts-expect-error: nested arrays
      model.trainOnBatch([[[[0]]]]),
      // @ts-expect-error: batches have no epochs
      model.trainOnBatch(levels, { epochs: 2 }),
    ];
    expect(never).toBeTypeOf('function');
    model.compile({ optimizer: 'sgd', loss: 'negativeLogLikelihood', metrics: ['bitsPerDim', bitsPerDim] });
    model.compile({ optimizer: 'sgd', loss: [bitsPerDim] });
    model.compile({ optimizer: 'sgd', loss: { logits: bitsPerDim } });
  });
});
