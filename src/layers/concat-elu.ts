import { serialization } from '@tensorflow/tfjs-core';
import { provideConcatEluKernels } from '../ops/concat-elu';
import type { Ops } from '../program/operations';
import { DeclaredLayer } from './declared-layer';
import type { LayerArgs } from './types';

/**
 * The activation of PixelCNN++: elu(x) of all features, then elu(-x) of all: [N,H,W,F] -> [N,H,W,2F]. No weights.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, its code: `concat_elu`, after Shang et
 * al., "Understanding and improving convolutional neural networks via concatenated rectified linear units" (2016).
 *
 * @throws TypeError for an unknown option, or an input of logits [N,H,W,C,L].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { concatElu } from 'pixelcnn-layers';
 * const y = concatElu().apply(tf.tensor4d([2, -1], [1, 1, 1, 2])); // [1, 1, 1, 4]
 * console.log(Array.from(await y.data(), (value) => value.toFixed(2)).join(' ')); // 2.00 -0.63 -0.86 1.00
 * ```
 */
export class ConcatElu extends DeclaredLayer<object> {
  static className = 'ConcatElu';
  protected static readonly declared = {};

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.concatElu(x); // [N,H,W,F] -> [N,H,W,2F]
  }
}
serialization.registerClass(ConcatElu);
provideConcatEluKernels();

/** Makes a {@link ConcatElu}. */
export const concatElu = (args?: LayerArgs) => new ConcatElu(args);
