import { logProb, type PortableModel, type SampleOptions, type Symmetry, sample, symmetric } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { uniformsOf } from '../../../src/runtime/core/random';
import { allImages, asImages, changed, countsOf, elementsSlowly, inElement, listOf, sumOf } from '../../support/laws/all-images';
import { expectToFollow } from '../../support/laws/chi-square';
import { portableModel } from '../../support/models/portable-model.mjs';
import { expectClose } from '../../support/tensors';

// The law of a symmetric model, by enumeration: p(x) is the mean of q(g x) over the elements g, which are computed here
// by the definitions of the symmetries.

/** A model with symmetries, and what it was made of. */
interface Symmetric {
  readonly plain: PortableModel;
  readonly model: PortableModel;
  readonly elements: Symmetry[][];
  /** Whether the model's class is the element. */
  readonly isTold: boolean;
  readonly all: number[][];
}

function symmetricModel(
  shape: Parameters<typeof portableModel>[0] & { imageShape: [number, number, number]; levels: number },
  symmetries: Symmetry[],
  ownClasses = 0,
  scale = 1,
): Symmetric {
  const elements = elementsSlowly(symmetries);
  const isTold = ownClasses > 0;
  const classes = isTold ? { numClasses: ownClasses * elements.length } : {};
  const channels = shape.imageShape[2];
  const mild = portableModel({ features: 4 * channels, ...shape, ...classes });
  const weights = [...mild.weights].map(([name, { shape, data }]) => {
    const bias = name === 'logits.bias' ? scale - 1 : 0; // so that elements differ
    return [name, { shape, data: data.map((x, i) => scale * x + bias * (i % mild.levels)) }] as const;
  });
  const plain = { ...mild, weights: new Map(weights) };
  const model = symmetric(plain, symmetries, { asCondition: isTold });
  const [h, w] = shape.imageShape;
  return { plain, model, elements, isTold, all: allImages(shape.levels, h * w * channels) };
}

/** Log q of each value of all images in an element, [images][values], in the model without symmetries. */
async function valuesIn({ plain, elements, isTold, all }: Symmetric, element: number, own = 0) {
  const images = all.map((image) => inElement(elements[element] as Symmetry[], image, plain));
  const condition = isTold ? { condition: all.map(() => own * elements.length + element) } : {};
  const nats = await logProb(plain, asImages(images, plain), { perValue: true, ...condition });
  return listOf({ data: nats, shape: [all.length, (all[0] as number[]).length] });
}

/** Log q in each element, [elements][images]. */
async function logsOf(one: Symmetric, own = 0): Promise<number[][]> {
  const values = await Promise.all(one.elements.map((_, element) => valuesIn(one, element, own)));
  return values.map((images) => images.map(sumOf));
}

/** The mean of e^x over some elements, [images]. */
const meanOf = (logs: readonly number[][], among: number[] = logs.map((_, element) => element)) =>
  (logs[0] as number[]).map((_, i) => sumOf(among.map((element) => Math.exp(logs[element]?.[i] as number) / among.length)));

/** Values that are given, the same in all images. */
type Given = { initial: number[]; known: number[] } | null;

function optionsOf({ model }: Symmetric, given: Given, count: number): SampleOptions {
  const repeated = (image: number[]) => asImages(Array<number[]>(count).fill(image), model);
  const parts = given && { initial: repeated(given.initial), known: repeated(given.known) };
  return { numImages: count, seed: 3, ...parts };
}

/** Many images. */
async function many(one: Symmetric, given: Given, options: SampleOptions, count = 1200) {
  return listOf(await sample(one.model, { ...optionsOf(one, given, count), ...options }));
}

/** Images with their log p. */
async function draw(one: Symmetric, given: Given, options: SampleOptions, count = 40) {
  const all = { ...optionsOf(one, given, count), ...options, withLogProb: true as const };
  const drawn = await sample(one.model, all);
  return { ...drawn, list: listOf(drawn.images) };
}

/** Expects that images follow weights, which need not be normalized. */
function expectLaw(drawn: readonly number[][], images: readonly number[][], weights: readonly number[]): void {
  const share = drawn.length / sumOf(weights);
  expectToFollow(
    countsOf(drawn, images),
    weights.map((weight) => weight * share),
  );
}

