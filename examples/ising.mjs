// Trains a network on the energy of the Ising model or of a spin glass, without data, and estimates its free energy: `node examples/ising.mjs
// --help`.

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import {
  bitsPerDim,
  fitToEnergy,
  pixelCNN,
  scheduleLearningRate,
  symmetric,
  toPortable,
} from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import {
  averages,
  createPool,
  logPartition,
  logProb,
  readPortable,
  sample,
  writePortable,
} from 'pixelcnn-layers/runtime';
import { command, oneOf, outputDirectory, positiveNumber, stop, wholeNumber } from '../kit/flags.mjs';
import { cooled, glassBonds, summedLogZ } from '../kit/models/glass.mjs';
import {
  CRITICAL,
  correlationsOf,
  energyOf,
  exactCorrelations,
  exactEnergy,
  exactLogZ,
  freeEnergyOf,
  magnetizationsOf,
  SYMMETRIES,
} from '../kit/models/ising.mjs';
import { gridPng } from '../kit/pictures/png.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { checkpoints } from '../kit/runs/checkpoints.mjs';
import { writeWhole } from '../kit/runs/files.mjs';

const flags = command(
  'examples/ising.mjs',
  'Trains a PixelCNN on the energy of periodic Ising spins, or of a spin glass, and compares its free energy with the exact one.',
)
  .option('--size <n>', 'rows and columns', wholeNumber(2, 256), 8)
  .option(
    '--beta <b>',
    "inverse temperature, or 'critical'",
    (value) => (value === 'critical' ? value : positiveNumber()(value)),
    0.44,
  )
  .option(
    '--glass <n>',
    'of 4x4 spins or fewer: bonds are +1 or -1 at random, by this seed (default: all are +1)',
    wholeNumber(0),
  )
  .option('--steps <n>', 'of training', wholeNumber(1), 500)
  .option('--images <n>', 'drawn for each step', wholeNumber(2), 200)
  .option('--hidden <n>', 'features of the network', wholeNumber(1), 16)
  .option('--blocks <n>', 'of the network', wholeNumber(0), 3)
  .option('--learning-rate <r>', 'a tenth of it in the last third of the steps', positiveNumber(), 0.002)
  .option('--anneal <r>', 'beta grows as beta (1 - R^step)', positiveNumber(1), 0.99)
  .option('--draws <n>', 'images to estimate with', wholeNumber(2), 20_000)
  .option('--workers <n>', 'threads that draw; 1: this one', wholeNumber(1), 1)
  .option(
    '--precision <kind>',
    'of the weights in the file',
    oneOf(['float32', 'float16', 'int8']),
    'float32',
  )
  .option('--seed <n>', 'of weights and draws', wholeNumber(0), 1)
  .option('--out <dir>', 'of checkpoints and results (default: out/ising-SIZE-BETA)', outputDirectory())
  .option('--resume', 'continues what is in --out')
  .parse()
  .opts();
const { size, glass, steps, images, hidden, blocks, learningRate, anneal, seed, draws, workers } = flags;
const beta = flags.beta === 'critical' ? CRITICAL : flags.beta;
const run = { size, beta, glass, steps, images, hidden, blocks, learningRate, anneal, seed };
if (glass !== undefined && size > 4) stop(`--glass: wanted a --size of at most 4, got '${size}'`);
const out = flags.out ?? `out/ising-${size}-${flags.beta}`;
const settings = join(out, 'run.json');
const kept = checkpoints(join(out, 'checkpoints'));
const EVERY = 100; // steps between checkpoints
const COOLED = 200; // configurations of a glass that are found without the network

await openRun();
await useBackend('wasm');
const from = flags.resume ? await kept.latest() : null;
const model = from ? await loadLayersModel(fileSystem(join(from.directory, 'model'))) : newModel();
const pool = workers > 1 ? createPool({ workers }) : undefined;
const { name, energy, exact, symmetries } = glass === undefined ? magnet() : spinGlass();
const freeEnergy = (logZ) => freeEnergyOf(logZ, size, beta);

console.log(
  `${name} ${size}x${size} at beta ${beta}: ${model.countParams()} weights, ${steps} steps of ${run.images}`,
);
await train();
const summary = await estimates();
await pool?.dispose();
await writeWhole(join(out, 'result.json'), `${JSON.stringify(summary, null, 2)}\n`);

