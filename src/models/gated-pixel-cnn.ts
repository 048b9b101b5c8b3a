import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkInteger, checkMemory, type NamesOf, throwTypeError } from '../core/check';
import { oneHotClass } from '../layers/one-hot-class';
import { partSeed } from '../layers/seeds';
import { type AutoregressiveModel, autoregressiveModel } from './autoregressive-model';
import { type GatedStacks, gatedPixelCNNBlock } from './gated-pixel-cnn-block';
import { checkNetworkArgs, inputLayers, logitsHead, type NetworkArgs, networkArgNames } from './network';

/** Arguments of {@link gatedPixelCNN}. */
export interface GatedPixelCNNArgs extends NetworkArgs {
  /** Features of each stack, per image channel. */
  hiddenDim: number;
  /** Blocks after the one that reads the image, 0 or more. */
  numBlocks: number;
  /** Conditions the model on a class, 0 to numClasses - 1: its second input is [N,1]. */
  numClasses?: number;
  /** Conditions the model on vectors of so many numbers: its second input is [N,K]. */
  conditionSize?: number;
  /** Conditions the model on maps of so many numbers a pixel: its second input is [N,H,W,K]. */
  conditionMapSize?: number;
}

const ownArgNames: NamesOf<Omit<GatedPixelCNNArgs, keyof typeof networkArgNames>> = {
  numClasses: true,
  conditionSize: true,
  conditionMapSize: true,
};

/**
 * Gated PixelCNN: a {@link gatedPixelCNNBlock} with mask A that reads the image, `numBlocks` with mask B, and
 * from the horizontal stack the same way to logits as {@link pixelCNN}: ReLU and a 1x1 convolution to outDim
 * * C, twice; a 1x1 convolution to L * C. It has no blind spot; where it is conditioned, the condition enters
 * every gate. Dropout is that of the gated features of each block's horizontal stack.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016), section 2 and
 * figure 2.
 *
 * @returns a model from images [N,H,W,C] in [0, 1] (see `normalize`), or from [images, conditions], to logits
 * [N,H,W,C,L]
 * @throws TypeError naming the argument that is missing or out of range, or that there is more than one
 * condition.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { gatedPixelCNN, sample } from 'pixelcnn-layers';
 * const model = gatedPixelCNN({ imageShape: [8, 8, 1], levels: 17, hiddenDim: 16, outDim: 32, numBlocks: 2, firstKernelSize: 5, numClasses: 10 });
 * const digits = await sample(model, { condition: [3, 3, 7], seed: 1 });
 * console.log(digits.shape); // [3, 8, 8, 1]
 * ```
 */
export function gatedPixelCNN(args: GatedPixelCNNArgs): AutoregressiveModel {
  const sizes = checkNetworkArgs('gatedPixelCNN', args, { ...networkArgNames, ...ownArgNames });
  const { imageShape, imageChannels, levels, hidden, out, numBlocks, firstKernelSize, kernelSize } = sizes;
  const { dropout, seed, named } = sizes;
  const { inputs: conditions, ...condition } = secondInput(args, hidden);

  const image = input({ shape: [...imageShape], name: 'image' }); // [N,H,W,C]
  const encode = inputLayers({ input: sizes.input, levels, seed }); // [N,H,W,C] -> [N,H,W,in*C]
  const encoded = encode.reduce<SymbolicTensor>((x, layer) => layer.apply(x) as SymbolicTensor, image);
  let stacks: GatedStacks = { vertical: encoded, horizontal: encoded };
  for (let index = 0; index <= numBlocks; index++) {
    const size = index === 0 ? { kernelSize: firstKernelSize, maskType: 'A' as const } : { kernelSize };
    const name = `block${index}`;
    const block = {
      name,
      seed: partSeed(seed, name),
      filters: hidden,
      imageChannels,
      dropout,
      ...size,
      ...condition,
    };
    stacks = { ...stacks, ...gatedPixelCNNBlock(stacks, { ...block, isLast: index === numBlocks }) }; // [N,H,W,F], both
  }
  const head = [layers.reLU({ name: 'relu' }), ...logitsHead({ filters: out, imageChannels, levels, seed })];
  const logits = head.reduce((x, layer) => layer.apply(x) as SymbolicTensor, stacks.horizontal);
  return autoregressiveModel({ inputs: [image, ...conditions], outputs: logits, ...named });
}

/** The model's second input, and what its gates take of it. */
function secondInput(
  args: GatedPixelCNNArgs,
  hidden: number,
): { inputs: SymbolicTensor[]; condition?: SymbolicTensor } {
  const { numClasses, conditionSize, conditionMapSize, imageShape } = args;
  const given = Object.entries({ numClasses, conditionSize, conditionMapSize }).filter(
    ([, size]) => size !== undefined,
  );
  for (const [name, size] of given) {
    checkMemory(`gatedPixelCNN: ${name}`, [checkInteger(`gatedPixelCNN: ${name}`, size, 1), 2 * hidden]);
  }
  if (given.length > 1) {
    throwTypeError(
      'gatedPixelCNN',
      'one of numClasses, conditionSize and conditionMapSize',
      given.map(([name]) => name),
    );
  }
  if (given.length === 0) return { inputs: [] };
  if (numClasses !== undefined) {
    const label = input({ shape: [1], name: 'condition' }); // [N,1]
    const condition = oneHotClass({ name: 'one_hot', numClasses }).apply(label); // [N,1] -> [N,K]
    return { inputs: [label], condition };
  }
  const shape =
    conditionSize === undefined ? [...imageShape.slice(0, 2), conditionMapSize as number] : [conditionSize];
  const condition = input({ shape, name: 'condition' }); // [N,K] or [N,H,W,K]
  return { inputs: [condition], condition };
}
