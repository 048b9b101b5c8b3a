// Writes tests/conformance/models.json: models of every family, and what they give here. Once what the engine computes has changed on purpose:
//
//   npm run build:examples && node scripts/make-conformance.mjs

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  diagonalBiLSTMBlock,
  gatedPixelCNN,
  imageGPT,
  maskedConv2d,
  pixelCNN,
  pixelCNNPlusPlus,
  pixelSNAIL,
  rowLSTMBlock,
  symmetric,
  toPortable,
} from 'pixelcnn-layers';
import * as runtime from 'pixelcnn-layers/runtime';
import { useBackend } from '../kit/runs/backend.mjs';
import { contextModel } from '../research/learned-codec/context-model.mjs';
import { digestsOf } from '../tests/conformance/conformance.mjs';

await useBackend('cpu');

const small = {
  imageShape: [6, 7, 1],
  levels: 5,
  hiddenDim: 8,
  outDim: 12,
  numBlocks: 2,
  firstKernelSize: 5,
};
const rgb = { imageShape: [5, 4, 3], levels: 256 };
const mixture = { output: { components: 3 } };
const vector = (size) => ({
  data: Array.from({ length: 3 * size }, (_, i) => (i % 5) / 4 - 0.5),
  shape: [3, size],
});
const map = (size) => ({
  data: Array.from({ length: 3 * 42 * size }, (_, i) => (i % 7) / 6),
  shape: [3, 6, 7, size],
});
const side = { data: Array.from({ length: 24 }, (_, i) => (i % 7) - 3), shape: [3, 2, 1, 4] };
const codes = { data: Array.from({ length: 12 }, (_, i) => i % 4), shape: [3, 2, 2, 1] };

/** Blocks of one convolution in groups. */
const grouped =
  (groups) =>
  ({ name, seed, filters, imageChannels }) =>
    maskedConv2d({
      name,
      seed,
      imageChannels,
      filters: 2 * filters,
      kernelSize: 3,
      activation: 'relu',
      ...groups,
    });

/** Name, model, what it is told, precision. */
const MODELS = [
  ['pixelCNN', pixelCNN(small)],
  ['pixelCNN, wide', pixelCNN({ ...small, hiddenDim: 37, outDim: 61, numBlocks: 1 })],
  ['pixelCNN, one-hot levels, two channels', pixelCNN({ ...small, imageShape: [4, 5, 2], input: 'oneHot' })],
  ['pixelCNN, embedded levels', pixelCNN({ ...small, input: { embedding: 3 } })],
  ['pixelCNN, a mixture of logistics', pixelCNN({ ...small, ...rgb, ...mixture })],
  ['pixelCNN, rows of LSTMs', pixelCNN({ ...small, block: rowLSTMBlock })],
  ['pixelCNN, diagonal LSTMs', pixelCNN({ ...small, block: diagonalBiLSTMBlock })],
  ['pixelCNN, dilated', pixelCNN({ ...small, dilationRate: [1, 2], input: 'oneHot' })],
  ['pixelCNN, groups, two channels', pixelCNN({ ...small, imageShape: [4, 5, 2], block: grouped({ groups: 4, dilationRate: 2 }) })],
  ['pixelCNN, depthwise', pixelCNN({ ...small, block: grouped({ groups: 16 }) })],
  ['pixelCNN, weights of float16', pixelCNN(small), null, 'float16'],
  ['pixelCNN, weights of 8 bits', pixelCNN(small), null, 'int8'],
  ['gatedPixelCNN', gatedPixelCNN(small)],
  ['gatedPixelCNN, a class', gatedPixelCNN({ ...small, numClasses: 4 }), [0, 3, 1]],
  ['gatedPixelCNN, a vector', gatedPixelCNN({ ...small, conditionSize: 6 }), vector(6)],
  ['gatedPixelCNN, a map', gatedPixelCNN({ ...small, conditionMapSize: 2 }), map(2)],
  ['gatedPixelCNN, a class and a vector', gatedPixelCNN({ ...small, numClasses: 2, conditionSize: 3 }), { class: [0, 1, 1], vector: vector(3) }],
  ['gatedPixelCNN, Gaussians', gatedPixelCNN({ ...small, ...rgb, output: 'gaussian' })],
  ['the context model of an image codec', contextModel({ height: 8, width: 4, channels: 4, levels: 16 }), side],
  ['gatedPixelCNN, a mixture, 8 bits', gatedPixelCNN({ ...small, ...rgb, ...mixture }), null, 'int8'],
  ['pixelCNNPlusPlus', pixelCNNPlusPlus({ ...rgb, imageShape: [4, 8, 3], filters: 6, numResnets: 1, ...mixture })],
  ['pixelCNNPlusPlus, ten components', pixelCNNPlusPlus({ imageShape: [8, 8, 3], levels: 32, filters: 5, numResnets: 1 })],
  ['pixelCNNPlusPlus, a softmax, a class, 8 bits', pixelCNNPlusPlus({ imageShape: [8, 8, 1], levels: 16, filters: 7, numResnets: 1, output: 'softmax', numClasses: 3 }), [2, 0, 1], 'int8'],
  ['pixelSNAIL', pixelSNAIL({ imageShape: [6, 5, 1], levels: 6, filters: 8, heads: 2, numBlocks: 2, numResBlocks: 1, resFilters: 4 })],
  ['pixelSNAIL, codes of another size', pixelSNAIL({ imageShape: [4, 4, 1], levels: 6, filters: 8, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 4, codeCondition: { levels: 4, shape: [2, 2], resBlocks: 1, resFilters: 4 } }), codes],
  ['pixelSNAIL, a mixture', pixelSNAIL({ ...rgb, filters: 8, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 4, ...mixture })],
  ['imageGPT', imageGPT({ imageShape: [5, 6, 1], levels: 7, width: 16, heads: 2, layers: 2 })],
  ['imageGPT, a class', imageGPT({ imageShape: [5, 6, 1], levels: 7, width: 12, heads: 3, layers: 1, numClasses: 3 }), [1, 2, 0]],
  ['symmetric: flipped levels and rows', symmetric(pixelCNN({ ...small, imageShape: [5, 5, 1], levels: 2 }), ['flipLevels', 'flipRows'])],
  ['symmetric: every orientation, as a class', symmetric(gatedPixelCNN({ ...small, imageShape: [5, 5, 1], numClasses: 8 }), ['flipRows', 'flipColumns', 'transpose'], { asCondition: true })],
]; // biome-ignore format: one model a line

const entries = [];
for (const [name, network, condition = null, precision = 'float32'] of MODELS) {
  const { weights, ...program } = await toPortable(network);
  const shapes = Object.fromEntries([...weights].map(([weight, { shape }]) => [weight, shape]));
  const entry = { name, precision, condition, program, weights: shapes };
  entries.push({ ...entry, digests: await digestsOf(runtime, entry) });
}
const lines = entries.map((entry) => `  ${JSON.stringify(entry)}`);
const file = fileURLToPath(new URL('../tests/conformance/models.json', import.meta.url));
await writeFile(file, `[\n${lines.join(',\n')}\n]\n`);
console.log(`${file}: ${entries.length} models`);
