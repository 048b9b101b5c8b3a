import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, pixelCNN } from 'pixelcnn-layers';
import { afterEach, expect, it, vi } from 'vitest';
import { checkBatchFits } from '../../src/ops/batch-limit';
import { isGpu, onEachBackend } from '../support/backends';
import { expectNoLeaks } from '../support/tensors';

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
      const lowered: Record<string, number> = {
        maxBufferSize: 2 * bytes,
        maxStorageBufferBindingSize: bytes,
      };
      const limits = new Proxy(real, { get: (_, name: string) => lowered[name] ?? real[name] });
      vi.spyOn(device, 'limits', 'get').mockReturnValue(limits);
    }
  }

  it('lets pass what fits', () => {
    expect(() => checkBatchFits([16, 28, 28, 128])).not.toThrow();
  });

  it('says what batch fits on a GPU, and limits no other backend', async () => {
    limitTo(4 * 64 ** 2); // 4,096 numbers: 16 images of [4,4,16]
    const tooMany = () => checkBatchFits([17, 4, 4, 16]);
    if (isGpu(backend)) {
      expect(() => checkBatchFits([16, 4, 4, 16])).not.toThrow();
      expect(tooMany).toThrow(RangeError);
      expect(tooMany).toThrow(
        `A batch of 17 images is too large for ${backend} here: one tensor [17,4,4,16] has 17408 bytes, ` +
          '16384 is the limit; at most 16 images fit',
      );
      expect(() => checkBatchFits([1, 64, 64, 2])).toThrow('not even one image fits');
    } else {
      expect(tooMany).not.toThrow();
    }
  });

  it('speaks where a model is trained on too large a batch, which leaves no tensor behind', async () => {
    const model = pixelCNN({ imageShape: [4, 4, 1], levels: 16, hiddenDim: 2, outDim: 2, numBlocks: 1 });
    model.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const x = tf.zeros<tf.Rank.R4>([17, 4, 4, 1]);
    await expectNoLeaks(async () => {
      limitTo(4 * 64 ** 2);
      const training = model.trainOnBatch(x, x);
      if (isGpu(backend)) await expect(training).rejects.toThrow('at most 16 images fit');
      else expect(await training).toBeGreaterThan(0);
    });
    x.dispose();
    model.dispose();
  });
});
