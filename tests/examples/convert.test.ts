import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { unzipSync, type Zippable, zipSync } from 'fflate';
import h5wasm, { File, type Group } from 'h5wasm';
import { type AutoregressiveModel, pixelCNN, sample as sampleModel } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { readPortable, sample } from 'pixelcnn-layers/runtime';
import { type NamedTensor, readSafetensors, saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import { npyOf } from '../../kit/weights/npy.mjs';
import { useBackend } from '../support/backends';
import { goldenSnail, goldenSnails, snailArgs } from '../support/golden/snail';
import { temporaryFolder } from '../support/node/temporary-folder';
import { type Ended, itRefuses, runScript } from './run-script';
import { saveModel } from './save-model';

const GOLDEN = fileURLToPath(new URL('../golden', import.meta.url));
/** Those of `saveModel`, but for what it is given here. */
const SIZES = { imageShape: [8, 8, 1] as [number, number, number], levels: 17, hiddenDim: 2, outDim: 2, numBlocks: 1, firstKernelSize: 3 };
const folder = temporaryFolder();
let model: AutoregressiveModel;
beforeAll(async () => {
  await saveModel(join(folder, 'model'), {});
  model = (await loadLayersModel(fileSystem(join(folder, 'model')))) as AutoregressiveModel;
});

/** The bytes of an HDF5 file with what `fill` puts there. */
async function hdf5(fill: (file: File) => void): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new File('made.h5', 'w');
  fill(file);
  file.close();
  return (FS as unknown as { readFile(path: string): Uint8Array }).readFile('made.h5');
}

/** As h5py, which makes the groups on the way. */
function addDataset(group: Group, path: string, { data, shape }: NamedTensor) {
  const words = path.split('/');
  const name = words.pop() as string;
  for (const word of words) group = (group.get(word) ?? group.create_group(word)) as Group;
  group.create_dataset({ name, data: data as Float32Array, shape: [...shape] });
}

/** The weights of each layer, in their order. */
function byLayer(tensors: ReadonlyMap<string, NamedTensor>): Map<string, [string, NamedTensor][]> {
  const layers = new Map<string, [string, NamedTensor][]>();
  for (const [name, tensor] of tensors) {
    const [layer, ...own] = name.split('.') as [string, ...string[]];
    layers.set(layer, [...(layers.get(layer) ?? []), [own.join('_'), tensor]]);
  }
  return layers;
}

/** What `save_weights_to_hdf5_group` of Keras 2 writes, where each layer has all its weights by itself. */
function addKeras2(file: Group, tensors: ReadonlyMap<string, NamedTensor>) {
  const layers = byLayer(tensors);
  const names = [...layers.keys()];
  // A list that is too long for one attribute is split.
  file.create_attribute('layer_names0', names.slice(0, 2), null, 'S16');
  file.create_attribute('layer_names1', names.slice(2), null, 'S16');
  for (const [layer, weights] of layers) {
    const group = file.create_group(layer);
    const paths = weights.map(([name]) => `${layer}/${name}:0`);
    group.create_attribute('weight_names', paths, null, 'S40');
    for (const [i, [, tensor]] of weights.entries()) addDataset(group, paths[i] as string, tensor);
  }
}

/** What `_save_state` of Keras 3 writes, where each layer has all its weights by itself. */
function addKeras3(file: Group, tensors: ReadonlyMap<string, NamedTensor>, list = 'layers') {
  const classes = ['conv', 'block', 'conv_1', 'conv_2', 'conv_3'];
  for (const [layer, weights] of byLayer(tensors)) {
    const path = `${list}/${classes.shift()}/vars`;
    for (const [i, [, tensor]] of weights.entries()) addDataset(file, `${path}/${i}`, tensor);
    (file.get(path) as Group).create_attribute('name', layer);
  }
  addDataset(file, 'optimizer/vars/0', { dtype: 'F32', shape: [1], data: Float32Array.of(7) });
}

const zipOf = (tensors: ReadonlyMap<string, NamedTensor>) =>
  Object.fromEntries([...tensors].map(([name, { data, shape }]) => [`${name}.npy`, npyOf(data as Float32Array, shape)]));

