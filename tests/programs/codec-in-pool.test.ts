import { compress, createPool, decompress, sample } from 'pixelcnn-layers/runtime';
import { describe, expect, it, vi } from 'vitest';
import { portableModel } from '../support/models/portable-model.mjs';
import { workers } from '../support/workers/pool-workers';

describe('the codec in a pool', () => {
  it('returns the same bytes and images from workers', async () => {
    const model = portableModel({ numClasses: 3 });
    const condition = Array.from({ length: 41 }, (_, n) => n % 3);
    const images = await sample(model, { numImages: 41, seed: 4, condition });
    const pool = createPool({ workers: 2, createWorker: workers.startWorker });
    const onProgress = vi.fn();
    for (const storeCondition of [true, false]) {
      const bytes = await pool.compress(model, images, { condition, storeCondition, onProgress });
      expect(bytes).toEqual(await compress(model, images, { condition, storeCondition }));
      const options = { firstImage: 3, onProgress, ...(storeCondition ? {} : { condition: condition.slice(3) }) };
      expect(await pool.decompress(model, bytes, options)).toEqual(await decompress(model, bytes, options));
    }
    expect(onProgress.mock.calls.at(-1)).toEqual([{ done: 38 * 60, total: 38 * 60 }]);
    await expect(pool.decompress(model, new Uint8Array(9))).rejects.toThrow('decompress: file: not a file of compressed images');
    await pool.dispose();
  });

  it('restores at most maxValues values', async () => {
    const model = portableModel({ imageShape: [4, 3, 1] });
    const images = await sample(model, { numImages: 2, seed: 1 });
    const pool = createPool({ workers: 1, createWorker: workers.startWorker });
    const job = pool.decompress(model, await compress(model, images), { maxValues: 23 });
    await expect(job).rejects.toThrow('decompress: file: 2 images: wanted at most 23 values (maxValues), got 24');
    await pool.dispose();
  });
});
