import { serialization } from '@tensorflow/tfjs-core';
import { checked, type Given, optional, type Values } from '../core/arguments';
import { checkKernelSize } from '../core/check';
import { windowAround } from '../core/window';
import type { Ops } from '../program/operations';
import { type Recurrence, RecurrentBlock, recurrentArguments } from './recurrent-block';
import type { LayerArgs } from './types';

const declared = {
  ...recurrentArguments,
  /**
   * k, the number of columns that its convolutions see; odd. If this is [rows, columns], which `pixelCNN` may pass, the
   * second number counts.
   * @default 3
   */
  kernelSize: optional(
    checked<number, number | [number, number]>((what, given) => checkKernelSize(what, given)[1]),
    3,
  ),
};

/** Arguments of {@link RowLSTMBlock}. */
export interface RowLSTMBlockArgs extends LayerArgs, Given<typeof declared> {}

/**
 * The Row LSTM of PixelRNN as a residual block: x + conv1x1(h), where an LSTM goes down the image, a row at a time, and
 * its state [W,F] is convolved along the row:
 *
 *     o, f, i, g = conv1xk_{2F->4F}(x) + conv1xk_{F->4F}(h of the row above)
 *     c = sigmoid(f) (c of the row above) + sigmoid(i) tanh(g)
 *     h = sigmoid(o) tanh(c)
 *
 * The convolutions of x and the final 1x1 convolution have mask B; that of the state has no mask. One block sees its
 * pixel and (k-1)/2 pixels to the left of it. In the rows above it sees a triangle, which widens by (k-1)/2 columns on
 * either side with each row: in the row above, it reaches from k-1 columns to the left to (k-1)/2 columns to the right.
 *
 * Input and output [N,H,W,2F], F = filters. Weights, in this order: input_kernel [1,k,2F,4F], bias [4F], state_kernel
 * [1,k,F,4F], out_kernel [1,1,F,2F], out_bias [2F]. 4F features are o, f, i and g of the image's first channel, then those of
 * the next.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, sections 3.1 and
 * 3.3, figure 5 (right).
 *
 * @throws TypeError naming the argument: `filters` that `imageChannels` does not divide, an even `kernelSize`, an input that
 * does not have 2F features.
 * @example
 * ```js
 * import { pixelCNN, rowLSTMBlock } from 'pixelcnn-layers';
 * const model = pixelCNN({
 *   imageShape: [8, 8, 1], levels: 4, hiddenDim: 8, outDim: 16, numBlocks: 2,
 *   block: rowLSTMBlock,
 * });
 * console.log(model.getLayer('block0').getWeights().map(({ shape }) => shape.join())); // [ '1,3,16,32', '32', '1,3,8,32', '1,1,8,16', '16' ]
 * ```
 */
export class RowLSTMBlock extends RecurrentBlock<Values<typeof declared>, RowLSTMBlockArgs> {
  /** @nocollapse */
  static className = 'RowLSTMBlock';
  protected static readonly declared = declared;

  private readonly window = windowAround([1, this.settings.kernelSize], 'B', this.settings.imageChannels);
  private recurrence?: Recurrence;

  protected override addRecurrences(): void {
    const { kernelSize } = this.window;
    this.recurrence = this.addRecurrence('', kernelSize, kernelSize);
  }

  protected override recur<T>(ops: Ops<T>, x: T): T {
    const { inputKernel, bias, stateKernel } = this.recurrence as Recurrence;
    const z = ops.conv(x, inputKernel, bias, this.window); // [N,H,W,2F] -> [N,H,W,4F]
    return ops.lstm(z, stateKernel, 'rows', this.settings.imageChannels); // [N,H,W,F]
  }
}
serialization.registerClass(RowLSTMBlock);

/** Makes a {@link RowLSTMBlock}. */
export function rowLSTMBlock(args: RowLSTMBlockArgs): RowLSTMBlock {
  return new RowLSTMBlock(args);
}
