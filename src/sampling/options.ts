import type { Tensor4D } from '@tensorflow/tfjs-core';
import { checkFunction, checkInteger, checkLevel, checkNumber, checkOneOf, wrong } from '../check';
import { type Condition, type ConditionValues, readCondition } from '../image-model/conditions';
import type { ImageShape } from '../image-model/place';
import { type ImageModelShape, resolveImageShape } from '../image-model/shape';
import { type Filters, TO_DRAW } from './categorical';
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

/** Options of {@link sample}. */
export interface SampleOptions {
  /** Images to draw. @default 1, or as many as `initial` or `condition` has */
  numImages?: number;
  /**
   * What each image is conditioned on, for models that take it: classes [N] (a number: the same for all),
   * vectors [N,K] or maps [N,H,W,K].
   */
  condition?: Condition;
  /** [H, W, C]; needed where the model takes images of any size. @default the model's */
  imageShape?: [number, number, number];
  /** Same seed, same images: any integer. @default a new one each time */
  seed?: number;
  /** Index of the first image, to cut a large job into parts. @default 0 */
  firstImage?: number;
  /**
   * Uniforms in [0, 1) of your own instead of `seed` (and `firstImage`), taken in the order rows, columns,
   * channels, images innermost.
   */
  random?: () => number;
  /** Divides the logits; 0 takes the most likely level, the lowest on a tie. @default 1 */
  temperature?: number;
  /** Draw only among so many most likely levels. @default all */
  topK?: number;
  /** Draw only among the fewest most likely levels whose probability reaches this, in (0, 1]. @default 1 */
  topP?: number;
  /** 'uniform' draws the very first value uniformly, as "The Annotated Pixel-CNN" does. @default 'model' */
  firstValue?: 'model' | 'uniform';
  /** Levels to start from, [N,H,W,C] int32 or float32; ignored where `known` is 0. Comes with `known`. */
  initial?: Tensor4D;
  /**
   * 1 where the level of `initial` is given and kept, 0 where it is drawn, [N,H,W,C]. Comes with `initial`.
   */
  known?: Tensor4D;
  /**
   * 'incremental' computes each feature once, for models whose every layer can be evaluated pixel by pixel:
   * all of this library's and tfjs's own that act on each pixel by itself. 'full' runs a whole forward pass a
   * value, with any model. 'auto' is incremental where the model allows it. @default 'auto'
   */
  strategy?: 'auto' | 'incremental' | 'full';
  /** Stops the job: it rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Called after each row. */
  onProgress?: (progress: SampleProgress) => void;
  /** Lets other work run each so many milliseconds; 'auto' is 125. @default 'auto' */
  yieldEvery?: 'auto' | 'never' | number;
}

/** The options of a job, checked, with all defaults filled in. */
export interface Job {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly levels: number;
  readonly noise: Noise;
  readonly filters: Filters;
  readonly isFirstUniform: boolean;
  /** What the images are conditioned on; null where the model takes nothing. */
  readonly condition: ConditionValues | null;
  /**
   * The levels that are given, [N*H*W*C], {@link TO_DRAW} where one is to be drawn; null where nothing is
   * given.
   */
  readonly given: Int32Array | null;
  readonly yieldMilliseconds: number;
}

const AUTO_YIELD_MILLISECONDS = 125; // as tfjs-layers

/** Checks every option before any tensor is made. */
export async function planJob(shape: ImageModelShape, options: SampleOptions): Promise<Job> {
  const { initial, known, random, seed, topK, topP } = options;
  checkOneOf('sample: strategy', options.strategy ?? 'auto', ['auto', 'incremental', 'full']);
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
    wrong('sample: random', 'either seed or random, not both', random);
  checkFunction('sample: random', random ?? Math.random);
  checkFunction('sample: onProgress', options.onProgress ?? (() => {}));

  if (initial !== undefined && initial?.rank !== 4) {
    wrong('sample: initial', 'a tensor of levels [N,H,W,C]', initial?.shape ?? initial);
  }
  const imageShape = resolveImageShape(
    options.imageShape === undefined && initial !== undefined ? 'sample: initial' : 'sample: imageShape',
    shape,
    options.imageShape ?? initial?.shape.slice(1),
  );
  const numImages = checkInteger(
    'sample: numImages',
    options.numImages ?? initial?.shape[0] ?? countOf(options.condition) ?? 1,
    1,
  );
  return {
    numImages,
    imageShape,
    levels: shape.levels,
    noise:
      random === undefined ? seededNoise(seed ?? freshSeed(), firstImage, numImages) : customNoise(random),
    filters: { temperature, topK, topP },
    isFirstUniform: firstValue === 'uniform',
    condition: await readCondition(
      'sample: condition',
      shape.condition,
      options.condition,
      numImages,
      imageShape,
    ),
    given: await readGiven(initial, known, [numImages, ...imageShape], shape.levels),
    yieldMilliseconds: checkYield(options.yieldEvery ?? 'auto'),
  };
}

/** For how many images conditions are; undefined where they are for any. */
function countOf(condition: Condition | undefined): number | undefined {
  const { shape, length } = (condition ?? {}) as { shape?: number[]; length?: number };
  return (Array.isArray(condition) ? length : shape?.[0]) || undefined;
}

function checkYield(yieldEvery: unknown): number {
  if (yieldEvery === 'never') return Infinity;
  if (yieldEvery === 'auto') return AUTO_YIELD_MILLISECONDS;
  if (typeof yieldEvery === 'number' && yieldEvery >= 0) return yieldEvery;
  return wrong('sample: yieldEvery', "'auto', 'never' or milliseconds", yieldEvery);
}

function freshSeed(): number {
  return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
}

/** Reads `initial` and `known` once, and checks them. */
async function readGiven(
  initial: Tensor4D | undefined,
  known: Tensor4D | undefined,
  shape: readonly number[],
  levels: number,
): Promise<Job['given']> {
  if (initial === undefined && known === undefined) return null;
  const fits = (tensor?: Tensor4D) =>
    tensor?.rank === 4 && shape.every((size, i) => size === tensor.shape[i]);
  if (!initial || !fits(initial))
    wrong('sample: initial', `levels of shape [${shape}], with known`, initial?.shape);
  if (!known || !fits(known))
    wrong('sample: known', `0 or 1, of shape [${shape}], with initial`, known?.shape);

  const [values, flags] = await Promise.all([initial.data(), known.data()]);
  return Int32Array.from(values, (value, i) => {
    const isKnown = checkOneOf('sample: known', flags[i], [0, 1]) === 1;
    return isKnown ? checkLevel('sample: initial', value, levels) : TO_DRAW;
  });
}
