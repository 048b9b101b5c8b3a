import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FOR_MODELS } from '../../kit/runs/train-flags.mjs';

/** Settings and metrics of all runs whose figures are in the docs. */
const RUNS = fileURLToPath(new URL('../../docs/results/runs', import.meta.url));

/** Flags that are not their setting's name with hyphens. */
const FLAG_OF = {
  colours: 'palette',
  isConditional: 'conditional',
  numResnets: 'resnets',
  numResBlocks: 'res-blocks',
  numLayers: 'layers',
  hiddenDim: 'hidden',
  numBlocks: 'blocks',
  firstKernelSize: 'first-kernel',
  kernelSize: 'kernel',
};

/** Data sets whose figures are nats an image, of the file that is exported. */
const IN_NATS = ['binarized-mnist'];

const PIXELS = 28 * 28;
/** Nats an image of MNIST, given bits per dimension. @param {number} bits */
export const natsOf = (bits) => bits * PIXELS * Math.LN2;

/** Settings that no flag gives. */
const FOUND = ['program', 'checksum', 'path', 'palette'];

/**
 * A run of the docs.
 *
 * @typedef {object} Recipe
 * @property {string} name of its directory when it is made again
 * @property {'train.mjs' | 'pytorch/train.py' | 'ising.mjs'} program in examples or research
 * @property {Record<string, unknown>} settings
 * @property {string} figure on the test images, or of spins the estimate
 * @property {number} [hours] of CPU time, or of wall time on one core where only that was kept
 */

/**
 * All runs of the docs that trained on data.
 *
 * @returns {Promise<{ name: string, settings: Record<string, unknown>, lines: Record<string, number>[] }[]>} `lines` are evaluations, and
 * for runs chosen by validation images, at the end, the figure on the test images
 */
export async function readRuns() {
  const files = (await readdir(RUNS)).filter((file) => file.endsWith('.jsonl')).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(RUNS, file), 'utf8');
      const [settings, ...lines] = text.trim().split('\n').map((line) => JSON.parse(line)); // biome-ignore format: one line
      return { name: file.slice(0, -'.jsonl'.length), settings, lines };
    }),
  );
}

/** All runs of the docs, and how to make them again. @returns {Promise<Recipe[]>} */
export async function readRecipes() {
  const ofSpins = JSON.parse(await readFile(join(RUNS, 'ising.json'), 'utf8'));
  const runs = (await readRuns()).filter(({ settings }) => settings.continues === undefined); // no one command makes those again
  return [...runs.map(recipeOf), ...ofSpins.map(recipeOfSpins)];
}

/**
 * @param {Awaited<ReturnType<typeof readRuns>>[number]} run
 * @returns {Recipe}
 */
export function recipeOf({ name, settings: { program = 'train.mjs', ...settings }, lines }) {
  const { testNats, testBits } = Object.assign({}, ...lines);
  const isTested = IN_NATS.includes(settings.data) ? testNats !== undefined : testBits !== undefined;
  if (!isTested)
    throw new Error(`docs/results/runs/${name}.jsonl: wanted a figure of the test images at its end`);
  const figure = IN_NATS.includes(settings.data) ? `${testNats.toFixed(2)} nats` : `${testBits.toFixed(3)} bits/dim`; // biome-ignore format: one line
  const { seconds, cpuSeconds = seconds } = lines.findLast((line) => line.seconds !== undefined);
  return { name, program, settings, figure, hours: cpuSeconds / 3600 };
}

function recipeOfSpins({
  size,
  beta,
  steps,
  images,
  hidden,
  blocks,
  learningRate,
  anneal,
  seed,
  draws,
  perSpin,
}) {
  return {
    name: `ising-${size}-${beta.toFixed(3)}`,
    program: 'ising.mjs',
    settings: { size, beta, steps, images, hidden, blocks, learningRate, anneal, seed, draws },
    figure: `F/N ${perSpin.estimate.toFixed(7)}`,
  };
}

/**
 * The commands that make a run again, or continue it: each a program of examples or research, and its arguments.
 *
 * @param {Recipe} recipe
 * @param {{ out: string, path?: string, isBegun: boolean }} options
 * @returns {[program: string, args: string[]][]}
 */
export function commandsOf({ name, program, settings }, { out, path, isBegun }) {
  const where = path === undefined ? [] : ['--path', path];
  if (program === 'ising.mjs')
    return [[program, [...flagsOf(settings, program), '--out', out, ...(isBegun ? ['--resume'] : [])]]];
  const training = [
    program,
    [...(isBegun ? ['--resume'] : flagsOf(settings, program)), ...where, '--out', out],
  ];
  if (program === 'train.mjs' && !IN_NATS.includes(settings.data)) return [training];
  const file = join(out, `${name}.pixelcnn`);
  return [
    training,
    ['convert.mjs', ['--model', out, '--to', file, '--precision', 'float16']],
    ['evaluate.mjs', ['--model', file, '--data', settings.data, ...where]],
  ];
}

