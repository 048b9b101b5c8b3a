import { throwTypeError } from '../core/check';
import type { ConditionValues } from '../core/conditions';
import { type ImageShape, type Images, valuesOf } from '../core/images';
import { streamsOf } from '../core/random';
import {
  conditionsInElements,
  elementsOf,
  givenConditions,
  refuseSymmetries,
  type Symmetrizable,
  type SymmetryShape,
  transformed,
} from '../core/symmetries';
import { inverse, TO_DRAW } from '../distributions/filters';
import { logSumExp } from '../distributions/logistic-mixture';
import { exp, log } from '../kernels/arithmetic';
import type { ImageModel, KnownImages, OrderedModel, SampledImages, WalkHooks } from './image-model';
import { customNoise } from './noise';
import type { Job } from './options';

// A symmetric model is the mixture of a model's distribution q over the elements g of a group: p(x) is the mean of
// q(g x). An image of it is an image of q, of which a random element is undone.

type Symmetric = Symmetrizable & Required<Pick<Symmetrizable, 'symmetry'>>;

/** The images of a symmetric model. */
export interface SymmetricDrawn extends SampledImages {
  /** The images as the model drew them, with its conditions. */
  readonly before: { readonly levels: Images['data']; readonly conditions: readonly ConditionValues[] };
}

/** A drawing of all images, each in some element. */
interface Round {
  readonly drawn: SampledImages;
  /** [N] */
  readonly elementOf: Int32Array;
}

/** Wraps a model in symmetries: turns images, asks the model, and turns back. */
export function symmetricImageModel<Ordered extends OrderedModel>(
  model: ImageModel<Ordered>,
  symmetry: SymmetryShape,
): ImageModel<Ordered> {
  const { imageShape, levels, conditions } = model;
  const wrapped = { levels, conditions, symmetry };
  return {
    imageShape,
    levels,
    conditions: givenConditions(wrapped),
    draw: (job) => drawSymmetric(wrapped, job, model.draw),
    score: (images) => scoreSymmetric(wrapped, images, model.score),
    inOrder(what) {
      refuseSymmetries(what, wrapped);
      return model.inOrder(what);
    },
  };
}

function groupOf(model: Symmetric, imageShape: ImageShape) {
  const elements = elementsOf(model.symmetry.symmetries);
  type Levels = Images['data'];
  const into = <L extends Levels>(images: L, elementOf: ArrayLike<number>): L =>
    transformed(images, imageShape, model.levels, elements, elementOf);
  into(new Uint8Array(0), []); // refuses images that are not square before any is drawn
  return {
    size: elements.length,
    /** Applies elements to images, [N]. */
    into,
    /** Undoes them. */
    back: <L extends Levels>(images: L, elementOf: ArrayLike<number>): L =>
      transformed(images, imageShape, model.levels, elements, elementOf, true),
  };
}
type Group = ReturnType<typeof groupOf>;

/**
 * Draws the images of a job. An image with given values is drawn in all elements in which these come first, if there
 * are any, and one is chosen by how likely the given values are in it: exactly from the mixture of these elements. Other
 * images are drawn in a random element; with look-ahead in all, which is exact with many particles.
 *
 * @param draw draws from the model without symmetries
 */
async function drawSymmetric(model: Symmetric, job: Job, draw: ImageModel['draw']): Promise<SymmetricDrawn> {
  for (const name of ['adjust', 'potential'] as const) {
    const wanted = 'none for a model with symmetries, which draws in several orientations';
    if (job[name] !== undefined) throwTypeError(`sample: ${name}`, wanted, job[name]);
  }
  const { imageShape, given, withLogProb } = job;
  const group = groupOf(model, imageShape);
  const jobIn = (elementOf: Int32Array, levels: Int32Array | null): Job => ({
    ...job,
    given: levels && group.into(levels, elementOf),
    conditions: conditionsInElements(model, job.conditions, elementOf),
  });

  const uniforms = uniformsOf(job);
  const candidates = candidatesOf(job, group, uniforms);
  const numRounds = candidates.reduce((most, { length }) => Math.max(most, length), 0);
  // Rounds are chosen among by log p of given values, which these options compute.
  const weighed = numRounds > 1 && { lookAhead: Math.max(1, job.lookAhead), withLogProb: true };
  const rounds: Round[] = [];
  for (let round = 0; round < numRounds; round++) {
    const elementOf = Int32Array.from(candidates, (of) => of[round % of.length] as number);
    const onProgress = job.onProgress && progressOf(job, group, elementOf, [round, numRounds]);
    rounds.push({ elementOf, drawn: await draw({ ...jobIn(elementOf, given), ...weighed, onProgress }) });
  }

  const { chosen, logGiven } = chosenRounds(candidates, rounds, uniforms);
  const roundOf = (n: number) => rounds[chosen[n] as number] as Round;
  const elementOf = Int32Array.from(chosen, (_, n) => roundOf(n).elementOf[n] as number);
  const total = valuesOf(imageShape);
  const before = (rounds[0] as Round).drawn.levels.map(
    (_, k) => roundOf(Math.floor(k / total)).drawn.levels[k] as number,
  );
  const levels = group.back(before, elementOf);
  const { conditions } = jobIn(elementOf, null);
  const result = { levels, before: { levels: before, conditions }, ...(job.lookAhead > 0 && { logGiven }) };
  const none = new Float64Array(0);
  if (!withLogProb) return { ...result, logProb: none, logDrawn: none };

  const scores: Pick<SampledImages, 'logProb' | 'logDrawn'>[] = [scoresOf(chosen, roundOf)];
  for (let k = 1; k < group.size; k++) {
    const others = elementOf.map((element) => (element + k) % group.size);
    const scored = group.into(Int32Array.from(levels), others);
    scores.push(await draw({ ...jobIn(others, given), scored, lookAhead: 0, onProgress: undefined }));
  }
  /** Log of the mean over elements, added up in their order. */
  const meanOf = (name: 'logProb' | 'logDrawn') =>
    Float64Array.from(elementOf, (element, n) =>
      logMean(
        Float64Array.from(
          scores,
          (_, g) => scores[(g - element + group.size) % group.size]?.[name][n] as number,
        ),
      ),
    );
  return { ...result, logProb: meanOf('logProb'), logDrawn: meanOf('logDrawn') };
}

