import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkArgs, checkInteger, checkKernelSize, wrong } from '../check';
import { oneHotClass } from '../layers/one-hot-class';
import { type AutoregressiveModel, autoregressiveModel } from './autoregressive-model';
import { gatedPixelCNNBlock } from './gated-pixel-cnn-block';
import { logitsHead } from './logits-head';
import { checkImageShape } from './model-args';

/** Arguments of {@link gatedPixelCNN}. */
export interface GatedPixelCNNArgs {
  /** [H, W, C]; null for H and W takes images of any size. */
  imageShape: [number | null, number | null, number];
  /** L, the intensities that a channel can have. @default 256 */
  levels?: number;
  /** Features of each stack, per image channel. */
  hiddenDim: number;
  /** Features of the two 1x1 convolutions before the last, per image channel. */
  outDim: number;
  /** Blocks after the one that reads the image, 0 or more. */
  numBlocks: number;
  /** Window of the block that reads the image, odd. @default 7 */
  firstKernelSize?: number | [number, number];
  /** Window of the other blocks, odd. @default 3 */
  kernelSize?: number | [number, number];
  /** Conditions the model on a class, 0 to numClasses - 1: its second input is [N,1]. */
  numClasses?: number;
  /** Conditions the model on vectors of so many numbers: its second input is [N,K]. */
  conditionSize?: number;
  /** Conditions the model on maps of so many numbers a pixel: its second input is [N,H,W,K]. */
  conditionMapSize?: number;
  /** Probability with which a block's gated features are dropped in training. @default 0 */
  dropout?: number;
  /** Name of the model. */
  name?: string;
}

/**
 * Gated PixelCNN: a {@link gatedPixelCNNBlock} with mask A that reads the image, `numBlocks` with mask B, and from the horizontal stack the same way to
 * logits as {@link pixelCNN}: ReLU and a 1x1 convolution to outDim * C, twice; a 1x1 convolution to L * C. It has no blind spot; where it is
 * conditioned, the condition enters every gate.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016), section 2 and figure 2.
 *
 * @returns a model from images [N,H,W,C] in [0, 1] (see `normalize`), or from [images, conditions], to logits [N,H,W,C,L]
 * @throws TypeError naming the argument that is missing or out of range, or that there is more than one condition.
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
  checkArgs('gatedPixelCNN', args);
  const { imageShape, levels = 256, firstKernelSize = 7, kernelSize = 3, dropout = 0 } = args;
  const imageChannels = checkImageShape('gatedPixelCNN: imageShape', imageShape);
  const filters = checkInteger('gatedPixelCNN: hiddenDim', args.hiddenDim, 1) * imageChannels;
  const out = checkInteger('gatedPixelCNN: outDim', args.outDim, 1) * imageChannels;
  const numBlocks = checkInteger('gatedPixelCNN: numBlocks', args.numBlocks, 0);
  checkInteger('gatedPixelCNN: levels', levels, 2);
  checkKernelSize('gatedPixelCNN: firstKernelSize', firstKernelSize);
  checkKernelSize('gatedPixelCNN: kernelSize', kernelSize);
  const { inputs: conditions, ...condition } = conditionInput(args);

  const image = input({ shape: imageShape, name: 'image' }); // [N,H,W,C]
  const stacks = { vertical: image, horizontal: image };
  for (let index = 0; index <= numBlocks; index++) {
    const size = index === 0 ? { kernelSize: firstKernelSize, maskType: 'A' as const } : { kernelSize };
    const block = { name: `block${index}`, filters, imageChannels, dropout, ...size, ...condition };
    Object.assign(stacks, gatedPixelCNNBlock(stacks, { ...block, isLast: index === numBlocks })); // [N,H,W,F], both
  }
  const head = [layers.reLU({ name: 'relu' }), ...logitsHead({ filters: out, imageChannels, levels })];
  const logits = head.reduce((x, layer) => layer.apply(x) as SymbolicTensor, stacks.horizontal);
  const name = args.name === undefined ? {} : { name: args.name };
  return autoregressiveModel({ inputs: [image, ...conditions], outputs: logits, ...name });
}

/** The model's second input, and what its gates take of it. */
function conditionInput(args: GatedPixelCNNArgs): { inputs: SymbolicTensor[]; condition?: SymbolicTensor } {
  const { numClasses, conditionSize, conditionMapSize, imageShape } = args;
  const given = Object.entries({ numClasses, conditionSize, conditionMapSize }).filter(
    ([, size]) => size !== undefined,
  );
  for (const [name, size] of given) checkInteger(`gatedPixelCNN: ${name}`, size, 1);
  if (given.length > 1) {
    wrong(
      'gatedPixelCNN',
      'one of numClasses, conditionSize and conditionMapSize',
      given.map(([name]) => name),
    );
  }
  if (given.length === 0) return { inputs: [] };
  if (numClasses !== undefined) {
    const label = input({ shape: [1], name: 'condition' }); // [N,1]
    const condition = oneHotClass({ name: 'one_hot', numClasses }).apply(label) as SymbolicTensor; // [N,1] -> [N,K]
    return { inputs: [label], condition };
  }
  const shape =
    conditionSize === undefined ? [...imageShape.slice(0, 2), conditionMapSize as number] : [conditionSize];
  const condition = input({ shape, name: 'condition' }); // [N,K] or [N,H,W,K]
  return { inputs: [condition], condition };
}
