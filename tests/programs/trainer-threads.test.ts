import * as tf from '@tensorflow/tfjs-core';
import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  bitsPerDim,
  clipGradients,
  createTrainer,
  imageGPT,
  maskedConv2d,
  pixelCNN,
  pixelLogits,
  pixelSNAIL,
} from 'pixelcnn-layers';
import type { PoolWorker } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { teamOf } from '../../src/training/team';
import { useBackend } from '../support/backends';
import { largestDifference, weightsOf } from '../support/tensors';
import { workers as pool } from '../support/workers/pool-workers';
import { startTrainWorker, wasmPaths } from '../support/workers/train-workers';

// Training by threads: the weights are the same bits for any number of them. Every kind of network is trained by workers in
// this process in tests/training; trainer-in-a-page.test.ts has a page's workers give the same bits.

const isNode = typeof document === 'undefined';
beforeAll(() => useBackend('wasm'));

const trainerOf = async (model: AutoregressiveModel, workers: number, createWorker = startTrainWorker) =>
  createTrainer(model, { workers, createWorker, wasmPaths: await wasmPaths() });

const imageShape = [6, 6, 1] as const;
const sizes = { imageShape: [...imageShape] as [number, number, number], levels: 3, seed: 2, dropout: 0.2 };
const plain = { ...sizes, hiddenDim: 4, outDim: 6, numBlocks: 2 };
const rgb = { ...plain, imageShape: [4, 4, 3] as [number, number, number], hiddenDim: 3, output: { components: 2 } };

const models: [string, () => AutoregressiveModel][] = [
  ['plain, of three channels, mixtures', () => pixelCNN(rgb)],
  ['PixelSNAIL', () => pixelSNAIL({ ...sizes, filters: 4, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 4 })],
  ['Image GPT, by class', () => imageGPT({ ...sizes, width: 4, heads: 2, layers: 1, numClasses: 4 })],
]; // biome-ignore format: one a line

function compiled(make: () => AutoregressiveModel): AutoregressiveModel {
  const model = make();
  // The gradient of a key's bias is 0 but for rounding, since all scores of a query get the same from it. With a smaller
  // epsilon, Adam's steps by it would be as large as others.
  model.compile({ optimizer: clipGradients(tf.train.adam(0.01, 0.9, 0.999, 1e-4), 1), loss: bitsPerDim });
  return model;
}

const numImages = 11;
const dataFor = ({ imageShape: [h, w, c], levels, condition }: AutoregressiveModel) => ({
  levels: tf.randomUniform([numImages, h ?? 6, w ?? 6, c], 0, levels, 'int32', 4),
  ...(condition && { condition: Array.from({ length: numImages }, (_, i) => i % 4) }),
});

const args = { epochs: 2, batchSize: 8, shuffle: false, verbose: 0 } as const;

const plainPixelCNN = () => pixelCNN(plain);

/** The weights of a new model that `fit` has trained, or so many workers. */
async function trained(make: () => AutoregressiveModel, workers = 0, start = startTrainWorker): Promise<number[]> {
  const model = compiled(make);
  const { levels, ...condition } = dataFor(model);
  const trainer = workers === 0 ? undefined : await trainerOf(model, workers, start);
  if (trainer) await trainer.fit(levels, { ...args, ...condition });
  else await model.fit(levels, { ...args, ...condition });
  const weights = await weightsOf(model);
  await trainer?.dispose();
  levels.dispose();
  model.dispose();
  return weights;
}

it.runIf(isNode).each(models)('%s: gets the weights of fit but for rounding, the same bits from any number of workers', async (_, make) => {
  const weights = await trained(make, 1);
  expect(largestDifference(weights, await trained(make))).toBeLessThan(1e-5);
  expect(await trained(make, 3)).toEqual(weights);
});

it.skipIf(isNode)('trains a model on a GPU, though its workers have none', async () => {
  const weights = await trained(plainPixelCNN);
  await useBackend('webgl');
  expect(largestDifference(await trained(plainPixelCNN, 2), weights)).toBeLessThan(1e-3); // a GPU rounds otherwise, and Adam divides by small numbers
  await useBackend('wasm');
});

it('does not begin with a worker that lives on but does not answer', async () => {
  const model = compiled(plainPixelCNN);
  await expect(teamOf(model, { workers: 2, createWorker: () => pool.startBad(''), timeLimit: 500 })).rejects.toThrow(
    new Error(
      'createTrainer: createWorker: wanted a worker that runs pixelcnn-layers/train-worker, got one that does not answer within 0.5 seconds',
    ),
  );
  model.dispose();
});

/** A layer of the reader's own. */
class Halving extends layers.Layer {
  static className = 'Halving';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul([inputs].flat()[0] as tf.Tensor, 0.5);
  }
}
tf.serialization.registerClass(Halving);
const HALVING = `class extends layers.Layer {
  static className = 'Halving';
  call(inputs) { return tf.mul([inputs].flat()[0], 0.5); }
}`;

const withOwnLayer = () => {
  const image = input({ shape: [...imageShape] });
  const conv = maskedConv2d({ filters: 3, kernelSize: 3, maskType: 'A', imageChannels: 1, seed: 1 });
  const features = new Halving({}).apply(conv.apply(image)) as SymbolicTensor;
  const outputs = pixelLogits({ imageChannels: 1, levels: 3 }).apply(features) as SymbolicTensor;
  return autoregressiveModel({ inputs: image, outputs });
};

