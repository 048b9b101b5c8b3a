import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemPython } from '../../../scripts/lib/python.mjs';
import { summary } from './timing.mjs';

/** Lets malloc keep what a pass frees, as a long training run would: else a third of a pass is work and the rest page faults. */
const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: String(2 ** 30), MALLOC_TRIM_THRESHOLD_: String(2 ** 32 - 1) };

/** Has Python start so many processes. There is no process 9: this way Debian 12's PyTorch runs under Python 3.11. */
const distributed = (ranks) => `-m torch.distributed.run --standalone --nproc_per_node ${ranks} --redirects 9:1 --tee 9:1`.split(' ');

/** What a script of tests/bench/torch prints; null where python3 has no torch. */
const runTorch = (script, ...args) => runPython([], script, ...args);

function runPython(launcher, script, ...args) {
  const path = fileURLToPath(new URL(`../torch/${script}`, import.meta.url));
  for (const python of [systemPython, '/usr/bin/python3']) {
    const { status, stdout, stderr } = spawnSync(python, ['-B', ...launcher, path, ...args.map(String)], { encoding: 'utf8', env });
    if (status === 0) return JSON.parse(stdout);
    if (stderr && !stderr.includes("No module named 'torch'")) throw new Error(stderr);
  }
  return null;
}

/** A network as research/pytorch makes it. */
const made = ({ model = 'pixelCNN', ...args }) => [model, JSON.stringify(args)];

/**
 * PyTorch's forward pass and training step of the same network, on so many threads, or as so many ranks of one thread each; null where
 * python3 has no torch. With no seconds, one pass and no step.
 *
 * @param {object} shape the arguments of a factory; `model` is its name, if it is not pixelCNN
 * @returns {{ forward: object, step?: object } | null} summaries as of timeInTurn
 */
export function timeTorch(shape, batch, seconds, { threads = 1, ranks = 1 } = {}) {
  const launcher = ranks > 1 ? distributed(ranks) : [];
  const times = runPython(launcher, 'step.py', ...made(shape), batch, seconds, threads);
  return times && Object.fromEntries(Object.entries(times).map(([task, all]) => [task, summary(all)]));
}

/**
 * Milliseconds that PyTorch takes for Image GPT, one thread: a whole pass over the first places of so many images, and sampling these with
 * a cache of keys and values; null where python3 has no torch.
 */
export const timeTorchGPT = (shape, numImages, places) => runTorch('gpt.py', JSON.stringify(shape), numImages, places);

/** Milliseconds that PyTorch's naive sampler takes for so many images, one thread; null where python3 has no torch. */
export const timeTorchSampler = (shape, numImages) => runTorch('sample.py', ...made(shape), numImages)?.sample ?? null;

/**
 * A step of training without data by the code in a clone of wdphy16/stat-mech-van, one thread; null where python3 has no torch.
 *
 * @param {number} passes of its sampling, which takes one for each spin, to time
 * @returns {{ pass: number, gradient: number, version: string } | null} in seconds of processor time
 */
export const timeTorchEnergy = (directory, passes) => runTorch('energy_step.py', directory, passes);
