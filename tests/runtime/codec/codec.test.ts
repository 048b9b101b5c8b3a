import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { compress as compressTensors, decompress as decompressTensors, pixelCNN, toPortable } from 'pixelcnn-layers';
import { compress, type DecompressOptions, decompress, logProb, type PortableModel, sample } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { compressOptions, planCompress } from '../../../src/runtime/codec/compress';
import { decompressOptions, planDecompress } from '../../../src/runtime/codec/decompress';
import { readFile, writeFile } from '../../../src/runtime/codec/format';
import { readArguments } from '../../../src/runtime/core/arguments';
import { Digest } from '../../../src/runtime/core/digest';
import { digestOf } from '../../../src/runtime/program/file';
import { engineModel } from '../../../src/runtime/sampling/portable';
import { onBackend } from '../../support/backends';
import { errorOf } from '../../support/errors';
import { bytesOf } from '../../support/golden/files';
import { portableModel } from '../../support/models/portable-model.mjs';
import { forAllAsync, sampled } from '../../support/runs';
import { noise, setNoise, take } from '../../support/tensors';

/** Levels of images at random. */
const randomLevels = (count: number, levels: number, seed: number) =>
  Uint16Array.from(noise(count, seed), (x) => Math.floor(((x + 1) / 2) * levels));

/** A copy with another number. */
function changed<Numbers extends Uint8Array | Uint16Array | Float32Array>(numbers: Numbers, at: number, to: number): Numbers {
  const copy = numbers.slice() as Numbers;
  copy[at] = to;
  return copy;
}

/** A file of three images without codes whose flags say something else, of a right checksum. */
function withFlags(file: Uint8Array, flags: number): Uint8Array {
  const copy = changed(file, 4 + 1 + 16 + 5, flags);
  const head = copy.subarray(0, -8);
  copy.set(new Digest().add(head).finish().subarray(0, 8), head.length);
  return copy;
}

/** Bytes of a header and index of so many images, at most: of the index 12 an image. */
const HEADER = 60;

/** Compressing and decompressing gives the same images, in as many bytes as the likelihoods promise. */
async function expectExact(
  model: PortableModel,
  images: { data: Uint16Array | Uint8Array | Int32Array; shape: readonly [number, number, number, number] },
  given: { condition?: never } = {},
): Promise<Uint8Array> {
  const bytes = await compress(model, images, given);
  const back = await decompress(model, bytes, given);
  expect(back.shape).toEqual(images.shape);
  expect(Array.from(back.data)).toEqual(Array.from(images.data));
  const nats = await logProb(model, images, given);
  const promised = nats.reduce((sum, one) => sum - one / Math.LN2 / 8, 0);
  const rounding = (images.data.length * (model.levels > 256 ? 0.0011 : 0.0004)) / 8;
  expect(bytes.length).toBeLessThanOrEqual(HEADER + promised + rounding + 16 * nats.length);
  return bytes;
}

