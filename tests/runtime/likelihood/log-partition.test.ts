import { logPartition as ofAnyModel, pixelCNN, symmetric as symmetricTensors, toPortable } from 'pixelcnn-layers';
import { createPool, type Energy, logPartition, logProb, type PortableModel, sample, symmetric } from 'pixelcnn-layers/runtime';
import { expect, it } from 'vitest';
import { onBackend } from '../../support/backends';
import { errorOf } from '../../support/errors';
import { allImages, asImages, listOf, sumOf } from '../../support/laws/all-images';
import { portableModel } from '../../support/models/portable-model.mjs';
import { scoped } from '../../support/scoped';
import { expectNoLeaks, setNoise } from '../../support/tensors';
import { startInProcess } from '../../support/workers/pool-in-process';

const model = portableModel({ imageShape: [2, 2, 1], levels: 3, features: 4 });
const all = allImages(3, 4);

/** Neighbours like to be alike, and levels to be low. */
const energyOf = ([a, b, c, d]: number[]) =>
  [a === b, a === c, b === d, c === d].filter((isAlike) => !isAlike).length + 0.3 * sumOf([a, b, c, d] as number[]);
const energy: Energy = (levels, numImages) => listOf({ data: levels, shape: [numImages, 2, 2, 1] }).map(energyOf);
const exact = (beta: number) => Math.log(sumOf(all.map((image) => Math.exp(-beta * energyOf(image)))));

/** A model of which all levels are as likely. */
const zeros = [...model.weights].map(([name, { shape, data }]) => [name, { shape, data: data.map(() => 0) }] as const);
const uniform: PortableModel = { ...model, weights: new Map(zeros) };

