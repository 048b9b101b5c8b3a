import { type CompressOptions, packed, planCompress } from '../codec/compress';
import { type DecompressOptions, planDecompress } from '../codec/decompress';
import type { CodedImage } from '../codec/format';
import { checkArgs, checkFunction, checkInteger, type NamesOf, throwTypeError } from '../core/check';
import { type ConditionsByName, type ConditionValues, type NumericArray, part } from '../core/conditions';
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
  /** The most workers at a time. @default as many as the machine has cores */
  workers?: number;
  /**
   * Starts a worker that runs `pixelcnn-layers/worker`, where the default cannot: a `Worker` of a page, or one
   * of Node's `worker_threads`.
   */
  createWorker?: () => PoolWorker;
}

const optionNames: NamesOf<PoolOptions> = { workers: true, createWorker: true };

/** How far a pool has come with a job. */
export interface PoolProgress {
  /** Values done so far. */
  readonly done: number;
  /** All of them. */
  readonly total: number;
}

/** Options of {@link Pool.sample}: those of `sample`, but what a worker cannot be given. */
export interface PoolSampleOptions extends Omit<SampleOptions, 'random' | 'onProgress' | 'yieldEvery'> {
  /** Called as rows are done: values drawn of each image, on average over all, rounded down, of H*W*C. */
  onProgress?: (progress: PoolProgress) => void;
}

/** Options of {@link Pool.logProb}: those of `logProb`. */
export interface PoolLogProbOptions extends LogProbOptions {
  /** Called as rows are done: values scored so far, of N*H*W*C. */
  onProgress?: (progress: PoolProgress) => void;
}

/** Workers that share jobs: see {@link createPool}. */
export interface Pool {
  /** The most workers at a time. */
  readonly workers: number;
  /** As `sample` of `pixelcnn-layers/runtime`: the same images, by all workers. */
  sample(model: PortableModel, options?: PoolSampleOptions & { withLogProb?: false }): Promise<Images>;
  /** The same with log p of what is drawn. */
  sample(model: PortableModel, options: PoolSampleOptions & { withLogProb: true }): Promise<Sampled>;
  /** As `sample` of `pixelcnn-layers/runtime`: the same images, by all workers. */
  sample(model: PortableModel, options?: PoolSampleOptions): Promise<Images>;
  /** As `logProb` of `pixelcnn-layers/runtime`: the same numbers, by all workers. */
  logProb(model: PortableModel, images: NumericArray, options?: PoolLogProbOptions): Promise<Float64Array>;
  /** As `compress` of `pixelcnn-layers/runtime`: the same bytes, by all workers. */
  compress(model: PortableModel, images: NumericArray, options?: CompressOptions): Promise<Uint8Array>;
  /** As `decompress` of `pixelcnn-layers/runtime`: the same images, by all workers. */
  decompress(model: PortableModel, bytes: Uint8Array, options?: DecompressOptions): Promise<Images>;
  /** Ends all workers; jobs that are not done reject, as do later ones. */
  terminate(): Promise<void>;
}

/**
 * Makes a pool of workers, which draw, score and compress images on all cores: each takes some of the images at a time,
 * and what comes out is what one thread gives, bit for bit, in the same order. Several jobs at once share the
 * workers. They start when the first job needs them, stay for the next ones, and do not keep a program from
 * ending. A worker is sent a model once and keeps the few it used last: do not change a model's numbers
 * afterwards.
 *
 * In Node, Deno and Bun this needs no options. In a page, a bundler has to find the file of the workers:
 *
 * ```ts page
 * import { createPool } from 'pixelcnn-layers/runtime';
 * const pool = createPool({
 *   createWorker: () => new Worker(new URL('pixelcnn-layers/worker', import.meta.url), { type: 'module' }),
 * });
 * ```
 *
 * @throws TypeError naming the option that is wrong. The methods reject as the functions they are named after,
 * before anything is sent; with a TypeError where an option is a function, since workers cannot be given one
 * (but `onProgress`); with an Error where a worker cannot start or ends before it is done (the pool starts
 * another for the next job), and where the pool is terminated.
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
          yieldEvery: 'auto', // to hear that the job is aborted
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
          // Copied so that no more than they is sent.
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

/** So many of a large job at once: no more are computed together, so larger pieces are no faster. */
const MOST_IMAGES = 32;

/** Fewer at once take notably longer an image, since weights are read again for so few. */
const FEW_IMAGES = 8;

/** Of each worker, so that those which end late have little left. */
const PIECES_OF_A_WORKER = 4;

/** Cuts images, of so many particles each, into pieces of about the same size; where there are few, one for each worker. */
function cut(numImages: number, workers: number, numParticles = 1): Pieces {
  const balanced = Math.ceil(numImages / (PIECES_OF_A_WORKER * workers));
  const shared = Math.ceil(numImages / workers);
  const [most, few] = [MOST_IMAGES, FEW_IMAGES].map((count) => Math.ceil(count / numParticles));
  const size = Math.min(shared, most as number, Math.max(few as number, balanced));
  const length = Math.ceil(numImages / size);
  const start = (k: number) => Math.floor((k * numImages) / length);
  return { length, at: (k) => ({ first: start(k), count: start(k + 1) - start(k) }) };
}

/** The images of a piece, copied so that no more than they is sent. */
function imagesOf({ first, count }: Piece, { data, shape: [, ...imageShape] }: NumericArray): NumericArray {
  const size = valuesOf(imageShape as unknown as ImageShape);
  const values = Array.prototype.slice.call(data, first * size, (first + count) * size);
  return { data: Int32Array.from(values), shape: [count, ...imageShape] };
}

/** The conditions of a piece's images, as an option: by name, also where there is one. */
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

/** The conditions of a piece's images, copied so that no more than they is sent. */
const partsOf = ({ first, count }: Piece, all: readonly ConditionValues[]): ConditionValues[] =>
  all.map((condition) => {
    const { shape, values } = part(condition, first, count);
    return { shape, values: values.slice() };
  });

/** Turns values done of all images into whole progress, each step of it once; `share` values make one. */
function progressOf(onProgress: (progress: PoolProgress) => void, total: number, share: number) {
  let done = 0;
  return (values: number) => {
    const before = done;
    done = Math.floor(values / share);
    if (done > before) onProgress({ done, total });
  };
}

/** Functions cannot be sent; a clear word rather than what `postMessage` says. */
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
