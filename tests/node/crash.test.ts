import { promises as disk } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { pixelCNN } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { describe, expect, it, vi } from 'vitest';
import { checkpoints } from '../../kit/runs/checkpoints.mjs';
import { onBackend } from '../support/backends';
import { temporaryFolder } from '../support/node/temporary-folder';
import { setNoise, take } from '../support/tensors';

/** Calls of the file system since the last start, the call in which the machine crashes, and what a crash loses. */
const machine = vi.hoisted(() => ({
  calls: 0,
  crashAt: Number.POSITIVE_INFINITY,
  /** Files that were written and not flushed: they may be empty after a crash. */
  unflushed: new Set<string>(),
}));

// The file system of a machine that crashes: the call of the crash is done by half, and none after it.
vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const { unflushed } = machine;

  /** Counts a call; in that of the crash, does what may be done of it. */
  async function step<T>(act: () => Promise<T>, half: () => Promise<unknown> = async () => {}): Promise<T> {
    const call = ++machine.calls;
    if (call < machine.crashAt) return act();
    if (call === machine.crashAt) {
      await half();
      for (const file of unflushed) await real.truncate(file).catch(() => {}); // it was removed
    }
    throw new Error('crash');
  }

  const changed: Partial<typeof real> = {
    mkdir: ((...args: Parameters<typeof real.mkdir>) => step(() => real.mkdir(...args))) as typeof real.mkdir,
    readdir: ((path: string) => step(() => real.readdir(path))) as typeof real.readdir,
    readFile: ((path: string) => step(() => real.readFile(path))) as typeof real.readFile,
    writeFile: (path, data) =>
      step(
        () => real.writeFile(path, data),
        () => real.writeFile(path, ''),
      ),
    async rename(from, to) {
      await step(() => real.rename(from, to));
      if (unflushed.delete(`${from}`)) unflushed.add(`${to}`);
    },
    rm: (path, options) =>
      step(
        () => real.rm(path, options),
        async () => {
          const names = await real.readdir(path).catch(() => []);
          if (names[0] !== undefined) await real.rm(join(`${path}`, names[0]), options);
        },
      ),
    async open(path, flags) {
      const handle = await step(() => real.open(path, flags));
      return new Proxy(handle, {
        get(target, key) {
          if (key === 'writeFile')
            return (data: string | Uint8Array) => {
              unflushed.add(`${path}`);
              const part = data.slice(0, data.length / 2);
              return step(
                () => target.writeFile(data),
                () => target.writeFile(part),
              );
            };
          if (key === 'sync') return () => step(() => target.sync()).then(() => unflushed.delete(`${path}`));
          if (key === 'close') return () => target.close(); // a crash closes all files
          return Reflect.get(target, key);
        },
      });
    },
  };
  return { ...real, ...changed, default: { ...real, ...changed } };
});

/** Does something on a machine that crashes in a call of the file system; whether it crashed before the end. */
async function crashes(call: number, act: () => Promise<unknown>): Promise<boolean> {
  Object.assign(machine, { calls: 0, crashAt: call });
  machine.unflushed.clear();
  try {
    await act();
    return false;
  } catch (error) {
    expect((error as Error).message).toMatch(/crash$/);
    return true;
  } finally {
    machine.crashAt = Number.POSITIVE_INFINITY;
  }
}

/** Crashes in each call in turn, on a directory made anew each time, until nothing crashes any more. */
async function crashInEachCall(
  prepare: (directory: string) => Promise<unknown>,
  act: (directory: string) => Promise<unknown>,
  check: (directory: string, isCrashed: boolean) => Promise<unknown>,
): Promise<number> {
  for (let call = 1; ; call++) {
    const directory = join(parent, `${call}`);
    await prepare(directory);
    const isCrashed = await crashes(call, () => act(directory));
    await check(directory, isCrashed);
    if (!isCrashed) return call - 1;
  }
}

