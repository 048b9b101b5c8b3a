import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, gatedPixelCNN, imageGPT, pixelCNN, sample as sampleTensors, toPortable } from 'pixelcnn-layers';
import type { PortableModel, SampleOptions } from 'pixelcnn-layers/runtime';
import { compress, createPool, decompress, logProb, sample, stepper } from 'pixelcnn-layers/runtime';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { evaluatorFor } from '../../../src/runtime/engine/evaluator';
import { Machine } from '../../../src/runtime/engine/machine';
import { useBackend } from '../../support/backends';
import { networksOf } from '../../support/models/networks';
import { scoped } from '../../support/scoped';
import { noise, setNoise, take } from '../../support/tensors';
import { startInProcess } from '../../support/workers/pool-in-process';

// An evaluator that one job leaves is used by the next one, with the same bits as a new one.

const imageShape: [number, number, number] = [4, 8, 1];
const levels = 4;
const codes = (count: number, seed: number) => ({
  data: Uint8Array.from(noise(count * 8, seed), (x) => (x + 1) * 1.99),
  shape: [count, 2, 4],
});

const plain = { imageShape, levels, hiddenDim: 4, outDim: 4, numBlocks: 1 };
const networks = networksOf(imageShape, 4);
const convolutions = networks['convolutions'] as () => AutoregressiveModel;
const kinds: Record<string, () => AutoregressiveModel> = {
  ...networks,
  categories: () => pixelCNN({ ...plain, input: { embedding: 3 } }),
  'several channels and a mixture': () => pixelCNN({ ...plain, imageShape: [4, 8, 3], hiddenDim: 2, output: { components: 2 } }),
  'a class': () => gatedPixelCNN({ ...plain, numClasses: 5 }),
  'places as a sequence, and a class': () => imageGPT({ imageShape, levels, width: 6, heads: 2, layers: 2, norm: 'rms', numClasses: 5 }),
};

/** What so many images are conditioned on, if they are. */
function given({ conditions: [one] }: PortableModel, numImages: number, seed: number): Pick<SampleOptions, 'condition'> {
  if (one === undefined) return {};
  if (one.kind === 'codes') return { condition: codes(numImages, seed) };
  return { condition: Array.from({ length: numImages }, (_, n) => (3 * n + seed) % 5) };
}

beforeAll(() => useBackend('cpu'));

let reset: { readonly mock: { readonly calls: readonly unknown[] } };
/** How often an evaluator was used again, since this was last asked. */
let timesReused = () => 0;
beforeEach(() => {
  reset = vi.spyOn(Machine.prototype, 'reset');
  let before = 0;
  timesReused = () => {
    const count = reset.mock.calls.length - before;
    before = reset.mock.calls.length;
    return count;
  };
});
afterEach(() => vi.restoreAllMocks());

async function portableOf(make: () => AutoregressiveModel): Promise<PortableModel> {
  const model = make();
  setNoise(model);
  const portable = await toPortable(model);
  model.dispose();
  return portable;
}

describe.each(Object.entries(kinds))('an evaluator that was used before, of %s', (_, kind) => {
  const optionsOf = (model: PortableModel, numImages: number, seed: number) => ({ numImages, seed, ...given(model, numImages, seed) });

  it('computes the same bits as a new one, whatever it was used for', async () => {
    const portable = await portableOf(kind);
    /** Samples with the model, and with a copy that nobody has used. */
    const expectSame = async (numImages: number, seed: number) => {
      const options = { ...optionsOf(portable, numImages, seed), withLogProb: true as const };
      const again = await sample(portable, options);
      expect(again).toEqual(await sample(structuredClone(portable), options));
      return again.images;
    };
    await expectSame(5, 1);
    expect(timesReused()).toBe(0);
    const images = await expectSame(5, 2);
    await expectSame(4, 3); // of fewer images
    await expectSame(3, 4);
    expect(timesReused()).toBe(3);
    await expectSame(2, 5); // of less than half as many: compiled anew
    await expectSame(3, 6); // of more
    expect(timesReused()).toBe(0);

    const aborter = new AbortController();
    const aborted = sample(portable, { ...optionsOf(portable, 3, 7), signal: aborter.signal, onProgress: () => aborter.abort() });
    await expect(aborted).rejects.toThrow('abort');
    await expectSame(3, 8);

    const five = given(portable, 5, 2);
    const steps = stepper(portable, { numImages: 5, ...five });
    for (let value = 0; value < 7; value++) {
      steps.logProbs();
      steps.put([0, 1, 2, 3, 0]);
    }
    steps.copy([4, 3, 2, 1, 0]);
    steps.dispose();
    timesReused();
    const nats = await logProb(portable, images, five);
    expect(timesReused()).toBe(1);
    expect(nats).toEqual(await logProb(structuredClone(portable), images, five));
    const bytes = await compress(portable, images, five);
    expect(bytes).toEqual(await compress(structuredClone(portable), images, five));
    expect((await decompress(portable, bytes, five)).data).toEqual(images.data);
    expect(timesReused()).toBe(2);
    await expectSame(5, 9);
  });

  it('is used by one of several jobs at once', async () => {
    const portable = await portableOf(kind);
    const options = (seed: number) => ({ ...optionsOf(portable, 2, seed), onProgress: () => Promise.resolve() });
    const seeds = [1, 2, 3];
    const inTurn = [];
    for (const seed of seeds) inTurn.push(await sample(portable, options(seed)));
    expect(timesReused()).toBe(2);
    expect(await Promise.all(seeds.map((seed) => sample(portable, options(seed))))).toEqual(inTurn);
    expect(timesReused()).toBe(1);
  });
});

