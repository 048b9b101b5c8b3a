import fc from 'fast-check';
import { logProb, type PortableModel, type Symmetry, sample, symmetric } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { allImages, asImages, densities, elementsSlowly, filtered, inElement, listOf, sumOf } from '../../support/laws/all-images';
import { portableModel } from '../../support/models/portable-model.mjs';
import { forAllAsync } from '../../support/runs';
import { noise } from '../../support/tensors';

// The law by which a symmetric model draws, by enumeration: of random models of tiny images, under random groups, with
// random values given. It is computed from log p of the values of all images in all elements, by the definitions.

type Shape = [height: number, width: number, channels: number];
const spaces: [Shape, levels: number][] = [
  [[2, 2, 1], 2], [[2, 2, 1], 3], [[2, 3, 1], 2], [[3, 2, 1], 2], [[1, 3, 1], 3], [[2, 1, 2], 3], [[2, 2, 2], 2],
]; // biome-ignore format: one line
const NUM_MASKS = 3;
const OF_EACH = 24; // images with the same given values
const MOST_VALUES = 8;
const symmetryNames: Symmetry[] = ['flipRows', 'flipColumns', 'transpose', 'flipLevels'];

const mask = fc.array(fc.boolean(), { minLength: MOST_VALUES, maxLength: MOST_VALUES });
const recipes = fc.record({
  space: fc.constantFrom(...spaces),
  symmetries: fc.subarray(symmetryNames, { minLength: 1 }),
  /** What the model's class tells: nothing, the element, it and a class, or a class that may be left out. */
  tells: fc.constantFrom('nothing' as const, 'element' as const, 'both' as const, 'guided' as const),
  seed: fc.nat({ max: 10_000 }),
  scale: fc.constantFrom(0.7, 1.2, 2),
  /** Whether the model never draws its last level. */
  isForbidden: fc.boolean(),
  masks: fc.tuple(...Array<typeof mask>(NUM_MASKS).fill(mask)),
  initial: fc.array(fc.nat({ max: 11 }), { minLength: MOST_VALUES, maxLength: MOST_VALUES }),
  guidance: fc.constantFrom(-1, 0.7, 2),
  temperature: fc.constantFrom(1, 0, 0.5, 1.8),
  topK: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  topP: fc.option(fc.constantFrom(0.4, 0.8), { nil: undefined }),
  firstValue: fc.constantFrom('model' as const, 'model' as const, 'uniform' as const),
  lookAhead: fc.constantFrom(0, 0, 1, 3),
});
type Recipe = typeof recipes extends fc.Arbitrary<infer R> ? R : never;

/** A model, and the conditions by which it sees images in an element. */
function modelOf({ space: [imageShape, levels], symmetries, tells, seed, scale, isForbidden }: Recipe) {
  const isSquare = imageShape[0] === imageShape[1];
  const possible = symmetries.filter((one) => isSquare || one !== 'transpose');
  const generators: Symmetry[] = possible.length > 0 ? possible : ['flipLevels'];
  const elements = elementsSlowly(generators);
  const isTold = tells === 'element' || tells === 'both';
  const ownClasses = tells === 'both' ? 2 : 1;
  const numClasses = tells === 'guided' ? 3 : ownClasses * elements.length;
  const made = portableModel({ imageShape, levels, features: 2 * imageShape[2], numClasses: tells === 'nothing' ? 0 : numClasses });
  const weights = [...made.weights].map(([name, { shape, data }], k) => {
    const numbers = noise(data.length, seed + 31 * k).map((x) => scale * x);
    const last = isForbidden && name === 'logits.bias';
    const forbidden = numbers.map((x, i) => (last && i % levels === levels - 1 ? -Infinity : x));
    return [name, { shape, data: Float32Array.from(forbidden) }] as const;
  });
  const plain: PortableModel = {
    ...made,
    weights: new Map(weights),
    ...(tells === 'guided' && { conditions: [{ kind: 'class', numClasses: 2, nullClass: true }] }),
  };
  return {
    plain,
    elements,
    model: symmetric(plain, generators, { asCondition: isTold }),
    /** The class that callers give. */
    own: tells === 'both' || tells === 'guided' ? 1 : undefined,
    /** The class that the model sees. */
    classIn: (element: number) => {
      if (tells === 'nothing') return undefined;
      return isTold ? (ownClasses - 1) * elements.length + element : 1;
    },
  };
}

/** Log p of each value of all images, [images][values]. */
async function logsOf(plain: PortableModel, all: number[][], condition: number | undefined) {
  const of = condition === undefined ? {} : { condition: all.map(() => condition) };
  const data = await logProb(plain, asImages(all, plain), { perValue: true, ...of });
  return listOf({ data, shape: [all.length, (all[0] as number[]).length] });
}

const places = (element: Symmetry[]) => element.filter((symmetry) => symmetry !== 'flipLevels');
/** Without filters, so that the least likely levels count, too. */
const softmaxed = (logs: number[]) => {
  const weights = logs.map((x) => Math.exp(x - Math.max(...logs)));
  return weights.map((weight) => weight / sumOf(weights));
};