onBackend('cpu', 'compress and decompress', () => {
  /** What is to be read of a file, checked. */
  const planned = (model: PortableModel, bytes: Uint8Array, options: DecompressOptions) =>
    planDecompress(engineModel(model), bytes, readArguments('decompress', options, decompressOptions));

  it('restore the images, from as many bytes as their likelihoods require', async () => {
    const cases = fc.record({
      size: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })), channels: fc.integer({ min: 1, max: 3 }),
      levels: fc.constantFrom(2, 3, 17, 256, 300), isAny: fc.boolean(), numClasses: fc.constantFrom(0, 0, 3),
      mapSize: fc.constantFrom(0, 0, 2), numImages: fc.constantFrom(1, 2, 7), kind: fc.constantFrom('drawn', 'noise', 'flat'),
      storeCondition: fc.boolean(), seed: fc.integer({ min: 0, max: 999 }),
    }); // biome-ignore format: in few lines
    await forAllAsync([cases], { numRuns: 15, seed: 1 }, async (one) => {
      const { size, channels, levels, isAny, numClasses, mapSize, numImages, kind, storeCondition, seed } = one;
      const imageShape = [...size, channels] as [number, number, number];
      const model = portableModel({ imageShape: isAny ? [null, null, channels] : imageShape, levels, features: 6, numClasses, mapSize });
      const all = {
        ...(numClasses > 0 && { class: Array.from({ length: numImages }, (_, n) => n % numClasses) }),
        ...(mapSize > 0 && { map: { data: noise(numImages * size[0] * size[1] * mapSize, seed), shape: [numImages, ...size, mapSize] } }),
      };
      const given = Object.keys(all).length > 0 ? { condition: all as never } : {};
      const count = numImages * size[0] * size[1] * channels;
      const shape = [numImages, ...imageShape] as [number, number, number, number];
      const images =
        kind === 'drawn'
          ? await sample(model, { numImages, seed, imageShape, ...given })
          : { data: kind === 'flat' ? new Uint16Array(count).fill(levels - 1) : randomLevels(count, levels, seed), shape };
      const bytes = await expectExact(model, images, given);
      if (storeCondition) {
        const whole = await compress(model, images, { ...given, storeCondition });
        expect(Array.from((await decompress(model, whole)).data)).toEqual(Array.from(images.data));
        if (numClasses + mapSize === 0) expect(whole).toEqual(bytes);
      }
    });
  });

  const network = { imageShape: [4, 4, 1] as [number, number, number], levels: 9, hiddenDim: 3, outDim: 4, numBlocks: 1 };

  it.each([
    ['a mixture', { imageShape: [4, 5, 3], levels: 256, output: { components: 3 } }],
    ['a mixture of 65,536 levels', { levels: 65_536, output: { components: 2 } }],
    ['Gaussians of 65,536 levels', { imageShape: [3, 4, 2], levels: 65_536, output: 'gaussian' }],
    ['a softmax of 4,096 levels', { imageShape: [3, 3, 1], levels: 4096 }],
  ] as [string, object][])('work with %s', async (_, args) => {
    const made = pixelCNN({ ...network, ...args });
    setNoise(made, 5, 1.5);
    const model = await toPortable(made);
    made.dispose();
    const drawn = await sample(model, { numImages: 5, seed: 1 });
    await expectExact(model, drawn);
    await expectExact(model, { ...drawn, data: randomLevels(drawn.data.length, model.levels, 3) });
  });

  it('keep each image by itself, so that some can be read', async () => {
    const model = portableModel({ numClasses: 3 });
    const condition = Array.from({ length: 300 }, (_, n) => n % 3);
    const images = await sample(model, { numImages: 300, seed: 4, condition }); // more than are coded side by side
    const bytes = await compress(model, images, { condition });
    const size = images.data.length / 300;
    const pairs = [[0, 1], [255, 3], [299, 1], [7, 200]] as const; // biome-ignore format: a line
    for (const [firstImage, numImages] of pairs) {
      const own = condition.slice(firstImage, firstImage + numImages);
      const some = await decompress(model, bytes, { firstImage, numImages, condition: own });
      expect(some.shape).toEqual([numImages, 6, 5, 2]);
      expect(some.data).toEqual(images.data.slice(firstImage * size, (firstImage + numImages) * size));
    }
    const stored = await compress(model, images, { condition, storeCondition: true });
    expect((await decompress(model, stored, { firstImage: 290 })).data).toEqual(images.data.slice(290 * size));
  });

  it('report progress, and stop', async () => {
    const model = portableModel({ imageShape: [4, 3, 1] });
    const images = { data: randomLevels(24, 5, 1), shape: [2, 4, 3, 1] };
    const onProgress = vi.fn();
    const bytes = await compress(model, images, { onProgress });
    expect(onProgress.mock.calls.map(([progress]) => progress)).toEqual([6, 12, 18, 24].map((done) => ({ done, total: 24 })));
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(compress(model, images, { signal })).rejects.toThrow('enough');
    await expect(decompress(model, bytes, { signal })).rejects.toThrow('enough');
    for (const rows of [1, 4]) {
      const stop = new AbortController(); // in the midst of it, and after the last row
      const heard = vi.fn(({ done }) => done === 6 * rows && stop.abort(new Error('enough')));
      const job = compress(model, images, { signal: stop.signal, onProgress: heard });
      await expect(job).rejects.toThrow('enough');
      expect(heard).toHaveBeenCalledTimes(rows);
    }
  });

  it('keep the given images, even if the array changes meanwhile', async () => {
    const model = portableModel({ imageShape: [4, 3, 1] });
    const data = randomLevels(24, 5, 1);
    const before = data.slice();
    const bytes = await compress(model, { data, shape: [2, 4, 3, 1] }, { onProgress: () => data.fill(99) });
    expect(Array.from((await decompress(model, bytes)).data)).toEqual(Array.from(before));
  });

  describe('of any size', () => {
    const model = portableModel({ imageShape: [null, null, 1], levels: 2, features: 1, blocks: 0 });
    /** A file that asks for many values in few bytes. */
    const file = (height: number, width: number, of = model) => {
      const header = { digest: digestOf(of), numImages: 1, levels: 2, conditions: [] };
      const image = { code: new Uint8Array(0), checksum: 0n };
      return writeFile({ ...header, imageShape: [height, width, 1] }, [], [image]);
    };

    it('accept images of the same sizes, up to 2^28 values', () => {
      const large = { data: new Uint8Array(4096 * 4097), shape: [1, 4096, 4097, 1] };
      expect(planCompress(engineModel(model), large, readArguments('compress', {}, compressOptions)).imageShape).toEqual([4096, 4097, 1]);
      expect(planned(model, file(4096, 4097), { maxValues: 4096 * 4097 }).imageShape).toEqual([4096, 4097, 1]);
      const wanted = 'wanted sizes whose product is at most 268435456';
      const any = { maxValues: Number.MAX_SAFE_INTEGER };
      expect(() => planned(model, file(60_000, 60_000), any)).toThrow(`decompress: file: images: ${wanted}, got [60000, 60000, 1]`);
      expect(() => planned(model, file(2 ** 20, 2 ** 20), any)).toThrow(wanted);
    });

    it('restore at most 2^24 values by default, also as tensors', async () => {
      const network = pixelCNN({ imageShape: [null, null, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0, seed: 1 });
      const portable = await toPortable(network);
      expect(planned(model, file(4096, 4096), {}).imageShape).toEqual([4096, 4096, 1]);
      for (const height of [4097, 65_536, 2 ** 36])
        for (const job of [decompress(model, file(height, 4096)), decompressTensors(network, file(height, 4096, portable))]) {
          await expect(job).rejects.toThrow(
            errorOf(RangeError, `decompress: file: 1 images: wanted at most 16777216 values (maxValues), got ${height * 4096}`),
          );
        }
    });
  });

  it('take a pass over the weights of a model once', async () => {
    const model = portableModel();
    const { data } = [...model.weights.values()][0] as { data: Float32Array };
    const images = { data: randomLevels(60, 5, 1), shape: [1, 6, 5, 2] };
    const add = vi.spyOn(Digest.prototype, 'add');
    const timesRead = () => add.mock.calls.filter(([{ buffer }]) => buffer === data.buffer).length;
    const bytes = await compress(model, images);
    expect(timesRead()).toBe(1);
    expect(await compress(model, images)).toEqual(bytes);
    await decompress(model, bytes);
    expect(timesRead()).toBe(1);
    await compress({ ...model }, images);
    expect(timesRead()).toBe(2);
    add.mockRestore();
  });

  it('restore at most maxValues of the requested values', async () => {
    const model = portableModel({ imageShape: [4, 3, 1] });
    const images = { data: randomLevels(36, 5, 1), shape: [3, 4, 3, 1] };
    const bytes = await compress(model, images);
    const refused = (options: object, most: number, got: number) => {
      const plan = () => planned(model, bytes, { ...options, maxValues: most });
      expect(plan).toThrow(errorOf(RangeError, `wanted at most ${most} values (maxValues), got ${got}`));
    };
    refused({}, 35, 36);
    refused({ firstImage: 1 }, 23, 24);
    refused({ firstImage: 1, numImages: 1 }, 11, 12);
    expect((await decompress(model, bytes, { maxValues: 36 })).data).toHaveLength(36);
    expect((await decompress(model, bytes, { firstImage: 2, maxValues: 12 })).data).toHaveLength(12);
    for (const maxValues of [0, 1.5, Number.NaN, '9'])
      expect(() => planned(model, bytes, { maxValues: maxValues as never })).toThrow(
        'decompress: maxValues: wanted an integer of at least 1',
      );
  });
});

