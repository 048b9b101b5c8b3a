import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  compress as compressTensors,
  decompress as decompressTensors,
  levelLogProbs,
  logProb as logProbTensors,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import { compress, decompress, logProb, sample as portableSample, readPortable, stepper, writePortable } from 'pixelcnn-layers/runtime';
import { expect, it } from 'vitest';
import { imageModelShape } from '../../../src/models/image-model';
import { sizeFromShape } from '../../../src/runtime/core/check';
import { onEachCpuBackend } from '../../support/backends';
import { imageShapeOf, type ModelRecipe, modelRecipes, randomModel } from '../../support/models/random-model';
import { forAllAsync } from '../../support/runs';
import { noise, take } from '../../support/tensors';

/** How many images of so many values: mostly two, few enough to be computed together, or in several chunks, or in several groups. */
const imagesFor = (values: number, levels: number, seed: number) =>
  seed % 8 > 1 || values * levels > 100 ? 2 : seed % 8 === 1 && values < 10 ? 260 : 35;

/** Numbers in [0, 1) for a tensor of a shape. */
const uniforms = (shape: readonly number[], seed: number) => noise(sizeFromShape(shape), seed).map((x) => (x + 1) / 2);

/**
 * Expects of a random model that whole passes on tensors give every level of every value the probability that the engine
 * gives it value by value, and that everything built on the engine agrees with it.
 */
async function expectAlike(recipe: ModelRecipe, seed: number): Promise<void> {
  const model = randomModel(recipe);
  const { levels, conditions } = imageModelShape('model', model);
  const imageShape = imageShapeOf(recipe);
  const values = imageShape.reduce((product, length) => product * length);
  const N = imagesFor(values, levels, seed);
  const shape = [N, ...imageShape] as const;
  const data = Int32Array.from(uniforms(shape, seed), (x) => Math.floor(x * levels));
  const images = tf.tensor4d(data, [...shape], 'int32');
  const given = conditions.map((condition, i): [string, number[] | { data: Float32Array; shape: number[] }] => {
    if (condition.kind === 'class') {
      const numClasses = condition.numClasses + (condition.nullClass ? 1 : 0);
      return ['class', Array.from({ length: N }, (_, n) => (n + seed) % numClasses)];
    }
    if (condition.kind === 'codes') {
      const of = [N, ...condition.shape];
      return ['codes', { data: uniforms(of, seed).map((x) => Math.floor(x * condition.levels)), shape: of }];
    }
    const of = condition.kind === 'vector' ? [N, condition.size] : [N, shape[1], shape[2], condition.size];
    return [condition.kind, { data: uniforms(of, seed + i), shape: of }];
  });
  const byName = (one: (value: unknown) => unknown) => {
    const all = Object.fromEntries(given.map(([name, value]) => [name, one(value)]));
    return given.length === 0 ? {} : { condition: given.length === 1 ? Object.values(all)[0] : all };
  };
  const plain = byName((value) => value) as object;
  const tensors = byName((value) => {
    if (Array.isArray(value)) return value;
    const { data, shape } = value as { data: Float32Array; shape: number[] };
    return tf.tensor(data, shape);
  }) as object;
  try {
    if (N * values < 40 && conditions.some((one) => one.kind === 'class' && one.nullClass))
      await expectGuidedAlike(model, images, tensors, 0.5);
    if (recipe.output === 'own' && recipe.family === 'composed') {
      await expectGuidedAlike(model, images, tensors, 0);
      const file = await compressTensors(model, images, tensors);
      expect(await take(await decompressTensors(model, file, tensors))).toEqual(Array.from(data));
      return;
    }
    const whole = await take(await levelLogProbs(model, images, tensors)); // [N,H,W,C,L]
    const made = await toPortable(model);
    const ofMade = writePortable(made);
    const portable = readPortable(ofMade);
    expect({ ...portable, weights: [...portable.weights] }).toEqual({ ...made, weights: [...made.weights] });
    expect(writePortable(portable)).toEqual(ofMade);
    const steps = stepper(portable, { numImages: N, imageShape, ...plain });
    const ofValues = new Float64Array(N * values);
    for (let i = 0; steps.place !== null; i++) {
      const nats = steps.logProbs();
      for (let n = 0; n < N; n++) {
        for (let level = 0; level < levels; level++) {
          const got = nats[n * levels + level] as number;
          const want = whole[(n * values + i) * levels + level] as number;
          if (!(Math.abs(got - want) < 1e-3 * Math.max(1, -want)))
            expect({ place: steps.place, level, nats: got }).toEqual({ place: steps.place, level, nats: want });
        }
        ofValues[n * values + i] = nats[n * levels + (data[n * values + i] as number)] as number;
      }
      steps.put(Array.from({ length: N }, (_, n) => data[n * values + i] as number));
    }
    steps.dispose();
    expect(await logProb(portable, { data, shape }, { ...plain, perValue: true })).toEqual(ofValues);
    for (const [n, nats] of (await logProb(portable, { data, shape }, plain)).entries())
      expect(Math.abs(nats - ofValues.slice(n * values, (n + 1) * values).reduce((a, b) => a + b))).toBeLessThan(1e-9 * Math.max(1, -nats));
    const options = { numImages: N, imageShape, seed: 1 };
    const drawn = await portableSample(portable, { ...options, ...plain });
    const onTensors = await sample(model, { ...options, ...tensors, strategy: 'incremental' });
    expect(await take(onTensors)).toEqual(Array.from(drawn.data));
    const file = await compress(portable, { data, shape }, plain);
    expect(Array.from((await decompress(portable, file, plain)).data)).toEqual(Array.from(data));
  } finally {
    tf.dispose([images, tensors as tf.TensorContainer]);
    model.dispose();
  }
}

