import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import {
  type AutoregressiveModel,
  gatedPixelCNN,
  initializeFromData,
  logProb,
  normalize,
  pixelCNN,
  pixelCNNPlusPlus,
} from 'pixelcnn-layers';
import {
  loadWeights,
  type NamedTensor,
  readSafetensors,
  saveWeights,
  writeSafetensors,
} from 'pixelcnn-layers/weights';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { largestDifference, take } from '../support/tensors';
import { findPython } from './python';
import type { Ended } from './run-script';

const python = findPython();

let directory: string;
beforeAll(async () => {
  await useBackend('cpu');
  directory = await mkdtemp(join(tmpdir(), 'pytorch-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Starts Python, with one thread. */
function start(args: readonly string[], stdin = '') {
  const env = { ...process.env, OMP_NUM_THREADS: '1' };
  const program = spawn(python as string, ['-B', ...args], { env });
  const output = { stdout: '', stderr: '' };
  program.stdout.on('data', (text) => (output.stdout += text));
  program.stderr.on('data', (text) => (output.stderr += text));
  program.stdin.end(stdin);
  const ended = new Promise<Ended>((resolve) => {
    program.once('close', (code) => resolve({ code, ...output }));
  });
  return { program, ended };
}

const factories = { pixelCNN, gatedPixelCNN, pixelCNNPlusPlus } as const;
const gray = { imageShape: [8, 8, 1], levels: 5, hiddenDim: 4, outDim: 6, numBlocks: 2, firstKernelSize: 5 };
const colour = { ...gray, imageShape: [5, 7, 3], hiddenDim: 2, levels: 256 };
const plusPlus = { imageShape: [8, 8, 1], levels: 17, filters: 6, numResnets: 1, components: 3 };

/** Networks of every family, by what they are: the factory, and its arguments. */
const networks: readonly (readonly [string, keyof typeof factories, object])[] = [
  ['plain', 'pixelCNN', gray],
  ['plain, RGB, kernels that are not square', 'pixelCNN', { ...colour, firstKernelSize: [3, 7], kernelSize: [1, 3] }],
  ['plain, RGB, one-hot levels', 'pixelCNN', { ...colour, levels: 4, input: 'oneHot' }],
  ['plain, RGB, embedded levels, mixture', 'pixelCNN', { ...colour, input: { embedding: 2 }, output: { components: 3 } }],
  ['gated', 'gatedPixelCNN', gray],
  ['gated, no blocks', 'gatedPixelCNN', { ...gray, numBlocks: 0 }],
  ['gated, RGB, classes, kernels that are not square', 'gatedPixelCNN', { ...colour, levels: 8, numClasses: 4, firstKernelSize: [5, 3] }],
  ['gated, mixture', 'gatedPixelCNN', { ...gray, output: { components: 4 } }],
  ['++, gray', 'pixelCNNPlusPlus', plusPlus],
  ['++, RGB, classes', 'pixelCNNPlusPlus', { ...plusPlus, imageShape: [8, 12, 3], levels: 256, numResnets: 2, numClasses: 3 }],
  ['++, two channels', 'pixelCNNPlusPlus', { ...plusPlus, imageShape: [4, 4, 2], levels: 2 }],
  ['++, RGB, softmax', 'pixelCNNPlusPlus', { ...plusPlus, imageShape: [4, 8, 3], levels: 6, output: 'softmax' }],
]; // biome-ignore format: one network a line

const make = (factory: keyof typeof factories, args: object) =>
  (factories[factory] as (args: object) => AutoregressiveModel)(args);

const tensorOf = (data: Float32Array | Int32Array, shape: readonly number[]): NamedTensor => ({
  dtype: data instanceof Int32Array ? 'I32' : 'F32',
  shape,
  data,
});

/** What the library says of some levels: outputs, and -log p of each value. */
async function evaluate(model: AutoregressiveModel, levels: tf.Tensor4D, classes?: number[]) {
  const inputs: tf.Tensor[] = [normalize(levels, model.levels)];
  if (classes !== undefined) inputs.push(tf.tensor2d(classes, [classes.length, 1], 'int32'));
  const outputs = await take(model.predict(inputs.length > 1 ? inputs : (inputs[0] as tf.Tensor)) as tf.Tensor);
  const options = { perValue: true, ...(classes !== undefined && { condition: classes }) };
  const logProbs = await take(await logProb(model, levels, options));
  tf.dispose(inputs);
  return { outputs, nats: logProbs.map((value) => -value) };
} // biome-ignore format: one call a line

describe.skipIf(python === null)('the networks of examples/pytorch', () => {
  const images = 3;
  let ended: Ended;
  const models = new Map<string, AutoregressiveModel>();
  const inputs = new Map<string, { levels: tf.Tensor4D; classes?: number[] }>();
  const folderOf = (name: string) => join(directory, name.replace(/\W+/g, '-'));

  beforeAll(async () => {
    for (const [i, [name, factory, args]] of networks.entries()) {
      const model = make(factory, { ...args, seed: i });
      // Biases too are to be something.
      tf.tidy(() => {
        const noise = (weight: tf.Tensor, j: number) => tf.randomNormal(weight.shape, 0, 0.1, 'float32', 99 * i + j);
        model.setWeights(model.getWeights().map((weight, j) => tf.add(weight, noise(weight, j))));
      });
      models.set(name, model);
      const { numClasses } = args as { numClasses?: number };
      const shape = [images, ...(model.imageShape as [number, number, number])] as [number, number, number, number];
      const levels = tf.randomUniform(shape, 0, model.levels, 'int32', i) as tf.Tensor4D;
      const classes = numClasses === undefined ? undefined : Array.from({ length: images }, (_, n) => n % numClasses);
      inputs.set(name, { levels, ...(classes && { classes }) });
      const given = saveWeights(model, { to: 'pytorch' });
      given.set('levels', tensorOf((await levels.data()) as Int32Array, shape));
      if (classes) given.set('classes', tensorOf(Int32Array.from(classes), [images]));
      await mkdir(folderOf(name));
      await writeFile(join(folderOf(name), 'given.safetensors'), writeSafetensors(given));
    }
    const jobs = networks.map(([name, model, args]) => ({ model, args, directory: folderOf(name), fromData: name === '++, RGB, classes' }));
    const script = fileURLToPath(new URL('twin.py', import.meta.url));
    ended = await start([script], JSON.stringify(jobs)).ended;
  }); // biome-ignore format: one call a line

  it('give probabilities that sum to 1, and gradients, also where parameters are far out', () => {
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    for (const { miss, hasGradients } of JSON.parse(ended.stdout)) {
      expect(miss).toBeLessThan(2e-5);
      expect(hasGradients).toBe(true);
    }
  });

  it.each(networks)('say what the library says, with weights that go either way: %s', async (name, factory, args) => {
    const read = async (file: string) => readSafetensors(await readFile(join(folderOf(name), `${file}.safetensors`)));
    const theirs = await read('outputs');
    const numbers = (tensor: string) => theirs.get(tensor)?.data as Float32Array;
    const { levels, classes } = inputs.get(name) as { levels: tf.Tensor4D; classes?: number[] };
    const expectSame = async (model: AutoregressiveModel, prefix: string) => {
      const ours = await evaluate(model, levels, classes);
      expect(largestDifference(ours.outputs, numbers(`${prefix}outputs`))).toBeLessThan(1e-4);
      expect(largestDifference(ours.nats, numbers(`${prefix}nats`))).toBeLessThan(1e-4);
      return ours;
    };
    const ours = await expectSame(models.get(name) as AutoregressiveModel, '');
    expect(Math.max(...ours.outputs.map(Math.abs))).toBeGreaterThan(0.1); // it is about something
    const other = make(factory, args);
    loadWeights(other, await read('twin'), { from: 'pytorch' });
    const twin = await expectSame(other, 'own_');
    expect(largestDifference(twin.nats, ours.nats)).toBeGreaterThan(0.01); // and about other weights
  }); // biome-ignore format: one call a line

  it.each(networks)('begin with weights as large as those of the library: %s', async (name, factory, args) => {
    const size = (data: Float32Array) => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
    const theirs = readSafetensors(await readFile(join(folderOf(name), 'initial.safetensors')));
    let compared = 0;
    for (const [weight, { data }] of saveWeights(make(factory, { ...args, seed: 7 }), { to: 'pytorch' })) {
      const [ours, other] = [data, theirs.get(weight)?.data].map((numbers) => size(numbers as Float32Array)) as [number, number];
      if (data.byteLength < 4 * 150 && !weight.endsWith('gain') && !weight.endsWith('bias')) continue; // too few to tell
      if (ours === 0) expect(other).toBe(0);
      else expect(Math.abs(Math.log(other / ours))).toBeLessThan(weight.endsWith('gain') ? 1e-6 : 0.2);
      compared++;
    }
    expect(compared).toBeGreaterThan(5);
  }); // biome-ignore format: one call a line

  it('begin from data as the library does', async () => {
    const name = '++, RGB, classes';
    const model = models.get(name) as AutoregressiveModel;
    const { levels, classes } = inputs.get(name) as { levels: tf.Tensor4D; classes: number[] };
    await initializeFromData(model, levels, { condition: classes });
    const theirs = readSafetensors(await readFile(join(folderOf(name), 'begun.safetensors')));
    for (const [weight, { data }] of saveWeights(model, { to: 'pytorch' })) {
      expect(largestDifference(data as Float32Array, theirs.get(weight)?.data as Float32Array)).toBeLessThan(1e-3);
    }
  }); // biome-ignore format: one call a line
});
