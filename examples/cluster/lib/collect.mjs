import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { levelsIn } from './job.mjs';
import { dropResult, getResult, KEPT_SECONDS, offerModel, sha256 } from './redis.mjs';

/** The most that is in Redis at a time, of jobs and of results that have not been collected. */
const MAX_JOBS_AHEAD = 256;
const MAX_BYTES_AHEAD = 256 * 2 ** 20;

const POLL_MILLISECONDS = 200;
const COUNT_WORKERS_EVERY = 15; // polls

const JOB_OPTIONS = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: { age: KEPT_SECONDS }, // of runs that were given up: else they are removed when they are collected
  removeOnFail: { age: KEPT_SECONDS },
};

/**
 * Gets the missing jobs of a run done, and writes their results to its directory. It polls the state of each
 * job and does not listen to events, so that nothing depends on events that were missed, and jobs that Redis
 * has lost are queued again.
 *
 * @param {object} args
 * @param {import('./plan.mjs').Plan} args.plan
 * @param {Awaited<ReturnType<import('./run-directory.mjs').openRun>>} args.run
 * @param {{ k: number, doneBy?: string }[]} args.todo jobs, and checks of those that a worker has done
 * @param {(k: number) => boolean} args.isChecked which jobs are done twice
 * @param {import('ioredis').Redis} args.redis
 * @param {string} args.queueName
 * @param {(news: { images: number, workers: number }) => void} args.onNews images that were collected, and how many workers there are
 * @throws Error if a job has failed finally, or results are invalid; its jobs are then withdrawn
 */
export async function collect({ plan, run, todo, isChecked, redis, queueName, onNews }) {
  const queue = new Queue(queueName, { connection: redis });
  queue.on('error', () => {}); // of the connection: `connect` tells it
  const inFlight = new Map(); // task by the id of its job
  const most = Math.min(MAX_JOBS_AHEAD, Math.floor(MAX_BYTES_AHEAD / plan.bytesPerJob));
  let workers = 0;

  try {
    for (let poll = 0; todo.length > 0 || inFlight.size > 0; poll++) {
      if (poll % COUNT_WORKERS_EVERY === 0) workers = await queue.getWorkersCount();
      if (inFlight.size < most && todo.length > 0) {
        await offerModel(redis, plan.settings.model, plan.model);
        while (inFlight.size < most && todo.length > 0) await submit(todo.shift());
      }
      const ids = [...inFlight.keys()];
      const states = await Promise.all(ids.map((id) => queue.getJobState(id)));
      let images = 0;
      for (const [i, id] of ids.entries()) {
        if (states[i] === 'completed') images += await take(id);
        if (states[i] === 'failed') await giveUp(id);
        if (states[i] === 'unknown') again(id);
      }
      onNews({ images, workers });
      await delay(POLL_MILLISECONDS);
    }
  } catch (error) {
    await Promise.allSettled([...inFlight.keys()].map((id) => queue.remove(id)));
    await run.renewId();
    throw error;
  } finally {
    await queue.close();
  }

  /** Queues a job. Its id is fixed, so a job that a killed collector left in Redis is not queued twice. */
  async function submit(task) {
    const { k, doneBy } = task;
    if (doneBy !== undefined) workers = await queue.getWorkersCount(); // as many as there are now
    const check = doneBy && { isCheck: true, notBy: workers > 1 ? doneBy : undefined };
    const id = `${run.id}-${k}${check ? '-check' : ''}`;
    await queue.add(plan.settings.kind, { ...plan.jobOf(k), ...check }, { ...JOB_OPTIONS, jobId: id });
    inFlight.set(id, task);
  }

  function again(id) {
    todo.unshift(inFlight.get(id));
    inFlight.delete(id);
  }

  /** Moves the result of a job from Redis into the run. Returns how many images are new. */
  async function take(id) {
    const { k, doneBy } = inFlight.get(id);
    const job = await queue.getJob(id);
    const isCheck = doneBy !== undefined;
    const bytes = isCheck ? undefined : await getResult(redis, id);
    if (job === undefined || bytes === null) {
      await queue.remove(id); // Redis has lost some of it
      again(id);
      return 0;
    }
    const range = plan.rangeOf(k);
    const record = { ...job.returnvalue, job: k, ...range, attempts: job.attemptsStarted };
    if (isCheck) {
      await run.writeCheck(record);
      checkSame((await run.read(k)).shard, record);
    } else {
      checkResult(plan, record, bytes);
      await run.writeShard(record, bytes);
      if (isChecked(k)) todo.unshift({ k, doneBy: record.worker });
    }
    inFlight.delete(id);
    await queue.remove(id);
    await dropResult(redis, id);
    return isCheck ? 0 : range.count;
  }

  async function giveUp(id) {
    const { k } = inFlight.get(id);
    const { processedBy: worker, failedReason } = await queue.getJob(id);
    const by = worker === undefined ? '' : `, the last time by ${worker}`;
    throw new Error(`${nameOf(plan.rangeOf(k), k)} has failed${by}: ${failedReason}`);
  }
}

const nameOf = ({ first, count }, k) => `job ${k}, images ${first} to ${first + count - 1},`;

/** Checks that the results of a job are as its worker sent them, and valid. */
function checkResult({ levels, result, bytesPerResult }, { job, worker, ...record }, bytes) {
  const wrong = (what) => {
    throw new Error(`${nameOf(record, job)} of ${worker}: ${what}`);
  };
  const digest = sha256(bytes);
  if (digest !== record.sha256)
    wrong(`its digest is ${digest}, not ${record.sha256}: it was changed on its way`);
  const wanted = bytesPerResult * record.count;
  if (bytes.length !== wanted) wrong(`wanted ${wanted} bytes, got ${bytes.length}`);
  if (result.type === 'f8') return;
  const level = levelsIn(bytes, levels).find((value) => value >= levels);
  if (level !== undefined) wrong(`wanted levels below ${levels}, got ${level}`);
}

/** Checks that the two results of a job that was done twice are equal. */
export function checkSame(shard, check) {
  if (shard.sha256 === check.sha256) return;
  const [first, second] = [shard, check].map(
    ({ sha256, worker, version, node, machine }) =>
      `${worker} (pixelcnn-layers ${version}, Node ${node}, ${machine}) has ${sha256.slice(0, 16)}`,
  );
  throw new Error(
    `${nameOf(shard, shard.job)} was done twice, and is not the same: ${first}, ${second}; one of the two computes wrongly: README.md says what to do`,
  );
}