/** Files of the model's weights, as other programs write them: the contents and further flags. */
const formats: [string, (of: AutoregressiveModel) => Promise<Uint8Array> | Uint8Array, ...string[]][] = [
  ['keras.safetensors', (of) => writeSafetensors(saveWeights(of))],
  ['pytorch.safetensors', (of) => writeSafetensors(saveWeights(of, { to: 'pytorch' })), '--from', 'pytorch'],
  [
    'other-names.safetensors',
    (of) => writeSafetensors(new Map([...saveWeights(of)].map(([name, tensor]) => [`net.${name.replace('block0', 'blocks.0')}`, tensor]))),
    ...['--rename', '^net\\.=>', '--rename', 'blocks\\.(\\d+)=>block$1'],
  ],
  [
    'other-axes.safetensors', // as a linear layer has it, and as this library does
    (of) => writeSafetensors(saveWeights(of, { to: 'pytorch', axes: (name) => ({ 'final_conv.kernel': [3, 2], 'block0.conv_mid.kernel': [0, 1, 2, 3] })[name] })),
    ...['--from', 'pytorch', '--axes', '^final_conv\\.kernel=>3,2', '--axes', 'conv_mid\\.kernel=>0,1,2,3', '--axes', '^final_conv\\.kernel=>0,1'],
  ],
  ['underscores.npz', (of) => zipSync(zipOf(new Map([...saveWeights(of)].map(([name, tensor]) => [`_${name.replace('.conv_', '._conv_').replace('kernel', '0').replace('bias', '1')}`, tensor]))))],
  ['compressed.npz', (of) => zipSync(zipOf(saveWeights(of)))],
  ['keras-2.weights.h5', (of) => hdf5((file) => addKeras2(file, saveWeights(of)))],
  ['keras-2.13.weights.h5', (of) => hdf5((file) => addKeras3(file, saveWeights(of), '_layer_checkpoint_dependencies'))],
]; // biome-ignore format: one format a line

/** Files that Keras has written, see make.py beside them, with further flags. */
const written: [string, ...string[]][] = [
  ['keras-3.15.keras'],
  ['keras-3.15.weights.h5'],
  ['keras-3.15.h5'],
  ['keras-3.15.npz'],
  ['keras-3.3.keras'], // has the names of layers in config.json only
  // has none
  ['keras-3.3.weights.h5', '--rename', '^conv\\.=>input_conv.', '--rename', '^block\\.=>block0.', '--rename', '^conv_3=>final_conv', '--rename', '^conv_(\\d)=>output_conv$1'],
]; // biome-ignore format: one file a line

/** Number j of weight k as make.py has it. */
const kerasNumbers = (k: number, length: number) => Float32Array.from({ length }, (_, j) => (((31 * k + 7 * j) % 64) - 32) / 64);
const numbersOf = (of: LayersModel) => [...saveWeights(of)].map(([name, { data }]) => [name, data as Float32Array] as const);
const loaded = async (name: string) => loadLayersModel(fileSystem(join(folder, name)));

/** Images that a model draws, and those that a file of it does. */
const drawn = async (of: AutoregressiveModel) => {
  const images = (await sampleModel(of, { numImages: 3, seed: 5 })) as Tensor;
  return Uint8Array.from(await images.data());
};
const drawnFrom = async (name: string) => {
  const portable = readPortable(await readFile(join(folder, name)));
  return Uint8Array.from((await sample(portable, { numImages: 3, seed: 5 })).data);
};

