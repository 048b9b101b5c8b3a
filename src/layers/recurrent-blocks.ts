import type { serialization } from '@tensorflow/tfjs-core';
import { provideLSTMKernels } from '../ops/pixel-lstm';
import {
  anything,
  checked,
  type Given,
  integer,
  multipleOf,
  optional,
  rate,
  type Values,
} from '../runtime/core/arguments';
import { checkKernelSize } from '../runtime/core/check';
import { type KernelWindow, windowAround } from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import type { LSTMPath } from '../runtime/program/operations/lstm';
import { addBias, addConvolution, addKernel } from './convolution-weights';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { dropoutOf, seedArguments } from './seeds';
import { weightArguments } from './stock-arguments';
import type { LayerArgs, Shape } from './types';

provideLSTMKernels();

const recurrentArguments = {
  /** Channels of the image (3 for RGB). @default 3 */
  imageChannels: optional(integer({ from: 1 }), 3),
  /** F, the number of features of the state, a multiple of `imageChannels`; the input must have 2F features. */
  filters: multipleOf('imageChannels'),
  /** The probability of dropping a feature of h in training, before the 1x1 convolution, in [0, 1). @default 0 */
  dropout: rate(),
  ...weightArguments,
  ...seedArguments,
};

/** An LSTM of a block. The names of its weights begin with `prefix`. */
interface Recurrence {
  readonly prefix: string;
  readonly path: LSTMPath;
  readonly window: KernelWindow; // the window of the convolution of the input, which has mask B
  readonly stateSize: readonly [number, number]; // rows and columns of the state's kernel
}

/** The base of PixelRNN's blocks: x + conv1x1(h), where h [N,H,W,F] is the sum of LSTMs of x [N,H,W,2F]. */
abstract class RecurrentBlock<
  Settings extends Values<typeof recurrentArguments>,
  Args extends object,
> extends DeclaredLayer<Settings, Args> {
  protected abstract readonly recurrences: readonly Recurrence[];
  protected readonly pointWindow = windowAround([1, 1], 'B', this.settings.imageChannels);

  protected override checkInputs(shapes: readonly Shape[]): void {
    checkMap('input', shapes, 2 * this.settings.filters, '2 * filters');
  }

  protected override addWeights(): Arithmetic {
    const { settings } = this;
    const { filters: features, imageChannels } = settings;
    const dropout = dropoutOf(settings);
    const kernel = (name: string, size: readonly [number, number], from: number) =>
      addKernel(this, `${name}_kernel`, [...size, from, 4 * features], settings);
    const lstms = this.recurrences.map(({ prefix, path, window, stateSize }) => {
      const inputKernel = kernel(`${prefix}input`, window.kernelSize, 2 * features); // [rows,columns,2F,4F]
      const bias = addBias(this, `${prefix}bias`, 4 * features, settings); // [4F]
      const stateKernel = kernel(`${prefix}state`, stateSize, features); // [rows,columns,F,4F]
      return <T>(ops: Ops<T>, x: T): T => {
        const z = ops.conv(x, inputKernel, bias, window); // [N,H,W,2F] -> [N,H,W,4F]
        const states = ops.lstm(z, stateKernel, path, imageChannels); // [N,H,W,4F] -> [N,H,W,F]
        return path === 'fromRight' ? ops.shift(states, 1, 0) : states; // from the right it sees later pixels
      };
    });
    lstms.reverse(); // the order of the sum
    const out = addConvolution(this, 'out_', this.pointWindow, [features, 2 * features], settings);
    return (ops, [x]) => {
      const states = lstms.map((lstm) => lstm(ops, x)); // [N,H,W,F] each
      const sum = states.reduce((sum, h) => ops.combine('add', h, sum)); // [N,H,W,F]
      return ops.combine('add', x, out(ops, ops.dropout(sum, dropout))); // [N,H,W,F] -> [N,H,W,2F]
    };
  }
}

const rowArguments = {
  ...recurrentArguments,
  /**
   * k, the odd number of columns that its convolutions see. Of [rows, columns], as in `pixelCNN`, the second.
   * @default 3
   */
  kernelSize: optional(
    checked<number, number | [number, number]>((what, given) => checkKernelSize(what, given)[1]),
    3,
  ),
};

/** Arguments of {@link RowLSTMBlock}. */
export interface RowLSTMBlockArgs extends LayerArgs, Given<typeof rowArguments> {}

