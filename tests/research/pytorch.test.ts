import { spawn, spawnSync } from 'node:child_process';
import { on } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import {
  type AutoregressiveModel,
  type BlockArgs,
  type Condition,
  gatedPixelCNN,
  gatedResBlock,
  imageGPT,
  initializeFromData,
  logProb,
  maskedConv2d,
  normalize,
  pixelCNN,
  pixelCNNPlusPlus,
  pixelSNAIL,
  type SymmetricModel,
  sample,
} from 'pixelcnn-layers';
import type { ImageSet } from 'pixelcnn-layers/data';
import { loadWeights, readSafetensors, saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readDataset } from '../../kit/data/datasets.mjs';
import { holdOut } from '../../kit/data/hold-out.mjs';
import { loadPyTorchRun } from '../../kit/models/pytorch-run.mjs';
import { loadImageModel } from '../../kit/models/saved-model.mjs';
import { npyOf } from '../../kit/weights/npy.mjs';
import { flagsOf, readRecipes } from '../../scripts/lib/recipes.mjs';
import { orientationsOf, oriented } from '../../src/runtime/core/symmetries';
import type { Ended } from '../examples/run-script';
import { useBackend } from '../support/backends';
import { temporaryFolder } from '../support/node/temporary-folder';
import { PATIENCE } from '../support/patience.mjs';
import { largestDifference, take } from '../support/tensors';
import { findPython } from './python';

const root = fileURLToPath(new URL('../..', import.meta.url));
const python = findPython();
const directory = temporaryFolder();
beforeAll(async () => {
  await useBackend('cpu');
});

/** Starts Python, with one thread. */
function start(args: readonly string[], stdin: string | null = '') {
  const env = { ...process.env, OMP_NUM_THREADS: '1' };
  const program = spawn(python as string, ['-B', ...args], { env, timeout: 300_000 });
  const output = { stdout: '', stderr: '' };
  program.stdout.on('data', (text) => (output.stdout += text));
  program.stderr.on('data', (text) => (output.stderr += text));
  if (stdin !== null) program.stdin.end(stdin);
  const ended = new Promise<Ended>((resolve) => {
    program.once('close', (code) => resolve({ code, ...output }));
  });
  return { program, ended };
}

/** The process in which runs of train.py that nothing stops go in turn: most of the time of a short one is that of loading PyTorch. */
let inTurn: ReturnType<typeof start>['program'] | undefined;
afterAll(() => inTurn?.stdin.end());

/** Runs train.py to its end; what it printed. */
async function runToEnd(flags: readonly string[]): Promise<Ended> {
  inTurn ??= start([fileURLToPath(new URL('train-in-turn.py', import.meta.url))], null).program;
  inTurn.stdin.write(`${JSON.stringify(flags)}\n`);
  let answer = '';
  for await (const part of on(inTurn.stdout, 'data', { close: ['end'] })) {
    answer += part;
    if (answer.endsWith('\n')) break;
  }
  return JSON.parse(answer);
}

const factories = { pixelCNN, gatedPixelCNN, pixelCNNPlusPlus, pixelSNAIL, imageGPT } as const;
const gray = { imageShape: [8, 8, 1], levels: 5, hiddenDim: 4, outDim: 6, numBlocks: 2, firstKernelSize: 5 };
const colour = { ...gray, imageShape: [5, 7, 3], hiddenDim: 2, levels: 256 };
const plusPlus = { imageShape: [8, 8, 1], levels: 17, filters: 6, numResnets: 1, output: { components: 3 } };
const snail = { imageShape: [6, 4, 1], levels: 5, filters: 8, heads: 2, numBlocks: 2, numResBlocks: 1, resFilters: 6 };
const gpt = { imageShape: [4, 6, 1], levels: 5, width: 12, heads: 3, layers: 2 };