describe('convert.mjs', () => {
  const ended = new Map<string, Ended>();
  const factory = ['--factory', 'pixelCNN', '--args', JSON.stringify(SIZES)];
  const [snail] = goldenSnails as [(typeof goldenSnails)[number], ...typeof goldenSnails];

  beforeAll(async () => {
    await useBackend('cpu');
    const at = (name: string) => join(folder, name);
    const convert = (...flags: string[]) => flags;
    const runs = new Map<string, string[]>();
    for (const [name, contents, ...flags] of formats) {
      await writeFile(at(name), await contents(model));
      runs.set(name, convert('--weights', at(name), ...factory, ...flags, '--to', at(`${name}.pixelcnn`)));
    }
    for (const [name, ...flags] of written) {
      runs.set(name, convert('--weights', `${GOLDEN}/keras/${name}`, ...factory, ...flags, '--to', at(`${name} model`)));
    }
    await mkdir(at('arrays'));
    for (const [name, bytes] of Object.entries(zipOf(saveWeights(model)))) await writeFile(join(at('arrays'), name), bytes);
    runs.set('arrays', convert('--weights', at('arrays'), ...factory, '--to', at('from arrays')));
    runs.set('half', convert('--model', at('model'), '--to', at('half.pixelcnn'), '--precision', 'float16'));
    runs.set('pytorch', convert('--model', at('model'), '--to', at('out/p.safetensors'), '--layout', 'pytorch'));
    runs.set('npz', convert('--model', at('model'), '--to', at('out/n.npz')));
    runs.set('npz back', convert('--weights', at('out/n.npz'), '--model', at('model'), '--to', at('from npz')));
    runs.set('snail', convert('--weights', `${GOLDEN}/pixelsnail/snail.safetensors`, '--from', 'rosinality/vq-vae-2-pytorch',
      '--factory', 'pixelSNAIL', '--args', JSON.stringify(snailArgs(snail)), '--to', at('snail.pixelcnn')));
    runs.set('list', convert('--weights', `${GOLDEN}/keras/keras-3.15.weights.h5`, '--list'));
    runs.set('list both', convert('--weights', at('pytorch.safetensors'), ...factory, '--from', 'pytorch', '--list'));
    runs.set('list more', convert('--weights', `${GOLDEN}/keras/keras-3.3.weights.h5`, ...factory, '--rename', '^conv\\.=>input_conv.', '--rename', '^conv_3.*=>', '--list'));
    for (const [name, flags] of runs) ended.set(name, await runScript('convert.mjs', flags));
  }); // biome-ignore format: one run a line

  it.each(formats)('takes %s: what is drawn is what the model draws', async (name) => {
    const out = join(folder, `${name}.pixelcnn`);
    expect(ended.get(name)).toMatchObject({ code: 0, stderr: '', stdout: `${out}: 14 weights of ${join(folder, name)}, 4 kB\n` });
    const images = await drawn(model);
    expect(await drawnFrom(`${name}.pixelcnn`)).toEqual(images);
    expect(await drawn(pixelCNN({ ...SIZES, seed: 3 }))).not.toEqual(images);
  });

  it.each(written)('takes %s, which Keras has written', async (name) => {
    expect(ended.get(name)).toMatchObject({ code: 0, stderr: '' });
    const numbers = numbersOf(await loaded(`${name} model`));
    expect(numbers).toHaveLength(14);
    expect(numbers).toEqual(numbers.map(([name, { length }], k) => [name, kerasNumbers(k, length)]));
  });

  it('takes a directory of arrays', async () => {
    expect(ended.get('arrays')).toMatchObject({ code: 0, stderr: '' });
    expect(numbersOf(await loaded('from arrays'))).toEqual(numbersOf(model));
  });

  it('takes state dicts of other repositories', async () => {
    expect(ended.get('snail')).toMatchObject({ code: 0, stderr: '' });
    expect(await drawnFrom('snail.pixelcnn')).toEqual(await drawn(await goldenSnail(snail)));
  });

  it('gives float16, which is half as large', async () => {
    expect(ended.get('half')).toMatchObject({ code: 0, stderr: '' });
    const weights = async (name: string) => readSafetensors(await readFile(join(folder, name)));
    const [whole, half] = [await weights('keras.safetensors.pixelcnn'), await weights('half.pixelcnn')];
    expect([...whole.values()].every(({ dtype }) => dtype === 'F32')).toBe(true);
    expect([...half.values()].some(({ dtype }) => dtype === 'F16')).toBe(true);
  });

  it("gives safetensors in PyTorch's layout, and an .npz that is taken back", async () => {
    expect(ended.get('pytorch')).toMatchObject({ code: 0, stderr: '' });
    const tensors = readSafetensors(await readFile(join(folder, 'out/p.safetensors')));
    expect(tensors).toEqual(saveWeights(model, { to: 'pytorch' }));
    expect(tensors.get('block0.conv_mid.kernel')?.shape).toEqual([2, 2, 3, 3]);
    expect(ended.get('npz back')).toMatchObject({ code: 0, stderr: '' });
    expect(numbersOf(await loaded('from npz'))).toEqual(numbersOf(model));
    expect(Object.keys(unzipSync(await readFile(join(folder, 'out/n.npz'))))[0]).toBe('input_conv.kernel.npy');
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['n.npz', 'p.safetensors']);
  });

  it('lists what is in a file, and in a network', () => {
    const { code, stdout } = ended.get('list') as Ended;
    expect(code).toBe(0);
    expect(stdout).toContain('keras-3.15.weights.h5, HDF5 of Keras: 14\n');
    expect(stdout).toContain('\n  block0.conv_mid.0  F32 [3,3,2,2]\n');
    expect(stdout).not.toContain('network');
    const both = ended.get('list both')?.stdout;
    expect(both).toContain('weights of the network: 14\n  input_conv.kernel  F32 [4,1,3,3]\n');
    expect(both).toMatch(/in the network:\nall match\n$/);
  });

  it('lists what has another name in the network, and what does not match', () => {
    const { code, stdout } = ended.get('list more') as Ended;
    expect(code).toBe(0);
    const end = stdout.slice(stdout.indexOf('of other names'));
    expect(end.split('\n')).toEqual([
      'of other names in the network:',
      '  conv.0  input_conv.kernel',
      '  conv.1  input_conv.bias',
      '  conv_3.0  left out',
      '  conv_3.1  left out',
      'loadWeights: tensors: they do not match the model',
      expect.stringMatching(/^ {2}missing \(12\): block0\.conv_in\.kernel, .*final_conv\.bias$/),
      expect.stringMatching(/^ {2}left over \(10\): .*block\.conv_mid\.0/),
      '',
    ]);
  });
});

