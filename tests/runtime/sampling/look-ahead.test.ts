import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { gatedPixelCNN, pixelCNN, sample as sampleTensors, toPortable } from 'pixelcnn-layers';
import { type Adjust, allowed, logProb, type PortableModel, type Potential, type SampleOptions, sample } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { uniformsOf } from '../../../src/runtime/core/random';
import { particlesOf } from '../../../src/runtime/sampling/particles';
import { useBackend } from '../../support/backends';
import { errorOf } from '../../support/errors';
import { allImages, asImages, countsOf, densities, filtered, listOf, normalized, sumOf } from '../../support/laws/all-images';
import { portableModel } from '../../support/models/portable-model.mjs';
import { scoped } from '../../support/scoped';
import { expectClose, expectNoLeaks, largestDifference, setNoise, take } from '../../support/tensors';

beforeAll(() => useBackend('cpu'));

/** A network as plain data, with random weights far from uniform. */
async function portableOf(network: ReturnType<typeof pixelCNN>, seed: number, scale: number): Promise<PortableModel> {
  setNoise(network, seed, scale);
  return toPortable(scoped(network));
}

function tiny(imageShape: [number, number, number], levels: number, seed: number, scale: number): Promise<PortableModel> {
  const args = { hiddenDim: 3 * imageShape[2], outDim: 4 * imageShape[2], numBlocks: 1, firstKernelSize: 3 };
  return portableOf(pixelCNN({ imageShape, levels, ...args }), seed, scale);
}

/** All images of a tiny space with p of each, where what is known is as given; and p of what is given. */
async function posterior(model: PortableModel, initial: number[], known: number[]) {
  const all = allImages(model.levels, initial.length);
  const images = all.filter((image) => image.every((level, i) => known[i] === 0 || level === initial[i]));
  const p = Array.from(await logProb(model, asImages(images, model)), Math.exp);
  return { images, shares: normalized(p), evidence: sumOf(p) };
}

const some = (image: number[], count: number) => Array<number[]>(count).fill(image);

/** `count` images with what is given, by so many particles. */
async function drawn(
  model: PortableModel,
  { initial, known }: { initial: number[]; known: number[] },
  lookAhead: number,
  count: number,
  options: SampleOptions = {},
) {
  const given = { initial: asImages(some(initial, count), model), known: asImages(some(known, count), model), lookAhead };
  const result = await sample(model, { seed: 1, ...given, ...options, withLogProb: true });
  return { ...result, list: listOf(result.images) };
}

/** Expects that so many estimates are of a number, on average. */
function expectMean(estimates: readonly number[], wanted: number): void {
  const mean = sumOf(estimates) / estimates.length;
  const variance = sumOf(estimates.map((one) => (one - mean) ** 2)) / estimates.length;
  expect(Math.abs(mean - wanted)).toBeLessThan(4 * Math.sqrt(variance / estimates.length) + 1e-9);
}

/** How far counts are from what is expected, chi-square by its degrees of freedom, and how far chance has it. */
function distance(list: number[][], { images, shares }: { images: number[][]; shares: number[] }): number {
  const expected = shares.map((share) => share * list.length);
  const terms = countsOf(list, images).map((c, i) => (c - (expected[i] as number)) ** 2 / (expected[i] as number));
  return sumOf(terms) / (images.length - 1);
}
const boundOf = ({ images }: { images: number[][] }) => 1 + 4 * Math.sqrt(2 / (images.length - 1));

const sines = Array.from({ length: 6 }, (_, i) => Math.sin(3 * i + 1));
/** Guesses of images so far, far from constant, that depend on all of their values and on the place. */
const psi: Potential = (levels, [row, column]) =>
  levels.reduce((sum, level, i) => sum + level * (sines[i] as number), 0) + (2 * row + column === 2 ? 1 : 0);
/** The same, where the first two values may not be alike. */
const strict: Potential = (levels, place, shape) =>
  place[0] + place[1] > 0 && levels[0] === levels[1] ? Number.NEGATIVE_INFINITY : psi(levels, place, shape);

