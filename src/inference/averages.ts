import {
  type Averages,
  type AveragesArgs,
  averaged,
  type Observables,
  averages as ofPortable,
} from '../runtime/likelihood/averages';
import type { Energy } from '../runtime/likelihood/energies';
import { readWeighingArguments } from '../runtime/likelihood/weighed-images';
import { isPortable, type PortableModel } from '../runtime/program/program';
import { type TfjsModel, tensorImageModel } from './tensor-model';

/**
 * Averages of observables over the distribution e^(-beta E(x)) / Z: images from a model q, each with the weight
 * e^(-beta E(x)) / q(x), so that the mean of O is the sum of w O divided by the sum of w.
 *
 * Standard errors are those of the jackknife over 100 blocks of images. Images that the model hardly ever draws are missing
 * from the averages, and errors do not show it; see {@link logPartition}.
 *
 * Source: Nicoli et al., "Asymptotically unbiased estimation of physical observables with neural samplers" (2020),
 * https://arxiv.org/abs/1910.13496, section II.
 *
 * @param model a model without conditions: of tfjs, symmetric, or portable
 * @param energy returns the energy of each image; that of a forbidden one, whose weight is 0, is Infinity
 * @param observables returns a list with the numbers of each observable: one for each image, or K for each, image by image,
 * such as correlations at K distances
 * @returns the averages of each observable
 * @throws (rejects) TypeError naming the invalid argument, or if an energy or observable is not as wanted, as soon as it is
 * computed; `signal.reason` if the signal aborts; Error as `sample`, and if all images are forbidden
 * @example
 * ```js
 * import { averages, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [1, 2, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const energy = (levels, n) => Float64Array.from({ length: n }, (_, i) => (levels[2 * i] === levels[2 * i + 1] ? 0 : 1));
 * const [alike] = await averages(model, energy, (levels, n) => [energy(levels, n).map((one) => 1 - one)], { numImages: 4000, seed: 1 });
 * console.log(Math.abs(alike.means[0] - 1 / (1 + Math.exp(-1))) < 5 * alike.standardErrors[0]); // true
 * ```
 */
export async function averages(
  model: TfjsModel | PortableModel,
  energy: Energy,
  observables: Observables,
  args: AveragesArgs,
): Promise<Averages[]> {
  if (isPortable(model)) return ofPortable(model, energy, observables, args);
  const { pool, ...values } = readWeighingArguments('averages', energy, args);
  return averaged(tensorImageModel('averages: model', model, { pool }), energy, values, observables);
}
