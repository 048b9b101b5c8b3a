import { averages as ofAnyModel, pixelCNN, toPortable } from 'pixelcnn-layers';
import { averages, createPool, type Energy, type Observables, sample, symmetric } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../support/backends';
import { allImages, listOf, sumOf } from '../../support/laws/all-images';
import { portableModel } from '../../support/models/portable-model.mjs';
import { scoped } from '../../support/scoped';
import { expectNoLeaks, setNoise } from '../../support/tensors';
import { startInProcess } from '../../support/workers/pool-in-process';

beforeAll(() => useBackend('cpu'));

const model = portableModel({ imageShape: [2, 2, 1], levels: 3, features: 4 });
const all = allImages(3, 4);
const perImage = (of: (image: number[]) => number) => (levels: Int32Array, numImages: number) =>
  listOf({ data: levels, shape: [numImages, 2, 2, 1] }).map(of);
const energyOf = ([a, b, c, d]: number[]) => Number(a !== b) + Number(a !== c) + Number(b !== d) + Number(c !== d);
const energy: Energy = perImage(energyOf);
/** The energy, and each of the four levels. */
const observables: Observables = (levels, n) => [energy(levels, n), Float32Array.from(levels)];

/** The exact mean, by the sum over all images. */
const exact = (of: (image: number[]) => number, beta = 1) => {
  const weights = all.map((image) => Math.exp(-beta * energyOf(image)));
  return sumOf(all.map((image, i) => of(image) * (weights[i] as number))) / sumOf(weights);
};

describe('averages', () => {
  it('are what their definition says of the images that sample draws, and errors those of the jackknife', async () => {
    const options = { numImages: 1500, seed: 9 };
    const { images, logProb } = await sample(model, { ...options, withLogProb: true });
    const drawn = listOf(images);
    const weights = drawn.map((image, n) => Math.exp(-0.7 * energyOf(image) - (logProb[n] as number)));
    const mean = (of: (image: number[]) => number, isIn = (_: number) => true) => {
      const counted = weights.map((weight, n) => (isIn(n) ? weight : 0));
      return sumOf(drawn.map((image, n) => of(image) * (counted[n] as number))) / sumOf(counted);
    };
    const got = await averages(model, energy, observables, { ...options, beta: 0.7 });
    const functions = [[energyOf], [0, 1, 2, 3].map((place) => (image: number[]) => image[place] as number)];
    for (const [index, each] of functions.entries()) {
      expect(got[index]?.means.length).toBe(each.length);
      for (const [k, of] of each.entries()) {
        expect(got[index]?.means[k]).toBeCloseTo(mean(of), 9);
        const without = Array.from({ length: 100 }, (_, block) => mean(of, (n) => Math.floor(n / 15) !== block));
        const middle = sumOf(without) / 100;
        expect(got[index]?.standardErrors[k]).toBeCloseTo(Math.sqrt(0.99 * sumOf(without.map((one) => (one - middle) ** 2))), 9);
      }
      expect(got[index]?.effectiveSampleSize).toBeCloseTo(sumOf(weights) ** 2 / sumOf(weights.map((w) => w * w)), 6);
    }
  });

  it.each(Object.entries({ plain: model, symmetric: symmetric(model, ['flipColumns']) }))('are off by their errors: %s', async (_, one) => {
    const runs = 40;
    let squares = 0;
    for (let seed = 0; seed < runs; seed++) {
      const [ofEnergy] = await averages(one, energy, observables, { beta: 0.5, numImages: 400, seed });
      squares += (((ofEnergy?.means[0] as number) - exact(energyOf, 0.5)) / (ofEnergy?.standardErrors[0] as number)) ** 2 / runs;
    }
    expect(squares).toBeGreaterThan(0.4); // chi-square of 40, by 40
    expect(squares).toBeLessThan(2);
  });

  it('ignore forbidden images, which may have no value', async () => {
    const some: Energy = perImage((image) => (image[0] === image[1] ? Infinity : energyOf(image)));
    const ofAllowed: Observables = perImage((image) => (image[0] === image[1] ? Number.NaN : sumOf(image))) as never;
    const [sum] = await averages(model, some, (levels, n) => [ofAllowed(levels, n) as never], { numImages: 1500, seed: 9 });
    const allowed = all.filter(([a, b]) => a !== b);
    const weights = allowed.map((image) => Math.exp(-energyOf(image)));
    const right = sumOf(allowed.map((image, i) => sumOf(image) * (weights[i] as number))) / sumOf(weights);
    expect(Math.abs((sum?.means[0] as number) - right)).toBeLessThan(4 * (sum?.standardErrors[0] as number));
    expect(sum?.standardErrors[0]).toBeLessThan(0.2);
    const one: Energy = (_, n) => Array.from({ length: n }, (_, i) => (i === 0 ? 0 : Infinity));
    const [single] = await averages(model, one, observables, { numImages: 5, seed: 1 });
    expect([single?.standardErrors[0], single?.effectiveSampleSize]).toEqual([Infinity, 1]); // one image has all the weight
  });

  it('are the same of tensors, of plain data, and in a pool', async () => {
    const network = scoped(pixelCNN({ imageShape: [2, 2, 1], levels: 3, hiddenDim: 3, outDim: 4, numBlocks: 1 }));
    setNoise(network, 2, 0.7);
    const portable = await toPortable(network);
    const pool = scoped(createPool({ workers: 2, createWorker: startInProcess }));
    await expectNoLeaks(async () => {
      const args = { numImages: 60, seed: 4 };
      const plain = await averages(portable, energy, observables, args);
      expect(await ofAnyModel(network, energy, observables, args)).toEqual(plain);
      expect(await ofAnyModel(portable, energy, observables, { ...args, pool })).toEqual(plain);
    });
  });

  const returning = (...lists: unknown[]) => (() => lists.shift()) as unknown as Observables;
  it.each<[string, unknown, string]>([
    ['no function', [1], 'observables: wanted a function, got [1]'],
    ['no list', returning(3), 'observables: wanted a function that returns a list of observables, got 3'],
    ['no observables', returning([]), 'observables: wanted a function that returns a list of observables, got []'],
    ['too few numbers', returning([[1, 2]]), 'observables: 0: wanted 3 numbers, one for each image, or a multiple, got 2'],
    ['no numbers', returning([[1, 2, 3], null]), 'observables: 1: wanted 3 numbers, one for each image, or a multiple, got null'],
    ['NaN', returning([[1, 2, Number.NaN]]), "observables: 0: wanted finite numbers, got 'NaN for image 2'"],
  ])('refuse %s', async (_, wrong, message) => {
    const told = averages(model, energy, wrong as Observables, { numImages: 3 });
    await expect(told).rejects.toThrow(new TypeError(`averages: ${message}`));
  });

  it('refuse observables that change between parts of the images', async () => {
    const run = (second: number[][]) => averages(model, energy, returning([new Float64Array(1024)], second), { numImages: 1025 });
    await expect(run([[1], [2]])).rejects.toThrow('averages: observables: wanted a function that returns a list of 1 observables');
    await expect(run([[1, 2]])).rejects.toThrow('averages: observables: 0: wanted as many numbers of every image, got 2');
  });
});
