import type { LayersModel } from '@tensorflow/tfjs-layers';
import { readArguments } from '../core/arguments';
import type { ConditionShape } from '../core/conditions';
import {
  checkSymmetry,
  givenConditions,
  type SymmetricOptions,
  type Symmetry,
  type SymmetryShape,
  symmetricOptions,
} from '../core/symmetries';
import { type ImageModelShape, imageModelShape } from './image-model';

/** A model with symmetries: see {@link symmetric}. */
export interface SymmetricModel {
  /** The model without them. */
  readonly model: LayersModel;
  readonly symmetry: SymmetryShape;
  readonly imageShape: ImageModelShape['imageShape'];
  readonly levels: number;
  /** The conditions that callers give. */
  readonly conditions: readonly ConditionShape[];
}

/**
 * Makes a model symmetric: its images are as likely in all elements g of the group that the symmetries generate, of at
 * most 16: p(x) is the mean of q(g x), where q is the model. Drawing undoes a random element of an image of q, so that
 * each image takes its usual time; `logProb` takes as many passes as there are elements.
 *
 * With `asCondition` the model has a class that tells it the element in which it sees an image, as `imageBatches` with
 * `orientations` gives it: class * elements + element. Given values then always come first in the orientation that is
 * used, if there is one, so that any half of an image is completed exactly.
 *
 * `sample`, `logProb`, `fitToEnergy`, `logPartition` and `toPortable` take the result as a model. `adjust`, `potential`,
 * `perValue`, `stepper` and `compress` refuse it, since images have no single order.
 *
 * Source: Wu, Wang and Zhang, "Solving Statistical Mechanics Using Variational Autoregressive Networks" (2019),
 * https://arxiv.org/abs/1809.10606, for flips of levels; Jain et al., "Locally Masked Convolution for Autoregressive
 * Models" (2020), https://arxiv.org/abs/2006.12486, for orders.
 *
 * @throws TypeError if `symmetries` is not a list of them, 'transpose' is not for square images, the model has maps as
 * conditions, or with `asCondition` has not a class for each element
 * @example
 * ```js
 * import { logProb, pixelCNN, sample, symmetric } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const either = symmetric(model, ['flipLevels', 'transpose']);
 * const images = await sample(either, { numImages: 2, seed: 1 });
 * const [a, b] = await (await logProb(either, images)).data();
 * const [c, d] = await (await logProb(either, images.mul(-1).add(1))).data(); // levels flipped
 * console.log(Math.abs(a - c) < 1e-4, Math.abs(b - d) < 1e-4); // true true
 * ```
 */
export function symmetric(
  model: LayersModel,
  symmetries: readonly Symmetry[],
  options: SymmetricOptions = {},
): SymmetricModel {
  const { asCondition } = readArguments('symmetric', options, symmetricOptions);
  const { imageShape, levels, conditions } = imageModelShape('symmetric: model', model);
  const symmetry = checkSymmetry('symmetric', { imageShape, levels, conditions }, symmetries, asCondition);
  const given = givenConditions({ levels, conditions, symmetry });
  return { model, symmetry, imageShape, levels, conditions: given };
}

/** The shape of a model, with its own conditions, and its symmetry if it has one. */
export type SymmetricShape = ImageModelShape & {
  readonly model: LayersModel;
  readonly symmetry?: SymmetryShape;
};

/** Reads the shape of a model with or without symmetries. */
export function symmetricShape(what: string, given: LayersModel | SymmetricModel): SymmetricShape {
  if (!isSymmetric(given)) return { ...imageModelShape(what, given), model: given };
  return { ...imageModelShape(what, given.model), model: given.model, symmetry: given.symmetry };
}

export const isSymmetric = (given: LayersModel | SymmetricModel): given is SymmetricModel =>
  (given as Partial<SymmetricModel> | undefined)?.symmetry !== undefined;
