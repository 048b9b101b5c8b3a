import { gatedPixelCNN, pixelCNN, sample as sampleTensor, toPortable } from 'pixelcnn-layers';
import { type Adjust, logProb, type SampleOptions } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { sample } from '../../../src/runtime/sampling/sample';
import { stepper } from '../../../src/runtime/sampling/stepper';
import { useBackend } from '../../support/backends';
import { errorOf } from '../../support/errors';
import { allImages, asImages, countsOf, densities, filtered, listOf, sumOf } from '../../support/laws/all-images';
import { expectToFollow } from '../../support/laws/chi-square';
import { tinyModel } from '../../support/models/tiny-space';
import { scoped } from '../../support/scoped';
import { expectClose, expectNoLeaks, setNoise, take } from '../../support/tensors';

beforeAll(() => useBackend('cpu'));

const SIZES = { imageShape: [3, 2, 2] as [number, number, number], levels: 5, hiddenDim: 3, outDim: 4, numBlocks: 1 };

describe('sample of a model as plain data', () => {
  it('runs from a clone, and changes nothing in the model', async () => {
    const portable = await toPortable(scoped(tinyModel()));
    const clone = structuredClone(portable);
    const images = await sample(portable, { numImages: 8, seed: 3 });
    expect(portable).toEqual(clone);
    expect(await sample(clone, { numImages: 8, seed: 3 })).toEqual(images);
  });

  it('returns bytes up to 256 levels, then 16-bit integers', async () => {
    const pairs = [[256, Uint8Array], [257, Uint16Array]] as const; // biome-ignore format: a line
    for (const [levels, array] of pairs) {
      const model = scoped(pixelCNN({ imageShape: [1, 1, 1], levels, hiddenDim: 1, outDim: 1, numBlocks: 0 }));
      const { data, shape } = await sample(await toPortable(model), { random: () => 1 - 2 ** -53 });
      expect(data).toEqual(array.of(levels - 1)); // the highest level
      expect(shape).toEqual([1, 1, 1, 1]);
    }
  });

  it('takes images of any size where the model does', async () => {
    const portable = await toPortable(scoped(pixelCNN({ ...SIZES, imageShape: [null, null, 2] })));
    expect((await sample(portable, { imageShape: [2, 5, 2] })).shape).toEqual([1, 2, 5, 2]);
    await expect(sample(portable)).rejects.toThrow('sample: imageShape: wanted [H, W, 2], since');
  });

  it('reports logits that are not finite', async () => {
    const portable = await toPortable(scoped(tinyModel()));
    const weights = new Map(portable.weights);
    const [name, { shape, data }] = [...weights].at(-1) as [string, { shape: number[]; data: Float32Array }];
    weights.set(name, { shape, data: data.slice().fill(Number.NaN) });
    await expect(sample({ ...portable, weights })).rejects.toThrow('sample: the model returned logits that are not finite numbers');
  });
});

