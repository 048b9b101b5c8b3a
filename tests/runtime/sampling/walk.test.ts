import * as tf from '@tensorflow/tfjs-core';
import {
  type AutoregressiveModel,
  compress as compressTensors,
  decompress as decompressTensors,
  pixelCNN,
  sample as sampleTensors,
  toPortable,
} from 'pixelcnn-layers';
import { compress, decompress, logProb, type PortableModel, sample } from 'pixelcnn-layers/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeFile } from '../../../src/runtime/codec/format';
import { Evaluator, evaluatorFor } from '../../../src/runtime/engine/evaluator';
import { digestOf } from '../../../src/runtime/program/file';
import { onBackend, useBackend } from '../../support/backends';
import { networksOf } from '../../support/models/networks';
import { noise, setNoise } from '../../support/tensors';

/** The first row is computed in several parts, before its first value. */
const WIDTH = 2 ** 11;
const LEVELS = 2;

describe('an abort before the first value of a long row', () => {
  let model: AutoregressiveModel;
  let portable: PortableModel;
  let file: Uint8Array;
  const images = { data: new Uint8Array(WIDTH), shape: [1, 1, WIDTH, 1] };
  beforeAll(async () => {
    await useBackend('cpu');
    const sizes = { levels: LEVELS, hiddenDim: 32, outDim: 4, numBlocks: 3, firstKernelSize: 3, kernelSize: 5 };
    model = pixelCNN({ imageShape: [null, null, 1], ...sizes });
    portable = await toPortable(model);
    const header = { digest: digestOf(portable), numImages: 1, levels: LEVELS, conditions: [] };
    const image = { code: new Uint8Array(0), checksum: 0n };
    file = writeFile({ ...header, imageShape: [1, WIDTH, 1] }, [], [image]);
  });
  afterAll(() => model.dispose());
  afterEach(() => vi.restoreAllMocks());

  const tensor = <T>(job: (images: tf.Tensor4D) => Promise<T>): Promise<T> => {
    const given = tf.zeros<tf.Rank.R4>([1, 1, WIDTH, 1], 'int32');
    return job(given).finally(() => given.dispose());
  };
  const imageShape: [number, number, number] = [1, WIDTH, 1];
  it.each<[string, (options: { signal: AbortSignal }) => Promise<unknown>]>([
    ['sample', (options) => sample(portable, { imageShape, ...options })],
    ['logProb', (options) => logProb(portable, images, options)],
    ['compress', (options) => compress(portable, images, options)],
    ['decompress', (options) => decompress(portable, file, options)],
    ['sample of tensors', (options) => sampleTensors(model, { imageShape, ...options })],
    ['compress of tensors', (options) => tensor((given) => compressTensors(model, given, options))],
    ['decompress of tensors', (options) => decompressTensors(model, file, options)],
  ])('is heard between the parts by %s', async (_, start) => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000)); // each part takes long
    const aborter = new AbortController();
    const { beginRow } = Evaluator.prototype;
    let parts = 0;
    vi.spyOn(Evaluator.prototype, 'beginRow').mockImplementation(function* (this: Evaluator, row: number) {
      for (const _ of beginRow.call(this, row)) {
        parts++;
        aborter.abort();
        yield;
      }
    });
    await expect(start({ signal: aborter.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(parts).toBe(1);
  });

  it('comes while there are more parts', () => {
    const parts = [...evaluatorFor(portable, { numImages: 1, imageShape }).beginRow(0)];
    expect(parts.length).toBeGreaterThan(2);
  });
});

onBackend('cpu', 'a row that is computed in parts', () => {
  const imageShape: [number, number, number] = [4, 64, 1];
  it.each(Object.entries(networksOf(imageShape, 32)))('computes the same bits as at once, with %s', async (_, make) => {
    const model = make();
    setNoise(model);
    const portable = await toPortable(model);
    const numImages = 32;
    const size = 256;
    const data = Uint8Array.from(noise(numImages * size), (x) => (x + 1) * 1.49);
    const codes = Uint8Array.from(noise(numImages * 64, 2), (x) => (x + 1) * 1.99);
    const ofImages = (first: number, count: number) => {
      const images = data.slice(first * size, (first + count) * size);
      const of = codes.slice(first * 64, (first + count) * 64);
      const condition = { data: of, shape: [count, 2, 32] };
      const options = { perValue: true, ...(portable.conditions.length > 0 && { condition }) };
      return logProb(portable, { data: images, shape: [count, ...imageShape] }, options);
    };
    const together = await ofImages(0, numImages); // too much work for one part
    for (const n of [0, 31]) expect(await ofImages(n, 1)).toEqual(together.slice(n * size, (n + 1) * size));
    const conditions = portable.conditions.map(() => ({ shape: [2, 32, 1], values: Float32Array.from(codes) }));
    const evaluator = evaluatorFor(portable, { numImages, imageShape, conditions, numConditions: numImages });
    expect([...evaluator.beginRow(0)].length).toBeGreaterThan(2);
  });
});
