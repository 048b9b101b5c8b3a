import { DelayedError, UnrecoverableError, Worker } from 'bullmq';
import { readPortable } from 'pixelcnn-layers/runtime';
import { checkJob, perform, VERSION } from './job.mjs';
import { fetchModel, putResult, sha256 } from './redis.mjs';

/** Two, so that the pool draws for one while the results of the other are being sent. */
const JOBS_AT_ONCE = 2;

/** After so many dead workers a job is abandoned, since it may be the cause. */
const MAX_STALLS = 3;

/** How often, and for how long, a worker leaves a check of its own work to others before it does it itself. */
const PASSES = 20;
const PASS_MILLISECONDS = 500;

const MODELS_KEPT = 4;

/**
 * Does jobs of a queue until it is aborted. An invalid job, or one of another version of this
 * library, fails at once, with the name of the worker.
 *
 * @param {object} args
 * @param {import('ioredis').Redis} args.redis
 * @param {string} args.queue
 * @param {string} args.name which no other worker has
 * @param {Pick<import('pixelcnn-layers/runtime').Pool, 'sample' | 'logProb'>} args.pool
 * @param {number} args.lockSeconds how long a job stays this worker's when nothing is heard of it
 * @param {AbortSignal} args.signal ends it once the jobs at hand are done
 * @param {(line: string) => void} args.say
 * @returns {Promise<void>}
 */
export async function serve({ redis, queue, name, pool, lockSeconds, signal, say }) {
  const modelOf = modelCache(redis);

  async function work(job, token) {
    const asked = job.data;
    try {
      checkJob(asked);
    } catch (error) {
      throw new UnrecoverableError(error.message);
    }
    if (asked.notBy === name && job.attemptsStarted <= PASSES) {
      await job.moveToDelayed(Date.now() + PASS_MILLISECONDS, token);
      throw new DelayedError();
    }
    const what = `${asked.isCheck ? 'again ' : ''}images ${asked.first} to ${asked.first + asked.count - 1}`;
    say(`${job.id}: ${what}`);
    const start = performance.now();
    const bytes = await perform(asked, await modelOf(asked.model), pool);
    if (!asked.isCheck) await putResult(redis, job.id, bytes); // before the job counts as done
    const seconds = (performance.now() - start) / 1000;
    say(`${job.id}: done in ${seconds.toFixed(1)} s`);
    const { version: node, platform, arch } = process;
    return {
      sha256: sha256(bytes),
      worker: name,
      version: VERSION,
      node,
      machine: `${platform} ${arch}`,
      seconds,
    };
  }

  const worker = new Worker(queue, work, {
    connection: redis,
    name,
    concurrency: JOBS_AT_ONCE,
    lockDuration: 1000 * lockSeconds, // renewed at half of it: the pool draws in threads, so that this one has time
    stalledInterval: 1000 * lockSeconds,
    maxStalledCount: MAX_STALLS,
  });
  worker.on('failed', (job, { message }) => say(`${job?.id}: ${message}`));
  worker.on('error', ({ message, code }) => {
    if (typeof code !== 'string') say(message); // else of the connection, which `connect` tells
  });
  const close = () => void worker.close();
  signal.addEventListener('abort', close, { once: true });
  await new Promise((resolve) => worker.once('closed', resolve));
  signal.removeEventListener('abort', close);
}

/** Models by digest, each fetched and checked once, and the last few kept. */
function modelCache(redis) {
  const models = new Map();
  return (digest) => {
    const kept = models.get(digest) ?? fetchModel(redis, digest).then(readPortable);
    models.delete(digest); // and put last
    models.set(digest, kept);
    kept.catch(() => models.delete(digest)); // asked for again by the next job
    for (const oldest of [...models.keys()].slice(0, -MODELS_KEPT)) models.delete(oldest);
    return kept;
  };
}