describe('log p with which images are drawn', () => {
  const args = { imageShape: [2, 2, 1] as const, levels: 3, hiddenDim: 3, outDim: 4, numBlocks: 1 };
  const softmax = () => pixelCNN({ ...args, firstKernelSize: 3 });
  const mixture = () => pixelCNN({ ...args, output: { components: 2 } });
  const gaussian = () => pixelCNN({ ...args, output: 'gaussian' });
  const classes = () => gatedPixelCNN({ ...args, numClasses: 2, nullClass: true });
  const mixedClasses = () => gatedPixelCNN({ ...args, numClasses: 2, nullClass: true, output: { components: 2 } });
  const nullClass = 2;
  type Network = ReturnType<typeof pixelCNN>;

  /** A likelier level the later its place, and never the one before. */
  const weigh: Adjust = (logProbs, [row, column], levels) => {
    const place = 2 * row + column;
    for (let n = 0; n < logProbs.length / 3; n++) {
      logProbs[3 * n + 1] = (logProbs[3 * n + 1] as number) + place / 2;
      if (place > 0) logProbs[3 * n + (levels[4 * n + place - 1] as number)] = -Infinity;
    }
  };
  const weighed = (logs: number[], place: number, image: number[]) => {
    const levels = logs.map((x, level) => x + (level === 1 ? place / 2 : 0));
    return levels.map((x, level) => (place > 0 && image[place - 1] === level ? -Infinity : x));
  };
  const cases: [string, () => Network, SampleOptions][] = [
    ['no change', softmax, {}],
    ['temperature', softmax, { temperature: 0.6 }],
    ['heat, of a mixture of logistics', mixture, { temperature: 1.8 }],
    ['heat, of a Gaussian', gaussian, { temperature: 1.8 }],
    ['temperature 0', softmax, { temperature: 0 }],
    ['topK', softmax, { topK: 2 }],
    ['topP', softmax, { topP: 0.8 }],
    ['topP, of a mixture of logistics', mixture, { topP: 0.7 }],
    ['all filters', softmax, { temperature: 1.4, topK: 2, topP: 0.9 }],
    ['a uniform first value', softmax, { firstValue: 'uniform' }],
    ['a uniform first value, and a filter', mixture, { firstValue: 'uniform', topK: 2 }],
    ['adjust', softmax, { adjust: weigh }],
    ['adjust and topP, of a Gaussian', gaussian, { adjust: weigh, topP: 0.9 }],
    ['adjust and temperature, of a mixture', mixture, { adjust: weigh, temperature: 0.7 }],
    ['guidance', classes, { guidance: 1.5, condition: 1 }],
    ['guidance, of a mixture of logistics', mixedClasses, { guidance: 1.5, condition: 1 }],
    ['guidance, adjust and filters', classes, { guidance: 0.7, condition: 0, adjust: weigh, topP: 0.9 }],
  ];
  it.each(cases)('by enumeration: %s', async (_, make, options) => {
    const network = scoped(make());
    setNoise(network, 3, 0.7);
    const model = await toPortable(network);
    const all = allImages(3, 4);
    const logs = async (condition: number | undefined) => {
      const of = condition === undefined ? {} : { condition: all.map(() => condition) };
      const nats = await logProb(model, asImages(all, model), { perValue: true, ...of });
      return listOf({ data: nats, shape: [81, 4] });
    };
    const own = await logs(options.condition as number | undefined);
    const { guidance = 0, temperature = 1, firstValue } = options;
    const guided =
      guidance === 0
        ? own
        : (await logs(nullClass)).map((image, i) => image.map((x, k) => (1 + guidance) * (own[i]?.[k] as number) - guidance * x));
    const p = densities(all, guided, 3, (logs, place, image) => {
      if (firstValue === 'uniform' && place === 0) return [1 / 3, 1 / 3, 1 / 3];
      const adjusted = options.adjust ? weighed(logs, place, image) : logs;
      return filtered(adjusted, { ...options, temperature: Math.max(temperature, 1e-9) } as object);
    });
    expect(sumOf(p)).toBeCloseTo(1, 9);

    const drawn = await sample(model, { ...options, numImages: 30, seed: 2, withLogProb: true });
    const list = listOf(drawn.images);
    const of = new Map(all.map((image, i) => [String(image), i]));
    const which = list.map((image) => of.get(String(image)) as number);
    const [laws, nats] = [which.map((i) => p[i] as number), which.map((i) => sumOf(own[i] as number[]))];
    expectClose(Array.from(drawn.logDrawn, Math.exp), laws, 1e-6);
    expectClose(drawn.logProb, nats, 1e-9);
    if (temperature > 0) {
      const more = listOf(await sample(model, { ...options, numImages: 700, seed: 2 }));
      expect(more.slice(0, 30).map(String)).toEqual(list.map(String));
      const expected = p.map((x) => 700 * x);
      expectToFollow(countsOf(more, all), expected);
    }

    for (const strategy of ['incremental', 'full'] as const) {
      await expectNoLeaks(async () => {
        const { images, ...logs } = await sampleTensor(network, {
          ...(options as object),
          ...{ numImages: 30, seed: 2, withLogProb: true as const, strategy },
        });
        expect((await take(images)).join()).toBe(list.flat().join());
        expectClose(await take(logs.logDrawn), drawn.logDrawn, 1e-4);
        expectClose(await take(logs.logProb), drawn.logProb, 1e-4);
      });
    }
  });

  it('is log p by the model where nothing changes it, without given values, which are certain', async () => {
    const network = scoped(softmax());
    setNoise(network, 3, 1.2);
    const model = await toPortable(network);
    const given = { initial: asImages(Array(20).fill([0, 2, 1, 0]), model), known: asImages(Array(20).fill([1, 0, 1, 0]), model) };
    for (const options of [{}, { temperature: 1, topK: 3, topP: 1, guidance: 0 }]) {
      const drawn = await sample(model, { numImages: 20, seed: 1, ...options, withLogProb: true });
      expect(drawn.logDrawn).toEqual(drawn.logProb);
      expect(drawn.logProb).toEqual(await logProb(model, drawn.images));
    }
    for (const options of [{}, { temperature: 0.5 }, { firstValue: 'uniform' as const }, { adjust: weigh }]) {
      const { images, ...nats } = await sample(model, { ...given, ...options, seed: 1, withLogProb: true });
      const perValue = listOf({ data: await logProb(model, images, { perValue: true }), shape: [20, 4] });
      const all = allImages(3, 4);
      const every = await logProb(model, asImages(all, model), { perValue: true });
      const p = densities(all, listOf({ data: every, shape: [81, 4] }), 3, (logs, place, image) => {
        if (place % 2 === 0) return logs.map(() => 1);
        return filtered('adjust' in options ? weighed(logs, place, image) : logs, options as object);
      });
      const which = listOf(images).map((image) => all.findIndex((one) => String(one) === String(image)));
      const laws = which.map((i) => p[i] as number);
      expectClose(Array.from(nats.logDrawn, Math.exp), laws, 1e-6);
      expectClose(nats.logProb, perValue.map(sumOf), 1e-9);
    }
    const whole = { ...given, known: { ...given.known, data: given.known.data.map(() => 1) } };
    const drawn = await sample(model, { ...whole, temperature: 0.5, firstValue: 'uniform', withLogProb: true });
    expect(drawn.logDrawn).toEqual(new Float64Array(20));
  });

  it.each<[string, known: number[], SampleOptions]>([
    ['first ones', [1, 1, 0, 0], { temperature: 0.7 }],
    ['later ones', [0, 1, 0, 1], { temperature: 1.4 }],
    ['later ones, with levels adjusted', [0, 0, 1, 1], { adjust: weigh }],
    ['later ones, with a first value of its own', [0, 0, 1, 1], { firstValue: 'uniform' }],
  ])('makes up for given values: weights are p of the images that agree with %s', async (_, known, options) => {
    const network = scoped(softmax());
    setNoise(network, 3, 0.7);
    const model = await toPortable(network);
    const [count, initial] = [900, [1, 2, 0, 1]];
    const repeated = (image: number[]) => asImages(Array<number[]>(count).fill(image), model);
    const given = { initial: repeated(initial), known: repeated(known) };
    const drawn = await sample(model, { ...options, ...given, seed: 1, withLogProb: true });
    const list = listOf(drawn.images);
    const told = new Map(list.map((image, n) => [String(image), Math.exp(drawn.logDrawn[n] as number)]));
    const possible = allImages(3, 4).filter((image) => told.has(String(image)));
    const law = possible.map((image) => told.get(String(image)) as number);
    expect(sumOf(law)).toBeCloseTo(1, 9); // so that all that can be drawn have been
    expectToFollow(countsOf(list, possible), law.map((x) => count * x));
    const p = sumOf(Array.from(await logProb(model, asImages(possible, model)), Math.exp));
    const weights = Array.from(drawn.logProb, (x, n) => Math.exp(x - (drawn.logDrawn[n] as number)));
    const mean = sumOf(weights) / count;
    const variance = sumOf(weights.map((x) => (x - mean) ** 2)) / count;
    expect(Math.abs(mean - p)).toBeLessThan(4 * Math.sqrt(variance / count));
    expect(Math.sqrt(variance / count)).toBeLessThan(0.1 * p);
  }); // biome-ignore format: a line each
});

// Drawing so many takes hours: the test's own time is the limit.
it.each([4e6, Number.MAX_SAFE_INTEGER])('far more images than fit into memory are refused at once: %d', async (numImages) => {
  const model = scoped(pixelCNN({ ...SIZES, imageShape: [64, 64, 1] }));
  const classes = scoped(gatedPixelCNN({ ...SIZES, imageShape: [64, 64, 1], numClasses: 3 }));
  const [plain, conditional] = [await toPortable(model), await toPortable(classes)];
  const given = { numImages, condition: 1 };
  const asks: (() => unknown)[] = [
    () => sample(plain, { numImages }),
    () => sample(conditional, given),
    () => stepper(plain, { numImages }),
    () => stepper(conditional, given),
    () => sampleTensor(model, { numImages }),
    () => sampleTensor(classes, { ...given, strategy: 'incremental' }),
    ...(numImages >= 1e9 ? [() => sampleTensor(classes, { ...given, strategy: 'full' })] : []),
  ];
  await expectNoLeaks(async () => {
    for (const ask of asks) {
      const job = Promise.resolve().then(ask);
      await expect(job).rejects.toThrow(errorOf(RangeError, /^(sample|stepper): .*; use fewer images at a time$/));
    }
  });
});