describe('look-ahead', () => {
  type Case = [string, [number, number, number], number, [seed: number, scale: number], number[], number[]];
  const cases: Case[] = [
    ['2x3x1, a hole in the middle', [2, 3, 1], 4, [25, 1.2], [1, 0, 0, 3, 0, 2], [1, 0, 0, 1, 0, 1]],
    ['2x2x3, the last channel given', [2, 2, 3], 2, [25, 0.5], [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]],
  ]; // biome-ignore format: a line each
  it.each(cases)('draws from the posterior, from which draws without it are far: %s', async (...one) => {
    const [, shape, levels, weights, initial, known] = one;
    const model = await tiny(shape, levels, ...weights);
    const exact = await posterior(model, initial, known);
    const far = async (lookAhead: number) => distance((await drawn(model, { initial, known }, lookAhead, 600)).list, exact);
    expect(await far(0)).toBeGreaterThan(1.5 * boundOf(exact));
    expect(await far(32)).toBeLessThan(boundOf(exact));
  });

  it('draws from the adjusted model with guidance, each particle by its own levels', async () => {
    const [levels, total, guidance, nullClass] = [3, 5, 1.3, 2];
    const args = { levels, hiddenDim: 4, outDim: 4, numBlocks: 1, numClasses: nullClass, nullClass: true };
    const model = await portableOf(gatedPixelCNN({ imageShape: [1, total, 1], ...args }), 10, 1.5);
    const [initial, known] = [[1, 0, 2, 0, 1], [1, 0, 1, 0, 1]]; // biome-ignore format: one above the other
    const all = allImages(levels, total);
    const logsOf = async (condition: number) => {
      const data = await logProb(model, asImages(all, model), { perValue: true, condition: all.map(() => condition) });
      return listOf({ data, shape: [all.length, total] });
    };
    const [ofClass, ofNone] = [await logsOf(1), await logsOf(nullClass)];
    expect(largestDifference(ofClass.flat(), ofNone.flat())).toBeGreaterThan(1); // so that guidance matters
    const guided = ofClass.map((image, i) => image.map((x, k) => (1 + guidance) * x - guidance * (ofNone[i]?.[k] as number)));
    /** By how much a level is made likelier after those before it. */
    const bonus = (level: number, before: ArrayLike<number>) => (before[before.length - 1] === level ? 4 : 1 / (1 + level));
    /** Of each level after those before it, with guidance. */
    const wanted = new Map<string, number[]>();
    const p = densities(all, guided, levels, (logs, place, image) => {
      const before = image.slice(0, place);
      const guidedHere = normalized(logs.map(Math.exp));
      wanted.set(String(before), guidedHere);
      return normalized(guidedHere.map((one, level) => one * bonus(level, before)));
    });

    let farthest = 0; // from what it ought to be given
    const adjust: Adjust = (logProbs, [, column], levelsSoFar) => {
      for (let n = 0; n < logProbs.length / levels; n++) {
        const before = Array.from(levelsSoFar.subarray(n * total, n * total + column));
        for (const [level, one] of (wanted.get(String(before)) as number[]).entries()) {
          const at = n * levels + level;
          farthest = Math.max(farthest, Math.abs(Math.exp(logProbs[at] as number) - one));
          logProbs[at] = (logProbs[at] as number) + Math.log(bonus(level, before));
        }
      }
    };
    const fits = all.flatMap((image, i) => (image.every((level, k) => !known[k] || level === initial[k]) ? [i] : []));
    const weights = fits.map((i) => p[i] as number);
    const exact = { images: fits.map((i) => all[i] as number[]), shares: normalized(weights) };
    const { list, logGiven } = await drawn(model, { initial, known }, 32, 300, { guidance, adjust, condition: 1 });
    expect(farthest).toBeLessThan(1e-9);
    expect(distance(list, exact)).toBeLessThan(boundOf(exact));
    expectMean(Array.from(logGiven as Float64Array, Math.exp), sumOf(weights));
  });

  it('draws the image that is drawn without it where nothing is given later', async () => {
    const model = portableModel();
    const shape = [3, 6, 5, 2] as number[];
    const initial = { data: Uint8Array.from({ length: 180 }, (_, i) => (3 * i) % 5), shape };
    const known = { data: Uint8Array.from({ length: 180 }, (_, i) => Number(i % 60 < 25)), shape };
    const plain = await sample(model, { initial, known, seed: 5 });
    expect(await sample(model, { initial, known, seed: 5, lookAhead: 7 })).toEqual(plain);
    const own = (options: SampleOptions) => sample(model, { initial, known, random: uniformsOf('5'), ...options });
    expect(await own({ lookAhead: 7 })).toEqual(await own({})); // which takes as many uniforms
    const told = await sample(model, { initial, known, seed: 5, lookAhead: 7, withLogProb: true });
    expect(told.images).toEqual(plain);
    const perValue = await logProb(model, plain, { perValue: true });
    for (let n = 0; n < 3; n++) {
      let sum = 0; // of the first 25 values
      for (let i = 0; i < 25; i++) sum += perValue[60 * n + i] as number;
      expect(told.logGiven?.[n]).toBe(sum);
    }
  });

  describe('draws each image as it does alone, and as tensors', () => {
    const known = (count: number, total: number) =>
      Uint8Array.from({ length: count * total }, (_, i) => {
        if (i < total) return 1; // all of the first image,
        if (i < 2 * total) return Number(i % total < total / 2); // the upper half of the second
        return Number((i * i + (i >> 3)) % 3 === 0);
      });
    const networks: [string, () => LayersModel, object, [seed: number, scale: number]][] = [
      ['Gated PixelCNN with guidance', () => gatedPixelCNN({ imageShape: [3, 3, 1], levels: 5, hiddenDim: 3, outDim: 4, numBlocks: 1, numClasses: 3, nullClass: true }), { condition: [0, 1, 2, 2, 1], guidance: 1.5 }, [6, 1.5]],
      ['PixelCNN with a potential', () => pixelCNN({ imageShape: [2, 3, 1], levels: 3, hiddenDim: 3, outDim: 4, numBlocks: 1 }), { potential: strict }, [4, 1]],
      ['PixelCNN of a mixture', () => pixelCNN({ imageShape: [2, 3, 3], levels: 7, hiddenDim: 3, outDim: 6, numBlocks: 1, output: { components: 2 } }), { temperature: 0.9, topK: 6 }, [4, 0.7]],
    ]; // biome-ignore format: a line each
    it.each(networks)('%s', async (_, make, options, weights) => {
      const network = scoped(make() as ReturnType<typeof pixelCNN>);
      setNoise(network, ...weights);
      const model = await toPortable(network);
      const [h, w, c] = model.imageShape as [number, number, number];
      const shape = [5, h, w, c] as [number, number, number, number];
      const total = h * w * c;
      const given = {
        initial: { data: Uint8Array.from({ length: 5 * total }, (_, i) => (7 * i + (i >> 2)) % model.levels), shape },
        known: { data: known(5, total), shape },
        lookAhead: 6,
        seed: 8,
        ...options,
      }; // biome-ignore format: a line each
      const all = await sample(model, { ...given, withLogProb: true });
      expect(all.images.data.every((level, i) => !given.known.data[i] || level === given.initial.data[i])).toBe(true);
      const classes = (options as { condition?: number[] }).condition;
      expect(all.logProb).toEqual(await logProb(model, all.images, classes === undefined ? {} : { condition: classes }));
      if (classes !== undefined) {
        const others = await logProb(model, all.images, { condition: classes.map((of) => 2 - of) });
        expect(largestDifference(others, all.logProb)).toBeGreaterThan(1); // so that guidance matters
      }

      for (let n = 0; n < 5; n++) {
        const part = (images: typeof given.known) => ({ data: images.data.subarray(n * total, (n + 1) * total), shape: [1, h, w, c] });
        const alone = await sample(model, {
          ...given, initial: part(given.initial), known: part(given.known), firstImage: n,
          ...(classes && { condition: classes.slice(n, n + 1) }), withLogProb: true,
        }); // biome-ignore format: in few lines
        expect(alone.images.data).toEqual(all.images.data.slice(n * total, (n + 1) * total));
        expect(alone.logProb[0]).toBe(all.logProb[n]);
        expect(alone.logGiven?.[0]).toBe(all.logGiven?.[n]);
      }

      const [initial, isKnown] = scoped([given.initial, given.known].map(({ data }) => tf.tensor4d(data, shape, 'int32')));
      const tensors = { ...given, initial: initial as tf.Tensor4D, known: isKnown as tf.Tensor4D };
      for (const strategy of ['incremental', 'full'] as const) {
        await expectNoLeaks(async () => {
          const told = await sampleTensors(network as never, { ...tensors, strategy, withLogProb: true });
          expect(Array.from(await told.images.data())).toEqual(Array.from(all.images.data));
          told.images.dispose();
          const near = strategy === 'full' ? 1e-3 : 1e-5;
          expectClose(await take(told.logGiven as tf.Tensor), all.logGiven as Float64Array, near);
          expectClose(await take(told.logDrawn), all.logDrawn, near);
          expectClose(await take(told.logProb), all.logProb, near);
        });
      }
      tf.dispose([tensors.initial, tensors.known]);
    });
  });

  it('continues without the particles of which adjust leaves no level', async () => {
    const model = await tiny([2, 2, 1], 2, 3, 1);
    const [numImages, seed, lookAhead] = [300, 1, 32];
    // Half of the images end at the second value and draw on beside the others.
    const known = Array.from({ length: numImages }, (_, n) => (n % 2 === 0 ? [0, 1, 0, 0] : [0, 0, 0, 1]));
    const shape = [numImages, 2, 2, 1];
    const given = { initial: { data: new Uint8Array(4 * numImages).fill(1), shape }, known: { data: known.flat(), shape } };
    const adjust: Adjust = (logProbs, [row, column], levels) => {
      if (row + column === 0) return;
      for (let n = 0; n < numImages; n++) if (levels[4 * n] === 1) logProbs.fill(Number.NEGATIVE_INFINITY, 2 * n, 2 * n + 2); // nothing follows a 1
    };
    const { images, logGiven = [] } = await sample(model, { ...given, seed, lookAhead, adjust, withLogProb: true });
    expect(images.data.every((level, i) => i % 4 > 0 || level === 0)).toBe(true);
    for (const parity of [0, 1]) {
      const isGiven = known[parity] as number[];
      const { evidence } = await posterior(model, [0, 1, 1, 1], [1, ...isGiven.slice(1)]); // p of a 0 and of what is given
      const estimates = Array.from(logGiven, Math.exp).filter((_, n) => n % 2 === parity);
      expectMean(estimates, evidence);
    }
  });

  it.each([
    ['of any particle', [0, 0, 0, 0, 0, 1], 'any of the 4 particles of image 7 at [0, 2, 0]; try more'],
    ['after the last given value', [0, 1, 0, 0, 0, 0], 'image 7 at [0, 2, 0]'],
  ])('throws where adjust leaves no level: %s', async (_, data, where) => {
    const model = await tiny([2, 3, 1], 3, 1, 1);
    const initial = { data, shape: [1, 2, 3, 1] };
    const adjust: Adjust = (logProbs, [row, column]) => {
      if (3 * row + column === 2) logProbs.fill(Number.NEGATIVE_INFINITY);
    };
    await expect(sample(model, { initial, known: initial, lookAhead: 4, firstImage: 7, adjust })).rejects.toThrow(
      new Error(`sample: adjust: left no level of ${where}`),
    ); // biome-ignore format: a line each
  });

  it('asks adjust about values that are drawn or weighed, and no others: of all particles while values are drawn before given ones', async () => {
    const model = await tiny([2, 3, 1], 3, 1, 1);
    const placesOf = async (data: number[], lookAhead: number, withLogProb: boolean) => {
      const places: number[] = [];
      const adjust: Adjust = (_, [row, column]) => void places.push(3 * row + column);
      const initial = { data, shape: [1, 2, 3, 1] };
      await sample(model, { initial, known: initial, adjust, lookAhead, withLogProb });
      return places.join('');
    };
    for (const withLogProb of [false, true]) {
      expect(await placesOf([1, 0, 0, 1, 0, 1], 0, withLogProb)).toBe('124');
      expect(await placesOf([1, 0, 0, 1, 0, 1], 1, withLogProb)).toBe('012345');
      expect(await placesOf([1, 0, 0, 1, 0, 1], 2, withLogProb)).toBe('01122334455'); // by both particles between 1 and 5
      expect(await placesOf([1, 0, 0, 1, 0, 0], 4, withLogProb)).toBe('011112222333345');
      expect(await placesOf([1, 1, 0, 0, 0, 0], 4, withLogProb)).toBe('012345'); // nothing is given later
    }
  });

  it('evaluates all particles of an image with its class and its map', async () => {
    const model = portableModel({ imageShape: [4, 3, 1], levels: 5, numClasses: 3, mapSize: 2 });
    const shape = [3, 4, 3, 1];
    const data = Uint8Array.from({ length: 36 }, (_, i) => (7 * i + (i >> 2)) % 5);
    const known = Uint8Array.from({ length: 36 }, (_, i) => Number(i % 4 === 3));
    const maps = Float32Array.from({ length: 72 }, (_, i) => Math.sin(i * i));
    const of = (n: number, count: number) => ({
      initial: { data: data.subarray(12 * n, 12 * (n + count)), shape: [count, ...shape.slice(1)] },
      known: { data: known.subarray(12 * n, 12 * (n + count)), shape: [count, ...shape.slice(1)] },
      condition: { class: [2, 0, 1].slice(n, n + count), map: { data: maps.subarray(24 * n, 24 * (n + count)), shape: [count, 4, 3, 2] } },
    });
    const draw = (n: number, count: number) => sample(model, { ...of(n, count), firstImage: n, seed: 2, lookAhead: 20, withLogProb: true }); // 60 in two chunks
    const { images, ...nats } = await draw(0, 3);
    expect(nats.logProb).toEqual(await logProb(model, images, { condition: of(0, 3).condition }));
    for (const n of [0, 1, 2]) {
      const alone = await draw(n, 1);
      expect(alone.images.data).toEqual(images.data.slice(12 * n, 12 * (n + 1)));
      expect(alone.logProb[0]).toBe(nats.logProb[n]);
      expect(alone.logGiven?.[0]).toBe(nats.logGiven?.[n]);
    }
  });

  it.each([
    ['before any is drawn', [1, 0, 0, 0, 1, 0], 'no particle of image 7 allows the level given at [0, 0, 0], whatever is drawn', [1, 8]],
    ['after drawn ones', [0, 0, 0, 0, 0, 1], 'no particle of image 7 allows the level given at [1, 2, 0]; try more than 4', [4]],
    ['with nothing after', [0, 1, 0, 0, 0, 0], 'no particle of image 7 allows the level given at [0, 1, 0]; try more than 1', [1]],
    ['where all is given', [1, 1, 1, 1, 1, 1], 'no particle of image 7 allows the level given at [0, 0, 0], whatever is drawn', [1, 8]],
  ])('throws if a given level is forbidden, by any number of particles, with log p or without: %s', async (_, data, message, particles) => {
    const model = await tiny([2, 3, 1], 3, 1, 1);
    const initial = { data: data.map(() => 1), shape: [1, 2, 3, 1] };
    const known = { ...initial, data };
    const adjust = allowed({ data: [1, 0, 1], shape: [3] });
    for (const withLogProb of [false, true])
      for (const lookAhead of particles) {
        const drawn = sample(model, { initial, known, lookAhead, firstImage: 7, adjust, withLogProb });
        await expect(drawn).rejects.toThrow(new Error(`sample: lookAhead: ${message}`));
      }
  }); // biome-ignore format: a line each

  it('never continues with a particle that excludes a given level', async () => {
    const model = await tiny([1, 6, 1], 3, 1, 0.5);
    const shape = [1, 1, 6, 1];
    const given = { initial: { data: new Uint8Array(6), shape }, known: { data: [0, 1, 0, 0, 0, 1], shape }, lookAhead: 4 };
    const next = [0, 0.9, 0.9, 0.9, 0.1]; // at the first place the first particle alone draws level 0
    let calls = 0;
    const random = () => (calls < 5 ? (next[calls++] as number) : 1 - 2 ** -53); // at the second, u of resampling is the greatest there is
    const seen: number[][] = [];
    await sample(model, {
      ...given,
      random,
      adjust: (logProbs, [, column], [first]) => {
        if (column === 1 && first !== 0) logProbs[0] = Number.NEGATIVE_INFINITY;
        if (column === 2) seen.push([first as number]);
      },
    });
    expect(seen).toEqual([[0], [0], [0], [0]]);
  });

  it('shows the first particle of each image as they grow', async () => {
    const model = await tiny([2, 3, 1], 3, 1, 1);
    const shape = [2, 2, 3, 1];
    const known = { data: [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1], shape };
    const seen: number[][] = [];
    const onProgress = ({ levels }: { levels: ArrayLike<number> }) => void seen.push(Array.from(levels));
    const { data } = await sample(model, { initial: known, known, lookAhead: 5, seed: 1, onProgress });
    expect(seen.map((levels) => levels.length)).toEqual([12, 12]);
    expect(seen[1]).toEqual([...data]);
  });

  it('draws the remaining particle by a separate uniform', async () => {
    const model = await tiny([1, 3, 1], 2, 25, 1);
    const shape = [1, 1, 3, 1];
    const given = { initial: { data: [0, 1, 0], shape }, known: { data: [0, 1, 0], shape }, lookAhead: 2 };
    const pairs = [[0, 0], [1 - 2 ** -53, 1]] as const; // biome-ignore format: a line
    for (const [last, first] of pairs) {
      let calls = 0;
      const numbers = [0, 1 - 2 ** -53, 0.5, 0.5, 0.5, last]; // for each particle, and to draw among them
      const { data } = await sample(model, { ...given, random: () => numbers[calls++] ?? 0.5 });
      expect(data[0]).toBe(first); // the particles begin with 0 and with 1
    }
  });

  it('refuses invalid arguments', async () => {
    const model = await tiny([2, 3, 1], 3, 1, 1);
    const alone = sample(model, { lookAhead: 4 });
    await expect(alone).rejects.toThrow('sample: lookAhead: wanted initial and known, or potential, too, got neither');
    const given = { initial: { data: [0, 0, 0, 0, 0, 0], shape: [1, 2, 3, 1] }, known: { data: [0, 0, 0, 0, 0, 1], shape: [1, 2, 3, 1] } };
    await expect(sample(model, { ...given, lookAhead: -1 })).rejects.toThrow('sample: lookAhead: wanted');
    await expect(sample(model, { ...given, withLogProb: 1 as never })).rejects.toThrow('sample: withLogProb');
    const huge = { ...given, lookAhead: 2 ** 40 };
    const network = scoped(pixelCNN({ imageShape: [2, 3, 1], levels: 3, hiddenDim: 2, outDim: 2, numBlocks: 1 }));
    const tensors = scoped({ initial: tf.zeros([1, 2, 3, 1], 'int32'), known: tf.tensor4d([0, 0, 0, 0, 0, 1], [1, 2, 3, 1]) });
    const jobs = [
      () => sample(model, huge),
      () => sampleTensors(network, { ...huge, ...tensors }),
      () => sampleTensors(network, { ...huge, ...tensors, strategy: 'full' }),
    ];
    for (const job of jobs) {
      const error = await job().catch((reason) => reason);
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toMatch(/^sample: lookAhead: 1099511627776 particles of each image: .*; use fewer images at a time$/);
    }
  });
});

