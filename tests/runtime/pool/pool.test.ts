import type { PoolWorker, PortableModel } from 'pixelcnn-layers/runtime';
import { allowed, allowedNeighbors, compress, createPool, logProb, sample, symmetric } from 'pixelcnn-layers/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { portableModel } from '../../support/models/portable-model.mjs';
import { scoped } from '../../support/scoped';
import { startInProcess, startSilent } from '../../support/workers/pool-in-process';

// What a pool does is the same whatever its workers are; here they are no threads. Those are in tests/programs/pool-threads.test.ts.

const model = portableModel();
const isNode = typeof document === 'undefined';

afterEach(() => vi.restoreAllMocks());

/** A pool, which ends with the test, and the workers it started. */
function poolOf(workers: number, start: (index: number) => PoolWorker = startInProcess) {
  const started: PoolWorker[] = [];
  const createWorker = vi.fn(() => {
    const worker = start(started.length);
    started.push(worker);
    return worker;
  });
  const pool = scoped(createPool({ workers, createWorker }));
  return { pool, started, createWorker };
}

/** What a pool sends to a worker, by kind, from now on. */
function kindsSent(worker: PoolWorker): string[] {
  const kinds: string[] = [];
  const post = worker.postMessage.bind(worker);
  worker.postMessage = (request) => {
    kinds.push((request as { kind: string }).kind);
    post(request);
  };
  return kinds;
}

const levels = (length: number) => Uint8Array.from({ length }, (_, i) => (7 * i * i + i) % 5);
const images = (count: number) => ({ data: levels(60 * count), shape: [count, 6, 5, 2] as const });
const bits = ({ buffer }: Float64Array) => new BigUint64Array(buffer);
const messageOf = (work: Promise<unknown>) => work.then(() => 'nothing').catch((error: Error) => `${error.name}: ${error.message}`);

