import { type Given, integer, multipleOf, optional, rate, type Values } from '../core/arguments';
import { windowAround } from '../core/window';
import { provideLSTMKernels } from '../ops/pixel-lstm';
import type { Ops } from '../program/operations';
import type { LayerWeight } from '../program/weights';
import { checkMap, DeclaredLayer } from './declared-layer';
import { dropoutOf, seedArguments } from './seeds';
import { weightArguments } from './stock-arguments';
import type { LayerArgs, Shape } from './types';

provideLSTMKernels();

/** Arguments of every recurrent block. */
export const recurrentArguments = {
  /** Channels of the image (3 for RGB). @default 3 */
  imageChannels: optional(integer({ from: 1 }), 3),
  /** F, the features of the state, a multiple of `imageChannels`; the input must have 2F features. */
  filters: multipleOf('imageChannels'),
  /** The probability of dropping a feature of h in training, before the 1x1 convolution, in [0, 1). @default 0 */
  dropout: rate(),
  ...weightArguments,
  ...seedArguments,
};

/**
 * Arguments of every recurrent block. Those that tfjs's `conv2d` has too mean the same as there, for each kernel and each
 * bias: also that of the forget gate begins with zeros, where Keras begins with ones. `seed` is for initializers that have
 * no seed of their own.
 */
export interface RecurrentBlockArgs extends LayerArgs, Given<typeof recurrentArguments> {}

/** The weights of the four parts of the gates: a convolution of the input, with mask B, and one of the state. */
export interface Recurrence {
  readonly inputKernel: LayerWeight;
  readonly bias: LayerWeight;
  readonly stateKernel: LayerWeight;
}

/**
 * What the blocks of PixelRNN have in common: x + conv1x1(h), with mask B, where h [N,H,W,F] is the output of one or
 * more LSTMs that read x [N,H,W,2F]. Each block adds their weights in `addRecurrences` and computes h in `recur`.
 */
export abstract class RecurrentBlock<
  Settings extends Values<typeof recurrentArguments>,
  Args extends RecurrentBlockArgs,
> extends DeclaredLayer<Settings, Args> {
  private readonly dropout = dropoutOf(this.settings);
  protected readonly pointWindow = windowAround([1, 1], 'B', this.settings.imageChannels);
  private outKernel?: LayerWeight;
  private outBias?: LayerWeight;

  /** Adds the weights of h. */
  protected abstract addRecurrences(): void;

  /** h [N,H,W,F] of x [N,H,W,2F]. */
  protected abstract recur<T>(ops: Ops<T>, x: T): T;

  protected override checkInputs(shapes: readonly Shape[]): void {
    checkMap('input', shapes, 2 * this.settings.filters, '2 * filters');
  }

  protected override addWeights(): void {
    const { filters } = this.settings;
    this.addRecurrences();
    this.outKernel = this.addKernel('out_kernel', [1, 1, filters, 2 * filters]);
    this.outBias = this.addBias('out_bias', 2 * filters);
  }

  /**
   * Adds the weights of an LSTM: kernels of the input [rows,columns,2F,4F], with a bias [4F], and of the state
   * [rows,columns,F,4F]. Their names begin with `prefix`.
   */
  protected addRecurrence(
    prefix: string,
    inputSize: readonly [number, number],
    stateSize: readonly [number, number],
  ): Recurrence {
    const { filters } = this.settings;
    return {
      inputKernel: this.addKernel(`${prefix}input_kernel`, [...inputSize, 2 * filters, 4 * filters]),
      bias: this.addBias(`${prefix}bias`, 4 * filters),
      stateKernel: this.addKernel(`${prefix}state_kernel`, [...stateSize, filters, 4 * filters]),
    };
  }

  private addKernel(name: string, shape: number[]): LayerWeight {
    const { kernelInitializer, kernelRegularizer, kernelConstraint } = this.settings;
    return this.addSeededWeight(name, shape, {
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    });
  }

  private addBias(name: string, features: number): LayerWeight {
    const { biasInitializer, biasRegularizer, biasConstraint } = this.settings;
    return this.addSeededWeight(name, [features], {
      initializer: biasInitializer,
      regularizer: biasRegularizer,
      constraint: biasConstraint,
    });
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const h = ops.dropout(this.recur(ops, x), this.dropout); // [N,H,W,2F] -> [N,H,W,F]
    const y = ops.conv(h, this.outKernel as LayerWeight, this.outBias as LayerWeight, this.pointWindow); // [N,H,W,F] -> [N,H,W,2F]
    return ops.combine('add', x, y);
  }
}
