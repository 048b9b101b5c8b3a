import * as tf from '@tensorflow/tfjs-core';
import { constraints, type LayerVariable } from '@tensorflow/tfjs-layers';
import { maskedConv2d, pixelCNN, WeightAverage } from 'pixelcnn-layers';
import { beforeAll, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { apply, modelOf } from '../support/models/graphs';
import { scoped } from '../support/scoped';
import { expectNoLeaks } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

const makeModel = (hiddenDim = 1) => pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim, outDim: 1, numBlocks: 0 });

type Model = ReturnType<typeof makeModel>;

/** Weight w becomes value + w. */
function setAll(model: Model, value: number): void {
  const weights = scoped(model.getWeights().map(({ shape }, w) => tf.fill(shape, value + w)));
  model.setWeights(weights);
}

/** The value that every weight w is above by w. */
async function sharedValue(model: Model): Promise<number> {
  const weights = await Promise.all(model.getWeights().map((weight) => weight.data()));
  const values = weights.flatMap((weight, w) => Array.from(weight, (x) => x - w));
  const value = values[0] as number;
  for (const other of values) expect(other).toBeCloseTo(value, 4);
  return value;
}

it('is the moving average of the weights, which forgets faster at first', async () => {
  const model = scoped(makeModel());
  setAll(model, 0);
  const average = scoped(new WeightAverage(model, { decay: 0.5 }));
  let expected = 0;
  for (let step = 0; step < 20; step++) {
    setAll(model, step);
    average.update(step);
    const kept = Math.min(0.5, (1 + step) / (10 + step));
    expected = kept * expected + (1 - kept) * step;
  }
  expect(await average.use(() => sharedValue(model))).toBeCloseTo(expected, 4);
  expect(await sharedValue(model)).toBe(19);
});

it('restores the weights of the model even if the task fails, and continues', async () => {
  const model = scoped(makeModel());
  setAll(model, 1);
  const average = scoped(new WeightAverage(model));
  setAll(model, 2);
  await expect(average.use(() => Promise.reject(new Error('from the task')))).rejects.toThrow('from the task');
  expect(await sharedValue(model)).toBe(2);
  expect(await average.use(() => sharedValue(model))).toBe(1);
  average.update(0); // keeps 1/10
  expect(await average.use(() => sharedValue(model))).toBeCloseTo(1.9, 6);
});

it('lets the error of a task through that has disposed the model, leaves nothing, and can be called again', () =>
  expectNoLeaks(async () => {
    const model = makeModel();
    const average = new WeightAverage(model);
    average.update(0);
    const failing = average.use(() => {
      model.dispose();
      throw new Error('from the task');
    });
    await expect(failing).rejects.toThrow('from the task');
    expect(await average.use(() => 'done')).toBe('done');
    average.update(0);
    average.dispose();
  }));

it('restores the other weights if a task has disposed a layer, and averages them further', async () => {
  const model = makeModel();
  setAll(model, 1);
  const average = scoped(new WeightAverage(model));
  setAll(model, 2);
  const [first, ...rest] = model.layers.filter(({ weights }) => weights.length > 0);
  expect(await average.use(() => first?.dispose().numDisposedVariables)).toBe(2); // weights 0 and 1
  const values = () => Promise.all(rest.flatMap(({ weights }) => weights).map(async (weight) => (await weight.read().data())[0]));
  expect(await values()).toEqual([4, 5, 6, 7, 8, 9]); // weight w is 2 + w
  average.update(0); // keeps 1/10 of 1 + w
  for (const [i, value] of (await average.use(values)).entries()) expect(value).toBeCloseTo(3.9 + i, 5);
  for (const layer of rest) layer.dispose();
});

it('refuses to be used twice at once, which would lose the weights', async () => {
  const model = scoped(makeModel());
  setAll(model, 1);
  const average = scoped(new WeightAverage(model));
  setAll(model, 5);
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const slow = average.use(() => finished);
  await expect(average.use(() => 0)).rejects.toThrow('another task is still running');
  finish();
  await slow;
  expect(await sharedValue(model)).toBe(5);
  expect(await average.use(() => sharedValue(model))).toBe(1);
});

it('applies no constraints, as training applies none, and leaves no tensor behind', async () => {
  const kernelConstraint = constraints.unitNorm({ axis: 0 });
  const conv = maskedConv2d({ filters: 2, kernelSize: 3, maskType: 'A', imageChannels: 1, kernelConstraint });
  const model = scoped(modelOf([2, 2, 1], 2, (image) => apply(conv, image)));
  const values = async () => [...(await (conv.weights[0] as LayerVariable).read().data())];
  const own = await values(); // of no constraint
  const average = scoped(new WeightAverage(model));
  await expectNoLeaks(async () => {
    expect(await average.use(values)).toEqual(own);
  });
  expect(await values()).toEqual(own);
});

it('takes over saved averages, of the same weights only, and refuses a decay of 1', async () => {
  const [model, saved, other] = [scoped(makeModel()), scoped(makeModel()), scoped(makeModel(2))];
  setAll(saved, 7);
  const average = scoped(new WeightAverage(model));
  average.restore(saved);
  expect(await average.use(() => sharedValue(model))).toBe(7);
  expect(() => average.restore(other)).toThrow('WeightAverage: saved: wanted');
  expect(() => new WeightAverage(model, { decay: 1 })).toThrow('WeightAverage: decay: wanted a number from 0, below 1');
});

it('continues if a layer is frozen meanwhile, which moves its weights to the end of the list', async () => {
  const model = scoped(makeModel());
  const layer = model.layers[1] as { trainable: boolean };
  const average = scoped(new WeightAverage(model, { decay: 0 })); // the average is the weight itself
  setAll(model, 4);
  layer.trainable = false;
  average.update(0);
  await average.use(() => {
    layer.trainable = true;
  });
  setAll(model, 9);
  expect(await average.use(() => sharedValue(model))).toBeCloseTo(4, 5);
  expect(await sharedValue(model)).toBe(9);
});