/** Networks of every family, by what they are: the factory, and its arguments. */
const networks: readonly (readonly [string, keyof typeof factories, object])[] = [
  ['plain', 'pixelCNN', gray],
  ['plain, RGB, kernels that are not square', 'pixelCNN', { ...colour, firstKernelSize: [3, 7], kernelSize: [1, 3] }],
  ['plain, RGB, one-hot levels', 'pixelCNN', { ...colour, levels: 4, input: 'oneHot' }],
  ['plain, RGB, embedded levels, mixture', 'pixelCNN', { ...colour, input: { embedding: 2 }, output: { components: 3 } }],
  ['gated', 'gatedPixelCNN', gray],
  ['gated, no blocks', 'gatedPixelCNN', { ...gray, numBlocks: 0 }],
  ['gated, RGB, classes, kernels that are not square', 'gatedPixelCNN', { ...colour, levels: 8, numClasses: 4, firstKernelSize: [5, 3] }],
  ['plain, RGB, Gaussians, dilated', 'pixelCNN', { ...colour, levels: 8, output: 'gaussian', dilationRate: [1, 2] }],
  ['gated, mixture, dilated', 'gatedPixelCNN', { ...gray, output: { components: 4 }, dilationRate: [2, 3] }],
  ['plain, shifted and dilated blocks', 'pixelCNN', { ...gray, block: { shift: 'downRight', dilationRate: [1, 2] } }],
  ['plain, groups', 'pixelCNN', { ...gray, block: { groups: 4 } }],
  ['plain, RGB, groups, dilated', 'pixelCNN', { ...colour, block: { groups: 2, dilationRate: 2 } }],
  ['plain, depthwise', 'pixelCNN', { ...gray, block: { groups: 8 } }],
  ['plain, RGB, depthwise', 'pixelCNN', { ...colour, block: { groups: 4 } }],
  ['++, gray', 'pixelCNNPlusPlus', plusPlus],
  ['++, RGB, classes', 'pixelCNNPlusPlus', { ...plusPlus, imageShape: [8, 12, 3], levels: 256, numResnets: 2, numClasses: 3 }],
  ['++, two channels', 'pixelCNNPlusPlus', { ...plusPlus, imageShape: [4, 4, 2], levels: 2 }],
  ['++, RGB, softmax', 'pixelCNNPlusPlus', { ...plusPlus, imageShape: [4, 8, 3], levels: 6, output: 'softmax' }],
  ['++, two channels, Gaussians', 'pixelCNNPlusPlus', { ...plusPlus, imageShape: [4, 4, 2], output: 'gaussian' }],
  ['PixelSNAIL', 'pixelSNAIL', { ...snail, numResBlocks: 2, outResBlocks: 1 }],
  ['PixelSNAIL, RGB, mixture, kernels of 5', 'pixelSNAIL', { ...snail, imageShape: [5, 6, 3], levels: 256, kernelSize: 5, input: 'scaled', output: { components: 2 } }],
  ['PixelSNAIL, two channels, embedded levels, no attention', 'pixelSNAIL', { ...snail, imageShape: [4, 4, 2], attention: false, input: { embedding: 3 } }],
  ['PixelSNAIL, no residual blocks', 'pixelSNAIL', { ...snail, numResBlocks: 0, heads: 1 }],
  ['PixelSNAIL, codes', 'pixelSNAIL', { ...snail, codeCondition: { levels: 7, shape: [3, 2], resBlocks: 2, resFilters: 4 } }],
  ['PixelSNAIL, class, vector, codes', 'pixelSNAIL', { ...snail, numClasses: 3, nullClass: true, conditionSize: 2, codeCondition: { levels: 3, shape: [2, 4], resBlocks: 1, resFilters: 5, kernelSize: 5 } }],
  ['Image GPT', 'imageGPT', gpt],
  ['Image GPT as published', 'imageGPT', { ...gpt, norm: 'rms', activation: 'quickGelu' }],
  ['Image GPT, class, vector, residual normalized', 'imageGPT', { ...gpt, residual: 'normalized', numClasses: 3, nullClass: true, conditionSize: 2 }],
]; // biome-ignore format: one network a line

/** A block that twin.py makes too: that of PixelCNN++ if there is a shift, else a single convolution. */
const blockOf = ({ shift, ...own }: { shift?: 'downRight' }) => ({ filters, imageChannels, kernelSize, name, seed }: BlockArgs) => {
  const args = { ...own, filters: 2 * filters, name, seed };
  return shift ? gatedResBlock({ ...args, shift, weightNormalization: true }) : maskedConv2d({ ...args, imageChannels, kernelSize });
}; // biome-ignore format: a line for each part
const make = (factory: keyof typeof factories, { block, ...args }: { block?: object; seed?: number }) =>
  (factories[factory] as (args: object) => AutoregressiveModel)({ ...args, ...(block && { block: blockOf(block) }) });

/** Levels [N,H,W,C], and what they are conditioned on, each as a graph takes it, in its order. */
interface Given {
  levels: tf.Tensor4D;
  conditions: { class?: tf.Tensor2D; vector?: tf.Tensor2D; codes?: tf.Tensor4D };
}

/** Conditions for a network of these arguments, [N,1], [N,K] and [N,h,w,1]. */
function conditionsOf(args: object, images: number, seed: number): Given['conditions'] {
  const { numClasses, conditionSize, codeCondition } = args as { numClasses?: number; conditionSize?: number; codeCondition?: { levels: number; shape: [number, number] } };
  return {
    ...(numClasses && { class: tf.tensor2d(Array.from({ length: images }, (_, n) => n % numClasses), [images, 1], 'int32') }),
    ...(conditionSize && { vector: tf.randomNormal<tf.Rank.R2>([images, conditionSize], 0, 1, 'float32', seed) }),
    ...(codeCondition && { codes: tf.randomUniform<tf.Rank.R4>([images, ...codeCondition.shape, 1], 0, codeCondition.levels, 'int32', seed) }),
  };
} // biome-ignore format: one condition a line

/** By the names of the library's functions: one condition is itself. */
const conditionFor = (conditions: Given['conditions']): { condition?: Condition } => {
  const all = Object.values(conditions);
  return all.length === 0 ? {} : { condition: all.length === 1 ? (all[0] as tf.Tensor) : conditions };
};

