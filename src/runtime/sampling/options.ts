import {
  anything,
  callback,
  checked,
  flag,
  integer,
  number,
  oneOf,
  optional,
  optionalSignal,
  type Values,
} from '../core/arguments';
import { checkInteger, checkLevel, checkOneOf, throwTypeError } from '../core/check';
import { type ConditionData, type NumericArray, numConditions, readConditions } from '../core/conditions';
import { checkImages, type ImageShape, resolveImageShape } from '../core/images';
import type { ModelShape } from '../core/model-shape';
import { YIELD_MILLISECONDS } from '../core/pauses';
import { TO_DRAW } from '../distributions/levels';
import type { Adjust } from './changes/adjust';
import type { Adjuster } from './changes/adjusters';
import { checkNullClass } from './changes/guidance';
import type { PartlyGiven, Potential } from './particles';

/** The progress of a job, for {@link SampleOptions.onProgress}. */
export interface SampleProgress {
  /** The number of values drawn so far in each image. */
  done: number;
  /** H*W*C. */
  total: number;
  /** The levels of all images, [N*H*W*C], 0 where not drawn yet. It is the job's own array, so do not change it. */
  levels: Int32Array;
}

/** Arguments of `sample`, with images and conditions that are arrays or tensors. */
export const sampleArguments = <GivenImages, GivenCondition>() => ({
  /** The number of images to draw. @default 1, or the number of images in `initial` or `condition` */
  numImages: optional(integer({ from: 1 })),
  /**
   * The condition of each image, for models that take one: classes [N] (or one number for all), vectors [N,K] or maps
   * [N,H,W,K]; several conditions by name, `{ class, map }`.
   */
  condition: optional(anything<GivenCondition>()),
  /** [H, W, C]; required if the model takes images of any size. @default the model's */
  imageShape: optional(anything<ImageShape>()),
  /** Any integer; it determines the images. @default a new one each time */
  seed: optional(integer()),
  /** The index of the first image, to split a large job into parts; all indices must be below 2^53. @default 0 */
  firstImage: optional(integer({ from: 0 }), 0),
  /** Your own uniforms in [0, 1), instead of `seed` and `firstImage`, in the order rows, columns, channels, images. */
  random: optional(callback<() => number>()),
  /** Divides the logits, or log p of other outputs. 0 takes the most likely level, the lowest on a tie. @default 1 */
  temperature: optional(
    number('of at least 0', (value) => value >= 0),
    1,
  ),
  /** Draws only among this many of the most likely levels. @default all */
  topK: optional(integer({ from: 1 })),
  /**
   * Draws only among the smallest set of most likely levels whose total probability reaches this, in (0, 1]. @default 1
   */
  topP: optional(number('in (0, 1]', (value) => value > 0 && value <= 1)),
  /**
   * How strongly the class shapes the images, for models with a null class. w draws from log p + w (log p -
   * log p without the class), before temperature, `topK` and `topP`. 0 uses the class as learnt; greater
   * values draw images that are more typical of it, at twice the cost; -1 ignores the class. @default 0
   */
  guidance: optional(number(), 0),
  /** 'uniform' draws the very first value uniformly, as in "The Annotated Pixel-CNN". @default 'model' */
  firstValue: optional(oneOf('model', 'uniform'), 'model'),
  /** Levels to start from, [N,H,W,C] int32 or float32; ignored where `known` is 0. Requires `known`. */
  initial: optional(anything<GivenImages>()),
  /** 1 where the level of `initial` is kept, 0 where a level is drawn, [N,H,W,C]. Requires `initial`. */
  known: optional(anything<GivenImages>()),
  /**
   * The number of particles with which drawn values take later given values into account. Particles are
   * versions of each image, drawn side by side and weighted by how likely they make the given values; one is
   * chosen. Exact in the limit of many. Multiplies time and memory between the first drawn value and the last
   * given one. Requires `initial` and `known`, or `potential`.
   * @default 0, which ignores later given values
   */
  lookAhead: optional(integer({ from: 0 }), 0),
  /**
   * Changes log p of every level of the next value in place, before temperature and filters; see
   * {@link Adjust}. Called for each value that is drawn, or weighted with `lookAhead`, and then once for each
   * particle. Pools accept only results of {@link allowed} and {@link allowedNeighbors}.
   */
  adjust: optional(callback<Adjust>()),
  /**
   * A log weight of what is drawn of an image so far, for `lookAhead`, see {@link Potential}: images are then drawn
   * with probabilities proportional to p(x) e^potential(x), exactly in the limit of many particles.
   */
  potential: optional(callback<Potential>()),
  /**
   * Resolves to {@link Sampled}: images, their log p, log p with which they were drawn, and with `lookAhead` an estimate
   * of log p of the given values.
   * @default false
   */
  withLogProb: flag(false),
  /** Stops the job, which rejects with `signal.reason`. */
  signal: optionalSignal(),
  /**
   * Called after each row, with `lookAhead` for the first particle of each image. The job waits for
   * a promise that it returns, and fails if it throws or rejects.
   */
  onProgress: optional(callback<(progress: SampleProgress) => void>()),
  /** How many milliseconds to work between pauses for other work; 'auto' means 125. @default 'auto' */
  yieldEvery: optional(checked<number, 'auto' | 'never' | number>(checkYield), YIELD_MILLISECONDS),
});

