import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { bitsPerDim, pixelCNN } from 'pixelcnn-layers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { causalConv2d, checkBatchFits } from '../../src/ops/causal-conv';
import { anyBackend, backends, isGpu, onBackend, onEachBackend, useBackend } from '../support/backends';
import { errorOf } from '../support/errors';
import { scoped } from '../support/scoped';
import { expectNoLeaks, take } from '../support/tensors';

describe.runIf(backends.includes('cpu'))('taps that are not used', () => {
  beforeAll(() => useBackend('cpu'));

  it('are not computed with where the kernel is one row', async () => {
    const x = scoped(tf.ones<tf.Rank.R4>([1, 1, 4, 1]));
    const kernel = scoped(tf.tensor4d([1, 1, 100], [1, 3, 1, 1])); // the last one would show
    expect(await take(causalConv2d(x, kernel, null))).toEqual([1, 2, 2, 2]);
    expect(await take(causalConv2d(x, kernel, null, 'linear', 1, 3))).toEqual([101, 102, 102, 2]);
    expect(await take(causalConv2d(x, kernel, null, 'linear', 0))).toEqual([1, 1, 1, 1]);
  });
});

onBackend(anyBackend, 'the gradient', () => {
  it('is not computed for an image that nothing asks about', async () => {
    const x = tf.ones<tf.Rank.R4>([1, 4, 4, 1]);
    const kernel = tf.ones<tf.Rank.R4>([4, 7, 1, 2]);
    const profile = async (wanted: 'kernel' | 'both') => {
      const { kernelNames } = await tf.profile(() => {
        const f = (k: tf.Tensor, xs: tf.Tensor = x) => causalConv2d(xs as tf.Tensor4D, k as tf.Tensor4D, null);
        return wanted === 'kernel' ? tf.grad((k) => f(k))(kernel) : tf.grads((k, xs) => f(k, xs))([kernel, x]);
      });
      return kernelNames;
    };
    expect(await profile('both')).toContain('GatherV2'); // flips the kernel for the gradient of x
    expect(await profile('kernel')).not.toContain('GatherV2');
  });
});

interface Device {
  device: { limits: unknown };
}

onEachBackend('checkBatchFits', (backend) => {
  afterEach(() => {
    vi.restoreAllMocks();
    if (backend === 'webgl') tf.env().set('WEBGL_MAX_TEXTURE_SIZE', realTextureSize);
  });
  let realTextureSize = 0;

  /** Makes the GPU hold no more than so many bytes in a tensor; a square number of kilobytes. */
  function limitTo(bytes: number): void {
    if (backend === 'webgl') {
      realTextureSize ||= tf.env().getNumber('WEBGL_MAX_TEXTURE_SIZE');
      tf.env().set('WEBGL_MAX_TEXTURE_SIZE', Math.sqrt(bytes / 4));
    } else if (backend === 'webgpu') {
      const { device } = tf.backend() as unknown as Device;
      const real = device.limits as Record<string, number>;
      const lowered: Record<string, number> = { maxBufferSize: 2 * bytes, maxStorageBufferBindingSize: bytes };
      const limits = new Proxy(real, { get: (_, name: string) => lowered[name] ?? real[name] });
      vi.spyOn(device, 'limits', 'get').mockReturnValue(limits);
    }
  }

  it('states what batch fits on a GPU, and limits no other backend', async () => {
    limitTo(4 * 64 ** 2); // 4,096 numbers: 16 images of [4,4,16]
    const tooMany = () => checkBatchFits([17, 4, 4, 16]);
    if (isGpu(backend)) {
      expect(() => checkBatchFits([16, 4, 4, 16])).not.toThrow();
      expect(tooMany).toThrow(
        errorOf(
          RangeError,
          `A batch of 17 images is too large for ${backend}: a tensor [17,4,4,16] has more than 16384 bytes; at most 16 images fit`,
        ),
      );
      expect(() => checkBatchFits([1, 64, 64, 2])).toThrow('not even one image fits');
    } else {
      expect(tooMany).not.toThrow();
    }
  });

  it('speaks where a model is trained on too large a batch, which leaves no tensor behind', async () => {
    const model = scoped(pixelCNN({ imageShape: [4, 4, 1], levels: 16, hiddenDim: 2, outDim: 2, numBlocks: 1 }));
    model.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const x = scoped(tf.zeros<tf.Rank.R4>([17, 4, 4, 1]));
    await expectNoLeaks(async () => {
      limitTo(4 * 64 ** 2);
      const training = model.trainOnBatch(x, x);
      if (isGpu(backend)) await expect(training).rejects.toThrow('at most 16 images fit');
      else expect(await training).toBeGreaterThan(0);
    });
  });
});
