import { type AutoregressiveModel, diagonalBiLSTMBlock, pixelCNN, pixelCNNPlusPlus, pixelSNAIL, rowLSTMBlock } from 'pixelcnn-layers';

/** Networks of every kind of computation, of four levels and so many features. */
export function networksOf(imageShape: [number, number, number], features: number): Record<string, () => AutoregressiveModel> {
  const levels = 4;
  const plain = { imageShape, levels, hiddenDim: features, outDim: 8, numBlocks: 1 };
  const snail = { imageShape, levels, filters: 2 * features, numBlocks: 1, numResBlocks: 1, heads: 2, resFilters: features };
  const shape = [imageShape[0] / 2, imageShape[1] / 2] as const;
  const codeCondition = { levels, shape, resFilters: features, resBlocks: 1 };
  return {
    convolutions: () => pixelCNN({ ...plain, numBlocks: 2, firstKernelSize: 3 }),
    'several resolutions': () => pixelCNNPlusPlus({ imageShape, levels, filters: features, numResnets: 1, output: { components: 2 } }),
    'attention, positions and a map of codes': () => pixelSNAIL({ ...snail, codeCondition }),
    'the recurrence of rows': () => pixelCNN({ ...plain, block: rowLSTMBlock }),
    'the recurrence along diagonals': () => pixelCNN({ ...plain, block: diagonalBiLSTMBlock }),
  };
}