/**
 * Expects of a random model that whole passes give images the likelihood that the engine gives them, all values being known:
 * under the model, and under the distribution that is drawn from, which with guidance takes a whole pass for each value.
 */
async function expectGuidedAlike(model: LayersModel, images: tf.Tensor4D, given: object, guidance: number): Promise<void> {
  const known = tf.onesLike(images);
  const of = async (strategy: 'incremental' | 'full') => {
    const options = { ...given, initial: images, known, lookAhead: 1, guidance, seed: 1, strategy };
    const drawn = await sample(model, { ...options, withLogProb: true });
    drawn.images.dispose();
    return [await take(drawn.logProb), await take(drawn.logGiven as tf.Tensor)].flat();
  };
  const nats = await of('incremental');
  const byPasses = await take(await logProbTensors(model, images, given));
  const whole = guidance === 0 ? [byPasses, byPasses].flat() : await of('full');
  expect(whole).toHaveLength(nats.length);
  for (const [i, one] of [...whole, ...byPasses].entries())
    expect(Math.abs((nats[i % nats.length] as number) - one)).toBeLessThan(1e-3 * Math.max(1, -one));
  known.dispose();
}

/** What has been wrong, beside what random recipes find. */
const plain: ModelRecipe = {
  ...{ family: 'pixelCNN', imageShape: [3, 3, 2], levels: 4, numBlocks: 1, features: 2, firstKernelSize: [3, 1], kernelSize: [3, 1] },
  ...{ input: 'scaled', output: { components: 1 }, conditions: {}, block: 'residual', steps: [], tail: 'none' },
  ...{ isAnySize: false, hasCodes: false },
};
const twoGains: ModelRecipe['steps'][number] = { kind: 'twoGains', on: 0, other: 0, kernelSize: [1, 1], own: 'shift' };
const known: Record<string, ModelRecipe> = {
  'a mixture over kernels of one column': plain,
  'a mixture without blocks': { ...plain, firstKernelSize: [1, 1], numBlocks: 0 },
  'a softmax behind tanh of kernels of one column': { ...plain, family: 'composed', output: 'softmax', tail: 'tanh' },
  'a distribution of a user': { ...plain, family: 'composed', output: 'own' },
  'two gains of one direction': { ...plain, family: 'composed', steps: [twoGains] },
};

onEachCpuBackend('a random model', (backend) => {
  it.each(Object.keys(known))('has one likelihood: %s', (name) => expectAlike(known[name] as ModelRecipe, 1));

  it('has one likelihood: of whole passes on tensors, value by value, in files, samples and the codec', async () => {
    const numRuns = backend === 'wasm' ? 24 : 8;
    await forAllAsync([modelRecipes, fc.nat({ max: 1000 })], { numRuns, seed: 1 }, expectAlike);
  });
});
