import { serialization } from '@tensorflow/tfjs-core';
import { type Given, integer, multipleOf, rate, type Values } from '../core/arguments';
import { throwTypeError } from '../core/check';
import { pointWindow } from '../core/window';
import { provideAttentionKernels } from '../ops/attention';
import type { Ops } from '../program/operations';
import { addConvolution, type Convolution, normalizationArguments } from './convolution-weights';
import { checkMap, DeclaredLayer } from './declared-layer';
import { dropoutOf, seedArguments } from './seeds';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** Groups of features, each of which attends independently. */
  heads: integer({ from: 1 }),
  /** The number of output features, and of features in the queries, keys and values; a multiple of `heads`. */
  units: multipleOf('heads'),
  /** The probability of dropping an attention weight in training. @default 0 */
  dropout: rate(),
  ...normalizationArguments,
  ...seedArguments,
};

/** Arguments of {@link CausalAttention}. */
export interface CausalAttentionArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Causal attention: places attend to strictly earlier places, in row order. With D = units / heads, each head computes:
 *
 *     q = query(x), k = key(y), v = value(y)                 linear, units each
 *     z[i] = sum of softmax(q[i] k[j] / sqrt(D)) v[j] over places j < i; 0 at the first place
 *
 * [x, y] -> [N,H,W,units], from x [N,H,W,Q] for queries and y [N,H,W,K] for keys and values. Keys
 * and values may see their own pixel, with all its channels, since only later places read them.
 * Queries must not. Time grows with the square of H*W, memory with H*W.
 *
 * Weights: for each of query, key and value, in turn, a kernel [1,1,Q or K,units], a gain [units] (with
 * `weightNormalization`) and a bias [units].
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
  static className = 'CausalAttention';
  protected static readonly declared = declared;

  private readonly dropout = dropoutOf(this.settings);
  declare private query: Convolution;
  declare private key: Convolution;
  declare private value: Convolution;

  protected override checkInputs(shapes: readonly Shape[]): void {
    const got = shapes.length === 1 ? shapes[0] : shapes;
    if (shapes.length !== 2) throwTypeError('inputs', 'two, for queries and for keys and values', got);
    for (const shape of shapes) checkMap('input', [shape]);
  }

  protected override addWeights([x, y]: readonly Shape[]): void {
    const { units } = this.settings;
    const add = (part: string, shape: Shape | undefined) =>
      addConvolution(this, part, pointWindow, [shape?.at(-1) as number, units], this.settings);
    this.query = add('query_', x);
    this.key = add('key_', y);
    this.value = add('value_', y);
  }

  override express<T>(ops: Ops<T>, [x, y]: readonly [T, ...T[]]): T {
    const queries = this.query(ops, x); // [N,H,W,Q] -> [N,H,W,units]
    const keys = this.key(ops, y as T); // [N,H,W,K] -> [N,H,W,units]
    const values = this.value(ops, y as T); // [N,H,W,K] -> [N,H,W,units]
    return ops.attend(queries, keys, values, this.settings.heads, this.dropout); // [N,H,W,units]
  }
}
serialization.registerClass(CausalAttention);
provideAttentionKernels();

/** Makes a {@link CausalAttention}. */
export const causalAttention = (args: CausalAttentionArgs) => new CausalAttention(args);