describe('a pool returns the results of one thread, to the bit', () => {
  const classes = portableModel({ numClasses: 3 });
  const both = portableModel({ numClasses: 3, mapSize: 2 });
  const told = symmetric(portableModel({ numClasses: 8 }), ['flipRows', 'flipLevels'], { asCondition: true });
  const maps = { data: Float32Array.from({ length: 41 * 60 }, (_, i) => (i % 13) / 13), shape: [41, 6, 5, 2] };
  const anySize = portableModel({ imageShape: [null, null, 1] });
  const known = { data: Uint8Array.from({ length: 60 * 37 }, (_, i) => Number(i % 3 > 0)), shape: images(37).shape };

  const first = (count: number) => ({ data: known.data.subarray(0, 60 * count), shape: images(count).shape });
  const halves = Uint8Array.from({ length: 60 * 9 }, (_, i) => Number(i % 60 < 30));
  const pair = { data: Uint8Array.from({ length: 25 }, (_, i) => Number(i % 5 === 0 || i % 3 > 0)), shape: [5, 5] };
  const pairs = { right: pair, below: pair };

  it.each<[string, PortableModel, Parameters<typeof sample>[1] & { random?: never; onProgress?: never; yieldEvery?: never }]>([
    ['of one image', model, {}],
    ['of many images', model, { numImages: 40 }],
    ['of a part of a job', model, { numImages: 9, firstImage: 30 }],
    ['by filters', model, { numImages: 20, temperature: 0.7, topK: 3, topP: 0.9, firstValue: 'uniform' }],
    ['of given values', model, { initial: images(37), known }],
    ['with look-ahead', model, { initial: images(5), known: first(5), lookAhead: 4, withLogProb: true }],
    ['of levels that are allowed', model, { numImages: 9, adjust: allowed({ data: [1, 0, 1, 1, 0], shape: [5] }) }],
    ['of neighbors that are allowed', anySize, { imageShape: [3, 4, 1], numImages: 9, adjust: allowedNeighbors(pairs) }],
    ['of classes', classes, { condition: Array.from({ length: 41 }, (_, n) => n % 3) }],
    ['of one class', classes, { condition: 2, numImages: 12 }],
    ['of classes and maps', both, { condition: { map: maps, class: Array.from({ length: 41 }, (_, n) => n % 3) } }],
    ['in random elements', symmetric(model, ['flipLevels', 'flipRows']), { numImages: 20, withLogProb: true }],
    ['in elements by given values, filtered', symmetric(model, ['flipColumns', 'flipLevels']), { initial: images(9), known: first(9), lookAhead: 3, temperature: 0.7, withLogProb: true }],
    ['in elements of which given values choose one, of class and element', told, { initial: images(9), known: { data: halves, shape: images(9).shape }, condition: 1, temperature: 0.7, topP: 0.9, withLogProb: true }],
    ['of classes and elements', told, { condition: 1, numImages: 12, firstImage: 3, temperature: 0.7, withLogProb: true }],
    ['of a size of their own', anySize, { imageShape: [4, 7, 1], numImages: 11 }],
  ])('samples %s', async (_, model, options) => {
    const { pool } = poolOf(3);
    expect(await pool.sample(model, { ...options, seed: 5 })).toEqual(await sample(model, { ...options, seed: 5 }));
  }); // biome-ignore format: a case a line

  it('samples, completions and log-likelihoods of 65536 codes', async () => {
    const { pool } = poolOf(2);
    const codes = portableModel({ imageShape: [2, 2, 1], levels: 65_536, features: 1 });
    const drawn = await pool.sample(codes, { numImages: 3, seed: 1 });
    expect(drawn).toEqual(await sample(codes, { numImages: 3, seed: 1 }));
    expect(bits(await pool.logProb(codes, drawn))).toEqual(bits(await logProb(codes, drawn)));
    const known = { ...drawn, data: drawn.data.map((_, i) => i % 2) };
    const options = { initial: drawn, known, seed: 2 };
    expect(await pool.sample(codes, options)).toEqual(await sample(codes, options));
  });

  it('files, and the images of a part of one, of which each worker gets its own alone', async () => {
    const { pool, started } = poolOf(2);
    const condition = Array.from({ length: 20 }, (_, n) => n % 3);
    const bytes = await pool.compress(classes, images(20), { condition });
    expect(bytes).toEqual(await compress(classes, images(20), { condition }));
    const post = started.map((worker) => vi.spyOn(worker, 'postMessage'));
    const part = { firstImage: 3, condition: condition.slice(3) };
    expect((await pool.decompress(classes, Buffer.from(bytes), part)).data).toEqual(images(20).data.slice(180));
    const sent = post.flatMap(({ mock }) =>
      mock.calls.map(([message]) => message as { job?: { coded: { code: Uint8Array }[]; firstImage: number } }),
    );
    const pieces = sent.flatMap(({ job }) => job ?? []);
    expect(pieces.map(({ firstImage }) => firstImage).sort((a, b) => a - b)).toEqual([3, 8, 14]);
    for (const { coded } of pieces) for (const { code } of coded) expect(code.buffer.byteLength).toBe(code.length);
    const damaged = Uint8Array.from(bytes, (byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
    expect(await messageOf(pool.decompress(classes, damaged, part))).toMatch(/^Error: decompress: image 19: damaged/);
  });

  it('samples with one new seed if none is given', async () => {
    const { pool } = poolOf(2);
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.25);
    const drawn = await pool.sample(model, { numImages: 20 });
    random.mockRestore();
    expect(drawn).toEqual(await sample(model, { numImages: 20, seed: Math.floor(Number.MAX_SAFE_INTEGER / 4) }));
  });

  it.each([false, true])('log-likelihoods, perValue %s', async (perValue) => {
    const { pool } = poolOf(2);
    const nats = await pool.logProb(model, images(70), { perValue });
    expect(bits(nats)).toEqual(bits(await logProb(model, images(70), { perValue })));
    const condition = Int32Array.from({ length: 70 }, (_, n) => n % 3);
    const given = await pool.logProb(classes, images(70), { perValue, condition });
    expect(bits(given)).toEqual(bits(await logProb(classes, images(70), { perValue, condition })));
    const several = { perValue, condition: { class: 2, map: maps } };
    expect(bits(await pool.logProb(both, images(41), several))).toEqual(bits(await logProb(both, images(41), several)));
  });
});

describe('the workers of a pool', () => {
  it('are as many as the machine has cores, unless said otherwise', async () => {
    const cores = isNode ? (await import('node:os')).availableParallelism() : navigator.hardwareConcurrency;
    expect(createPool().workers).toBe(cores);
    expect(createPool({ workers: 3 }).workers).toBe(3);
  });

  it.each([
    [{ workers: 0 }, 'createPool: workers: wanted an integer of at least 1, got 0'],
    [{ createWorker: 1 }, 'createPool: createWorker: wanted a function, got 1'],
    [null, 'createPool: wanted an object of arguments, got null'],
  ])('are checked: %o', (options, message) => {
    expect(() => createPool(options as object)).toThrow(new TypeError(message));
  });

  it('start when a job comes, no more than it needs, and stay', async () => {
    const { pool, started } = poolOf(4);
    expect(started.length).toBe(0);
    await pool.sample(model);
    expect(started.length).toBe(1);
    await pool.sample(model);
    expect(started.length).toBe(1);
    await pool.sample(model, { numImages: 3 });
    expect(started.length).toBe(3);
    await pool.sample(model, { numImages: 40 });
    expect(started.length).toBe(4);
  });

  it('are sent a model once, and keep those used last, of at most 256 MiB of weights', async () => {
    const { pool, started } = poolOf(1);
    await pool.sample(model);
    const kinds = kindsSent(started[0] as PoolWorker);
    const large = () => {
      const ballast = { shape: [25_000_000], data: new Float32Array(new SharedArrayBuffer(100e6)) };
      return { ...model, weights: new Map([...model.weights, ['ballast', ballast] as const]) };
    };
    const [first, second, third] = [large(), large(), large()];
    for (const one of [first, model, second, model, first, third, first, second]) await pool.sample(one);
    expect(kinds.join(' ')).toBe('keep call call keep call call call keep drop call call keep drop call');
    const small = Array.from({ length: 20 }, () => ({ ...model }));
    for (const one of small) await pool.sample(one);
    expect(kinds.filter((kind) => kind === 'keep').length - kinds.filter((kind) => kind === 'drop').length).toBeLessThan(16);
  });

  it.runIf(isNode)('drop a model that the program no longer holds', async () => {
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const { pool, started } = poolOf(1);
    await pool.sample(model);
    const kinds = kindsSent(started[0] as PoolWorker);
    await pool.sample(portableModel());
    await expect.poll(() => runInNewContext('gc')() ?? kinds).toEqual(['keep', 'call', 'drop']);
  });

  it('are shared by jobs in turn', async () => {
    const { pool } = poolOf(1);
    const done: string[] = [];
    await Promise.all([
      pool.sample(model, { numImages: 320 }).then(() => done.push('large')),
      pool.sample(model, { numImages: 32 }).then(() => done.push('small')),
      pool.logProb(model, images(1)).then(() => done.push('one')),
    ]);
    expect(done.at(-1)).toBe('large');
  });
});

describe('wrong arguments', () => {
  const half = { data: new Uint8Array(60), shape: [1, 6, 5, 2] };
  type Jobs = { sample: typeof sample; logProb: typeof logProb };
  const drawn = (options: object | null) => (of: Jobs) => of.sample(model, options as object);
  const scored = (images: object, options: object) => (of: Jobs) => of.logProb(model, images as never, options);

  it.each<[string, (of: Jobs) => Promise<unknown>]>([
    ['sample: wanted an object', drawn(null)],
    ['sample: numImages', drawn({ numImages: 0 })],
    ['sample: strategy', drawn({ strategy: 'full' })],
    ['sample: topK', drawn({ topK: 0 })],
    ['sample: firstImage', drawn({ firstImage: -1 })],
    ['sample: signal', drawn({ signal: 1 })],
    ['sample: condition', drawn({ condition: 1 })],
    ['sample: known', drawn({ initial: half })],
    ['sample: yieldEvery', drawn({ yieldEvery: -1 })],
    ['sample: onProgress', drawn({ onProgress: 1 })],
    ['logProb: images', scored({ data: [9], shape: [1, 1, 1, 1] }, {})],
    ['logProb: perValue', scored(images(1), { perValue: 1 })],
    ['logProb: images', scored({ data: levels(60).fill(9), shape: [1, 6, 5, 2] }, {})],
  ])('reject as without a pool, and nothing starts: %s', async (wanted, job) => {
    const { pool, createWorker } = poolOf(2);
    const message = await messageOf(job(pool as unknown as Jobs));
    expect(message).toContain(`TypeError: ${wanted}`);
    expect(message).toBe(await messageOf(job({ sample, logProb })));
    expect(createWorker).not.toHaveBeenCalled();
  });

  it.each([
    ['potential', { lookAhead: 2, potential: () => 0 }, 'no function, since none can be sent to a worker'],
    ['random', { random: Math.random }, 'no function, since none can be sent to a worker'],
    ['adjust', { adjust: () => {} }, 'an adjuster from allowed or allowedNeighbors, since no other function can be sent to a worker'],
  ])('are functions, which cannot be sent: %s', async (name, options, wanted) => {
    const { pool, createWorker } = poolOf(2);
    const message = await messageOf(pool.sample(model, options as object));
    expect(message).toBe(`TypeError: pool.sample: ${name}: wanted ${wanted}, got a function`);
    expect(createWorker).not.toHaveBeenCalled();
  });

  it('are models that cannot be sent; the pool continues', async () => {
    const { pool } = poolOf(2);
    const odd = { ...model, extra: () => 1 };
    expect(await messageOf(pool.sample(odd, { numImages: 50 }))).toMatch(/DataCloneError/);
    expect((await pool.sample(model)).shape).toEqual([1, 6, 5, 2]);
  });
});

describe('the progress of a job', () => {
  const enough = new Error('enough');
  /** Checks that it rises up to the total, which comes once; the number of calls. */
  function expectRising(calls: { done: number; total: number }[], total: number): number {
    const done = calls.map((call) => call.done);
    expect(done.every((value, i) => value > (done[i - 1] ?? 0))).toBe(true);
    expect(done.at(-1)).toBe(total);
    expect(new Set(calls.map((call) => call.total))).toEqual(new Set([total]));
    return calls.length;
  }

  it('of sample is the values of each image on average', async () => {
    const { pool } = poolOf(2);
    const calls: { done: number; total: number }[] = [];
    await pool.sample(model, { numImages: 50, onProgress: (progress) => calls.push(progress) });
    expect(expectRising(calls, 60)).toBeGreaterThan(6);
    const narrow = portableModel({ imageShape: [30, 1, 1] }); // of which a row in one piece is no step yet
    const steps: typeof calls = [];
    await pool.sample(narrow, { numImages: 50, onProgress: (progress) => steps.push(progress) });
    expectRising(steps, 30);
  });

  it('of a symmetric model is that of all its elements, without images', async () => {
    const { pool } = poolOf(2);
    const either = symmetric(model, ['flipLevels']);
    const seen: { done: number; total: number }[] = [];
    const onProgress = (progress: { done: number; total: number }) => void seen.push(progress);
    await pool.sample(either, { numImages: 4, onProgress });
    expect(seen.at(-1)).toMatchObject({ done: 60, total: 60 });
    seen.length = 0;
    const nats = await pool.logProb(either, images(4), { onProgress });
    expect(bits(nats)).toEqual(bits(await logProb(either, images(4))));
    expect(seen.at(-1)).toEqual({ done: 240, total: 240 });
    expect(seen.every(({ done }, i) => i === 0 || done >= (seen[i - 1]?.done ?? 0))).toBe(true);
  });

  it('of logProb is the values of all images', async () => {
    const { pool } = poolOf(2);
    const calls: { done: number; total: number }[] = [];
    await pool.logProb(model, images(50), { onProgress: (progress) => calls.push(progress) });
    expect(expectRising(calls, 50 * 60)).toBe(7 * 6); // pieces, rows
  });

  it.each<[string, (call: number) => unknown]>([
    ['throw', () => vi.fn().mockThrow(enough)()],
    ['reject', () => Promise.reject(enough)],
    ['reject late', () => new Promise((_, reject) => setTimeout(reject, 0, enough))],
    ['reject the last time', (call) => (call === 60 ? Promise.reject(enough) : call)],
  ])('may %s, which ends the job', async (_, onProgress) => {
    const { pool } = poolOf(2);
    const follow = ({ done }: { done: number }) => onProgress(done);
    await expect(pool.sample(model, { numImages: 50, onProgress: follow })).rejects.toBe(enough);
    expect((await pool.sample(model)).shape).toEqual([1, 6, 5, 2]);
  });

  it('is waited for at the end, every call of it', async () => {
    const { pool } = poolOf(1);
    const settled: number[] = [];
    const onProgress = async ({ done }: { done: number }) => {
      await new Promise((resolve) => setTimeout(resolve, 60 - done)); // the first one settles last
      settled.push(done);
    };
    await pool.logProb(model, images(1), { onProgress });
    expect(settled.sort((a, b) => a - b)).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it('is waited for at the end, while the workers do other jobs', async () => {
    const { pool } = poolOf(1);
    let settle = () => {};
    const slow = new Promise<void>((resolve) => (settle = resolve));
    const ended = vi.fn();
    const job = pool.logProb(model, images(1), { onProgress: () => slow }).then(ended);
    await pool.logProb(model, images(1));
    await pool.logProb(model, images(1));
    expect(ended).not.toHaveBeenCalled();
    settle();
    await job;
    const aborter = new AbortController();
    const stopped = pool.logProb(model, images(1), {
      signal: aborter.signal,
      onProgress: ({ done, total }) => done === total && new Promise(() => setTimeout(() => aborter.abort())),
    });
    expect(await messageOf(stopped)).toMatch(/^AbortError/);
  });
});

describe('a signal', () => {
  it('ends the job with its reason, frees the workers, and leaves the pool as it was', async () => {
    const { pool, started } = poolOf(2);
    const large = portableModel({ imageShape: [200, 2, 2] });
    let time = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => ++time * 1000); // each row ends in a pause
    const aborter = new AbortController();
    const reason = new Error('changed my mind');
    const onProgress = vi.fn(() => aborter.abort(reason));
    const job = pool.sample(large, { numImages: 16, signal: aborter.signal, onProgress });
    let rows = 0; // that workers still tell of
    for (const worker of started as Worker[]) worker.addEventListener('message', ({ data }) => (rows += Number(data.kind === 'progress')));
    await expect(job).rejects.toBe(reason);
    expect(onProgress).toHaveBeenCalledTimes(1);
    const after = pool.sample(model, { numImages: 20, seed: 1 });
    expect(await after).toEqual(await sample(model, { numImages: 20, seed: 1 }));
    expect(started.length).toBe(2);
    expect(rows).toBeLessThan(400); // which are all of both pieces
    clock.mockRestore();
  });

  it('ends the progress, too', async () => {
    const { pool } = poolOf(2);
    const aborter = new AbortController();
    const onProgress = vi.fn(() => aborter.abort());
    const quick = portableModel({ imageShape: [30, 3, 2] });
    await pool.sample(quick, { numImages: 40, signal: aborter.signal, onProgress }).catch(() => {});
    await pool.sample(quick, { numImages: 40 });
    expect(onProgress).toHaveBeenCalledTimes(1);
  });

  it('that has aborted starts nothing', async () => {
    const { pool, createWorker } = poolOf(2);
    const signal = AbortSignal.abort();
    await expect(pool.sample(model, { signal })).rejects.toBe(signal.reason);
    await expect(pool.logProb(model, images(1), { signal })).rejects.toBe(signal.reason);
    expect(createWorker).not.toHaveBeenCalled();
  });

  it('is let go of when the job is done', async () => {
    const { pool } = poolOf(1);
    const { signal } = new AbortController();
    const [add, remove] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    await pool.sample(model, { signal });
    expect(remove.mock.calls[0]?.[1]).toBe(add.mock.calls[0]?.[1]);
  });
});

it('refuses more images than fit into memory before a worker starts', async () => {
  const { pool, started } = poolOf(1);
  expect(await messageOf(pool.sample(model, { numImages: 1e15 }))).toMatch(/^RangeError: sample: .*; use fewer images at a time$/);
  expect(started).toEqual([]);
});

describe('what goes wrong in a worker', () => {
  const lost = 'Error: pool: a worker ended before its work was done: ';
  it('may be that no worker starts', async () => {
    const { pool } = poolOf(1, (index) => {
      if (index === 0) return startInProcess();
      throw new RangeError('too many');
    });
    await pool.sample(model);
    const { pool: none } = poolOf(2, vi.fn().mockThrow(new RangeError('too many')));
    const all = await Promise.all([1, 2, 3].map((numImages) => messageOf(none.sample(model, { numImages }))));
    expect(new Set(all)).toEqual(new Set(['Error: pool: a worker could not be started: too many']));
    expect((await pool.sample(model)).shape).toEqual([1, 6, 5, 2]);
  });

  it.each<[string, string, object, string]>([
    ['that a message cannot be read', 'messageerror', {}, 'a message could not be read'],
    ['an error', 'error', { error: new Error('gone'), preventDefault() {} }, 'gone'],
    ['an error of its file', 'error', { preventDefault() {} }, 'its file could not be loaded'],
  ])('ends its own job, and no other, and another worker starts: %s', async (_, kind, event, message) => {
    const { worker, tell } = startSilent();
    const { pool, started } = poolOf(2, (index) => (index === 0 ? worker : startInProcess()));
    const [first, second] = [messageOf(pool.sample(model)), pool.sample(model, { seed: 1 })];
    tell(kind, event);
    expect(await first).toBe(`${lost}${message}`);
    expect(await second).toEqual(await sample(model, { seed: 1 }));
    await pool.sample(model, { numImages: 40 });
    expect(started.length).toBe(3);
  });

  it('ends it once', async () => {
    const { worker, tell } = startSilent();
    const terminate = vi.spyOn(worker, 'terminate');
    const job = messageOf(poolOf(1, () => worker).pool.sample(model));
    for (const _ of [1, 2]) tell('messageerror', {});
    expect(await job).toMatch(lost);
    expect(terminate).toHaveBeenCalledTimes(1);
  });

  it('keeps its class and its message', async () => {
    const { pool } = poolOf(1);
    const weights = new Map(model.weights);
    const bias = weights.get('logits.bias') as { shape: number[]; data: Float32Array };
    weights.set('logits.bias', { ...bias, data: bias.data.map(() => Number.NaN) });
    const wide = portableModel({ imageShape: [1, 2 ** 22, 1], features: 64, blocks: 3 });
    const classes = [Error, TypeError, RangeError];
    for (const [i, odd] of [{ ...model, weights }, { ...model, weights: new Map() }, wide].entries()) {
      const [theirs, own] = await Promise.allSettled([pool.sample(odd, { numImages: 8 }), sample(odd, { numImages: 8 })]);
      const [{ reason: error }, { reason: wanted }] = [theirs, own] as [PromiseRejectedResult, PromiseRejectedResult];
      expect(error.constructor).toBe(classes[i]);
      expect(error).toBeInstanceOf(wanted.constructor);
      expect(error.message).toBe(wanted.message);
    }
  });
});

describe('dispose', () => {
  it('ends the workers, and rejects jobs that are not done, and later ones', async () => {
    const { pool, started } = poolOf(2, () => startSilent().worker);
    const jobs = [1, 2].map(() => messageOf(pool.sample(model, { numImages: 10 })));
    const ends = started.map((worker) => vi.spyOn(worker, 'terminate'));
    await pool.dispose();
    expect(ends.map((end) => end.mock.calls.length)).toEqual([1, 1]);
    expect(await Promise.all(jobs)).toEqual(jobs.map(() => 'Error: pool: it was disposed before the job was done'));
    await pool.dispose();
    expect(await messageOf(pool.sample(model))).toBe('Error: pool: it has been disposed');
    expect(await messageOf(pool.logProb(model, images(1)))).toBe('Error: pool: it has been disposed');
  });

  it('has its old name, too', async () => {
    const { pool } = poolOf(1);
    await pool.sample(model);
    await pool.terminate();
    expect(await messageOf(pool.sample(model))).toBe('Error: pool: it has been disposed');
  });

  // In Node, `terminate` of a worker keeps the process until the worker has ended, as `ref` does. If a reply then let
  // go of it, a program that awaits `dispose` would end there, with exit code 13.
  it.each(['progress', 'result', 'error'])('keeps the process, whatever a worker still sends: %s', async (kind) => {
    let isHeld = false;
    let isHeldToTheEnd = false;
    let hear = (_: unknown) => {};
    const { pool } = poolOf(1, () => ({
      on: (event: string, listener: typeof hear) => {
        if (event === 'message') hear = listener;
      },
      ref: () => (isHeld = true),
      unref: () => (isHeld = false),
      postMessage: () => {},
      async terminate() {
        isHeld = true;
        await Promise.resolve();
        hear({ kind, done: 1, result: null, error: new Error('aborted') });
        isHeldToTheEnd = isHeld;
      },
    }));
    const onProgress = vi.fn();
    const aborter = new AbortController();
    const job = messageOf(pool.sample(model, { signal: aborter.signal, onProgress }));
    expect(isHeld).toBe(true);
    aborter.abort();
    expect(await job).toMatch(/^AbortError/);
    await pool.dispose();
    expect(isHeldToTheEnd).toBe(true);
    expect(onProgress).not.toHaveBeenCalled();
  });
});

it('a worker file that runs outside of a worker throws', async () => {
  await expect(import('pixelcnn-layers/worker')).rejects.toThrow(
    'pixelcnn-layers/worker: wanted to be run by a worker, got imported outside of one',
  );
});