/**
 * The flags that give a run its settings.
 *
 * @param {Record<string, unknown>} settings
 * @param {Recipe['program']} program train.mjs refuses flags that are for other networks, of which train.py keeps the defaults
 * @returns {string[]}
 */
export function flagsOf(settings, program) {
  const { model = 'pixelcnn' } = settings;
  return Object.entries(settings).flatMap(([name, value]) => {
    const flag = FLAG_OF[name] ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const isOfOthers = program === 'train.mjs' && FOR_MODELS[flag]?.includes(model) === false;
    if (FOUND.includes(name) || value === false || value === null || isOfOthers) return [];
    return value === true ? [`--${flag}`] : [`--${flag}`, textOf(value)];
  });
}

function textOf(value) {
  if (typeof value !== 'object') return String(value);
  const [[name, size]] = Object.entries(value);
  return `${name === 'components' ? 'mixture' : name}:${size}`;
}

/**
 * Figures of others on the same test images: nats of the fixed binarization, bits/dim of all levels. `kind` is exact, about (as
 * published), an estimate by importance weights, which is on average no lower than the exact figure of that model, or that of a codec. A
 * figure that others measured than the authors of the network has their paper as source.
 *
 * @type {{ data: string, levels: number, network: string, model?: string, kind: string, figure: string, source: string }[]}
 */
export const PUBLISHED = [
  ['NADE', undefined, { 'binarized-mnist': '88.33' }, 'exact', '1601.06759'],
  ['EoNADE', undefined, { 'binarized-mnist': '85.10' }, 'exact', '1601.06759'],
  ['DARN', undefined, { 'binarized-mnist': '84.13' }, 'about', '1601.06759'],
  ['PixelCNN', 'pixelcnn', { 'binarized-mnist': '81.30' }, 'exact', '1601.06759'],
  ['Row LSTM', 'row-lstm', { 'binarized-mnist': '80.54' }, 'exact', '1601.06759'],
  [
    'Gated PixelCNN, by the authors of PixelVAE',
    'gated',
    { 'binarized-mnist': '80.10' },
    'exact',
    '1611.05013',
  ],
  ['VAE with IAF', undefined, { 'binarized-mnist': '79.88' }, 'estimate', '1606.04934'],
  ['VAE with an autoregressive prior', undefined, { 'binarized-mnist': '79.30' }, 'estimate', '1611.02731'],
  ['Diagonal BiLSTM', 'diagonal-bi-lstm', { 'binarized-mnist': '79.20' }, 'exact', '1601.06759'],
  ['VLAE', undefined, { 'binarized-mnist': '79.03' }, 'estimate', '1611.02731'],
  ['Gated PixelVAE', undefined, { 'binarized-mnist': '79.02' }, 'estimate', '1611.05013'],
  ['McBits, by others', undefined, { mnist: '1.98', 'fashion-mnist': '3.72' }, 'codec', '2211.12551'],
  ['IDF, by others', undefined, { mnist: '1.90', 'fashion-mnist': '3.47' }, 'codec', '2211.12551'],
  ['RatSPN, by others', undefined, { mnist: '1.67', 'fashion-mnist': '4.29' }, 'exact', '2211.12551'],
  ['BB-ANS, by others', undefined, { mnist: '1.39', 'fashion-mnist': '3.66' }, 'codec', '2211.12551'],
  ['Bit-Swap, by others', undefined, { mnist: '1.27', 'fashion-mnist': '3.28' }, 'codec', '2211.12551'],
  ['HCLT', undefined, { mnist: '1.20', 'fashion-mnist': '3.34' }, 'exact', '2211.12551'],
  ['Sparse circuit', undefined, { mnist: '1.14', 'fashion-mnist': '3.27' }, 'exact', '2211.12551'],
  ['Linear transformer', undefined, { mnist: '0.644' }, 'exact', '2006.16236'],
  ['Transformer', 'gpt', { mnist: '0.621' }, 'exact', '2006.16236'],
].flatMap(([network, model, figures, kind, paper]) =>
  Object.entries(figures).map(([data, value]) => ({
    data,
    levels: IN_NATS.includes(data) ? 2 : 256,
    network,
    model,
    kind,
    figure: `${value} ${IN_NATS.includes(data) ? 'nats' : 'bits/dim'}`,
    source: `https://arxiv.org/abs/${paper}`,
  })),
);
