import { readArguments } from '../core/arguments';
import { throwTypeError } from '../core/check';
import { type ImageShape, type Images, valuesOf } from '../core/images';
import {
  checkSymmetry,
  conditionsInOrientations,
  givenConditions,
  orientationsOf,
  oriented,
  refuseSymmetries,
  type SymmetricOptions,
  type Symmetry,
  type SymmetryShape,
  symmetricOptions,
} from '../core/symmetries';
import { inverse, TO_DRAW } from '../distributions/levels';
import { logSumExp } from '../distributions/logistic-mixture';
import { exp, log } from '../kernels/arithmetic';
import { checkModel, type PortableModel } from '../program/program';
import type {
  ImageModel,
  KnownImages,
  OrderedModel,
  SampledImages,
  TurnedModel,
  WalkHooks,
} from './image-model';
import { noiseOf } from './noise';
import type { Job } from './options';
import { scoreInOrder } from './score';

// A symmetric model is the mixture of a model's distribution q over the orientations g of a group: p(x) is the mean of
// q(g x). An image of it is an image of q, of which a random orientation is undone.
//
// The law by which an image x is drawn, of which some values may be given. Value by value in orientation g, each given
// those before it, d(g) is the probability of the values of g x that are drawn, after guidance, temperature and
// filters, and w(g) that of the given ones, after guidance alone.
// - If nothing is given, every orientation is as likely to be used: P(x) is the mean of d(g).
// - If given values come first in some orientations, one of these is used. There w(g) depends on no drawn value, and
//   chooses the orientation: P(x) is the mean over these of w(g) d(g) / W, where W is the mean of w(g).
// - If they come first in none, and one does not look ahead, they are not heeded: P(x) is the mean of d(g).
// - If one does, every orientation is drawn in, and chosen by what its particles estimate w(g) to be. W is the mean of
//   these estimates, and P(x), the mean of w(g) d(g) / W, an estimate too.
// logDrawn is log P(x). Where P(x) is no estimate, it sums to 1 over the images that agree with what is given, so the
// mean of f(x) p(x) / P(x) is the sum of f(x) p(x) over those that can be drawn. Where it is, this holds all the same,
// since the mean of f(x) W is the sum of f(x) times the mean of w(g) d(g), as with any particle filter.

/** A drawing of all images, each in some orientation. */
interface Round {
  readonly drawn: SampledImages;
  /** [N] */
  readonly orientationOf: Int32Array;
}

/**
 * Makes a model symmetric, as `symmetric` of `pixelcnn-layers`, which documents what this means. Files keep it.
 *
 * Source: as there, Wu, Wang and Zhang (2019), https://arxiv.org/abs/1809.10606.
 *
 * @throws TypeError as there
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { sample, symmetric } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const either = symmetric(await toPortable(model), ['flipLevels', 'transpose']);
 * const { shape } = await sample(either, { numImages: 2, seed: 1 });
 * console.log(shape); // [2, 4, 4, 1]
 * ```
 */
export function symmetric(
  model: PortableModel,
  symmetries: readonly Symmetry[],
  options: SymmetricOptions = {},
): PortableModel {
  checkModel('symmetric: model', model);
  const { asCondition } = readArguments('symmetric', options, symmetricOptions());
  return { ...model, symmetry: checkSymmetry('symmetric', model, symmetries, asCondition) };
}

/** Wraps a model in symmetries. */
export function symmetricImageModel<Ordered extends OrderedModel>(
  model: ImageModel<Ordered>,
  symmetry: SymmetryShape,
): ImageModel<Ordered> {
  const { imageShape, levels, conditions } = model;
  const turned = { levels, conditions, symmetry, model };
  return {
    imageShape,
    levels,
    conditions: givenConditions(turned),
    draw: (job) => drawSymmetric(turned, job),
    turned,
    inOrder(what) {
      refuseSymmetries(what, turned);
      return model.inOrder(what);
    },
  };
}

function groupOf(model: TurnedModel, imageShape: ImageShape) {
  const orientations = orientationsOf(model.symmetry.symmetries);
  type Levels = Images['data'];
  const into = <L extends Levels>(images: L, orientationOf: ArrayLike<number>): L =>
    oriented(images, imageShape, model.levels, orientations, orientationOf);
  into(new Uint8Array(0), []); // refuses images that are not square before any is drawn
  return {
    size: orientations.length,
    /** The number of each orientation. */
    all: Array.from(orientations.keys()),
    /** Applies orientations to images, [N]. */
    into,
    /** Undoes them. */
    back: <L extends Levels>(images: L, orientationOf: ArrayLike<number>): L =>
      oriented(images, imageShape, model.levels, orientations, orientationOf, true),
  };
}
type Group = ReturnType<typeof groupOf>;

