import { logProb, sample, symmetric } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { uniformsOf } from '../../../src/runtime/core/random';
import { allImages, asImages, countsOf, listOf, sumOf } from '../../support/laws/all-images';
import { expectToFollow } from '../../support/laws/chi-square';
import { portableModel } from '../../support/models/portable-model.mjs';

// Beside the law by which a symmetric model draws, which symmetric-law.test.ts tries by enumeration.

const plain = portableModel({ imageShape: [2, 2, 1], levels: 3, features: 4 });
const classes = portableModel({ imageShape: [2, 2, 1], levels: 3, features: 4, numClasses: 8 });
const square = symmetric(classes, ['flipRows', 'transpose'], { asCondition: true });
const repeated = (image: number[], count: number) => ({ data: Array<number[]>(count).fill(image).flat(), shape: [count, 2, 3, 1] });

describe('given values', () => {
  const wide = portableModel({ imageShape: [2, 3, 1], levels: 3, features: 4 });
  const logits = wide.weights.get('logits.bias') as { data: Float32Array };
  logits.data[0] = -Infinity; // level 0 is never drawn; of a flipped image, 2
  const forbidden = symmetric(wide, ['flipLevels']);
  const given = (initial: number[], known: number[], count: number) => ({
    initial: repeated(initial, count),
    known: repeated(known, count),
  });

  it.each<[string, initial: number[], known: number[]]>([
    ['first', [0, 2, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]],
    ['late', [0, 0, 0, 0, 0, 2], [0, 1, 0, 0, 0, 1]],
    ['all', [0, 1, 2, 1, 1, 1], [1, 1, 1, 1, 1, 1]],
  ])('that no element allows are an Error if one looks ahead: %s', async (_, initial, known) => {
    for (const lookAhead of [1, 4])
      for (const withLogProb of [false, true]) {
        const drawn = sample(forbidden, { ...given(initial, known, 2), seed: 3, firstImage: 7, lookAhead, withLogProb });
        await expect(drawn).rejects.toThrow(
          new Error('sample: lookAhead: no particle of image 7, in any orientation, allows what is given'),
        );
      }
    const { images, logProb: nats, logDrawn } = await sample(forbidden, { ...given(initial, known, 40), seed: 3, withLogProb: true });
    expect(listOf(images).every((image) => image.every((level, k) => !known[k] || level === initial[k]))).toBe(true);
    expect(nats).toEqual(new Float64Array(40).fill(-Infinity));
    for (const x of logDrawn) expect(x).toBeGreaterThan(-Infinity);
  });

  it('differ between images, each of which is drawn as alone', async () => {
    const known = ['1100', '0000', '0101', '0110', '1111', '0001'].map((bits) => [...bits].map(Number));
    const initial = known.map((_, n) => [0, 1, 2, 3].map((k) => (n + k) % 3));
    for (const lookAhead of [0, 5]) {
      const of = (first: number, count: number) => ({
        initial: asImages(initial.slice(first, first + count), square), known: asImages(known.slice(first, first + count), square), seed: 6,
        firstImage: first, lookAhead, withLogProb: true as const,
      }); // biome-ignore format: in few lines
      const together = await sample(square, of(0, 6));
      const list = listOf(together.images);
      for (const [n, image] of list.entries()) {
        expect(image.every((level, k) => !known[n]?.[k] || level === initial[n]?.[k])).toBe(true);
        const alone = await sample(square, of(n, 1));
        expect(listOf(alone.images)).toEqual([image]);
        expect(alone.logProb[0]).toBe(together.logProb[n]);
        expect(alone.logGiven?.[0]).toBe(together.logGiven?.[n]);
      }
      const { withLogProb: _, ...quiet } = of(0, 6);
      expect(await sample(square, quiet)).toEqual(together.images);
    }
  });
});

describe('sample of a symmetric model', () => {
  it('draws by uniforms of the caller, too', async () => {
    const list = listOf(await sample(square, { random: uniformsOf('a'), numImages: 1200 }));
    const all = allImages(3, 4);
    const nats = await logProb(square, asImages(all, square));
    expectToFollow(countsOf(list, all), Array.from(nats, (x) => 1200 * Math.exp(x)));
    const bad = sample(square, { random: () => 1 });
    await expect(bad).rejects.toThrow('sample: random: wanted a function that returns numbers in [0, 1), got 1');
  }); // biome-ignore format: a call a line

  it('shows images as they will be, and counts their values once', async () => {
    const one = symmetric(portableModel({ imageShape: [2, 3, 1], features: 4 }), ['flipRows', 'flipLevels']);
    const known = asImages(Array(4).fill([0, 0, 0, 1, 1, 1]), one);
    const initial = asImages(Array(4).fill([0, 0, 0, 4, 1, 2]), one);
    for (const given of [{ numImages: 4 }, { initial, known }]) {
      const seen: { done: number; total: number; levels: number[] }[] = [];
      const onProgress = (progress: { done: number; total: number; levels: Int32Array }) =>
        seen.push({ ...progress, levels: Array.from(progress.levels) });
      const { data } = await sample(one, { ...given, seed: 1, onProgress });
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
    const stopped = sample(square, { numImages: 3, signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) });
    await expect(stopped).rejects.toThrow('enough');
  });

  it.each(['adjust', 'potential'] as const)('refuses %s', async (name) => {
    const lookAhead = name === 'potential' ? 2 : 0;
    await expect(sample(square, { [name]: () => 0, lookAhead })).rejects.toThrow(
      new TypeError(`sample: ${name}: wanted none for a model with symmetries, which draws in several orientations, got a function`),
    );
  });

  it('draws a random element evenly, whatever the seed', async () => {
    // A model that has nothing but its first level as likely as another: the element is seen by where it is.
    const weights = [...plain.weights].map(([name, { shape, data }]) => {
      return [name, { shape, data: name === 'logits.bias' ? Float32Array.of(-9, 0, 9) : data.map(() => 0) }] as const;
    });
    const model = symmetric({ ...plain, weights: new Map(weights) }, ['flipLevels']);
    for (const seed of [0, 1, -7, 2 ** 52]) {
      const list = listOf(await sample(model, { numImages: 400, seed })).map(([first = 0]) => first / 2);
      expect(Math.abs(sumOf(list) - 200)).toBeLessThan(4 * Math.sqrt(100));
      const changes = list.filter((x, n) => x !== list[n + 1]).length; // from image to image
      expect(Math.abs(changes - 200)).toBeLessThan(4 * Math.sqrt(100));
    }
  });
});
