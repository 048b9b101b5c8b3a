// Trains a VQ-VAE, which turns images into a few codes each, and a PixelSNAIL over those codes, and draws images through both:
// `node research/vq/train.mjs --help`.

import { join } from 'node:path';
import { bitsPerDim } from 'pixelcnn-layers';
import { sliceImages } from 'pixelcnn-layers/data';
import { readDataset } from '../../kit/data/datasets.mjs';
import { stop } from '../../kit/flags.mjs';
import { bitsByChannel } from '../../kit/models/channel-bits.mjs';
import { classesOf } from '../../kit/models/classes.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { sweep, writeWhole } from '../../kit/runs/files.mjs';
import { keepSettings, openRun } from '../../kit/runs/run-settings.mjs';
import { startTrainer, workersFor, workersText } from '../../kit/runs/trainer.mjs';
import { seedWeights } from '../../kit/weights/weights.mjs';
import { adam } from './adam.mjs';
import { codesOf } from './codes.mjs';
import { baselines, codebookUse, reconstructionError } from './figures.mjs';
import { readFlags } from './flags.mjs';
import { PITCH, vqVae } from './networks.mjs';
import { reconstructionsPng, samplesPng } from './pictures.mjs';
import { priorOf, priorTraining } from './prior.mjs';
import { RATE, train } from './training.mjs';
import { decode, vqVaeTraining } from './vq-vae.mjs';
import { useWasmGradients } from './wasm-gradients.mjs';

// Ctrl-C ends training after the current step.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());

const flags = readFlags(process.argv.slice(2));
const { out } = flags;
const run = await openRun(flags);
const workers = workersFor(flags.workers, run);
await sweep(out, (name) => /^(reconstructions\.png|figures\.json)$/.test(name)); // left by a killed run
await useBackend(run.backend);
if (run.backend === 'wasm') useWasmGradients();

// Data: levels [N,H,W,C], with classes

const dataset = await readDataset(run.data, { path: run.path });
const { levels } = dataset.train;
const [, height, width, channels] = dataset.train.shape;
const imageShape = [height, width, channels];
if (height % PITCH !== 0 || width % PITCH !== 0) {
  stop(
    `--data: wanted images of a height and width that ${PITCH} divides, ${run.data} has ${height}x${width}`,
  );
}
const numClasses = classesOf(dataset);
await keepSettings(out, run, [dataset.train, dataset.test]);

const { batch, seed } = run;

/** Ends the program, if it was interrupted, with what was done so far. */
function endHere({ isDone }) {
  if (isDone) return;
  console.log(`stopped; --resume --out ${out} continues`);
  process.exit();
}

// The VQ-VAE: images in [0, 1] -> codes -> images

console.log(`VQ-VAE of ${dataset.train.shape[0]} images [${imageShape}], ${run.backend}, seed ${seed}`);
const vq = await train({
  directory: join(out, 'vq-vae'),
  steps: run.steps,
  every: run.every,
  unit: 'loss',
  signal: interrupt.signal,
  create() {
    const { numEntries, codeSize, filters } = run;
    const model = vqVae({ imageShape, numEntries, codeSize, filters, decay: 0.99 });
    seedWeights(model, seed);
    model.compile({ optimizer: adam(RATE), loss: 'meanSquaredError' });
    return model;
  },
  begin: (model, firstStep) => vqVaeTraining(model, dataset.train, { batch, seed, firstStep }),
});
endHere(vq);

// The codes: [N,H/4,W/4,1]

console.log(`codes of ${dataset.train.shape[0]} training and ${dataset.test.shape[0]} test images`);
const codes = await codesOf(join(out, 'codes'), vq.model, dataset);
const [, ...codeShape] = codes.train.shape; // [h,w,1]

// The prior: codes and classes -> the distribution of each code

console.log(`PixelSNAIL of codes [${codeShape}], ${run.numEntries} entries${workersText(workers)}`);
let trainer;
const prior = await train({
  directory: join(out, 'prior'),
  steps: run.priorSteps,
  every: run.every,
  unit: 'bits/code',
  signal: interrupt.signal,
  create() {
    const sizes = { filters: run.priorFilters, numBlocks: run.priorBlocks };
    const model = priorOf({ imageShape: codeShape, levels: run.numEntries, numClasses, ...sizes, seed });
    model.compile({ optimizer: adam(RATE), loss: bitsPerDim });
    return model;
  },
  async begin(model, firstStep) {
    trainer = await startTrainer(model, workers, run.batch);
    return priorTraining(trainer, codes.train, { batch, seed, firstStep });
  },
}).finally(() => trainer?.dispose());
endHere(prior);

// Figures

const numTested = Math.min(run.evalImages ?? Number.POSITIVE_INFINITY, dataset.test.shape[0]);
const test = sliceImages(dataset.test, 0, numTested);
const testCodes = sliceImages(codes.test, 0, numTested);
const { rms, unexplained } = reconstructionError(test, await decode(vq.model, testCodes, levels));
const { used, perplexity } = codebookUse(testCodes);
const [priorBits] = await bitsByChannel(prior.model, testCodes, { batchSize: 100 });
const bits = { ...baselines(codes.train, testCodes), PixelSNAIL: priorBits };
const figures = { testImages: numTested, rms, unexplained, used, perplexity, bits };
await writeWhole(join(out, 'figures.json'), `${JSON.stringify(figures, null, 2)}\n`);

console.log(`${numTested} test images`);
console.log(
  `error                ${rms.toFixed(1)} of ${levels - 1} levels (root mean square): ${(100 * unexplained).toFixed(1)} % of the variance`,
);
console.log(
  `codebook             ${used} of ${run.numEntries} entries used, perplexity ${perplexity.toFixed(1)}`,
);
console.log('                     bits/code  bits/pixel');
const codesPerPixel = (codeShape[0] * codeShape[1]) / (height * width);
for (const [name, perCode] of Object.entries(bits)) {
  console.log(
    `${name.padEnd(21)}${perCode.toFixed(3).padStart(9)}${(perCode * codesPerPixel).toFixed(3).padStart(12)}`,
  );
}

// Pictures, a column for each class

const { rows, temperature } = run;
const restored = await reconstructionsPng(vq.model, dataset.test, codes.test, numClasses);
await writeWhole(join(out, 'reconstructions.png'), restored);
const samples = await samplesPng(vq.model, prior.model, dataset.test, {
  rows,
  numClasses,
  seed,
  temperature,
});
await writeWhole(join(out, 'samples.png'), samples);
console.log(`reconstructions.png, samples.png and figures.json are in ${out}`);
for (const { model } of [vq, prior]) {
  model.optimizer.dispose();
  model.dispose();
}