type Args = Parameters<typeof symmetricModel>;
const two: [number, number, number] = [2, 2, 1];
const cases: [string, ...Args][] = [
  ['levels', { imageShape: two, levels: 2 }, ['flipLevels']],
  ['three levels, and columns', { imageShape: two, levels: 3 }, ['flipLevels', 'flipColumns']],
  ['the square', { imageShape: two, levels: 3 }, ['transpose', 'flipRows']],
  ['transposed, of two channels', { imageShape: [2, 2, 2], levels: 2 }, ['flipLevels', 'transpose']],
  ['flips, told', { imageShape: two, levels: 2 }, ['flipRows', 'flipColumns'], 1],
  ['the square, told, with classes', { imageShape: two, levels: 3 }, ['flipRows', 'transpose'], 2],
];

describe.each(cases)('p of a symmetric model: %s', (_, ...args) => {
  const one = symmetricModel(...args);
  const own = (args[2] ?? 0) > 1 ? 1 : 0;
  const condition = (args[2] ?? 0) > 1 ? { condition: 1 } : {};

  it('is the mean of q in all elements, sums to 1, and without classes is symmetric', async () => {
    const logs = await logsOf(one, own);
    const conditions = 'condition' in condition ? { condition: one.all.map(() => 1) } : {};
    const p = Array.from(await logProb(one.model, asImages(one.all, one.model), conditions), Math.exp);
    expectClose(p, meanOf(logs), 1e-12);
    expect(sumOf(p)).toBeCloseTo(1, 6); // q is of float32
    const of = new Map(one.all.map((image, i) => [String(image), p[i] as number]));
    for (const symmetry of one.isTold ? [] : args[1]) {
      const other = one.all.map((image) => of.get(String(changed(symmetry, image, one.plain))) as number);
      expectClose(other, p, 1e-12);
      expect(Math.max(...p.map((x, i) => Math.abs(x - Math.exp(logs[0]?.[i] as number))))).toBeGreaterThan(0.005); // so that symmetry matters
    }
  });

  it('is what images follow, and their log p, as drawn too, are those of logProb', async () => {
    const drawn = await draw(one, null, condition);
    const list = await many(one, null, condition);
    expect(String(list.slice(0, 40))).toBe(String(drawn.list));
    expectLaw(list, one.all, meanOf(await logsOf(one, own)));
    const conditions = 'condition' in condition ? { condition: drawn.list.map(() => 1) } : {};
    expect(drawn.logProb).toEqual(await logProb(one.model, drawn.images, conditions));
    expect(drawn.logDrawn).toEqual(drawn.logProb);
    expect(drawn.logGiven).toBeUndefined();
  });
});

/** The elements in which given values come first. */
const firstIn = ({ elements, plain }: Symmetric, known: number[]) =>
  elements.flatMap((element, index) => {
    const moved = inElement(
      element.filter((symmetry) => symmetry !== 'flipLevels'),
      known,
      plain,
    );
    return moved.indexOf(0) === sumOf(known) ? [index] : [];
  });

