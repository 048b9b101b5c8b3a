// Collects the results of the runs in docs/results/index.md, from their metrics, and writes its tables and pictures.
//
//   node scripts/results.mjs [--runs runs]
//
// Each run is a directory of examples/train.mjs, named below. Existing runs are copied to
// docs/results/runs, without their lines of single steps; the tables are made from those copies.

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { recordOfRun } from '../kit/runs/run-record.mjs';
import { FAMILIES } from '../tests/bench/lib/families.mjs';
import { markdownTable, writeFigures } from '../tests/bench/lib/report.mjs';
import { natsOf, PUBLISHED, readRuns } from './lib/recipes.mjs';

const { values: flags } = parseArgs({ options: { runs: { type: 'string', default: 'runs' } } });
const docs = fileURLToPath(new URL('../docs', import.meta.url));

/**
 * Names of runs without their seeds, and bits per dimension of the network in PyTorch, with this recipe and
 * as many steps, for seeds 0, 1 and so on, if there are any.
 */
const EXPERIMENTS = [
  { name: 'digits', title: 'digits 8x8, 17 levels', pytorch: [1.87, 1.859] },
  { name: 'fashion-16', title: 'Fashion-MNIST 28x28, 16 levels', pytorch: [1.177, 1.207] },
  { name: 'fashion-16-gated', title: 'Fashion-MNIST 28x28, 16 levels', pytorch: [] },
  { name: 'fashion-256', title: 'Fashion-MNIST 28x28, 256 levels', pytorch: [3.275, 3.299] },
  { name: 'emoji-32', title: 'emoji 16x16 RGB, 32 levels', pytorch: [1.735, 1.784, 1.761] },
  { name: 'emoji-256', title: 'emoji 16x16 RGB, 256 levels', pytorch: [4.081, 4.006] },
];
const SEEDS = [1, 2, 3]; // the third is optional

/** Runs whose results appear in other tables, of `npm run bench:families`, and in the text. */
const OTHERS = [
  ...Object.values(FAMILIES).flat(),
  'fashion-16-8000',
  'fashion-16-gated-8000',
  'fashion-16-by-class',
  'digits-2000-gated',
  'fashion-16-2000-gated',
  'emoji-mixture-gated',
  'binarized-small',
];

/** Networks on binarized MNIST, by what their runs are called after `binarized-`. */
const NETWORKS = {
  pixelcnn: '`pixelCNN`, hidden 64, 7 blocks of 5x5',
  gated: '`gatedPixelCNN`, hidden 48, 7 blocks of 3x3',
  'plus-plus': '`pixelCNNPlusPlus`, filters 32, 1 block',
  gpt: '`imageGPT`, width 64, 4 blocks',
  'plus-plus-40': '`pixelCNNPlusPlus`, filters 40, 1 block, longer',
};
/** Runs of pytorch/train.py. */
const TWINS = [
  ...[...Object.keys(NETWORKS), 'small-twin-1', 'small-twin-2'].map((name) => `binarized-${name}`),
  ...['plus-plus', 'neighbours', 'mutated'].map((name) => `outliers-${name}`),
];

/** A file of a run, or null. */
const textOf = (name, file) =>
  readFile(join(flags.runs, name, file), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });

/** Copies a run if it exists. */
async function gather(name) {
  const from = join(flags.runs, name);
  const record = await recordOfRun(from);
  if (record === null) return;
  const { program: _, path, ...settings } = record.settings;
  const step = record.evaluations.at(-1)?.step;
  const isTested = settings.data !== 'binarized-mnist' || (await textOf(name, 'figure.json')) !== null;
  if (step !== settings.steps || !isTested) {
    console.error(`${name}: not finished, left out`);
    return;
  }
  await writeRun(name, [settings, ...record.evaluations]);
  const picture = `results-${name.slice(0, -2)}.png`;
  const page = await readFile(join(docs, 'results/index.md'), 'utf8');
  if (!name.endsWith('-1') || !page.includes(`images/${picture}`)) return;
  await copyFile(join(from, `samples-${step}.png`), join(docs, 'images', picture));
}

