import type { serialization } from '@tensorflow/tfjs-core';
import { checkFeatures, checkInteger, checkMemory, type NamesOf, throwTypeError } from '../core/check';
import { type KernelWindow, windowOf } from '../core/window';
import { provideLSTMKernels } from '../ops/pixel-lstm';
import type { Ops } from '../program/operations';
import type { DropoutArgs } from '../program/operations/attend';
import { checkRate } from '../program/operations/attend';
import type { LayerWeight } from '../program/weights';
import { layerArgNames } from './layer-args';
import { imageInputShape, imageInputSpec, PixelLayer } from './pixel-layer';
import { checkSeed, partSeed, type SeedArgs, seededInitializer } from './seeds';
import {
  configOf,
  type ParsedWeightArgs,
  parsedConvolution,
  type WeightArgs,
  weightArgNames,
  weightArgs,
} from './stock-arguments';
import type { LayerArgs, Shape } from './types';

provideLSTMKernels();

/**
 * Arguments of every recurrent block. The following mean the same as in tfjs's `conv2d`, for each kernel and each bias:
 * `kernelInitializer` ('glorotUniform'), `biasInitializer` ('zeros', for the forget gate too, which Keras begins at 1),
 * regularizers and constraints (none). `seed` is for initializers that have no seed of their own.
 */
export interface RecurrentBlockArgs extends LayerArgs, WeightArgs, SeedArgs {
  /** F, the features of the state, a multiple of `imageChannels`; the input must have 2F features. */
  filters: number;
  /** Channels of the image (3 for RGB). @default 3 */
  imageChannels?: number;
  /** The probability of dropping a feature of h in training, before the 1x1 convolution, in [0, 1). @default 0 */
  dropout?: number;
}

export const recurrentBlockArgNames: NamesOf<RecurrentBlockArgs> = {
  filters: true,
  imageChannels: true,
  dropout: true,
  ...weightArgNames,
  seed: true,
  ...layerArgNames,
};

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
export abstract class RecurrentBlock extends PixelLayer {
  protected readonly filters: number;
  protected readonly imageChannels: number;
  private readonly dropout: DropoutArgs;
  private readonly seed: number | undefined;
  private readonly settings: ParsedWeightArgs;
  private readonly pointWindow: KernelWindow;
  private outKernel?: LayerWeight;
  private outBias?: LayerWeight;

  /** The names of arguments have been checked. */
  constructor(args: RecurrentBlockArgs) {
    super(args);
    const what = this.getClassName();
    const { imageChannels = 3 } = args;
    this.imageChannels = checkInteger(`${what}: imageChannels`, imageChannels, 1);
    this.filters = checkFeatures(`${what}: filters`, args.filters, imageChannels);
    checkMemory(`${what}: filters`, [2 * this.filters, 4 * this.filters]);
    this.seed = checkSeed(what, args.seed);
    const rate = checkRate(`${what}: dropout`, args.dropout ?? 0);
    this.dropout = { rate, seed: partSeed(this.seed, 'dropout') };
    this.settings = parsedConvolution(this.name, args, weightArgs);
    this.pointWindow = windowOf({ kernelSize: 1, imageChannels });
  }

  /** Adds the weights of h. */
  protected abstract addRecurrences(): void;

  /** h [N,H,W,F] of x [N,H,W,2F]. */
  protected abstract recur<T>(ops: Ops<T>, x: T): T;

  override build(inputShape: Shape | Shape[]): void {
    const what = this.getClassName();
    const { filters } = this;
    const [, , , featuresIn] = imageInputShape(what, inputShape);
    if (featuresIn !== 2 * filters) {
      const wanted = `an input of 2 * filters = ${2 * filters} features`;
      throwTypeError(`${what}: filters (${filters})`, wanted, featuresIn);
    }
    this.addRecurrences();
    this.outKernel = this.addKernel('out_kernel', [1, 1, filters, 2 * filters]);
    this.outBias = this.addBias('out_bias', 2 * filters);
    this.inputSpec = imageInputSpec(featuresIn);
    super.build(inputShape);
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
    const { filters } = this;
    return {
      inputKernel: this.addKernel(`${prefix}input_kernel`, [...inputSize, 2 * filters, 4 * filters]),
      bias: this.addBias(`${prefix}bias`, 4 * filters),
      stateKernel: this.addKernel(`${prefix}state_kernel`, [...stateSize, filters, 4 * filters]),
    };
  }

  private addKernel(name: string, shape: number[]): LayerWeight {
    const { kernelInitializer, kernelRegularizer, kernelConstraint } = this.settings;
    const initializer = seededInitializer(kernelInitializer, partSeed(this.seed, name));
    return this.addWeight(name, shape, 'float32', initializer, kernelRegularizer, true, kernelConstraint);
  }

  private addBias(name: string, features: number): LayerWeight {
    const { biasInitializer, biasRegularizer, biasConstraint } = this.settings;
    const initializer = seededInitializer(biasInitializer, partSeed(this.seed, name));
    return this.addWeight(name, [features], 'float32', initializer, biasRegularizer, true, biasConstraint);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return imageInputShape(this.getClassName(), inputShape);
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const h = ops.dropout(this.recur(ops, x), this.dropout); // [N,H,W,2F] -> [N,H,W,F]
    const y = ops.conv(h, this.outKernel as LayerWeight, this.outBias as LayerWeight, this.pointWindow); // [N,H,W,F] -> [N,H,W,2F]
    return ops.combine('add', x, y);
  }

  override getConfig(): serialization.ConfigDict {
    const shared = configOf(this.settings, weightArgs);
    const { filters, imageChannels, seed = null } = this;
    return { ...super.getConfig(), ...shared, filters, imageChannels, dropout: this.dropout.rate, seed };
  }
}
