import { serialization } from '@tensorflow/tfjs-core';
import { anything, type Given, optional, type Values } from '../core/arguments';
import type { Ops } from '../program/operations';
import type { LSTMPath } from '../program/operations/lstm';
import { type Recurrence, RecurrentBlock, recurrentArguments } from './recurrent-block';
import type { LayerArgs } from './types';

const declared = {
  ...recurrentArguments,
  /** Not used: `pixelCNN` passes it to every block, but this one has no such kernel. */
  kernelSize: optional(anything<unknown>()),
};

/** Arguments of {@link DiagonalBiLSTMBlock}. */
export interface DiagonalBiLSTMBlockArgs extends LayerArgs, Given<typeof declared> {}

/**
 * The Diagonal BiLSTM of PixelRNN as a residual block: x + conv1x1(h), where h is the sum of two LSTMs over the image.
 * One runs from the left, and takes the states of the pixel above and of the pixel to the left:
 *
 *     o, f, i, g = conv1x1_{2F->4F}(x) + K0 (h above) + K1 (h to the left)
 *     c = sigmoid(f) (c to the left) + sigmoid(i) tanh(g)
 *     h = sigmoid(o) tanh(c)
 *
 * The other is its mirror image: it runs from the right, and is shifted down by a row before the sum, since it has seen
 * later pixels. Together they see x at all earlier pixels, at any distance. If x comes from a layer with mask A that
 * reads an image, that is everything before the pixel except the last value of the row above, which no feature of that
 * row has seen. The convolutions of x and the final 1x1 convolution have mask B; those of the state have no mask.
 * Training takes H + W - 1 steps, each of which computes a whole diagonal at once.
 *
 * Input and output [N,H,W,2F], F = filters. Weights, in this order: left_input_kernel [1,1,2F,4F], left_bias [4F],
 * left_state_kernel [2,1,F,4F], K0 and K1; the same with right_; out_kernel [1,1,F,2F], out_bias [2F]. 4F features are
 * o, f, i and g of the image's first channel, then those of the next.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, sections 3.2 and
 * 3.3, figures 3 and 5 (right).
 *
 * @throws TypeError naming the argument: `filters` that `imageChannels` does not divide, an input that does not have 2F features.
 * @example
 * ```js
 * import { diagonalBiLSTMBlock, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({
 *   imageShape: [8, 8, 1], levels: 4, hiddenDim: 8, outDim: 16, numBlocks: 2,
 *   block: diagonalBiLSTMBlock,
 * });
 * console.log(model.getLayer('block0').countParams()); // 2256
 * ```
 */
export class DiagonalBiLSTMBlock extends RecurrentBlock<Values<typeof declared>, DiagonalBiLSTMBlockArgs> {
  /** @nocollapse */
  static className = 'DiagonalBiLSTMBlock';
  protected static readonly declared = declared;

  private left?: Recurrence;
  private right?: Recurrence;

  protected override addRecurrences(): void {
    this.left = this.addRecurrence('left_', [1, 1], [2, 1]);
    this.right = this.addRecurrence('right_', [1, 1], [2, 1]);
  }

  protected override recur<T>(ops: Ops<T>, x: T): T {
    const states = (recurrence: Recurrence | undefined, path: LSTMPath) => {
      const { inputKernel, bias, stateKernel } = recurrence as Recurrence;
      const z = ops.conv(x, inputKernel, bias, this.pointWindow); // [N,H,W,2F] -> [N,H,W,4F]
      return ops.lstm(z, stateKernel, path, this.settings.imageChannels); // [N,H,W,F]
    };
    const right = ops.shift(states(this.right, 'fromRight'), 1, 0); // [N,H,W,F]
    return ops.combine('add', states(this.left, 'fromLeft'), right);
  }

  override getConfig(): serialization.ConfigDict {
    const { kernelSize: _, ...config } = super.getConfig();
    return config;
  }
}
serialization.registerClass(DiagonalBiLSTMBlock);

/** Makes a {@link DiagonalBiLSTMBlock}. */
export function diagonalBiLSTMBlock(args: DiagonalBiLSTMBlockArgs): DiagonalBiLSTMBlock {
  return new DiagonalBiLSTMBlock(args);
}
