// Does jobs of submit.mjs, on any number of machines: `node examples/cluster/worker.mjs --help`.

import { availableParallelism, hostname } from 'node:os';
import { createPool } from 'pixelcnn-layers/runtime';
import { parseFlags, pathTo, positiveNumber, wholeNumber } from '../../kit/flags/flags.mjs';
import { connect } from './lib/redis.mjs';
import { serve } from './lib/serve.mjs';

const help = `Does jobs of submit.mjs, on all cores, until Ctrl-C or SIGTERM, which let it finish those at hand.

Usage: node examples/cluster/worker.mjs [flags]

  --redis URL       of Redis or Valkey; rediss:// for TLS (the environment variable REDIS_URL, or redis://127.0.0.1)
  --queue NAME      that of submit.mjs (pixelcnn)
  --threads N       (as many as there are cores)
  --name NAME       in manifests and messages; no two workers may have the same (host:process)
  --lock SECONDS    after so long without a sign of life others do its jobs again (30)
  --help            prints this
`;
const flags = parseFlags(
  {
    redis: { type: 'string', default: process.env.REDIS_URL ?? 'redis://127.0.0.1' },
    queue: { type: 'string', default: 'pixelcnn' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: `${hostname()}:${process.pid}` },
    lock: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
  help,
  process.argv.slice(2),
);
const workers = wholeNumber('--threads', flags.threads, 1);
const lockSeconds = positiveNumber('--lock', flags.lock);
const queue = pathTo('a name', '--queue', flags.queue);
const name = pathTo('a name', '--name', flags.name);
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
