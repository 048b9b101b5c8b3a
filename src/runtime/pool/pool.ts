import { type CompressOptions, compressOptions, packed, planCompress } from '../codec/compress';
import { type DecompressOptions, decompressOptions, planDecompress } from '../codec/decompress';
import { type CodedImage, codedModel } from '../codec/format';
import { callback, type Given, integer, optional, readArguments } from '../core/arguments';
import { throwTypeError } from '../core/check';
import type { NumericArray } from '../core/conditions';
import { blankImages, memoryFor, type OwnImages } from '../core/images';
import { YIELD_MILLISECONDS } from '../core/pauses';
import { type LogProbOptions, numbersPerImage, planLogProb } from '../likelihood/log-prob';
import type { PortableModel } from '../program/program';
import { copyOf } from '../program/safetensors';
import type { Adjuster } from '../sampling/changes/adjusters';
import type { SampledImages, WalkHooks } from '../sampling/image-model';
import type { Job } from '../sampling/options';
import { numParticlesOf } from '../sampling/particles';
import { portableImageModel } from '../sampling/portable';
import { planSample, type Sampled, type SampleOptions, sampled } from '../sampling/sample';
import { schedulerOf } from '../workers/scheduler';
import { numCores, type PoolWorker, startBy, startWorker } from '../workers/workers';
import type { SampleTask } from './messages';
import { ModelWorker } from './model-worker';
import { runnerOf } from './run-pieces';

const poolOptions = {
  /** The maximum number of workers. @default the number of cores of the machine */
  workers: optional(integer({ from: 1 })),
  /**
   * Starts a worker that runs `pixelcnn-layers/worker`, in a page or in Node. @default starts the package's own file
   */
  createWorker: optional(callback<() => PoolWorker>(), startWorker),
};

/** Options of {@link createPool}. */
export interface PoolOptions extends Given<typeof poolOptions> {}

/** The progress of a job in a pool. */
export interface PoolProgress {
  /** Values done so far. */
  readonly done: number;
  /** The number of all values. */
  readonly total: number;
}

/** Options of {@link Pool.sample}: the options of `sample` that can be sent to a worker. */
export interface PoolSampleOptions
  extends Omit<SampleOptions, 'random' | 'potential' | 'onProgress' | 'yieldEvery'> {
  /**
   * Called as rows are done, with the number of values drawn in each image, on average and rounded down, out
   * of H*W*C. The job waits for promises that it returns, and fails if it throws or rejects.
   */
  onProgress?: (progress: PoolProgress) => void;
}

/** Options of {@link Pool.logProb}, as of `logProb`. */
export interface PoolLogProbOptions extends LogProbOptions {}

/** A pool of workers, see {@link createPool}. */
export interface Pool {
  /** The most workers at a time. */
  readonly workers: number;
  /** As `sample` of `pixelcnn-layers/runtime`, including log p of the images. */
  sample(model: PortableModel, options: PoolSampleOptions & { withLogProb: true }): Promise<Sampled>;
  /** Draws exactly the images of `sample` of `pixelcnn-layers/runtime`, on all workers. */
  sample(model: PortableModel, options?: PoolSampleOptions): Promise<OwnImages>;
  /** Draws the images of a checked job, a `Job`. @internal */
  draw(model: PortableModel, job: object): Promise<SampledImages>;
  /** Computes exactly the numbers of `logProb` of `pixelcnn-layers/runtime`, on all workers. */
  logProb(model: PortableModel, images: NumericArray, options?: PoolLogProbOptions): Promise<Float64Array>;
  /** Writes exactly the bytes of `compress` of `pixelcnn-layers/runtime`, on all workers. */
  compress(model: PortableModel, images: NumericArray, options?: CompressOptions): Promise<Uint8Array>;
  /** Reads exactly the images of `decompress` of `pixelcnn-layers/runtime`, on all workers. */
  decompress(model: PortableModel, bytes: Uint8Array, options?: DecompressOptions): Promise<OwnImages>;
  /** Ends all workers. Unfinished jobs reject, as do later ones. */
  dispose(): Promise<void>;
  /** @deprecated The name of `dispose` before version 0.4. */
  terminate(): Promise<void>;
}