onBackend('cpu', 'logPartition', () => {
  it('is exact where the model is', async () => {
    const flat = await logPartition(uniform, (_, n) => new Float32Array(n), { numImages: 50, seed: 1 });
    expect(flat.logZ).toBeCloseTo(4 * Math.log(3), 9);
    expect(flat.bound).toBeCloseTo(4 * Math.log(3), 9);
    expect(flat.standardError).toBeLessThan(1e-9);
    expect(flat.effectiveSampleSize).toBeCloseTo(50, 6);

    // Of energies -log q, whose weights are all 1.
    const nats = await logProb(model, asImages(all, model));
    const of = new Map(all.map((image, i) => [String(image), -(nats[i] as number)]));
    const own: Energy = (levels, n) => listOf({ data: levels, shape: [n, 4] }).map((image) => of.get(String(image)) as number);
    const result = await logPartition(model, own, { numImages: 50, seed: 1 });
    expect(result.logZ).toBeCloseTo(0, 9);
    expect(result.effectiveSampleSize).toBeCloseTo(50, 6);
  });

  it('is what its definition says of the images that sample draws, of many at a time, too', async () => {
    const options = { numImages: 1500, seed: 9 };
    for (const beta of [0.7, -1, undefined]) {
      const { images, logProb: nats } = await sample(model, { ...options, withLogProb: true });
      const logs = listOf(images).map((image, n) => -(beta ?? 1) * energyOf(image) - (nats[n] as number));
      const weights = logs.map(Math.exp);
      const mean = sumOf(weights) / 1500;
      const variance = sumOf(weights.map((w) => (w - mean) ** 2)) / 1499;
      const got = await logPartition(model, energy, { ...options, ...(beta && { beta }) });
      expect(got.logZ).toBeCloseTo(Math.log(mean), 9);
      expect(got.standardError).toBeCloseTo(Math.sqrt(variance / 1500) / mean, 9);
      expect(got.bound).toBeCloseTo(sumOf(logs) / 1500, 9);
      expect(got.effectiveSampleSize).toBeCloseTo(sumOf(weights) ** 2 / sumOf(weights.map((w) => w * w)), 6);
      expect(Object.keys(got).length).toBe(4);
    }
  });

  it('of weights beyond all numbers', async () => {
    const result = await logPartition(uniform, (_, n) => new Float64Array(n).fill(-1e6), { numImages: 9 });
    expect(result.logZ).toBeCloseTo(1e6 + 4 * Math.log(3), 6);
    expect(result.bound).toBeCloseTo(1e6 + 4 * Math.log(3), 6);
  });

  it.each([0.7, 0])('gives forbidden images, of energy Infinity, weight 0, at beta %d', async (beta) => {
    const isForbidden = ([a, b]: number[]) => a === b;
    const some: Energy = (levels, n) =>
      listOf({ data: levels, shape: [n, 4] }).map((image) => (isForbidden(image) ? Infinity : energyOf(image)));
    const options = { numImages: 1500, seed: 9 };
    const { images, logProb: nats } = await sample(model, { ...options, withLogProb: true });
    const weights = listOf(images).map((image, n) => (isForbidden(image) ? 0 : Math.exp(-beta * energyOf(image) - (nats[n] as number))));
    const got = await logPartition(model, some, { ...options, beta });
    expect(got.logZ).toBeCloseTo(Math.log(sumOf(weights) / 1500), 9);
    expect(got.effectiveSampleSize).toBeCloseTo(sumOf(weights) ** 2 / sumOf(weights.map((w) => w * w)), 6);
    expect(got.bound).toBe(-Infinity);
    const allowed = all.filter((image) => !isForbidden(image));
    const exact = Math.log(sumOf(allowed.map((image) => Math.exp(-beta * energyOf(image)))));
    expect(Math.abs(got.logZ - exact)).toBeLessThan(4 * got.standardError);
    expect(got.standardError).toBeLessThan(0.05);
  });

  it('says so if all images are forbidden', async () => {
    const none = logPartition(model, (_, n) => new Float64Array(n).fill(Infinity), { numImages: 5 });
    await expect(none).rejects.toThrow(new Error('logPartition: energy: Infinity for all 5 images: the model draws none that is allowed'));
  });

  const models = Object.entries({ plain: model, symmetric: symmetric(model, ['transpose', 'flipColumns']) });
  it.each(models)('is off by its standard error, and its bound is one: %s', async (_, model) => {
    const runs = 40;
    let squares = 0;
    let ofZ = 0;
    for (let seed = 0; seed < runs; seed++) {
      const one = await logPartition(model, energy, { beta: 0.2, numImages: 100, seed });
      expect(one.bound).toBeLessThanOrEqual(one.logZ);
      squares += ((one.logZ - exact(0.2)) / one.standardError) ** 2 / runs;
      ofZ += Math.exp(one.logZ - exact(0.2)) / runs;
    }
    expect(squares).toBeGreaterThan(0.4); // chi-square of 40, by 40
    expect(squares).toBeLessThan(2);
    expect(Math.abs(ofZ - 1)).toBeLessThan(0.1);
  });

  it('gives the same numbers of tensors, of plain data, and in a pool', async () => {
    const network = scoped(pixelCNN({ imageShape: [null, null, 1], levels: 3, hiddenDim: 3, outDim: 4, numBlocks: 1 }));
    setNoise(network, 2, 0.7);
    const portable = await toPortable(network);
    const args = { imageShape: [2, 2, 1] as const, numImages: 60, seed: 4 };
    const pool = scoped(createPool({ workers: 2, createWorker: startInProcess }));
    await expectNoLeaks(async () => {
      const plain = await logPartition(portable, energy, args);
      expect(await ofAnyModel(network, energy, args)).toEqual(plain);
      expect(await ofAnyModel(portable, energy, { ...args, pool })).toEqual(plain);
      expect(await ofAnyModel(network, energy, { ...args, pool })).toEqual(plain);
      const either = await logPartition(symmetric(portable, ['flipLevels']), energy, { ...args, pool });
      expect(either).not.toEqual(plain);
      expect(await ofAnyModel(symmetricTensors(network, ['flipLevels']), energy, args)).toEqual(either);
    });
    await expect(logPartition(portable, energy, { numImages: 9 })).rejects.toThrow('logPartition: imageShape: wanted [H, W, 1], since');
  });

  it('stops where the signal aborts', async () => {
    const controller = new AbortController();
    let calls = 0;
    const stopping: Energy = (_, n) => {
      calls++;
      controller.abort(new Error('enough'));
      return new Float64Array(n);
    };
    const { signal } = controller;
    await expect(logPartition(model, stopping, { numImages: 2000, signal })).rejects.toThrow('enough');
    expect(calls).toBe(1);
  });

  const conditional = portableModel({ imageShape: [2, 2, 1], levels: 3, features: 4, numClasses: 8 });
  const numbers = (...list: unknown[]) => (() => list) as unknown as Energy;
  const wanted = 'energy: wanted finite numbers, or Infinity for forbidden images, got ';
  it.each<[string, unknown, unknown, object, string]>([
    ['no function', model, [1], {}, 'energy: wanted a function, got [1]'],
    ['too few', model, numbers(1), {}, 'energy: wanted a function that returns 3 numbers, one for each image, got 1'],
    ['too many', model, () => new Float32Array(4), {}, 'energy: wanted a function that returns 3 numbers, one for each image, got 4'],
    ['nothing', model, () => undefined, {}, 'energy: wanted a function that returns 3 numbers, one for each image, got undefined'],
    ['a promise', model, async () => [1, 2, 3], {}, 'energy: wanted a function that returns 3 numbers, one for each image, got a Promise (is an await missing?)'],
    ['NaN', model, numbers(1, Number.NaN, 2), {}, `${wanted}'NaN for image 1'`],
    ['-Infinity', model, numbers(1, 2, -Infinity), {}, `${wanted}'-Infinity for image 2'`],
    ['null', model, numbers(null, 1, 2), {}, `${wanted}'null for image 0'`],
    ['text', model, () => '123', {}, `${wanted}'1 for image 0'`],
    ['bigints', model, () => new BigInt64Array(3), {}, `${wanted}'0 for image 0'`],
    ['a list in a list', model, numbers([1], [2], [3]), {}, `${wanted}'1 for image 0'`],
    ['what overflows times beta', model, numbers(1, 1e300, 2), { beta: 1e10 }, "energy: wanted numbers that are finite times beta, 10000000000, got '1e+300 for image 1'"],
    ['what overflows downwards', model, numbers(1, 0, -1e300), { beta: 1e10 }, "energy: wanted numbers that are finite times beta, 10000000000, got '-1e+300 for image 2'"],
    ['Infinity at a beta below 0', model, numbers(1, Infinity, 0), { beta: -1 }, "energy: wanted numbers that are finite times beta, -1, got 'Infinity for image 1'"],
    ['one image', model, energy, { numImages: 1 }, 'numImages: wanted an integer of at least 2, got 1'],
    ['no number', model, energy, { numImages: undefined }, 'numImages: wanted an integer of at least 2, got undefined'],
    ['beta', model, energy, { beta: Number.NaN }, 'beta: wanted a number that is finite, got NaN'],
    ['no pool', model, energy, { pool: {} }, 'pool: wanted a pool of createPool, got Object'],
    ['a condition', conditional, energy, {}, 'model: wanted one that takes no condition, got '],
    ['a class beside elements', symmetric(conditional, ['flipRows', 'flipColumns'], { asCondition: true }), energy, {}, 'model: wanted one that takes no condition, got '],
    ['a number', 5, energy, {}, 'model: wanted a '],
    ['nothing as a model', undefined, energy, {}, 'model: wanted a '],
  ])('refuses %s', async (_, model, energy, args, message) => {
    for (const of of [logPartition, ofAnyModel] as (typeof ofAnyModel)[]) {
      const refused = of(model as never, energy as never, { numImages: 3, ...args });
      await expect(refused).rejects.toThrow(errorOf(TypeError, `logPartition: ${message}`));
    }
  }); // biome-ignore format: a line each

  it('takes the element as the class of a model that has no other', async () => {
    const told = symmetric(conditional, ['flipRows', 'transpose'], { asCondition: true });
    const { logZ, standardError } = await logPartition(told, energy, { numImages: 400, seed: 1 });
    expect(Math.abs(logZ - exact(1))).toBeLessThan(4 * standardError);
  });

  it('of more images than fit into memory is refused at once', async () => {
    const refused = logPartition(model, energy, { numImages: 2 ** 50 });
    await expect(refused).rejects.toThrow(/^logPartition: .*; use fewer images at a time$/);
  });
});
