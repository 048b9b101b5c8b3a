import { serialization } from '@tensorflow/tfjs-core';
import { categories, type Given, type Values } from '../core/arguments';
import { throwTypeError } from '../core/check';
import type { Ops } from '../program/operations';
import { checkMap, DeclaredLayer } from './declared-layer';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** K; codes are the integers 0..K-1. */
  levels: categories({ from: 2 }),
};

/** Arguments of {@link OneHotCodes}. */
export interface OneHotCodesArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Turns a map of codes into one-hot vectors, as a condition: integers [N,h,w,1] become [N,h,w,K], float32. An integer
 * that is not a code becomes zeros. No weights.
 *
 * If an input of a model goes through this layer, all functions with an option `condition` know that the model takes
 * codes. Their height and width may differ from the image's. Layers that read the codes may look in all directions
 * ({@link ShiftedConv2D} with `shift: 'around'`); before their features are combined with the image's, they must be
 * enlarged to its size ({@link EnlargedMap}).
 *
 * Source: Razavi et al., "Generating Diverse High-Fidelity Images with VQ-VAE-2" (2019), https://arxiv.org/abs/1906.00446,
 * section 3.2: priors of finer codes are conditioned on the coarser ones.
 *
 * @throws TypeError naming the argument that is wrong, or an input of another shape.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { oneHotCodes } from 'pixelcnn-layers';
 * const y = oneHotCodes({ levels: 3 }).apply(tf.tensor4d([2, 0], [1, 1, 2, 1], 'int32')); // [1, 1, 2, 3]
 * console.log(Array.from(await y.data())); // [0, 0, 1, 1, 0, 0]
 * ```
 */
export class OneHotCodes extends DeclaredLayer<Values<typeof declared>, OneHotCodesArgs> {
  /** @nocollapse */
  static className = 'OneHotCodes';
  protected static readonly declared = declared;

  protected override checkInputs(shapes: readonly Shape[]): void {
    if (checkMap('input', shapes) !== 1) throwTypeError('input', 'codes [N,h,w,1]', shapes[0]);
  }

  override express<T>(ops: Ops<T>, [codes]: readonly [T, ...T[]]): T {
    return ops.oneHot(codes, this.settings.levels); // [N,h,w,1] -> [N,h,w,K]
  }
}
serialization.registerClass(OneHotCodes);

/** Makes a {@link OneHotCodes}. */
export function oneHotCodes(args: OneHotCodesArgs): OneHotCodes {
  return new OneHotCodes(args);
}