/** Expects a number to be another, but for the rounding of two ways to compute it. */
const expectNear = (a: number, b: number) => expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-6 * b + 1e-12);

/** What the law says of images with the same given values. */
interface Law {
  /** The images that agree with what is given. */
  readonly images: number[][];
  /** p of these, by the model. */
  readonly p: number[];
  /** The probability with which each is drawn; with look-ahead to later given values, times p of the given values. */
  readonly drawn: number[];
  /** p of the given values under what is drawn from; with such a look-ahead null. */
  readonly given: number | null;
}

async function lawsOf(recipe: Recipe, masks: number[][], initial: number[]): Promise<Law[]> {
  const { plain, elements, classIn } = modelOf(recipe);
  const { levels } = plain;
  const { guidance, tells, firstValue, lookAhead } = recipe;
  const all = allImages(levels, initial.length);
  const numberOf = new Map(all.map((image, i) => [String(image), i]));
  const classes = elements.map((_, element) => classIn(element));
  const logs = new Map<number | undefined, number[][]>();
  for (const one of new Set([...classes, ...(tells === 'guided' ? [2] : [])])) logs.set(one, await logsOf(plain, all, one));
  const guidedLogs = (own: number[][]) =>
    own.map((image, i) =>
      image.map((x, k) => {
        const free = Math.max(logs.get(2)?.[i]?.[k] as number, -745);
        return x === -Infinity ? x : x + guidance * (x - free);
      }),
    );
  /** Of all images in each element: log q, and of its values changed by guidance. */
  const inElements = classes.map((one) => {
    const own = logs.get(one) as number[][];
    return { q: own.map((image) => Math.exp(sumOf(image))), changed: tells === 'guided' ? guidedLogs(own) : own };
  });
  const indexIn = (element: number, image: number[]) =>
    numberOf.get(String(inElement(elements[element] as Symmetry[], image, plain))) as number;
  const means = (of: (element: number) => number, among = elements.map((_, element) => element)) => sumOf(among.map(of)) / among.length;

  return masks.map((known) => {
    const images = all.filter((image) => image.every((level, k) => !known[k] || level === initial[k]));
    const numGiven = sumOf(known);
    const knownIn = elements.map((element) => inElement(places(element), known, plain));
    const isFirst = elements.flatMap((_, g) => (knownIn[g]?.lastIndexOf(1) === numGiven - 1 ? [g] : []));
    const isLate = numGiven > 0 && isFirst.length === 0;
    const among = numGiven > 0 && !isLate ? isFirst : elements.map((_, g) => g);
    /** In each element, of all images: the probability of what is drawn of them, and of what is given. */
    const parts = elements.map((_, g) => {
      const isGiven = knownIn[g] as number[];
      const ones = Array(levels).fill(1);
      const { changed } = inElements[g] as (typeof inElements)[number];
      const rule = (logs: number[], place: number) => {
        if (isGiven[place]) return ones;
        if (place === 0 && firstValue === 'uniform') return ones.map((one) => one / levels);
        const { topK, topP } = recipe;
        const temperature = Math.max(recipe.temperature, 1e-9);
        return filtered(logs, { temperature, ...(topK && { topK }), ...(topP && { topP }) });
      };
      return {
        drawn: densities(all, changed, levels, rule),
        given: densities(all, changed, levels, (logs, place) => (isGiven[place] ? softmaxed(logs) : ones)),
      };
    });
    const partOf = (name: 'drawn' | 'given', g: number, image: number[]) =>
      parts[g]?.[name][indexIn(g, image)] as number;
    const p = images.map((image) => means((g) => inElements[g]?.q[indexIn(g, image)] as number));
    if (isLate && lookAhead > 0) {
      const drawn = images.map((image) => means((g) => partOf('drawn', g, image) * partOf('given', g, image)));
      return { images, p, drawn, given: null };
    }
    if (numGiven === 0 || isLate) // in a random element, whatever is given
      return { images, p, drawn: images.map((image) => means((g) => partOf('drawn', g, image))), given: 1 };
    // An element is chosen by how likely the given values are in it.
    const [any] = images as [number[]];
    const given = means((g) => partOf('given', g, any), among);
    const chosen = (g: number) => (given === 0 ? 1 : partOf('given', g, any) / given);
    const drawn = images.map((image) => means((g) => chosen(g) * partOf('drawn', g, image), among));
    return { images, p, drawn, given };
  }); // biome-ignore format: a line each
}

/** How far the images of all cases are from their laws, in all. */
const apart = {
  squares: 0, // each 1 on average,
  cases: 0,
  weights: 0, // less what each is on average,
  variance: 0, // as the law has it,
  estimates: 0, // likewise of those by particles,
  ofEstimates: 0, // as it was.
}; // biome-ignore format: a line each

