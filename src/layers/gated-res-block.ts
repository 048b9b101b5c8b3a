import { serialization } from '@tensorflow/tfjs-core';
import {
  checkBoolean,
  checkInteger,
  checkMemory,
  checkOneOf,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import {
  type KernelWindow,
  pointWindow,
  type Shift,
  type ShiftedWindowArgs,
  shiftedWindow,
} from '../core/window';
import { provideConcatEluKernels } from '../ops/concat-elu';
import type { Ops } from '../program/operations';
import type { DropoutArgs } from '../program/operations/attend';
import { checkRate } from '../program/operations/attend';
import { addProjections, conditionedGate, isCondition, type Projection } from './conditions';
import { addConvolution, type ConvolutionWeights, type WeightNormalizationArgs } from './convolution-weights';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { imageInputShape, imageInputSpec, PixelLayer, shapesOf } from './pixel-layer';
import { checkSeed, partSeed, type SeedArgs } from './seeds';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link GatedResBlock}. */
export interface GatedResBlockArgs extends LayerArgs, SeedArgs, WeightNormalizationArgs {
  /** F, the number of input and output features. */
  filters: number;
  /** H, the number of features between the two convolutions. @default filters */
  hiddenFilters?: number;
  /** Where the windows of its convolutions lie: see {@link ShiftedConv2D}. */
  shift: Shift;
  /** Rows and columns of its windows, odd or even. @default [2, 3] shifted down, [2, 2] shifted down and right, else 3 */
  kernelSize?: ShiftedWindowArgs['kernelSize'];
  /**
   * Whether the second input is a skip [N,H,W,S], which is added after the first convolution. If not, all inputs except
   * the first are conditions.
   * @default false
   */
  hasSkip?: boolean;
  /**
   * The activation before each convolution. With `'elu'` the convolutions read F and H features instead of twice as
   * many.
   * @default 'concatElu'
   */
  activation?: 'concatElu' | 'elu';
  /** Probability with which features are dropped in training, before the second convolution. @default 0 */
  dropout?: number;
}

const argNames: NamesOf<GatedResBlockArgs> = {
  filters: true,
  hiddenFilters: true,
  shift: true,
  kernelSize: true,
  hasSkip: true,
  activation: true,
  dropout: true,
  weightNormalization: true,
  seed: true,
  ...layerArgNames,
};

const defaultKernel: Partial<Record<Shift, [number, number]>> = { down: [2, 3], downRight: [2, 2] };

/**
 * The gated residual block of PixelCNN++, where `a` is a second input, the skip, and h is a condition:
 *
 *     y = conv_{2F->H}(concatElu(x)) + conv1x1_{2S->H}(concatElu(a))
 *     b, c = halves of conv_{2H->2F}(dropout(concatElu(y))) + projection(h)
 *     x + b sigmoid(c)
 *
 * With `activation: 'elu'` it is the block of PixelSNAIL: the same with elu in place of concatElu.
 *
 * From x [N,H,W,F], or [x, a, condition, ...], to [N,H,W,F]: `a` [N,H,W,S] with `hasSkip`, and each condition a vector
 * [N,K] or a map [N,H,W,K]. Without a skip, nothing is added to y; without conditions, nothing to the halves.
 *
 * Weights: kernel, gain (with `weightNormalization`) and bias of each convolution: conv_in [rows,columns,2F,H];
 * conv_skip [1,1,2S,H], if there is a skip; conv_out [rows,columns,2H,2F], whose gain starts at 0.1. Then a kernel
 * [1,1,K,2F] for each condition. With `'elu'`, kernels read F, S and H features instead of 2F, 2S and 2H.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.4 to 2.6, and its code:
 * `gated_resnet`. Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763, figure 4, as
 * https://github.com/rosinality/vq-vae-2-pytorch has it: `GatedResBlock`.
 *
 * @throws TypeError naming the argument, or the input whose features are not `filters`.
 * @example
 * ```js
 * import { input } from '@tensorflow/tfjs-layers';
 * import { gatedResBlock, pixelShift, shiftedConv2d } from 'pixelcnn-layers';
 * const image = input({ shape: [8, 8, 1] });
 * const above = shiftedConv2d({ filters: 12, kernelSize: [2, 3], shift: 'down' }).apply(image);
 * const u = pixelShift({ rows: 1 }).apply(above); // sees rows above
 * const deeper = gatedResBlock({ filters: 12, shift: 'down', weightNormalization: true, seed: 1 }).apply(u);
 * console.log(deeper.shape); // [null, 8, 8, 12]
 * ```
 */
export class GatedResBlock extends PixelLayer {
  /** @nocollapse */
  static className = 'GatedResBlock';

  private readonly filters: number;
  private readonly hiddenFilters: number;
  private readonly activation: 'concatElu' | 'elu';
  private readonly shift: Shift;
  private readonly window: KernelWindow;
  private readonly hasSkip: boolean;
  private readonly dropout: DropoutArgs;
  private readonly weightNormalization: boolean;
  private readonly seed: number | undefined;
  private convIn?: ConvolutionWeights;
  private convSkip: ConvolutionWeights | null = null;
  private convOut?: ConvolutionWeights;
  private projections: readonly Projection[] = [];

