import { serialization } from '@tensorflow/tfjs-core';
import { checkBoolean, checkCategories, type NamesOf, throwTypeError } from '../core/check';
import type { Ops } from '../program/operations';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { PixelLayer } from './pixel-layer';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link OneHotClass}. */
export interface OneHotClassArgs extends LayerArgs {
  /** K; classes are the integers 0..K-1. */
  numClasses: number;
  /** Whether K is one more class, which stands for no class: for training with dropped conditions. @default false */
  nullClass?: boolean;
}

const argNames: NamesOf<OneHotClassArgs> = { numClasses: true, nullClass: true, ...layerArgNames };

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
export class OneHotClass extends PixelLayer {
  /** @nocollapse */
  static className = 'OneHotClass';

  private readonly numClasses: number;
  private readonly nullClass: boolean;

  constructor(args: OneHotClassArgs) {
    super(checkLayerArgs(OneHotClass, new.target, args, argNames));
    this.numClasses = checkCategories('OneHotClass: numClasses', args.numClasses, 1);
    this.nullClass = checkBoolean('OneHotClass: nullClass', args.nullClass ?? false);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [n, one, ...rest] = inputShape;
    if (Array.isArray(n) || Array.isArray(one) || one !== 1 || rest.length > 0) {
      throwTypeError('OneHotClass: input', 'classes [N,1]', inputShape);
    }
    return [n as number | null, this.size];
  }

  override express<T>(ops: Ops<T>, [classes]: readonly [T, ...T[]]): T {
    return ops.oneHot(classes, this.size); // [N,1] -> [N,K]
  }

  /** The number of classes, including the null class. */
  private get size(): number {
    return this.numClasses + (this.nullClass ? 1 : 0);
  }

  override getConfig(): serialization.ConfigDict {
    const { numClasses, nullClass } = this;
    return { ...super.getConfig(), numClasses, nullClass };
  }
}
serialization.registerClass(OneHotClass);

/** Makes a {@link OneHotClass}. */
export function oneHotClass(args: OneHotClassArgs): OneHotClass {
  return new OneHotClass(args);
}
