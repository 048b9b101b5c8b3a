import { serialization } from '@tensorflow/tfjs-core';
import { checkKernelSize, checkMemory, type NamesOf } from '../core/check';
import { type KernelWindow, windowOf } from '../core/window';
import type { Ops } from '../program/operations';
import { checkLayerArgs } from './layer-args';
import {
  type Recurrence,
  RecurrentBlock,
  type RecurrentBlockArgs,
  recurrentBlockArgNames,
} from './recurrent-block';

/** Arguments of {@link RowLSTMBlock}, beside those of every recurrent block. */
export interface RowLSTMBlockArgs extends RecurrentBlockArgs {
  /**
   * k, the number of columns that its convolutions see; odd. If this is [rows, columns], which `pixelCNN` may pass, the
   * second number counts.
   * @default 3
   */
  kernelSize?: number | [number, number];
}

const argNames: NamesOf<RowLSTMBlockArgs> = { ...recurrentBlockArgNames, kernelSize: true };

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
export class RowLSTMBlock extends RecurrentBlock {
  /** @nocollapse */
  static className = 'RowLSTMBlock';

  private readonly columns: number;
  private readonly window: KernelWindow;
  private recurrence?: Recurrence;

  constructor(args: RowLSTMBlockArgs) {
    super(checkLayerArgs(RowLSTMBlock, new.target, args, argNames));
    const { filters, imageChannels } = this;
    const [, columns] = checkKernelSize('RowLSTMBlock: kernelSize', args.kernelSize ?? 3);
    checkMemory('RowLSTMBlock: kernelSize, filters', [columns, 2 * filters, 4 * filters]);
    this.columns = columns;
    this.window = windowOf({ kernelSize: [1, columns], imageChannels });
  }

  protected override addRecurrences(): void {
    this.recurrence = this.addRecurrence('', [1, this.columns], [1, this.columns]);
  }

  protected override recur<T>(ops: Ops<T>, x: T): T {
    const { inputKernel, bias, stateKernel } = this.recurrence as Recurrence;
    const z = ops.conv(x, inputKernel, bias, this.window); // [N,H,W,2F] -> [N,H,W,4F]
    return ops.lstm(z, stateKernel, 'rows', this.imageChannels); // [N,H,W,F]
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), kernelSize: this.columns };
  }
}
serialization.registerClass(RowLSTMBlock);

/** Makes a {@link RowLSTMBlock}. */
export function rowLSTMBlock(args: RowLSTMBlockArgs): RowLSTMBlock {
  return new RowLSTMBlock(args);
}
