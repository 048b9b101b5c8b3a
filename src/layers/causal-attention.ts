import { serialization } from '@tensorflow/tfjs-core';
import {
  checkBoolean,
  checkFeatures,
  checkInteger,
  checkMemory,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import { pointWindow } from '../core/window';
import { provideAttentionKernels } from '../ops/attention';
import type { Ops } from '../program/operations';
import type { DropoutArgs } from '../program/operations/attend';
import { checkRate } from '../program/operations/attend';
import { addConvolution, type ConvolutionWeights, type WeightNormalizationArgs } from './convolution-weights';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { imageInputShape, imageInputSpec, PixelLayer, shapesOf } from './pixel-layer';
import { checkSeed, partSeed, type SeedArgs } from './seeds';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link CausalAttention}. */
export interface CausalAttentionArgs extends LayerArgs, SeedArgs, WeightNormalizationArgs {
  /** Groups of features, each of which attends independently. */
  heads: number;
  /** The number of output features, and also of features in the queries, keys and values: a multiple of `heads`. */
  units: number;
  /** The probability of dropping an attention weight in training. @default 0 */
  dropout?: number;
}

const argNames: NamesOf<CausalAttentionArgs> = {
  heads: true,
  units: true,
  dropout: true,
  weightNormalization: true,
  seed: true,
  ...layerArgNames,
};

/** The projections, each with its own kernel and bias, in the order of weights. */
const parts = ['query', 'key', 'value'] as const;

/**
 * Attention over strictly earlier places, row by row. With D = units / heads, each head computes by itself:
 *
 *     q = query(x), k = key(y), v = value(y)                 linear, units each
 *     z[i] = sum of softmax(q[i] k[j] / sqrt(D)) v[j] over places j < i; 0 at the first place
 *
 * From [x, y], x [N,H,W,Q] for queries and y [N,H,W,K] for keys and values, to [N,H,W,units]. Keys and values may see their
 * own pixel, with all its channels, since only later places read them. Queries must not.
 *
 * Weights: for each of query, key and value, in turn, a kernel [1,1,Q or K,units], a gain [units] (with
 * `weightNormalization`) and a bias [units].
 *
 * The attention weights of all places are never in memory at once: they are computed for some of the queries at a time,
 * and recomputed for the gradient. Drawing keeps the keys and values of all earlier places, and computes one row of
 * weights for each pixel. So time grows with the square of H*W, and memory with H*W.
 *
 * Source: Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763, section 2, as the PyTorch code of
 * https://github.com/rosinality/vq-vae-2-pytorch has it: `CausalAttention`.
 *
 * @throws TypeError naming the argument that is out of range, or if `units` is not a multiple of `heads`, or the inputs
 * are not two maps of the same height and width.
 * @example
 * ```js
 * import { input } from '@tensorflow/tfjs-layers';
 * import { causalAttention, maskedConv2d } from 'pixelcnn-layers';
 * const image = input({ shape: [8, 8, 1] });
 * const before = maskedConv2d({ filters: 16, kernelSize: 3, maskType: 'A', imageChannels: 1 }).apply(image);
 * const y = causalAttention({ heads: 4, units: 8 }).apply([before, image]); // all that comes before, at any distance
 * console.log(y.shape); // [null, 8, 8, 8]
 * ```
 */
export class CausalAttention extends PixelLayer {
  /** @nocollapse */
  static className = 'CausalAttention';

  private readonly heads: number;
  private readonly units: number;
  private readonly dropout: DropoutArgs;
  private readonly weightNormalization: boolean;
  private readonly seed: number | undefined;
  private projections: readonly ConvolutionWeights[] = [];

  constructor(args: CausalAttentionArgs) {
    super(checkLayerArgs(CausalAttention, new.target, args, argNames));
    this.heads = checkInteger('CausalAttention: heads', args.heads, 1);
    this.units = checkFeatures('CausalAttention: units', args.units, this.heads, 'heads');
    this.weightNormalization = checkBoolean(
      'CausalAttention: weightNormalization',
      args.weightNormalization ?? false,
    );
    this.seed = checkSeed('CausalAttention', args.seed);
    const rate = checkRate('CausalAttention: dropout', args.dropout ?? 0);
    this.dropout = { rate, seed: partSeed(this.seed, 'dropout') };
  }

  override build(inputShape: Shape | Shape[]): void {
    const { units, weightNormalization, seed } = this;
    const shapes = this.readShapes(inputShape);
    const [ofQueries, ofKeys] = shapes.map((shape) => shape[3]) as [number, number];
    checkMemory('CausalAttention: features, units', [Math.max(ofQueries, ofKeys), units]);
    this.projections = parts.map((part) => {
      const features = part === 'query' ? ofQueries : ofKeys;
      return addConvolution(this, `${part}_`, [1, 1, features, units], { seed, weightNormalization });
    });
    this.inputSpec = shapes.flatMap((shape) => imageInputSpec(shape[3]));
    super.build(inputShape);
  }

  /** The shapes [N,H,W,Q] and [N,H,W,K]. */
  private readShapes(inputShape: Shape | Shape[]) {
    const given = shapesOf(inputShape);
    if (given.length !== 2)
      throwTypeError('CausalAttention: inputs', 'two, for queries and for keys and values', inputShape);
    return given.map((shape) => imageInputShape('CausalAttention', shape));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    this.readShapes(inputShape);
    return super.computeOutputShape(inputShape); // [N,H,W,units]
  }

  override express<T>(ops: Ops<T>, [x, y]: readonly [T, ...T[]]): T {
    const [queries, keys, values] = this.projections.map(
      ({ kernel, bias }, i) => ops.conv((i === 0 ? x : y) as T, kernel, bias, pointWindow), // [N,H,W,Q] or [N,H,W,K] -> [N,H,W,units]
    ) as [T, T, T];
    return ops.attend(queries, keys, values, this.heads, this.dropout); // [N,H,W,units]
  }

  override getConfig(): serialization.ConfigDict {
    const { heads, units, weightNormalization, dropout, seed = null } = this;
    return { ...super.getConfig(), heads, units, weightNormalization, dropout: dropout.rate, seed };
  }
}
serialization.registerClass(CausalAttention);
provideAttentionKernels();

/** Makes a {@link CausalAttention}. */
export function causalAttention(args: CausalAttentionArgs): CausalAttention {
  return new CausalAttention(args);
}