describe.runIf(isNode)('a thread', () => {
  const lost = 'a worker ended before its work was done: ';
  const WASM = "wasm: () => import('@tensorflow/tfjs-backend-wasm')";

  /** Threads that serve with those backends, once they have run some code. */
  async function startServing(backends: string, code = ''): Promise<() => PoolWorker> {
    const { Worker } = await import('node:worker_threads');
    const files = ['index.js', 'runtime/workers/port.js', 'training/serve-training.js'];
    const built = files.map((file) => new URL(file, new URL('../../dist/', import.meta.url)).href);
    const modules = JSON.stringify(['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', ...built]);
    const program = `Promise.all(${modules}.map((name) => import(name))).then(([tf, { layers }, , port, serve]) => {
      ${code};
      serve.serveTraining(port.portOfWorker(), { ${backends} });
    });`;
    return () => new Worker(program, { eval: true });
  }

  /** Threads that end right after they have been sent a message of that kind. */
  const startMortal = (kind: string, isMortal: (index: number) => boolean) => {
    let started = 0;
    return () => {
      const thread = startTrainWorker();
      const post = thread.postMessage.bind(thread);
      const index = started++;
      thread.postMessage = (message: unknown, transfer: ArrayBuffer[] = []) => {
        post(message, transfer);
        if ((message as { kind: string }).kind === kind && isMortal(index)) thread.terminate();
      };
      return thread;
    };
  };

  it('that is killed in the middle of a step is replaced by the others', async () => {
    const killed = startMortal('work', (index) => index !== 1);
    expect(await trained(plainPixelCNN, 3, killed)).toEqual(await trained(plainPixelCNN, 2));
  });

  it.each<[string, () => PoolWorker, string]>([
    ['is killed while it loads', startMortal('begin', (index) => index === 1), 'it ended with exit code'],
    ['throws', pool.startBroken, 'broken at once'],
    ['is one of a pool', pool.startWorker, "pixelcnn-layers/worker: wanted a request of a pool, got 'begin'"],
    ['says something else', () => pool.startBad("post('hello')"), 'it sent a message of its own'],
    ['says nothing readable', () => pool.startBad('post(undefined)'), 'it sent a message of its own'],
  ])('is no start of a trainer if it %s', async (_, start, message) => {
    const model = compiled(plainPixelCNN);
    await expect(trainerOf(model, 2, start)).rejects.toThrow(`trainer: ${lost}${message}`);
    model.dispose();
  });

  const wasmFailure = 'createTrainer: wasmPaths: a worker cannot start the wasm backend: ';

  it('knows the layers that its module imports, and no others', async () => {
    await expect(trainerOf(compiled(withOwnLayer), 2)).rejects.toThrow(
      "createTrainer: a worker cannot make the model (does its module import the model's layers?): Unknown layer: Halving.",
    );
    const start = await startServing(WASM, `tf.serialization.registerClass(${HALVING})`);
    expect(largestDifference(await trained(withOwnLayer, 2, start), await trained(withOwnLayer))).toBeLessThan(1e-5);
  });

  it('computes on cpu if the wasm backend cannot be imported, unless there is none, or wasmPaths', async () => {
    const nowhere = "wasm: () => import('nowhere')";
    const onCpu = await startServing(`${nowhere}, cpu: () => import('@tensorflow/tfjs-backend-cpu')`);
    expect(largestDifference(await trained(plainPixelCNN, 2, onCpu), await trained(plainPixelCNN))).toBeLessThan(1e-5);
    const model = compiled(plainPixelCNN);
    const failure = `${wasmFailure}Cannot find package 'nowhere'`;
    await expect(trainerOf(model, 2, await startServing(nowhere))).rejects.toThrow(failure);
    const wasmPaths = '/nowhere/';
    await expect(createTrainer(model, { createWorker: onCpu, wasmPaths })).rejects.toThrow(failure);
  });

  it.each(['/nowhere/', { 'tfjs-backend-wasm-simd.wasm': '/nowhere/tfjs-backend-wasm-simd.wasm' }])(
    'names wasmPaths if the files of the wasm backend are not there: %o',
    async (wasmPaths) => {
      const model = compiled(plainPixelCNN);
      const trainer = createTrainer(model, { workers: 1, createWorker: startTrainWorker, wasmPaths });
      await expect(trainer).rejects.toThrow(
        `${wasmFailure}Aborted(Error: ENOENT: no such file or directory, open '/nowhere/tfjs-backend-wasm-simd.wasm')`,
      );
      model.dispose();
    },
  );
});

it.skipIf(isNode === false)('does not keep a program from exiting', async () => {
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  const program = `
    import '@tensorflow/tfjs-backend-wasm';
    import * as tf from '@tensorflow/tfjs-core';
    import { bitsPerDim, createTrainer, pixelCNN } from 'pixelcnn-layers';
    await tf.setBackend('wasm');
    const model = pixelCNN({ imageShape: [4, 4, 1], levels: 2, hiddenDim: 2, outDim: 2, numBlocks: 1 });
    model.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const trainer = await createTrainer(model, { workers: 2 });
    console.log((await trainer.trainOnBatch(tf.zeros([4, 4, 4, 1], 'int32'))) > 0);`;
  const { fileURLToPath } = await import('node:url');
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd });
  expect(stdout).toContain('true');
});