  constructor(args: GatedResBlockArgs) {
    super(checkLayerArgs(GatedResBlock, new.target, args, argNames));
    const { shift, kernelSize = defaultKernel[shift] ?? 3 } = args;
    this.filters = checkInteger('GatedResBlock: filters', args.filters, 1);
    this.hiddenFilters = checkInteger('GatedResBlock: hiddenFilters', args.hiddenFilters ?? this.filters, 1);
    const activations = ['concatElu', 'elu'] as const;
    this.activation = checkOneOf('GatedResBlock: activation', args.activation ?? 'concatElu', activations);
    this.window = shiftedWindow('GatedResBlock', { kernelSize, shift });
    this.shift = shift;
    this.hasSkip = checkBoolean('GatedResBlock: hasSkip', args.hasSkip ?? false);
    this.weightNormalization = checkBoolean(
      'GatedResBlock: weightNormalization',
      args.weightNormalization ?? false,
    );
    this.seed = checkSeed('GatedResBlock', args.seed);
    const rate = checkRate('GatedResBlock: dropout', args.dropout ?? 0);
    this.dropout = { rate, seed: partSeed(this.seed, 'dropout') };
  }

  override build(inputShape: Shape | Shape[]): void {
    const { skip, conditions } = this.readShapes(inputShape);
    const { filters, hiddenFilters, seed, weightNormalization } = this;
    const { kernelSize } = this.window;
    const active = this.activation === 'concatElu' ? 2 : 1; // features for each one that comes in
    const most = Math.max(filters, hiddenFilters);
    checkMemory('GatedResBlock: kernelSize, filters', [...kernelSize, active * most, 2 * most]);
    const skipFeatures = skip?.at(-1) ?? 0;
    checkMemory('GatedResBlock: features of the skip, filters', [
      2 * Math.max(skipFeatures, 1),
      hiddenFilters,
    ]);
    for (const condition of conditions)
      checkMemory('GatedResBlock: features of the condition, filters', [condition.at(-1) ?? 1, 2 * filters]);
    const options = { seed, weightNormalization };
    const shapeIn = [...kernelSize, active * filters, hiddenFilters] as const;
    this.convIn = addConvolution(this, 'conv_in_', shapeIn, options);
    if (skip !== null) {
      const shapeSkip = [1, 1, active * skipFeatures, hiddenFilters] as const;
      this.convSkip = addConvolution(this, 'conv_skip_', shapeSkip, options);
    }
    const small = { ...options, initialScale: 0.1 };
    const shapeOut = [...kernelSize, active * hiddenFilters, 2 * filters] as const;
    this.convOut = addConvolution(this, 'conv_out_', shapeOut, small);
    this.projections = addProjections(this, conditions, 2 * filters, seed);
    this.inputSpec = shapesOf(inputShape).flatMap((shape) =>
      imageInputSpec(shape.at(-1) as number, shape.length),
    );
    super.build(inputShape);
  }

  /** The shapes [N,H,W,F] of x, [N,H,W,S] of the skip, and [N,K] or [N,H,W,K] of each condition. */
  private readShapes(inputShape: Shape | Shape[]) {
    const [first, ...rest] = shapesOf(inputShape);
    const x = imageInputShape('GatedResBlock', first as Shape);
    if (x[3] !== this.filters)
      throwTypeError(
        `GatedResBlock: filters (${this.filters})`,
        'an input with this number of features',
        x[3],
      );
    const skip = this.hasSkip ? (rest.shift() ?? []) : null;
    const isSkip = skip === null || (skip.length === 4 && isCondition(skip, x));
    if (!isSkip || !rest.every((condition) => isCondition(condition, x))) {
      const wanted = this.hasSkip ? 'x [N,H,W,F], a skip [N,H,W,S]' : 'x [N,H,W,F]';
      throwTypeError(
        'GatedResBlock: inputs',
        `${wanted} and conditions [N,K] or [N,H,W,K], if any`,
        inputShape,
      );
    }
    return { x, skip, conditions: rest };
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return this.readShapes(inputShape).x;
  }

  override express<T>(ops: Ops<T>, [x, ...rest]: readonly [T, ...T[]]): T {
    const conv = ({ kernel, bias }: ConvolutionWeights, of: T, window = this.window) =>
      ops.conv(of, kernel, bias, window);
    const isConcat = this.activation === 'concatElu';
    const activate = (of: T) => (isConcat ? ops.concatElu(of) : ops.pointwise('elu', of)); // [N,H,W,F] -> [N,H,W,2F], or F
    let y = conv(this.convIn as ConvolutionWeights, activate(x)); // [N,H,W,F] -> [N,H,W,H]
    if (this.convSkip !== null) {
      const [skip, ...others] = rest;
      y = ops.combine('add', y, conv(this.convSkip, activate(skip as T), pointWindow)); // [N,H,W,S] -> [N,H,W,H]
      rest = others;
    }
    const kept = ops.dropout(activate(y), this.dropout); // [N,H,W,H] -> [N,H,W,2H], or H
    const halves = conv(this.convOut as ConvolutionWeights, kept); // [N,H,W,2F]
    const gated = conditionedGate(ops, halves, rest, this.projections, { groups: 1, kind: 'linear' });
    return ops.combine('add', x, gated); // [N,H,W,F]
  }

  override getConfig(): serialization.ConfigDict {
    const { filters, hiddenFilters, shift, hasSkip, activation, weightNormalization, seed = null } = this;
    const kernelSize = [...this.window.kernelSize];
    const own = {
      filters,
      hiddenFilters,
      shift,
      kernelSize,
      hasSkip,
      activation,
      weightNormalization,
      dropout: this.dropout.rate,
      seed,
    };
    return { ...super.getConfig(), ...own };
  }
}
serialization.registerClass(GatedResBlock);
provideConcatEluKernels();

/** Makes a {@link GatedResBlock}. */
export function gatedResBlock(args: GatedResBlockArgs): GatedResBlock {
  return new GatedResBlock(args);
}
