import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  AutoregressiveModel,
  autoregressiveModel,
  bitsPerDim,
  gatedPixelCNN,
  logProb,
  maskedConv2d,
  negativeLogLikelihood,
  normalize,
  pixelCNN,
  pixelDropout,
} from 'pixelcnn-layers';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { isGpu, onBackend, onEachBackend } from '../support/backends';
import { modelOf, through } from '../support/models/graphs';
import { saveAndLoad, savedArtifacts } from '../support/models/memory-file';
import { scoped } from '../support/scoped';
import { expectNoLeaks, take } from '../support/tensors';

const LEVELS = 5;
const N = 12;

function build(): AutoregressiveModel {
  return pixelCNN({ imageShape: [3, 4, 2], levels: LEVELS, hiddenDim: 3, outDim: 4, numBlocks: 1 });
}

/** Twelve images [N,3,4,2] as labels and as inputs. */
function data(): { labels: tf.Tensor4D; xs: tf.Tensor4D } {
  const levels = Array.from({ length: N * 24 }, (_, i) => (i * i + 3 * i) % LEVELS);
  const labels = tf.tensor4d(levels, [N, 3, 4, 2], 'int32');
  return { labels, xs: normalize(labels, LEVELS) };
}

onEachBackend('AutoregressiveModel', (backend) => {
  it('trains on integer labels by every method of a LayersModel', async () => {
    const model = scoped(build());
    const optimizer = scoped(tf.train.adam(1e-2, 0.9, 0.999, 1e-7));
    model.compile({ optimizer, loss: bitsPerDim, metrics: [negativeLogLikelihood, bitsPerDim] });
    expect(model.metricsNames).toEqual(['loss', 'negativeLogLikelihood', 'bitsPerDim']);
    const { labels, xs } = scoped(data());
    const exact = async () => {
      const nats = await take(await logProb(model, labels));
      return -nats.reduce((a, b) => a + b) / (labels.size * Math.LN2);
    };

    const before = await exact();
    const evaluated = model.evaluate(xs, labels, { batchSize: 5 }) as tf.Scalar[];
    const [loss, nats, bits] = await Promise.all(evaluated.map(take)).then((all) => all.flat());
    expect(loss).toBeCloseTo(before, 4);
    expect(bits).toBeCloseTo(before, 4);
    expect(nats).toBeCloseTo(before * Math.LN2, 4);

    const [batchLoss] = (await model.trainOnBatch(xs, labels)) as number[];
    expect(batchLoss).toBeCloseTo(before, 4);

    const split = await model.fit(xs, labels, { epochs: 3, batchSize: 4, validationSplit: 0.25, verbose: 0 });
    expect(Object.keys(split.history)).toContain('val_bitsPerDim');
    const given = await model.fit(xs, labels, { validationData: [xs, labels], epochs: 1, verbose: 0 });
    expect(given.history['val_loss']?.[0]).toBeCloseTo(await exact(), 4);

    const floats = scoped(tf.cast(labels, 'float32'));
    const dataset = tfd.array([0, 1]).mapAsync(async () => ({ xs: xs.clone(), ys: floats.clone() }));
    const history = await model.fitDataset(dataset, { epochs: 2, verbose: 0 });
    expect(history.history['loss']).toHaveLength(2);
    expect(await exact()).toBeLessThan(before);
  });

  it('continues bit for bit after many steps, once saved and loaded', async () => {
    const model = scoped(build());
    model.compile({ optimizer: 'adam', loss: bitsPerDim });
    const { labels, xs } = scoped(data());
    const steps = async (of: tfl.LayersModel, count: number) => {
      const losses: unknown[] = [];
      for (let step = 0; step < count; step++) losses.push(await of.trainOnBatch(xs, labels));
      return losses;
    };
    await steps(model, isGpu(backend) ? 6 : 50);
    const loaded = scoped(await saveAndLoad(model, { includeOptimizer: true }));
    expect(await steps(loaded, 4)).toEqual(await steps(model, 4));
    for (const power of ['accBeta1', 'accBeta2']) {
      const [powers, wanted] = [loaded, model].map(({ optimizer }) => optimizer[power as never] as tf.Variable);
      expect(await powers?.data()).toEqual(await wanted?.data()); // as many betas multiplied, each rounded
    }
  });

  it('keeps the optimizer that loading made with the model, compiled again or with another', async () => {
    const { labels, xs } = scoped(data());
    for (const again of ['same', 'other'] as const) {
      await expectNoLeaks(async () => {
        const model = build();
        model.compile({ optimizer: 'adam', loss: bitsPerDim });
        await model.trainOnBatch(xs, labels);
        const loaded = await saveAndLoad(model, { includeOptimizer: true });
        loaded.compile({ optimizer: again === 'same' ? loaded.optimizer : 'sgd', loss: bitsPerDim });
        await loaded.trainOnBatch(xs, labels);
        for (const m of [model, loaded]) m.dispose();
      });
    }
  });

  it('refuses labels of another shape', async () => {
    const model = scoped(build());
    model.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const { labels, xs } = scoped(data());
    const [oneHot, flat] = [scoped(tf.zeros([N, 3, 4, 2, LEVELS])), scoped(tf.zeros([N, 24]))];
    const [noImages, noLabels] = [scoped(tf.zeros([0, 3, 4, 2])), scoped(tf.zeros([0, 3, 4, 2]))];
    const wanted = `labels: wanted integer levels [N,H,W,C], not one-hot, got [${N}, 3, 4, 2, ${LEVELS}]`;
    const none = 'labels: wanted levels of at least one image, got [0, 3, 4, 2]';
    await expectNoLeaks(async () => {
      await expect(model.trainOnBatch(xs, oneHot)).rejects.toThrow(wanted);
      const perPixel = tf.zeros([N, 3, 4, LEVELS]); // of gray images, as most have them
      await expect(model.trainOnBatch(xs, perPixel)).rejects.toThrow('not one-hot, got');
      perPixel.dispose();
      await expect(model.trainOnBatch(xs, { logits: oneHot })).rejects.toThrow(wanted);
      await expect(model.fit(xs, [oneHot], { verbose: 0 })).rejects.toThrow(wanted);
      const validated = model.fit(xs, labels, { verbose: 0, validationData: [xs, oneHot] });
      await expect(validated).rejects.toThrow(wanted);
      expect(() => model.evaluate(xs, oneHot)).toThrow(wanted);
      await expect(model.trainOnBatch(noImages, noLabels)).rejects.toThrow(none);
      await expect(model.fit(noImages, noLabels, { verbose: 0 })).rejects.toThrow(none);
      expect(() => model.evaluate(noImages, noLabels)).toThrow(none);
      await expect(model.trainOnBatch(xs, flat)).rejects.toThrow('trainOnBatch: labels: wanted integer levels [N,H,W,C], got [12, 24]');
    });
  });
});

