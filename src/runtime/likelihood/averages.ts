import type { Given } from '../core/arguments';
import { checkFunction, throwTypeError } from '../core/check';
import { memoryFor } from '../core/images';
import type { PortableModel } from '../program/program';
import type { ImageModel } from '../sampling/image-model';
import type { Energy } from './energies';
import {
  type DrawnImages,
  readWeighing,
  type WeighingValues,
  weighedImages,
  type weighingArguments,
} from './weighed-images';

/** Arguments of {@link averages}. */
export interface AveragesArgs extends Given<typeof weighingArguments> {}

/**
 * Computes observables of images: a list with the numbers of each observable, one for each image, or K for each, image by image.
 *
 * @param levels the levels of all images, [numImages*H*W*C], read-only
 */
export type Observables = (levels: Int32Array, numImages: number) => readonly ArrayLike<number>[];

/** The averages of an observable. */
export interface Averages {
  /** One for each number that the observable has of an image, [K]. */
  readonly means: Float64Array;
  /** The standard errors of the means, [K], by the jackknife. */
  readonly standardErrors: Float64Array;
  /** (sum of w)^2 / sum of w^2, for weights w = e^(-beta E) / q: at most `numImages`. */
  readonly effectiveSampleSize: number;
}

/**
 * Averages of observables over the distribution e^(-beta E(x)) / Z, as `averages` of `pixelcnn-layers`, which documents how,
 * and what the averages may miss.
 *
 * Source: Nicoli et al. (2020), https://arxiv.org/abs/1910.13496, section II.
 *
 * @throws TypeError as there
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { averages } from 'pixelcnn-layers/runtime';
 * const model = await toPortable(pixelCNN({ imageShape: [1, 2, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1 }));
 * const energy = (levels, n) => Float64Array.from({ length: n }, (_, i) => (levels[2 * i] === levels[2 * i + 1] ? 0 : 1));
 * const [alike] = await averages(model, energy, (levels, n) => [energy(levels, n).map((one) => 1 - one)], { numImages: 4000, seed: 1 });
 * console.log(Math.abs(alike.means[0] - 1 / (1 + Math.exp(-1))) < 5 * alike.standardErrors[0]); // true
 * ```
 */
export async function averages(
  model: PortableModel,
  energy: Energy,
  observables: Observables,
  args: AveragesArgs,
): Promise<Averages[]> {
  return averaged(...readWeighing('averages', model, energy, args), observables);
}

/** How many blocks of images the jackknife leaves out, one at a time. */
const BLOCKS = 100;

/** Averages over images of a model of any kind. */
export async function averaged(
  model: ImageModel,
  energy: Energy,
  values: WeighingValues,
  observables: Observables,
): Promise<Averages[]> {
  checkFunction('averages: observables', observables);
  const { numImages } = values;
  const all: Float64Array[] = []; // of each observable, [numImages*K]
  const { weights, effectiveSampleSize } = await weighedImages('averages', model, energy, values, (drawn) => {
    for (const [index, numbers] of observed(observables, drawn, all.length).entries()) {
      const size = numbers.length / drawn.numImages;
      all[index] ??= memoryFor('averages', () => new Float64Array(numImages * size));
      const place = all[index];
      if (place.length !== numImages * size)
        throwSizes(index, `as many numbers of every image`, numbers.length);
      place.set(Float64Array.from(numbers), drawn.firstImage * size);
    }
  });
  return all.map((numbers) => ({ ...weightedMeans(weights, numbers), effectiveSampleSize }));
}

const throwSizes = (index: number, wanted: string, got: unknown): never =>
  throwTypeError(`averages: observables: ${index}`, wanted, got);

/** The observables of some images, checked; `count` of them, or as many as there are if it is 0. */
function observed(
  observables: Observables,
  { levels, numImages, firstImage, logWeights }: DrawnImages,
  count: number,
): readonly ArrayLike<number>[] {
  const given: unknown = observables(levels, numImages);
  const isList = Array.isArray(given) && given.length > 0 && (count === 0 || given.length === count);
  if (!isList) {
    const wanted = `a function that returns a list of ${count === 0 ? 'observables' : `${count} observables`}`;
    throwTypeError('averages: observables', wanted, given);
  }
  for (const [index, numbers] of (given as ArrayLike<number>[]).entries()) {
    const size = (numbers?.length ?? Number.NaN) / numImages;
    if (!Number.isInteger(size) || size < 1)
      throwSizes(
        index,
        `${numImages} numbers, one for each image, or a multiple`,
        numbers?.length ?? numbers,
      );
    for (let i = 0; i < numbers.length; i++) {
      const image = Math.floor(i / size);
      const isCounted = logWeights[image] !== -Infinity; // what is forbidden may have no value
      if (isCounted && !Number.isFinite(numbers[i]))
        throwSizes(index, 'finite numbers', `${numbers[i]} for image ${firstImage + image}`);
    }
  }
  return given as ArrayLike<number>[];
}

/** Means of numbers [N*K] by weights [N], and their standard errors by the jackknife over blocks. */
function weightedMeans(weights: Float64Array, numbers: Float64Array) {
  const numImages = weights.length;
  const size = numbers.length / numImages;
  const blocks = Math.min(BLOCKS, numImages);
  const blockOf = (n: number) => Math.floor((n * blocks) / numImages);
  const sums = new Float64Array(blocks); // of each block's weights
  const products = new Float64Array(blocks * size); // of each block's weighted numbers, [blocks*K]
  for (let n = 0; n < numImages; n++) {
    const weight = weights[n] as number;
    if (weight === 0) continue; // of what is forbidden, the number may be NaN
    const block = blockOf(n);
    sums[block] = (sums[block] as number) + weight;
    for (let k = 0; k < size; k++) {
      const at = block * size + k;
      products[at] = (products[at] as number) + weight * (numbers[n * size + k] as number);
    }
  }
  const total = sums.reduce((sum, one) => sum + one, 0);
  const means = new Float64Array(size);
  const standardErrors = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    const ofBlocks = Array.from(sums, (_, block) => products[block * size + k] as number);
    const product = ofBlocks.reduce((sum, one) => sum + one, 0);
    means[k] = product / total;
    const without = ofBlocks.map((one, block) => (product - one) / (total - (sums[block] as number)));
    const middle = without.reduce((sum, one) => sum + one, 0) / blocks;
    const squares = without.reduce((sum, one) => sum + (one - middle) ** 2, 0);
    const error = Math.sqrt(((blocks - 1) / blocks) * squares);
    standardErrors[k] = Number.isNaN(error) ? Infinity : error; // one block has all the weight
  }
  return { means, standardErrors };
}
