// Trains the same network on maps of 512 codes, whose numbers mean nothing, reading them as intensities, as one-hot vectors and as learnt ones, a step
// of each in turn: bits per dimension beside the entropy of the maps, the time of a step and of drawing.
//
//   npm run bench:inputs -- [--steps 1000] [--seeds 1] [--write]

import { gatedPixelCNN } from 'pixelcnn-layers';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { codeMapEntropy, codeMapSizes, codeMaps } from './lib/code-maps.mjs';
import { machine } from './lib/machine.mjs';
import { markdownTable, rowsOfModels } from './lib/report.mjs';
import { mapValues, trainAndDraw } from './lib/train-in-turn.mjs';

const { flags, publish } = benchmark('index', 'bench:inputs', { steps: 1000, seeds: '1' });
const { steps } = flags;
const INPUTS = { scaled: 'scaled', oneHot: 'oneHot', embedding: { embedding: 32 } };
const TITLES = { scaled: "'scaled'", oneHot: "'oneHot'", embedding: '{ embedding: 32 }' };
const network = { ...codeMapSizes, hiddenDim: 32, outDim: 64, numBlocks: 2, firstKernelSize: 3 };
const sets = { train: codeMaps(8192, 'training'), test: codeMaps(1024, 'test') };
const recipe = { steps, batchSize: 32, learningRate: 2e-3, evalImages: 1024 };
const numImages = 64;

await useBackend('wasm');
const make = (seed) => mapValues(INPUTS, (input) => gatedPixelCNN({ ...network, input, seed }));
const runs = await trainAndDraw(flags.seeds, make, sets, recipe, { numImages, condition: 0 }, 20);
const rows = rowsOfModels(TITLES, runs);
const entropy = ['entropy of the maps', '', codeMapEntropy.toFixed(3), '', ''];
const header = ['`input`', 'weights', 'test bits/dim', "training step, ms (ratio to `'scaled'`)", `sampling ${numImages} maps, ms (ratio)`];
const text = `${markdownTable(header, [...rows, entropy])}

${steps} steps of ${recipe.batchSize} maps, seed ${flags.seeds}; medians of one run on ${machine()}.`;
await publish(text);
