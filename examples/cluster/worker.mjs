// Does jobs of submit.mjs, on any number of machines: `node examples/cluster/worker.mjs --help`.

import { availableParallelism, hostname } from 'node:os';
import { createPool } from 'pixelcnn-layers/runtime';
import { command, positiveNumber, text, wholeNumber } from '../../kit/flags.mjs';
import { connect, redisFlag } from './lib/redis.mjs';
import { serve } from './lib/serve.mjs';

const flags = command(
  'examples/cluster/worker.mjs',
  'Does jobs of submit.mjs, on all cores, until Ctrl-C or SIGTERM, which let it finish those at hand.',
)
  .addOption(redisFlag())
  .option('--queue <name>', 'that of submit.mjs', text('a name'), 'pixelcnn')
  .option('--threads <n>', '(default: as many as there are cores)', wholeNumber(1))
  .option(
    '--name <name>',
    'in manifests and messages; no two workers may have the same (default: host:process)',
    text('a name'),
  )
  .option(
    '--lock <seconds>',
    'after so long without a sign of life others do its jobs again',
    positiveNumber(),
    30,
  )
  .parse()
  .opts();
const {
  threads: workers = availableParallelism(),
  name = `${hostname()}:${process.pid}`,
  queue,
  lock: lockSeconds,
} = flags;
const say = (line) => console.log(line);

const redis = await connect(flags.redis, say);
const ending = new AbortController();
for (const event of ['SIGINT', 'SIGTERM']) {
  process.once(event, () => {
    say('ending after the jobs at hand; once more ends at once');
    ending.abort();
  });
}
say(`${name}: waiting for jobs of '${queue}'`);
const pool = createPool({ workers });
try {
  await serve({ redis, queue, name, pool, lockSeconds, signal: ending.signal, say });
} finally {
  await pool.dispose();
  redis.disconnect();
}