describe('given values', () => {
  const levels = symmetricModel({ imageShape: [2, 3, 1], levels: 2 }, ['flipLevels']);
  const square = symmetricModel({ imageShape: two, levels: 3 }, ['flipRows', 'transpose'], 1);
  const classes = symmetricModel({ imageShape: two, levels: 3 }, ['flipRows', 'flipColumns', 'flipLevels'], 2);
  const wide = symmetricModel({ imageShape: [3, 2, 1], levels: 2 }, ['flipRows', 'flipColumns']);
  const rows: [string, Symmetric, initial: number[], known: number[], numFirst: number, own?: number][] = [
    ['first, where levels flip', levels, [1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], 2],
    ['upper half', square, [2, 1, 0, 0], [1, 1, 0, 0], 2],
    ['lower half', square, [0, 0, 1, 0], [0, 0, 1, 1], 2],
    ['right half', square, [0, 1, 0, 0], [0, 1, 0, 1], 2],
    ['right half, of a class', classes, [0, 0, 0, 2], [0, 1, 0, 1], 0, 1],
    ['lower half, of a class', classes, [0, 0, 0, 2], [0, 0, 1, 1], 4, 1],
    ['the row below', wide, [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 1], 2],
    ['a corner of a rectangle', wide, [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 1, 0], 1],
  ];
  const fitsOf = (all: number[][], initial: number[], known: number[]) =>
    all.flatMap((image, i) => (image.every((level, k) => !known[k] || level === initial[k]) ? [i] : []));

  it.each(rows)('%s', async (_, one, initial, known, numFirst, own = 0) => {
    const first = firstIn(one, known);
    expect(first.length).toBe(numFirst);
    const fits = fitsOf(one.all, initial, known);
    const images = fits.map((i) => one.all[i] as number[]);
    const condition = own > 0 ? { condition: own } : {};
    const few = await draw(one, { initial, known }, condition);
    const { logProb: nats, logDrawn, images: drawn } = few;
    const of = own > 0 ? { condition: few.list.map(() => own) } : {};
    expect(nats).toEqual(await logProb(one.model, drawn, of));
    /** Of the law, which is proportional to these weights. */
    const expectDrawn = (weights: readonly number[]) => {
      const index = few.list.map((image) => images.findIndex((one) => String(one) === String(image)));
      const law = index.map((i) => (weights[i] as number) / sumOf(weights));
      expectClose(Array.from(logDrawn, Math.exp), law, 1e-9);
    };
    const list = await many(one, { initial, known }, condition);
    expect(String(list.slice(0, 40))).toBe(String(few.list)); // with log p or without

    if (numFirst === 0) {
      // In a random element, which ignores what is given later in it.
      const values = await Promise.all(one.elements.map((_, element) => valuesIn(one, element, own)));
      const isDrawn = one.elements.map((element) =>
        inElement(
          element.filter((symmetry) => symmetry !== 'flipLevels'),
          known,
          one.plain,
        ).map((k) => 1 - k),
      );
      const logs = values.map((images, element) =>
        images.map((image) => sumOf(image.map((x, k) => x * (isDrawn[element]?.[k] as number)))),
      );
      const all = meanOf(logs);
      const weights = fits.map((i) => all[i] as number);
      expect(sumOf(weights)).toBeCloseTo(1, 9);
      expectDrawn(weights);
      return expectLaw(list, images, weights);
    }
    const mixture = meanOf(await logsOf(one, own), first);
    const weights = fits.map((i) => mixture[i] as number);
    expectDrawn(weights);
    expectLaw(list, images, weights);
    const told = await draw(one, { initial, known }, { ...condition, lookAhead: 3 }, 5);
    expect(told.list).toEqual(list.slice(0, 5));
    for (const nats of told.logGiven ?? []) expect(nats).toBeCloseTo(Math.log(sumOf(weights)), 9);
    expectClose(told.logDrawn, logDrawn.slice(0, 5), 1e-12);
    expect(told.logGiven?.length).toBe(5);
  });

  const strong = symmetricModel({ imageShape: [2, 3, 1], levels: 2 }, ['flipLevels'], 0, 1.8);
  const tall = symmetricModel({ imageShape: [3, 2, 1], levels: 2 }, ['flipRows', 'flipLevels'], 2, 1.6);
  it.each<[string, Symmetric, number[], number[], number]>([
    ['the last, where levels flip', strong, [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 1, 1], 0],
    ['the middle of a rectangle, of a class', tall, [0, 0, 0, 1, 0, 0], [0, 0, 1, 1, 0, 0], 1],
  ])('late ones with look-ahead: %s', async (_, one, initial, known, own) => {
    expect(firstIn(one, known)).toEqual([]);
    const fits = fitsOf(one.all, initial, known);
    const condition = own > 0 ? { condition: own } : {};
    const mixture = meanOf(await logsOf(one, own));
    const weights = fits.map((i) => mixture[i] as number);
    const { list, logGiven = [], ...nats } = await draw(one, { initial, known }, { ...condition, lookAhead: 24 }, 250);
    const law = (drawn: number[][]) =>
      expectLaw(
        drawn,
        fits.map((i) => one.all[i] as number[]),
        weights,
      );
    law(list);
    const hasty = await draw(one, { initial, known }, { ...condition, lookAhead: 1 }, 250);
    if (own === 0) expect(() => law(hasty.list)).toThrow(); // one particle does not suffice
    const estimates = Array.from(logGiven, Math.exp);
    const mean = sumOf(estimates) / estimates.length;
    const variance = sumOf(estimates.map((x) => (x - mean) ** 2)) / estimates.length;
    expect(Math.abs(mean - sumOf(weights))).toBeLessThan(4 * Math.sqrt(variance / estimates.length));
    // So are the weights of what is drawn, since nothing else has changed how.
    expectClose(
      Array.from(nats.logProb, (x, n) => Math.exp(x - (nats.logDrawn[n] as number))),
      estimates,
      1e-9,
    );
  });

  const forbidden = symmetricModel({ imageShape: [2, 3, 1], levels: 3 }, ['flipLevels'], 1);
  const logits = forbidden.plain.weights.get('logits.bias') as { data: Float32Array };
  logits.data[0] = -Infinity; // level 0 is never drawn; of a flipped image, 2

  it.each<[string, level: number, known: number[]]>([
    ['first', 0, [1, 0, 0, 0, 0, 0]],
    ['first, of a flipped image', 2, [1, 1, 0, 0, 0, 0]],
    ['late', 0, [0, 0, 1, 0, 0, 0]],
  ])('that an element does not allow are drawn in others: %s', async (_, level, known) => {
    const initial = known.map((is) => is * level);
    for (const lookAhead of [0, 1, 8]) {
      const { list, logProb: nats, logGiven } = await draw(forbidden, { initial, known }, { lookAhead });
      // Late ones are ignored without look-ahead.
      const isExact = lookAhead > 0 || known[0] === 1;
      if (isExact) expect(list.flat().includes(2 - level)).toBe(false);
      else expect(list.some((image) => image.includes(2))).toBe(true);
      if (isExact) for (const x of [...nats, ...(logGiven ?? [])]) expect(x).toBeGreaterThan(-Infinity);
    }
  });

  it.each<[string, initial: number[], known: number[]]>([
    ['first', [0, 2, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]],
    ['late', [0, 0, 0, 0, 0, 2], [0, 1, 0, 0, 0, 1]],
    ['all', [0, 1, 2, 1, 1, 1], [1, 1, 1, 1, 1, 1]],
  ])('that no element allows are an Error if one looks ahead: %s', async (_, initial, known) => {
    for (const lookAhead of [1, 4]) {
      for (const withLogProb of [false, true]) {
        const drawn = sample(forbidden.model, { ...optionsOf(forbidden, { initial, known }, 2), firstImage: 7, lookAhead, withLogProb });
        await expect(drawn).rejects.toThrow(
          new Error('sample: lookAhead: no particle of image 7, in any orientation, allows what is given'),
        );
      }
    }
    const { list, logProb: nats, logDrawn } = await draw(forbidden, { initial, known }, {});
    expect(list.every((image) => image.every((level, k) => !known[k] || level === initial[k]))).toBe(true);
    expect(nats).toEqual(new Float64Array(40).fill(-Infinity));
    for (const x of logDrawn) expect(x).toBeGreaterThan(-Infinity);
  });

  it('differ between images, each of which is drawn as alone', async () => {
    const one = square;
    const known = [
      [1, 1, 0, 0],
      [0, 0, 0, 0],
      [0, 1, 0, 1],
      [0, 1, 1, 0],
      [1, 1, 1, 1],
      [0, 0, 0, 1],
    ];
    const initial = known.map((_, n) => [0, 1, 2, 3].map((k) => (n + k) % 3));
    for (const lookAhead of [0, 5]) {
      const of = (first: number, count: number) => ({
        initial: asImages(initial.slice(first, first + count), one.model),
        known: asImages(known.slice(first, first + count), one.model),
        seed: 6,
        firstImage: first,
        lookAhead,
        withLogProb: true as const,
      });
      const together = await sample(one.model, of(0, 6));
      const list = listOf(together.images);
      for (const [n, image] of list.entries()) {
        expect(image.every((level, k) => !known[n]?.[k] || level === initial[n]?.[k])).toBe(true);
        const alone = await sample(one.model, of(n, 1));
        expect(listOf(alone.images)).toEqual([image]);
        expect(alone.logProb[0]).toBe(together.logProb[n]);
        expect(alone.logGiven?.[0]).toBe(together.logGiven?.[n]);
      }
      const { withLogProb: _, ...quiet } = of(0, 6);
      expect(await sample(one.model, quiet)).toEqual(together.images);
    }
  });
});

