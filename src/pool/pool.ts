import { type CompressOptions, packed, planCompress } from '../codec/compress';
import { type DecompressOptions, planDecompress } from '../codec/decompress';
import type { CodedImage } from '../codec/format';
import { checkArgs, checkFunction, checkInteger, type NamesOf, throwTypeError } from '../core/check';
import {
  type ConditionsByName,
  type ConditionValues,
  type NumericArray,
  slicedCondition,
} from '../core/conditions';
import { type ImageShape, type Images, levelsArray, valuesOf } from '../core/images';
import { memoryFor } from '../core/memory';
import { type LogProbOptions, planLogProb } from '../likelihood/log-prob';
import type { PortableModel } from '../program/program';
import type { Adjuster } from '../sampling/adjusters';
import { freshSeed, type SampleOptions } from '../sampling/options';
import { planSample, type Sampled } from '../sampling/sample';
import { type Piece, type Pieces, Scheduler } from './scheduler';
import { numCores, type PoolWorker, startWorker } from './workers';

/** Options of {@link createPool}. */
export interface PoolOptions {
  /** The maximum number of workers. @default the number of cores of the machine */
  workers?: number;
  /**
   * Starts a worker that runs `pixelcnn-layers/worker`, for environments where the default cannot: a `Worker` of a
   * page, or one of Node's `worker_threads`.
   */
  createWorker?: () => PoolWorker;
}

const optionNames: NamesOf<PoolOptions> = { workers: true, createWorker: true };

/** The progress of a job in a pool. */
export interface PoolProgress {
  /** Values done so far. */
  readonly done: number;
  /** The number of all values. */
  readonly total: number;
}

/** Options of {@link Pool.sample}: those of `sample`, except the ones that cannot be sent to a worker. */
export interface PoolSampleOptions extends Omit<SampleOptions, 'random' | 'onProgress' | 'yieldEvery'> {
  /**
   * Called as rows are done, with the number of values drawn in each image, averaged over all images and rounded down,
   * out of H*W*C. The job ends once all promises that it returns have; if it throws or rejects, so does the job.
   */
  onProgress?: (progress: PoolProgress) => void;
}

/** Options of {@link Pool.logProb}: those of `logProb`. */
export interface PoolLogProbOptions extends LogProbOptions {
  /**
   * Called as rows are done, with the number of values scored so far, out of N*H*W*C. The job ends once all promises
   * that it returns have; if it throws or rejects, so does the job.
   */
  onProgress?: (progress: PoolProgress) => void;
}

/** Workers that share jobs: see {@link createPool}. */
export interface Pool {
  /** The most workers at a time. */
  readonly workers: number;
  /** As `sample` of `pixelcnn-layers/runtime`: the same images, by all workers. */
  sample(model: PortableModel, options?: PoolSampleOptions & { withLogProb?: false }): Promise<Images>;
  /** The same, with log p of the images. */
  sample(model: PortableModel, options: PoolSampleOptions & { withLogProb: true }): Promise<Sampled>;
  /** As `sample` of `pixelcnn-layers/runtime`: the same images, by all workers. */
  sample(model: PortableModel, options?: PoolSampleOptions): Promise<Images>;
  /** As `logProb` of `pixelcnn-layers/runtime`: the same numbers, by all workers. */
  logProb(model: PortableModel, images: NumericArray, options?: PoolLogProbOptions): Promise<Float64Array>;
  /** As `compress` of `pixelcnn-layers/runtime`: the same bytes, by all workers. */
  compress(model: PortableModel, images: NumericArray, options?: CompressOptions): Promise<Uint8Array>;
  /** As `decompress` of `pixelcnn-layers/runtime`: the same images, by all workers. */
  decompress(model: PortableModel, bytes: Uint8Array, options?: DecompressOptions): Promise<Images>;
  /** Terminates all workers. Unfinished jobs reject, as do later ones. */
  terminate(): Promise<void>;
}

