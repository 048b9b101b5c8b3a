import { provideConcatEluKernels } from '../ops/concat-elu';
import {
  derived,
  flag,
  type Given,
  integer,
  oneOf,
  optional,
  rate,
  type Values,
} from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import {
  dilationArguments,
  type Shift,
  shiftedArguments,
  shiftedWindow,
} from '../runtime/core/declared-window';
import { type KernelWindow, pointWindow } from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import { addGate, areConditions } from './conditions';
import { addConvolution, normalizationArguments } from './convolution-weights';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { dropoutOf, seedArguments } from './seeds';
import type { LayerArgs, Shape } from './types';

const kernelSizes: Partial<Record<Shift, [number, number]>> = { down: [2, 3], downRight: [2, 2] };

const declared = {
  /** F, the number of input and output features. */
  filters: integer({ from: 1 }),
  /** H, the number of features between the two convolutions. @default filters */
  hiddenFilters: derived(integer({ from: 1 }), ({ filters }) => filters),
  /** Where the windows of its convolutions lie: see {@link ShiftedConv2D}. */
  shift: shiftedArguments().shift,
  /** Rows and columns of its windows, odd or even. @default [2, 3] for `'down'`, [2, 2] for `'downRight'`, else 3 */
  kernelSize: derived(shiftedArguments().kernelSize, ({ shift }) => kernelSizes[shift as Shift] ?? 3),
  ...dilationArguments,
  /** Whether the second input is a skip [N,H,W,S], added after the first convolution, and not a condition. @default false */
  hasSkip: flag(false),
  /** The activation before each convolution. `'elu'` halves the features that are read. @default 'concatElu' */
  activation: optional(oneOf('concatElu', 'elu'), 'concatElu'),
  /** The probability of dropping a feature in training, before the second convolution. @default 0 */
  dropout: rate(),
  ...normalizationArguments,
  ...seedArguments,
};

/** Arguments of {@link GatedResBlock}. */
export interface GatedResBlockArgs extends LayerArgs, Given<typeof declared> {}

/**
 * The gated residual block of PixelCNN++. With a second input `a`, the skip, and a condition h, it computes:
 *
 *     y = conv_{2F->H}(concatElu(x)) + conv1x1_{2S->H}(concatElu(a))
 *     b, c = halves of conv_{2H->2F}(dropout(concatElu(y))) + projection(h)
 *     x + b sigmoid(c)
 *
 * With `activation: 'elu'` it is the block of PixelSNAIL.
 *
 * x [N,H,W,F], or [x, a, condition, ...], -> [N,H,W,F]: `a` [N,H,W,S] if `hasSkip`, conditions [N,K] or [N,H,W,K].
 *
 * Weights: kernel, gain (with `weightNormalization`) and bias of each convolution: conv_in
 * [rows,columns,2F,H]; conv_skip [1,1,2S,H], with a skip; conv_out [rows,columns,2H,2F], with an initial gain
 * of 0.1. Then a kernel [1,1,K,2F] for each condition. With `'elu'`, kernels read F, S and H features.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.4 to 2.6, and its code:
 * `gated_resnet`. Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763, figure 4.
 *
 * @throws TypeError naming the argument, or an input that does not have `filters` features.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { gatedResBlock } from 'pixelcnn-layers';
 * const block = gatedResBlock({ filters: 12, shift: 'down', weightNormalization: true });
 * console.log(block.apply(tf.zeros([1, 8, 8, 12])).shape); // [1, 8, 8, 12]
 * ```
 */
export class GatedResBlock extends DeclaredLayer<Values<typeof declared>, GatedResBlockArgs> {
  private readonly window = shiftedWindow('GatedResBlock', this.settings);

  protected override checkInputs([x = [], ...rest]: readonly Shape[]): void {
    const { filters, hasSkip } = this.settings;
    checkMap('input', [x], filters, 'filters');
    const isSkip = !hasSkip || rest[0]?.length === 4;
    if (!isSkip || !areConditions(rest, x)) {
      const wanted = hasSkip ? 'x [N,H,W,F], a skip [N,H,W,S]' : 'x [N,H,W,F]';
      throwTypeError('inputs', `${wanted} and conditions [N,K] or [N,H,W,K], if any`, [x, ...rest]);
    }
  }

  protected override addWeights([, ...rest]: readonly Shape[]): Arithmetic {
    const { filters, hiddenFilters, activation, hasSkip } = this.settings;
    const dropout = dropoutOf(this.settings);
    const isConcat = activation === 'concatElu';
    const activate = <T>(ops: Ops<T>, x: T) => (isConcat ? ops.concatElu(x) : ops.pointwise('elu', x)); // [N,H,W,F] -> [N,H,W,2F], or F
    const add = (name: string, window: KernelWindow, from: number, to: number, initialScale = 1) => {
      const sizes = [isConcat ? 2 * from : from, to] as const;
      return addConvolution(this, `${name}_`, window, sizes, { ...this.settings, initialScale });
    };
    const numSkips = hasSkip ? 1 : 0;
    const convIn = add('conv_in', this.window, filters, hiddenFilters);
    const convSkip = hasSkip && add('conv_skip', pointWindow, rest[0]?.at(-1) as number, hiddenFilters);
    const convOut = add('conv_out', this.window, hiddenFilters, 2 * filters, 0.1);
    const gate = addGate(this, rest.slice(numSkips), 2 * filters, 1, 'linear');
    return (ops, [x, ...rest]) => {
      let y = convIn(ops, activate(ops, x)); // [N,H,W,F] -> [N,H,W,H]
      if (convSkip) y = ops.combine('add', y, convSkip(ops, activate(ops, rest[0] as typeof x))); // [N,H,W,S] -> [N,H,W,H]
      const kept = ops.dropout(activate(ops, y), dropout); // [N,H,W,H] -> [N,H,W,2H], or H
      const gated = gate(ops, convOut(ops, kept), rest.slice(numSkips)); // [N,H,W,2F] -> [N,H,W,F]
      return ops.combine('add', x, gated);
    };
  }
}
defineLayer(GatedResBlock, 'GatedResBlock', declared);
provideConcatEluKernels();

/** Makes a {@link GatedResBlock}. */
export const gatedResBlock = (args: GatedResBlockArgs) => new GatedResBlock(args);
