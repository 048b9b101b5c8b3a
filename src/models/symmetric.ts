import type { LayersModel } from '@tensorflow/tfjs-layers';
import { readArguments } from '../runtime/core/arguments';
import type { ConditionShape } from '../runtime/core/conditions';
import type { ImageShape } from '../runtime/core/images';
import {
  checkSymmetry,
  givenConditions,
  orientationsOf,
  oriented,
  type SymmetricOptions,
  type Symmetry,
  type SymmetryShape,
  symmetricOptions,
} from '../runtime/core/symmetries';
import { isPortable, type PortableModel } from '../runtime/program/program';
import { symmetric as symmetricPortable } from '../runtime/sampling/symmetric';
import { type ImageModelShape, imageModelShape } from './image-model';

/** A model with symmetries: see {@link symmetric}. */
export interface SymmetricModel {
  /** The model without them. */
  readonly model: LayersModel;
  /** What it is symmetric under. */
  readonly symmetry: SymmetryShape;
  /** [H, W, C]; H and W are null if the model takes images of any size. */
  readonly imageShape: ImageModelShape['imageShape'];
  /** L, the number of levels of a channel. */
  readonly levels: number;
  /** The conditions that callers give. */
  readonly conditions: readonly ConditionShape[];
  /** The number of elements of the group. */
  readonly numElements: number;
  /** Applies an element, 0 to numElements - 1, to each image. Levels are [N*H*W*C]. */
  orient(levels: Int32Array, imageShape: ImageShape, elements: ArrayLike<number>): Int32Array;
}

/**
 * Makes a model symmetric: its images are as likely in all elements g of the group that the symmetries generate, of at
 * most 16: p(x) is the mean of q(g x), where q is the model. Drawing undoes a random element of an image of q, so that
 * each image takes its usual time; `logProb` takes as many passes as there are elements.
 *
 * With `asCondition` the model has a class that tells it the element in which it sees an image, as `imageBatches` with
 * `orientations` gives it: class * elements + element. Bits of an element's number, from the lowest, say whether it flips
 * rows, flips columns, transposes and flips levels, as far as the group does so; it transposes first. The result is then a
 * mixture of orders, which need not be equally likely in all elements. Given values come first in the order that is used,
 * if there is one in which they do: any half of an image is completed exactly as by the mixture of these orders.
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
 * import * as tf from '@tensorflow/tfjs-core';
 * import { logProb, pixelCNN, sample, symmetric } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const either = symmetric(model, ['flipLevels', 'transpose']);
 * const images = await sample(either, { numImages: 2, seed: 1 });
 * const [a, b] = await (await logProb(either, images)).data();
 * const [c, d] = await (await logProb(either, tf.sub(1, images))).data(); // levels flipped
 * console.log(Math.abs(a - c) < 1e-4, Math.abs(b - d) < 1e-4); // true true
 * ```
 */
export function symmetric(
  model: LayersModel,
  symmetries: readonly Symmetry[],
  options?: SymmetricOptions,
): SymmetricModel;
/** Of a portable model, as `symmetric` of `pixelcnn-layers/runtime`. */
export function symmetric(
  model: PortableModel,
  symmetries: readonly Symmetry[],
  options?: SymmetricOptions,
): PortableModel;
export function symmetric(
  model: LayersModel | PortableModel,
  symmetries: readonly Symmetry[],
  options: SymmetricOptions = {},
): SymmetricModel | PortableModel {
  if (isPortable(model)) return symmetricPortable(model, symmetries, options);
  const { asCondition } = readArguments('symmetric', options, symmetricOptions());
  const { imageShape, levels, conditions } = imageModelShape('symmetric: model', model);
  const symmetry = checkSymmetry('symmetric', { imageShape, levels, conditions }, symmetries, asCondition);
  const given = givenConditions({ levels, conditions, symmetry });
  const group = orientationsOf(symmetry.symmetries);
  const orient: SymmetricModel['orient'] = (images, shape, elements) =>
    oriented(images, shape, levels, group, elements);
  return { model, symmetry, imageShape, levels, conditions: given, numElements: group.length, orient };
}

export const isSymmetric = (given: LayersModel | SymmetricModel): given is SymmetricModel =>
  (given as Partial<SymmetricModel> | undefined)?.symmetry !== undefined;
