import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { logProb, type Pool, readPortable, sample, writePortable } from 'pixelcnn-layers/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkJob, VERSION } from '../../examples/cluster/lib/job.mjs';
import { connect, fetchModel, offerModel, putResult, sha256 } from '../../examples/cluster/lib/redis.mjs';
import { serve } from '../../examples/cluster/lib/serve.mjs';
import { readDataset } from '../../kit/data/datasets.mjs';
import { npyOf, parseNpy } from '../../kit/weights/npy.mjs';
import { portableModel } from '../support/models/portable-model.mjs';
import { type Redis, redisServer, startRedis } from '../support/node/redis';
import { temporaryFolder } from '../support/node/temporary-folder';
import { PATIENCE } from '../support/patience.mjs';
import { itRefuses, startScript } from './run-script';

const SIZE = { imageShape: [8, 8, 1] as [number, number, number], levels: 17 };
/** Takes some tenths of a second for 64 images, so that a job has a middle. */
const model = readPortable(writePortable(portableModel({ ...SIZE, features: 48, blocks: 3 })));
const ofClasses = readPortable(writePortable(portableModel({ ...SIZE, numClasses: 10 })));

const folder = temporaryFolder();
beforeAll(async () => {
  await writeFile(join(folder, 'model'), writePortable(model));
  await writeFile(join(folder, 'classes'), writePortable(ofClasses));
  await writeFile(join(folder, 'map'), writePortable(portableModel({ ...SIZE, mapSize: 2 })));
  await writeFile(join(folder, 'any'), writePortable(portableModel({ ...SIZE, imageShape: [null, null, 1] })));
  await writeFile(join(folder, 'fine'), writePortable(portableModel({ ...SIZE, levels: 32 })));
  await writeFile(join(folder, 'damaged'), writePortable(model).subarray(0, 1000));
  await writeFile(join(folder, 'rgb.npy'), npyOf(new Uint8Array(2 * 8 * 8 * 3), [2, 8, 8, 3]));
  await writeFile(join(folder, 'bright.npy'), npyOf(new Uint8Array(2 * 8 * 8).fill(17), [2, 8, 8]));
  await writeFile(join(folder, 'dark.npy'), npyOf(new Uint8Array(2 * 8 * 8), [2, 8, 8]));
  await writeFile(join(folder, 'three.npy'), npyOf(Uint8Array.of(1, 2, 3), [3]));
  await writeFile(join(folder, 'eleven.npy'), npyOf(Uint8Array.of(0, 10), [2]));
});

describe('what is wrong is refused before anything is queued, where there is no server', () => {
  const draw = (...flags: string[]) => ['cluster/submit.mjs', 'draw', '--model', 'FOLDER/model', ...flags];
  const drawFrom = (name: string, ...flags: string[]) =>
    `cluster/submit.mjs draw --images 9 --model FOLDER/${name}`.split(' ').concat(flags);
  const score = (...flags: string[]) => ['cluster/submit.mjs', 'score', '--model', 'FOLDER/model', ...flags];
  const nowhere = ['--redis', 'redis://127.0.0.1:1'];
  itRefuses(
    [
      ['--model: FOLDER/damaged: ', drawFrom('damaged')],
      ["--model: FOLDER/map: the model takes a condition of kind 'map'", drawFrom('map')],
      ['--model: wanted one of images of one size', drawFrom('any')],
      ['--classes: the model takes no classes', drawFrom('model', '--classes', '3')],
      ["--classes: wanted 0 to 9, got '10'", drawFrom('classes', '--classes', '3,10')],
      ["--per-job: wanted at most 65536, 4 MiB of images, got '65537'", drawFrom('model', '--per-job', '65537')],
      ['--per-job: wanted at most 100000 jobs, got 100001', draw('--images', '100001', '--per-job', '1')],
      ['the model has 32 levels, digits only 17', ['cluster/submit.mjs', 'score', '--model', 'FOLDER/fine', '--data', 'digits']],
      ['--npy: the model takes images of 8x8x1, got 8x8x3', score('--npy', 'FOLDER/rgb.npy')],
      ['--npy: wanted levels 0 to 16 of the model, got 17', score('--npy', 'FOLDER/bright.npy')],
      ["--images: there are 2, got '3'", score('--npy', 'FOLDER/dark.npy', '--images', '3')],
      ['--labels: wanted [2], one an image, got [3]', score('--npy', 'FOLDER/dark.npy', '--labels', 'FOLDER/three.npy')],
      ['--redis: 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; is Redis or Valkey running there?', drawFrom('model', ...nowhere)],
      ['--redis: wanted a URL', drawFrom('model', '--redis', 'http://localhost')],
      ['--redis: wanted a password in the URL of db.example', ['cluster/worker.mjs', '--redis', 'redis://db.example']],
    ],
    () => ({ FOLDER: folder }),
  );
});

