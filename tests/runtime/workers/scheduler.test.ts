import { describe, expect, it, vi } from 'vitest';
import { pieceAt, schedulerOf } from '../../../src/runtime/workers/scheduler';
import { WorkerHandle } from '../../../src/runtime/workers/worker-handle';
import { startSilent } from '../../support/workers/pool-in-process';

// How pieces are given to workers. What pools and trainers make of it is in their own tests.

/** A scheduler of workers that never answer, which tests end and free by hand. */
function scheduled(most: number) {
  const ends: (() => void)[] = [];
  let numStarted = 0;
  const scheduler = schedulerOf('test', () => {
    if (numStarted++ >= most) return undefined;
    const { worker, tell } = startSilent();
    ends.push(() => tell('error', { preventDefault() {}, message: 'killed' }));
    return new WorkerHandle<object, void>('test', worker);
  });
  return { scheduler, ends };
}

/** A piece that is under way. */
interface Begun {
  piece: number;
  worker: WorkerHandle<object, void>;
  done(): void;
}

/** A job whose pieces end as a test says, or with their workers. */
function jobOf(numPieces: number) {
  const begun: Begun[] = [];
  const perform = (worker: WorkerHandle<object, void>, piece: number) =>
    new Promise<void>((done, fail) => {
      begun.push({ piece, worker, done });
      worker.call({}).catch(fail);
    });
  return { begun, job: { numPieces, perform } };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));
const lost = 'test: a worker ended before its work was done: killed';

it('cuts images into pieces of nearly equal sizes', () => {
  expect([0, 1, 2].map((k) => pieceAt(k, 3, 7))).toEqual([{ first: 0, count: 2 }, { first: 2, count: 2 }, { first: 4, count: 3 }]); // biome-ignore format: one line
});

it('gives the piece of a worker that ends to the others, until none is left', async () => {
  const { scheduler, ends } = scheduled(2);
  const { begun, job } = jobOf(3);
  const work = scheduler.run({ ...job, outlivesWorkers: true });
  ends[0]?.();
  await turn();
  expect(begun.map(({ piece }) => piece)).toEqual([0, 1]);
  begun[1]?.done();
  await turn();
  expect(begun.map(({ piece }) => piece)).toEqual([0, 1, 0]);
  expect(begun[2]?.worker).toBe(begun[1]?.worker);
  const end = expect(work).rejects.toThrow(`test: no worker is left: ${lost}`);
  ends[1]?.();
  await end;
  await expect(scheduler.run(job)).rejects.toThrow('no worker is left: they ended while they had no work');
});

describe('a job that fails', () => {
  it('is over at once if workers abandon their pieces, who are asked to', async () => {
    const { scheduler, ends } = scheduled(2);
    const { begun, job } = jobOf(3);
    const abandon = vi.fn();
    const work = scheduler.run({ ...job, abandon });
    ends[0]?.();
    await expect(work).rejects.toThrow(lost);
    expect(abandon.mock.calls).toEqual([[begun[1]?.worker]]);
    expect(begun).toHaveLength(2);
  });

  it('is otherwise over once no worker is at work on it', async () => {
    const { scheduler, ends } = scheduled(2);
    const { begun, job } = jobOf(3);
    const ended = vi.fn();
    const work = scheduler.run(job).catch(ended);
    ends[0]?.();
    await turn();
    expect(ended).not.toHaveBeenCalled();
    begun[1]?.done();
    await work;
    expect(ended.mock.calls).toEqual([[expect.objectContaining({ message: lost })]]);
    expect(begun).toHaveLength(2);
  });
});

it('ends jobs under way and waiting, and says why', async () => {
  const { scheduler } = scheduled(1);
  const jobs = [1, 2].map(() => scheduler.run(jobOf(1).job));
  const ends = jobs.map((job) => expect(job).rejects.toThrow('test: no more'));
  await scheduler.dispose('no more');
  await Promise.all(ends);
  await expect(scheduler.run(jobOf(1).job)).rejects.toThrow('test: it has been disposed');
});
