// Draws images, or scores some, on many machines: `node examples/cluster/submit.mjs --help`.

import { clock, progressBar } from '../../kit/runs/progress.mjs';
import { lockRun } from '../../kit/runs/run-lock.mjs';
import { checkSame, collect } from './lib/collect.mjs';
import { planOf } from './lib/plan.mjs';
import { connect, sha256 } from './lib/redis.mjs';
import { openRun } from './lib/run-directory.mjs';
import { readSubmitFlags } from './lib/submit-flags.mjs';

const flags = readSubmitFlags(process.argv.slice(2));
const plan = await planOf(flags);
const { images } = plan.settings;
const redis = await connect(flags.redis, (line) => console.error(line));
lockRun(flags.out);
const run = await openRun(flags.out, plan);

// The missing work: some jobs, and the checks of others

const isChecked = sampleOf(plan.jobs, flags.verify);
const todo = [];
let done = 0;
for (let k = 0; k < plan.jobs; k++) {
  const { shard, check } = await run.read(k);
  if (shard === null) todo.push({ k });
  else {
    done += plan.rangeOf(k).count;
    if (check !== null) checkSame(shard, check);
    else if (isChecked(k)) todo.push({ k, doneBy: shard.worker });
  }
}

/** The jobs that are done twice: a share of them, at least one, and the same ones when the run continues. */
function sampleOf(jobs, share) {
  const count = share === 0 ? 0 : Math.max(1, Math.round(share * jobs));
  const draws = Array.from({ length: jobs }, (_, k) => [sha256(`job ${k}`), k]);
  const sampled = new Set(
    draws
      .sort()
      .slice(0, count)
      .map(([, k]) => k),
  );
  return (k) => sampled.has(k);
}

// Their results

const bar = progressBar('{value}/{total} images {bar}  {rate} images/s  {left} left  {workers} workers', {
  stream: process.stdout,
  barsize: 20,
});
console.log(
  `${images} images in ${plan.jobs} jobs, ${done} done before; if interrupted, run this command again to continue`,
);
const start = performance.now();
let fresh = 0;
const rate = () => (1000 * fresh) / (performance.now() - start);
bar.start(images, done, { rate: '-', left: '-', workers: '-' });
try {
  await collect({
    plan,
    run,
    todo,
    isChecked,
    redis,
    queueName: flags.queue,
    onNews(news) {
      fresh += news.images;
      const left = fresh === 0 ? '-' : clock((images - done - fresh) / rate());
      bar.update(done + fresh, { rate: rate().toFixed(1), left, workers: news.workers });
    },
  });
} finally {
  bar.stop();
  redis.disconnect();
}

if (fresh > 0) console.log(`${rate().toFixed(1)} images/s`);
const { path, bitsPerDim } = await run.finish();
if (bitsPerDim !== undefined) console.log(`bits/dim: ${bitsPerDim.toFixed(3)}`);
console.log(`written to ${path}`);
