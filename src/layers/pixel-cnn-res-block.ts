import {
  type Given,
  integer,
  multipleOf,
  oddLengths,
  optional,
  rate,
  type Values,
} from '../runtime/core/arguments';
import { dilationArguments } from '../runtime/core/declared-window';
import { windowAround } from '../runtime/core/window';
import { addConvolution, normalizationArguments } from './convolution-weights';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { dropoutOf, seedArguments } from './seeds';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** Channels of the image (3 for RGB). @default 3 */
  imageChannels: optional(integer({ from: 1 }), 3),
  /** h, a multiple of `imageChannels`; the input must have 2h features. */
  filters: multipleOf('imageChannels'),
  /** Kernel of the middle convolution, odd. @default 3 */
  kernelSize: optional(oddLengths(), [3, 3]),
  ...dilationArguments, // of the middle convolution
  /** The probability of dropping a feature in training, after the first convolution. @default 0 */
  dropout: rate(),
  ...normalizationArguments,
  ...seedArguments,
};

/** Arguments of {@link PixelCNNResBlock}. */
export interface PixelCNNResBlockArgs extends LayerArgs, Given<typeof declared> {}

/**
 * The residual block of PixelCNN, with mask B and a ReLU after every convolution: x +
 * relu(conv1x1_{h->2h}(relu(conv3x3_{h->h}(relu(conv1x1_{2h->h}(x)))))).
 *
 * [N,H,W,2h] -> [N,H,W,2h]. Weights: kernel, gain (with `weightNormalization`) and bias of conv_in [1,1,2h,h], conv_mid
 * [rows,columns,h,h] and conv_out [1,1,h,2h].
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, figure 5
 * (left), section 3.2; the ReLU after the last convolution is from "The Annotated Pixel-CNN", `PixelCNNResBlock`.
 * Dropout: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 2.6.
 *
 * @throws TypeError naming the argument that is out of range, or an input that does not have 2h features.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelCNNResBlock } from 'pixelcnn-layers';
 * const block = pixelCNNResBlock({ filters: 12 });
 * console.log(block.apply(tf.zeros([1, 8, 8, 24])).shape); // [1, 8, 8, 24]
 * ```
 */
export class PixelCNNResBlock extends DeclaredLayer<Values<typeof declared>, PixelCNNResBlockArgs> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    checkMap('input', shapes, 2 * this.settings.filters, '2 * filters');
  }

  protected override addWeights(): Arithmetic {
    const { filters: h, kernelSize, imageChannels, dilationRate: dilation } = this.settings;
    const dropout = dropoutOf(this.settings);
    const point = windowAround([1, 1], 'B', imageChannels);
    const around = windowAround(kernelSize, 'B', imageChannels, { dilation });
    const last = { ...this.settings, initialScale: 0.1 };
    const convIn = addConvolution(this, 'conv_in_', point, [2 * h, h], this.settings);
    const convMid = addConvolution(this, 'conv_mid_', around, [h, h], this.settings);
    const convOut = addConvolution(this, 'conv_out_', point, [h, 2 * h], last);
    return (ops, [x]) => {
      const narrow = convIn(ops, x, 'relu'); // [N,H,W,2h] -> [N,H,W,h]
      const kept = ops.dropout(narrow, dropout); // [N,H,W,h]
      const mixed = convMid(ops, kept, 'relu'); // [N,H,W,h] -> [N,H,W,h]
      return ops.combine('add', x, convOut(ops, mixed, 'relu')); // [N,H,W,h] -> [N,H,W,2h]
    };
  }
}
defineLayer(PixelCNNResBlock, 'PixelCNNResBlock', declared);

/** Makes a {@link PixelCNNResBlock}. */
export const pixelCNNResBlock = (args: PixelCNNResBlockArgs) => new PixelCNNResBlock(args);