/**
 * Makes a pool of workers, which draw, score and compress images on all cores. Each worker takes some of the images at
 * a time; the results are exactly those of a single thread, in the same order. Several jobs can share the workers at
 * the same time. Workers start when the first job needs them, stay for the next jobs, and do not keep a program from
 * exiting. A model is sent to a worker once, and the worker keeps the few models that it used last, so do not change a
 * model's numbers afterwards.
 *
 * In Node, Deno and Bun this needs no options. In a page, the bundler must find the workers' file:
 *
 * ```ts page
 * import { createPool } from 'pixelcnn-layers/runtime';
 * const pool = createPool({
 *   createWorker: () => new Worker(new URL('pixelcnn-layers/worker', import.meta.url), { type: 'module' }),
 * });
 * ```
 *
 * @throws TypeError naming the option that is wrong. The methods reject like the functions they are named after, before
 * anything is sent. They also reject with a TypeError if an option other than `onProgress` is a function, since
 * functions cannot be sent to workers; and with an Error if a worker cannot start or ends before it is done (the pool
 * starts another for the next job), or if the pool is terminated.
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { createPool } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const portable = await toPortable(model);
 * const pool = createPool({ workers: 2 });
 * const images = await pool.sample(portable, { numImages: 64, seed: 1 });
 * const nats = await pool.logProb(portable, images);
 * console.log(images.shape, nats.length); // [64, 4, 4, 1] 64
 * await pool.terminate();
 * ```
 */
export function createPool(options: PoolOptions = {}): Pool {
  const { workers = numCores(), createWorker = startWorker } = checkArgs(
    'createPool: options',
    options,
    optionNames,
  );
  checkInteger('createPool: workers', workers, 1);
  checkFunction('createPool: createWorker', createWorker);
  const scheduler = new Scheduler(workers, createWorker);
  return {
    workers,
    sample: (async (model: PortableModel, options: PoolSampleOptions = {}) => {
      const { numImages, imageShape, levels, conditions, lookAhead, numParticles } = planSample(
        model,
        options,
      );
      const { signal, onProgress, initial, known, seed = freshSeed(), firstImage = 0, ...rest } = options;
      const { adjust, ...others } = rest;
      const adjuster = (adjust as Adjuster | undefined)?.data;
      refuseFunctions('sample', adjuster === undefined ? rest : others);
      const size = valuesOf(imageShape);
      const data = memoryFor('sample', () => levelsArray(numImages * size, levels));
      const logProb = new Float64Array(numImages);
      const logGiven = new Float64Array(numImages);
      await scheduler.run({
        model,
        method: 'sample',
        pieces: cut(numImages, workers, numParticles),
        argsOf: (piece) => ({
          ...others,
          ...(adjuster && { adjust: adjuster }),
          ...conditionOf(piece, model, conditions),
          ...(initial && known && { initial: imagesOf(piece, initial), known: imagesOf(piece, known) }),
          numImages: piece.count,
          imageShape: [...imageShape],
          seed,
          firstImage: firstImage + piece.first,
          yieldEvery: 'auto', // so that a worker can receive an abort
        }),
        take: ({ first }, ofPiece) => {
          data.set(ofPiece.images.data, first * size);
          logProb.set(ofPiece.logProb, first);
          if (ofPiece.logGiven !== undefined) logGiven.set(ofPiece.logGiven, first);
        },
        onProgress: onProgress && progressOf(onProgress, size, numImages),
        signal,
      });
      const images: Images = { data, shape: [numImages, ...imageShape] };
      if (!options.withLogProb) return images;
      return lookAhead > 0 ? { images, logProb, logGiven } : { images, logProb };
    }) as Pool['sample'],
    async logProb(model, images, options = {}) {
      const { numImages, imageShape, conditions } = planLogProb(model, images, options);
      const { signal, onProgress, perValue = false } = options;
      const total = numImages * valuesOf(imageShape);
      const each = perValue ? valuesOf(imageShape) : 1;
      const nats = memoryFor('logProb', () => new Float64Array(numImages * each));
      await scheduler.run({
        model,
        method: 'logProb',
        pieces: cut(numImages, workers),
        argsOf: (piece) => ({
          ...conditionOf(piece, model, conditions),
          perValue,
          images: imagesOf(piece, images),
        }),
        take: ({ first }, ofPiece) => nats.set(ofPiece, first * each),
        onProgress: onProgress && progressOf(onProgress, total, 1),
        signal,
      });
      return nats;
    },
    async compress(model, images, options = {}) {
      const job = planCompress(model, images, options);
      const { signal, onProgress } = options;
      const { data, numImages, imageShape, conditions } = job;
      const size = valuesOf(imageShape);
      const coded = new Array<CodedImage>(numImages);
      await scheduler.run({
        model,
        method: 'compress',
        pieces: cut(numImages, workers),
        argsOf: ({ first, count }) => ({
          data: data.slice(first * size, (first + count) * size),
          numImages: count,
          imageShape,
          conditions: partsOf({ first, count }, conditions),
        }),
        take: ({ first }, ofPiece) => {
          for (const [n, one] of ofPiece.entries()) coded[first + n] = one;
        },
        onProgress: onProgress && progressOf(onProgress, numImages * size, 1),
        signal,
      });
      return packed(model, job, coded);
    },
    async decompress(model, bytes, options = {}) {
      const { coded, imageShape, conditions, firstImage } = planDecompress(model, bytes, options);
      const { signal, onProgress } = options;
      const size = valuesOf(imageShape);
      const data = memoryFor('decompress', () => levelsArray(coded.length * size, model.levels));
      await scheduler.run({
        model,
        method: 'decompress',
        pieces: cut(coded.length, workers),
        argsOf: ({ first, count }) => ({
          // Copied, so that only these bytes are sent.
          coded: coded
            .slice(first, first + count)
            .map(({ code, checksum }) => ({ code: Uint8Array.from(code), checksum })), // `slice` of a Buffer copies nothing
          imageShape,
          conditions: partsOf({ first, count }, conditions),
          firstImage: firstImage + first,
        }),
        take: ({ first }, images) => data.set(images.data, first * size),
        onProgress: onProgress && progressOf(onProgress, coded.length * size, 1),
        signal,
      });
      return { data, shape: [coded.length, ...imageShape] };
    },
    terminate: () => scheduler.terminate(),
  };
}

