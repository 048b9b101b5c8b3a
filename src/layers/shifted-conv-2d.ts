import type { Given, Values } from '../runtime/core/arguments';
import { shiftedArguments, shiftedWindow } from '../runtime/core/declared-window';
import { CausalConv2D, convolutionArguments } from './causal-conv-2d';
import { defineLayer } from './declared-layer';
import type { LayerArgs } from './types';

const declared = { ...convolutionArguments, ...shiftedArguments() };

/** Arguments of {@link ShiftedConv2D}. */
export interface ShiftedConv2DArgs extends LayerArgs, Given<typeof declared> {}

/**
 * The convolution of PixelCNN++, whose window ends on the current row, and the convolutions of PixelSNAIL and
 * of networks that read conditions; see {@link Shift}. With `'down'`, the window has as many columns to the
 * left as to the right, or one more to the right. It sees all channels of the current pixel, and with
 * `'down'` also the pixels to its right, so its input must first be shifted by {@link PixelShift}.
 *
 * [N,H,W,in] -> [N,H,W,filters]; [N,H/2,W/2,filters] with `stride: 2`, or [N,2H,2W,filters] if it
 * is also `transposed`. The image is padded with zeros. Weights: kernel [rows, columns, in,
 * filters]; gain [filters] with `weightNormalization`; bias [filters].
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.3 and
 * 2.4, and its code: `down_shifted_conv2d`, `down_right_shifted_conv2d`, and their `deconv2d`
 * variants. `'excludesCentre'`: Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763.
 *
 * @throws TypeError naming the argument that is out of range, or an input whose height and width
 * are not multiples of the stride.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { shiftedConv2d } from 'pixelcnn-layers';
 * const down = shiftedConv2d({ filters: 6, kernelSize: [2, 3], shift: 'down', stride: 2, weightNormalization: true });
 * console.log(down.apply(tf.zeros([1, 8, 8, 4])).shape); // [1, 4, 4, 6]
 * ```
 */
export class ShiftedConv2D extends CausalConv2D<Values<typeof declared>, ShiftedConv2DArgs> {
  protected readonly window = shiftedWindow('ShiftedConv2D', this.settings);
}

/** Makes a {@link ShiftedConv2D}. */
export const shiftedConv2d = defineLayer(ShiftedConv2D, 'ShiftedConv2D', declared);
