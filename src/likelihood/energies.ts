import { anything, checked, integer, optional, optionalSignal, readDeclared } from '../core/arguments';
import { throwTypeError } from '../core/check';
import type { ImageShape } from '../core/images';
import type { ModelShape } from '../core/model-shape';
import type { PortableModel } from '../program/program';
import type { SampledImages } from '../sampling/image-model';
import { type Job, planJob, sampleArguments } from '../sampling/options';

// Models of distributions that are known but for a factor: p(x) = e^(-beta E(x)) / Z.

/**
 * Computes the energies of images: a finite number for each.
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

/** The energies of images, checked. */
export function energiesOf(
  caller: string,
  energy: Energy,
  levels: Int32Array,
  { numImages, firstImage }: Pick<Job, 'numImages' | 'firstImage'>,
): Float64Array {
  const given: unknown = energy(levels, numImages);
  const { length } = (given ?? {}) as ArrayLike<number>;
  if (length !== numImages) {
    const wanted = `a function that returns ${numImages} numbers, one for each image`;
    throwTypeError(`${caller}: energy`, wanted, length ?? given);
  }
  const energies = Array.from(given as ArrayLike<number>);
  const bad = energies.findIndex((one) => !Number.isFinite(one));
  if (bad >= 0)
    throwTypeError(`${caller}: energy`, 'finite numbers', `${energies[bad]} for image ${firstImage + bad}`);
  return Float64Array.from(energies);
}
