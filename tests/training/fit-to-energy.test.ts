import * as tf from '@tensorflow/tfjs-core';
import type { Energy, EnergyStep, FitToEnergyArgs, SymmetricModel, TfjsModel } from 'pixelcnn-layers';
import { fitToEnergy, gatedPixelCNN, negativeLogLikelihood, normalize, pixelCNN, sample, symmetric, toPortable } from 'pixelcnn-layers';
import { createPool } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { outputsOf } from '../../src/inference/batches';
import { imageModelShape } from '../../src/models/image-model';
import { isSymmetric } from '../../src/models/symmetric';
import type { ConditionValues } from '../../src/runtime/core/conditions';
import { uniformsOf } from '../../src/runtime/core/random';
import { scoreGradients } from '../../src/training/fit-to-energy';
import { type Backend, onBackend, useBackend } from '../support/backends';
import { errorOf } from '../support/errors';
import { allImages, elementsSlowly, inElement, listOf, sumOf } from '../support/laws/all-images';
import { scoped } from '../support/scoped';
import { expectClose, expectCloseRelative, expectNoLeaks, numbersOf, setNoise, weightsOf } from '../support/tensors';
import { startInProcess } from '../support/workers/pool-in-process';

type Network = ReturnType<typeof pixelCNN>;
const args = { levels: 2, hiddenDim: 3, outDim: 4, numBlocks: 1 };
const networkOf = (side: number, seed = 3) => {
  const network = pixelCNN({ ...args, imageShape: [side, side, 1], firstKernelSize: 3 });
  setNoise(network, seed, 0.8);
  return network;
};
const classesOf = (numClasses: number) => {
  const network = gatedPixelCNN({ ...args, imageShape: [2, 2, 1], numClasses });
  setNoise(network, 4, 0.8);
  return network;
};

/** Neighbours like to be alike, and levels to be high. */
const energyOf = (image: number[]) => sumOf(image.map((level, i) => (level === image[i + 1] ? -0.8 : 0.3) - 0.2 * i * level));
const energy: Energy = (levels, numImages) => listOf({ data: levels, shape: [numImages, levels.length / numImages] }).map(energyOf);

/** A model without its symmetries, its shape, and the symmetries. */
function shapeOf(given: TfjsModel) {
  const { model, symmetry = undefined } = isSymmetric(given) ? given : { model: given };
  return { ...imageModelShape('', model), model, symmetry };
}