/** What the library says of some levels: outputs, and -log p of each value. */
async function evaluate(model: AutoregressiveModel, { levels, conditions }: Given) {
  const image = normalize(levels, model.levels);
  const inputs = [image, ...Object.values(conditions)];
  const outputs = await take(model.predict(inputs.length > 1 ? inputs : image) as tf.Tensor);
  const logProbs = await take(await logProb(model, levels, { perValue: true, ...conditionFor(conditions) }));
  image.dispose();
  return { outputs, nats: logProbs.map((value) => -value) };
}

describe.skipIf(python === null)('the networks of research/pytorch', () => {
  const images = 3;
  /** Those that begin from data too. */
  const begun = ['++, RGB, classes', 'PixelSNAIL, class, vector, codes'];
  let ended: Ended;
  const models = new Map<string, AutoregressiveModel>();
  const inputs = new Map<string, Given>();
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
      const shape = [images, ...(model.imageShape as [number, number, number])] as [number, number, number, number];
      const levels = tf.randomUniform(shape, 0, model.levels, 'int32', i) as tf.Tensor4D;
      const conditions = conditionsOf(args, images, i);
      inputs.set(name, { levels, conditions });
      const given = saveWeights(model, { to: 'pytorch' });
      given.set('levels', { dtype: 'I32', shape, data: (await levels.data()) as Int32Array });
      for (const [kind, twin] of [['class', 'classes'], ['vector', 'vectors'], ['codes', 'codes']] as const) {
        const one = conditions[kind];
        const twinShape = kind === 'vector' ? one?.shape : one?.shape.slice(0, -1);
        if (one && twinShape) given.set(twin, { dtype: kind === 'vector' ? 'F32' : 'I32', shape: twinShape, data: (await one.data()) as Float32Array });
      }
      await mkdir(folderOf(name));
      await writeFile(join(folderOf(name), 'given.safetensors'), writeSafetensors(given));
    }
    const jobs = networks.map(([name, model, args]) => ({ model, args, directory: folderOf(name), fromData: begun.includes(name) }));
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
    const expectSame = async (model: AutoregressiveModel, prefix: string) => {
      const ours = await evaluate(model, inputs.get(name) as Given);
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

  it.each(begun)('begin from data as the library does: %s', async (name) => {
    const model = models.get(name) as AutoregressiveModel;
    const { levels, conditions } = inputs.get(name) as Given;
    await initializeFromData(model, levels, conditionFor(conditions));
    const theirs = readSafetensors(await readFile(join(folderOf(name), 'begun.safetensors')));
    for (const [weight, { data }] of saveWeights(model, { to: 'pytorch' })) {
      expect(largestDifference(data as Float32Array, theirs.get(weight)?.data as Float32Array)).toBeLessThan(1e-3);
    }
  }); // biome-ignore format: one call a line
});

const script = fileURLToPath(new URL('../../research/pytorch/train.py', import.meta.url));
/** For Debian 12, whose PyTorch 1.13 under Python 3.11 cannot start processes without a redirection: of one that there is not. */
const NO_REDIRECTION = '--redirects 9:1 --tee 9:1';
const SIZES = '--blocks 1 --hidden 4 --out-dim 4 --first-kernel 3 --batch 9 --every 5 --eval-images 21 --clip 1 --average 0.9';
const small = `--data digits --model gated --conditional ${SIZES}`.split(' ');
const readWeights = async (out: string, file = 'weights') => readSafetensors(await readFile(join(out, `${file}.safetensors`)));
const readJson = async (out: string, file: string) => JSON.parse(await readFile(join(out, file), 'utf8'));

/** A line of a run; where validation images judge it, the last one has only the best step and the test images' figure. */
interface Evaluation {
  step: number;
  trainBits: number;
  testBits: number;
  validationBits: number;
  best?: number;
}

/** What a run has written of itself, without the time that it took. */
async function evaluations(out: string): Promise<Pick<Evaluation, 'step' | 'trainBits' | 'testBits'>[]> {
  const all: Evaluation[] = await readJson(out, 'metrics.json');
  return all.map(({ step, trainBits, testBits }) => ({ step, trainBits, testBits }));
}

/** Bits per dimension of the first images of a set, given their labels or another condition. */
async function bitsOf(model: AutoregressiveModel, images: Omit<ImageSet, 'levels'>, count = images.shape[0], condition?: Condition) {
  const { data, labels, shape } = images;
  const values = count * (data.length / shape[0]);
  const levels = tf.tensor4d(Array.from(data.slice(0, values)), [count, shape[1], shape[2], shape[3]], 'int32');
  const given = condition ?? (labels && model.condition && Array.from(labels.slice(0, count)));
  const nats = await take(await logProb(model, levels, given ? { condition: given } : {}));
  return -nats.reduce((sum, value) => sum + value, 0) / (values * Math.LN2);
}

