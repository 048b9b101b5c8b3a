import * as tf from '@tensorflow/tfjs-core';
import {
  type AutoregressiveModel,
  compress,
  decompress,
  levelLogProbs,
  logPartition,
  logProb,
  pixelCNN,
  sample,
  stepper,
  symmetric,
  toPortable,
} from 'pixelcnn-layers';
import * as runtime from 'pixelcnn-layers/runtime';
import { beforeAll, expect, it, vi } from 'vitest';
import { useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectNoLeaks, setNoise } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

const small = (): AutoregressiveModel => {
  const model = pixelCNN({ imageShape: [2, 3, 1], levels: 3, hiddenDim: 2, outDim: 2, numBlocks: 1 });
  setNoise(model, 3, 0.5);
  return scoped(model);
};

it('functions of pixelcnn-layers, with a portable model, are those of the runtime', async () => {
  const portable = await toPortable(small());
  const plain = await runtime.sample(portable, { numImages: 4, seed: 5 });
  const energy = (_: Int32Array, numImages: number) => new Float64Array(numImages);
  const either = symmetric(portable, ['flipRows']);
  const flag: boolean = plain.data.length > 0;
  expect(either).toEqual(runtime.symmetric(portable, ['flipRows']));
  expect(await sample(portable, { numImages: 4, seed: 5 })).toEqual(plain);
  const drawn = await sample(either, { numImages: 4, seed: 5, withLogProb: flag });
  expect(drawn).toEqual(await runtime.sample(either, { numImages: 4, seed: 5, withLogProb: true }));
  expect('logDrawn' in drawn && drawn.logDrawn.length).toBe(4);
  expect(await logProb(either, plain)).toEqual(await runtime.logProb(either, plain));
  expect(await levelLogProbs(portable, plain)).toEqual(await runtime.levelLogProbs(portable, plain));
  const bytes = await compress(portable, plain);
  expect(bytes).toEqual(await runtime.compress(portable, plain));
  expect(await decompress(portable, bytes)).toEqual(plain);
  const args = { numImages: 8, seed: 1 };
  expect(await logPartition(either, energy, args)).toEqual(await runtime.logPartition(either, energy, args));
  const [one, other] = [scoped(stepper(portable)), scoped(runtime.stepper(portable))];
  expect(one.logProbs()).toEqual(other.logProbs());
});

it('levelLogProbs of the runtime are those of a stepper, and logProb their sum', async () => {
  const model = small();
  const portable = await toPortable(model);
  const images = await runtime.sample(portable, { numImages: 2, seed: 5 });
  const nats = await runtime.levelLogProbs(portable, images);
  const steps = scoped(runtime.stepper(portable, { numImages: 2 }));
  const sums = [0, 0];
  for (let index = 0; steps.place !== null; index++) {
    const here = steps.logProbs();
    const levels = [0, 1].map((n) => images.data[6 * n + index] as number);
    for (const n of [0, 1]) {
      const at = 3 * (6 * n + index);
      expect(nats.subarray(at, at + 3)).toEqual(here.subarray(3 * n, 3 * n + 3));
      sums[n] = (sums[n] as number) + (nats[at + (levels[n] as number)] as number);
    }
    steps.put(levels);
  }
  expect(Array.from(await runtime.logProb(portable, images))).toEqual(sums);
  const symmetrical = runtime.symmetric(portable, ['flipRows']);
  await expect(runtime.levelLogProbs(symmetrical, images)).rejects.toThrow('levelLogProbs: model: wanted a model without symmetries');
});

it('stepper of a model of tfjs steps as that of its portable model, and leaves no tensor', async () => {
  const model = small();
  const portable = await toPortable(model);
  await expectNoLeaks(async () => {
    const [one, other] = [await stepper(model, { numImages: 2 }), runtime.stepper(portable, { numImages: 2 })];
    for (const steps of [one, other]) steps.put([1, 2]);
    expect(one.logProbs()).toEqual(other.logProbs());
    for (const steps of [one, other]) steps.dispose();
  });
  await expect(stepper(model, null as never)).rejects.toThrow('stepper: wanted an object of arguments, got null');
});

it('a signal that a timer aborts stops logProb of tensors between batches', async () => {
  const model = small();
  const images = scoped(tf.zeros<tf.Rank.R4>([400, 2, 3, 1], 'int32'));
  const aborter = new AbortController();
  let time = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    time += 200; // so long does each batch take
    return time;
  });
  let numBatches = 0;
  const onProgress = () => {
    numBatches++;
    if (numBatches === 1) setTimeout(() => aborter.abort(new Error('enough')));
  };
  const job = logProb(model, images, { batchSize: 1, signal: aborter.signal, onProgress });
  await expect(job).rejects.toThrow('enough');
  expect(numBatches).toBeLessThan(400);
  vi.restoreAllMocks();
});
