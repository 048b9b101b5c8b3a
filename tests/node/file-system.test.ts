import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { bitsPerDim, pixelCNN } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { expectNoLeaks, take } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pixelcnn-'));
});
afterEach(() => rm(directory, { recursive: true }));

const build = (hiddenDim = 2) =>
  pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim, outDim: 4, numBlocks: 1 });

/** What a model computes, for comparison. */
async function answers(model: tfl.LayersModel): Promise<number[]> {
  const x = tf.fill([1, 4, 4, 1], 0.5);
  const y = await take(model.predict(x) as tf.Tensor);
  x.dispose();
  return y;
}

const shardsIn = async (path: string) => (await readdir(path)).filter((name) => name.endsWith('.bin'));

/** Loads what is in the directory, and gives what it computes. */
async function loadedAnswers(path = directory): Promise<number[]> {
  const loaded = await tfl.loadLayersModel(fileSystem(path));
  const y = await answers(loaded);
  loaded.dispose();
  return y;
}

describe('fileSystem', () => {
  it('brings a model back, into a directory that it makes', async () => {
    const model = build();
    const path = join(directory, 'a', 'b');
    const { modelArtifactsInfo } = await model.save(fileSystem(path));
    expect(modelArtifactsInfo.weightDataBytes).toBe(4 * model.countParams());
    expect(await readdir(path)).toHaveLength(2); // model.json and one shard
    expect(await loadedAnswers(path)).toEqual(await answers(model));
    model.dispose();
  });

  it('brings back the optimizer and metadata', async () => {
    const model = build();
    model.compile({ optimizer: 'adam', loss: bitsPerDim });
    const x = tf.zeros([1, 4, 4, 1]);
    await model.trainOnBatch(x, x);
    model.setUserDefinedMetadata({ step: 1 });
    await model.save(fileSystem(directory), { includeOptimizer: true });
    const loaded = await tfl.loadLayersModel(fileSystem(directory));
    expect(loaded.optimizer.iterations).toBe(1);
    expect(loaded.getUserDefinedMetadata()).toEqual({ step: 1 });
    x.dispose();
    for (const m of [model, loaded]) m.dispose();
  });

  it('cuts large models into shards of 4 MiB', async () => {
    const model = build(300); // 7x7x600 + 600*300*2 + 9*300*300 ... = 1.2 million parameters
    await model.save(fileSystem(directory));
    const shards = await shardsIn(directory);
    expect(shards).toHaveLength(Math.ceil((4 * model.countParams()) / 2 ** 22));
    expect(shards.length).toBeGreaterThan(1);
    expect(await loadedAnswers()).toEqual(await answers(model));
    model.dispose();
  });

  it('replaces a model and leaves nothing of the old one, nor touches files of others', async () => {
    await writeFile(join(directory, 'weights.txt'), 'mine');
    await writeFile(join(directory, 'model.json.123.tmp'), '{'); // left by a process that was killed
    const [old, next] = [build(), build(3)];
    await old.save(fileSystem(directory));
    await next.save(fileSystem(directory));
    const [shard] = await shardsIn(directory);
    expect((await readdir(directory)).sort()).toEqual(['model.json', shard, 'weights.txt']);
    expect(await readFile(join(directory, 'weights.txt'), 'utf8')).toBe('mine');
    expect(await loadedAnswers()).toEqual(await answers(next));
    for (const m of [old, next]) m.dispose();
  });

  it('takes saves to one directory one at a time', async () => {
    const models = [build(), build(3), build(4)];
    await Promise.all(models.map((model) => model.save(fileSystem(directory))));
    expect(await loadedAnswers()).toEqual(await answers(models[2] as tfl.LayersModel)); // the last one asked for
    expect(await shardsIn(directory)).toHaveLength(1);
    for (const m of models) m.dispose();
  });

  it('loads a whole model also while it is saved', async () => {
    const models = [build(), build(3)];
    await (models[0] as tfl.LayersModel).save(fileSystem(directory));
    const expected = await Promise.all(models.map(answers));
    for (let i = 0; i < 20; i++) {
      const saving = (models[i % 2] as tfl.LayersModel).save(fileSystem(directory));
      const loaded = await loadedAnswers();
      await saving;
      expect(expected).toContainEqual(loaded);
    }
    for (const m of models) m.dispose();
  });

  it('keeps the old model whole where the process is killed at any moment of a save', async () => {
    const model = build();
    await model.save(fileSystem(directory));
    const before = await answers(model);
    // A child saves other weights over it again and again, until it is killed.
    const program = `
      import * as tf from '@tensorflow/tfjs-core';
      import '@tensorflow/tfjs-backend-cpu';
      import { loadLayersModel } from '@tensorflow/tfjs-layers';
      import 'pixelcnn-layers';
      import { fileSystem } from 'pixelcnn-layers/node';
      const handler = fileSystem(process.argv[1]);
      const model = await loadLayersModel(handler);
      for (let i = 1; ; i++) {
        model.setWeights(model.getWeights().map((w) => tf.fill(w.shape, i / 100)));
        await model.save(handler);
        if (i === 1) console.log('saving');
      }`;
    for (const delay of [0, 3, 7, 12, 20]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const after = await loadedAnswers(); // one model or another, whole
      expect(after).toHaveLength(before.length);
      expect(after.every(Number.isFinite)).toBe(true);
    }
    model.dispose();
  });

  it('writes what tfjs loads by URL, as in a browser', async () => {
    const model = build();
    await model.save(fileSystem(directory));
    const server = createServer(async (request, response) => {
      const name = new URL(request.url ?? '/', 'http://localhost').pathname;
      const type = name.endsWith('.json') ? 'application/json' : 'application/octet-stream';
      response.setHeader('content-type', type).end(await readFile(join(directory, name)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/model.json`;
    const loaded = await tfl.loadLayersModel(tf.io.browserHTTPRequest(url, { fetchFunc: fetch }));
    expect(await answers(loaded)).toEqual(await answers(model));
    server.closeAllConnections();
    server.close();
    for (const m of [model, loaded]) m.dispose();
  });

  it('names the file that is missing, truncated or not a model', async () => {
    const model = build();
    await model.save(fileSystem(directory));
    model.dispose();
    const [shard = ''] = await shardsIn(directory);
    const json = join(directory, 'model.json');
    const whole = await readFile(json, 'utf8');
    const load = () => tfl.loadLayersModel(fileSystem(directory));

    await expect(tfl.loadLayersModel(fileSystem(join(directory, 'none')))).rejects.toThrow(
      /none.model\.json is missing/,
    );
    await truncate(join(directory, shard), 100);
    await expect(load()).rejects.toThrow(new RegExp(`names weights of \\d+ bytes, but ${shard} has 100`));
    await rm(join(directory, shard));
    await expect(load()).rejects.toThrow(`${shard} is missing`);

    for (const [text, message] of [
      [whole.slice(0, 50), 'model.json is not JSON'],
      ['', 'model.json is not JSON'],
      ['null', 'model.json is not a layers model'],
      ['{"a": 1}', 'model.json is not a layers model'],
      ['{"modelTopology": null, "weightsManifest": []}', 'model.json is not a layers model'],
      ['{"modelTopology": {}, "weightsManifest": [null]}', 'model.json is not a layers model'],
      [
        '{"modelTopology": {}, "weightsManifest": [{"paths": [], "weights": [null]}]}',
        'is not a layers model',
      ],
      ['{"modelTopology": {}, "weightsManifest": [{"paths": [3], "weights": []}]}', 'is not a layers model'],
      [
        '{"modelTopology": {}, "weightsManifest": [{"paths": ["../x"], "weights": []}]}',
        'is not a layers model',
      ],
      [whole.replaceAll('"float32"', '"string"'), 'has type string'],
    ] as const) {
      await writeFile(json, text);
      await expect(load()).rejects.toThrow(message);
    }
    await rm(json);
    await mkdir(json); // a directory of that name
    await expect(load()).rejects.toThrow(/model\.json cannot be read: EISDIR/);
  });

  it('leaves neither tensors nor files behind where a save fails', async () => {
    const model = build();
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expectNoLeaks(async () => {
      await expect(model.save(fileSystem(join(file, 'below')))).rejects.toThrow('ENOTDIR');
    });
    expect(await readdir(directory)).toEqual(['file']);
    await expect(
      (fileSystem(directory).save as tf.io.SaveHandler)({ modelTopology: new ArrayBuffer(1) }),
    ).rejects.toThrow('fileSystem: wanted a layers model');
    model.dispose();
  });

  it('wants a directory', () => {
    for (const bad of ['', undefined, 3]) {
      expect(() => fileSystem(bad as string)).toThrow('fileSystem: wanted a directory');
    }
  });
});