/** Trains on arrays, each by the end of its files' names, the same for training and test: the folders of data and run, and the last figure. */
async function trainedOn(name: string, arrays: Record<string, [data: Uint8Array, shape: number[]]>, flags: string) {
  const [folder, out] = [join(directory, name), join(directory, `${name}-run`)];
  await mkdir(folder);
  for (const [kind, [data, shape]] of Object.entries(arrays))
    for (const part of ['train', 'test']) await writeFile(join(folder, `${part}${kind}.npy`), npyOf(data, shape));
  expect(await runToEnd(['--data', 'npy', '--path', folder, '--out', out, ...flags.split(' ')])).toMatchObject({ code: 0 });
  return { folder, out, testBits: (await evaluations(out)).at(-1)?.testBits as number };
}

const testBitsIn = (text: string) => Number(/test bits\/dim: ([\d.]+)/.exec(text)?.[1]);

describe.skipIf(python === null)('train.py', () => {
  let [killed, straight, shared, steps] = ['', '', '', 0];

  beforeAll(async () => {
    [killed, straight, shared] = ['killed', 'straight', 'shared'].map((name) => join(directory, name)) as [string, string, string];
    const { program, ended } = start([script, ...small, '--steps', '1000000', '--out', killed]);
    const hasBegun = () => existsSync(join(killed, 'checkpoint.safetensors')) || program.exitCode !== null;
    await vi.waitUntil(hasBegun, { timeout: PATIENCE, interval: 5 });
    if (program.exitCode !== null) throw new Error((await ended).stderr);
    program.kill('SIGKILL');
    await ended;
    await writeFile(join(killed, 'weights.safetensors.77.tmp'), 'half a fi'); // as a kill may leave it
    steps = ((await evaluations(killed)).at(-1) as Evaluation).step + 12;
    expect(await runToEnd([...small, '--steps', String(steps), '--out', straight])).toMatchObject({ code: 0 });
  });

  it('goes on after a kill, with the same weights to the bit', async () => {
    const { code, stdout } = await runToEnd(['--resume', '--out', killed, '--steps', String(steps)]);
    expect(stdout).toMatch(/from step [1-9]/);
    expect(code).toBe(0);
    expect(await readWeights(killed)).toEqual(await readWeights(straight));
    expect(await readWeights(killed, 'average')).toEqual(await readWeights(straight, 'average'));
    expect(await evaluations(killed)).toEqual(await evaluations(straight));
    expect((await readdir(killed)).sort()).toEqual((await readdir(straight)).sort());
  });

  it('gives in two processes, which share each batch, what it gives in one', async () => {
    const launch = `-m torch.distributed.run --standalone --nproc_per_node 2 --monitor_interval 0.1 ${NO_REDIRECTION}`;
    const flags = [...small, '--steps', String(steps), '--out', shared];
    const { code, stdout } = await start([...launch.split(' '), script, ...flags]).ended;
    expect(stdout).toContain('2 x cpu');
    expect(code).toBe(0);
    for (const file of ['weights', 'average']) {
      const alone = await readWeights(straight, file);
      const together = await readWeights(shared, file);
      expect([...together.keys()].sort()).toEqual([...alone.keys()].sort());
      for (const [name, { data }] of alone) {
        expect(largestDifference(data as Float32Array, together.get(name)?.data as Float32Array)).toBeLessThan(1e-5);
      }
    }
    const [one, two] = [await evaluations(straight), await evaluations(shared)];
    expect(two).toHaveLength(one.length);
    for (const [i, { step, trainBits, testBits }] of one.entries()) {
      expect(two[i]?.step).toBe(step);
      expect(two[i]?.trainBits).toBeCloseTo(trainBits, 4);
      expect(two[i]?.testBits).toBeCloseTo(testBits, 4);
    }
  });

  it('gives weights that the library loads, scores and draws with', async () => {
    const { model: factory, args } = await readJson(straight, 'network.json');
    const model = make(factory, args);
    const began = saveWeights(model, { to: 'pytorch' });
    loadWeights(model, await readWeights(straight, 'average'), { from: 'pytorch' });
    expect(saveWeights(model, { to: 'pytorch' })).not.toEqual(began);
    const { testBits } = (await evaluations(straight)).at(-1) as Evaluation;
    expect(await bitsOf(model, (await readDataset('digits')).test, 21)).toBeCloseTo(testBits, 4);
    expect(testBits).toBeLessThan(4.05); // it began at log2 of 17 levels, 4.09
    const drawn = await sample(model, { numImages: 2, condition: [3, 8], seed: 1 });
    expect(drawn.shape).toEqual([2, 8, 8, 1]);
    expect(new Set(await take(drawn)).size).toBeGreaterThan(5);
  });

  it('keeps the best weights by images that it holds out as train.mjs does, and leaves the test images for the end', async () => {
    const out = join(directory, 'validated');
    const flags = [...small, '--validation', '150', '--learning-rate', '1', '--average', '0', '--every', '2'];
    const { stdout } = await runToEnd([...flags, '--steps', '20', '--out', out]);
    const all: Evaluation[] = await readJson(out, 'metrics.json');
    const [metrics, last] = [all.slice(0, -1), all.at(-1)];
    const figures = metrics.map(({ validationBits }) => validationBits);
    const best = Math.min(...figures);
    expect(last?.best).toBe(metrics[figures.indexOf(best)]?.step);
    expect(figures.at(-1)).toBeGreaterThan(best); // steps this large do not only improve it
    const model = await loadPyTorchRun(out);
    const { train, test } = await readDataset('digits');
    expect(await bitsOf(model, holdOut(train, 150)[1] as ImageSet, 21)).toBeCloseTo(best, 4);
    expect(stdout).toMatch(/test bits\/dim: .*best\.safetensors/);
    expect(await bitsOf(model, test)).toBeCloseTo(last?.testBits ?? 0, 4); // of all, whatever --eval-images says
    expect(testBitsIn(stdout)).toBeCloseTo(last?.testBits ?? 0, 3);
  });

  it('shows a background model other random values of each image in each epoch, and the same at the same step', async () => {
    const program = [
      'import json, sys, numpy as np',
      `sys.path.insert(0, ${JSON.stringify(dirname(script))})`,
      'from data import Images',
      'from train import batch_of',
      "images, run = Images(np.zeros((90, 8, 8, 1), np.uint8), 5), {'seed': 1, 'orientations': None, 'mutate': 0.25}",
      'one, same, two = (batch_of(images, step, 90, run).levels for step in (0, 0, 1))',
      'print(json.dumps([np.bincount(one.ravel()).tolist(), bool((one == same).all()), float(((one > 0) & (two > 0)).mean()), int(images.levels.max())]))',
    ].join('\n');
    const { stdout, stderr } = await start(['-c', program]).ended;
    expect(stderr).toBe('');
    const [counts, isSame, inBoth, untouched] = JSON.parse(stdout);
    // 5,760 values, of which a quarter is one of five levels: 288 of each, with a standard deviation of 17.
    expect(counts).toHaveLength(5);
    for (const count of counts.slice(1)) expect(Math.abs(count - 288)).toBeLessThan(4 * 17);
    expect(isSame).toBe(true);
    expect(Math.abs(inBoth - 0.2 ** 2)).toBeLessThan(4 * Math.sqrt(0.04 / 5760)); // as of independent draws
    expect(untouched).toBe(0);
  });

  it('trains in bfloat16, and chooses by the validation images of a set that has its own', async () => {
    const [path, out] = [join(directory, 'binarized'), join(directory, 'of-bits')];
    await mkdir(path);
    for (const [part, count] of [['train', 5], ['valid', 3], ['test', 4]] as const) {
      const bits = Array.from({ length: 784 * count }, (_, i) => Number((i * i + (i >> 5)) % 7 < count));
      await writeFile(join(path, `binarized_mnist_${part}.amat`), bits.join(' '));
    } // biome-ignore format: one list
    const flags = '--model gated --blocks 1 --hidden 4 --out-dim 4 --batch 4 --steps 6 --every 2 --eval-images 2 --average 0.5 --bfloat16';
    const data = ['--data', 'binarized-mnist', '--path', path];
    const { code, stdout, stderr } = await runToEnd([...data, ...flags.split(' '), '--out', out]);
    expect(code, stderr).toBe(0);
    const all: Evaluation[] = await readJson(out, 'metrics.json');
    const metrics = all.slice(0, -1);
    expect(metrics).toHaveLength(3);
    const model = await loadPyTorchRun(out);
    const { validation, test } = await readDataset('binarized-mnist', { path });
    const best = Math.min(...metrics.map(({ validationBits }) => validationBits));
    expect(await bitsOf(model, validation as ImageSet, 2)).toBeCloseTo(best, 4); // evaluation is in float32
    const whole = join(directory, 'of-bits-in-float32');
    await runToEnd([...data, ...flags.replace(' --bfloat16', '').split(' '), '--out', whole]);
    const [, there] = (await readJson(whole, 'metrics.json')) as Evaluation[];
    expect(metrics[1]?.validationBits).not.toBe(there?.validationBits);
    expect(metrics[1]?.validationBits).toBeCloseTo(there?.validationBits ?? 0, 1);
    expect(await bitsOf(model, test)).toBeCloseTo(testBitsIn(stdout), 2);
  });

  it('reads the flags of every recipe in the docs', async () => {
    const recipes = (await readRecipes()).filter(({ program }) => program === 'pytorch/train.py');
    expect(recipes.length).toBeGreaterThan(7);
    const program = `import json, sys
sys.path.insert(0, ${JSON.stringify(join(root, 'research/pytorch'))})
from flags import read_flags
for flags in json.load(sys.stdin): read_flags(flags)`;
    const ended = await start(['-c', program], JSON.stringify(recipes.map(({ settings, program }) => flagsOf(settings, program)))).ended;
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('knows all classes, also those that are held out whole', async () => {
    const out = join(directory, 'held-out');
    const flags = [...small, '--validation', '1495', '--steps', '1'];
    await runToEnd([...flags, '--out', out]);
    expect((await readJson(out, 'network.json')).args.numClasses).toBe(10);
  });

  it('begins with weights of the library, and says whose it wrote', async () => {
    const [out, file] = [join(directory, 'begun'), join(directory, 'library.safetensors')];
    const given = pixelCNNPlusPlus({ imageShape: [16, 16, 3], filters: 2, numResnets: 1, output: { components: 2 } });
    await writeFile(file, writeSafetensors(saveWeights(given, { to: 'pytorch' })));
    const flags = '--data emoji --model plus-plus --filters 2 --resnets 1 --output mixture:2 --dropout 0.5 --batch 2 --eval-images 2';
    const begun = ['--steps', '1', '--learning-rate', '1e-7', '--weights', file, '--out', out];
    expect(await runToEnd([...flags.split(' '), ...begun])).toMatchObject({ code: 0 });
    const after = await readWeights(out);
    for (const [name, { data }] of saveWeights(given, { to: 'pytorch' })) {
      expect(largestDifference(data as Float32Array, after.get(name)?.data as Float32Array)).toBeLessThan(1e-6);
    }
    const bytes = await readFile(join(out, 'average.safetensors'));
    const { __metadata__ } = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))));
    expect(__metadata__).toMatchObject({ model: 'pixelCNNPlusPlus', step: '1', data: 'emoji' });
    expect(JSON.parse(__metadata__.args)).toEqual((await readJson(out, 'network.json')).args);
  });

  it('trains PixelSNAIL on codes, given coarser ones, into a model of the library', async () => {
    const images = 16;
    const coarse = Uint8Array.from({ length: images * 6 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 30); // [N,2,3]
    const fine = Uint8Array.from({ length: images * 24 }, (_, i) => {
      const [n, row, column] = [Math.floor(i / 24), Math.floor(i / 6) % 4, i % 6];
      return coarse[6 * n + 3 * (row >> 1) + (column >> 1)] as number; // the nearest
    }); // [N,4,6]
    const flags =
      '--levels 4 --codes 4 --model pixelsnail --filters 8 --heads 2 --blocks 1 --res-blocks 1 --res-filters 8 --code-blocks 1 --code-filters 8 --batch 8 --steps 20 --learning-rate 1e-2 --average 0.5';
    const { out, testBits } = await trainedOn('two-maps', { '': [fine, [images, 4, 6]], '-codes': [coarse, [images, 2, 3]] }, flags);
    const model = await loadPyTorchRun(out);
    const codes = tf.tensor3d(Int32Array.from(coarse), [images, 2, 3], 'int32');
    expect(await bitsOf(model, { data: fine, shape: [images, 4, 6, 1] }, images, codes)).toBeCloseTo(testBits, 4);
    expect(testBits).toBeLessThan(0.1); // without the codes 0.5: 2 bits for 4 pixels
  });

  it.each(['gated --hidden 16 --out-dim 16 --blocks 1', 'plus-plus --output softmax --filters 8 --resnets 1'])('trains a network on vectors: %s', async (network) => {
    const images = 16;
    const vectors = Uint8Array.from({ length: images * 3 }, (_, i) => i % 3 === Math.floor(i / 3) % 3 ? 1 : 0); // [N,3], a one among zeros
    const pixels = Uint8Array.from({ length: images * 16 }, (_, i) => (i % 16) % 3 === Math.floor(i / 16) % 3 ? 1 : 0); // [N,4,4], which that tells
    const flags = `--model ${network} --vectors --batch 16 --steps 40 --learning-rate 2e-2 --average 0.5`;
    const { folder, out, testBits } = await trainedOn(`vectors-${network.split(' ')[0]}`, { '': [pixels, [images, 4, 4]], '-vectors': [vectors, [images, 3]] }, flags);
    const model = await loadPyTorchRun(out);
    const given = tf.tensor2d(Float32Array.from(vectors), [images, 3]);
    expect(await bitsOf(model, { data: pixels, shape: [images, 4, 4, 1] }, images, given)).toBeCloseTo(testBits, 4);
    expect(testBits).toBeLessThan(0.05); // without the vectors at least 0.1: log2(3) bits for 16 pixels
    await writeFile(join(folder, 'train-vectors.npy'), npyOf(vectors.map((value) => 1 - value), [images, 3]));
    expect((await runToEnd(['--resume', '--out', out])).stderr).toContain('differs from the data that the run began with');
  }); // biome-ignore format: one call a line

  it('trains a network of classes and orientations, which it numbers as the library does', async () => {
    const patterns = [0, 1].map((label) => Int32Array.from({ length: 16 }, (_, i) => Math.imul(16 * label + i + 1, 2654435761) >>> 30)); // [4,4] of each class
    const labels = Uint8Array.from({ length: 32 }, (_, n) => n % 2);
    const pixels = Uint8Array.from([...labels].flatMap((label) => [...(patterns[label] as Int32Array)]));
    const flags = '--levels 4 --model gated --conditional --orientations 8 --blocks 1 --hidden 16 --out-dim 16 --batch 32 --steps 200 --learning-rate 1e-2 --average 0.5';
    const { out, testBits } = await trainedOn('turned', { '': [pixels, [32, 4, 4]], '-labels': [labels, [32]] }, flags);
    const { model, orientations } = await loadImageModel(out);
    const elements = orientationsOf((orientations as SymmetricModel).symmetry.symmetries);
    expect(elements).toHaveLength(8);
    // Each pattern in each orientation, of which the network knows all once it is told which.
    const turned = patterns.map((pattern) => oriented(Int32Array.from(elements.flatMap(() => [...pattern])), [4, 4, 1], 4, elements, elements.map((_, n) => n)));
    const levels = tf.tensor4d(turned.flatMap((images) => [...images]), [16, 4, 4, 1], 'int32');
    const logProbs = await take(await logProb(model, levels, { condition: Array.from({ length: 16 }, (_, n) => n) }));
    expect(-Math.min(...logProbs) / 16 / Math.LN2).toBeLessThan(0.1); // bits of a pixel
    expect(testBits).toBeLessThan(0.05);
  }); // biome-ignore format: one call a line

  it('has a README whose programs run', async () => {
    const readme = await readFile(join(root, 'research/pytorch/README.md'), 'utf8');
    expect(readme).toContain(NO_REDIRECTION);
    const blocks = [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
    const program = (language: string) =>
      blocks.flatMap(([, of, code = '']) => (of === language ? [code] : [])).join('');
    const folder = join(directory, 'reader');
    await mkdir(join(folder, 'runs'), { recursive: true });
    await mkdir(join(folder, 'node_modules'));
    await symlink(root, join(folder, 'node_modules/pixelcnn-layers'), 'junction');
    await symlink(join(root, 'node_modules/@tensorflow'), join(folder, 'node_modules/@tensorflow'), 'junction');
    await symlink(join(directory, 'begun'), join(folder, 'runs/digits'), 'junction'); // a network without classes
    await writeFile(join(folder, 'program.mjs'), program('js'));
    await writeFile(join(folder, 'program.py'), program('py'));
    const path = join(root, 'research/pytorch');
    for (const [command, file] of [[process.execPath, 'program.mjs'], [python as string, 'program.py']] as const) {
      const ran = spawnSync(command, [file], { cwd: folder, encoding: 'utf8', env: { ...process.env, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' } });
      expect(ran.status, ran.stderr).toBe(0);
    }
    const average = await readWeights(join(directory, 'begun'), 'average');
    expect(average.size).toBeGreaterThan(20);
    for (const [name, tensor] of readSafetensors(await readFile(join(folder, 'mine.safetensors')))) {
      expect(tensor).toEqual(average.get(name));
    }
  }); // biome-ignore format: one call a line
  const refusals: readonly (readonly [string, string])[] = [
    ['', '--data: wanted one of digits, fashion-mnist, mnist, binarized-mnist, cifar-10, emoji, npy; --help lists the flags'],
    ['--dat digits', 'unrecognized arguments: --dat digits; --help lists the flags'],
    ['--data digits --kernel 4', "--kernel: wanted an odd number of at least 1, got '4'"],
    ['--data digits --conditional', '--conditional: comes with --model gated, plus-plus, pixelsnail or gpt'],
    ['--data npy --path OBLONG --model gated --orientations 8 --out NEW', '--orientations 8: wanted square images, got 4x2'],
    ['--data npy --path CODES --model pixelsnail --codes 3 --out NEW', '--codes: wanted codes 0 to 2, got 3'],
    ['--data npy --path UNCODED --model pixelsnail --codes 4 --out NEW', "--codes: 'UNCODED' has no train-codes.npy and"],
    ['--data npy --path SHORT --out NEW', "npy: 'SHORT': wanted vectors [10,K], got [9, 2]"],
    ['--data emoji --model gated --conditional --out NEW', '--conditional: emoji has no classes'],
    ['--data digits --path NEW --out NEW', 'digits: is embedded, takes no --path'],
    ['--data mnist --out NEW', 'mnist: wanted --path to a directory with train-images-idx3-ubyte'],
    ['--data npy --path FEWER --out NEW', "npy: 'FEWER': wanted codes [10,h,w] from 0, got [9, 2, 2] from 0"],
    ['--data npy --path SIZES --out NEW', "npy: 'SIZES': wanted training and test codes of one size, got [10, 2, 2] and [10, 1, 2]"],
    ['--data npy --path WIDTHS --out NEW', "npy: 'WIDTHS': wanted training and test vectors of one size, got 3 and 2"],
    ['--data digits --model pixelsnail --filters 20 --out NEW', 'pixelSNAIL: filters: wanted a multiple of 2 * heads = 16, got 20'],
    ['--data emoji --model gpt --out NEW', 'imageGPT: image_shape: wanted [H, W, 1]; turn colours into the levels of a palette first, got [16, 16, 3]'],
    ['--data emoji --palette NEW', "--palette: wanted the run.json of a run of train.mjs with --palette, got 'NEW': "],
    ['--data emoji --palette PALETTE --levels 4', '--palette: comes without --levels, and not with --model plus-plus'],
    ['--data digits --levels 18 --out NEW', 'digits: wanted 2 to 17 levels, got 18'],
    ['--data digits --bfloat16 --float32 --out NEW', '--bfloat16: comes without --float32'],
    ['--data npy --path FEW --out NEW', 'npy: wanted at least 10 images, got 2'],
    ['--data digits --weights STRAIGHT/weights.safetensors --out NEW', '--weights: STRAIGHT/weights.safetensors: not those of the network: missing (32): input_conv.kernel, input_conv.bias, block0.conv_in.kernel and 29 more; left over (17): block0_across.kernel, '],
    ['--data digits --out STRAIGHT', '--out: STRAIGHT holds a run; --resume continues it, or give another --out'],
    ['--resume', '--resume: wanted --out with the directory of a run'],
    ['--resume --out NEW', '--resume: there is no run in NEW'],
    ['--resume --out STRAIGHT --batch 3', '--batch: a resumed run keeps its own; --resume takes --out, --path'],
    ['--resume --out STRAIGHT --steps 1', "--steps: the run has done STEPS, got '1'"],
    ['--resume --out EMPTY', '--resume: EMPTY/checkpoint.safetensors cannot be read: it lacks checksum, history, run,'],
    ['--resume --out OTHER', '--resume: OTHER/checkpoint.safetensors cannot be read: not those of the network: missing (23): output_conv1.kernel, '],
    ['--resume --out DAMAGED', '--resume: DAMAGED/checkpoint.safetensors cannot be read: '],
  ]; // biome-ignore format: one refusal a line

  it('answers mistakes in a line, and writes nothing then', async () => {
    const [fresh, damaged, few] = ['new', 'damaged', 'few.npy'].map((name) => join(directory, name)) as [string, string, string];
    await mkdir(damaged);
    await writeFile(join(damaged, 'checkpoint.safetensors'), 'not a checkpoint');
    // Files of safetensors, but no checkpoint, and without the weights of one.
    const [empty, other] = ['empty', 'other'].map((name) => join(directory, name)) as [string, string];
    const checkpoint = await readFile(join(straight, 'checkpoint.safetensors'));
    const header = JSON.parse(checkpoint.toString('utf8', 8, 8 + Number(checkpoint.readBigUInt64LE(0))));
    for (const [folder, metadata] of [[empty, {}], [other, header.__metadata__]] as const) {
      await mkdir(folder);
      await writeFile(join(folder, 'checkpoint.safetensors'), writeSafetensors(new Map(), metadata));
    }
    await writeFile(few, npyOf(new Uint8Array(2 * 16), [2, 4, 4]));
    const palette = join(directory, 'palette.json'); // of settings, all that is read
    await writeFile(palette, '{"palette":"000000ffffff"}');
    const oblong = join(directory, 'oblong.npy');
    await writeFile(oblong, npyOf(new Uint8Array(10 * 8), [10, 4, 2]));
    // Images with maps of codes, or without them, or with too few, or of another size; and the same of vectors.
    const maps = { CODES: [10, 2, 2], UNCODED: null, FEWER: [9, 2, 2], SIZES: [10, 1, 2], SHORT: [9, 2], WIDTHS: [10, 2] };
    const coded = Object.fromEntries(Object.keys(maps).map((name) => [name, join(directory, name.toLowerCase())]));
    for (const [name, shape] of Object.entries(maps)) {
      await mkdir(coded[name] as string);
      for (const part of ['train', 'test']) {
        const write = (file: string, data: Uint8Array, of: number[]) => writeFile(join(coded[name] as string, file), npyOf(data, of));
        await write(`${part}.npy`, new Uint8Array(10 * 16), [10, 4, 4]);
        const other = { SIZES: [10, 2, 2], WIDTHS: [10, 3] }[name];
        const of = (part === 'train' && other) || shape;
        const kind = shape?.length === 2 ? 'vectors' : 'codes';
        if (of) await write(`${part}-${kind}.npy`, Uint8Array.from({ length: of.reduce((product, side) => product * side) }, (_, i) => i % 4), of);
      }
    }
    const places = { ...coded, NEW: fresh, STRAIGHT: straight, DAMAGED: damaged, FEW: few, OBLONG: oblong, PALETTE: palette, EMPTY: empty, OTHER: other, STEPS: String(steps) };
    const fill = (text: string) => text.replace(/[A-Z]{3,}/g, (name) => places[name as keyof typeof places] ?? name);
    for (const [flags, wanted] of refusals) {
      const { code, stdout, stderr } = await runToEnd(flags.split(' ').filter(Boolean).map(fill));
      expect(stderr, flags).toContain(fill(wanted));
      expect({ flags, code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ flags, code: 1, stdout: '', lines: 1 });
    }
    expect(existsSync(fresh)).toBe(false);
  }); // biome-ignore format: one call a line
});
