import { createPool, logProb, type PoolWorker, readPortable, sample, writePortable } from 'pixelcnn-layers/runtime';
import { describe, expect, it, vi } from 'vitest';
import { portableModel } from '../support/models/portable-model.mjs';
import { scoped } from '../support/scoped';
import { workers as here, isNode } from '../support/workers/pool-workers';

// Pools of threads, or of a page's workers: that they work at all, how they end, and what may go wrong in them.

const { startWorker, startBad, startBroken } = here;
const model = portableModel();

function poolOf(workers: number, start: (index: number) => PoolWorker = startWorker) {
  let started = 0;
  const pool = scoped(createPool({ workers, createWorker: () => start(started++) }));
  return { pool, started: () => started };
}

it('return the samples and log-likelihoods of one thread, to the bit', async () => {
  const { pool } = poolOf(3);
  const images = await sample(model, { numImages: 40, seed: 5 });
  expect(await pool.sample(model, { numImages: 40, seed: 5 })).toEqual(images);
  expect(await pool.logProb(model, images)).toEqual(await logProb(model, images));
});

it('a large model from a file stays packed, also in workers, and draws the same', async () => {
  const given = portableModel({ imageShape: [2, 3, 1], features: 344, blocks: 4 });
  const large = readPortable(writePortable(given, { weights: 'float16' }));
  expect(large.weights.get('block0.kernel')).toHaveProperty('packed');
  const weights = [...large.weights].map(([name, { shape, data }]) => [name, { shape, data }] as const);
  const images = await sample({ ...large, weights: new Map(weights) }, { numImages: 6, seed: 1 });
  expect(await sample(large, { numImages: 6, seed: 1 })).toEqual(images);
  expect(await poolOf(2).pool.sample(large, { numImages: 6, seed: 1 })).toEqual(images);
});

it('a signal ends a job at once, and frees its workers', async () => {
  const { pool, started } = poolOf(2);
  const large = portableModel({ imageShape: [2000, 1000, 2], features: 64, blocks: 4 }); // for many minutes
  const aborter = new AbortController();
  const reason = new Error('changed my mind');
  const onProgress = vi.fn(() => aborter.abort(reason));
  const job = pool.sample(large, { numImages: 16, signal: aborter.signal, onProgress });
  await expect(job).rejects.toBe(reason);
  expect(onProgress).toHaveBeenCalledTimes(1);
  expect(await pool.sample(model, { numImages: 20, seed: 1 })).toEqual(await sample(model, { numImages: 20, seed: 1 }));
  expect(started()).toBe(2);
});

it('dispose ends workers in the middle of a job', async () => {
  const { pool } = poolOf(2);
  const large = portableModel({ imageShape: [200, 200, 2], features: 32 });
  const job = pool.sample(large, { numImages: 10 });
  await Promise.all([expect(job).rejects.toThrow('disposed before the job was done'), pool.dispose()]);
});

describe('what goes wrong in a worker', () => {
  const lost = 'pool: a worker ended before its work was done: ';
  const bad: [string, () => PoolWorker, string][] = [
    ['throws at once', startBroken, 'broken at once'],
    ['throws', () => startBad("throw new Error('out of order')"), 'out of order'],
  ];
  const inNode: typeof bad = [
    ['exits', () => startBad('process.exit(3)'), 'it ended with exit code 3'],
    ['needs too much memory', () => startBad('const all = []; for (;;) all.push(new Array(1e6).fill(all.length));'), 'memory'],
  ];

  it.each([...bad, ...(isNode ? inNode : [])])('rejects the job, and the pool goes on: it %s', async (_, startBad, message) => {
    const { pool, started } = poolOf(1, (index) => (index === 0 ? startBad() : startWorker()));
    const said = await pool.sample(model, { numImages: 20 }).catch((error: Error) => error.message);
    expect(said).toMatch(new RegExp(`^${lost}.*${message}`));
    expect((await pool.sample(model)).shape).toEqual([1, 6, 5, 2]);
    expect(started()).toBe(2);
  });
});
