import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkLevel,
  checkNumber,
  checkOneOf,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import {
  type ConditionData,
  type ConditionShape,
  type ConditionValues,
  type NumericArray,
  numConditions,
  readConditions,
} from '../core/conditions';
import { checkImages, type ImageShape, resolveImageShape } from '../core/images';
import { type Filters, TO_DRAW } from '../distributions/filters';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { type Adjust, checkAdjust } from './adjusters';
import { customNoise, type Noise, seededNoise } from './noise';
import { isGivenAfterDrawn, type PartlyGiven } from './particles';

/** How far a job has come, for {@link SampleOptions.onProgress}. */
export interface SampleProgress {
  /** Values drawn so far, of each image. */
  done: number;
  /** H*W*C. */
  total: number;
  /**
   * The levels of all images, [N*H*W*C], 0 where not yet drawn, to show as they grow: the job's own array,
   * for reading only.
   */
  levels: Int32Array;
}

/** What is drawn and how, where images and conditions are given as tensors or as numbers. */
export interface DrawOptions<GivenImages, GivenCondition> {
  /** Images to draw. @default 1, or as many as `initial` or `condition` has */
  numImages?: number;
  /**
   * What each image is conditioned on, for models that take it: classes [N] (a number: the same for all),
   * vectors [N,K] or maps [N,H,W,K]; several by name, `{ class, map }`.
   */
  condition?: GivenCondition;
  /** [H, W, C]; needed where the model takes images of any size. @default the model's */
  imageShape?: ImageShape;
  /** Same seed, same images: any integer. @default a new one each time */
  seed?: number;
  /** Index of the first image, to cut a large job into parts; all indices are below 2^53. @default 0 */
  firstImage?: number;
  /**
   * Uniforms in [0, 1) of your own instead of `seed` (and `firstImage`), taken in the order rows, columns,
   * channels, images innermost.
   */
  random?: () => number;
  /**
   * Divides the logits, or log p of levels where outputs are no logits; 0 takes the most likely level, the lowest on a
   * tie. @default 1
   */
  temperature?: number;
  /** Draw only among so many most likely levels. @default all */
  topK?: number;
  /** Draw only among the fewest most likely levels whose probability reaches this, in (0, 1]. @default 1 */
  topP?: number;
  /**
   * How far a class shapes the images, for models whose class has a null class: w draws by log p + w (log p - log p
   * without the class), before temperature, `topK` and `topP`. 0 draws by the class as it was learnt, greater ones images
   * more typical of it, at twice the price; -1 draws without it. @default 0
   */
  guidance?: number;
  /** 'uniform' draws the very first value uniformly, as "The Annotated Pixel-CNN" does. @default 'model' */
  firstValue?: 'model' | 'uniform';
  /** Levels to start from, [N,H,W,C] int32 or float32; ignored where `known` is 0. Comes with `known`. */
  initial?: GivenImages;
  /**
   * 1 where the level of `initial` is given and kept, 0 where it is drawn, [N,H,W,C]. Comes with `initial`.
   */
  known?: GivenImages;
  /**
   * Draws with regard to the given values that come later: so many particles of each image are drawn side by side, weighed by
   * how likely they make what is given, and at the end one of them is taken. Exact in the limit of many; it takes so many
   * times the time and memory between the first drawn value and the last given one. Comes with `initial` and `known`.
   * @default 0: as if nothing were given later
   */
  lookAhead?: number;
  /**
   * Changes what levels are drawn by, in place: log p of every level of the next value, [N*L], before temperature and filters;
   * -Infinity forbids a level, and they need not sum to 1. It is given the place, the levels of all images so far, [N*H*W*C], to
   * read, 0 of later values, and the shape of the images; a new array that it returns, or a promise, is refused. Called where a
   * value is drawn, or weighed by `lookAhead`: then once for each particle. {@link allowed} and {@link allowedNeighbors} make
   * such functions, the only ones that a pool takes.
   */
  adjust?: Adjust;
  /**
   * Resolves to { images, logProb }, and with `lookAhead` also logGiven, each [N]: log p of the images under the model, in nats,
   * as `logProb` gives it, and an estimate of log p of what was given. @default false
   */
  withLogProb?: boolean;
  /** Stops the job: it rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Called after each row. With `lookAhead` it sees the first particle of each image. */
  onProgress?: (progress: SampleProgress) => void;
  /** Lets other work run each so many milliseconds; 'auto' is 125. @default 'auto' */
  yieldEvery?: 'auto' | 'never' | number;
}

