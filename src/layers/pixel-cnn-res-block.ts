import { serialization } from '@tensorflow/tfjs-core';
import {
  checkBoolean,
  checkFeatures,
  checkInteger,
  checkKernelSize,
  checkMemory,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import { type KernelWindow, windowOf } from '../core/window';
import type { Ops } from '../program/operations';
import type { DropoutArgs } from '../program/operations/attend';
import { checkRate } from '../program/operations/attend';
import { addConvolution, type ConvolutionWeights, type WeightNormalizationArgs } from './convolution-weights';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { imageInputShape, imageInputSpec, PixelLayer } from './pixel-layer';
import { checkSeed, partSeed, type SeedArgs } from './seeds';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link PixelCNNResBlock}. */
export interface PixelCNNResBlockArgs extends LayerArgs, SeedArgs, WeightNormalizationArgs {
  /** h, a multiple of `imageChannels`; the input must have 2h features. */
  filters: number;
  /** Kernel of the middle convolution, odd. @default 3 */
  kernelSize?: number | [number, number];
  /** Channels of the image (3 for RGB). @default 3 */
  imageChannels?: number;
  /** The probability of dropping a feature in training, after the first convolution. @default 0 */
  dropout?: number;
}

const argNames: NamesOf<PixelCNNResBlockArgs> = {
  filters: true,
  kernelSize: true,
  imageChannels: true,
  dropout: true,
  weightNormalization: true,
  seed: true,
  ...layerArgNames,
};

/** One of the block's convolutions. */
type Conv = ConvolutionWeights & { readonly window: KernelWindow };

/**
 * The residual block of PixelCNN, every convolution with mask B and followed by a ReLU: x +
 * relu(conv1x1_{h->2h}(relu(conv3x3_{h->h}(relu(conv1x1_{2h->h}(x)))))).
 *
 * Input and output [N,H,W,2h]. Weights, in this order: kernel and bias of conv_in [1,1,2h,h], [h], of conv_mid [kernel
 * rows, kernel columns, h,h], [h], and of conv_out [1,1,h,2h], [2h]; with `weightNormalization`, each gain comes
 * between its kernel and bias.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, figure 5
 * (left), section 3.2; the ReLU after the last convolution is that of "The Annotated Pixel-CNN", `PixelCNNResBlock`.
 * Dropout, "on the residual path after the first convolution": Salimans et al., "PixelCNN++" (2017),
 * https://arxiv.org/abs/1701.05517, section 2.6.
 *
 * @throws TypeError naming the argument: `filters` that are not a multiple of `imageChannels`, an input that does not
 * have 2h features, or `dropout` outside [0, 1).
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelCNNResBlock } from 'pixelcnn-layers';
 * const block = pixelCNNResBlock({ filters: 12 });
 * console.log(block.apply(tf.zeros([1, 8, 8, 24])).shape); // [1, 8, 8, 24]
 * ```
 */
export class PixelCNNResBlock extends PixelLayer {
  /** @nocollapse */
  static className = 'PixelCNNResBlock';

  private readonly filters: number;
  private readonly kernelSize: [number, number];
  private readonly imageChannels: number;
  private readonly dropout: DropoutArgs;
  private readonly weightNormalization: boolean;
  private readonly seed: number | undefined;
  /** Each followed by a ReLU. */
  private convs: readonly Conv[] = [];

  constructor(args: PixelCNNResBlockArgs) {
    super(checkLayerArgs(PixelCNNResBlock, new.target, args, argNames));
    this.imageChannels = checkInteger('PixelCNNResBlock: imageChannels', args.imageChannels ?? 3, 1);
    this.filters = checkFeatures('PixelCNNResBlock: filters', args.filters, this.imageChannels);
    this.kernelSize = checkKernelSize('PixelCNNResBlock: kernelSize', args.kernelSize ?? 3);
    this.weightNormalization = checkBoolean(
      'PixelCNNResBlock: weightNormalization',
      args.weightNormalization ?? false,
    );
    this.seed = checkSeed('PixelCNNResBlock', args.seed);
    const rate = checkRate('PixelCNNResBlock: dropout', args.dropout ?? 0);
    this.dropout = { rate, seed: partSeed(this.seed, 'dropout') };
  }

  override build(inputShape: Shape | Shape[]): void {
    const h = this.filters;
    const [, , , featuresIn] = imageInputShape('PixelCNNResBlock', inputShape);
    if (featuresIn !== 2 * h) {
      throwTypeError(
        `PixelCNNResBlock: filters (${h})`,
        `an input of 2 * filters = ${2 * h} features`,
        featuresIn,
      );
    }
    checkMemory('PixelCNNResBlock: filters', [2 * h, h]);
    checkMemory('PixelCNNResBlock: kernelSize, filters', [...this.kernelSize, h, h]);
    this.convs = [
      this.addConv('conv_in', [1, 1], 2 * h, h),
      this.addConv('conv_mid', this.kernelSize, h, h),
      this.addConv('conv_out', [1, 1], h, 2 * h, 0.1),
    ];
    this.inputSpec = imageInputSpec(featuresIn);
    super.build(inputShape);
  }

  private addConv(
    name: string,
    kernelSize: [number, number],
    featuresIn: number,
    featuresOut: number,
    initialScale = 1,
  ): Conv {
    const { imageChannels, seed, weightNormalization } = this;
    const options = { seed, weightNormalization, initialScale };
    const weights = addConvolution(this, `${name}_`, [...kernelSize, featuresIn, featuresOut], options);
    return { ...weights, window: windowOf({ kernelSize, imageChannels }) };
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return imageInputShape('PixelCNNResBlock', inputShape);
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const [first, ...rest] = this.convs as [Conv, ...Conv[]];
    const relu = (y: T, { kernel, bias, window }: Conv) => ops.conv(y, kernel, bias, window, 'relu');
    const kept = ops.dropout(relu(x, first), this.dropout); // [N,H,W,2h] -> [N,H,W,h]
    return ops.combine('add', x, rest.reduce(relu, kept)); // [N,H,W,h] -> [N,H,W,h] -> [N,H,W,2h]
  }

  override getConfig(): serialization.ConfigDict {
    const { filters, kernelSize, imageChannels, weightNormalization, seed = null } = this;
    const own = { filters, kernelSize, imageChannels, dropout: this.dropout.rate, weightNormalization, seed };
    return { ...super.getConfig(), ...own };
  }
}
serialization.registerClass(PixelCNNResBlock);

/** Makes a {@link PixelCNNResBlock}. */
export function pixelCNNResBlock(args: PixelCNNResBlockArgs): PixelCNNResBlock {
  return new PixelCNNResBlock(args);
}