const parent = temporaryFolder({ isOfEachTest: true });

describe('checkpoints', () => {
  /** What one saves: its name is in its state and in both of its files. */
  const save = (run: ReturnType<typeof checkpoints>, step: number, name: string, isBest: boolean) =>
    run.save(
      step,
      name,
      async (path) => {
        for (const file of ['a', 'b']) await writeFile(join(path, file), name);
      },
      { isBest },
    );

  /** The name of a checkpoint that is whole. */
  async function nameOf(found: Awaited<ReturnType<ReturnType<typeof checkpoints>['latest']>>) {
    if (found === null) return null;
    const files = ['a', 'b'].map((file) => disk.readFile(join(found.directory, file), 'utf8'));
    expect(await Promise.all(files)).toEqual([found.state, found.state]);
    return found.state;
  }

  async function namesIn(directory: string) {
    const run = checkpoints(directory);
    return [await nameOf(await run.latest()), await nameOf(await run.best())];
  }

  it.each([
    ['that is the best', 3, true],
    ['that is not the best', 3, false],
    ['of a step that was saved before', 2, true],
    ['of the step that is the best so far, and stays it', 1, false],
  ])('are whole after a crash in any call of a save %s', async (_, step, isBest) => {
    const seen = new Set<string>();
    const calls = await crashInEachCall(
      async (directory) => {
        const run = checkpoints(directory);
        await save(run, 1, 'first', true);
        await save(run, 2, 'second', false);
      },
      (directory) => save(checkpoints(directory), step, 'third', isBest),
      async (directory, isCrashed) => {
        const names = await namesIn(directory);
        const next = ['third', isBest ? 'third' : 'first'];
        expect(isCrashed ? [['second', 'first'], next] : [next]).toContainEqual(names); // both at one stroke
        seen.add(`${names}`);
        await save(checkpoints(directory), 4, 'fourth', false);
        expect(await namesIn(directory)).toEqual(['fourth', names[1]]);
        expect(await disk.readdir(directory)).toHaveLength(3); // both, and what names them
      },
    );
    expect(calls).toBeGreaterThan(15);
    expect(seen.size).toBe(2);
  });

  it('are whole or not there after a crash in any call of the first save', async () => {
    await crashInEachCall(
      async () => {},
      (directory) => save(checkpoints(directory), 1, 'first', true),
      async (directory, isCrashed) => {
        const names = await namesIn(directory);
        const first = ['first', 'first'];
        expect(isCrashed ? [[null, null], first] : [first]).toContainEqual(names);
      },
    );
  });
});

onBackend('cpu', 'fileSystem', () => {
  const answers = (model: tfl.LayersModel) => take(tf.tidy(() => model.predict(tf.fill([1, 4, 4, 1], 0.5)) as tf.Tensor));

  it('has the old model or the new one, whole, after a crash in any call of a save', async () => {
    const models = [1, 2].map((seed): tfl.LayersModel => {
      const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1 });
      setNoise(model, seed);
      return model;
    });
    const [old, next] = models as [tfl.LayersModel, tfl.LayersModel];
    const [before, after] = [await answers(old), await answers(next)];
    const seen = new Set<boolean>();
    const calls = await crashInEachCall(
      (directory) => old.save(fileSystem(directory)),
      (directory) => next.save(fileSystem(directory)),
      async (directory, isCrashed) => {
        const loaded = await tfl.loadLayersModel(fileSystem(directory));
        const got = await answers(loaded);
        loaded.dispose();
        expect(isCrashed ? [before, after] : [after]).toContainEqual(got);
        seen.add(got[0] === after[0]);
        await next.save(fileSystem(directory));
        expect(await disk.readdir(directory)).toHaveLength(2); // model.json and its shard
      },
    );
    expect(calls).toBeGreaterThan(8);
    expect(seen.size).toBe(2);
    for (const model of models) model.dispose();
  });
});