/** Options of {@link sample}. */
export interface SampleOptions extends DrawOptions<NumericArray, ConditionData> {
  /** Both mean 'incremental' here: each feature is computed once. @default 'auto' */
  strategy?: 'auto' | 'incremental';
}

/** Of both `sample` functions. */
export const sampleOptionNames: NamesOf<SampleOptions> = {
  numImages: true,
  condition: true,
  imageShape: true,
  seed: true,
  firstImage: true,
  random: true,
  temperature: true,
  topK: true,
  topP: true,
  guidance: true,
  firstValue: true,
  initial: true,
  known: true,
  lookAhead: true,
  adjust: true,
  withLogProb: true,
  strategy: true,
  signal: true,
  onProgress: true,
  yieldEvery: true,
};

/** The options of a job, checked, with all defaults filled in. */
export interface Job extends PartlyGiven {
  readonly levels: number;
  /** What the model's outputs mean. */
  readonly distribution: PixelDistribution;
  /**
   * Begins the noise of all images: [particles, images] uniforms, and with particles another one an image, to draw among them.
   * Many jobs are planned in one thread and drawn in others.
   */
  readonly startNoise: () => Noise;
  readonly filters: Filters;
  /** 0 for none. */
  readonly guidance: number;
  readonly adjust: Adjust | undefined;
  /** Particles of each image, as they were asked for; 0 for none. */
  readonly lookAhead: number;
  readonly withLogProb: boolean;
  /** How many of each image there are: 1 where there is nothing to look ahead to. */
  readonly numParticles: number;
  /**
   * What is evaluated side by side: of each particle the images, and with guidance the same images once more, of no class.
   */
  readonly evaluated: {
    readonly numImages: number;
    readonly conditions: readonly ConditionValues[];
    readonly numConditions: number;
  };
  readonly isFirstUniform: boolean;
  /** What the images are conditioned on, in the model's order. */
  readonly conditions: readonly ConditionValues[];
  readonly yieldMilliseconds: number;
}

/** What is drawn from, from outside. */
export interface ModelShape {
  readonly imageShape: readonly [number | null, number | null, number];
  readonly levels: number;
  readonly conditions: readonly ConditionShape[];
  readonly distribution: PixelDistribution;
}

const AUTO_YIELD_MILLISECONDS = 125; // as tfjs-layers

