// Times a step of training without data beside the public code of the paper that introduced it, both on one thread and by the
// processor's clock: 1,000 images of 16x16 spins, three masked 7x7 convolutions of width 64.
//
//   npm run bench:energy -- [--van DIR] [--steps 3] [--write]
//
// DIR is a clone of https://github.com/wdphy16/stat-mech-van. Takes about two minutes.

import { execFileSync } from 'node:child_process';
import { input, layers } from '@tensorflow/tfjs-layers';
import { autoregressiveModel, fitToEnergy, maskedConv2d, pixelLogits, sample } from 'pixelcnn-layers';
import { energyOf } from '../../kit/models/ising.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { machine } from './lib/machine.mjs';
import { timeTorchEnergy } from './lib/torch.mjs';

const { flags, publish } = benchmark('benchmarks', 'bench:energy', { van: '', steps: 3 });
const [size, numImages, width] = [16, 1000, 64];

/** What its code takes; null without --van, or where python3 has no torch. */
const timeVan = () => (flags.van === '' ? null : timeTorchEnergy(flags.van, 4));

await useBackend('wasm');
const image = input({ shape: [size, size, 1] });
let features = maskedConv2d({ filters: width, kernelSize: 7, maskType: 'A', imageChannels: 1 }).apply(image);
for (const filters of [width, 2]) {
  const activated = layers.prelu({ sharedAxes: [1, 2], alphaInitializer: 'ones' }).apply(features);
  features = maskedConv2d({ filters, kernelSize: 7, imageChannels: 1 }).apply(activated);
}
const logits = pixelLogits({ imageChannels: 1, levels: 2 }).apply(features);
const model = autoregressiveModel({ inputs: image, outputs: logits });

const before = timeVan();
const draws = [];
const whole = [];
for (let step = 0; step < flags.steps; step++) {
  draws.push(await seconds(async () => (await sample(model, { numImages, seed: step })).dispose()));
  whole.push(await seconds(() => fitToEnergy(model, energyOf(size), { steps: 1, numImages, beta: 0.44, seed: step })));
}
const after = timeVan(); // before and after, since the two do not run in turn
const [draw, ours] = [draws, whole].map((times) => Math.min(...times));
const own = `A step takes ${ours.toFixed(1)} s of processor time: drawing ${draw.toFixed(1)} s, and the gradient ${(ours - draw).toFixed(1)} s`;
await publish(`${own}${before ? beside() : ''}. One core of ${machine()}.`);

/** Their step, in words. */
function beside() {
  const [pass, gradient] = ['pass', 'gradient'].map((what) => Math.min(before[what], after[what]));
  const theirs = size ** 2 * pass + gradient;
  const commit = execFileSync('git', ['-C', flags.van, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const times = (part, whole) => `${(part / whole).toPrecision(2)} times as long`;
  return `. That of the public code (wdphy16/stat-mech-van, ${commit}, PyTorch ${before.version}) takes ${theirs.toFixed(0)} s, ${times(theirs, ours)}, since it draws in ${size ** 2} passes of ${pass.toFixed(2)} s (a few were timed). Its gradient alone takes ${gradient.toFixed(1)} s: ours takes ${times(ours - draw, gradient)}`;
}

/** Of the processor, since other programs may hold it up. */
async function seconds(task) {
  const since = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}
