// Times drawing by a softmax over 256 levels and by a mixture of ten logistics, without filters and with topP, and a stepper's log-probabilities of
// all levels, in turn, beside one forward pass of this library's own kernels. The models have had a few steps of Fashion-MNIST.
//
//   npm run bench:draws -- [--write]

import * as tf from '@tensorflow/tfjs-core';
import { pixelCNN, toPortable } from 'pixelcnn-layers';
import { sample, stepper } from 'pixelcnn-layers/runtime';
import { readDataset } from '../../kit/data/datasets.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { machine } from './lib/machine.mjs';
import { ms, tableOf } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { mapValues, trainInTurn } from './lib/train-in-turn.mjs';

const { publish } = benchmark('benchmarks', 'bench:draws');
const OUTPUTS = { softmax: 'softmax', mixture: { components: 10 } };
const TITLES = { softmax: 'softmax of 256 levels', mixture: 'mixture of 10 logistics' };
const network = { imageShape: [28, 28, 1], levels: 256, hiddenDim: 16, outDim: 32, numBlocks: 5, seed: 1 };
const numImages = 16;
const numValues = 784; // of an image

await useBackend('wasm');
const models = mapValues(OUTPUTS, (output) => pixelCNN({ ...network, output }));
const recipe = { steps: 100, batchSize: 16, learningRate: 1e-3, seed: 1, evalImages: 16 };
await trainInTurn(models, await readDataset('fashion-mnist'), recipe);

const x = tf.zeros([numImages, ...network.imageShape]);
const tasks = {};
for (const [name, model] of Object.entries(models)) {
  const portable = await toPortable(model);
  const draw = (filters) => () => sample(portable, { numImages, seed: 1, ...filters });
  tasks[`${name} pass`] = () => model.predict(x, { batchSize: numImages }).dispose();
  tasks[`${name} draw`] = draw({});
  tasks[`${name} filtered`] = draw({ topP: 0.9 });
  tasks[`${name} levels`] = () => stepThrough(portable);
}

/** Asks for all levels of every value of as many images. */
function stepThrough(portable) {
  const steps = stepper(portable, { numImages });
  const zeros = new Uint8Array(numImages);
  while (steps.place !== null) {
    steps.logProbs();
    steps.put(zeros);
  }
  steps.dispose();
}

const times = await timeInTurn(tasks, { seconds: 20, minRounds: 3 });
const rows = Object.entries(TITLES).map(([name, title]) => {
  const of = (task) => times[`${name} ${task}`].median;
  const inPasses = (task) => `${ms(of(task))} (${(of(task) / of('pass')).toFixed(1)})`;
  return {
    [`28x28x1, 256 levels, hidden 16, 5 blocks, ${numImages} images`]: title,
    'one pass, own kernels, ms': ms(of('pass')),
    'sampling, ms (in passes)': inPasses('draw'),
    'with `topP: 0.9`, ms (in passes)': inPasses('filtered'),
    'all `logProbs()` of a stepper, ms (in passes)': inPasses('levels'),
    'the same per value, ms': ms(of('levels') / (numImages * numValues)),
  };
});
await publish(`${tableOf(rows)}\n\nMedians of one run on ${machine()}.`);
