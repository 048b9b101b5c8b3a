import { initializers } from '@tensorflow/tfjs-layers';
import { provideAttentionKernels } from '../ops/attention';
import { provideLayerNormKernels } from '../ops/layer-norm';
import { type Given, integer, oneOf, optional, positive, rate, type Values } from '../runtime/core/arguments';
import { checkFeatures } from '../runtime/core/check';
import { pointWindow } from '../runtime/core/window';
import { normArgument } from '../runtime/program/operations/normalize';
import { addConvolution } from './convolution-weights';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { dropoutOf, seedArguments } from './seeds';
import type { LayerArgs, Shape } from './types';

/** What the blocks of a transformer have in common. */
export const transformerArguments = {
  /** Groups of features, each of which attends independently. */
  heads: integer({ from: 1 }),
  /** The normalization before attention and before the MLP: see {@link PixelNormalization}; `'rms'` has no beta. @default 'layer' */
  norm: normArgument,
  /** The activation of the MLP; `'quickGelu'` is x sigmoid(1.702 x). @default 'gelu' */
  activation: optional(oneOf('gelu', 'quickGelu'), 'gelu'),
  /** What attention is added to: the block's input, or its normalized input. @default 'input' */
  residual: optional(oneOf('input', 'normalized'), 'input'),
  /** The probability of dropping attention weights and the outputs of both parts in training. @default 0 */
  dropout: rate(),
};

const declared = {
  ...transformerArguments,
  /** Features between the two products of the MLP. @default 4 F */
  hiddenFilters: optional(integer({ from: 1 })),
  /**
   * A factor on the initial kernels of projection and mlp_out, whose outputs are summed over blocks: in a network of n
   * blocks 1 / sqrt(2n), as in GPT-2. @default 1
   */
  initialScale: optional(positive(), 1),
  /** Added to the variance, or the mean square. @default 1e-5 */
  epsilon: optional(positive(), 1e-5),
  ...seedArguments,
};

/** Arguments of {@link TransformerBlock}. */
export interface TransformerBlockArgs extends LayerArgs, Given<typeof declared> {}

/**
 * The block of Image GPT: attention of each place to itself and earlier places, then an MLP, each added to its input:
 *
 *     n = norm1(x)
 *     y = x + projection(attention(query(n), key(n), value(n)))     n + ... with residual: 'normalized'
 *     y + linear_{4F->F}(gelu(linear_{F->4F}(norm2(y))))
 *
 * [N,H,W,F] -> [N,H,W,F], where F is a multiple of `heads`. Since a place sees itself, the input must not see its own
 * pixel: see {@link RasterShift}. Time grows with the square of H*W, memory with H*W.
 *
 * Weights: norm1 gamma [F], and beta [F] unless norm is `'rms'`; kernel [1,1,in,out] and bias [out] of query, key, value
 * and projection; norm2; kernel and bias of mlp_in and mlp_out.
 *
 * Source: Chen et al., "Generative Pretraining from Pixels" (2020), https://cdn.openai.com/papers/Generative_Pretraining_from_Pixels_V2.pdf,
 * section 2.2, after Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
 *
 * @throws TypeError naming the argument, or an input that is not [N,H,W,F] with F a multiple of `heads`.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { transformerBlock } from 'pixelcnn-layers';
 * const block = transformerBlock({ heads: 2, norm: 'rms', activation: 'quickGelu' });
 * console.log(block.apply(tf.zeros([1, 8, 8, 16])).shape); // [1, 8, 8, 16]
 * ```
 */
export class TransformerBlock extends DeclaredLayer<Values<typeof declared>, TransformerBlockArgs> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    checkFeatures('input features', checkMap('input', shapes), this.settings.heads, 'heads');
  }

  protected override addWeights(shapes: readonly Shape[]): Arithmetic {
    const features = checkMap('input', shapes);
    const {
      hiddenFilters = 4 * features,
      initialScale,
      heads,
      norm,
      activation,
      residual,
      epsilon,
    } = this.settings;
    const dropout = dropoutOf(this.settings);
    const linear = (name: string, from: number, to: number, scale = 1) => {
      const glorot = { scale: scale ** 2, mode: 'fanAvg', distribution: 'uniform' } as const;
      const kernelInitializer = initializers.varianceScaling(glorot);
      return addConvolution(this, `${name}_`, pointWindow, [from, to], { kernelInitializer });
    };
    const normalization = (name: string) => {
      const scale = this.addSeededWeight(`${name}_gamma`, [features], initializers.ones());
      const args = { norm, epsilon, scale };
      if (norm === 'rms') return args;
      return { ...args, shift: this.addSeededWeight(`${name}_beta`, [features], initializers.zeros()) };
    };
    const norm1 = normalization('norm1');
    const query = linear('query', features, features);
    const key = linear('key', features, features);
    const value = linear('value', features, features);
    const projection = linear('projection', features, features, initialScale);
    const norm2 = normalization('norm2');
    const mlpIn = linear('mlp_in', features, hiddenFilters);
    const mlpOut = linear('mlp_out', hiddenFilters, features, initialScale);
    return (ops, [x]) => {
      const n = ops.normalize(x, norm1); // [N,H,W,F], as all to the MLP
      const [queries, keys, values] = [query(ops, n), key(ops, n), value(ops, n)];
      const attended = ops.attend(queries, keys, values, heads, { own: true, ...dropout });
      const projected = ops.dropout(projection(ops, attended), dropout);
      const y = ops.combine('add', residual === 'input' ? x : n, projected);
      const hidden = ops.pointwise(activation, mlpIn(ops, ops.normalize(y, norm2))); // [N,H,W,F] -> [N,H,W,4F]
      return ops.combine('add', y, ops.dropout(mlpOut(ops, hidden), dropout)); // [N,H,W,4F] -> [N,H,W,F]
    };
  }
}
defineLayer(TransformerBlock, 'TransformerBlock', declared);
provideAttentionKernels();
provideLayerNormKernels();

/** Makes a {@link TransformerBlock}. */
export const transformerBlock = (args: TransformerBlockArgs) => new TransformerBlock(args);
