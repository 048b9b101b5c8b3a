import { serialization } from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkKernelSize, checkOneOf, type NamesOf } from '../core/check';
import { type KernelWindow, type MaskType, windowOf } from '../core/window';
import { CausalConv2D, type CausalConv2DArgs, causalConvArgNames } from './causal-conv-2d';
import { checkLayerArgs } from './layer-args';

/** Arguments of {@link MaskedConv2D}, beside those of every causal convolution. */
export interface MaskedConv2DArgs extends CausalConv2DArgs {
  /** The number of output features, a multiple of `imageChannels`. */
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
  ...causalConvArgNames,
  kernelSize: true,
  maskType: true,
  imageChannels: true,
  vertical: true,
};

/**
 * A convolution that sees no later pixel: only the rows above, the pixels to the left, and those channels of the
 * present pixel that {@link getMask} allows. Stride 1; zero padding keeps height and width.
 *
 * Input [N,H,W,in], output [N,H,W,filters]. Weights: kernel [kernel rows, kernel columns, in, filters], including the
 * masked part, so that weights trained elsewhere load unchanged; gain [filters] with `weightNormalization`; bias
 * [filters].
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, section 3.4;
 * "The Annotated Pixel-CNN", `MaskedConv2D`.
 *
 * @throws TypeError naming the argument: an even kernel size, a mask type other than 'A' and 'B', `filters` or input
 * features that are not a multiple of `imageChannels`.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { maskedConv2d } from 'pixelcnn-layers';
 * const layer = maskedConv2d({ filters: 6, kernelSize: 7, maskType: 'A' });
 * console.log(layer.apply(tf.zeros([1, 8, 8, 3])).shape); // [1, 8, 8, 6]
 * ```
 */
export class MaskedConv2D extends CausalConv2D {
  /** @nocollapse */
  static className = 'MaskedConv2D';

  protected readonly window: KernelWindow;
  private readonly kernelSize: [number, number];
  private readonly maskType: MaskType;
  private readonly vertical: boolean;

  constructor(args: MaskedConv2DArgs) {
    checkLayerArgs(MaskedConv2D, new.target, args, argNames);
    const imageChannels = checkInteger('MaskedConv2D: imageChannels', args.imageChannels ?? 3, 1);
    super(args, imageChannels);
    this.kernelSize = checkKernelSize('MaskedConv2D: kernelSize', args.kernelSize);
    this.maskType = checkOneOf('MaskedConv2D: maskType', args.maskType ?? 'B', ['A', 'B']);
    this.vertical = checkBoolean('MaskedConv2D: vertical', args.vertical ?? false);
    const { kernelSize, maskType, vertical } = this;
    this.window = windowOf({ kernelSize, maskType, imageChannels, vertical });
  }

  override getConfig(): serialization.ConfigDict {
    const { kernelSize, maskType, vertical } = this;
    const { imageChannels } = this.window;
    return { ...super.getConfig(), kernelSize, maskType, imageChannels, vertical };
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
  return new MaskedConv2D(args);
}