describe.skipIf(redisServer === undefined)('on many workers', () => {
  let server: Redis;
  let redis: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    server = await startRedis();
    redis = await connect(server.url, () => {});
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  /** What runs in a test, ended behind it. */
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });

  function start(script: string, flags: string[]) {
    const started = startScript(`cluster/${script}`, [...flags, '--redis', server.url]);
    ends.push(() => started.program.kill('SIGKILL'));
    return started;
  }
  const startWorker = (queue: string, name: string, ...flags: string[]) =>
    start('worker.mjs', ['--queue', queue, '--name', name, '--threads', '1', ...flags]);
  const SHORT = ['--lock', '1'];
  const submit = (queue: string, command: string, name: string, ...flags: string[]) =>
    start('submit.mjs', [command, '--queue', queue, '--model', join(folder, name), '--out', join(folder, queue), ...flags]);
  const readResult = async (queue: string) => parseNpy(await readFile(join(folder, queue, 'images.npy')));
  const readManifest = async (queue: string): Promise<Manifest> => JSON.parse(await readFile(join(folder, queue, 'manifest.json'), 'utf8'));
  const SEED = ['--seed', '3', '--temperature', '0.9'];
  const IMAGES = 512;
  /** By this process alone. */
  const drawn = sample(model, { numImages: IMAGES, seed: 3, temperature: 0.9 });

  it('loses nothing and has nothing twice where a worker is killed in the middle of a job', async () => {
    const workers = ['a', 'b', 'c'].map((name) => startWorker('killed', name, ...SHORT));
    const b = workers[1] as ReturnType<typeof start>;
    await areThere(queueOf('killed'), 3);
    const collector = submit('killed', 'draw', 'model', '--images', String(IMAGES), '--per-job', '16', ...SEED);
    await said(b, /images \d+ to/);
    b.program.kill('SIGKILL');
    expect(await collector.ended).toMatchObject({ code: 0, stderr: '' });
    const { shape, data } = await readResult('killed');
    expect(shape).toEqual([IMAGES, 8, 8, 1]);
    expect(Uint8Array.from(data)).toEqual((await drawn).data);
    const { shards, checks, result } = await readManifest('killed');
    expect(shards.map(({ first, count }) => [first, count])).toEqual(Array.from({ length: 32 }, (_, k) => [16 * k, 16]));
    const again = shards.filter(({ attempts }) => attempts > 1);
    expect(again.length).toBeGreaterThan(0);
    expect(again.map(({ worker }) => worker)).not.toContain('b');
    expect(checks).toHaveLength(1); // of 32, at 0.02
    const [{ job, worker, sha256: digest }] = checks as [ShardRecord];
    expect(shards[job]?.sha256).toBe(digest);
    expect(shards[job]?.worker).not.toBe(worker);
    expect(sha256(await readFile(join(folder, 'killed', 'images.npy')))).toBe(result.sha256);
  });

  it('goes on where its collector was killed, and draws again only what is damaged since', async () => {
    startWorker('resumed', 'a');
    startWorker('resumed', 'b');
    const flags = ['--images', String(IMAGES), '--per-job', '16', ...SEED] as const;
    const folderOfShards = join(folder, 'resumed', 'shards');
    const first = submit('resumed', 'draw', 'model', ...flags);
    await until(async () => (await shardsIn(folderOfShards)).length >= 4);
    first.program.kill('SIGKILL');
    await first.ended;
    const before = await shardsIn(folderOfShards);
    expect(before.length).toBeLessThan(32);
    const second = await submit('resumed', 'draw', 'model', ...flags).ended;
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toContain(`in 32 jobs, ${16 * before.length} done before`);
    const after = await shardsIn(folderOfShards);
    expect(after).toHaveLength(32);
    expect(after).toEqual(expect.arrayContaining(before)); // the same files, not written again
    const { data } = await readResult('resumed');
    expect(Uint8Array.from(data)).toEqual((await drawn).data);
    const other = await submit('resumed', 'draw', 'model', ...flags, '--per-job', '64').ended;
    expect(other).toMatchObject({ code: 1 });
    expect(other.stderr).toContain('holds another run, of perJob 16, not 64; give another --out\n');
    const path = join(folderOfShards, '000005.bin');
    const shard = await readFile(path);
    shard[700] = (shard[700] as number) ^ 1;
    await writeFile(path, shard);
    const third = await submit('resumed', 'draw', 'model', ...flags).ended;
    expect(third.stdout).toContain(`in 32 jobs, ${IMAGES - 16} done before`);
    expect(Uint8Array.from((await readResult('resumed')).data)).toEqual((await drawn).data);
  });

  it('goes on where the server was killed, and has forgotten all', async () => {
    startWorker('restarted', 'a', ...SHORT);
    const flags = ['--images', '256', '--per-job', '16', ...SEED] as const;
    const collector = submit('restarted', 'draw', 'model', ...flags);
    await until(async () => (await shardsIn(join(folder, 'restarted', 'shards'))).length >= 2);
    await server.restart();
    const { code, stderr } = await collector.ended;
    expect(stderr).toMatch(/^(Redis: .*; waiting for it\n)*$/);
    expect(code).toBe(0);
    const { data } = await readResult('restarted');
    expect(Uint8Array.from(data)).toEqual((await drawn).data.subarray(0, 256 * 64));
  });

  it('finds a worker that draws otherwise, and draws its images again once it is gone', async () => {
    startWorker('faulty', 'right');
    const ending = new AbortController();
    const drawWrong = (async (...args: Parameters<typeof sample>) => {
      const images = await sample(...args);
      images.data[100] = ((images.data[100] as number) + 1) % 17;
      return images;
    }) as Pool['sample'];
    const options = { redis, lockSeconds: 30, signal: ending.signal, say: () => {}, pool: { logProb, sample: drawWrong } };
    const faulty = serve({ ...options, queue: 'faulty', name: 'faulty' });
    const queue = queueOf('faulty');
    await areThere(queue, 2);
    const flags = ['--images', '128', '--per-job', '16', '--verify', '1', ...SEED] as const;
    const { code, stderr } = await submit('faulty', 'draw', 'model', ...flags).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^job \d, images \d+ to \d+, was done twice, and is not the same: /);
    for (const name of ['right', 'faulty']) expect(stderr).toContain(`${name} (pixelcnn-layers ${VERSION}, Node v`);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    await until(async () => (await queue.getJobCountByTypes('wait', 'delayed')) === 0); // they were taken back
    ending.abort();
    await faulty;
    // It stays found, until what it has done is removed, as README says.
    expect((await submit('faulty', 'draw', 'model', ...flags).ended).stderr).toBe(stderr);
    const folderOfShards = join(folder, 'faulty', 'shards');
    for (const name of await readdir(folderOfShards)) {
      const path = join(folderOfShards, name);
      if (name.endsWith('.json') && (await readFile(path, 'utf8')).includes('"worker":"faulty"')) await rm(path);
    }
    expect((await submit('faulty', 'draw', 'model', ...flags).ended).code).toBe(0);
    const { data } = await readResult('faulty');
    expect(Uint8Array.from(data)).toEqual((await drawn).data.subarray(0, 128 * 64));
    const { shards, checks } = await readManifest('faulty');
    expect(checks.map(({ sha256: digest }) => digest)).toEqual(shards.map(({ sha256: digest }) => digest));
    expect(new Set([...shards, ...checks].map(({ worker }) => worker))).toEqual(new Set(['right']));
  });

  describe('refuses results that are not what they should be, by the name of the worker:', () => {
    const digest = { sha256: sha256(Buffer.alloc(640)) };
    const tooShort = Buffer.alloc(639);
    const tooBright = Buffer.alloc(640).fill(17);
    it.each([
      ['changed', Buffer.alloc(640).fill(1), digest, `, not ${digest.sha256}: it was changed on its way`],
      ['short', tooShort, { sha256: sha256(tooShort) }, 'wanted 640 bytes, got 639'],
      ['bright', tooBright, { sha256: sha256(tooBright) }, 'wanted levels below 17, got 17'],
    ])('%s', async (name, bytes, said, expected) => {
      let jobId = '';
      startByHand(name, async (id) => {
        jobId = id;
        await putResult(redis, id, bytes);
        return { ...said, worker: 'liar' };
      });
      const { code, stderr } = await submit(name, 'draw', 'model', '--images', '10').ended;
      expect(code).toBe(1);
      expect(stderr).toContain('job 0, images 0 to 9, of liar: ');
      expect(stderr).toContain(expected);
      await expect(readFile(join(folder, name, 'images.npy'))).rejects.toThrow('ENOENT');
      const { id } = JSON.parse(await readFile(join(folder, name, 'run.json'), 'utf8'));
      expect(jobId).not.toBe(`${id}-0`); // so that what workers still have in hand of a stopped run is not collected later
    });
  });

  it('ends with a word where a job has failed three times', async () => {
    let tries = 0;
    startByHand('failing', async () => {
      tries++;
      throw new Error('no memory');
    });
    const { code, stderr } = await submit('failing', 'draw', 'model', '--images', '10').ended;
    expect(stderr).toBe('job 0, images 0 to 9, has failed, the last time by liar: no memory\n');
    expect({ code, tries }).toEqual({ code: 1, tries: 3 });
    expect(await queueOf('failing').getJobCountByTypes('wait', 'failed', 'delayed')).toBe(0);
  });

  it('draws classes in turn, and scores images of classes, as one process does', async () => {
    startWorker('drawn', 'a');
    const drawing = submit('drawn', 'draw', 'classes', '--images', '50', '--per-job', '7', '--classes', '3,5', '--verify', '0');
    expect(await drawing.ended).toMatchObject({ code: 0, stderr: '' });
    const condition = Array.from({ length: 50 }, (_, image) => [3, 5][image % 2] as number);
    const { data } = await readResult('drawn');
    expect(Uint8Array.from(data)).toEqual((await sample(ofClasses, { numImages: 50, seed: 1, condition })).data);
    expect((await readManifest('drawn')).checks).toEqual([]);
    startWorker('scored', 'a');
    const { code, stdout } = await submit('scored', 'score', 'classes', '--data', 'digits', '--per-job', '100').ended;
    expect(code).toBe(0);
    const { test } = await readDataset('digits');
    const expected = await logProb(ofClasses, test, { condition: Array.from(test.labels as Uint8Array) });
    const file = await readFile(join(folder, 'scored', 'log-probs.npy'));
    expect(file.subarray(0, 128).toString('latin1')).toContain("{'descr': '<f8', 'fortran_order': False, 'shape': (297,), }");
    expect(Array.from(expected, (_, i) => file.readDoubleLE(128 + 8 * i))).toEqual(Array.from(expected));
    expect(file).toHaveLength(128 + 8 * 297);
    const bits = -expected.reduce((sum, nats) => sum + nats, 0) / Math.LN2 / (297 * 64);
    expect((await readManifest('scored')).bitsPerDim).toBeCloseTo(bits, 12);
    expect(stdout).toContain(`bits/dim: ${bits.toFixed(3)}\n`);
    expect((await readManifest('scored')).checks).toHaveLength(1); // by the only worker there is
  });

  it('has a worker refuse what is of another version or damaged, and say so', async () => {
    const worker = startWorker('refused', 'a');
    const queue = queueOf('refused');
    const damaged = await queue.add('draw', { version: VERSION, kind: 'draw', model: 'x' });
    await until(() => damaged.isFailed());
    const other = await queue.add('draw', { version: '99.0.0' }, { attempts: 3 });
    await until(() => other.isFailed());
    const refusal = `job: it is of pixelcnn-layers "99.0.0", this worker has ${VERSION}`;
    expect((await queue.getJob(other.id as string))?.failedReason).toBe(refusal);
    const drawing = submit('refused', 'draw', 'model', '--images', '2', '--verify', '0'); // it goes on
    expect(await drawing.ended).toMatchObject({ code: 0, stderr: '' });
    worker.program.kill('SIGTERM');
    const { code, stdout, stderr } = await worker.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`${damaged.id}: job: model: wanted a SHA-256, got "x"\n`);
    expect(stdout).toContain(`${other.id}: ${refusal}\n`);
  });

  it('takes no model from Redis whose digest is another', async () => {
    const digest = sha256(Uint8Array.of(1));
    await expect(fetchModel(redis, digest)).rejects.toThrow(`model ${digest} is not in Redis`);
    await offerModel(redis, digest, Buffer.of(2));
    await expect(fetchModel(redis, digest)).rejects.toThrow(`its digest is ${sha256(Uint8Array.of(2))}`);
  });

  it('ends a worker by SIGTERM once it has done its jobs', async () => {
    const worker = startWorker('ended', 'a');
    const collector = submit('ended', 'draw', 'model', '--images', '64', '--per-job', '32', ...SEED);
    await said(worker, /images \d+ to/);
    worker.program.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
    startWorker('ended', 'b');
    expect((await collector.ended).code).toBe(0);
    const { shards } = await readManifest('ended');
    expect(shards[0]).toMatchObject({ worker: 'a', attempts: 1 });
  });

  function queueOf(name: string): Queue {
    const queue = new Queue(name, { connection: redis });
    ends.push(() => queue.close());
    return queue;
  }

  /** A worker that says what it likes. */
  function startByHand(queue: string, work: (id: string) => Promise<object>): void {
    const worker = new Worker(queue, ({ id }) => work(id as string), { connection: redis, name: 'liar' });
    ends.push(() => worker.close());
  }
});

