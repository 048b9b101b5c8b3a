import { add, serialization, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import { checkArgs, checkFeatures, checkInteger, checkKernelSize, wrong } from '../check';
import type { Features, Program } from '../program/program';
import { imageInputShape, imageInputSpec, oneInput } from './layer-input';
import { MaskedConv } from './masked-conv';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link PixelCNNResBlock}. */
export interface PixelCNNResBlockArgs extends LayerArgs {
  /** h, a multiple of `imageChannels`; the input must have 2h features. */
  filters: number;
  /** Kernel of the middle convolution, odd. @default 3 */
  kernelSize?: number | [number, number];
  /** Channels of the image (3 for RGB). @default 3 */
  imageChannels?: number;
}

/**
 * The residual block of PixelCNN, every convolution with mask B and followed by a ReLU: x +
 * relu(conv1x1_{h->2h}(relu(conv3x3_{h->h}(relu(conv1x1_{2h->h}(x)))))).
 *
 * Input and output [N,H,W,2h]. Weights, in this order: kernel and bias of conv_in [1,1,2h,h], [h], of
 * conv_mid [kernel rows, kernel columns, h,h], [h], and of conv_out [1,1,h,2h], [2h].
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), figure 5 (left), section 3.2; the
 * ReLU after the last convolution is that of "The Annotated Pixel-CNN", `PixelCNNResBlock`.
 *
 * @throws TypeError naming the argument: `filters` that `imageChannels` does not divide, an input that has
 * not 2h features.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelCNNResBlock } from 'pixelcnn-layers';
 * const block = pixelCNNResBlock({ filters: 12 });
 * console.log(block.apply(tf.zeros([1, 8, 8, 24])).shape); // [1, 8, 8, 24]
 * ```
 */
export class PixelCNNResBlock extends layers.Layer {
  /** @nocollapse */
  static className = 'PixelCNNResBlock';

  private readonly filters: number;
  private readonly kernelSize: [number, number];
  private readonly imageChannels: number;
  private convs: readonly MaskedConv[] = []; // a ReLU follows each

  constructor(args: PixelCNNResBlockArgs) {
    super(checkArgs('PixelCNNResBlock', args));
    this.imageChannels = checkInteger('PixelCNNResBlock: imageChannels', args.imageChannels ?? 3, 1);
    this.filters = checkFeatures('PixelCNNResBlock: filters', args.filters, this.imageChannels);
    this.kernelSize = checkKernelSize('PixelCNNResBlock: kernelSize', args.kernelSize ?? 3);
  }

  override build(inputShape: Shape | Shape[]): void {
    const h = this.filters;
    const [, , , featuresIn] = imageInputShape('PixelCNNResBlock', inputShape);
    if (featuresIn !== 2 * h) {
      wrong(`PixelCNNResBlock: filters (${h})`, `an input of 2 * filters = ${2 * h} features`, featuresIn);
    }
    this.convs = [
      this.addConv('conv_in', [1, 1], 2 * h, h),
      this.addConv('conv_mid', this.kernelSize, h, h),
      this.addConv('conv_out', [1, 1], h, 2 * h),
    ];
    this.inputSpec = imageInputSpec(featuresIn);
    super.build(inputShape);
  }

  private addConv(
    name: string,
    kernelSize: [number, number],
    featuresIn: number,
    featuresOut: number,
  ): MaskedConv {
    const kernelShape = [...kernelSize, featuresIn, featuresOut];
    const kernel = this.addWeight(`${name}_kernel`, kernelShape, 'float32', initializers.glorotUniform({}));
    const bias = this.addWeight(`${name}_bias`, [featuresOut], 'float32', initializers.zeros());
    const { imageChannels } = this;
    return new MaskedConv(kernel, bias, { kernelSize, featuresIn, featuresOut, imageChannels });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return imageInputShape('PixelCNNResBlock', inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      if (this.convs.length === 0) throw new Error('PixelCNNResBlock: called before it was built');
      const x = oneInput(inputs); // [N,H,W,2h]
      let y = x; // [N,H,W,2h] -> [N,H,W,h] -> [N,H,W,h] -> [N,H,W,2h]
      for (const conv of this.convs) y = conv.apply(y, 'relu');
      return add(x, y);
    });
  }

  /** Built of a program's operations, for incremental sampling. */
  incremental(program: Program, inputs: readonly Features[]): Features | null {
    const [x] = inputs;
    if (x === undefined) return null;
    let y = x;
    for (const conv of this.convs) y = program.relu(conv.incremental(program, y));
    return program.add(x, y);
  }

  override getConfig(): serialization.ConfigDict {
    const { filters, kernelSize, imageChannels } = this;
    return { ...super.getConfig(), filters, kernelSize, imageChannels };
  }

  protected override disposeWeights(): number {
    for (const conv of this.convs) conv.dispose();
    return super.disposeWeights();
  }
}
serialization.registerClass(PixelCNNResBlock);

/** Makes a {@link PixelCNNResBlock}. */
export function pixelCNNResBlock(args: PixelCNNResBlockArgs): PixelCNNResBlock {
  return new PixelCNNResBlock(args);
}
