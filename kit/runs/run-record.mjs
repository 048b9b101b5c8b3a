import { execFile } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * The settings of a run of train.mjs or research/pytorch/train.py, with names as flags in camel case, and its evaluations in order; null
 * for any other directory. `best` is the step whose weights count. `numWeights` and `final`, what it says at the end, are train.py's.
 *
 * @param {string} directory
 * @returns {Promise<null | { settings: Record<string, any>, evaluations: Record<string, number>[], best: number | undefined,
 *   numWeights?: number, final?: Record<string, number> }>}
 */
export async function recordOfRun(directory) {
  const [run, lines, metrics] = await Promise.all(
    ['run.json', 'metrics.jsonl', 'metrics.json'].map((file) => textOf(join(directory, file))),
  );
  if (run !== null) {
    const logged = (lines ?? '').split('\n').filter((line) => /"(test|validation)Bits"/.test(line));
    const evaluations = logged.map((line) => JSON.parse(line));
    const bitsOf = ({ validationBits, testBits }) => validationBits ?? testBits;
    const best = evaluations.reduce(
      (least, one) => (bitsOf(one) < bitsOf(least) ? one : least),
      evaluations[0],
    );
    return { settings: { program: 'train.mjs', ...JSON.parse(run) }, evaluations, best: best?.step };
  }
  const state = metrics === null ? null : await stateOf(join(directory, 'checkpoint.safetensors'));
  if (state === null) return null;
  const evaluations = JSON.parse(metrics);
  const final = evaluations.at(-1)?.best === undefined ? undefined : evaluations.pop();
  const camel = (key) => key.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  const kept = Object.entries(state.run).filter(([, value]) => value !== null && value !== false);
  const settings = Object.fromEntries(kept.map(([key, value]) => [camel(key), value]));
  return {
    settings: { program: 'pytorch/train.py', ...settings },
    evaluations,
    best: final?.best ?? evaluations.at(-1)?.step,
    numWeights: state.numWeights,
    final,
  };
}

/**
 * What a file should say of the run that its model is of; undefined where there is none.
 *
 * @param {string} directory
 * @returns {Promise<Record<string, string> | undefined>}
 */
export async function provenanceOf(directory) {
  const record = await recordOfRun(directory);
  const evaluation = record?.evaluations.find(({ step }) => step === record.best);
  if (evaluation === undefined) return undefined;
  const {
    program,
    data,
    checksum,
    seed,
    path: _,
    out: __,
    resume: ___,
    device: ____,
    ...settings
  } = record.settings;
  if (settings.weights !== undefined) settings.weights = basename(settings.weights); // not where it lies on this machine
  const { step, validationBits, testBits = record.final?.testBits } = evaluation;
  const figures = { validation: validationBits, test: testBits };
  const bits = Object.entries(figures).filter(([, value]) => value !== undefined);
  return {
    program,
    data: checksum === undefined ? data : `${data}, checksum ${checksum}`,
    steps: String(step),
    seed: String(seed),
    settings: JSON.stringify(settings),
    'bits/dim': bits.map(([name, value]) => `${name} ${value.toFixed(4)}`).join(', '),
    ...(await versionOf()),
  };
}

/** The version of this repository, and the commit where it is one. */
async function versionOf() {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const head = await promisify(execFile)('git', ['rev-parse', '--short=10', 'HEAD'], { cwd }).catch(
    () => null,
  );
  return { 'written by': `pixelcnn-layers ${version}`, ...(head && { commit: head.stdout.trim() }) };
}

const textOf = (file) => readFile(file, 'utf8').catch(ignoreMissing);

function ignoreMissing(error) {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/** What a checkpoint of train.py says of its run, without reading its weights. */
async function stateOf(file) {
  const handle = await open(file).catch(ignoreMissing);
  if (handle === null) return null;
  try {
    const { buffer: size } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    const length = Number(size.readBigUInt64LE());
    const { buffer: header } = await handle.read(Buffer.alloc(length), 0, length, 8);
    const { __metadata__: metadata, ...tensors } = JSON.parse(header.toString('utf8'));
    const shapes = Object.entries(tensors).flatMap(([key, { shape }]) =>
      key.startsWith('model.') ? [shape] : [],
    );
    const numWeights = shapes.reduce(
      (sum, shape) => sum + shape.reduce((product, side) => product * side, 1),
      0,
    );
    return { run: JSON.parse(metadata.state).run, numWeights };
  } finally {
    await handle.close();
  }
}