describe('a potential', () => {
  const cases: [string, Potential, initial: number[], known: number[]][] = [
    ['of nothing given', psi, [0, 0, 0, 0], [0, 0, 0, 0]],
    ['that drops some', strict, [0, 0, 0, 0], [0, 0, 0, 0]],
    ['of the first given', psi, [2, 0, 0, 0], [1, 0, 0, 0]],
    ['of later ones given', psi, [0, 1, 0, 2], [0, 1, 0, 1]],
    ['of all given', psi, [0, 1, 2, 2], [1, 1, 1, 1]],
  ];
  it.each(cases)('by enumeration: %s', async (_, potential, initial, known) => {
    const model = await tiny([2, 2, 1], 3, 12, 0.8);
    const { images, shares, evidence } = await posterior(model, initial, known);
    const weights = images.map((image, i) => {
      return (shares[i] as number) * Math.exp(potential(Int32Array.from(image), [1, 1, 0], [2, 2, 1]));
    });
    const exact = sumOf(weights);
    const isGiven = sumOf(known) > 0;
    const given = (count: number) =>
      isGiven ? { initial: asImages(some(initial, count), model), known: asImages(some(known, count), model) } : { numImages: count };
    for (const lookAhead of [1, 10]) {
      const drawing = sample(model, { ...given(150), seed: 1, lookAhead, potential, withLogProb: true });
      if (lookAhead === 1 && potential === strict) {
        await expect(drawing).rejects.toThrow('has a potential above -Infinity at [0, 1, 0]; try more than 1');
        continue;
      }
      const { logGiven, images: drawn, ...nats } = await drawing;
      const estimates = Array.from(logGiven as Float64Array, Math.exp);
      const expectEach = (numbers: number[], wanted: number) => {
        if (known.includes(0)) expectMean(numbers, wanted);
        else for (const one of numbers) expect(one).toBeCloseTo(wanted, 9);
      };
      expectEach(estimates, evidence * exact);
      expect(nats.logProb).toEqual(await logProb(model, drawn));
      // The weights that make up for the potential, too, are on average p of all that it allows.
      const p = sumOf(shares.filter((_, i) => (weights[i] as number) > 0)) * evidence;
      const undone = Array.from(nats.logProb, (x, n) => Math.exp(x - (nats.logDrawn[n] as number)));
      expectEach(undone, p);
    }
    const list = listOf(await sample(model, { ...given(200), seed: 4, lookAhead: 24, potential }));
    if (!known.includes(0)) return expect(new Set(list.map(String))).toEqual(new Set([String(initial)]));
    const possible = images.filter((_, i) => (weights[i] as number) > 0);
    const law = { images: possible, shares: normalized(weights.filter((weight) => weight > 0)) };
    const names = new Set(possible.map(String));
    expect(list.every((image) => names.has(String(image)))).toBe(true);
    expect(distance(list, law)).toBeLessThan(boundOf(law));
    const plain = listOf(await sample(model, { ...given(200), seed: 4 })).filter((image) => names.has(String(image)));
    expect(distance(plain, law)).toBeGreaterThan(boundOf(law));
  });

  it('of what is drawn by other probabilities weights these', async () => {
    const model = await tiny([2, 2, 1], 3, 12, 0.8);
    const all = allImages(3, 4);
    const nats = await logProb(model, asImages(all, model), { perValue: true });
    const options = { temperature: 0.6, topK: 2 };
    const p = densities(all, listOf({ data: nats, shape: [81, 4] }), 3, (logs) => filtered(logs, options));
    const exact = sumOf(p.map((x, i) => x * Math.exp(psi(Int32Array.from(all[i] as number[]), [1, 1, 0], [2, 2, 1]))));
    const drawn = await sample(model, { ...options, numImages: 300, seed: 1, lookAhead: 5, potential: psi, withLogProb: true });
    expectMean(Array.from(drawn.logGiven as Float64Array, Math.exp), exact);
    // The particle that is chosen brings its own log p along, and how likely its choice was.
    for (const [n, image] of listOf(drawn.images).entries()) {
      const i = all.findIndex((one) => String(one) === String(image));
      const told = (drawn.logDrawn[n] as number) + (drawn.logGiven?.[n] as number) - psi(Int32Array.from(image), [1, 1, 0], [2, 2, 1]);
      expect(Math.exp(told)).toBeCloseTo(p[i] as number, 9);
    }
    const undone = Array.from(drawn.logProb, (x, n) => Math.exp(x - (drawn.logDrawn[n] as number)));
    const all1 = Array.from(await logProb(model, asImages(all, model)), Math.exp);
    expectMean(undone, sumOf(all1.filter((_, i) => (p[i] as number) > 0)));
    expect(drawn.logProb).toEqual(await logProb(model, drawn.images));
  });

  it('is called once for each particle and value, with what is there so far', async () => {
    const model = await tiny([1, 3, 2], 3, 1, 0.5);
    const seen: [levels: number[], place: number[], shape: number[]][] = [];
    const potential: Potential = (levels, place, shape) => {
      seen.push([Array.from(levels), [...place], [...shape]]);
      shape.fill(0); // which is a copy
      return 0;
    };
    const given = { initial: asImages([[2, 0, 0, 0, 2, 0]], model), known: asImages([[1, 0, 0, 0, 1, 0]], model) };
    const { data } = await sample(model, { ...given, seed: 1, lookAhead: 3, potential });
    const places = [0, 1, 2, 3, 4, 5].map((i) => [0, i >> 1, i & 1]);
    const times = [1, 3, 3, 3, 3, 3]; // the first value is given: until a value is drawn, there is one particle
    expect(seen.map(([, place]) => place)).toEqual(places.flatMap((place, i) => Array(times[i]).fill(place)));
    for (const [levels, place, shape] of seen) {
      const index = places.findIndex((one) => String(one) === String(place));
      expect(levels.slice(index + 1).every((level) => level === 0)).toBe(true);
      expect(levels[0]).toBe(2);
      if (index >= 4) expect(levels[4]).toBe(2);
      expect(shape).toEqual([1, 3, 2]);
    }
    expect(seen.some(([levels]) => String(levels) === String(Array.from(data)))).toBe(true);
  });

  it('sees levels so far, and zeros, also of particles that have replaced others', async () => {
    const model = await tiny([1, 4, 1], 3, 1, 0.5);
    let isSound = true;
    const potential: Potential = (levels, [, column]) => {
      isSound &&= levels.length === 4 && levels.subarray(column + 1).every((level) => level === 0);
      return -20 * levels.filter((level, i) => i <= column && level !== i % 3).length;
    };
    const list = listOf(await sample(model, { numImages: 5, seed: 1, lookAhead: 60, potential }));
    expect(list).toEqual(some([0, 1, 2, 0], 5));
    expect(isSound).toBe(true);
  });

  it.each<[string, known: number[] | null, place: string, hint: string]>([
    ['drawn', null, '1, 0, 0', '; try more than N'],
    ['drawn after given ones', [1, 1, 0, 0], '1, 0, 0', '; try more than N'],
    ['given after drawn ones', [0, 0, 1, 1], '1, 0, 0', '; try more than N'],
    ['given before any is drawn', [1, 1, 1, 0], '1, 0, 0', ', whatever is drawn'],
    ['given, as all are', [1, 1, 1, 1], '1, 0, 0', ', whatever is drawn'],
  ])('that drops all particles is an Error, of any number of them: %s', async (_, known, place, hint) => {
    const model = await tiny([2, 2, 1], 3, 1, 0.5);
    const potential: Potential = (_, [row]) => (row === 0 ? 0 : Number.NEGATIVE_INFINITY);
    const given = known && { initial: asImages([[0, 1, 2, 0]], model), known: asImages([known], model) };
    for (const lookAhead of [1, 2, 4])
      for (const withLogProb of [false, true]) {
        const drawn = sample(model, { ...given, lookAhead, firstImage: 3, potential, withLogProb });
        await expect(drawn).rejects.toThrow(
          new Error(`sample: lookAhead: no particle of image 3 has a potential above -Infinity at [${place}]${hint.replace('N', String(lookAhead))}`),
        );
      }
  }); // biome-ignore format: a line each

  it.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, '1', 1n, Promise.resolve(1)])('is no %s', async (bad) => {
    const model = await tiny([2, 2, 1], 3, 1, 0.5);
    for (const lookAhead of [1, 3]) {
      const promise = sample(model, { lookAhead, potential: () => bad as number });
      await expect(promise).rejects.toThrow(
        errorOf(TypeError, 'sample: potential: wanted a function that returns numbers, or -Infinity, got'),
      );
    }
  });

  it('needs particles, and is a function', async () => {
    const model = await tiny([2, 2, 1], 3, 1, 0.5);
    await expect(sample(model, { potential: () => 0 })).rejects.toThrow(
      new TypeError('sample: lookAhead: wanted the number of particles, for potential, got 0'),
    );
    await expect(sample(model, { potential: 1 as never, lookAhead: 2 })).rejects.toThrow('sample: potential: wanted a function, got 1');
  });
});

