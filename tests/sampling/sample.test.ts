import * as tf from '@tensorflow/tfjs-core';
import {
  gatedPixelCNN,
  type PortableModel,
  pixelCNN,
  sample as sampleTensor,
  toPortable,
} from 'pixelcnn-layers';
import { readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Images } from '../../src/core/images';
import { memoryFor } from '../../src/core/images';
import { makeKernels } from '../../src/kernels/webassembly';
import { sample } from '../../src/sampling/sample';
import { stepper } from '../../src/sampling/stepper';
import { useBackend } from '../support/backends';
import { withoutMemory } from '../support/machine';
import { setNoise, take } from '../support/tensors';
import { tinyModel } from '../support/tiny-space';

beforeAll(() => useBackend('cpu'));

const SIZES = {
  imageShape: [3, 2, 2] as [number, number, number],
  levels: 5,
  hiddenDim: 3,
  outDim: 4,
  numBlocks: 1,
};

describe('sample of a model as plain data', () => {
  it('runs from a clone, and changes nothing in the model', async () => {
    const model = tinyModel();
    const portable = await toPortable(model);
    const clone = structuredClone(portable);
    const images = await sample(portable, { numImages: 8, seed: 3 });
    expect(portable).toEqual(clone);
    expect(await sample(clone, { numImages: 8, seed: 3 })).toEqual(images);
    model.dispose();
  });

  it('returns bytes up to 256 levels, then 16-bit integers', async () => {
    for (const [levels, array] of [
      [256, Uint8Array],
      [257, Uint16Array],
    ] as const) {
      const model = pixelCNN({ imageShape: [1, 1, 1], levels, hiddenDim: 1, outDim: 1, numBlocks: 0 });
      const { data, shape } = await sample(await toPortable(model), { random: () => 1 - 2 ** -53 });
      expect(data).toEqual(array.of(levels - 1)); // the highest level
      expect(shape).toEqual([1, 1, 1, 1]);
      model.dispose();
    }
  });

  it('draws and completes codes beyond a byte, from a file too', async () => {
    const levels = 300;
    const model = pixelCNN({ ...SIZES, imageShape: [2, 2, 1], levels, hiddenDim: 1 });
    setNoise(model);
    const portable = readPortable(writePortable(await toPortable(model)));
    const options = { numImages: 8, seed: 1 };
    const drawn = await sample(portable, options);
    expect(drawn.data).toBeInstanceOf(Uint16Array);
    expect(Math.max(...drawn.data)).toBeGreaterThan(255);
    for (const strategy of ['incremental', 'full'] as const) {
      const tensor = await sampleTensor(model, { ...options, strategy });
      expect(Array.from(drawn.data)).toEqual(await take(tensor));
    }

    const initial: Images = { ...drawn, data: drawn.data.map((level) => levels - 1 - level) };
    const known = { ...drawn, data: drawn.data.map((_, i) => Number(i % 4 < 3)) };
    const completed = await sample(portable, { initial, known, seed: 2 });
    for (const [i, level] of completed.data.entries()) if (i % 4 < 3) expect(level).toBe(initial.data[i]);
    const beyond = { ...initial, data: Int32Array.from(initial.data).fill(levels, 5, 6) };
    await expect(sample(portable, { initial: beyond, known })).rejects.toThrow(
      `sample: initial: wanted integer levels 0 to ${levels - 1}, got ${levels}`,
    );
    model.dispose();
  });

  it('takes images of any size where the model does', async () => {
    const model = pixelCNN({ ...SIZES, imageShape: [null, null, 2] });
    const portable = await toPortable(model);
    expect((await sample(portable, { imageShape: [2, 5, 2] })).shape).toEqual([1, 2, 5, 2]);
    await expect(sample(portable)).rejects.toThrow('sample: imageShape: wanted [H, W, 2], since');
    model.dispose();
  });

  describe('of a tiny model', () => {
    let portable: PortableModel;
    beforeAll(async () => {
      const model = tinyModel();
      portable = await toPortable(model);
      model.dispose();
    });

    it('reports each row, and stops where the signal aborts', async () => {
      const seen: number[] = [];
      const controller = new AbortController();
      const onProgress = ({ done, total }: { done: number; total: number }) => {
        seen.push(done, total);
        controller.abort(new Error('enough'));
      };
      await expect(sample(portable, { signal: controller.signal, onProgress })).rejects.toThrow('enough');
      expect(seen).toEqual([2, 4]);
      await expect(sample(portable, { signal: AbortSignal.abort() })).rejects.toMatchObject({
        name: 'AbortError',
      });
    });

    it('names invalid arguments', async () => {
      await expect(sample(portable, null as never)).rejects.toThrow('sample: wanted an object');
      await expect(sample(portable, { strategy: 'full' as 'auto' })).rejects.toThrow(
        "sample: strategy: wanted 'auto' or 'incremental', got 'full'",
      );
      await expect(sample(portable, { signal: {} as never })).rejects.toThrow(
        'sample: signal: wanted an AbortSignal',
      );
      await expect(sample(portable, { numImages: 0 })).rejects.toThrow('sample: numImages');
      await expect(sample(portable, { condition: 1 })).rejects.toThrow('sample: condition: wanted none');
    });

    it('reports logits that are not finite', async () => {
      const weights = new Map(portable.weights);
      const [name, { shape, data }] = [...weights].at(-1) as [
        string,
        { shape: number[]; data: Float32Array },
      ];
      weights.set(name, { shape, data: data.slice().fill(Number.NaN) });
      await expect(sample({ ...portable, weights })).rejects.toThrow(
        'sample: the model returned logits that are not finite numbers',
      );
    });
  });
});

describe('far more images than fit into memory', () => {
  const many = /^(sample|stepper): .*; use fewer images at a time$/;
  // Drawing so many takes hours: the test's own time is the limit.
  it.each([4e6, Number.MAX_SAFE_INTEGER])('are refused at once: %d', async (numImages) => {
    const model = pixelCNN({ ...SIZES, imageShape: [64, 64, 1] });
    const classes = gatedPixelCNN({ ...SIZES, imageShape: [64, 64, 1], numClasses: 3 });
    const [plain, conditional] = [await toPortable(model), await toPortable(classes)];
    const before = tf.memory().numTensors;
    const asks: (() => unknown)[] = [
      () => sample(plain, { numImages }),
      () => sample(conditional, { numImages, condition: 1 }),
      () => stepper(plain, { numImages }),
      () => stepper(conditional, { numImages, condition: 1 }),
      () => sampleTensor(model, { numImages }),
      () => sampleTensor(classes, { numImages, condition: 1, strategy: 'incremental' }),
    ];
    if (numImages >= 1e9)
      asks.push(() => sampleTensor(classes, { numImages, condition: 1, strategy: 'full' }));
    for (const ask of asks) {
      const error = await Promise.resolve()
        .then(ask)
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).message).toMatch(many);
    }
    expect(tf.memory().numTensors).toBe(before);
    for (const each of [model, classes]) each.dispose();
  });
});

describe('memoryFor', () => {
  it('advises if memory cannot be allocated', () => {
    expect(memoryFor('sample', () => makeKernels(8)).heap.length).toBeGreaterThanOrEqual(8);
    withoutMemory(() => {
      expect(() => memoryFor('sample', () => makeKernels(2 ** 20))).toThrow(
        new RangeError('sample: cannot allocate 4 MiB of memory; use fewer images at a time'),
      );
    });
  });

  it('passes on what else goes wrong', () => {
    const broken = new TypeError('broken');
    const act = () => {
      throw broken;
    };
    expect(() => memoryFor('sample', act)).toThrow(broken);
  });
});