onBackend('cpu', 'the codec elsewhere', () => {
  it('reads and writes the file of version 2, to the byte', async () => {
    const model = portableModel({ numClasses: 3 });
    const condition = [0, 1, 2, 0, 1];
    const images = await sample(model, { numImages: 5, seed: 4, condition });
    const kept = await bytesOf('tests/golden/codec/version-2.pxc');
    expect(await compress(model, images, { condition, storeCondition: true })).toEqual(kept);
    expect(await decompress(model, kept)).toEqual(images);
  });

  // Chromium loads no module twice.
  it.skipIf(typeof document !== 'undefined').each(['Module', 'Instance'])(
    'reads and writes it to the byte where a page may make no WebAssembly.%s, also by a mixture',
    async (name) => {
      const network = pixelCNN({ imageShape: [4, 5, 3], levels: 256, hiddenDim: 3, outDim: 6, numBlocks: 1, output: { components: 3 } });
      setNoise(network, 2);
      const mixture = await toPortable(network);
      network.dispose();
      const drawn = await sample(mixture, { numImages: 3, seed: 1 });
      const here = await compress(mixture, drawn);
      vi.resetModules(); // modules compiled before are kept
      class Forbidden {
        constructor() {
          throw new WebAssembly.CompileError('Refused by the policy of the page');
        }
      }
      const { CompileError, Memory, Instance, Module } = WebAssembly;
      vi.stubGlobal('WebAssembly', { CompileError, Memory, Instance, Module, [name]: Forbidden }); // WebKit refuses only instances
      try {
        const there = await import('pixelcnn-layers/runtime');
        const { webAssemblyKernels } = await import('../../../src/runtime/kernels/webassembly');
        expect(webAssemblyKernels(8)).toBeNull();
        const model = portableModel({ numClasses: 3 });
        const kept = await bytesOf('tests/golden/codec/version-2.pxc');
        const images = await there.decompress(model, kept);
        const options = { condition: [0, 1, 2, 0, 1], storeCondition: true };
        expect(await there.compress(model, images, options)).toEqual(kept);
        expect(await there.compress(mixture, drawn)).toEqual(here);
        expect(await there.decompress(mixture, here)).toEqual(drawn);
      } finally {
        vi.unstubAllGlobals();
        vi.resetModules();
      }
    },
  );

  it('take and return tensors', async () => {
    const network = pixelCNN({ imageShape: [4, 4, 1], levels: 5, hiddenDim: 3, outDim: 4, numBlocks: 1 });
    setNoise(network, 5, 1.5);
    const images = tf.tensor4d([...randomLevels(48, 5, 2)], [3, 4, 4, 1], 'int32');
    const before = tf.memory().numTensors;
    const bytes = await compressTensors(network, images);
    expect(bytes).toEqual(await compress(await toPortable(network), { data: await images.data(), shape: images.shape }));
    const back = await decompressTensors(network, bytes);
    expect([back.dtype, back.shape]).toEqual(['int32', [3, 4, 4, 1]]);
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(await take(back)).toEqual(Array.from(await images.data()));
    await expect(compressTensors(network, tf.zeros([2, 2]))).rejects.toThrow('compress: images: wanted a tensor of levels [N,H,W,C]');
    const plain = compressTensors(network, { data: [0], shape: [1, 1, 1, 1] } as never);
    await expect(plain).rejects.toThrow('compress: images: wanted a tensor of levels [N,H,W,C], got Object');
    images.dispose();
    network.dispose();
  });
});