async function expectLaw(recipe: Recipe): Promise<void> {
  const { space, temperature, topK, topP, firstValue, lookAhead, tells } = recipe;
  const [imageShape, levels] = space;
  const total = imageShape.reduce((product, length) => product * length);
  const masks = [Array<number>(total).fill(0), ...recipe.masks.map((mask) => mask.slice(0, total).map(Number))];
  const initial = recipe.initial.slice(0, total).map((one) => one % levels);
  const { model, own } = modelOf(recipe);
  const laws = await lawsOf(recipe, masks, initial);
  const known = masks.flatMap((mask) => Array<number[]>(OF_EACH).fill(mask));
  const options = {
    ...{ initial: asImages(known.map(() => initial), model), known: asImages(known, model) },
    ...{ temperature, firstValue, lookAhead, seed: recipe.seed, withLogProb: true as const },
    ...(topK && { topK }),
    ...(topP && { topP }),
    ...(tells === 'guided' && { guidance: recipe.guidance }),
    ...(own !== undefined && { condition: own }),
  }; // biome-ignore format: a line each
  const isImpossible = ({ drawn, given }: Law) => (given ?? Math.max(...drawn)) === 0;
  const drawing = sample(model, options);
  if (lookAhead > 0 && laws.some(isImpossible)) {
    await expect(drawing).rejects.toThrow(/^sample: lookAhead: /);
    return;
  }
  const result = await drawing.catch((error: Error) => {
    // Few particles may all miss what is given later.
    if (laws.every(({ given }) => given !== null) || !/^sample: lookAhead: /.test(error.message)) throw error;
    return { images: null, logProb: [], logDrawn: [], logGiven: [] };
  });
  const { images, logProb: nats, logDrawn, logGiven } = result;
  if (images === null) return;
  for (const [n, image] of listOf(images).entries()) {
    const { images, p, drawn, given } = laws[Math.floor(n / OF_EACH)] as Law;
    const i = images.findIndex((one) => String(one) === String(image));
    expect(i).toBeGreaterThanOrEqual(0); // it agrees with what is given
    expectNear(Math.exp(nats[n] as number), p[i] as number);
    const estimate = Math.exp(logGiven?.[n] ?? 0);
    if (given !== null && lookAhead > 0) expectNear(estimate, given);
    const told = Math.exp(logDrawn[n] as number) * (given === null ? estimate : 1);
    expectNear(told, drawn[i] as number);
    expect(told).toBeGreaterThan(0);
  }
  for (const [m, { images: fits, p, drawn, given }] of laws.entries()) {
    // Weights are, on average, p of the images that can be drawn.
    const mean = sumOf(p.filter((_, i) => (drawn[i] as number) > 0));
    const errors = listOf(images)
      .map((_, n) => Math.exp((nats[n] as number) - (logDrawn[n] as number)) / mean - 1)
      .slice(m * OF_EACH, (m + 1) * OF_EACH);
    if (given === null) {
      if (recipe.isForbidden) continue; // of which those without any particle left are missing
      apart.estimates += sumOf(errors);
      apart.ofEstimates += sumOf(errors.map((error) => error ** 2));
      continue;
    }
    expect(sumOf(drawn)).toBeCloseTo(1, 9);
    const list = listOf(images)
      .slice(m * OF_EACH, (m + 1) * OF_EACH)
      .map(String);
    // Of about half of what is drawn, chosen at random.
    const order = Array.from(noise(fits.length, recipe.seed + m), (x, i) => [x, i] as const).sort(([a], [b]) => a - b);
    const half = new Set<string>();
    let mass = 0;
    for (const [, i] of order) {
      if (mass + (drawn[i] as number) > 0.6) continue;
      mass += drawn[i] as number;
      half.add(String(fits[i]));
    }
    if (mass > 0.2) {
      const count = list.filter((image) => half.has(image)).length;
      apart.squares += (count - OF_EACH * mass) ** 2 / (OF_EACH * mass * (1 - mass));
      apart.cases++;
    }
    const squares = sumOf(p.map((x, i) => ((drawn[i] as number) > 0 ? x ** 2 / (drawn[i] as number) : 0)));
    const variance = squares / mean ** 2 - 1;
    if (!(variance < 4)) continue; // of a few large weights among many small ones, or where all are 0
    apart.weights += sumOf(errors);
    apart.variance += OF_EACH * variance;
  }
}

describe('the law of a symmetric model', () => {
  it('is what logDrawn says and images follow, of any group, model, given values, filters and guidance', async () => {
    await forAllAsync([recipes], { numRuns: 24, seed: 1 }, expectLaw);
    const { squares, cases, weights, variance, estimates, ofEstimates } = apart;
    expect(Math.abs(squares - cases)).toBeLessThan(5 * Math.sqrt(2 * cases));
    expect(Math.abs(weights)).toBeLessThan(5 * Math.sqrt(variance));
    expect(Math.abs(estimates)).toBeLessThan(5 * Math.sqrt(ofEstimates));
  });
});
