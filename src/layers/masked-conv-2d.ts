import { serialization, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import {
  checkBoolean,
  checkFeatures,
  checkInteger,
  checkKernelSize,
  checkMemory,
  checkOneOf,
  type NamesOf,
} from '../core/check';
import { type MaskType, type Window, windowOf } from '../core/window';
import { useOwnKernels } from '../ops/own-kernels';
import type { LayerWeight, Ops } from '../program/ops';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { asFloat, imageInputShape, imageInputSpec, PixelLayer } from './pixel-layer';
import { checkSeed, partSeed, type SeedArgs, seededInitializer } from './seeds';
import { activation } from './stock-layers';
import type { Constraint, Initializer, LayerArgs, Regularizer, Shape } from './types';

type Conv2DArgs = Parameters<typeof layers.conv2d>[0];

/** Arguments that a masked convolution shares with tfjs-layers' own convolution, with the same meaning. */
const SHARED = [
  'activation',
  'useBias',
  'kernelInitializer',
  'biasInitializer',
  'kernelRegularizer',
  'biasRegularizer',
  'kernelConstraint',
  'biasConstraint',
] as const;

type SharedArgs = Pick<Conv2DArgs, (typeof SHARED)[number]>;

/**
 * Arguments of {@link MaskedConv2D}. Those that tfjs's `conv2d` has mean what they mean there: `activation`
 * (none), `useBias` (true), `kernelInitializer` ('glorotUniform'), `biasInitializer` ('zeros'), regularizers
 * and constraints (none). `seed` is for initializers that have none of their own.
 */
export interface MaskedConv2DArgs extends LayerArgs, SharedArgs, SeedArgs {
  /** Features that go out, a multiple of `imageChannels`. */
  filters: number;
  /** Rows and columns of the kernel, odd; one number for a square kernel. */
  kernelSize: number | [number, number];
  /** 'A' for the layer that reads the image, 'B' for every later one. @default 'B' */
  maskType?: MaskType;
  /** Channels of the image (3 for RGB); features are split into as many groups. @default 3 */
  imageChannels?: number;
  /** A layer of a vertical stack, which sees the rows above only: see {@link getMask}. @default false */
  vertical?: boolean;
}

const argNames: NamesOf<MaskedConv2DArgs> = {
  filters: true,
  kernelSize: true,
  maskType: true,
  imageChannels: true,
  vertical: true,
  seed: true,
  activation: true,
  useBias: true,
  kernelInitializer: true,
  biasInitializer: true,
  kernelRegularizer: true,
  biasRegularizer: true,
  kernelConstraint: true,
  biasConstraint: true,
  ...layerArgNames,
};

/** What tfjs-layers' own convolution makes of the shared arguments. */
interface Settings {
  activation: { apply(x: Tensor): Tensor; getClassName(): string };
  useBias: boolean;
  kernelInitializer: Initializer;
  biasInitializer: Initializer;
  kernelRegularizer: Regularizer;
  biasRegularizer: Regularizer;
  kernelConstraint: Constraint;
  biasConstraint: Constraint;
  getConfig(): serialization.ConfigDict;
}

/**
 * A convolution that sees no pixel to come: rows above, pixels to the left, and of the present pixel the
 * channels that {@link getMask} allows. Stride 1; zero padding keeps height and width.
 *
 * Input [N,H,W,in], output [N,H,W,filters]. Weights: kernel [kernel rows, kernel columns, in, filters],
 * whole, also where masked, so that weights trained elsewhere load as they are; bias [filters].
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), section 3.4; "The Annotated
 * Pixel-CNN", `MaskedConv2D`.
 *
 * @throws TypeError naming the argument: even kernels, other mask types than 'A' and 'B', `filters` or input
 * features that `imageChannels` does not divide.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { maskedConv2d } from 'pixelcnn-layers';
 * const layer = maskedConv2d({ filters: 6, kernelSize: 7, maskType: 'A' });
 * console.log(layer.apply(tf.zeros([1, 8, 8, 3])).shape); // [1, 8, 8, 6]
 * ```
 */
export class MaskedConv2D extends PixelLayer {
  /** @nocollapse */
  static className = 'MaskedConv2D';

  private readonly filters: number;
  private readonly kernelSize: [number, number];
  private readonly maskType: MaskType;
  private readonly imageChannels: number;
  private readonly vertical: boolean;
  private readonly settings: Settings;
  private readonly seed: number | undefined;
  private readonly window: Window;
  private kernel?: LayerWeight;
  private biases: LayerWeight | null = null;

  constructor(args: MaskedConv2DArgs) {
    super(checkLayerArgs(MaskedConv2D, new.target, args, argNames));
    this.imageChannels = checkInteger('MaskedConv2D: imageChannels', args.imageChannels ?? 3, 1);
    this.filters = checkFeatures('MaskedConv2D: filters', args.filters, this.imageChannels);
    this.kernelSize = checkKernelSize('MaskedConv2D: kernelSize', args.kernelSize);
    this.maskType = checkOneOf('MaskedConv2D: maskType', args.maskType ?? 'B', ['A', 'B']);
    this.vertical = checkBoolean('MaskedConv2D: vertical', args.vertical ?? false);
    // tfjs-layers exports no reader of activations, initializers, regularizers and constraints, so its own
    // convolution,
    // never built, reads them for us and writes them into the config.
    const given = SHARED.filter((name) => args[name] != null).map((name) => [name, args[name]]);
    const shared: SharedArgs = { kernelInitializer: 'glorotUniform', ...Object.fromEntries(given) };
    this.seed = checkSeed('MaskedConv2D', args.seed);
    const { name, filters, kernelSize } = this;
    this.settings = layers.conv2d({ ...shared, name, filters, kernelSize }) as unknown as Settings;
    const { maskType, imageChannels, vertical } = this;
    this.window = windowOf({ kernelSize, maskType, imageChannels, vertical });
  }

  override build(inputShape: Shape | Shape[]): void {
    const featuresIn = checkFeatures(
      'MaskedConv2D: input features',
      imageInputShape('MaskedConv2D', inputShape)[3],
      this.imageChannels,
    );
    const { filters, kernelSize, settings, seed } = this;
    checkMemory('MaskedConv2D: kernelSize, input features, filters', [...kernelSize, featuresIn, filters]);
    this.kernel = this.addWeight(
      'kernel',
      [...kernelSize, featuresIn, filters],
      'float32',
      seededInitializer(settings.kernelInitializer, partSeed(seed, 'kernel')),
      settings.kernelRegularizer,
      true,
      settings.kernelConstraint,
    );
    this.biases = settings.useBias
      ? this.addWeight(
          'bias',
          [filters],
          'float32',
          seededInitializer(settings.biasInitializer, partSeed(seed, 'bias')),
          settings.biasRegularizer,
          true,
          settings.biasConstraint,
        )
      : null;
    this.inputSpec = imageInputSpec(featuresIn);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [n, h, w] = imageInputShape('MaskedConv2D', inputShape);
    return [n, h, w, this.filters];
  }

  override express<T>(ops: Ops<T>, inputs: readonly T[]): T | null {
    const name = this.settings.activation.getClassName();
    const fn = activation(name);
    const y = this.convolve(ops, inputs, name === 'relu'); // [N,H,W,in] -> [N,H,W,filters]
    return name === 'relu' ? y : (fn?.(ops, y) ?? null);
  }

  private convolve<T>(ops: Ops<T>, [x]: readonly T[], isRelu: boolean): T {
    return ops.conv(x as T, this.kernel as LayerWeight, this.biases, this.window, isRelu ? 'relu' : 'linear');
  }

  /** An activation that is registered beside tfjs's own is not part of `express`. */
  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    const { activation: own } = this.settings;
    if (activation(own.getClassName()) !== null || !this.built) return super.call(inputs, kwargs);
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      return own.apply(this.convolve(this.tensorOps, [inputs].flat().map(asFloat), false));
    });
  }

  override getConfig(): serialization.ConfigDict {
    const settings = this.settings.getConfig();
    const shared = Object.fromEntries(SHARED.map((name) => [name, settings[name] ?? null]));
    const { filters, kernelSize, maskType, imageChannels, vertical, seed = null } = this;
    return { ...super.getConfig(), ...shared, filters, kernelSize, maskType, imageChannels, vertical, seed };
  }

  /** @nocollapse */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { maskType } = config;
    // tfjs writes 'A' as 'a', as it rewrites every string to snake case.
    return new cls(typeof maskType === 'string' ? { ...config, maskType: maskType.toUpperCase() } : config);
  }
}
serialization.registerClass(MaskedConv2D);

/** Makes a {@link MaskedConv2D}. */
export function maskedConv2d(args: MaskedConv2DArgs): MaskedConv2D {
  useOwnKernels();
  return new MaskedConv2D(args);
}