/**
 * Draws the images of a job. An image with given values is drawn in all orientations in which these come first, if
 * there are any, and one is chosen by how likely the given values are in it: exactly from the mixture of these. Other
 * images are drawn in a random orientation; with look-ahead in all, which is exact with many particles.
 */
async function drawSymmetric(model: TurnedModel, job: Job): Promise<SampledImages> {
  const { draw } = model.model;
  for (const name of ['adjust', 'potential'] as const) {
    const wanted = 'none for a model with symmetries, which draws in several orientations';
    if (job[name] !== undefined) throwTypeError(`sample: ${name}`, wanted, job[name]);
  }
  const { imageShape, given, withLogProb } = job;
  const group = groupOf(model, imageShape);
  const jobIn = (orientationOf: Int32Array, levels: Int32Array | null): Job => ({
    ...job,
    isOneOfSeveral: true,
    given: levels && group.into(levels, orientationOf),
    conditions: conditionsInOrientations(model, job.conditions, orientationOf),
  });

  const uniforms = uniformsOf(job);
  const candidates = candidatesOf(job, group, uniforms);
  const numRounds = candidates.reduce((most, { drawn }) => Math.max(most, drawn.length), 0);
  const lookAhead = numRounds > 1 ? Math.max(1, job.lookAhead) : job.lookAhead; // to weigh given values
  const rounds: Round[] = [];
  for (let round = 0; round < numRounds; round++) {
    const orientationOf = Int32Array.from(candidates, ({ drawn }) => drawn[round % drawn.length] as number);
    const onProgress = job.onProgress && progressOf(job, group, orientationOf, [round, numRounds]);
    rounds.push({
      orientationOf,
      drawn: await draw({ ...jobIn(orientationOf, given), lookAhead, onProgress }),
    });
  }

  const { chosen, logGiven } = chosenRounds(candidates, rounds, uniforms);
  const none = job.lookAhead > 0 ? logGiven.indexOf(-Infinity) : -1;
  if (none >= 0) {
    const image = `image ${job.firstImage + none}`;
    throw new Error(`sample: lookAhead: no particle of ${image}, in any orientation, allows what is given`);
  }
  const roundOf = (n: number) => rounds[chosen[n] as number] as Round;
  const orientationOf = Int32Array.from(chosen, (_, n) => roundOf(n).orientationOf[n] as number);
  const total = valuesOf(imageShape);
  const before = (rounds[0] as Round).drawn.levels.map(
    (_, k) => roundOf(Math.floor(k / total)).drawn.levels[k] as number,
  );
  const levels = group.back(before, orientationOf);
  const { conditions } = jobIn(orientationOf, null);
  const result = { levels, before: { levels: before, conditions }, ...(job.lookAhead > 0 && { logGiven }) };
  if (!withLogProb) return { ...result, logProb: new Float64Array(0), logDrawn: new Float64Array(0) };

  const scores: Scores[] = [scoresOf(chosen, roundOf)];
  for (let k = 1; k < group.size; k++) {
    const others = orientationOf.map((orientation) => (orientation + k) % group.size);
    const scored = group.into(Int32Array.from(levels), others);
    const ofOthers = { scored, lookAhead: Math.min(1, lookAhead), onProgress: undefined };
    scores.push(await draw({ ...jobIn(others, given), ...ofOthers }));
  }
  const scoresIn = (g: number, n: number) =>
    scores[(g - (orientationOf[n] as number) + group.size) % group.size] as Scores;
  /** Log of w(g) / W; 0 if given values do not choose the orientation, or no orientation allows them. */
  const logShare = ({ logGiven: ofElement }: Scores, n: number): number => {
    const all = logGiven[n] as number;
    return isWeighed(candidates[n] as Candidates) && all > -Infinity ? (ofElement?.[n] ?? 0) - all : 0;
  };
  const logProb = candidates.map((_, n) =>
    logMean(group.all.map((g) => scoresIn(g, n).logProb[n] as number)),
  );
  const logDrawn = candidates.map(({ possible }, n) =>
    logMean(
      possible.map((g) => {
        const ofElement = scoresIn(g, n);
        return (ofElement.logDrawn[n] as number) + logShare(ofElement, n);
      }),
    ),
  );
  return { ...result, logProb: Float64Array.from(logProb), logDrawn: Float64Array.from(logDrawn) };
}

type Scores = Pick<SampledImages, 'logProb' | 'logDrawn' | 'logGiven'>;