function checkYield(what: string, given: unknown): number {
  if (given === 'never') return Infinity;
  if (given === 'auto') return YIELD_MILLISECONDS;
  if (typeof given === 'number' && given >= 0) return given;
  return throwTypeError(what, "'auto', 'never' or milliseconds", given);
}

/** The values of {@link sampleArguments}, without tensors. */
export type SampleValues = Values<ReturnType<typeof sampleArguments<NumericArray, ConditionData>>>;

/** The checked options of a job. */
export type Job = ReturnType<typeof planJob>;

/** Checks options that depend on the model or on other options. */
export function planJob(model: ModelShape, values: SampleValues, caller = 'sample') {
  const { initial, known, condition, ...rest } = values;
  const { random, seed, firstImage, firstValue, adjust, guidance, lookAhead, potential } = values;
  if (firstValue === 'uniform' && adjust !== undefined)
    throwTypeError('sample: firstValue', "'model' with adjust", firstValue);
  if (random !== undefined && seed !== undefined)
    throwTypeError('sample: random', 'either seed or random, not both', random);
  const initialShape = initial === undefined ? undefined : checkImages('sample: initial', initial).shape;
  const what = !values.imageShape && initial ? 'sample: initial' : `${caller}: imageShape`;
  const wantedShape = values.imageShape ?? initialShape?.slice(1);
  const imageShape = resolveImageShape(what, model.imageShape, wantedShape);
  const wanted = values.numImages ?? initialShape?.[0] ?? (numConditions(condition) || 1);
  const numImages = checkInteger('sample: numImages', wanted, 1);
  if (!Number.isSafeInteger(firstImage + (numImages - 1))) {
    const below = `an index that with ${numImages} images stays below 2^53`;
    throwTypeError('sample: firstImage', below, firstImage);
  }
  const conditions = readConditions('sample: condition', model.conditions, condition, numImages, imageShape);
  if (guidance !== 0) checkNullClass(model.conditions);
  (adjust as Partial<Adjuster> | undefined)?.checkFits?.('sample: adjust', imageShape, model.levels);
  const given = readGiven(initial, known, [numImages, ...imageShape], model.levels);
  if (lookAhead > 0 && given === null && potential === undefined)
    throw new TypeError('sample: lookAhead: wanted initial and known, or potential, too, got neither');
  if (potential !== undefined && lookAhead === 0)
    throwTypeError('sample: lookAhead', 'the number of particles, for potential', lookAhead);
  const newSeed = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  return {
    ...rest,
    numImages,
    imageShape,
    seed: seed ?? newSeed,
    given,
    conditions,
    /** Levels to score as they would be drawn where none is given, [N*H*W*C], instead of drawing any. */
    scored: null as Int32Array | null,
    /** Whether the images are drawn in several orientations, some of which may not allow what is given. */
    isOneOfSeveral: false,
  };
}

/** Checks `initial` and `known`, and combines them into one list. */
function readGiven(
  initial: NumericArray | undefined,
  known: NumericArray | undefined,
  shape: readonly number[],
  levels: number,
): PartlyGiven['given'] {
  if (initial === undefined && known === undefined) return null;
  const fits = (images?: NumericArray) => images !== undefined && String(images.shape) === String(shape);
  if (!initial || !fits(initial))
    throwTypeError('sample: initial', `levels of shape [${shape}], with known`, initial?.shape);
  if (!known || !fits(known))
    throwTypeError('sample: known', `0 or 1, of shape [${shape}], with initial`, known?.shape);
  const flags = checkImages('sample: known', known).data;
  return Int32Array.from(initial.data, (value, i) => {
    const isKnown = checkOneOf('sample: known', flags[i] as number, [0, 1]) === 1;
    return isKnown ? checkLevel('sample: initial', value, levels) : TO_DRAW;
  });
}
