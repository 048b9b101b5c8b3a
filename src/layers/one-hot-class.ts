import { serialization } from '@tensorflow/tfjs-core';
import { categories, flag, type Given, type Values } from '../core/arguments';
import { throwTypeError } from '../core/check';
import type { Ops } from '../program/operations';
import { DeclaredLayer } from './declared-layer';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** K; classes are the integers 0..K-1. */
  numClasses: categories({ from: 1 }),
  /** Whether K is one more class, which stands for no class: for training with dropped conditions. @default false */
  nullClass: flag(false),
};

/** Arguments of {@link OneHotClass}. */
export interface OneHotClassArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Turns classes into one-hot vectors, as a condition: integers [N,1] become [N,K], or [N,K+1] with a null class,
 * float32. An integer that is not a class becomes zeros. No weights.
 *
 * If an input of a model goes through this layer, all functions with an option `condition` know that the model takes
 * classes.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016),
 * https://arxiv.org/abs/1606.05328, section 2.3: h "a one-hot encoding that specifies a class".
 *
 * @throws TypeError naming the argument that is wrong, or an input of another shape.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { oneHotClass } from 'pixelcnn-layers';
 * const layer = oneHotClass({ numClasses: 3 });
 * layer.apply(tf.tensor2d([[2], [0]], [2, 1], 'int32')).print(); // [[0, 0, 1], [1, 0, 0]]
 * ```
 */
export class OneHotClass extends DeclaredLayer<Values<typeof declared>, OneHotClassArgs> {
  /** @nocollapse */
  static className = 'OneHotClass';
  protected static readonly declared = declared;

  protected override checkInputs(shapes: readonly Shape[]): void {
    const [[, one, ...rest] = [], ...others] = shapes;
    if (one !== 1 || rest.length > 0 || others.length > 0)
      throwTypeError('input', 'classes [N,1]', others.length > 0 ? shapes : shapes[0]);
  }

  override express<T>(ops: Ops<T>, [classes]: readonly [T, ...T[]]): T {
    const { numClasses, nullClass } = this.settings;
    return ops.oneHot(classes, numClasses + (nullClass ? 1 : 0)); // [N,1] -> [N,K]
  }
}
serialization.registerClass(OneHotClass);

/** Makes a {@link OneHotClass}. */
export function oneHotClass(args: OneHotClassArgs): OneHotClass {
  return new OneHotClass(args);
}
