import { type serialization, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { checkBoolean, checkFeatures, checkMemory, type NamesOf } from '../core/check';
import type { KernelWindow } from '../core/window';
import type { Ops } from '../program/operations';
import { addConvolution, type ConvolutionWeights, type WeightNormalizationArgs } from './convolution-weights';
import { layerArgNames } from './layer-args';
import { asFloat, imageInputShape, imageInputSpec, PixelLayer } from './pixel-layer';
import { checkSeed, type SeedArgs } from './seeds';
import { resized } from './shape-ops';
import {
  configOf,
  type ParsedWeightArgs,
  parsedConvolution,
  type WeightArgs,
  weightArgNames,
  weightArgs,
} from './stock-arguments';
import { activation } from './stock-layers';
import type { LayerArgs, Shape } from './types';

/** Arguments that a causal convolution shares with tfjs-layers' own convolution, with the same meaning. */
const SHARED = ['activation', 'useBias', ...weightArgs] as const;

type SharedArgs = WeightArgs & Pick<Parameters<typeof layers.conv2d>[0], 'activation' | 'useBias'>;

/**
 * Arguments of every causal convolution. The following mean the same as in tfjs's `conv2d`, with these defaults:
 * `activation` (none), `useBias` (true), `kernelInitializer` ('glorotUniform'; with weight normalization, a normal
 * distribution with a standard deviation of 0.05), `biasInitializer` ('zeros'), regularizers and constraints (none).
 * `seed` is for initializers that have no seed of their own.
 */
export interface CausalConv2DArgs extends LayerArgs, SharedArgs, SeedArgs, WeightNormalizationArgs {
  /** The number of output features. */
  filters: number;
}

export const causalConvArgNames: NamesOf<CausalConv2DArgs> = {
  filters: true,
  weightNormalization: true,
  seed: true,
  activation: true,
  useBias: true,
  ...weightArgNames,
  ...layerArgNames,
};

/** What tfjs-layers' own convolution makes of the shared arguments. */
interface Settings extends ParsedWeightArgs {
  readonly activation: { apply(x: Tensor): Tensor; getClassName(): string };
  readonly useBias: boolean;
}

/**
 * What all causal convolutions have in common. The `window` of each defines what it sees.
 *
 * Input [N,H,W,in], output [N,H,W,filters], or with another height and width if the window has a stride. Weights:
 * kernel [kernel rows, kernel columns, in, filters], including the masked part, so that weights trained elsewhere load
 * unchanged; gain [filters] with `weightNormalization`; bias [filters].
 */
export abstract class CausalConv2D extends PixelLayer {
  protected readonly filters: number;
  protected abstract readonly window: KernelWindow;
  private readonly weightNormalization: boolean;
  private readonly settings: Settings;
  /** Whether the caller chose a kernel initializer. */
  private readonly hasInitializer: boolean;
  private readonly seed: number | undefined;
  private convolution?: ConvolutionWeights;

  /** `imageChannels` is the number of groups that features are split into. The names of arguments have been checked. */
  constructor(args: CausalConv2DArgs, imageChannels: number) {
    super(args);
    const what = this.getClassName();
    this.filters = checkFeatures(`${what}: filters`, args.filters, imageChannels);
    this.weightNormalization = checkBoolean(
      `${what}: weightNormalization`,
      args.weightNormalization ?? false,
    );
    this.seed = checkSeed(what, args.seed);
    this.hasInitializer = args.kernelInitializer != null;
    this.settings = parsedConvolution(this.name, args, SHARED) as Settings;
  }

  override build(inputShape: Shape | Shape[]): void {
    const what = this.getClassName();
    const { filters, settings, seed, weightNormalization } = this;
    const { kernelSize, imageChannels } = this.window;
    this.computeOutputShape(inputShape); // checks it, before any weight is made
    const [, , , features] = imageInputShape(what, inputShape);
    const featuresIn = checkFeatures(`${what}: input features`, features, imageChannels);
    checkMemory(`${what}: kernelSize, input features, filters`, [...kernelSize, featuresIn, filters]);
    const kernelInitializer = this.hasInitializer ? settings.kernelInitializer : undefined;
    const options = { ...settings, seed, weightNormalization, kernelInitializer };
    this.convolution = addConvolution(this, '', [...kernelSize, featuresIn, filters], options);
    this.inputSpec = imageInputSpec(featuresIn);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const what = this.getClassName();
    const [n, h, w] = resized(`${what}: input`, imageInputShape(what, inputShape), this.window);
    return [n as Shape[0], h as Shape[0], w as Shape[0], this.filters];
  }

  override express<T>(ops: Ops<T>, inputs: readonly [T, ...T[]]): T | null {
    const name = this.settings.activation.getClassName();
    const fn = activation(name);
    const y = this.convolve(ops, inputs, name === 'relu'); // [N,H,W,in] -> [N,H,W,filters]
    return name === 'relu' ? y : (fn?.(ops, y) ?? null);
  }

  private convolve<T>(ops: Ops<T>, [x]: readonly [T, ...T[]], isRelu: boolean): T {
    const { kernel, bias } = this.convolution as ConvolutionWeights;
    return ops.conv(x, kernel, bias, this.window, isRelu ? 'relu' : 'linear');
  }

  /** An activation that is registered beside tfjs's own is not part of `express`. */
  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    const { activation: own } = this.settings;
    if (activation(own.getClassName()) !== null || !this.built) return super.call(inputs, kwargs);
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const [x] = [inputs].flat() as [Tensor]; // tfjs passes one input alone or in a list
      this.computeOutputShape(x.shape); // checks it
      return own.apply(this.convolve(this.tensorOps, [asFloat(x)], false));
    });
  }

  override getConfig(): serialization.ConfigDict {
    const shared = configOf(this.settings, SHARED);
    if (!this.hasInitializer) shared['kernelInitializer'] = null;
    const { filters, weightNormalization, seed = null } = this;
    return { ...super.getConfig(), ...shared, filters, weightNormalization, seed };
  }
}
