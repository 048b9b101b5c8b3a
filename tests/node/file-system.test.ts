import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { bitsPerDim, pixelCNN } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { listening } from '../support/node/listening.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';
import { scoped } from '../support/scoped';
import { expectCleanRefusal, take } from '../support/tensors';

/** No process has this number: Linux has at most 2^22. */
const NO_PROCESS = 2 ** 30;

beforeAll(() => useBackend('cpu'));

const directory = temporaryFolder({ isOfEachTest: true });
const build = (hiddenDim = 2) => pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim, outDim: 4, numBlocks: 1 });

/** What a model computes, for comparison. */
const answers = (model: tfl.LayersModel) => take(tf.tidy(() => model.predict(tf.fill([1, 4, 4, 1], 0.5)) as tf.Tensor));
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
    const model = scoped(build());
    const path = join(directory, 'a', 'b');
    const { modelArtifactsInfo } = await model.save(fileSystem(path));
    expect(modelArtifactsInfo.weightDataBytes).toBe(4 * model.countParams());
    expect(await readdir(path)).toHaveLength(2); // model.json and one shard
    expect(await loadedAnswers(path)).toEqual(await answers(model));
  });

  it('takes the path of model.json for its directory, as tfjs-node does, also after file://', async () => {
    const model = scoped(build());
    const path = join(directory, 'a b');
    await model.save(fileSystem(join(path, 'model.json')));
    expect((await readdir(path)).sort()[0]).toBe('model.json');
    const expected = await answers(model);
    for (const name of [path, join(path, 'model.json')]) {
      for (const given of [name, `${pathToFileURL(name)}`, `file://${relative('.', name)}`])
        expect(await loadedAnswers(given)).toEqual(expected);
    }
  });

  it('brings back the optimizer and metadata', async () => {
    const model = scoped(build());
    model.compile({ optimizer: 'adam', loss: bitsPerDim });
    const x = scoped(tf.zeros([1, 4, 4, 1]));
    await model.trainOnBatch(x, x);
    model.setUserDefinedMetadata({ step: 1 });
    await model.save(fileSystem(directory), { includeOptimizer: true });
    const loaded = scoped(await tfl.loadLayersModel(fileSystem(directory)));
    expect(loaded.optimizer.iterations).toBe(1);
    expect(loaded.getUserDefinedMetadata()).toEqual({ step: 1 });
  });

  it('cuts large models into shards of 4 MiB, and puts them together again', async () => {
    const units = 2 ** 20 + 3; // of 4 bytes
    const build = () => tfl.sequential({ layers: [tfl.layers.dense({ units, inputShape: [1], useBias: false })] });
    const model = scoped(build());
    const numbers = scoped(tf.tidy(() => tf.reshape(tf.range(0, units), [1, units])));
    model.setWeights([numbers]);
    await model.save(fileSystem(directory));
    expect(await shardsIn(directory)).toHaveLength(2);
    const loaded = scoped(await tfl.loadLayersModel(fileSystem(directory)));
    const isSame = tf.tidy(() => tf.all(tf.equal(loaded.getWeights()[0] as tf.Tensor, numbers)));
    expect(await take(isSame)).toEqual([1]);
  });

  it('replaces a model and leaves nothing of the old one, nor touches files of others', async () => {
    await writeFile(join(directory, 'weights.txt'), 'mine');
    const killed = `weights.${'0'.repeat(16)}.1of2.bin.${NO_PROCESS}.tmp`;
    await writeFile(join(directory, `model.json.${NO_PROCESS}.tmp`), '{'); // left by a process that was killed
    await writeFile(join(directory, killed), '');
    await writeFile(join(directory, `model.json.${process.pid}.tmp`), '{'); // and by one that had our number
    await writeFile(join(directory, `model.json.${process.ppid}.tmp`), '{'); // one that runs is writing it
    await writeFile(join(directory, `notes.${NO_PROCESS}.tmp`), 'mine');
    const [old, next] = [scoped(build()), scoped(build(3))];
    await old.save(fileSystem(directory));
    await next.save(fileSystem(directory));
    const [shard] = await shardsIn(directory);
    expect((await readdir(directory)).sort()).toEqual(
      ['model.json', `model.json.${process.ppid}.tmp`, `notes.${NO_PROCESS}.tmp`, shard, 'weights.txt'].sort(),
    );
    expect(await readFile(join(directory, 'weights.txt'), 'utf8')).toBe('mine');
    expect(await loadedAnswers()).toEqual(await answers(next));
  });

  it('takes saves to one directory one at a time', async () => {
    const models = scoped([build(), build(3), build(4)]);
    await Promise.all(models.map((model) => model.save(fileSystem(directory))));
    expect(await loadedAnswers()).toEqual(await answers(models[2] as tfl.LayersModel)); // the last one asked for
    expect(await shardsIn(directory)).toHaveLength(1);
  });

  it('loads what there is where a save before it fails', async () => {
    const model = scoped(build());
    const { save } = fileSystem(directory) as { save: tf.io.SaveHandler };
    await model.save(fileSystem(directory));
    const failing = save({ modelTopology: new ArrayBuffer(1) });
    const loading = loadedAnswers();
    await expect(failing).rejects.toThrow('fileSystem: wanted a layers model');
    expect(await loading).toEqual(await answers(model));
  });

  it('loads a whole model also while it is saved', async () => {
    const models = scoped([build(), build(3)]);
    await (models[0] as tfl.LayersModel).save(fileSystem(directory));
    const expected = await Promise.all(models.map(answers));
    for (let i = 0; i < 5; i++) {
      const saving = (models[i % 2] as tfl.LayersModel).save(fileSystem(directory));
      const loaded = await loadedAnswers();
      await saving;
      expect(expected).toContainEqual(loaded);
    }
  });

  it('writes what tfjs loads by URL, as in a browser', async () => {
    const model = scoped(build());
    await model.save(fileSystem(directory));
    const { address, close } = await listening(async (request, response) => {
      const name = new URL(request.url ?? '/', 'http://localhost').pathname;
      const type = name.endsWith('.json') ? 'application/json' : 'application/octet-stream';
      response.setHeader('content-type', type).end(await readFile(join(directory, name)));
    });
    const loaded = scoped(await tfl.loadLayersModel(tf.io.browserHTTPRequest(`${address}model.json`, { fetchFunc: fetch })));
    expect(await answers(loaded)).toEqual(await answers(model));
    close();
  });

  it('names the file that is missing, truncated or not a model', async () => {
    const model = build();
    await model.save(fileSystem(directory));
    model.dispose();
    const [shard = ''] = await shardsIn(directory);
    const json = join(directory, 'model.json');
    const whole = await readFile(json, 'utf8');
    const load = () => tfl.loadLayersModel(fileSystem(directory));

    await expect(tfl.loadLayersModel(fileSystem(join(directory, 'none')))).rejects.toThrow(/none.model\.json is missing/);
    const weights = await readFile(join(directory, shard));
    for (const at of [0, 101, weights.length - 1]) {
      const damaged = Uint8Array.from(weights);
      damaged[at] = (damaged[at] as number) ^ 4;
      await writeFile(join(directory, shard), damaged);
      await expectCleanRefusal(load, `${shard} is damaged: the digest in its name`);
    }
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
      ['{"modelTopology": {}, "weightsManifest": [{"paths": [3], "weights": []}]}', 'is not a layers model'],
      ['{"modelTopology": {}, "weightsManifest": [{"paths": ["../x"], "weights": []}]}', 'is not a layers model'],
      ['{"modelTopology": {}, "weightsManifest": [{"paths": [".."], "weights": []}]}', 'is not a layers model'],
      [whole.replace('[["image"', '[["imagf"'), "model.json: layer 'input_conv' needs layer 'imagf', which does not exist"],
      [whole.replace(/}$/, ',"userDefinedMetadata":3}'), 'model.json: userDefinedMetadata: wanted an object, got 3'],
    ] as const) {
      await writeFile(json, text);
      await expect(load()).rejects.toThrow(message);
    }
    await rm(json);
    await mkdir(json); // a directory of that name
    await expect(load()).rejects.toThrow(/model\.json is a directory/);
  });

  it.each([
    [null, 'model.json: weight 0: wanted an object, got null'],
    [{ name: 3 }, 'weight 0: name: wanted a string, got 3'],
    [{ shape: 3 }, 'weight a/kernel: shape: wanted a list, got 3'],
    [{ shape: [-1] }, 'weight a/kernel: shape: wanted an integer of at least 0, got -1'],
    [{ shape: [1.5] }, 'weight a/kernel: shape: wanted an integer'],
    [{ dtype: 'string' }, "weight a/kernel: dtype: wanted 'float32' or 'int32' or 'complex64' or 'bool', got 'string'"],
    [{ dtype: 'uint8' }, 'weight a/kernel: dtype'],
    [{ dtype: 'toString' }, 'weight a/kernel: dtype'],
    [{ quantization: null }, 'weight a/kernel: quantization: wanted an object, got null'],
    [{ quantization: { dtype: 'int8' } }, "quantization: wanted 'uint8' or 'uint16' or 'float16', got 'int8'"],
    [{ quantization: { dtype: 'uint8', min: 0 } }, 'quantization: wanted a number for scale and min, got undefined'],
    [{ dtype: 'bool', quantization: { dtype: 'uint8', min: 0, scale: 1 } }, "dtype: wanted 'float32' or 'int32', got 'bool'"],
    [{ dtype: 'int32', quantization: { dtype: 'float16' } }, "dtype: wanted 'float32', got 'int32'"],
    [{ name: 'b' }, "model.json: two weights are named 'b'"],
  ])('names an invalid weight, before tfjs has made a tensor of it: %o', async (change, message) => {
    // biome-ignore format: a table
    const spec = { name: 'a/kernel', shape: [1], dtype: 'float32' };
    const weights = [change && { ...spec, ...change }, { ...spec, name: 'b' }];
    const json = { modelTopology: {}, weightsManifest: [{ paths: ['weights.bin'], weights }] };
    await writeFile(join(directory, 'model.json'), JSON.stringify(json));
    await writeFile(join(directory, 'weights.bin'), new Uint8Array(8));
    await expectCleanRefusal(() => tfl.loadLayersModel(fileSystem(directory)), message);
  });

  it('loads weights that tfjs has quantized', async () => {
    const model = scoped(build());
    await model.save(fileSystem(directory));
    const [kernel] = model.getWeights() as [tf.Tensor4D]; // [7,7,1,4]
    const json = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8'));
    const [group] = json.weightsManifest;
    const [shard = ''] = await shardsIn(directory);
    const bytes = await readFile(join(directory, shard));
    group.paths = ['group1-shard1of1.bin']; // as tfjs's converter names it
    const pairs = [['uint8', 1], ['uint16', 2], ['float16', 2]] as const; // biome-ignore format: a line
    for (const [dtype, size] of pairs) {
      group.weights[0].quantization = dtype === 'float16' ? { dtype } : { dtype, min: -1, scale: 0.5 };
      const stored = Buffer.concat([Buffer.alloc(size * kernel.size), bytes.subarray(4 * kernel.size)]);
      await writeFile(join(directory, group.paths[0]), stored);
      await writeFile(join(directory, 'model.json'), JSON.stringify(json));
      const loaded = scoped(await tfl.loadLayersModel(fileSystem(directory)));
      expect(new Set(await (loaded.getWeights()[0] as tf.Tensor).data())).toEqual(
        new Set([dtype === 'float16' ? 0 : -1]), // all are 0, which stands for min
      );
    }
  });

  it('leaves neither tensors nor files behind where a save fails', async () => {
    const model = scoped(build());
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expectCleanRefusal(() => model.save(fileSystem(join(file, 'below'))), 'ENOTDIR');
    await expect(model.save(fileSystem(file))).rejects.toThrow(`fileSystem: ${file} is not a directory`);
    expect(await readdir(directory)).toEqual(['file']);
    await mkdir(join(directory, 'model.json'));
    await expect(model.save(fileSystem(directory))).rejects.toThrow('model.json is a directory');
    await expect((fileSystem(directory).save as tf.io.SaveHandler)({ modelTopology: new ArrayBuffer(1) })).rejects.toThrow(
      'fileSystem: wanted a layers model',
    );
  });

  it('wants a directory', () => {
    for (const bad of ['', undefined, 3]) expect(() => fileSystem(bad as string)).toThrow('fileSystem: wanted a directory');
  });
});