describe.each<Backend>(['cpu', 'wasm'])('the gradient over all images on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  const cases: [string, () => Network | SymmetricModel, number][] = [
    ['2x2', () => networkOf(2), 2],
    ['3x3, of more images than are differentiated at a time', () => networkOf(3), 3],
    ['symmetric', () => symmetric(networkOf(2), ['flipLevels', 'flipColumns']), 2],
    ['the square, told', () => symmetric(classesOf(8), ['transpose', 'flipRows'], { asCondition: true }), 2],
  ];
  const some = backend === 'wasm' ? cases : cases.filter(([name]) => ['2x2', 'symmetric'].includes(name)); // the cpu is slow
  it.each(some)('is that of the exact free energy: %s', async (_, make, side) => {
    const given = make();
    const shape = shapeOf(given);
    const { model: network, distribution, symmetry } = shape;
    const imageShape = [side, side, 1] as const;
    const total = side * side;
    const beta = 0.7;
    const all = allImages(2, total);
    const plain = { imageShape, levels: 2 } as never;
    const elements = symmetry ? elementsSlowly(symmetry.symmetries) : [[]];
    /** Images in their elements, those of one element after the other, with their classes. */
    const oriented = elements.flatMap((element) => all.map((image) => inElement(element, image, plain)));
    const classes = Float32Array.from(oriented, (_, i) => Math.floor(i / all.length));
    const conditions: ConditionValues[] = symmetry?.asCondition ? [{ shape: [1], values: classes }] : [];
    const energies = tf.tensor1d(all.map((image) => beta * energyOf(image)));
    const labels = tf.tensor4d(oriented.flat(), [oriented.length, ...imageShape], 'int32');
    const inputs = conditions.map(({ values }) => tf.tensor2d(values, [oriented.length, 1]));
    const logs = () =>
      tf.mul(negativeLogLikelihood(labels, outputsOf(network, normalize(labels, 2) as tf.Tensor4D, inputs), distribution), -total);
    const variables = network.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { grads, value } = tf.variableGrads(() => {
      const q = tf.reshape(tf.exp(logs()), [elements.length, all.length]);
      const p = tf.mean(q, 0);
      return tf.sum(tf.mul(p, tf.add(energies, tf.log(p)))) as tf.Scalar;
    }, variables);

    const q = Array.from(await tf.tidy(logs).data(), Math.exp);
    const p = all.map((_, i) => sumOf(elements.map((_, e) => q[e * all.length + i] as number)) / elements.length);
    const cost = all.map((image, i) => beta * energyOf(image) + Math.log(p[i] as number));
    const baseline = 1.3; // any, since the sum of the gradients of q is 0
    const coefficients = Float64Array.from(q, (one, i) => (one / elements.length) * ((cost[i % all.length] as number) - baseline));
    // Those with classes three times, in another order, so that they are more than are differentiated at a time.
    const order = Array.from(oriented.keys());
    const repeated = symmetry?.asCondition ? [...order, ...[...order, ...order].reverse()] : order;
    const jobs = {
      levels: Int32Array.from(repeated.flatMap((i) => oriented[i] as number[])),
      numImages: repeated.length,
      imageShape,
      conditions: conditions.map(({ shape, values }) => ({ shape, values: Float32Array.from(repeated, (i) => values[i] as number) })),
    };
    const before = tf.memory().numTensors;
    const ofJobs = Float64Array.from(repeated, (i) => ((coefficients[i] as number) * order.length) / repeated.length);
    const got = scoreGradients(shape, jobs, ofJobs);
    expect(tf.memory().numTensors).toBe(before + variables.length);
    expect(Object.keys(got).sort()).toEqual(Object.keys(grads).sort());
    const flat = (of: tf.NamedTensorMap) => numbersOf(variables.map(({ name }) => of[name] as tf.Tensor));
    const wanted = await flat(grads);
    expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.01);
    expectCloseRelative(await flat(got), wanted, 1e-4);
    tf.dispose([got, grads, value, energies, labels, inputs]);
    network.dispose();
  });

  const steps = {
    symmetric: () => symmetric(networkOf(2), ['flipLevels', 'flipRows']),
    told: () => symmetric(classesOf(2), ['transpose'], { asCondition: true }),
  };
  const models = Object.entries<() => Network | SymmetricModel>({ plain: () => networkOf(2), ...steps });
  it.each(models)('of a step is that of its images, each in the element in which it was drawn: %s', async (_, make) => {
    const given = make();
    const shape = shapeOf(given);
    const { model, symmetry } = shape;
    const before = await weightsOf(model);
    const seen: EnergyStep[] = [];
    const common = { steps: 1, numImages: 60, beta: 0.5, seed: 2, optimizer: tf.train.sgd(1) };
    const { bound } = await fitToEnergy(given, energy, { ...common, onStep: (step) => void seen.push(step) });
    const changes = (await weightsOf(model)).map((x, i) => (before[i] as number) - x);
    const [{ step, beta, levels, energies, logProb: nats, bound: told }] = seen as [EnergyStep];
    expect([step, beta, told]).toEqual([0, 0.5, bound[0]]);
    const images = listOf({ data: levels, shape: [60, 4] });
    expect(Array.from(energies)).toEqual(images.map(energyOf));
    const cost = Array.from(nats, (x, n) => 0.5 * (energies[n] as number) + x);
    const mean = sumOf(cost) / 60;
    expect(bound[0]).toBeCloseTo(-mean, 9);

    setNoise(model, symmetry?.asCondition ? 4 : 3, 0.8); // as before the step
    const elements = symmetry ? elementsSlowly(symmetry.symmetries) : [[]];
    const orientationOf = images.map((_, n) => Math.floor(uniformsOf(`2/${n}/symmetry`)() * elements.length));
    const plain = { imageShape: [2, 2, 1], levels: 2 } as never;
    const drawn = images.flatMap((image, n) => inElement(elements[orientationOf[n] as number] as never, image, plain));
    const conditions = symmetry?.asCondition ? [{ shape: [1], values: Float32Array.from(orientationOf) }] : [];
    const jobs = { levels: Int32Array.from(drawn), numImages: 60, imageShape: [2, 2, 1] as const, conditions };
    const coefficients = Float64Array.from(cost, (x) => (x - mean) / 60);
    const gradients = scoped(scoreGradients(shape, jobs, coefficients));
    const ofWeights = model.trainableWeights.map((weight) => gradients[(weight.read() as tf.Variable).name] as tf.Tensor);
    expectCloseRelative(changes, await numbersOf(ofWeights), 1e-4);
    model.dispose();
  });

  it('leaves no tensor, whatever fails, and the optimizer of the caller', async () => {
    const network = scoped(networkOf(2));
    const optimizer = scoped(tf.train.adam(0.01));
    const dispose = vi.spyOn(optimizer, 'dispose');
    await fitToEnergy(network, energy, { steps: 1, numImages: 8, optimizer });
    const fail = vi.fn().mockThrow(new Error('enough'));
    const controller = new AbortController();
    const failing: [Energy, Partial<FitToEnergyArgs>][] = [
      [fail, {}],
      [() => [1], {}],
      [energy, { onStep: fail }],
      [energy, { onStep: () => Promise.reject(new Error('enough')) as never }],
      [energy, { signal: controller.signal, onStep: () => controller.abort(new Error('enough')) }],
      [energy, { beta: (step) => (step === 1 ? Number.NaN : 1) }],
    ];
    for (const [energy, more] of failing)
      for (const own of [{}, { optimizer }]) {
        await expectNoLeaks(async () => {
          const failed = fitToEnergy(network, energy, { steps: 3, numImages: 8, ...own, ...more });
          await expect(failed).rejects.toThrow(/enough|fitToEnergy: (energy|beta): wanted/);
        });
        if (more.signal) break; // aborted
      }
    await expectNoLeaks(() => fitToEnergy(network, energy, { steps: 2, numImages: 8, clipNorm: 1 }).then(() => []));
    await expectNoLeaks(() => fitToEnergy(network, energy, { steps: 2, numImages: 8, optimizer }).then(() => []));
    expect(dispose).not.toHaveBeenCalled();
  });
});

