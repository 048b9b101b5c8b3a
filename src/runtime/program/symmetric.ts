import { readArguments } from '../core/arguments';
import { checkSymmetry, type SymmetricOptions, type Symmetry, symmetricOptions } from '../core/symmetries';
import { checkModel, type PortableModel } from './program';

/**
 * Makes a model symmetric, as `symmetric` of `pixelcnn-layers`, which documents what this means. Files keep it.
 *
 * Source: as there, Wu, Wang and Zhang (2019), https://arxiv.org/abs/1809.10606.
 *
 * @throws TypeError as there
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { sample, symmetric } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 2, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const either = symmetric(await toPortable(model), ['flipLevels', 'transpose']);
 * const { shape } = await sample(either, { numImages: 2, seed: 1 });
 * console.log(shape); // [2, 4, 4, 1]
 * ```
 */
export function symmetric(
  model: PortableModel,
  symmetries: readonly Symmetry[],
  options: SymmetricOptions = {},
): PortableModel {
  checkModel('symmetric: model', model);
  const { asCondition } = readArguments('symmetric', options, symmetricOptions());
  return { ...model, symmetry: checkSymmetry('symmetric', model, symmetries, asCondition) };
}