describe('a model with the sizes of another', () => {
  const image = [4, 4, 1] as [number, number, number];
  type Config = Record<string, unknown>;

  /** What became of loading a model in which the first layer with this field has it as given. */
  async function loaded(model: tfl.LayersModel, field: string, value: unknown, strict = true, more = {}) {
    await model.save(fileSystem(directory));
    model.dispose();
    const file = join(directory, 'model.json');
    const json = JSON.parse(await readFile(file, 'utf8'));
    const all: Config[] = json.modelTopology.config.layers.map(({ config }: { config: Config }) => config);
    const config = all.find((config) => field in (config as object)) as Config;
    expect(config, field).toBeDefined();
    Object.assign(config, { [field]: value, ...more });
    await writeFile(file, JSON.stringify(json));
    let most = 0;
    const { makeTensor } = tf.engine();
    tf.engine().makeTensor = function (values, shape, ...rest) {
      most = Math.max(most, tf.util.sizeFromShape(shape));
      return makeTensor.call(this, values, shape, ...rest);
    };
    try {
      const made = await tfl.loadLayersModel(fileSystem(directory), { strict });
      const numParams = made.countParams();
      made.dispose();
      return { numParams, most };
    } catch (error) {
      return { error: String(error), most };
    } finally {
      tf.engine().makeTensor = makeTensor;
    }
  }

  const own = (args = {}) => pixelCNN({ imageShape: image, levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1, ...args });
  const dense = () => tfl.sequential({ layers: [tfl.layers.dense({ units: 6, inputShape: [4] })] });
  const embedded = () => tfl.sequential({ layers: [tfl.layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 2 })] });
  const recurrent = () =>
    tfl.sequential({ layers: [tfl.layers.simpleRNN({ units: 3, inputShape: [2, 2], recurrentInitializer: 'zeros' })] });

  it.each<[string, () => tfl.LayersModel, string, unknown]>([
    ['levels of an embedding', () => own({ input: { embedding: 3 } }), 'levels', 4096],
    ['units of one', () => own({ input: { embedding: 3 } }), 'units', 4096],
    ['filters', own, 'filters', 100],
    ['a kernel', own, 'kernel_size', [101, 101]],
    ["a dense layer of tfjs's", dense, 'units', 2 ** 26],
    ["an embedding of tfjs's", embedded, 'input_dim', 2 ** 26],
    ["the columns of an embedding of tfjs's", embedded, 'output_dim', 2 ** 26],
    ["an RNN of tfjs's", recurrent, 'units', 64],
    ['channels of images', own, 'batch_input_shape', [null, 4, 4, 2 ** 19]],
    ["the input of a dense layer of tfjs's", dense, 'batch_input_shape', [null, 2 ** 26]],
  ])('is refused before there is memory for it: %s', async (_, make, field, value) => {
    const model = make();
    const numParams = model.countParams();
    const { error, most } = await loaded(model, field, value);
    expect(error).toMatch(/fileSystem: .*model.json: weight '.*' of layer '.*': wanted weights of \d+ numbers in all/);
    expect(error).toContain(`wanted weights of ${numParams} numbers in all, as the file has, got [`);
    expect(most).toBeLessThanOrEqual(numParams);
  });

  it('is loaded if its weights need not be there', async () => {
    const { numParams } = await loaded(dense(), 'units', 7, false, { name: 'other' });
    expect(numParams).toBe(4 * 7 + 7);
  });

  it('limits nothing that is made later', async () => {
    await loaded(dense(), 'units', 7);
    const model = dense();
    expect(model.countParams()).toBe(30);
    model.dispose();
    await Promise.all([1, 2].map(async () => (await fileSystem(directory).load?.())?.modelTopology));
    await null;
    expect(Object.hasOwn(tfl.layers.Layer.prototype, 'addWeight')).toBe(true);
    const { numParams } = await loaded(dense(), 'trainable', false);
    expect(numParams).toBe(30);
  });
});