/** Copies a finished run of pytorch/train.py if it exists. */
async function gatherTwin(name) {
  const record = await recordOfRun(join(flags.runs, name));
  if (record === null) return;
  const { evaluations, final, numWeights: weights } = record;
  if (final?.testBits === undefined) {
    console.error(`${name}: not finished, left out`);
    return;
  }
  const { path, out, resume, device, ...settings } = record.settings;
  const { best, testBits } = final;
  const isInNats = settings.data === 'binarized-mnist';
  const figure = isInNats ? { testNats: Number(natsOf(testBits).toFixed(2)) } : { testBits };
  const { step: steps } = evaluations.at(-1); // a run may be ended early
  await writeRun(name, [{ ...settings, steps }, ...evaluations, { best, weights, ...figure }]);
}

/** Writes the lines of a run, and at their end what reproduce.mjs has measured of the exported file, if it has. */
async function writeRun(name, lines) {
  const figure = await textOf(name, 'figure.json');
  const all = [...lines, ...(figure === null ? [] : [JSON.parse(figure)])].map((line) =>
    JSON.stringify(line),
  );
  await mkdir(join(docs, 'results/runs'), { recursive: true });
  await writeFile(join(docs, 'results/runs', `${name}.jsonl`), `${all.join('\n')}\n`);
}

async function read(name) {
  const text = await readFile(join(docs, 'results/runs', `${name}.jsonl`), 'utf8').catch(() => null);
  if (text === null) return null;
  const [run, ...evaluations] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { run, evaluations, last: evaluations.at(-1) };
}

/** The runs of a name, one for each seed. */
async function runsOf(name) {
  await Promise.all(SEEDS.map((seed) => gather(`${name}-${seed}`)));
  return (await Promise.all(SEEDS.map((seed) => read(`${name}-${seed}`)))).filter(Boolean);
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const figures = (values) => values.map((value) => value.toFixed(3)).join(' / ');

const rows = [];
for (const { name, title, pytorch } of EXPERIMENTS) {
  const results = await runsOf(name);
  if (results.length === 0) continue;
  const [{ run }] = results;
  const bits = results.map(({ last }) => last.testBits);
  const difference = mean(bits) - mean(pytorch);
  const first = `first ${run.firstKernelSize}x${run.firstKernelSize}`;
  rows.push([
    title,
    `${run.model === 'gated' ? 'gated, ' : ''}hidden ${run.hiddenDim}, out ${run.outDim}, ${run.numBlocks} blocks, ${first}`,
    results[0].last.step,
    figures(bits),
    figures(pytorch),
    pytorch.length === 0 ? '' : `${difference < 0 ? '' : '+'}${difference.toFixed(3)}`,
    `${(mean(results.map(({ last }) => last.seconds)) / 60).toFixed(1)} min`,
  ]);
}
const table = markdownTable(
  ['data', 'network', 'steps', 'test bits/dim, each seed', 'PyTorch', 'mean difference', 'time'],
  rows,
);
console.log(table);
await writeFigures('index', 'results', table);

await Promise.all(OTHERS.map(runsOf));
await Promise.all(TWINS.map(gatherTwin));

const TRAINED = 50_000; // images
const runs = await readRuns();
const ofBits = Object.entries(NETWORKS).flatMap(([name, title]) => {
  const run = runs.find((known) => known.name === `binarized-${name}`);
  if (run === undefined) return [];
  const evaluations = run.lines.filter(({ validationBits }) => validationBits !== undefined);
  const { best, weights, testNats } = Object.assign({}, ...run.lines.slice(evaluations.length)); // that of the file, where it was measured
  const { step, validationBits, cpuSeconds } = evaluations.find((line) => line.step === best);
  const epochs = (step * run.settings.batch) / TRAINED;
  return [[title, weights.toLocaleString('en'), epochs.toFixed(1), (cpuSeconds / 3600).toFixed(2), natsOf(validationBits).toFixed(2), testNats.toFixed(2)]]; // biome-ignore format: one row
});
const published = PUBLISHED.map(({ network, kind, figure, source }) => [`${network}, [published](${source})`, '', '', '', '', `${Number.parseFloat(figure).toFixed(2)}${kind === 'exact' ? '' : `, ${kind}`}`]); // biome-ignore format: one row
const header = ['network', 'weights', 'epochs', 'CPU hours', 'validation', 'test'];
const binarized = markdownTable(header, [...ofBits, ...published]);
console.log(binarized);
await writeFigures('index', 'binarized', binarized);
