// Times a step of createTrainer beside one of fit, beside as many independent processes that each train on their part of
// the batch (what the machine's cores can give at most), and beside PyTorch with as many threads, all in one run.
//
//   npm run bench:trainer -- [--batches 32,64] [--workers 2] [--seconds 10] [--networks 6] [--write]
//
// --write puts the table into docs/results/benchmarks.md.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, createTrainer } from 'pixelcnn-layers';
import { useBackend } from '../../examples/lib/backend.mjs';
import { machine } from './lib/machine.mjs';
import { ours, randomBatch, shapes } from './lib/networks.mjs';
import { markdownTable, ms, writeFigures } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorch } from './lib/torch.mjs';

const { values: flags } = parseArgs({
  options: {
    batches: { type: 'string', default: '32,64' },
    workers: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '10' },
    networks: { type: 'string', default: '6' },
    write: { type: 'boolean', default: false },
  },
});
const numWorkers = Number(flags.workers);
const seconds = Number(flags.seconds);

function compiled(shape) {
  const model = ours(shape);
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bitsPerDim });
  return model;
}

/** As many processes as workers, each with its part of the batch: `step` has all of them do one. */
async function independent(shape, batch) {
  const path = fileURLToPath(new URL('lib/step-process.mjs', import.meta.url));
  const all = Array.from({ length: numWorkers }, () =>
    fork(path, [JSON.stringify(shape), String(batch / numWorkers)]),
  );
  const answers = () => Promise.all(all.map((one) => once(one, 'message')));
  await answers();
  return {
    async step() {
      const done = answers();
      for (const one of all) one.send('step');
      await done;
    },
    end: () => all.map((one) => one.kill()),
  };
}

await useBackend('wasm');
const rows = [];
for (const [name, shape] of Object.entries(shapes).slice(0, Number(flags.networks))) {
  for (const batch of flags.batches.split(',').map(Number)) {
    const { labels } = randomBatch(shape, batch);
    const [alone, byOne, byAll] = [0, 1, 2].map(() => compiled(shape));
    const [one, all] = [
      await createTrainer(byOne, { workers: 1 }),
      await createTrainer(byAll, { workers: numWorkers }),
    ];
    const processes = await independent(shape, batch);
    const before = timeTorch(shape, batch, seconds / 4, numWorkers);
    const times = await timeInTurn(
      {
        fit: () => alone.trainOnBatch(labels),
        one: () => one.trainOnBatch(labels),
        all: () => all.trainOnBatch(labels),
        processes: processes.step,
      },
      { seconds, minRounds: 5 },
    );
    const after = timeTorch(shape, batch, seconds / 4, numWorkers);
    processes.end();
    await Promise.all([one.dispose(), all.dispose()]);
    for (const one of [labels, alone, byOne, byAll]) one.dispose();
    const torch = before && (before.step.median + after.step.median) / 2;
    const { fit, one: single, all: team, processes: limit } = times;
    rows.push([
      name,
      batch,
      ms(fit.median),
      (single.median / fit.median).toFixed(2),
      (fit.median / team.median).toFixed(2),
      (fit.median / limit.median).toFixed(2),
      (limit.median / team.median).toFixed(2),
      torch ? (team.median / torch).toFixed(1) : 'not installed',
    ]);
    console.error(rows.at(-1).join('  '));
  }
}
const table = markdownTable(
  [
    'network',
    'batch',
    '`fit`, ms a step',
    'one worker, in steps of `fit`',
    `faster by ${numWorkers} workers`,
    `by ${numWorkers} processes`,
    'of what the processes do',
    `in steps of PyTorch with ${numWorkers} threads`,
  ],
  rows,
);
const text = `${table}\n\n${machine()}`;
if (flags.write) await writeFigures('benchmarks', 'bench:trainer', text);
console.log(text);