describe('convert.mjs, of a file that it does not take,', () => {
  const FLAGS = ['--factory', 'pixelCNN', '--args', JSON.stringify(SIZES), '--to', 'PLACE/refused'];
  const one = { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) };
  const npz = (files: Zippable) => zipSync(files, { level: 0 });

  /** A zip whose list of files says that the first has so many bytes once unpacked. */
  function saying(zip: Uint8Array, bytes: number): Uint8Array {
    const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
    const list = view.getUint32(zip.length - 22 + 16, true);
    view.setUint32(list + 24, bytes, true);
    return zip;
  }

  /** Files that are wrong, and what is said of them. */
  const files: [string, () => Uint8Array | Promise<Uint8Array>, string][] = [
    ['empty', () => new Uint8Array(), 'wanted safetensors, .npz, a directory of .npy files, or .keras'],
    ['old.pth', () => Uint8Array.of(0x80, 2, 0x8a, 10), 'pickles of PyTorch are not read'],
    ['new.pt', () => npz({ 'model/data.pkl': Uint8Array.of(0x80, 2), 'model/data/0': new Uint8Array(8) }),
      'in Python: import safetensors.torch, torch; safetensors.torch.save_file({k: v.contiguous() for k, v in torch.load("PLACE/new.pt", map_location="cpu", weights_only=True).items()}, "PLACE/new.safetensors") (docs/guides/bring-weights.md has it for a checkpoint'],
    ['cut.safetensors', () => writeSafetensors(saveWeights(model)).subarray(0, 300), 'readSafetensors: header: wanted the 1088 bytes that the file states'],
    ['cut.npz', () => npz(zipOf(saveWeights(model))).subarray(0, 2000), 'damaged: invalid zip data'],
    ['bomb.npz', () => saying(zipSync({ 'a.npy': new Uint8Array(1000) }), 2 ** 32 - 2), 'wanted at most 1073741824 bytes in it, got 4294967294'],
    ['more.npz', () => saying(zipSync({ 'a.npy': npyOf(new Float32Array(1000), [1000]) }), 500), 'a.npy: wanted 4128 bytes, for shape [1000] of f4, got 500'],
    ['object.npz', () => npz({ 'a.npy': Buffer.from(Buffer.from(npyOf(one.data, [2])).toString('latin1').replace("'<f4'", "'|O' "), 'latin1') }), "a.npy: wanted numbers, b1, u1 to i8, f2 to f8, got '|O'"],
    ['config.keras', () => npz({ 'model.weights.h5': new Uint8Array(9), 'config.json': Uint8Array.of(123) }), 'config.json: not JSON'],
    ['cut.h5', async () => (await hdf5((file) => addKeras3(file, saveWeights(model)))).subarray(0, 3000), 'damaged, or no HDF5: truncated file'],
    ['other.h5', () => hdf5((file) => addDataset(file, 'temperatures', one)), 'wanted weights as Keras saves them, found none'],
    ['text.h5', () => hdf5((file) => file.create_group('layers').create_group('conv').create_group('vars').create_dataset({ name: '0', data: ['text'] })), "'conv.0': wanted float32, float64 or integers, got \"S\""],
    ['bomb.h5', () => hdf5((file) => {
      addDataset(file, 'layers/conv/vars/0', one);
      const vars = file.get('layers/conv/vars') as Group;
      vars.create_dataset({ name: '1', data: new Float32Array(1), maxshape: [null], chunks: [1] }).resize([2 ** 40]);
    }), "'conv.1': [1099511627776] of F32 are more than the 1073741816 bytes that may be read"],
    ['loop.h5', () => hdf5((file) => {
      file.create_group('layers').create_group('conv');
      file.create_hard_link('/layers', '/layers/conv/layers');
    }), 'wanted at most 100000 groups, 32 deep'],
    ['elsewhere.h5', () => hdf5((file) => {
      addDataset(file, 'layers/conv/vars/0', one);
      file.create_external_link('/etc/hosts', 'x', '/layers/conv/vars/1');
    }), "'conv.1': wanted a tensor, got ExternalLink"],
    ['names.h5', () => hdf5((file) => file.create_attribute('layer_names', Float32Array.of(1))), 'layer_names: wanted names'],
    ['missing.h5', () => hdf5((file) => file.create_attribute('layer_names', ['conv'], null, 'S9')), "layer 'conv' is not there"],
    ['nan.safetensors', () => {
      const tensors = saveWeights(model);
      const bias = tensors.get('final_conv.bias') as NamedTensor;
      return writeSafetensors(tensors.set('final_conv.bias', { ...bias, data: new Float32Array(17).fill(Number.NaN) }));
    }, "'final_conv.bias': wanted finite numbers, got NaN"],
  ]; // biome-ignore format: one file a line

  beforeAll(async () => {
    for (const [name, contents] of files) await writeFile(join(folder, name), await contents());
    await mkdir(join(folder, 'nothing'));
    await copyFile(join(folder, 'empty'), join(folder, 'vast'));
    await truncate(join(folder, 'vast'), 2 ** 33); // without taking room
  });
  itRefuses(
    [
      ...files.map(([name, , answer]) => [answer, ['convert.mjs', '--weights', `PLACE/${name}`, ...FLAGS]] as const),
      ["'PLACE/none': does not exist", ['convert.mjs', '--weights', 'PLACE/none', ...FLAGS]],
      ['wanted .npy files in it', ['convert.mjs', '--weights', 'PLACE/nothing', ...FLAGS]],
      ['wanted at most 1073741824 bytes of weights, got 8589934592', ['convert.mjs', '--weights', 'PLACE/vast', ...FLAGS]],
      ['wanted a file or a directory', ['convert.mjs', '--weights', devNull, ...FLAGS]],
    ],
    () => ({ PLACE: folder }),
  ); // biome-ignore format: one case a line

  it('writes nothing', async () => {
    const names = await readdir(folder);
    expect(names).toContain('empty');
    expect(names.filter((name) => /refused|tmp/.test(name))).toEqual([]);
  });
});