describe('checkJob', () => {
  const images = { first: 0, count: 2, imageShape: [8, 8, 1] };
  const job = { version: VERSION, kind: 'draw', model: 'a'.repeat(64), ...images, options: { seed: 1, temperature: 1 } };
  it('lets through what submit.mjs makes', () => expect(checkJob(job)).toBe(job));
  it.each([
    ["unknown 'script'", { script: 'rm' }],
    ['kind: wanted draw or score, got "paint"', { kind: 'paint' }],
    ['first: wanted an index, got "0"', { first: '0' }],
    ['images: wanted levels in base64, got undefined', { kind: 'score', options: undefined }],
    ['options: wanted { seed, temperature, topK, topP }, got undefined', { options: undefined }],
    ['images: wanted none to draw, got ""', { images: '' }],
    ['notBy: wanted a name, got ["a"]', { notBy: ['a'] }],
    ['model: wanted a SHA-256, got "../x"', { model: '../x' }],
    ['imageShape: wanted [H, W, C], got [8,0,1]', { imageShape: [8, 0, 1] }],
    ['count: wanted images of at most 4194304 values, got 65537', { count: 65537 }],
    ["options: unknown 'yieldEvery'", { options: { seed: 1, yieldEvery: 'never' } }],
    ['options: wanted { seed, temperature, topK, topP }, got {"temperature":1}', { options: { temperature: 1 } }],
    ['options: wanted none to score, got {"seed":1,"temperature":1}', { kind: 'score', images: '' }],
    ['classes: wanted a list of classes, got [1,"2"]', { classes: [1, '2'] }],
    ['isCheck: wanted true or nothing, got 1', { isCheck: 1 }],
    [`it is of pixelcnn-layers ["${VERSION}"], this worker has ${VERSION}`, { version: [VERSION] }],
  ])('%s', (message, change) => {
    expect(() => checkJob({ ...job, ...change })).toThrow(new TypeError(`job: ${message}`));
  });
  it.each([null, [], 'draw', 7])('is of an object: %o', (wrong) => {
    expect(() => checkJob(wrong)).toThrow(`job: wanted an object, got ${JSON.stringify(wrong)}`);
  });
});

/** Waits until a program has said something. */
async function said({ program: { stdout } }: ReturnType<typeof startScript>, what: RegExp): Promise<void> {
  let text = '';
  await new Promise<void>((resolve) => {
    stdout?.on('data', (part) => {
      text += part;
      if (what.test(text)) resolve();
    });
  });
}

/** Waits until something is so. */
const until = (isSo: () => Promise<boolean>) => vi.waitUntil(isSo, { timeout: PATIENCE, interval: 20 });

/** Waits until so many workers have come. */
const areThere = (queue: Queue, count: number) => until(async () => (await queue.getWorkersCount()) === count);

/** The shards that are whole: their names, and when they were written. */
async function shardsIn(directory: string): Promise<string[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.bin'));
  return Promise.all(names.map(async (name) => `${name} ${(await stat(join(directory, name))).mtimeMs}`));
}

type ShardRecord = Record<'job' | 'first' | 'count' | 'attempts', number> & Record<'sha256' | 'worker', string>;

interface Manifest {
  result: { sha256: string };
  shards: ShardRecord[];
  checks: ShardRecord[];
  bitsPerDim?: number;
}