onBackend('cpu', 'AutoregressiveModel', () => {
  it('comes back from a saved model as its own class, with loss and metrics', async () => {
    const model = scoped(build());
    model.compile({ optimizer: tf.train.sgd(0.5), loss: negativeLogLikelihood, metrics: bitsPerDim });
    const artifacts = await savedArtifacts(model, { includeOptimizer: true });
    expect(artifacts.trainingConfig).toMatchObject({ loss: 'negativeLogLikelihood', metrics: ['bitsPerDim'] });
    const loaded = scoped((await tfl.loadLayersModel(tf.io.fromMemory(artifacts))) as AutoregressiveModel);
    expect(loaded).toBeInstanceOf(AutoregressiveModel);
    expect(loaded.getClassName()).toBe('AutoregressiveModel');
    expect([loaded.imageShape, loaded.levels]).toEqual([[3, 4, 2], LEVELS]);
    expect([loaded.loss, loaded.metrics]).toEqual([negativeLogLikelihood, [bitsPerDim]]);
    expect(loaded.optimizer.getConfig()).toEqual({ learningRate: 0.5 });
  });

  it('accepts the functions of another copy of the package, and their names', async () => {
    const copy = Object.assign((y: tf.Tensor, z: tf.Tensor) => bitsPerDim(y, z), {
      [Symbol.for('pixelcnn-layers/likelihood')]: 'bitsPerDim',
    });
    const model = scoped(build());
    model.compile({ optimizer: 'sgd', loss: copy, metrics: { logits: 'negativeLogLikelihood' } as never });
    const { trainingConfig } = await savedArtifacts(model, { includeOptimizer: true });
    expect(trainingConfig).toMatchObject({ loss: 'bitsPerDim', metrics: ['negativeLogLikelihood'] });
  });

  it('passes levels to any function, and asks for it again after loading', async () => {
    const own = vi.fn((y: tf.Tensor, z: tf.Tensor) => tf.mul(bitsPerDim(y, z), 2));
    const model = scoped(build());
    model.compile({ optimizer: tf.train.momentum(0.1, 0.9), loss: [own], metrics: [bitsPerDim, own] });
    const images = data();
    const [loss, bits] = (await model.trainOnBatch(images.xs, images.labels)) as number[];
    expect(loss).toBeCloseTo(2 * (bits as number), 5);
    expect(own.mock.calls[0]?.map((tensor) => tensor.shape)).toEqual([[N, 3, 4, 2], [N, 3, 4, 2, LEVELS]]); // biome-ignore format: rows

    const loaded = scoped(await saveAndLoad(model, { includeOptimizer: true }));
    expect(loaded.metricsNames).toEqual(['loss', 'bitsPerDim']); // a program's own function has no name in a file
    await expect(loaded.trainOnBatch(images.xs, images.labels)).rejects.toThrow('call compile again');
    loaded.compile({ optimizer: loaded.optimizer, loss: own });
    expect(await loaded.trainOnBatch(images.xs, images.labels)).toBeGreaterThan(0);
    tf.dispose([images.xs, images.labels]);
  });

  it('predicts with classes as `condition` as with two inputs', async () => {
    const sizes = { levels: 3, hiddenDim: 2, outDim: 2, numBlocks: 0, firstKernelSize: 3 };
    const model = scoped(gatedPixelCNN({ imageShape: [2, 3, 1], ...sizes, numClasses: 2 }));
    const xs = scoped(tf.ones<tf.Rank.R4>([3, 2, 3, 1]));
    const condition = scoped(tf.ones([3, 1]));
    await expectNoLeaks(async () => {
      const expected = await take(model.predict([xs, condition]));
      expect(await take(model.predict(xs, { condition, batchSize: 2 }))).toEqual(expected);
      expect(await take(model.predict(xs, { condition: 1 }))).toEqual(expected);
    });
  });

  it('sets the training step of its layers, and of layers of nested models', async () => {
    const steps: number[][] = [[], []];
    const listening = (to: number[]) => Object.assign(pixelDropout({ rate: 0.5 }), { setStep: (step: number) => to.push(step) });
    const x = tfl.input({ shape: [2, 2, 4] });
    const inner = tfl.model({ inputs: x, outputs: listening(steps[0] as number[]).apply(x) as tfl.SymbolicTensor });
    const conv = maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 1 });
    const model = scoped(modelOf([2, 2, 1], 4, (image) => through(image, conv, inner, listening(steps[1] as number[]))));
    model.compile({ optimizer: tf.train.sgd(0.1), loss: bitsPerDim });
    const zeros = scoped(tf.zeros([2, 2, 2, 1]));
    await model.trainOnBatch(zeros, zeros);
    await model.fit(zeros, zeros, { batchSize: 1, epochs: 1, validationData: [zeros, zeros], verbose: 0 });
    tf.dispose(model.evaluate(zeros, zeros));
    expect(steps).toEqual([[0, 1, 2], [0, 1, 2]]); // biome-ignore format: rows
  });

  describe('leaves no tensor behind where it cannot be loaded', () => {
    /** A model that was trained for a step, as a file has it. */
    async function trained(): Promise<tf.io.ModelArtifacts> {
      const model = build();
      model.compile({ optimizer: 'adam', loss: bitsPerDim });
      const { labels, xs } = data();
      await model.trainOnBatch(xs, labels);
      const artifacts = await savedArtifacts(model, { includeOptimizer: true });
      tf.dispose([labels, xs]);
      model.dispose();
      return artifacts;
    }

    /** The weight's specification changed, all others as they are. */
    const withSpec = ({ weightSpecs = [], ...rest }: tf.io.ModelArtifacts, index: number, spec: object) => ({
      ...rest,
      weightSpecs: weightSpecs.map((before, i) => (i === index ? { ...before, ...spec } : before)),
    });
    const withText = ({ modelTopology, ...rest }: tf.io.ModelArtifacts, from: string, to: string) => ({
      ...rest,
      modelTopology: JSON.parse(JSON.stringify(modelTopology).replace(from, to)),
    });
    const optimizer = (optimizer_config: object) => ({ loss: 'bitsPerDim', metrics: [], optimizer_config });

    // biome-ignore format: one row a line
    const damages: [string, (saved: tf.io.ModelArtifacts) => tf.io.ModelArtifacts, string][] = [
      ['a weight is named otherwise', (saved) => withSpec(saved, 0, { name: 'other' }), 'no target variable: other'],
      ['a weight is of another shape', (saved) => withSpec(saved, 0, { shape: [1, 7, 7, 12] }), 'Shape mismatch'],
      ['a weight is of no shape, not strictly', (saved) => withSpec(saved, 0, { shape: [7 * 7 * 2 * 12] }), 'Shape mismatch'],
      ['a layer is unknown', (saved) => withText(saved, 'PixelLogits', 'PixelLogitt'), 'Unknown layer: PixelLogitt'],
      ['a layer does not fit', (saved) => withText(saved, '"levels":5', '"levels":6'), 'wanted 12 features (imageChannels * levels: 2 * 6), got 10'],
      ['a layer is not there', (saved) => withText(saved, '["logits",0,0]', '["logitt",0,0]'), "needs layer 'logitt'"],
      ['it gives no logits', (saved) => withText(saved, '["logits",0,0]', '["image",0,0]'), 'AutoregressiveModel: wanted a model [N,H,W,C] -> [N,H,W,C,L]'],
      ['its optimizer is unknown', (saved) => ({ ...saved, trainingConfig: optimizer({ class_name: 'Adan', config: {} }) as never }), 'Adan'],
      ['its loss is unknown', (saved) => ({ ...saved, trainingConfig: { ...optimizer({ class_name: 'Adam', config: { learning_rate: 1, beta1: 0.9, beta2: 0.9, epsilon: 1 } }), loss: 'bits' } as never }), 'compile: loss'],
      ['its metadata are none', (saved) => ({ ...saved, userDefinedMetadata: [1] as never }), 'User-defined metadata'],
    ];

    it.each(damages)('where %s', async (title, damage, message) => {
      const damaged = damage(await trained());
      const variables = Object.keys(tf.engine().registeredVariables);
      const strict = !title.includes('not strictly');
      await expectNoLeaks(async () => {
        const load = tfl.loadLayersModel(tf.io.fromMemory(damaged), { strict });
        await expect(load).rejects.toThrow(message);
      });
      expect(Object.keys(tf.engine().registeredVariables)).toEqual(variables);
    });

    it('and not the weights of the user, nor a model that was loaded before', async () => {
      const model = scoped(build());
      const { modelTopology } = await savedArtifacts(model);
      const loaded = scoped(await saveAndLoad(model));
      const untrained = scoped(await tfl.loadLayersModel(tf.io.fromMemory({ modelTopology }))); // without weights
      const own = scoped(tf.zeros([3]));
      const xs = scoped(tf.zeros([1, 3, 4, 2]));
      expect(tf.engine().state.scopeStack).toEqual([]);
      await expectNoLeaks(() => {
        for (const each of [model, loaded, untrained]) {
          expect(() => each.loadWeights({ own })).toThrow('no target variable: own');
          (each.predict(xs) as tf.Tensor).dispose();
        }
      });
      expect(own.isDisposed).toBe(false);
    });

    it('though a model within the model was loaded first', async () => {
      const image = tfl.input({ shape: [3, 4, 2] });
      const inner = build();
      const logits = inner.apply(image) as tfl.SymbolicTensor;
      const outer = autoregressiveModel({ inputs: image, outputs: logits });
      const saved = await savedArtifacts(outer);
      outer.dispose();
      await expectNoLeaks(async () => {
        const damaged = withSpec(saved, 1, { name: 'other' });
        await expect(tfl.loadLayersModel(tf.io.fromMemory(damaged))).rejects.toThrow('other');
        (await tfl.loadLayersModel(tf.io.fromMemory(saved))).dispose();
      });
    });
  });

  it('has the weights that were saved, whatever their constraints, which training does not apply', async () => {
    const constrained = {
      kernelConstraint: tfl.constraints.unitNorm({ axis: 0 }),
      biasConstraint: tfl.constraints.nonNeg(),
      biasInitializer: tfl.initializers.constant({ value: -1 }),
    };
    const conv = maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 1, ...constrained });
    const model = scoped(modelOf([2, 2, 1], 4, (image) => through(image, conv)));
    const weightsOf = (of: tfl.LayersModel) => Promise.all(of.getWeights().map((weight) => weight.data()));
    await expectNoLeaks(async () => {
      const loaded = await saveAndLoad(model);
      expect(await weightsOf(loaded)).toEqual(await weightsOf(model));
      loaded.setWeights(model.getWeights()); // applies them, as in tfjs
      expect(Math.min(...((await weightsOf(loaded))[1] as Float32Array))).toBe(0);
      loaded.dispose();
    });
  });

  it('has the types of its one output', async () => {
    const model = scoped(build());
    model.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const { labels, xs } = data();
    const predicted = [model.predict(xs), model.predictOnBatch(xs)];
    expectTypeOf(predicted).toEqualTypeOf<tf.Tensor[]>();
    expect(predicted.map(({ shape }) => shape)).toEqual([1, 2].map(() => [N, 3, 4, 2, LEVELS]));
    const loss = model.evaluate(xs, labels);
    expectTypeOf(loss).toEqualTypeOf<tf.Scalar>();
    const trained = await model.trainOnBatch(xs, labels);
    expectTypeOf(trained).toEqualTypeOf<number>();
    expect(trained).toBeCloseTo((await loss.data())[0] as number, 4);

    model.compile({ optimizer: 'sgd', loss: bitsPerDim, metrics: [bitsPerDim] });
    const [, bits] = model.evaluate<tf.Scalar[]>(xs, labels);
    expectTypeOf(bits).toEqualTypeOf<tf.Scalar | undefined>();
    const [again] = await model.trainOnBatch<number[]>(xs, labels);
    expect(again).toBeCloseTo((await bits?.data())?.[0] as number, 4);
  });

  it('names invalid arguments', () => {
    const model = scoped(build());
    const wanted = 'wanted bitsPerDim, negativeLogLikelihood or a function of (labels, logits)';
    for (const loss of ['meanSquaredError', 'sparseCategoricalCrossentropy', 'own', undefined])
      expect(() => model.compile({ optimizer: 'sgd', loss: loss as 'bitsPerDim' })).toThrow(`compile: loss: ${wanted}`);
    // @ts-expect-error: nor are they of the type
    const withAccuracy = () => model.compile({ optimizer: 'sgd', loss: bitsPerDim, metrics: ['accuracy'] });
    expect(withAccuracy).toThrow(`compile: metrics: ${wanted}, got 'accuracy'`);
    model.compile({ optimizer: 'sgd', loss: bitsPerDim, metrics: null as never }); // as none
    const [image, inputs] = [tfl.input({ shape: [4, 4, 1] }), model.inputs];
    const graphs: [graph: unknown, message: string][] = [
      [{}, 'autoregressiveModel: wanted inputs and outputs'],
      [tfl.model({ inputs, outputs: model.outputs }), 'as model.inputs[0] and model.outputs[0]'],
      [{ inputs, outputs: model.outputs }, 'autoregressiveModel: outputs: wanted one symbolic tensor, got [SymbolicTensor]'],
      [{ inputs: image, outputs: tf.zeros([1, 4, 4, 1, 2]) }, 'autoregressiveModel: wanted inputs and outputs, symbolic tensors, got Tensor'],
      [{ inputs: image, outputs: image }, 'AutoregressiveModel: wanted a model [N,H,W,C] -> [N,H,W,C,L]'],
    ]; // biome-ignore format: a row a line
    for (const [graph, message] of graphs) expect(() => autoregressiveModel(graph as never), message).toThrow(message);
  });
});