describe('Particles', () => {
  const job = { firstImage: 0, numImages: 1, imageShape: [1, 3, 1] as const, given: Int32Array.from([-1, 0, 0]) }; // the first value is drawn

  it('are replaced where their effective number is below half', () => {
    const isReplaced = (...weights: number[]) => {
      const particles = particlesOf(4, job);
      particles.weigh(0, 1, Float64Array.from(weights, Math.log), 0.5);
      return particles.takeMoves() !== null;
    };
    expect(isReplaced(1, 1, 0, 0)).toBe(false); // (1 + 1)^2 / (1 + 1) = 2
    expect(isReplaced(1, 0.9, 0, 0)).toBe(true); // 1.9^2 / 1.81 = 1.994
    expect(isReplaced(1, 0.5, 0.5, 0.5)).toBe(false); // 2.5^2 / 1.75 = 3.6
  });

  it('are kept in proportion to their weights, rounded up or down, and exactly so on average', () => {
    const weights = [0.03, 5, 0.4, 0.001, 1.3, 0, 0.6, 0.2];
    const sum = weights.reduce((all, one) => all + one);
    const totals = weights.map(() => 0);
    const runs = 100;
    for (let run = 0; run < runs; run++) {
      const particles = particlesOf(8, job);
      particles.weigh(0, 1, Float64Array.from(weights, Math.log), (run + 0.5) / runs);
      const moves = particles.takeMoves() as Int32Array;
      const times = weights.map((_, p) => moves.filter((from) => from === p).length);
      for (const [p, count] of times.entries()) {
        const share = (8 * (weights[p] as number)) / sum;
        expect([Math.floor(share), Math.ceil(share)]).toContain(count);
        if (count > 0) expect(moves[p]).toBe(p); // stays where it is
        totals[p] = (totals[p] as number) + count;
      }
      particles.weigh(0, 2, new Float64Array(8).fill(Math.log(0.5)), 0.5); // all alike now
      expect(particles.logGiven[0]).toBeCloseTo(Math.log(sum / 8) + Math.log(0.5), 12);
    }
    for (const [p, total] of totals.entries()) expect(Math.abs(total / runs - (8 * (weights[p] as number)) / sum)).toBeLessThan(2 / runs);
  });

  it('do not go on without any weight, whatever the uniform, unless other elements may have some', () => {
    const particles = particlesOf(3, job);
    particles.weigh(0, 1, Float64Array.from([0, 0, 1], Math.log), 0);
    expect(particles.takeMoves()).toEqual(Int32Array.from([2, 2, 2]));
    for (const count of [1, 3]) {
      const none = new Float64Array(count).fill(-Infinity);
      expect(() => particlesOf(count, job).weigh(0, 1, none, 0.5)).toThrow('no particle of image 0 allows');
      const ofElement = particlesOf(count, { ...job, isOneOfSeveral: true });
      ofElement.weigh(0, 1, none, 0.5);
      ofElement.weigh(0, 2, new Float64Array(count).fill(-1), 0.5);
      expect(ofElement.logGiven[0]).toBe(-Infinity);
    }
  });

  it('count how many copies of each were expected', () => {
    const particles = particlesOf(4, { ...job, imageShape: [1, 4, 1], given: Int32Array.from([-1, 0, 0, 0]) });
    particles.weigh(0, 1, Float64Array.from([1, 1, 1, 2], Math.log), 0.5); // alike enough to stay
    expect(particles.logCopies).toEqual(new Float64Array(4));
    particles.weigh(0, 2, Float64Array.from([1, 1, 1, 8], Math.log), 0.5); // in all 1, 1, 1 and 16 of 19
    expectClose(Array.from(particles.logCopies, Math.exp), [4 / 19, 4 / 19, 4 / 19, 64 / 19], 1e-12);
    particles.weigh(0, 3, Float64Array.from([1, 0.5, 1, 1], Math.log), 0.5); // of 3.5
    const last = [1, 0.5, 1, 1].map((weight) => (4 * weight) / 3.5);
    const copies = [4, 4, 4, 64].map((w, p) => (w / 19) * (last[p] as number));
    expectClose(Array.from(particles.logCopies, Math.exp), copies, 1e-12);
  });
});