/** Begins a run, or checks that it is the one to resume. */
async function openRun() {
  if (!existsSync(settings)) {
    if (flags.resume) stop(`--resume: ${out} has no run`);
    await mkdir(out, { recursive: true });
    return writeFile(settings, JSON.stringify(run));
  }
  if (!flags.resume) stop(`--out: ${out} has a run: --resume continues it`);
  const before = JSON.parse(await readFile(settings, 'utf8'));
  const others = Object.keys(run).filter((name) => before[name] !== run[name]);
  const asBefore = others.map((name) => `${name} ${before[name] ?? 'not given'}`).join(', ');
  if (others.length > 0) stop(`--resume: wanted the settings of the run: ${asBefore}`);
}

function magnet() {
  const exact = exactLogZ(size, beta);
  return { name: 'Ising', energy: energyOf(size), exact, symmetries: SYMMETRIES };
}

function spinGlass() {
  const energy = energyOf(size, glassBonds(size, glass));
  return {
    name: `glass ${glass},`,
    energy,
    exact: summedLogZ(energy, size, beta),
    symmetries: ['flipLevels'],
  };
}

/** A network whose first layer sees all spins before the current one. */
function newModel() {
  const network = pixelCNN({
    imageShape: [size, size, 1],
    levels: 2,
    input: 'oneHot', // so that a spin of -1 differs from the outside
    hiddenDim: run.hidden,
    outDim: 2 * run.hidden,
    numBlocks: run.blocks,
    firstKernelSize: 2 * size - 1,
    seed: run.seed,
  });
  network.compile({ optimizer: tf.train.adam(run.learningRate, 0.9, 0.999, 1e-7), loss: bitsPerDim });
  return network;
}

async function train() {
  const { optimizer } = model;
  const rate = (step) => run.learningRate * (step < (2 / 3) * steps ? 1 : 0.1);
  const schedule = scheduleLearningRate(optimizer, rate);
  const firstStep = from?.step ?? 0;
  if (firstStep === steps) return;
  schedule.beforeStep();
  let sum = 0;
  let since = performance.now();
  await fitToEnergy(symmetric(model, ['flipLevels']), energy, {
    steps,
    firstStep,
    numImages: run.images,
    beta: (step) => beta * (1 - run.anneal ** step),
    optimizer,
    clipNorm: 1,
    seed: run.seed,
    pool,
    async onStep({ step, energies, logProb }) {
      const done = step + 1;
      schedule.beforeStep(); // of the next step
      // The bound of the step is at the beta of the last one, which is not quite there yet.
      sum += energies.reduce((all, one, n) => all - beta * one - logProb[n], 0) / run.images;
      if (done % EVERY !== 0 && done !== steps) return;
      const count = done % EVERY || EVERY;
      const seconds = (performance.now() - since) / 1000 / count;
      const mean = freeEnergy(sum / count);
      console.log(`step ${done}: F/N at most ${mean.toFixed(5)}, exact ${freeEnergy(exact).toFixed(5)}; ${seconds.toFixed(2)} s a step`); // biome-ignore format: one line
      sum = 0;
      await kept.save(done, {}, (directory) =>
        model.save(fileSystem(join(directory, 'model')), { includeOptimizer: true }),
      );
      since = performance.now();
    },
  });
}

