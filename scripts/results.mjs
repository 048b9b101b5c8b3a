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
  'pixelcnn-2': '`pixelCNN`, hidden 64, 7 blocks of 5x5',
  gated: '`gatedPixelCNN`, hidden 48, 7 blocks of 3x3',
  'plus-plus': '`pixelCNNPlusPlus`, filters 32, 1 block',
  gpt: '`imageGPT`, width 64, 4 blocks',
  'plus-plus-40': '`pixelCNNPlusPlus`, filters 40, 1 block, longer',
  orders: '`pixelCNNPlusPlus`, filters 40, 2 blocks, four orders averaged',
  'row-lstm': 'Row LSTM, hidden 16, 7 blocks',
  'diagonal-bi-lstm': 'Diagonal BiLSTM, hidden 16, 7 blocks',
};
/** Those that train.mjs trained. */
const OWN = ['binarized-row-lstm', 'binarized-diagonal-bi-lstm'];
/** The last of several runs, put together by hand: see docs/results/index.md. */
const CONTINUED = ['binarized-orders'];
/** Runs of pytorch/train.py. */
const TWINS = [
  ...[...Object.keys(NETWORKS), 'small-twin-1', 'small-twin-2']
    .map((name) => `binarized-${name}`)
    .filter((name) => ![...OWN, ...CONTINUED].includes(name)),
  ...['plus-plus', 'neighbours', 'mutated'].map((name) => `outliers-${name}`),
  ...['mnist-256-plus-plus', 'fashion-256-plus-plus-64'],
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
  const { best, testBits, testError } = final;
  const isInNats = settings.data === 'binarized-mnist';
  const [testNats, errorNats] = [testBits, testError].map((bits) => bits && Number(natsOf(bits).toFixed(2)));
  const figure = isInNats ? { testNats, testError: errorNats } : { testBits, testError };
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

await Promise.all([...OTHERS.map(runsOf), ...OWN.map(gather)]);
await Promise.all(TWINS.map(gatherTwin));

const runs = await readRuns();

/** A run of pytorch/train.py; undefined where it is not among those of the docs. */
function summaryOf(name) {
  const run = runs.find((known) => known.name === name);
  if (run === undefined) return undefined;
  const last = run.lines.findLastIndex(({ validationBits }) => validationBits !== undefined);
  const found = Object.assign({}, ...run.lines.slice(last + 1)); // at the end that of the file, where it was measured
  const {
    step,
    validationBits,
    cpuSeconds = found.cpuSeconds,
  } = run.lines.find((line) => line.step === found.best);
  return { ...found, steps: step, validationBits, hours: cpuSeconds / 3600, seed: run.settings.seed };
}

const thousands = (count) => count.toLocaleString('en');
const withError = (value, error, digits) =>
  `${value.toFixed(digits)}${error === undefined ? '' : ` ± ${error.toFixed(digits)}`}`;
const numberOf = ({ figure, kind }) => `${figure.split(' ')[0]}${kind === 'exact' ? '' : `, ${kind}`}`;
const titleOf = ({ network, source }) => `${network}, [published](${source})`;

const ofBits = Object.entries(NETWORKS).flatMap(([name, title]) => {
  const run = summaryOf(`binarized-${name}`);
  if (run === undefined) return [];
  const { steps, hours, seed, validationBits, testNats, testError } = run;
  return [[title, thousands(run.weights), thousands(steps), hours.toFixed(2), seed, natsOf(validationBits).toFixed(2), withError(testNats, testError, 2)]]; // biome-ignore format: one row
});
const published = PUBLISHED.filter(({ data }) => data === 'binarized-mnist').map((other) => [titleOf(other), '', '', '', '', '', numberOf(other)]); // biome-ignore format: one row
const header = ['network', 'weights', 'steps', 'CPU hours', 'seed', 'validation', 'test'];
const binarized = markdownTable(header, [...ofBits, ...published]);
console.log(binarized);
await writeFigures('index', 'binarized', binarized);

/** The runs on images of 256 levels, by data set. */
const GREY = { mnist: 'mnist-256-plus-plus', 'fashion-mnist': 'fashion-256-plus-plus-64' };
const greyRuns = Object.values(GREY)
  .map(summaryOf)
  .filter((run) => run !== undefined);
const ofEach = (text) => greyRuns.map(text);
const ours = [
  '`pixelCNNPlusPlus`, filters 64, 1 block',
  ofEach(({ weights }) => thousands(weights)).join(' / '),
  ofEach(({ steps }) => thousands(steps)).join(' / '),
  ofEach(({ hours }) => hours.toFixed(2)).join(' / '),
  ...ofEach(({ testBits, testError }) => withError(testBits, testError, 3)),
];
const figureOf = (network, set) => {
  const other = PUBLISHED.find(({ data, network: known }) => data === set && known === network);
  return other === undefined ? '' : numberOf(other);
};
const greyOthers = new Map(
  PUBLISHED.filter(({ levels }) => levels === 256).map((other) => [other.network, other]),
);
const grey = markdownTable(
  ['network', 'weights', 'steps', 'CPU hours', 'MNIST', 'Fashion-MNIST'],
  [
    ours,
    ...[...greyOthers].map(([network, other]) => [
      titleOf(other),
      '',
      '',
      '',
      ...Object.keys(GREY).map((set) => figureOf(network, set)),
    ]),
  ],
);
console.log(grey);
await writeFigures('index', 'grey', grey);