describe('log p with which images were drawn', () => {
  /** Log of the weights of levels after temperature and the most likely ones, by the definition. */
  const filtered = (logs: number[], temperature: number, topK: number) => {
    const sorted = [...logs].sort((a, b) => b - a);
    const weights = logs.map((x) => (x >= (sorted[topK - 1] as number) ? Math.exp(x / temperature) : 0));
    return weights.map((weight) => weight / sumOf(weights));
  };
  /** The density with which all images are drawn in an element, where `isGiven` counts by the model. */
  async function densities(one: Symmetric, temperature: number, topK: number, known: number[] | null) {
    const { levels } = one.plain;
    const total = (one.all[0] as number[]).length;
    const number = (image: readonly number[]) => image.reduce((sum, level) => sum * levels + level, 0);
    const plain = await logProb(one.plain, asImages(one.all, one.plain), { perValue: true });
    const density = (image: number[], given: number[] | null) =>
      image.reduce((product, level, k) => {
        const step = levels ** (total - 1 - k);
        const logs = Array.from({ length: levels }, (_, other) => {
          const sibling = number(image) + (other - level) * step;
          return plain[sibling * total + k] as number;
        });
        const p = given?.[k] ? logs.map(Math.exp) : filtered(logs, temperature, topK);
        return product * (p[level] as number);
      }, 1);
    return one.elements.map((element) => {
      const places = element.filter((symmetry) => symmetry !== 'flipLevels');
      const given = known && inElement(places, known, one.plain);
      return one.all.map((image) => Math.log(density(inElement(element, image, one.plain), given)));
    });
  }

  it.each([
    [0.5, 3],
    [1.7, 2],
  ])('of temperature %d and the %d most likely is the mean over elements', async (temperature, topK) => {
    const one = symmetricModel({ imageShape: two, levels: 3 }, ['flipLevels', 'flipColumns']);
    const p = meanOf(await densities(one, temperature, topK, null));
    const { list, logDrawn, logProb: nats, images } = await draw(one, null, { temperature, topK }, 400);
    expectLaw(await many(one, null, { temperature, topK }), one.all, p);
    const told = new Map(list.map((image, n) => [String(image), Math.exp(logDrawn[n] as number)]));
    for (const [i, image] of one.all.entries()) {
      const wanted = p[i] as number;
      if (wanted > 0.03) expect(told.has(String(image))).toBe(true);
      if (told.has(String(image))) expect(told.get(String(image))).toBeCloseTo(wanted, 6);
    }
    expect(nats).toEqual(await logProb(one.model, images));
  });

  it('of 0 draws the most likely image of a random element', async () => {
    const one = symmetricModel({ imageShape: two, levels: 3 }, ['flipRows', 'flipColumns']);
    const { list, logDrawn } = await draw(one, null, { temperature: 0 }, 100);
    const told = new Map(list.map((image, n) => [String(image), Math.exp(logDrawn[n] as number)]));
    expect(told.size).toBeGreaterThan(1);
    expect(sumOf([...told.values()])).toBeCloseTo(1, 12);
  });

  it('with given values is of the elements in which these come first, by how likely they are in each', async () => {
    const one = symmetricModel({ imageShape: [2, 3, 1], levels: 2 }, ['flipLevels']);
    const given = { initial: [1, 0, 0, 0, 0, 0], known: [1, 1, 0, 0, 0, 0] };
    const { list, logDrawn, logGiven } = await draw(one, given, { temperature: 0.6, lookAhead: 1 }, 700);
    const p = meanOf(await densities(one, 0.6, 2, given.known));
    const fits = one.all.flatMap((image, i) => (image[0] === 1 && image[1] === 0 ? [i] : []));
    expectLaw(
      list,
      fits.map((i) => one.all[i] as number[]),
      fits.map((i) => p[i] as number),
    );
    const told = new Map(list.map((image, n) => [String(image), Math.exp(logDrawn[n] as number)]));
    expect(told.size).toBe(fits.length);
    expect(sumOf([...told.values()])).toBeCloseTo(1, 9);
    const pOfGiven = Math.exp(logGiven?.[0] as number);
    for (const i of fits) expect(told.get(String(one.all[i]))).toBeCloseTo((p[i] as number) / pOfGiven, 9);
  });
});