/**
 * Makes a pool of workers, which draw, score and compress images on all cores. Each worker
 * processes some of the images at a time, with exactly the results of a single thread. Jobs share
 * the workers, which start when a job needs them, stay for the next jobs, and do not keep a program
 * from exiting. A model is sent to each worker once, so do not change its numbers afterwards. Workers keep the models that they
 * used last, up to 256 MiB, each counted as its weights and 16 MiB, and drop those that your program no longer holds.
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
 * @throws TypeError naming the invalid option. The methods reject like the functions they are named after; with a
 * TypeError if an option other than `onProgress` is a function, since functions cannot be sent to a worker; and with an
 * Error if a worker cannot start or ends too early (the next job starts another), or if the pool is disposed.
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
 * await pool.dispose();
 * ```
 */
export function createPool(options: PoolOptions = {}): Pool {
  const { workers = numCores(), createWorker } = readArguments('createPool', options, poolOptions);
  const scheduler = schedulerOf('pool', (numWorkers) => {
    if (numWorkers === workers) return undefined;
    try {
      return new ModelWorker('pool', startBy('createPool', createWorker));
    } catch (cause) {
      throw new Error(`pool: a worker could not be started: ${(cause as Error)?.message}`, { cause });
    }
  });
  const run = runnerOf(scheduler, workers);
  const dispose = () => scheduler.dispose('it was disposed before the job was done');

  async function draw(model: PortableModel, job: Job): Promise<SampledImages> {
    const { numImages, imageShape, lookAhead } = job;
    const drawn = {
      levels: blankImages('sample', numImages, imageShape, model.levels).data,
      logProb: new Float64Array(numImages),
      logDrawn: new Float64Array(numImages),
      ...(lookAhead > 0 && { logGiven: new Float64Array(numImages) }),
    };
    await run('sample', model, sendable(job), drawn, numParticlesOf(job));
    return drawn;
  }

  return {
    workers,
    sample: (async (model: PortableModel, options: PoolSampleOptions = {}) => {
      const job = planSample(portableImageModel('sample: model', model), options as SampleOptions);
      return sampled(job, await draw(model, job));
    }) as Pool['sample'],
    draw,
    async logProb(model, images, options = {}) {
      const job = planLogProb(model, images, options);
      const nats = memoryFor('logProb', () => new Float64Array(job.numImages * numbersPerImage(job)));
      await run('logProb', model, job, { nats });
      return nats;
    },
    async compress(model, images, options = {}) {
      const values = readArguments('compress', options, compressOptions);
      const checked = codedModel('compress: model', model);
      const job = planCompress(checked, images, values);
      const coded = new Array<CodedImage>(job.numImages);
      await run('compress', model, job, { coded });
      return packed(checked, job, coded);
    },
    async decompress(model, bytes, options = {}) {
      const values = readArguments('decompress', options, decompressOptions);
      const job = planDecompress(codedModel('decompress: model', model), bytes, values);
      const images = blankImages('decompress', job.numImages, job.imageShape, model.levels);
      const coded = job.coded.map((one) => ({ ...one, code: copyOf(one.code) })); // else each is sent with the whole file
      await run('decompress', model, { ...job, coded }, { data: images.data });
      return images;
    },
    dispose,
    terminate: dispose,
  };
}

/** A job as plain data, since functions cannot be sent. */
function sendable({ random, adjust, potential, onProgress, ...job }: Job): SampleTask & WalkHooks {
  const { data } = (adjust ?? {}) as Partial<Adjuster>;
  for (const [name, given] of Object.entries({ random, potential }))
    if (given !== undefined)
      throwTypeError(`pool.sample: ${name}`, 'no function, since none can be sent to a worker', given);
  if (adjust !== undefined && data === undefined) {
    const wanted =
      'an adjuster from allowed or allowedNeighbors, since no other function can be sent to a worker';
    throwTypeError('pool.sample: adjust', wanted, adjust);
  }
  const follow = onProgress as WalkHooks['onProgress'];
  // Only a worker that yields can receive an abort.
  return { ...job, adjust: data, onProgress: follow, yieldEvery: YIELD_MILLISECONDS };
}
