import { serialization } from '@tensorflow/tfjs-core';
import type { NamesOf } from '../core/check';
import { type Shift, type ShiftedWindowArgs, shiftedWindow, type Window } from '../core/window';
import { useOwnKernels } from '../ops/own-kernels';
import { CausalConv2D, type CausalConv2DArgs, causalConvArgNames } from './causal-conv-2d';
import { checkLayerArgs } from './layer-args';

/** Arguments of {@link ShiftedConv2D}, beside those of every causal convolution. */
export interface ShiftedConv2DArgs extends CausalConv2DArgs, ShiftedWindowArgs {}

const argNames: NamesOf<ShiftedConv2DArgs> = {
  ...causalConvArgNames,
  kernelSize: true,
  shift: true,
  stride: true,
  transposed: true,
};

/**
 * A convolution of PixelCNN++, whose window lies above the present pixel: shifted `'down'`, on rows above and the present
 * row, as many columns to the left as to the right (one more to the right of an even kernel); shifted `'downRight'`, on
 * rows above and the present one, up to the present pixel. It sees the present pixel with all its channels, and shifted
 * down also pixels to the right of it: so it is for features that have not seen them, as {@link PixelShift} makes them.
 * Shifted `'before'`, it leaves out the present pixel, as the convolutions of PixelSNAIL do; shifted `'around'`, it sees all
 * sides of its pixel, which only networks on conditions may.
 *
 * Input [N,H,W,in], output [N,H,W,filters]; with `stride: 2` [N,H/2,W/2,filters], of every second row and column, and with
 * `transposed` too [N,2H,2W,filters], the other way. Zeros around the image. Weights: kernel [kernel rows, kernel columns,
 * in, filters]; gain [filters] with `weightNormalization`; bias [filters].
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.3 and 2.4, and its code:
 * `down_shifted_conv2d`, `down_right_shifted_conv2d`, and both as `deconv2d`. `'before'`: Chen et al., "PixelSNAIL" (2018),
 * https://arxiv.org/abs/1712.09763.
 *
 * @throws TypeError naming the argument that is out of range, or the input whose height and width the stride does not
 * divide.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { shiftedConv2d } from 'pixelcnn-layers';
 * const down = shiftedConv2d({ filters: 6, kernelSize: [2, 3], shift: 'down', stride: 2, weightNormalization: true });
 * console.log(down.apply(tf.zeros([1, 8, 8, 4])).shape); // [1, 4, 4, 6]
 * ```
 */
export class ShiftedConv2D extends CausalConv2D {
  /** @nocollapse */
  static className = 'ShiftedConv2D';

  protected readonly window: Window;
  private readonly shift: Shift;

  constructor(args: ShiftedConv2DArgs) {
    super(checkLayerArgs(ShiftedConv2D, new.target, args, argNames), 1);
    const { kernelSize, shift, stride = 1, transposed = false } = args;
    this.window = shiftedWindow('ShiftedConv2D', { kernelSize, shift, stride, transposed });
    this.shift = shift;
  }

  override getConfig(): serialization.ConfigDict {
    const { kernelSize, stride, transposed } = this.window;
    return {
      ...super.getConfig(),
      kernelSize: [...kernelSize],
      shift: this.shift,
      stride,
      transposed,
    };
  }
}
serialization.registerClass(ShiftedConv2D);

/** Makes a {@link ShiftedConv2D}. */
export function shiftedConv2d(args: ShiftedConv2DArgs): ShiftedConv2D {
  useOwnKernels();
  return new ShiftedConv2D(args);
}