/** Checks every option. */
export function planJob(shape: ModelShape, options: DrawOptions<NumericArray, ConditionData>): Job {
  const { initial, known, random, seed, topK, topP } = options;
  const temperature = checkNumber(
    'sample: temperature',
    options.temperature ?? 1,
    'of at least 0',
    (value) => value >= 0,
  );
  if (topK !== undefined) checkInteger('sample: topK', topK, 1);
  if (topP !== undefined) {
    checkNumber('sample: topP', topP, 'in (0, 1]', (value) => value > 0 && value <= 1);
  }
  const firstValue = checkOneOf('sample: firstValue', options.firstValue ?? 'model', ['model', 'uniform']);
  if (firstValue === 'uniform' && options.adjust !== undefined)
    throwTypeError('sample: firstValue', "'model' with adjust", firstValue);
  if (seed !== undefined) checkInteger('sample: seed', seed);
  const firstImage = checkInteger('sample: firstImage', options.firstImage ?? 0, 0);
  if (random !== undefined && seed !== undefined)
    throwTypeError('sample: random', 'either seed or random, not both', random);
  checkFunction('sample: random', random ?? Math.random);
  checkFunction('sample: onProgress', options.onProgress ?? (() => {}));

  const initialShape = initial === undefined ? undefined : checkImages('sample: initial', initial).shape;
  const imageShape = resolveImageShape(
    options.imageShape === undefined && initial !== undefined ? 'sample: initial' : 'sample: imageShape',
    shape.imageShape,
    options.imageShape ?? initialShape?.slice(1),
  );
  const numImages = checkInteger(
    'sample: numImages',
    options.numImages ?? initialShape?.[0] ?? (numConditions(options.condition) || 1),
    1,
  );
  if (!Number.isSafeInteger(firstImage + (numImages - 1))) {
    throwTypeError(
      'sample: firstImage',
      `an index that with ${numImages} images stays below 2^53`,
      firstImage,
    );
  }
  const conditions = readConditions(
    'sample: condition',
    shape.conditions,
    options.condition,
    numImages,
    imageShape,
  );
  const guidance = checkNumber('sample: guidance', options.guidance ?? 0, 'that is finite', () => true);
  const { adjust, withLogProb = false } = options;
  if (adjust !== undefined) checkAdjust('sample: adjust', adjust, imageShape, shape.levels);
  const given = readGiven(initial, known, [numImages, ...imageShape], shape.levels);
  const lookAhead = checkInteger('sample: lookAhead', options.lookAhead ?? 0, 0);
  if (lookAhead > 0 && given === null)
    throw new TypeError('sample: lookAhead: wanted initial and known with it, got neither');
  const images = { firstImage, numImages, imageShape, given };
  const numParticles = lookAhead > 0 && isGivenAfterDrawn(images) ? lookAhead : 1;
  const streams = numParticles > 1 ? numParticles + 1 : 1;
  const rows = guidance === 0 ? numImages : 2 * numImages;
  return {
    ...images,
    levels: shape.levels,
    distribution: shape.distribution,
    startNoise: () =>
      random === undefined
        ? seededNoise(seed ?? freshSeed(), firstImage, numImages, streams)
        : customNoise(random),
    filters: { temperature, topK, topP },
    guidance,
    adjust,
    lookAhead,
    withLogProb: checkBoolean('sample: withLogProb', withLogProb),
    numParticles,
    evaluated: {
      numImages: numParticles * rows,
      conditions: guidance === 0 ? conditions : withoutClass(shape.conditions, conditions),
      numConditions: rows,
    },
    isFirstUniform: firstValue === 'uniform',
    conditions,
    yieldMilliseconds: checkYield(options.yieldEvery ?? 'auto'),
  };
}

/** The conditions of images, and then of the same images with the null class. */
function withoutClass(
  shapes: readonly ConditionShape[],
  conditions: readonly ConditionValues[],
): ConditionValues[] {
  if (!shapes.some((condition) => condition.kind === 'class' && condition.nullClass)) {
    throwTypeError('sample: guidance', 'a model of classes with a null class (nullClass: true)', shapes);
  }
  return conditions.map(({ shape, values }, i) => {
    const condition = shapes[i] as ConditionShape;
    const free = condition.kind === 'class' ? values.map(() => condition.numClasses) : values;
    const both = new Float32Array(2 * values.length);
    both.set(values);
    both.set(free, values.length);
    return { shape, values: both };
  });
}

function checkYield(yieldEvery: unknown): number {
  if (yieldEvery === 'never') return Infinity;
  if (yieldEvery === 'auto') return AUTO_YIELD_MILLISECONDS;
  if (typeof yieldEvery === 'number' && yieldEvery >= 0) return yieldEvery;
  return throwTypeError('sample: yieldEvery', "'auto', 'never' or milliseconds", yieldEvery);
}

/** A new seed, for who gave none. */
export function freshSeed(): number {
  return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
}

/** Checks `initial` and `known`, and makes one list of them. */
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

/** Checks that a signal is one, and that it has not aborted yet. */
export function checkSignal(what: string, signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throwTypeError(what, 'an AbortSignal', signal);
  }
  signal?.throwIfAborted();
}

/**
 * A function to call often; where it gives a promise, awaiting that lets other work run once so many
 * milliseconds have passed.
 */
export function pauses(milliseconds: number): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < milliseconds) return undefined;
    return new Promise((resolve) => {
      setTimeout(() => {
        last = performance.now();
        resolve();
      }, 0);
    });
  };
}
