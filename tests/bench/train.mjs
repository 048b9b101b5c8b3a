// Times training: a step and a forward pass of this library's networks beside those of stock layers, of the blog's way written
// plainly, and of PyTorch, all in one run.
//
//   npm run bench:train -- [--backends wasm,tensorflow,cpu] [--seconds 8] [--batch 16] [--write]

import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { layerTimes } from './lib/layer.mjs';
import { machine } from './lib/machine.mjs';
import { compiled, forwardPass, ours, plain, randomBatch, shapes, stock } from './lib/networks.mjs';
import { normalizationTimes } from './lib/normalization.mjs';
import { mebibytes, ms, showRow, spread, tableOf } from './lib/report.mjs';
import { summary, timeInTurn } from './lib/timing.mjs';
import { timeTorch } from './lib/torch.mjs';

const { flags, publish } = benchmark('benchmarks', 'bench:train', { backends: 'wasm,tensorflow,cpu', seconds: 8, batch: 16 });
const { seconds, batch } = flags;
const FLAG = 'PIXELCNN_WASM_KERNELS';
/** PyTorch runs before, between and after what it is beside, since the two cannot run in turn. */
const ROUNDS = 3;

/** Backends that take minutes a step do the small networks only: at most so many multiplications a forward pass. */
const LARGEST = { cpu: 4e8, webgpu: 4e8 };

const multiplications = (model, { imageShape: [h, w] }) => model.countParams() * h * w * batch;

/**
 * What is timed of one network on the current backend, all of it in turn; `off` is without the library's own kernels, where
 * there are such.
 */
function tasksOf(shape, backend) {
  const { xs, labels } = randomBatch(shape, batch);
  const isWasm = backend === 'wasm';
  const step = (model) => {
    compiled(model);
    return () => model.trainOnBatch(xs, labels);
  };
  const forward = (model) => forwardPass(model, xs);
  const withoutKernels = (task) => async () => {
    tf.env().set(FLAG, false);
    await task();
    tf.env().set(FLAG, true);
  };
  const [own, plainly] = [ours(shape), plain(shape)];
  const tasks = { forward: forward(own), stock: forward(stock(shape)), plain: forward(plainly), step: step(own) };
  if (isWasm) tasks.off = withoutKernels(forward(own));
  if (isWasm) tasks.stepOff = withoutKernels(tasks.step);
  else tasks.plainStep = step(plainly); // wasm has no filter gradient: stock convolutions cannot train there
  return tasks;
}

/** Times of a network on backends, and of PyTorch: what stands beside each other was measured in turn, in several rounds. */
async function measure(shape, backends) {
  const torch = { forward: [], step: [] };
  const timeTorchOnce = () => {
    const times = timeTorch(shape, batch, seconds / 4);
    for (const [name, all] of Object.entries(torch)) if (times) all.push(times[name].median);
  };
  const measured = {};
  for (const backend of backends) {
    await useBackend(backend);
    const tasks = tasksOf(shape, backend);
    const rounds = [];
    const count = backend in LARGEST ? 1 : ROUNDS;
    for (let round = 0; round < count; round++) {
      timeTorchOnce();
      rounds.push(await timeInTurn(tasks, { seconds: seconds / count, minRounds: 2 }));
    }
    timeTorchOnce();
    const all = Object.keys(tasks).map((task) => [task, summary(rounds.flatMap((times) => times[task].all))]);
    const peaks = {};
    for (const task of ['step', 'stepOff'].filter((task) => task in tasks)) peaks[task] = (await tf.profile(() => tasks[task]())).peakBytes;
    measured[backend] = { ...Object.fromEntries(all), peaks };
  }
  return { measured, torch: torch.step.length > 0 && { forward: summary(torch.forward), step: summary(torch.step) } };
}

/** A row of the table: of a backend's times, those of its own kernels or without them. */
function rowOf(name, title, { stock, plain, plainStep, peaks, ...times }, [forwardName, stepName], torch) {
  const [forward, step] = [times[forwardName], times[stepName]];
  return {
    network: name,
    backend: title,
    'forward, ms (10th to 90th percentile)': spread(forward),
    'stock layers, forward': spread(stock),
    'step, ms': spread(step),
    'step in passes of stock layers': (step.median / stock.median).toFixed(2),
    'step in our own passes': (step.median / forward.median).toFixed(2),
    'naive: forward / step': `${ms(plain.median)} / ${plainStep ? ms(plainStep.median) : 'cannot'}`,
    'PyTorch, one thread: forward / step': torch ? `${spread(torch.forward)} / ${spread(torch.step)}` : 'not installed',
    'step / PyTorch': torch ? (step.median / torch.step.median).toFixed(1) : '',
    'peak memory of a step': mebibytes(peaks[stepName]),
  };
}

const rows = [];
const inShort = [];
for (const [name, shape] of Object.entries(shapes)) {
  await useBackend('wasm');
  const model = ours(shape);
  const backends = flags.backends.split(',').filter((backend) => multiplications(model, shape) <= (LARGEST[backend] ?? Infinity));
  model.dispose();
  const { measured, torch } = await measure(shape, backends);
  for (const [backend, times] of Object.entries(measured)) {
    rows.push(rowOf(name, backend, times, ['forward', 'step'], torch));
    showRow(rows.at(-1));
    if (backend !== 'wasm') continue;
    rows.push(rowOf(name, 'wasm, own kernels off', times, ['off', 'stepOff'], torch));
    const { forward, stock, step } = times;
    const against = (one, other) => `${ms(one.median)} vs ${ms(other.median)} (${(one.median / other.median).toFixed(1)})`;
    inShort.push({
      [`network, ${batch} images`]: name,
      'training step, ours vs PyTorch on one thread, ms (ratio)': torch ? against(step, torch.step) : ms(step.median),
      'forward pass, ours vs the same network of unmasked `tf.layers.conv2d`, ms (ratio)': against(forward, stock),
    });
  }
}
const networks = `${tableOf(rows)}\n\nMedians of one run with batch ${batch} on ${machine()}. In each row, our times and those of the stock layers and the naive method were measured in turn; PyTorch's before, between and after them.`;

// One layer, forward and backward, on the cpu backend.
await useBackend('cpu');
const layerRows = [];
for (const kernelSize of [3, 7]) {
  const times = await layerTimes(kernelSize, seconds);
  const factor = times.plain.median / times.ours.median;
  layerRows.push({
    'cpu backend, 48 to 48 features, [4,16,16,48]': `${kernelSize}x${kernelSize}`,
    ...{ 'ours, ms': ms(times.ours.median), 'naive, ms': ms(times.plain.median), speedup: factor.toFixed(0) },
  });
}
const layers = `Forward and backward pass of one masked convolution:\n\n${tableOf(layerRows)}`;

// Layer normalization between masked convolutions, beside none.
await useBackend('wasm');
const { without, normalized } = await normalizationTimes(batch, seconds);
const normalization = `A step of five masked convolutions with 32 features, 28x28x1, takes ${ms(without.median)} ms; with \`pixelNormalization\` between them ${ms(normalized.median)} ms, ${(normalized.median / without.median).toFixed(2)} times as long.`;

const inDocs = [tableOf(inShort), layers, normalization, `Medians of one run on ${machine()}.`];
await publish([networks, layers, normalization].join('\n\n'), inDocs.join('\n\n'));
