import { serialization, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { checkArgs, checkBoolean, checkFeatures, checkInteger, checkKernelSize, checkOneOf } from '../check';
import type { MaskType } from '../mask';
import { activation } from '../program/activations';
import type { Features, Program } from '../program/program';
import { imageInputShape, imageInputSpec, oneInput } from './layer-input';
import { MaskedConv } from './masked-conv';
import { readSavedConfig } from './saved-config';
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
 * and constraints (none).
 */
export interface MaskedConv2DArgs extends LayerArgs, SharedArgs {
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
export class MaskedConv2D extends layers.Layer {
  /** @nocollapse */
  static className = 'MaskedConv2D';

  private readonly filters: number;
  private readonly kernelSize: [number, number];
  private readonly maskType: MaskType;
  private readonly imageChannels: number;
  private readonly vertical: boolean;
  private readonly settings: Settings;
  private conv?: MaskedConv;

  constructor(args: MaskedConv2DArgs) {
    super(checkArgs('MaskedConv2D', args));
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
    const { name, filters, kernelSize } = this;
    this.settings = layers.conv2d({ ...shared, name, filters, kernelSize }) as unknown as Settings;
  }

  override build(inputShape: Shape | Shape[]): void {
    const featuresIn = checkFeatures(
      'MaskedConv2D: input features',
      imageInputShape('MaskedConv2D', inputShape)[3],
      this.imageChannels,
    );
    const { filters, kernelSize, maskType, imageChannels, vertical, settings } = this;
    const kernel = this.addWeight(
      'kernel',
      [...kernelSize, featuresIn, filters],
      'float32',
      settings.kernelInitializer,
      settings.kernelRegularizer,
      true,
      settings.kernelConstraint,
    );
    const bias = settings.useBias
      ? this.addWeight(
          'bias',
          [filters],
          'float32',
          settings.biasInitializer,
          settings.biasRegularizer,
          true,
          settings.biasConstraint,
        )
      : undefined;
    const mask = { kernelSize, featuresIn, featuresOut: filters, maskType, imageChannels, vertical };
    this.conv = new MaskedConv(kernel, bias, mask);
    this.inputSpec = imageInputSpec(featuresIn);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [n, h, w] = imageInputShape('MaskedConv2D', inputShape);
    return [n, h, w, this.filters];
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { conv, settings } = this;
      if (conv === undefined) throw new Error('MaskedConv2D: called before it was built');
      const isRelu = settings.activation.getClassName() === 'relu';
      const y = conv.apply(oneInput(inputs), isRelu ? 'relu' : 'linear'); // [N,H,W,filters]
      return isRelu ? y : settings.activation.apply(y);
    });
  }

  /** Built of a program's operations, for incremental sampling. */
  incremental(program: Program, inputs: readonly Features[]): Features | null {
    const [input] = inputs;
    if (this.conv === undefined || input === undefined) return null;
    return activation(
      program,
      this.settings.activation.getClassName(),
      this.conv.incremental(program, input),
    );
  }

  override getConfig(): serialization.ConfigDict {
    const settings = this.settings.getConfig();
    const shared = Object.fromEntries(SHARED.map((name) => [name, settings[name] ?? null]));
    const { filters, kernelSize, maskType, imageChannels, vertical } = this;
    return { ...super.getConfig(), ...shared, filters, kernelSize, maskType, imageChannels, vertical };
  }

  /** @nocollapse */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    return new cls(readSavedConfig(config));
  }

  protected override disposeWeights(): number {
    this.conv?.dispose();
    return super.disposeWeights();
  }
}
serialization.registerClass(MaskedConv2D);

/** Makes a {@link MaskedConv2D}. */
export function maskedConv2d(args: MaskedConv2DArgs): MaskedConv2D {
  return new MaskedConv2D(args);
}