describe('sample of a symmetric model', () => {
  const square = symmetricModel({ imageShape: two, levels: 3 }, ['flipRows', 'transpose']);

  it('draws the same images in parts, by seeds that differ', async () => {
    const all = await draw(square, null, {}, 40);
    for (const [firstImage, numImages] of [
      [0, 7],
      [7, 1],
      [8, 32],
    ] as const) {
      const part = await draw(square, null, { firstImage, numImages });
      expect(part.list).toEqual(all.list.slice(firstImage, firstImage + numImages));
      expect(part.logProb).toEqual(all.logProb.slice(firstImage, firstImage + numImages));
    }
    expect((await draw(square, null, { seed: 4 }, 40)).list).not.toEqual(all.list);
  });

  it('draws by uniforms of the caller, too', async () => {
    const { data, shape } = await sample(square.model, { random: uniformsOf('a'), numImages: 1200 });
    expectLaw(listOf({ data, shape }), square.all, meanOf(await logsOf(square)));
    const bad = sample(square.model, { random: () => 1 });
    await expect(bad).rejects.toThrow('sample: random: wanted a function that returns numbers in [0, 1), got 1');
  });

  it('draws the very first value of an element uniformly, if it is asked to', async () => {
    const one = symmetricModel({ imageShape: two, levels: 3 }, ['flipLevels', 'flipRows']);
    const { list, logDrawn } = await draw(one, null, { firstValue: 'uniform' });
    const values = await Promise.all(one.elements.map((_, element) => valuesIn(one, element)));
    const p = meanOf(values.map((images) => images.map(([, ...rest]) => sumOf(rest) - Math.log(3))));
    expectLaw(await many(one, null, { firstValue: 'uniform' }), one.all, p);
    const told = new Map(list.map((image, n) => [String(image), Math.exp(logDrawn[n] as number)]));
    for (const [image, wanted] of p.entries()) expect(told.get(String(one.all[image])) ?? wanted).toBeCloseTo(wanted, 6);
  });

  it('shows images as they will be, and counts their values once', async () => {
    const one = symmetricModel({ imageShape: [2, 3, 1], levels: 5 }, ['flipRows', 'flipLevels']);
    const known = asImages(Array(4).fill([0, 0, 0, 1, 1, 1]), one.model);
    const initial = asImages(Array(4).fill([0, 0, 0, 4, 1, 2]), one.model);
    for (const given of [{ numImages: 4 }, { initial, known }]) {
      const seen: { done: number; total: number; levels: number[] }[] = [];
      const onProgress = (progress: { done: number; total: number; levels: Int32Array }) =>
        seen.push({ ...progress, levels: Array.from(progress.levels) });
      const { data } = await sample(one.model, { ...given, seed: 1, onProgress });
      expect(seen.map(({ done }) => done)).toEqual('known' in given ? [1, 3, 4, 6] : [3, 6]);
      expect(seen.every(({ total, levels }) => total === 6 && levels.length === 24)).toBe(true);
      if ('known' in given) continue;
      expect(seen[1]?.levels).toEqual(Array.from(data));
      // Of half of an image only one of its rows is drawn.
      for (let n = 0; n < 4; n++) {
        const half = (seen[0]?.levels ?? []).slice(6 * n, 6 * n + 6);
        const whole = Array.from(data).slice(6 * n, 6 * n + 6);
        const isRow = (row: number) => half.slice(3 * row, 3 * row + 3).every((x, k) => x === whole[3 * row + k]);
        const isEmpty = (row: number) => half.slice(3 * row, 3 * row + 3).every((x) => x === 0);
        expect((isRow(0) && isEmpty(1)) || (isRow(1) && isEmpty(0))).toBe(true);
      }
    }
  });

  it('stops where the signal aborts', async () => {
    const controller = new AbortController();
    const stopped = sample(square.model, {
      numImages: 3,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toThrow('enough');
  });

  it.each(['adjust', 'potential'] as const)('refuses %s', async (name) => {
    const lookAhead = name === 'potential' ? 2 : 0;
    await expect(sample(square.model, { [name]: () => 0, lookAhead })).rejects.toThrow(
      new TypeError(`sample: ${name}: wanted none for a model with symmetries, which draws in several orientations, got a function`),
    );
  });

  it('draws a random element evenly, whatever the seed', async () => {
    // A model that has nothing but its first level as likely as another: the element is seen by where it is.
    const plain = portableModel({ imageShape: [2, 2, 1], levels: 2, features: 4 });
    const weights = new Map(plain.weights);
    for (const [name, { shape, data }] of plain.weights) {
      const isBias = name === 'logits.bias';
      weights.set(name, { shape, data: isBias ? Float32Array.of(-9, 9) : data.map(() => 0) });
    }
    const model = symmetric({ ...plain, weights }, ['flipLevels']);
    for (const seed of [0, 1, -7, 2 ** 52]) {
      const list = listOf(await sample(model, { numImages: 400, seed })).map(([first]) => first as number);
      expect(Math.abs(sumOf(list) - 200)).toBeLessThan(4 * Math.sqrt(100));
      const changes = list.filter((x, n) => x !== list[n + 1]).length; // from image to image
      expect(Math.abs(changes - 200)).toBeLessThan(4 * Math.sqrt(100));
    }
  });
});
