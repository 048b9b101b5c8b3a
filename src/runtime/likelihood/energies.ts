import { anything, checked, integer, optional, optionalSignal, readDeclared } from '../core/arguments';
import { throwTypeError } from '../core/check';
import type { ImageShape } from '../core/images';
import type { ModelShape } from '../core/model-shape';
import type { PortableModel } from '../program/program';
import type { SampledImages } from '../sampling/image-model';
import { type Job, planJob, sampleArguments } from '../sampling/options';

// Models of distributions that are known but for a factor: p(x) = e^(-beta E(x)) / Z.

/**
 * Computes the energies of images: a finite number for each. For `logPartition`, Infinity forbids an image.
 *
 * @param levels the levels of all images, [numImages*H*W*C], read-only
 */
export type Energy = (levels: Int32Array, numImages: number) => ArrayLike<number>;

/** What draws images on all cores, such as a pool. */
export interface DrawingPool {
  /** Draws the images of a checked job, a `Job`. @internal */
  draw(model: PortableModel, job: object): Promise<SampledImages>;
}

/** Arguments that `fitToEnergy` and `logPartition` share. */
export const energyArguments = {
  /** Any integer; it determines the images. @default a new one each time */
  seed: optional(integer()),
  /** [H, W, C]; required if the model takes images of any size. @default the model's */
  imageShape: optional(anything<ImageShape>()),
  /** A pool to draw in, which changes no result. @default draws in this thread */
  pool: optional(
    checked<DrawingPool>((what, given) => {
      if (typeof (given as DrawingPool).draw !== 'function')
        throwTypeError(what, 'a pool of createPool', given);
      return given as DrawingPool;
    }),
  ),
  /** Stops the job, which rejects with `signal.reason`. */
  signal: optionalSignal(),
};

/** Plans a job that draws images with their log p. */
export function planEnergyJob(
  caller: string,
  model: ModelShape,
  options: { readonly [Name in keyof Job]?: unknown },
): Job {
  const [condition] = model.conditions;
  if (condition !== undefined)
    throwTypeError(`${caller}: model`, 'one that takes no condition', `one of ${condition.kind}`);
  const values = readDeclared(caller, options, sampleArguments<never, never>());
  return planJob(model, { ...values, withLogProb: true }, caller);
}

/** The indices of images whose energies are computed, for errors. */
type EnergyJob = Pick<Job, 'numImages' | 'firstImage'>;

/** The energies of images, checked. With `mayForbid`, Infinity is one. */
export function energiesOf(
  caller: string,
  energy: Energy,
  levels: Int32Array,
  { numImages, firstImage }: EnergyJob,
  mayForbid = false,
): Float64Array {
  const given: unknown = energy(levels, numImages);
  const { length } = (given ?? {}) as ArrayLike<number>;
  if (length !== numImages) {
    const wanted = `a function that returns ${numImages} numbers, one for each image`;
    throwTypeError(`${caller}: energy`, wanted, length ?? given);
  }
  const energies = Array.from(given as ArrayLike<number>);
  const wanted = mayForbid ? 'finite numbers, or Infinity for forbidden images' : 'finite numbers';
  const isGood = (one: number) => Number.isFinite(one) || (mayForbid && one === Infinity);
  checkEach(caller, energies, firstImage, wanted, isGood);
  return Float64Array.from(energies);
}

/** beta E of images. That of forbidden ones is Infinity, also where beta is 0. */
export function timesBeta(
  caller: string,
  energies: Float64Array,
  beta: number,
  { firstImage }: Pick<EnergyJob, 'firstImage'>,
): Float64Array {
  const isForbidden = (one: number) => one === Infinity && beta >= 0;
  const wanted = `numbers that are finite times beta, ${beta}`;
  const isGood = (one: number) => isForbidden(one) || Number.isFinite(beta * one);
  checkEach(caller, energies, firstImage, wanted, isGood);
  return energies.map((one) => (isForbidden(one) ? Infinity : beta * one));
}

/** Checks each energy; the error names the image. */
export function checkEach(
  caller: string,
  energies: ArrayLike<number>,
  firstImage: number,
  wanted: string,
  isGood: (energy: number) => boolean,
): void {
  const bad = Array.from(energies).findIndex((one) => !isGood(one));
  if (bad < 0) return;
  throwTypeError(`${caller}: energy`, wanted, `${energies[bad]} for image ${firstImage + bad}`);
}
