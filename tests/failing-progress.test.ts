import * as tf from '@tensorflow/tfjs-core';
import * as tensors from 'pixelcnn-layers';
import { pixelCNN, toPortable } from 'pixelcnn-layers';
import { compress, decompress, logProb, sample } from 'pixelcnn-layers/runtime';
import { expect, it, vi } from 'vitest';
import { onBackend } from './support/backends';
import { scoped } from './support/scoped';
import { expectNoLeaks } from './support/tensors';

const reason = new Error('enough');
const fail = () => {
  throw reason;
};

onBackend('cpu', 'an onProgress that goes wrong', () => {
  it.each<[string, () => unknown]>([
    ['rejects', () => Promise.reject(reason)],
    ['rejects later', () => Promise.resolve().then(() => Promise.reject(reason))],
    ['throws', fail],
  ])('ends the job, wherever it is taken, at the first row and at the last: %s', async (_, fails) => {
    const model = scoped(pixelCNN({ imageShape: [2, 1, 1], levels: 3, hiddenDim: 1, outDim: 1, numBlocks: 0 }));
    const portable = await toPortable(model);
    const image = { data: Uint8Array.of(1, 2), shape: [1, 2, 1, 1] };
    const levels = scoped(tf.tensor4d([1, 2], [1, 2, 1, 1], 'int32'));
    const bytes = await compress(portable, image);
    type Options = { onProgress: (progress: { done: number }) => void };
    const jobs: ((options: Options) => Promise<unknown>)[] = [
      (options) => sample(portable, options),
      (options) => logProb(portable, image, options),
      (options) => compress(portable, image, options),
      (options) => decompress(portable, bytes, options),
      (options) => tensors.sample(model, options),
      (options) => tensors.sample(model, { ...options, strategy: 'full' }),
      (options) => tensors.compress(model, levels, options),
      (options) => tensors.decompress(model, bytes, options),
    ];
    await expectNoLeaks(async () => {
      for (const job of jobs) {
        for (const row of [1, 2]) {
          const onProgress = vi.fn(({ done }: { done: number }) => (done === row ? fails() : undefined));
          await expect(job({ onProgress })).rejects.toBe(reason);
          expect(onProgress).toHaveBeenCalledTimes(row);
        }
      }
    });
  });
});
