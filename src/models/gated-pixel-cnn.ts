import { partSeed } from '../layers/seeds';
import { type Given, integer, optional, readArguments } from '../runtime/core/arguments';
import type { AutoregressiveModel } from './autoregressive-model';
import { type GatedStacks, gatedPixelCNNBlock } from './gated-pixel-cnn-block';
import * as network from './network';

const declared = {
  ...network.networkArguments,
  /** Features of each stack, per image channel. */
  hiddenDim: integer({ from: 1 }),
  /** Blocks after the one that reads the image, 0 or more. */
  numBlocks: network.blocks({ from: 0 }),
  ...network.conditionArguments(),
  /** Adds a condition: an input [N,H,W,K] of maps with this many numbers for each pixel. */
  conditionMapSize: optional(integer({ from: 1 })),
};

/** Arguments of {@link gatedPixelCNN}. */
export interface GatedPixelCNNArgs extends Given<typeof declared> {}

/**
 * Gated PixelCNN: a {@link gatedPixelCNNBlock} with mask A that reads the image, `numBlocks` with
 * mask B, and, on the horizontal stack, the output layers of {@link pixelCNN}. It has no blind
 * spot. Dropout applies to the gated features of each block's horizontal stack.
 *
 * It may be conditioned on a class, a vector, a map, or several of them. Each is projected and
 * added in every gate. The inputs are the image, then class, vector and map, in this order.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016),
 * https://arxiv.org/abs/1606.05328, section 2 and figure 2.
 *
 * @returns a model as {@link pixelCNN} returns, from images or [images, conditions]
 * @throws TypeError naming the argument that is missing or out of range.
 * @example
 * ```js
 * import { gatedPixelCNN, sample } from 'pixelcnn-layers';
 * const model = gatedPixelCNN({ imageShape: [8, 8, 1], levels: 17, hiddenDim: 16, outDim: 32, numBlocks: 2, firstKernelSize: 5, numClasses: 10 });
 * const digits = await sample(model, { condition: [3, 3, 7], seed: 1 });
 * console.log(digits.shape); // [3, 8, 8, 1]
 * ```
 */
export function gatedPixelCNN(args: GatedPixelCNNArgs): AutoregressiveModel {
  const values = readArguments('gatedPixelCNN', args, declared);
  const { numBlocks, firstKernelSize, kernelSize, dilationRate, dropout, seed, name } = values;
  const { imageChannels, hidden, out } = network.networkSizes('gatedPixelCNN', values);
  const { image, inputs, conditions } = network.networkInputs('gatedPixelCNN', values, 2 * hidden);

  const encoded = network.chain(network.inputLayers(values), image); // [N,H,W,C] -> [N,H,W,in*C]
  let stacks: GatedStacks = { vertical: encoded, horizontal: encoded };
  for (let index = 0; index <= numBlocks; index++) {
    const name = `block${index}`;
    const outputs = gatedPixelCNNBlock(stacks, {
      name,
      seed: partSeed(seed, name),
      filters: hidden,
      imageChannels,
      dropout,
      kernelSize: index === 0 ? firstKernelSize : kernelSize,
      dilationRate: index === 0 ? 1 : dilationRate,
      maskType: index === 0 ? 'A' : 'B',
      condition: conditions,
      isLast: index === numBlocks,
    }); // [N,H,W,F], both
    stacks = { ...stacks, ...outputs };
  }
  const outputs = network.chain(network.outputHead(out, values), stacks.horizontal);
  return network.networkModel(args, { inputs, outputs, name });
}
