import {
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
import { customNoise, type Noise, seededNoise } from './noise';

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
  /** Divides logits, or log-probabilities of another distribution; 0 takes the most likely level, the lowest on a tie. @default 1 */
  temperature?: number;
  /** Draw only among so many most likely levels. @default all */
  topK?: number;
  /** Draw only among the fewest most likely levels whose probability reaches this, in (0, 1]. @default 1 */
  topP?: number;
  /** 'uniform' draws the very first value uniformly, as "The Annotated Pixel-CNN" does. @default 'model' */
  firstValue?: 'model' | 'uniform';
  /** Levels to start from, [N,H,W,C] int32 or float32; ignored where `known` is 0. Comes with `known`. */
  initial?: GivenImages;
  /**
   * 1 where the level of `initial` is given and kept, 0 where it is drawn, [N,H,W,C]. Comes with `initial`.
   */
  known?: GivenImages;
  /** Stops the job: it rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Called after each row. */
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
  firstValue: true,
  initial: true,
  known: true,
  strategy: true,
  signal: true,
  onProgress: true,
  yieldEvery: true,
};

/** The options of a job, checked, with all defaults filled in. */
export interface Job {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly levels: number;
  /** What the model's outputs mean. */
  readonly distribution: PixelDistribution;
  /** Begins the noise of all images. Many jobs are planned in one thread and drawn in others. */
  readonly startNoise: () => Noise;
  readonly filters: Filters;
  readonly isFirstUniform: boolean;
  /** What the images are conditioned on, in the model's order. */
  readonly conditions: readonly ConditionValues[];
  /**
   * The levels that are given, [N*H*W*C], {@link TO_DRAW} where one is to be drawn; null where nothing is
   * given.
   */
  readonly given: Int32Array | null;
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
  return {
    numImages,
    imageShape,
    levels: shape.levels,
    distribution: shape.distribution,
    startNoise: () =>
      random === undefined ? seededNoise(seed ?? freshSeed(), firstImage, numImages) : customNoise(random),
    filters: { temperature, topK, topP },
    isFirstUniform: firstValue === 'uniform',
    conditions: readConditions(
      'sample: condition',
      shape.conditions,
      options.condition,
      numImages,
      imageShape,
    ),
    given: readGiven(initial, known, [numImages, ...imageShape], shape.levels),
    yieldMilliseconds: checkYield(options.yieldEvery ?? 'auto'),
  };
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
): Job['given'] {
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