/**
 * The Row LSTM of PixelRNN as a residual block, x + conv1x1(h), which runs down the rows, with a state [W,F]:
 *
 *     o, f, i, g = conv1xk_{2F->4F}(x) + conv1xk_{F->4F}(h of the row above)
 *     c = sigmoid(f) (c of the row above) + sigmoid(i) tanh(g)
 *     h = sigmoid(o) tanh(c)
 *
 * The convolutions of x and the final 1x1 convolution have mask B; the convolution of the state has no mask. One block
 * sees its pixel and (k-1)/2 pixels to the left of it, and a triangle above. In the first row above, the triangle
 * reaches k-1 columns to the left and (k-1)/2 to the right; with each further row it widens by (k-1)/2 on either side.
 *
 * Input and output [N,H,W,2F], F = filters. Weights, in this order: input_kernel [1,k,2F,4F], bias [4F],
 * state_kernel [1,k,F,4F], out_kernel [1,1,F,2F], out_bias [2F]. 4F features are o, f, i and g of the first
 * channel, then of the next. Biases start at zero, even the forget gate's, which Keras starts at one.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, sections 3.1 and
 * 3.3, figure 5 (right).
 *
 * @throws TypeError naming the argument that is out of range, or an input that does not have 2F features.
 * @example
 * ```js
 * import { pixelCNN, rowLSTMBlock } from 'pixelcnn-layers';
 * const sizes = { hiddenDim: 8, outDim: 16, numBlocks: 2, block: rowLSTMBlock };
 * const model = pixelCNN({ imageShape: [8, 8, 1], levels: 4, ...sizes });
 * console.log(model.getLayer('block0').countParams()); // 2480
 * ```
 */
export class RowLSTMBlock extends RecurrentBlock<Values<typeof rowArguments>, RowLSTMBlockArgs> {
  private readonly window = windowAround([1, this.settings.kernelSize], 'B', this.settings.imageChannels);
  protected readonly recurrences: readonly Recurrence[] = [
    { prefix: '', path: 'rows', window: this.window, stateSize: this.window.kernelSize },
  ];
}
defineLayer(RowLSTMBlock, 'RowLSTMBlock', rowArguments);

/** Makes a {@link RowLSTMBlock}. */
export const rowLSTMBlock = (args: RowLSTMBlockArgs) => new RowLSTMBlock(args);

const diagonalArguments = {
  ...recurrentArguments,
  /** Unused. `pixelCNN` passes it to every block, but this one has no such kernel. */
  kernelSize: optional(anything<unknown>()),
};

/** Arguments of {@link DiagonalBiLSTMBlock}. */
export interface DiagonalBiLSTMBlockArgs extends LayerArgs, Given<typeof diagonalArguments> {}

/**
 * The Diagonal BiLSTM of PixelRNN as a residual block: x + conv1x1(h), where h is the sum of two LSTMs over
 * the image. One runs from the left, and reads the states of the pixel above and the pixel to the left:
 *
 *     o, f, i, g = conv1x1_{2F->4F}(x) + K0 (h above) + K1 (h to the left)
 *     c = sigmoid(f) (c to the left) + sigmoid(i) tanh(g)
 *     h = sigmoid(o) tanh(c)
 *
 * The other is its mirror image. It runs from the right, and is shifted down by a row before the sum, since
 * it has seen later pixels. Together they see x at all earlier pixels. If x sees the image with mask A, that
 * is everything before the pixel except the last value of the row above. Masks are as in
 * {@link RowLSTMBlock}. Training takes H + W - 1 steps, each of which computes a whole diagonal.
 *
 * Input and output [N,H,W,2F], F = filters. Weights, in this order: left_input_kernel [1,1,2F,4F], left_bias [4F],
 * left_state_kernel [2,1,F,4F], K0 and K1; the same of right_; out_kernel [1,1,F,2F], out_bias [2F].
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, sections 3.2 and
 * 3.3, figures 3 and 5 (right).
 *
 * @throws TypeError naming the argument that is out of range, or an input that does not have 2F features.
 * @example
 * ```js
 * import { diagonalBiLSTMBlock, pixelCNN } from 'pixelcnn-layers';
 * const sizes = { hiddenDim: 8, outDim: 16, numBlocks: 2, block: diagonalBiLSTMBlock };
 * const model = pixelCNN({ imageShape: [8, 8, 1], levels: 4, ...sizes });
 * console.log(model.getLayer('block0').countParams()); // 2256
 * ```
 */
export class DiagonalBiLSTMBlock extends RecurrentBlock<
  Values<typeof diagonalArguments>,
  DiagonalBiLSTMBlockArgs
> {
  protected readonly recurrences: readonly Recurrence[] = [
    { prefix: 'left_', path: 'fromLeft', window: this.pointWindow, stateSize: [2, 1] },
    { prefix: 'right_', path: 'fromRight', window: this.pointWindow, stateSize: [2, 1] },
  ];

  override getConfig(): serialization.ConfigDict {
    const { kernelSize: _, ...config } = super.getConfig();
    return config;
  }
}
defineLayer(DiagonalBiLSTMBlock, 'DiagonalBiLSTMBlock', diagonalArguments);

/** Makes a {@link DiagonalBiLSTMBlock}. */
export const diagonalBiLSTMBlock = (args: DiagonalBiLSTMBlockArgs) => new DiagonalBiLSTMBlock(args);