/** Computes log p of images under a symmetric model, in nats, [N]. */
export async function scoreSymmetric(
  model: TurnedModel,
  images: KnownImages & WalkHooks,
): Promise<Float64Array> {
  const ordered = model.model.inOrder('logProb');
  const { numImages, imageShape, data, conditions, onProgress } = images;
  const group = groupOf(model, imageShape);
  const scores: Float64Array[] = [];
  for (let orientation = 0; orientation < group.size; orientation++) {
    const orientationOf = new Int32Array(numImages).fill(orientation);
    scores.push(
      await scoreInOrder('logProb', ordered, {
        ...images,
        data: group.into(data, orientationOf),
        conditions: conditionsInOrientations(model, conditions, orientationOf),
        onProgress:
          onProgress &&
          (({ done, total }: { done: number; total: number }) =>
            onProgress({ done: Math.floor((orientation * total + done) / group.size), total })),
      }),
    );
  }
  return Float64Array.from({ length: numImages }, (_, n) => logMean(scores.map((nats) => nats[n] as number)));
}

/** The logarithm of the mean of e^x. */
function logMean(xs: readonly number[]): number {
  return xs.every((x) => x === -Infinity) ? -Infinity : logSumExp(Float64Array.from(xs)) - log(xs.length);
}

/** A uniform for each image, from a stream of its own. */
function uniformsOf(job: Job): Float64Array {
  const uniforms = new Float64Array(job.numImages);
  noiseOf(job, ['/symmetry'])(uniforms);
  return uniforms;
}

/** The orientations that may be used for an image. */
interface Candidates {
  readonly possible: readonly number[];
  /** Those in which it is drawn: all that are possible, to choose by given values, or a random one. */
  readonly drawn: readonly number[];
}

const isWeighed = ({ possible, drawn }: Candidates): boolean => possible === drawn;

function candidatesOf(
  { numImages, imageShape, given, lookAhead }: Job,
  { size, all, into }: Group,
  uniforms: Float64Array,
): Candidates[] {
  const total = valuesOf(imageShape);
  return Array.from({ length: numImages }, (_, n) => {
    const one = { possible: all, drawn: [Math.floor((uniforms[n] as number) * size)] };
    const ofImage = given?.subarray(n * total, (n + 1) * total);
    const numGiven = ofImage?.filter((level) => level !== TO_DRAW).length ?? 0;
    if (!ofImage || numGiven === 0) return one;
    const first = all.filter(
      (orientation) => !into(ofImage, [orientation]).subarray(0, numGiven).includes(TO_DRAW),
    );
    if (first.length > 0) return { possible: first, drawn: first };
    return lookAhead > 0 ? { possible: all, drawn: all } : one;
  });
}

/** Reports the progress of one round of several, with images as they will be. */
function progressOf(
  { imageShape, onProgress }: Job,
  group: Group,
  orientationOf: Int32Array,
  [round, numRounds]: readonly [number, number],
): Job['onProgress'] {
  const ofImage = valuesOf(imageShape);
  return ({ done, total, levels }) => {
    const drawn = levels?.map((level, k) => (k % ofImage < done ? level : TO_DRAW)); // pools report none
    const shown = drawn && group.back(drawn, orientationOf).map((level) => Math.max(level, 0));
    return onProgress?.({ done: Math.floor((round * total + done) / numRounds), total, levels: shown });
  };
}

/** Chooses one round for each image, by how likely its given values are in each. */
function chosenRounds(candidates: readonly Candidates[], rounds: readonly Round[], uniforms: Float64Array) {
  const logGiven = new Float64Array(candidates.length);
  const chosen = candidates.map((of, n) => {
    if (!isWeighed(of)) return 0;
    const { length } = of.drawn;
    const ofRounds = of.drawn.map((_, k) => rounds[k]?.drawn.logGiven?.[n] ?? 0);
    const mean = logMean(ofRounds);
    logGiven[n] = mean;
    const weights = Float64Array.from(ofRounds, (one) => (mean === -Infinity ? 1 : exp(one - mean))); // their sum is `length`
    return inverse(weights, 0, length, (uniforms[n] as number) * length);
  });
  return { chosen, logGiven };
}

/** What the chosen rounds say of log p. */
function scoresOf(chosen: readonly number[], roundOf: (n: number) => Round): Scores {
  const of = (name: 'logProb' | 'logDrawn' | 'logGiven') =>
    Float64Array.from(chosen, (_, n) => roundOf(n).drawn[name]?.[n] ?? 0);
  return { logProb: of('logProb'), logDrawn: of('logDrawn'), logGiven: of('logGiven') };
}