/** Images in a piece of a large job: no more than this are computed together, so larger pieces would not be faster. */
const MOST_IMAGES = 32;

/** Smaller pieces take notably longer for each image, since weights are reread for few images. */
const FEW_IMAGES = 8;

/** Pieces for each worker, so that little is left to do when the first workers finish. */
const PIECES_OF_A_WORKER = 4;

/**
 * Splits images, with a number of particles each, into pieces of about the same size; one for each worker if there are
 * few.
 */
function cut(numImages: number, workers: number, numParticles = 1): Pieces {
  const balanced = Math.ceil(numImages / (PIECES_OF_A_WORKER * workers));
  const shared = Math.ceil(numImages / workers);
  const [most, few] = [MOST_IMAGES, FEW_IMAGES].map((count) => Math.ceil(count / numParticles));
  const size = Math.min(shared, most as number, Math.max(few as number, balanced));
  const length = Math.ceil(numImages / size);
  const start = (k: number) => Math.floor((k * numImages) / length);
  return { length, at: (k) => ({ first: start(k), count: start(k + 1) - start(k) }) };
}

/** The images of a piece, copied so that only these are sent. */
function imagesOf({ first, count }: Piece, { data, shape: [, ...imageShape] }: NumericArray): NumericArray {
  const size = valuesOf(imageShape as unknown as ImageShape);
  const values = Array.prototype.slice.call(data, first * size, (first + count) * size);
  return { data: Int32Array.from(values), shape: [count, ...imageShape] };
}

/** The conditions of a piece's images as an option, always by name. */
function conditionOf(
  { first, count }: Piece,
  { conditions }: PortableModel,
  all: readonly ConditionValues[],
): { condition?: ConditionsByName<NumericArray> } {
  if (all.length === 0) return {};
  const named = partsOf({ first, count }, all).map(({ shape, values }, index) => {
    return [conditions[index]?.kind, { shape: [count, ...shape], data: values }];
  });
  return { condition: Object.fromEntries(named) };
}

/** The conditions of a piece's images, copied so that only these are sent. */
const partsOf = ({ first, count }: Piece, all: readonly ConditionValues[]): ConditionValues[] =>
  all.map((condition) => {
    const { shape, values } = slicedCondition(condition, first, count);
    return { shape, values: values.slice() };
  });

/** Turns values done in all images into steps of progress, and reports each step once; `share` values make one step. */
function progressOf(onProgress: (progress: PoolProgress) => unknown, total: number, share: number) {
  let done = 0;
  return (values: number) => {
    const before = done;
    done = Math.floor(values / share);
    return done > before ? onProgress({ done, total }) : undefined;
  };
}

/** Functions cannot be sent: throws a clearer error than `postMessage` would. */
function refuseFunctions(caller: string, options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'function' && typeof value !== 'symbol') continue;
    const wanted =
      name === 'adjust'
        ? 'what allowed or allowedNeighbors makes, since no other function can be sent to a worker'
        : 'no function, since none can be sent to a worker';
    throwTypeError(`pool.${caller}: ${name}`, wanted, value);
  }
}