describe('a file that is not as it should be', () => {
  const model = portableModel({ imageShape: [4, 3, 1], numClasses: 2 });
  const images = { data: randomLevels(36, 5, 1), shape: [3, 4, 3, 1] };
  const condition = [0, 1, 1];
  let bytes: Uint8Array;
  beforeAll(async () => {
    bytes = await compress(model, images, { condition, storeCondition: true });
  });

  it('is an error, never other images: whichever byte is changed, added or missing', async () => {
    const flip = (at: number, bits: number) => changed(bytes, at, (bytes[at] as number) ^ bits);
    const wrong = [
      ...sampled(3 * bytes.length, 90).map((i) => flip(Math.floor(i / 3), [1, 128, 255][i % 3] as number)),
      ...sampled(bytes.length, 40).map((length) => bytes.slice(0, length)),
      Uint8Array.of(...bytes, 0),
      new Uint8Array(1000),
    ];
    for (const file of wrong) await expect(decompress(model, file)).rejects.toThrow(/^decompress: (file|image)/);
  });

  it('is refused quickly, with an error that states the damage, whatever sizes it states', async () => {
    const stored = { class: [0, 1, 1] };
    const kinds = [{ kind: 'class', numClasses: 2 }] as const;
    /** Of right checksums. */
    const made = ({ numImages = 3, height = 4, levels = 5, classes = stored.class }) => {
      const conditions = [{ shape: [1], values: Float32Array.from(classes) }];
      const header = { digest: digestOf(model), numImages, imageShape: [height, 3, 1] as const, levels };
      const image = { code: new Uint8Array(0), checksum: 0n };
      return writeFile({ ...header, conditions }, kinds, [image, image, image]);
    };
    for (const [file, message] of [
      [made({}), 'image 0: damaged, or compressed with another condition'],
      [made({ numImages: 2 ** 40 }), 'file: truncated or damaged: too short for so many images'],
      [made({ numImages: 6 }), 'file: truncated or damaged: too short for so many images'],
      [made({ numImages: 0 }), 'file: images: wanted an integer of at least 1, got 0'],
      [made({ height: 0 }), 'file: height: wanted an integer of at least 1, got 0'],
      [made({ height: 5 }), 'file: images: wanted [4, 3, 1], got [5, 3, 1]'],
      [made({ levels: 6 }), "file: damaged: its levels differ from its model's"],
      [made({ classes: [0, 1, 2] }), 'file: condition: wanted an integer from 0 to 1, got 2'],
      [withFlags(made({}), 2), 'file: damaged: it has unknown flags'],
      [withFlags(made({}), 0), 'file: '], // the classes are taken for lengths of codes
      [changed(made({}), 4, 0), 'file: wanted version 2, got 0'],
      [bytes.slice(0, -1), 'file: truncated or damaged: wanted '],
    ] as const)
      await expect(decompress(model, file)).rejects.toThrow(`decompress: ${message}`);
  });

  it('has numbers of any length, and codes as integers', () => {
    const kinds = [{ kind: 'codes', levels: 2 ** 22, shape: [1, 6] }] as const;
    const values = Float32Array.of(0, 127, 128, 16_383, 16_384, 2 ** 22 - 1);
    const conditions = [{ shape: [1, 6, 1], values }];
    const digest = new Uint8Array(16);
    const head = { digest, numImages: 1, imageShape: [128, 16_384, 1] as const, levels: 65_536, conditions };
    const file = writeFile(head, kinds, [{ code: new Uint8Array(128), checksum: 7n }]);
    expect(file.length).toBe(21 + (1 + 2 + 3 + 1 + 3) + 1 + (1 + 1 + 2 + 2 + 3 + 4) + (2 + 8) + 8 + 128);
    const { image: imageOf, ...header } = readFile(file, kinds, digest);
    expect(header).toEqual(head);
    expect(imageOf(0)).toEqual({ code: new Uint8Array(128), checksum: 7n });

    const short = { shape: [1, 6, 1], values: new Float32Array(6) }; // 6 bytes, where numbers would be 24
    const image = { code: new Uint8Array(0), checksum: 7n };
    const least = writeFile({ ...head, conditions: [short] }, kinds, [image]);
    expect(readFile(least, kinds, digest).conditions).toEqual([short]);
    const map = [{ kind: 'map', size: 1 }] as const; // 2^48 of them: nothing is asked for
    const vast = writeFile({ ...head, imageShape: [2 ** 24, 2 ** 24, 1], conditions: [short] }, map, [image]);
    expect(() => readFile(vast, map, digest)).toThrow('too short for its conditions');
    const endless = Uint8Array.of(...file.subarray(0, 21), ...new Uint8Array(200).fill(255), 0);
    expect(() => readFile(endless, kinds, digest)).toThrow('damaged: a number is too long');
  });

  it('was compressed with another model', async () => {
    const other = portableModel({ imageShape: [4, 3, 1], numClasses: 2, features: 4 });
    await expect(decompress(other, bytes)).rejects.toThrow('decompress: file: compressed with another model');
    const weights = new Map(model.weights);
    const [name, { shape, data }] = [...weights][0] as [string, { shape: number[]; data: Float32Array }];
    weights.set(name, { shape, data: changed(data, 0, (data[0] as number) + 1e-3) });
    await expect(decompress({ ...model, weights }, bytes)).rejects.toThrow('compressed with another model');
    expect((await decompress(structuredClone(model), bytes)).data).toEqual(Uint8Array.from(images.data));
  });

  it('mentions conditions only if there are some', async () => {
    const plain = portableModel({ imageShape: [4, 3, 1] });
    const file = await compress(plain, images);
    const bad = changed(file, file.length - 1, (file.at(-1) as number) ^ 1);
    await expect(decompress(plain, bad)).rejects.toThrow(/^decompress: image 2: damaged$/);
  });

  it('has other conditions, or is read with wrong options', async () => {
    const without = await compress(model, images, { condition });
    const damaged = (image: number) => `image ${image}: damaged, or compressed with another condition`;
    const wrong: [file: Uint8Array, options: object, message: string][] = [
      [without, {}, 'condition: wanted the condition of the images, which the file does not hold, got undefined'],
      [without, { condition: [1, 1, 1] }, damaged(0)],
      [without, { condition: [0], firstImage: 2 }, damaged(2)],
      [bytes, { condition }, 'condition: wanted none, since the file holds it'],
      [bytes, { firstImage: 3 }, 'firstImage: wanted an integer from 0 to 2, got 3'],
      [bytes, { firstImage: 1, numImages: 3 }, 'numImages: wanted an integer from 1 to 2, got 3'],
      [[...bytes] as never, {}, 'bytes: wanted a Uint8Array'],
    ];
    for (const [file, options, message] of wrong) await expect(decompress(model, file, options)).rejects.toThrow(`decompress: ${message}`);
  });

  it('is not written of wrong images or models', async () => {
    await expect(compress(model, { ...images, data: changed(images.data, 0, 5) }, { condition })).rejects.toThrow('compress: images');
    await expect(compress(model, images)).rejects.toThrow('compress: condition: wanted');
    await expect(compress({} as never, images)).rejects.toThrow('compress: model: wanted a portable model');
    await expect(compress(portableModel({ levels: 65_537, features: 2 }), images)).rejects.toThrow(
      'compress: model: wanted at most 65536 levels, got 65537',
    );
  });
});