/** Prints and returns what the network says of the free energy, and writes the network and a picture. */
async function estimates() {
  const info = { name: `${name} ${size}x${size} at beta ${beta}` };
  const bytes = writePortable(await toPortable(symmetric(model, symmetries), { info }), {
    weights: flags.precision,
  });
  await writeWhole(join(out, 'model.pixelcnn'), bytes);
  const portable = readPortable(bytes);
  const { symmetry, ...alone } = portable; // the network without its symmetries
  const estimate = (of) => logPartition(of, energy, { beta, numImages: draws, seed: run.seed, pool });
  const { logZ, standardError, bound, effectiveSampleSize } = await estimate(portable);
  const { logZ: logZAlone } = await estimate(alone);
  const error = standardError / beta / size ** 2;
  const apart = (freeEnergy(logZ) - freeEnergy(exact)) / error;
  const relative = 1 - bound / exact;
  console.log(`F/N exact      ${freeEnergy(exact).toFixed(7)}`);
  console.log(
    `F/N bound      ${freeEnergy(bound).toFixed(7)}, ${relative.toExponential(1)} above it, relative to it`,
  );
  console.log(`F/N estimate   ${freeEnergy(logZ).toFixed(7)} +- ${error.toExponential(1)}, ${apart.toFixed(1)} standard errors away`); // biome-ignore format: one line
  console.log(`ln Z estimate  ${logZ.toFixed(4)}, exact ${exact.toFixed(4)}; by the network alone ${logZAlone.toFixed(4)}`); // biome-ignore format: one line
  console.log(`effective sample size ${((100 * effectiveSampleSize) / draws).toFixed(1)} % of ${draws}`);

  const means = glass === undefined ? await meansOf(portable) : { missed: await missedBy(portable, logZ) };

  const draw = (of) => sample(of, { numImages: 1000, seed: run.seed });
  const images = await draw(portable);
  const [histogram, histogramAlone] = [images, await draw(alone)].map(({ data }) => histogramOf(data));
  console.log('magnetization, of 1,000 images with all symmetries, and of 1,000 by the network alone:');
  for (const [k, count] of histogram.entries()) {
    const counts = [count, histogramAlone[k]].map((one) => String(one).padStart(5)).join('');
    console.log(`${(k / 10 - 1).toFixed(1).padStart(5)}${counts} ${'#'.repeat(Math.round(count / 10))}`);
  }
  const shown = images.data.subarray(0, 32 * size ** 2);
  const grid = { imageShape: [size, size, 1], levels: 2, columns: 8, scale: 4 };
  await writeWhole(join(out, 'samples.png'), gridPng({ images: shown, ...grid }));
  const perSpin = { exact: freeEnergy(exact), bound: freeEnergy(bound), estimate: freeEnergy(logZ), error };
  return {
    ...run,
    draws,
    perSpin,
    relative,
    apart,
    logZ,
    logZAlone,
    effectiveSampleSize,
    ...means,
    histogram,
    histogramAlone,
  };
}

/**
 * Prints and returns how many of the configurations that Metropolis's rule finds the network draws too seldom: p / q is
 * e^(-beta E) / (Z q), and q the network's.
 */
async function missedBy(portable, logZ) {
  const levels = cooled(energy, size, { beta, count: COOLED, seed: run.seed });
  const own = await logProb(portable, { data: levels, shape: [COOLED, size, size, 1] });
  const logRatios = energy(levels, COOLED).map((one, n) => -beta * one - own[n] - logZ);
  const missed = logRatios.filter((ratio) => ratio > Math.log(10)).length;
  console.log(`missed         ${missed} of ${COOLED} configurations that Metropolis's rule finds are drawn less than a tenth as often as they should be`); // biome-ignore format: one line
  return missed;
}

/** Prints and returns the energy of a spin, the magnetization without its sign, and correlations. */
async function meansOf(portable) {
  const observables = (levels, n) => [
    energy(levels, n).map((one) => one / size ** 2),
    magnetizationsOf(levels, n).map(Math.abs),
    correlationsOf(levels, n, size),
  ];
  const options = { beta, numImages: draws, seed: run.seed, pool };
  const found = await averages(portable, energy, observables, options);
  const exact = [[exactEnergy(size, beta) / size ** 2], [], size <= 8 ? exactCorrelations(size, beta) : []];
  const names = ['E/N', '|M|/N', 'correlation'];
  return Object.fromEntries(
    found.map(({ means, standardErrors }, index) => {
      for (const [k, mean] of means.entries()) {
        const name = means.length > 1 ? `${names[index]} ${k + 1}` : names[index];
        const right = exact[index][k] === undefined ? '' : `, exact ${exact[index][k].toFixed(6)}`;
        console.log(`${name.padEnd(14)} ${mean.toFixed(6)} +- ${standardErrors[k].toExponential(1)}${right}`);
      }
      return [names[index], { means: [...means], standardErrors: [...standardErrors], exact: exact[index] }];
    }),
  );
}

/** How many of 1,000 images have a magnetization from -1 to -0.9, and so on up to 1, [20]. */
function histogramOf(levels) {
  const counts = new Array(20).fill(0);
  for (const one of magnetizationsOf(levels, 1000)) counts[Math.min(19, Math.floor(10 * (one + 1)))]++;
  return counts;
}
