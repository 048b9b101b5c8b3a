import { provideAttentionKernels } from '../ops/attention';
import { derived, type Given, integer, multipleOf, rate, type Values } from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import { pointWindow } from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import { own } from '../runtime/program/operations/attend';
import { addConvolution, normalizationArguments } from './convolution-weights';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { dropoutOf, seedArguments } from './seeds';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** Groups of features, each of which attends independently. */
  heads: integer({ from: 1 }),
  /** V, the number of features in the values and the output; a multiple of `heads`. */
  units: multipleOf('heads'),
  /** U, the number of features in the queries and keys; a multiple of `heads`. @default units */
  keyUnits: derived(multipleOf('heads'), ({ units }) => units),
  /** Whether places attend to themselves too. Then no input may have seen its own pixel. @default false */
  own,
  /** The probability of dropping an attention weight in training. @default 0 */
  dropout: rate(),
  ...normalizationArguments,
  ...seedArguments,
};

/** Arguments of {@link CausalAttention}. */
export interface CausalAttentionArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Causal attention: places attend to earlier places, in row order. With D = U / heads, each head computes:
 *
 *     q = query(x), k = key(y), v = value(y)                 linear, of U, U and V features
 *     z[i] = sum of softmax(q[i] k[j] / sqrt(D)) v[j] over places j < i, or j <= i if `own`; 0 over no places
 *
 * [x, y] -> [N,H,W,V], from x [N,H,W,Q] for queries, y [N,H,W,K] for keys and values. Unless `own`, y may see its own
 * pixel, with all channels, since later places read it; x must not. Time grows as (H*W)^2, memory as H*W.
 *
 * Weights: for query, key and value a kernel [1,1,Q or K,U or V], a gain (`weightNormalization`) and a bias [U or V].
 *
 * Source: Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763, section 2, as
 * implemented in https://github.com/rosinality/vq-vae-2-pytorch: `CausalAttention`.
 *
 * @throws TypeError naming the argument that is out of range, or inputs that are not two maps of equal size.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { causalAttention } from 'pixelcnn-layers';
 * const y = causalAttention({ heads: 4, units: 8 }).apply([tf.zeros([1, 8, 8, 16]), tf.zeros([1, 8, 8, 1])]);
 * console.log(y.shape); // [1, 8, 8, 8]
 * ```
 */
export class CausalAttention extends DeclaredLayer<Values<typeof declared>, CausalAttentionArgs> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    const got = shapes.length === 1 ? shapes[0] : shapes;
    if (shapes.length !== 2) throwTypeError('inputs', 'two, for queries and for keys and values', got);
    for (const shape of shapes) checkMap('input', [shape]);
  }

  protected override addWeights([x, y]: readonly Shape[]): Arithmetic {
    const { heads, units, keyUnits, own } = this.settings;
    const dropout = dropoutOf(this.settings);
    const add = (part: string, shape: Shape | undefined, units: number) =>
      addConvolution(this, part, pointWindow, [shape?.at(-1) as number, units], this.settings);
    const query = add('query_', x, keyUnits); // [N,H,W,Q] -> [N,H,W,U]
    const key = add('key_', y, keyUnits); // [N,H,W,K] -> [N,H,W,U]
    const value = add('value_', y, units); // [N,H,W,K] -> [N,H,W,V]
    return <T>(ops: Ops<T>, [x, y]: readonly [T, ...T[]]) => {
      const [queries, keys, values] = [query(ops, x), key(ops, y as T), value(ops, y as T)];
      return ops.attend(queries, keys, values, heads, { own, ...dropout }); // [N,H,W,V]
    };
  }
}
defineLayer(CausalAttention, 'CausalAttention', declared);
provideAttentionKernels();

/** Makes a {@link CausalAttention}. */
export const causalAttention = (args: CausalAttentionArgs) => new CausalAttention(args);