it('a pool uses evaluators from piece to piece and from job to job', async () => {
  const portable = await portableOf(convolutions);
  const pool = scoped(createPool({ workers: 1, createWorker: startInProcess }));
  const options = { numImages: 96, seed: 1 };
  const first = await pool.sample(portable, options);
  const pieces = timesReused() + 1;
  expect(await pool.sample(portable, options)).toEqual(first);
  expect(timesReused()).toBeGreaterThanOrEqual(pieces);
  expect(await sample(structuredClone(portable), options)).toEqual(first);
});

describe('evaluatorFor', () => {
  const args = { numImages: 4, imageShape };

  it('reuses a released evaluator, for images of the same size, as many or down to half as many', async () => {
    const portable = await portableOf(convolutions);
    const first = evaluatorFor(portable, args);
    expect(evaluatorFor(portable, args)).not.toBe(first); // in use
    first.release();
    const second = evaluatorFor(portable, { ...args, numImages: 2 });
    expect(second).toBe(first);
    second.release();
    for (const others of [{ numImages: 5 }, { numImages: 1 }, { imageShape: [5, 8, 1] as const }]) {
      const evaluator = evaluatorFor(portable, args);
      evaluator.release();
      expect(evaluatorFor(portable, { ...args, ...others })).not.toBe(evaluator);
    }
  });

  it('returns outputs of the job only, in one chunk and in several', async () => {
    const portable = await portableOf(convolutions);
    const pairs = [[4, 3], [70, 40]] as const; // biome-ignore format: a line
    for (const [many, few] of pairs) {
      evaluatorFor(portable, { ...args, numImages: many }).release();
      const evaluator = evaluatorFor(portable, { ...args, numImages: few });
      expect(timesReused()).toBe(1);
      expect(evaluator.outputs(0, 0, 0).length).toBe(few * levels);
    }
  });

  it('keeps no more than 64 MiB', async () => {
    const portable = await portableOf(convolutions);
    const bytesOf = (numImages: number) => {
      const evaluator = evaluatorFor(portable, { ...args, numImages });
      evaluator.release();
      return evaluator.machine.heap.byteLength;
    };
    const each = (bytesOf(300) - bytesOf(100)) / 200;
    const most = 2 ** 26 / each;
    timesReused();
    for (const isKept of [true, false]) {
      const numImages = Math.ceil((isKept ? 0.9 : 1.1) * most);
      expect(bytesOf(numImages) <= 2 ** 26).toBe(isKept);
      bytesOf(numImages);
      expect(timesReused()).toBe(isKept ? 1 : 0);
    }
  });
});

it('a tfjs model is traced, read and compiled once, until weights change, whichever way', async () => {
  const model = scoped(convolutions());
  setNoise(model, 1, 0.5);
  const read = vi.spyOn(tf.Tensor.prototype, 'data');
  const draw = async () => {
    const images = await sampleTensors(model, { numImages: 3, seed: 1 });
    const full = await sampleTensors(model, { numImages: 3, seed: 1, strategy: 'full' });
    const numbers = await take(images);
    expect(numbers).toEqual(await take(full));
    return numbers;
  };
  const incremental = async () => {
    const before = read.mock.calls.length;
    (await sampleTensors(model, { numImages: 3, seed: 1, strategy: 'incremental' })).dispose();
    return { reads: read.mock.calls.length - before, reused: timesReused() };
  };
  const drawn = [await draw()];
  timesReused();
  expect(await incremental()).toEqual({ reads: 0, reused: 1 });

  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'bitsPerDim' });
  const ones = scoped(tf.ones([2, ...imageShape], 'int32'));
  await model.trainOnBatch(ones as tf.Tensor4D);
  drawn.push(await draw());
  expect(timesReused()).toBe(0);
  setNoise(model, 7, 0.5);
  drawn.push(await draw());
  model.setWeights(model.getWeights().map((weight) => tf.neg(weight)));
  drawn.push(await draw());
  expect(new Set(drawn.map(String)).size).toBe(4);
  expect(timesReused()).toBe(0);
  expect(await incremental()).toEqual({ reads: 0, reused: 1 });
});
