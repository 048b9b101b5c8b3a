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
import { YIELD_MILLISECONDS } from '../core/pauses';
import { type Filters, TO_DRAW } from '../distributions/filters';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { type Adjust, checkAdjust } from './adjusters';
import { customNoise, type Noise, seededNoise } from './noise';
import { isGivenAfterDrawn, type PartlyGiven } from './particles';

/** The progress of a job, for {@link SampleOptions.onProgress}. */
export interface SampleProgress {
  /** Values drawn so far, of each image. */
  done: number;
  /** H*W*C. */
  total: number;
  /**
   * The levels of all images, [N*H*W*C], 0 where not yet drawn, to show them as they grow. This is the job's own array,
   * so only read it.
   */
  levels: Int32Array;
}

/** What to draw and how. Images and conditions are given as tensors or as plain numbers. */
export interface DrawOptions<GivenImages, GivenCondition> {
  /** The number of images to draw. @default 1, or the number of images in `initial` or `condition` */
  numImages?: number;
  /**
   * The condition of each image, for models that take one: classes [N] (or one number for all), vectors [N,K] or maps
   * [N,H,W,K]; several conditions by name, `{ class, map }`.
   */
  condition?: GivenCondition;
  /** [H, W, C]; needed where the model takes images of any size. @default the model's */
  imageShape?: ImageShape;
  /** Any integer; the same seed gives the same images. @default a new one each time */
  seed?: number;
  /** The index of the first image, to split a large job into parts; all indices must be below 2^53. @default 0 */
  firstImage?: number;
  /**
   * Your own source of uniforms in [0, 1), instead of `seed` and `firstImage`. They are used in the order rows,
   * columns, channels, images, with images innermost.
   */
  random?: () => number;
  /**
   * Divides the logits, or log p of levels if the outputs are not logits. 0 takes the most likely level, the lowest on
   * a tie. @default 1
   */
  temperature?: number;
  /** Draws only among this many of the most likely levels. @default all */
  topK?: number;
  /**
   * Draws only among the smallest set of most likely levels whose total probability reaches this, in (0, 1]. @default 1
   */
  topP?: number;
  /**
   * How strongly the class shapes the images, for models with a null class. A value w draws from log p + w (log p - log
   * p without the class), before temperature, `topK` and `topP`. 0 uses the class as it was learnt; greater values give
   * images that are more typical of it, at twice the cost; -1 ignores the class. @default 0
   */
  guidance?: number;
  /** 'uniform' draws the very first value uniformly, as "The Annotated Pixel-CNN" does. @default 'model' */
  firstValue?: 'model' | 'uniform';
  /** Levels to start from, [N,H,W,C] int32 or float32; ignored where `known` is 0. Requires `known`. */
  initial?: GivenImages;
  /**
   * 1 where the level of `initial` is kept, 0 where a level is drawn, [N,H,W,C]. Requires `initial`.
   */
  known?: GivenImages;
  /**
   * The number of particles, to take given values that come later into account. This many versions of each image are
   * drawn side by side and weighed by how likely they make the given values; at the end one of them is chosen. Exact in
   * the limit of many particles. Multiplies time and memory between the first drawn value and the last given one.
   * Requires `initial` and `known`.
   * @default 0: given values that come later are ignored
   */
  lookAhead?: number;
  /**
   * Changes the distribution that levels are drawn from: a function that modifies log p of every level of the next
   * value, [N*L], in place, before temperature and filters. -Infinity forbids a level, and the probabilities need not
   * sum to 1. It also gets the place, the levels of all images so far, [N*H*W*C] (read-only, 0 for later values), and
   * the shape of the images. It must not return a new array or a promise. It is called for each value that is drawn, or
   * weighed by `lookAhead`, and then once for each particle. {@link allowed} and {@link allowedNeighbors} make such
   * functions, and pools accept only those.
   */
  adjust?: Adjust;
  /**
   * Resolves to { images, logProb }, and with `lookAhead` also logGiven, each [N]. They are log p of the images under
   * the model, in nats, as `logProb` computes it, and an estimate of log p of the given values. @default false
   */
  withLogProb?: boolean;
  /** Stops the job: it rejects with `signal.reason`. */
  signal?: AbortSignal;
  /**
   * Called after each row. With `lookAhead` it gets the first particle of each image. A promise that it returns is
   * waited for; if it throws or rejects, so does the job.
   */
  onProgress?: (progress: SampleProgress) => void;
  /** Lets other work run every so many milliseconds; 'auto' means 125. @default 'auto' */
  yieldEvery?: 'auto' | 'never' | number;
}

/** Options of {@link sample}. */
export interface SampleOptions extends DrawOptions<NumericArray, ConditionData> {
  /** Both mean 'incremental' here: each feature is computed once. @default 'auto' */
  strategy?: 'auto' | 'incremental';
}

/** The names of options of both `sample` functions. */
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
  /** The distribution of the model. */
  readonly distribution: PixelDistribution;
  /**
   * Starts the noise of all images: [particles, images] uniforms, and with particles one more for each image, to draw
   * among them. A function, since jobs may be planned in one thread and drawn in another.
   */
  readonly startNoise: () => Noise;
  readonly filters: Filters;
  /** 0 for none. */
  readonly guidance: number;
  readonly adjust: Adjust | undefined;
  /** The requested number of particles of each image; 0 for none. */
  readonly lookAhead: number;
  readonly withLogProb: boolean;
  /** The actual number of particles of each image: 1 if there is nothing to look ahead to. */
  readonly numParticles: number;
  /**
   * The number of rows evaluated side by side: for each particle all images, and with guidance all images again without
   * a class.
   */
  readonly evaluated: {
    readonly numImages: number;
    readonly conditions: readonly ConditionValues[];
    readonly numConditions: number;
  };
  readonly isFirstUniform: boolean;
  /** The conditions of the images, in the model's order. */
  readonly conditions: readonly ConditionValues[];
  readonly yieldMilliseconds: number;
}

/** The interface of the model that is drawn from. */
export interface ModelShape {
  readonly imageShape: readonly [number | null, number | null, number];
  readonly levels: number;
  readonly conditions: readonly ConditionShape[];
  readonly distribution: PixelDistribution;
}

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

/** The conditions of images, followed by those of the same images with the null class. */
function withoutClass(
  shapes: readonly ConditionShape[],
  conditions: readonly ConditionValues[],
): ConditionValues[] {
  const classes = shapes.find(({ kind }) => kind === 'class') as { nullClass?: boolean } | undefined;
  if (!classes?.nullClass) {
    const kinds = shapes.map(({ kind }) => kind).join(' and ');
    const got =
      classes !== undefined ? 'one without' : kinds === '' ? 'one without conditions' : `one by ${kinds}`;
    throw new TypeError(
      `sample: guidance: wanted a model of classes with a null class (nullClass: true), got ${got}`,
    );
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
  if (yieldEvery === 'auto') return YIELD_MILLISECONDS;
  if (typeof yieldEvery === 'number' && yieldEvery >= 0) return yieldEvery;
  return throwTypeError('sample: yieldEvery', "'auto', 'never' or milliseconds", yieldEvery);
}

/** A new seed, if none was given. */
export function freshSeed(): number {
  return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
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
