import { input, layers } from '@tensorflow/tfjs-layers';
import { maskedConv2d } from '../layers/causal-conv-2d';
import { pixelCNNResBlock } from '../layers/pixel-cnn-res-block';
import { partSeed, type SeedArgs } from '../layers/seeds';
import { callback, type Given, integer, optional, readArguments } from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import type { AutoregressiveModel } from './autoregressive-model';
import {
  blocks,
  chain,
  inputLayers,
  networkArguments,
  networkModel,
  networkSizes,
  outputHead,
} from './network';
import { disposeWeights } from './tfjs-workarounds';

/** Arguments of {@link PixelCNNArgs.block}, for the block to make. */
export interface BlockArgs extends SeedArgs {
  /** The block's name, 'block0' for the first block. */
  name: string;
  /** hiddenDim * C; the block's input and output have 2 * filters features. */
  filters: number;
  /** C. */
  imageChannels: number;
  /** Kernel size of the block's spatial convolution. */
  kernelSize: number | [number, number];
  /** Rows and columns from tap to tap of that kernel. @default 1 */
  dilationRate?: [number, number];
  /** 0 for the first block, 1 for the next. */
  index: number;
  /** The probability of dropping a feature in training. @default no dropout */
  dropout?: number;
}

const declared = {
  ...networkArguments,
  /** h, the number of features in the middle of a block, per image channel. */
  hiddenDim: integer({ from: 1 }),
  /** Residual blocks, 0 or more. */
  numBlocks: blocks({ from: 0 }),
  /**
   * Makes each block, which takes and returns 2 * filters features: {@link rowLSTMBlock}, {@link diagonalBiLSTMBlock},
   * or your own function, which may choose by `index`, and may ignore `seed` and `dropout`.
   * @default {@link pixelCNNResBlock}
   */
  block: optional(callback<(args: BlockArgs) => layers.Layer>(), pixelCNNResBlock),
};

/** Arguments of {@link pixelCNN}. */
export interface PixelCNNArgs extends Given<typeof declared> {}

/**
 * PixelCNN, as in "The Annotated Pixel-CNN": a convolution with mask A to 2 * hiddenDim * C features; `numBlocks`
 * residual blocks; ReLU and a 1x1 convolution to outDim * C, twice; a 1x1 convolution to L * C; logits [N,H,W,C,L], or
 * with `output: { components: K }` 3K * C and a {@link LogisticMixture}, with `output: 'gaussian'` 2C and a {@link
 * Gaussian}. All convolutions but the first have mask B.
 * `getWeights()` returns weights in this order. Blocks drop features after their first convolution, as in PixelCNN++.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, table 1 and
 * figure 5. Like the blog, unlike the paper, it has a ReLU after each block and no "layer-to-output connections".
 *
 * @returns a model from images [N,H,W,C] in [0, 1] (see `normalize`) to logits [N,H,W,C,L] or parameters [N,H,W,P]
 * @throws TypeError naming the argument that is missing or out of range.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [8, 8, 1], levels: 17, hiddenDim: 16, outDim: 32, numBlocks: 3, firstKernelSize: 5 });
 * console.log(model.countParams()); // 13681
 * console.log(model.predict(tf.zeros([2, 8, 8, 1])).shape); // [2, 8, 8, 1, 17]
 * ```
 */
export function pixelCNN(args: PixelCNNArgs): AutoregressiveModel {
  const values = readArguments('pixelCNN', args, declared);
  const { imageShape, numBlocks, firstKernelSize, kernelSize, dilationRate, block, dropout, seed, name } =
    values;
  const { imageChannels, hidden, out } = networkSizes('pixelCNN', values);
  if (block.prototype instanceof layers.Layer)
    throwTypeError('pixelCNN: block', 'a function that returns a layer, not a class', block);

  const part = (name: string) => ({ name, imageChannels, seed: partSeed(seed, name) });
  const first = { ...part('input_conv'), filters: 2 * hidden, kernelSize: firstKernelSize };
  const stack: layers.Layer[] = inputLayers(values); // [N,H,W,C] -> [N,H,W,in*C]
  stack.push(maskedConv2d({ ...first, maskType: 'A' })); // [N,H,W,in*C] -> [N,H,W,2hC]
  // A block need not support what is not asked for.
  const options = {
    ...(dropout > 0 && { dropout }),
    ...(dilationRate.some((rate) => rate > 1) && { dilationRate }),
  };
  for (let index = 0; index < numBlocks; index++) {
    const layer = block({ ...part(`block${index}`), filters: hidden, kernelSize, index, ...options }); // [N,H,W,2hC] -> [N,H,W,2hC]
    if (typeof layer?.apply !== 'function')
      throwTypeError('pixelCNN: block', 'a function that returns a layer', layer);
    stack.push(layer);
  }
  stack.push(...outputHead(out, values));

  const image = input({ shape: [...imageShape], name: 'image' }); // [N,H,W,C]
  try {
    return networkModel(args, { inputs: image, outputs: chain(stack, image), name });
  } catch (error) {
    for (const layer of stack) disposeWeights(layer); // if a block does not fit
    throw error;
  }
}