onBackend('cpu', 'fitToEnergy', () => {
  it('gives the same weights in parts, and in a pool', async () => {
    const common = { numImages: 20, seed: 5, beta: 0.6 };
    const trained = async (train: (network: Network, optimizer: tf.Optimizer) => Promise<number[]>) => {
      const network = scoped(networkOf(2));
      const optimizer = scoped(tf.train.adam(0.01));
      const bound = await train(network, optimizer);
      return { bound, weights: await weightsOf(network) };
    };
    const boundOf = async (network: Network, args: FitToEnergyArgs) => Array.from((await fitToEnergy(network, energy, args)).bound);
    const whole = await trained((network, optimizer) => boundOf(network, { ...common, steps: 5, optimizer }));
    expect(whole.bound.length).toBe(5);
    const parts = await trained(async (network, optimizer) => [
      ...(await boundOf(network, { ...common, steps: 2, optimizer })),
      ...(await boundOf(network, { ...common, steps: 5, firstStep: 2, optimizer })),
    ]);
    expect(parts).toEqual(whole);
    const pool = scoped(createPool({ workers: 2, createWorker: startInProcess }));
    expect(await trained((network, optimizer) => boundOf(network, { ...common, steps: 5, optimizer, pool }))).toEqual(whole);
    const other = await trained((network, optimizer) => boundOf(network, { ...common, seed: 6, steps: 5, optimizer }));
    expect(other.bound).not.toEqual(whole.bound);
  });

  it('draws other images in each step: those that sample draws of the seed', async () => {
    const network = scoped(networkOf(2));
    const seen: number[] = [];
    const optimizer = tf.train.sgd(1e-30); // which changes nothing
    await fitToEnergy(network, energy, { steps: 3, numImages: 20, seed: 7, optimizer, onStep: ({ levels }) => void seen.push(...levels) });
    const images = scoped(await sample(network, { numImages: 60, seed: 7 }));
    expect(seen).toEqual(Array.from(await images.data()));
  });

  it('anneals: each step has its beta, and the bound that of the last one', async () => {
    const network = scoped(networkOf(2));
    const steps: EnergyStep[] = [];
    const betaAt = (step: number) => 1 - 0.5 ** step;
    const onStep = (step: EnergyStep) => void steps.push(step);
    const { bound } = await fitToEnergy(network, energy, { steps: 4, numImages: 30, seed: 1, beta: betaAt, onStep });
    expect(steps.map(({ step, beta }) => [step, beta])).toEqual([0, 1, 2, 3].map((step) => [step, betaAt(step)]));
    for (const [i, { energies, logProb: nats, bound: told }] of steps.entries()) {
      const exact = sumOf(Array.from(energies, (one, n) => -betaAt(3) * one - (nats[n] as number))) / 30;
      expect(told).toBeCloseTo(exact, 9);
      expect(bound[i]).toBe(told);
    }
  });

  it('waits for onStep, whose step is done', async () => {
    const network = scoped(networkOf(2));
    const before = await weightsOf(network);
    let waiting = 0;
    const seen: number[] = [];
    await fitToEnergy(network, energy, {
      ...{ steps: 2, numImages: 4, seed: 1 },
      onStep: (async ({ step }: EnergyStep) => {
        expect(waiting++).toBe(0);
        expect(await weightsOf(network)).not.toEqual(before);
        waiting--;
        seen.push(step);
      }) as never,
    });
    expect(seen).toEqual([0, 1]);
  });

  it('clips gradients by their global norm', async () => {
    const stepOf = async (clipNorm: number | undefined) => {
      const network = scoped(networkOf(2));
      const before = await weightsOf(network);
      const args = { steps: 1, numImages: 40, seed: 1, beta: 3, optimizer: tf.train.sgd(1) };
      await fitToEnergy(network, energy, { ...args, ...(clipNorm && { clipNorm }) });
      const change = (await weightsOf(network)).map((x, i) => x - (before[i] as number));
      return { change, norm: Math.sqrt(sumOf(change.map((x) => x * x))) };
    };
    const free = await stepOf(undefined);
    expect(free.norm).toBeGreaterThan(0.2);
    const clipped = await stepOf(0.1);
    expect(clipped.norm).toBeCloseTo(0.1, 5);
    const scaled = free.change.map((x) => (x * 0.1) / free.norm);
    expectClose(clipped.change, scaled, 1e-5);
    expectClose((await stepOf(10 * free.norm)).change, free.change, 1e-7);
  });

  it('refuses arguments by name', async () => {
    const network = scoped(networkOf(2));
    const classes = scoped(classesOf(2));
    const good = { steps: 2, numImages: 4 };
    const portable = await toPortable(network);
    const cases: [unknown, unknown, object, string][] = [
      [network, 1, {}, 'energy: wanted a function, got 1'],
      [network, energy, { steps: 0 }, 'steps: wanted an integer of at least 1, got 0'],
      [network, energy, { steps: undefined }, 'steps: wanted an integer of at least 1, got undefined'],
      [network, energy, { numImages: 1 }, 'numImages: wanted an integer of at least 2, got 1'],
      [network, energy, { firstStep: 2 }, 'firstStep: wanted one below 2 steps, got 2'],
      [network, energy, { beta: '1' }, 'beta: wanted a number that is finite'],
      [network, energy, { beta: () => Number.NaN }, 'beta: wanted a number a finite number, got NaN'],
      [network, energy, { optimizer: 'adam' }, "optimizer: wanted an optimizer, such as tf.train.adam(1e-3), got 'adam'"],
      [network, energy, { clipNorm: 0 }, 'clipNorm: wanted a number above 0, got 0'],
      [network, energy, { pool: {} }, 'pool: wanted a pool of createPool, got Object'],
      [network, energy, { step: 3 }, "unknown option 'step'"],
      [network, energy, { imageShape: [3, 3, 1] }, 'imageShape: wanted [2, 2, 1], got [3, 3, 1]'],
      [classes, energy, {}, 'model: wanted one that takes no condition, got '],
      [portable, energy, {}, 'model: wanted a model [N,H,W,C]'],
      [undefined, energy, {}, 'model: wanted a model [N,H,W,C]'],
      [network, () => [1, 2, 3], {}, 'energy: wanted a function that returns 4 numbers, one for each image, got 3'],
      [network, () => [1, 2, 3, Number.NaN], {}, "energy: wanted finite numbers, got 'NaN for image 3'"],
      [network, () => [1, 2, Number.POSITIVE_INFINITY, 0], {}, "energy: wanted finite numbers, got 'Infinity for image 2'"],
      [network, () => [1, 1e300, 2, 3], { beta: 1e10 }, "energy: wanted numbers that are finite times beta, 10000000000, got '1e+300 for image 1'"],
      [network, () => [1, -1e300, 2, 3], { steps: 2, beta: (step: number) => step * 1e10 }, "energy: wanted numbers that are finite times beta, 10000000000, got '-1e+300 for image 1'"],
      [network, () => [1, 2, 1e60, 3], {}, "energy: wanted numbers that are finite in float32 times beta, 1, got '1e+60 for image 2'"],
    ]; // biome-ignore format: a line each
    const before = await weightsOf(network);
    for (const [model, energy, more, message] of cases) {
      const refused = fitToEnergy(model as never, energy as never, { ...good, ...more });
      await expect(refused).rejects.toThrow(errorOf(TypeError, `fitToEnergy: ${message}`));
    }
    expect(await weightsOf(network)).toEqual(before);
  });
});