describe('convert.mjs, of flags that do not go together,', () => {
  const network = ['--factory', 'pixelCNN', '--args', JSON.stringify(SIZES)];
  const refusals: [string, ...string[]][] = [
    ['--model: wanted a network, by --model or --factory; --help', '--weights', 'x', '--to', 'y'],
    ['--factory: --model already determines the network', '--model', 'x', ...network],
    ['--factory: wanted pixelCNN, gatedPixelCNN, pixelCNNPlusPlus, pixelSNAIL, imageGPT, got ', '--factory', 'pixelcnn', '--args', '{}'],
    ["pixelCNN: unknown option 'hiddenDims': did you mean hiddenDim?", '--factory', 'pixelCNN', '--args', '{"imageShape":[8,8,1],"hiddenDims":3}', '--weights', `${GOLDEN}/keras/keras-3.15.npz`, '--list'],
    ["--from: wanted keras, pytorch, pclucas14/pixel-cnn-pp, rosinality/vq-vae-2-pytorch, openai/image-gpt, teddykoker/image-gpt, got 'jax'", '--weights', 'x', '--list', '--from', 'jax'],
    ['--args: wanted JSON: ', '--factory', 'pixelCNN', '--args', '{', '--weights', 'x'],
    ["--rename: wanted 'regular expression=>replacement', got 'a'", '--weights', 'x', '--list', '--rename', 'a'],
    ['--layout: requires --to NAME.safetensors or NAME.npz', '--model', 'x', '--to', 'y', '--layout', 'keras'],
    ['--rename: comes with --weights', '--model', 'x', '--to', 'y', '--rename', 'a=>b'],
    ['--axes: requires --from keras or pytorch', '--weights', 'x', '--list', '--from', 'pclucas14/pixel-cnn-pp', '--axes', 'a=>0'],
    ["--axes: wanted numbers of axes, as 0,1, got '0,'", '--weights', 'x', '--list', '--axes', 'a=>0,'],
    ['--to: --list writes nothing', '--weights', 'x', '--list', '--to', 'y'],
    ["--to: wanted .pixelcnn, .safetensors, .npz or a directory, got 'y.h5'", '--model', 'x', '--to', 'y.h5'],
    ['--to: wanted NAME.pixelcnn, which is all that a .pixelcnn becomes', '--model', 'x.pixelcnn', '--to', 'y'],
    ['--precision: comes with --to NAME.pixelcnn', '--model', 'x', '--to', 'y', '--precision', 'float16'],
  ]; // biome-ignore format: one case a line
  itRefuses(refusals.map(([answer, ...flags]) => [answer, ['convert.mjs', ...flags]] as const));
});
