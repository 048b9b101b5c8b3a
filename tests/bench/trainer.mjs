// Times a step of createTrainer, of 8 parts and of a part for each worker, beside one of fit, beside as many independent
// processes that each train on their part of the batch (what the machine's cores can give at most), and beside PyTorch, threads and ranks.
//
//   npm run bench:trainer -- [--batches 32,64] [--workers 2] [--seconds 10] [--networks 6] [--write]

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createTrainer } from 'pixelcnn-layers';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { machine } from './lib/machine.mjs';
import { compiled, ours, randomBatch, shapes } from './lib/networks.mjs';
import { markdownTable, ms, showRow } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';
import { timeTorch } from './lib/torch.mjs';

const { flags, publish } = benchmark('benchmarks', 'bench:trainer', { batches: '32,64', workers: 2, seconds: 10, networks: 6 });
const { workers: numWorkers, seconds } = flags;

/** As many processes as workers, each with its part of the batch: `step` has all of them do one. */
async function independent(shape, batch) {
  const path = fileURLToPath(new URL('lib/step-process.mjs', import.meta.url));
  const all = Array.from({ length: numWorkers }, () => fork(path, [JSON.stringify(shape), String(batch / numWorkers)]));
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
for (const [name, shape] of Object.entries(shapes).slice(0, flags.networks)) {
  for (const batch of flags.batches.split(',').map(Number)) {
    const { labels } = randomBatch(shape, batch);
    const alone = compiled(ours(shape));
    const teams = [];
    for (const shards of [8, numWorkers]) {
      for (const workers of [1, numWorkers]) {
        const model = compiled(ours(shape));
        teams.push({ model, trainer: await createTrainer(model, { workers, shards }) });
      }
    }
    const processes = await independent(shape, batch);
    const torch = () => [{ threads: numWorkers }, { ranks: numWorkers }].map((how) => timeTorch(shape, batch, seconds / 8, how));
    const before = torch();
    const measured = await timeInTurn(
      {
        fit: () => alone.trainOnBatch(labels),
        processes: processes.step,
        ...Object.fromEntries(teams.map(({ trainer }, i) => [i, () => trainer.trainOnBatch(labels)])),
      },
      { seconds, minRounds: 5 },
    );
    const after = torch();
    processes.end();
    for (const { trainer } of teams) await trainer.dispose();
    for (const one of [labels, alone, ...teams.map(({ model }) => model)]) one.dispose();
    const { fit, processes: limit, ...times } = Object.fromEntries(Object.entries(measured).map(([task, { median }]) => [task, median]));
    const [one, all, oneOfFew, allOfFew] = Object.values(times);
    const torches = before.map((was, i) => was && (was.step.median + after[i].step.median) / 2);
    const faster = (time) => (time ? (fit / time).toFixed(2) : 'not installed');
    rows.push([
      ...[name, batch, ms(fit), faster(limit), faster(one), faster(all), (limit / all).toFixed(2)],
      ...[faster(oneOfFew), faster(allOfFew), (limit / allOfFew).toFixed(2), ...torches.map(faster)],
    ]);
    showRow(rows.at(-1));
  }
}
const parts = (count) => [`${count} parts: 1 worker`, `${numWorkers} workers`, 'of the processes'];
const ofTorch = [`PyTorch, ${numWorkers} threads`, `${numWorkers} ranks`];
const header = ['network', 'batch', '`fit`, ms a step', `${numWorkers} processes`, ...parts(8), ...parts(numWorkers), ...ofTorch];
await publish(`${markdownTable(header, rows)}\n\n${machine()}`);