/**
 * Computes log p of images under a symmetric model, [N].
 *
 * @param score scores images in the model without symmetries
 */
async function scoreSymmetric(
  model: Symmetric,
  images: KnownImages & WalkHooks,
  score: ImageModel['score'],
): Promise<Float64Array> {
  const { numImages, imageShape, data, conditions, onProgress } = images;
  const group = groupOf(model, imageShape);
  const scores: Float64Array[] = [];
  for (let element = 0; element < group.size; element++) {
    const elementOf = new Int32Array(numImages).fill(element);
    scores.push(
      await score({
        ...images,
        data: group.into(data, elementOf),
        conditions: conditionsInElements(model, conditions, elementOf),
        onProgress:
          onProgress &&
          (({ done, total }: { done: number; total: number }) =>
            onProgress({ done: Math.floor((element * total + done) / group.size), total })),
      }),
    );
  }
  return Float64Array.from({ length: numImages }, (_, n) =>
    logMean(Float64Array.from(scores, (nats) => nats[n] as number)),
  );
}

/** The logarithm of the mean of e^x. */
function logMean(xs: Float64Array): number {
  return xs.every((x) => x === -Infinity) ? -Infinity : logSumExp(xs) - log(xs.length);
}

/** A uniform for each image, from a stream of its own. */
function uniformsOf({ numImages, seed, firstImage, random }: Job): Float64Array {
  const uniforms = new Float64Array(numImages);
  const next = streamsOf(random ? 0 : numImages, (n) => `${seed}/${firstImage + n}/symmetry`);
  if (random) customNoise(random)(uniforms);
  return random ? uniforms : uniforms.map((_, n) => next(n));
}

/** The elements in which each image is drawn. */
function candidatesOf(
  { numImages, imageShape, given, lookAhead }: Job,
  { size, into }: Group,
  uniforms: Float64Array,
): number[][] {
  const total = valuesOf(imageShape);
  const all = Array.from({ length: size }, (_, element) => element);
  return Array.from({ length: numImages }, (_, n) => {
    const one = [Math.floor((uniforms[n] as number) * size)];
    const ofImage = given?.subarray(n * total, (n + 1) * total);
    const numGiven = ofImage?.filter((level) => level !== TO_DRAW).length ?? 0;
    if (!ofImage || numGiven === 0) return one;
    const first = all.filter((element) => !into(ofImage, [element]).subarray(0, numGiven).includes(TO_DRAW));
    if (first.length > 0) return first;
    return lookAhead > 0 ? all : one;
  });
}

/** Reports the progress of one round of several, with images as they will be. */
function progressOf(
  { imageShape, onProgress }: Job,
  group: Group,
  elementOf: Int32Array,
  [round, numRounds]: readonly [number, number],
): Job['onProgress'] {
  const ofImage = valuesOf(imageShape);
  return ({ done, total, levels }) => {
    const drawn = levels?.map((level, k) => (k % ofImage < done ? level : TO_DRAW)); // pools report none
    const shown = drawn && group.back(drawn, elementOf).map((level) => Math.max(level, 0));
    return onProgress?.({ done: Math.floor((round * total + done) / numRounds), total, levels: shown });
  };
}

/** Chooses one round for each image, by how likely its given values are in each. */
function chosenRounds(candidates: readonly number[][], rounds: readonly Round[], uniforms: Float64Array) {
  const logGiven = new Float64Array(candidates.length);
  const chosen = candidates.map(({ length }, n) => {
    const ofRounds = Float64Array.from({ length }, (_, k) => rounds[k]?.drawn.logGiven?.[n] ?? 0);
    const mean = logMean(ofRounds);
    logGiven[n] = mean;
    if (length === 1) return 0;
    const weights = ofRounds.map((one) => (mean === -Infinity ? 1 : exp(one - mean))); // their sum is `length`
    return inverse(weights, 0, length, (uniforms[n] as number) * length);
  });
  return { chosen, logGiven };
}

/** What the chosen rounds say of log p. */
function scoresOf(chosen: readonly number[], roundOf: (n: number) => Round) {
  const of = (name: 'logProb' | 'logDrawn') =>
    Float64Array.from(chosen, (_, n) => roundOf(n).drawn[name][n] as number);
  return { logProb: of('logProb'), logDrawn: of('logDrawn') };
}
