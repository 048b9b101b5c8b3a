import {
  diagonalBiLSTMBlock,
  gatedPixelCNN,
  imageGPT,
  pixelCNN,
  pixelCNNPlusPlus,
  pixelSNAIL,
  rowLSTMBlock,
} from 'pixelcnn-layers';
import { convNeXtBlock } from './conv-next-block.mjs';

/** The blocks of `pixelCNN` other than its default. */
const BLOCKS = {
  'row-lstm': rowLSTMBlock,
  'diagonal-bi-lstm': diagonalBiLSTMBlock,
  'conv-next': convNeXtBlock,
};

/**
 * The network that a run of train.mjs trains, with new weights.
 *
 * @param {object} run the settings of the run, as its run.json has them
 * @param {{ imageShape: number[], levels: number, numClasses?: number }} data what its images are
 * @returns {import('pixelcnn-layers').AutoregressiveModel} images in [0, 1], and their classes where it is conditional, -> logits
 * [N,H,W,C,L] or parameters [N,H,W,P]
 */
export function networkOf(run, { imageShape, levels, numClasses }) {
  const { output, dropout, seed } = run;
  const common = { imageShape, levels, dropout, seed };
  if (run.model === 'plus-plus') {
    const { filters, numResnets } = run;
    return pixelCNNPlusPlus({ ...common, filters, numResnets, output, numClasses });
  }
  if (run.model === 'snail') {
    const { filters, kernelSize, numBlocks, numResBlocks, resFilters, heads, input } = run;
    const sizes = { filters, kernelSize, numBlocks, numResBlocks, resFilters, heads };
    return pixelSNAIL({ ...common, ...sizes, input, output, numClasses });
  }
  if (run.model === 'gpt') {
    const { width, heads, numLayers, norm, activation, residual } = run;
    return imageGPT({ ...common, width, heads, layers: numLayers, norm, activation, residual, numClasses });
  }
  const { hiddenDim, outDim, numBlocks, firstKernelSize, kernelSize, input } = run;
  const sizes = { hiddenDim, outDim, numBlocks, firstKernelSize, kernelSize };
  const args = { ...common, ...sizes, input, output };
  return run.model === 'gated'
    ? gatedPixelCNN({ ...args, numClasses })
    : pixelCNN({ ...args, block: BLOCKS[run.model] });
}
