import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { DATASETS, readDataset } from '../../../kit/data/datasets.mjs';
import { pickImages } from '../../../kit/data/pick-images.mjs';
import { classesOf } from '../../../kit/models/classes.mjs';
import { npyOf } from '../../../kit/weights/npy.mjs';
import { temporaryFolder } from '../../support/node/temporary-folder';

const path = temporaryFolder({ isOfEachTest: true });
const put = (name: string, bytes: Uint8Array) => writeFile(join(path, name), bytes);
const sum = (levels: ArrayLike<number>) => Array.from(levels).reduce((a, b) => a + b, 0);

it.each(['imagenet', 'toString'])('the names are listed where one is unknown: %s', async (name) => {
  expect(DATASETS).toEqual(['digits', 'fashion-mnist', 'mnist', 'binarized-mnist', 'cifar-10', 'emoji', 'folder', 'npy']);
  await expect(readDataset(name)).rejects.toThrow(`wanted ${DATASETS.join(', ')}, got '${name}'`);
});

it('digits are 1,500 and 297, of 17 levels, with labels', async () => {
  const { name, train, test, about } = await readDataset('digits');
  expect([name, about]).toEqual(['digits', expect.stringMatching(/^handwritten digits.*$/)]);
  expect(train).toMatchObject({ shape: [1500, 8, 8, 1], levels: 17, labels: { length: 1500 } });
  expect(test).toMatchObject({ shape: [297, 8, 8, 1], levels: 17, labels: { length: 297 } });
  expect([new Set(train.data).size, new Set(train.labels).size]).toEqual([17, 10]);
});

it('emoji are 1,720 and 191, byte for byte', async () => {
  const { train, test } = await readDataset('emoji');
  expect(train).toMatchObject({ shape: [1720, 16, 16, 3], levels: 256 });
  expect(test).toMatchObject({ shape: [191, 16, 16, 3], levels: 256 });
  expect([sum(train.data), sum(test.data)]).toEqual([257_644_165, 28_600_721]);
  expect(train.labels).toBeUndefined();
});

it.each(['emoji', 'digits'])('%s takes no path, being embedded', async (name) => {
  await expect(readDataset(name, { path })).rejects.toThrow(`${name}: is embedded, takes no --path`);
});

/** IDX: a magic number whose last byte counts the dimensions, their lengths, then the bytes. */
function idx(lengths: number[], bytes: number[]): Uint8Array {
  const header = [0, 0, 8, lengths.length, ...lengths.flatMap((length) => [0, 0, 0, length])];
  return Uint8Array.from([...header, ...bytes]);
}

const IDX_FILES: Record<string, Uint8Array> = {
  'train-images-idx3-ubyte': idx([2, 1, 3], [1, 2, 3, 4, 5, 255]),
  'train-labels-idx1-ubyte': idx([2], [7, 9]),
  't10k-images-idx3-ubyte': idx([1, 1, 3], [6, 0, 8]),
  't10k-labels-idx1-ubyte': idx([1], [3]),
};
const IDX_NAMES = Object.keys(IDX_FILES).join(', ');

describe('mnist', () => {
  const dotted = (name: string) => name.replace('-idx', '.idx');

  it.each([
    ['plain', (name: string) => name, (bytes: Uint8Array) => bytes],
    ['gzipped', (name: string) => `${name}.gz`, gzipSync],
    ['gzipped, with a dot', (name: string) => `${dotted(name)}.gz`, gzipSync],
  ])('reads IDX files: %s', async (_, spell, pack) => {
    for (const [name, bytes] of Object.entries(IDX_FILES)) await put(spell(name), pack(bytes));
    for (const name of ['mnist', 'fashion-mnist']) {
      const { train, test } = await readDataset(name, { path });
      expect(train).toMatchObject({ shape: [2, 1, 3, 1], levels: 256 });
      expect(test).toMatchObject({ shape: [1, 1, 3, 1], levels: 256 });
      expect([...train.data, ...test.data]).toEqual([1, 2, 3, 4, 5, 255, 6, 0, 8]);
      expect([...(train.labels ?? []), ...(test.labels ?? [])]).toEqual([7, 9, 3]);
    }
  });

  it('names the directory, the files that lack, and all it wants', async () => {
    await put('train-images-idx3-ubyte', idx([1, 1, 1], [0]));
    await expect(readDataset('mnist', { path })).rejects.toThrow(
      `mnist: '${path}' lacks train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte; ` +
        `wanted --path to a directory with ${IDX_NAMES}`,
    );
  });

  it('names a file that is cut off', async () => {
    for (const [name, bytes] of Object.entries(IDX_FILES)) {
      await put(`${name}.gz`, gzipSync(bytes).subarray(0, 20));
    }
    await expect(readDataset('mnist', { path })).rejects.toThrow(/-ubyte\.gz' does not unpack: ./);
  });
});

describe('fashion-mnist', () => {
  const isInstalled = existsSync('/usr/share/datasets/fashion-mnist');

  it.runIf(isInstalled)('reads the files of its Debian package', async () => {
    const { train, test } = await readDataset('fashion-mnist');
    expect(train).toMatchObject({ shape: [60_000, 28, 28, 1], levels: 256 });
    expect(test).toMatchObject({ shape: [10_000, 28, 28, 1], levels: 256 });
    // A tenth of the images is of each class.
    expect([train, test].map(({ labels }) => sum(labels ?? new Uint8Array()))).toEqual([270_000, 45_000]);
  });

  it.skipIf(isInstalled)('says how to install it', async () => {
    const answer = `wanted --path to a directory with ${IDX_NAMES}; or on Debian, apt-get install dataset-fashion-mnist`;
    await expect(readDataset('fashion-mnist')).rejects.toThrow(answer);
  });
});

describe('binarized-mnist', () => {
  /** Images whose ink begins at that pixel. */
  const inkFrom = (...pixels: number[]) => pixels.flatMap((first) => Array.from({ length: 784 }, (_, pixel) => (pixel < first ? 0 : 1)));
  const parts = { train: inkFrom(3, 700), valid: inkFrom(100), test: inkFrom(11, 400, 783) };
  const textOf = (bits: number[]) => Buffer.from(bits.map((bit, i) => `${bit}${i % 784 === 783 ? '\r\n' : ' '}`).join(''));
  const bytesOf = (bits: number[]) =>
    Uint8Array.from({ length: bits.length / 8 }, (_, i) => Number.parseInt(bits.slice(8 * i, 8 * i + 8).join(''), 2));

  it.each([
    ['its text files', 'binarized_mnist_NAME.amat', textOf],
    ['files of bits', 'NAME.bits.gz', (bits: number[]) => gzipSync(bytesOf(bits))],
  ])('reads %s, with validation images', async (_, spelling, pack) => {
    for (const [name, bits] of Object.entries(parts)) await put(spelling.replace('NAME', name), pack(bits));
    const { train, validation, test } = await readDataset('binarized-mnist', { path });
    for (const [set, count] of [[train, 2], [validation, 1], [test, 3]] as const)
      expect(set).toMatchObject({ shape: [count, 28, 28, 1], levels: 2 }); // biome-ignore format: one list
    expect([train, validation, test].map((set) => [...(set?.data ?? [])])).toEqual(Object.values(parts));
  });

  it.each([
    ['another character', '1 2 1', 'got byte 50 at 2'],
    ['nothing', '\n', 'got 0'],
  ])('names a text with %s', async (_, text, got) => {
    for (const part of ['train', 'valid']) await put(`binarized_mnist_${part}.amat`, textOf(parts.valid));
    await put('binarized_mnist_test.amat', Buffer.from(text));
    const answer = `binarized-mnist: '${path}': binarized_mnist_test.amat: wanted images of 784 values 0 or 1, ${got}`;
    await expect(readDataset('binarized-mnist', { path })).rejects.toThrow(answer);
  });

  it('names the files of either kind', async () => {
    const both = /wanted --path to a directory with binarized_mnist_train\.amat.*or with train\.bits, valid\.bits, test\.bits/;
    await expect(readDataset('binarized-mnist')).rejects.toThrow(both);
    await put('train.bits', bytesOf(parts.train));
    await expect(readDataset('binarized-mnist', { path })).rejects.toThrow(`'${path}' lacks valid.bits, test.bits`);
    for (const [name, bits] of Object.entries(parts)) await put(`${name}.bits`, bytesOf(bits));
    await put('binarized_mnist_train.amat.gz', gzipSync(textOf(parts.train)));
    const lacks = `'${path}' lacks binarized_mnist_valid.amat, binarized_mnist_test.amat; wanted --path`;
    await expect(readDataset('binarized-mnist', { path })).rejects.toThrow(lacks); // no files of two kinds
  });
});

describe('cifar-10', () => {
  /** One image of that class: its planes are all 10, all 20 and all 30. */
  const record = (label: number) => Uint8Array.from([label, ...[10, 20, 30].flatMap((level) => new Array(1024).fill(level))]);
  const NAMES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);

  it('reads five batches and the test, plain or gzipped', async () => {
    for (const [i, name] of NAMES.entries()) await put(name, record(i));
    await put('test_batch.bin.gz', gzipSync(record(9)));
    const { train, test } = await readDataset('cifar-10', { path });
    expect(train).toMatchObject({ shape: [5, 32, 32, 3], levels: 256, labels: Uint8Array.of(0, 1, 2, 3, 4) });
    expect(test).toMatchObject({ shape: [1, 32, 32, 3], levels: 256, labels: Uint8Array.of(9) });
    expect([...test.data.subarray(0, 6)]).toEqual([10, 20, 30, 10, 20, 30]);
  });
});

describe('folder', () => {
  /** A PNG of one colour. */
  function png(rgba: number[], width = 2, height = 3): Buffer {
    const image = new PNG({ width, height });
    for (let at = 0; at < image.data.length; at += 4) image.data.set(rgba, at);
    return PNG.sync.write(image);
  }
  const putGrays = async (count: number) => {
    for (let i = 0; i < count; i++) await put(`${String.fromCharCode(97 + i)}.png`, png([i, i, i, 255]));
  };

  it('reads gray images in the order of their names, and tests on each tenth', async () => {
    await putGrays(21);
    await put('notes.txt', Uint8Array.of(1));
    const { train, test, about } = await readDataset('folder', { path });
    expect(about).toBe(`PNGs of ${path}`);
    expect(train).toMatchObject({ shape: [19, 3, 2, 1], levels: 256 });
    expect(test.shape).toEqual([2, 3, 2, 1]);
    expect([...new Set(test.data)]).toEqual([9, 19]);
    expect([...new Set(train.data)]).toEqual([...Array(21).keys()].filter((i) => i % 10 !== 9));
  });

  it('reads RGB where one image has colour, laid on white', async () => {
    await putGrays(9);
    await put('z.PNG', png([200, 100, 0, 51])); // a fifth of it, on white
    const { train, test } = await readDataset('folder', { path });
    expect(train.shape).toEqual([9, 3, 2, 3]);
    expect(test.shape).toEqual([1, 3, 2, 3]);
    expect([...test.data.subarray(0, 6)]).toEqual([244, 224, 204, 244, 224, 204]);
  });

  it.each([
    ['the file of another size', 10, 'odd.png', png([0, 0, 0, 255], 4, 3), "PATH/odd.png' is 4x3, 'PATH/a.png' 2x3"],
    ['the file that is no PNG', 10, 'text.png', Buffer.from('not at all a PNG'), "PATH/text.png' is not a readable PNG"],
    ['how many there are where they are too few', 3, 'notes.txt', Buffer.from(''), "PATH' has 3; wanted --path to a directory"],
  ])('names %s', async (_, count, name, bytes, message) => {
    await putGrays(count);
    await put(name, bytes);
    await expect(readDataset('folder', { path })).rejects.toThrow(message.replaceAll('PATH', path));
  });
});

describe('npy', () => {
  /** Ten images [1,2] or more, of codes that tell their places; the last code is given. */
  const codes = (count: number, last: number) => Uint16Array.from({ length: 2 * count }, (_, i) => (i === 2 * count - 1 ? last : i >> 1));

  it('is one file, of which each tenth image is for the test', async () => {
    const file = join(path, 'codes.npy');
    await put('codes.npy', npyOf(codes(20, 300), [20, 1, 2]));
    const { train, test, about } = await readDataset('npy', { path: file });
    expect(about).toBe(`codes of ${file}`);
    expect(train).toMatchObject({ shape: [18, 1, 2, 1], levels: 301 }); // up to the highest
    expect(test).toMatchObject({ shape: [2, 1, 2, 1], levels: 301 });
    expect(test.data).toEqual(Uint16Array.of(9, 9, 19, 300));
    expect([...new Set(train.data)]).toEqual([...Array(19).keys()].filter((i) => i !== 9));
  });

  it('has as many levels as it is told, as bytes up to 256', async () => {
    const file = join(path, 'codes.npy.gz');
    await put('codes.npy.gz', gzipSync(npyOf(codes(10, 9), [10, 1, 2])));
    for (const [levels, array] of [[undefined, Uint8Array], [256, Uint8Array], [257, Uint16Array], [65_536, Uint16Array]] as const) {
      const { train, test } = await readDataset('npy', { path: file, ...(levels && { levels }) });
      expect([train.levels, test.levels]).toEqual([levels ?? 10, levels ?? 10]);
      expect(test.data).toEqual(array.of(9, 9));
    } // biome-ignore format: one list
    await put('black.npy', npyOf(new Uint8Array(10), [10, 1, 1]));
    expect((await readDataset('npy', { path: join(path, 'black.npy') })).train.levels).toBe(2); // at least
    await expect(readDataset('npy', { path: file, levels: 9 })).rejects.toThrow(`npy: '${file}': wanted codes 0 to 8, got 9`);
  });

  it('is a directory with a file for each part, and for the labels of each where it has those', async () => {
    await put('train.npy', npyOf(Uint8Array.of(0, 1, 2, 3, 4, 5), [2, 1, 1, 3]));
    await put('test.npy', npyOf(Uint16Array.of(300, 0, 0), [1, 1, 1, 3]));
    const { train, test } = await readDataset('npy', { path });
    expect(train).toEqual({ data: Uint16Array.of(0, 1, 2, 3, 4, 5), shape: [2, 1, 1, 3], levels: 301 });
    expect(test).toEqual({ data: Uint16Array.of(300, 0, 0), shape: [1, 1, 1, 3], levels: 301 });
    await put('train-labels.npy', npyOf(Uint8Array.of(3, 255), [2]));
    await expect(readDataset('npy', { path })).rejects.toThrow(`'${path}' lacks test-labels.npy`);
    // one 32-bit integer of the bytes of two of 16 bits: 65536
    const long = Buffer.from(npyOf(Uint16Array.of(0, 1), [2])).toString('latin1');
    await put('test-labels.npy', Buffer.from(long.replace('<u2', '<i4').replace('(2,)', '(1,)'), 'latin1'));
    await expect(readDataset('npy', { path })).rejects.toThrow("'test-labels.npy': wanted classes 0 to 65535, got 65536");
    await put('test-labels.npy', npyOf(Uint16Array.of(1), [1]));
    const labelled = await readDataset('npy', { path });
    expect([labelled.train.labels, labelled.test.labels]).toEqual([Uint8Array.of(3, 255), Uint8Array.of(1)]);
    await put('train-labels.npy', npyOf(Uint16Array.of(3, 999), [2]));
    const many = await readDataset('npy', { path });
    expect(many.train.labels).toEqual(Uint16Array.of(3, 999));
    expect(classesOf(many)).toBe(1000);
    expect(pickImages(many.train, [1, 0]).labels).toEqual(Uint16Array.of(999, 3));
    await put('test-labels.npy', npyOf(Uint8Array.of(1, 2), [2]));
    await expect(readDataset('npy', { path })).rejects.toThrow('labels: wanted 1 classes, got 2');
  });

  it('refuses what it cannot be', async () => {
    const file = join(path, 'codes.npy');
    const refuses = async (bytes: Uint8Array, message: string) => {
      await put('codes.npy', bytes);
      await expect(readDataset('npy', { path: file })).rejects.toThrow(message);
    };
    await refuses(Uint8Array.of(1, 2), `npy: '${file}': wanted a .npy file`);
    await refuses(npyOf(codes(9, 1), [9, 1, 2]), `npy: '${file}' has 9; wanted --path to a .npy`);
    await refuses(npyOf(codes(10, 1), [10, 2]), `'${file}': wanted [N,H,W] or [N,H,W,C] of 1 channel or 3, got [10,2]`);
    await refuses(npyOf(codes(10, 1), [10, 1, 1, 2]), 'of 1 channel or 3, got [10,1,1,2]');
    await refuses(npyOf(new Uint8Array(0), [10, 0, 2]), 'shape: wanted an integer of at least 1, got 0');
    const negative = Uint8Array.from(npyOf(codes(10, 65_535), [10, 1, 2]));
    negative.set(new TextEncoder().encode('i2'), negative.indexOf('u'.charCodeAt(0), 22)); // -1
    await refuses(negative, `'${file}': wanted codes 0 to 65535, got -1`);
    await rm(file);
    await put('train.npy', npyOf(Uint8Array.of(1, 2), [1, 1, 2]));
    await put('test.npy', npyOf(Uint8Array.of(1, 2), [1, 2, 1]));
    await expect(readDataset('npy', { path })).rejects.toThrow(`npy: '${path}' has training images of 1x2x1, test images of 2x1x1`);
  });
});

describe('a path', () => {
  it.each(['mnist', 'npy'])('that does not exist is named: %s', async (name) => {
    const nowhere = join(path, 'nowhere');
    await expect(readDataset(name, { path: nowhere })).rejects.toThrow(`${name}: '${nowhere}' does not exist; wanted --path`);
  });

  it('that is a file is named', async () => {
    await put('file', Uint8Array.of(1));
    const file = join(path, 'file');
    await expect(readDataset('mnist', { path: file })).rejects.toThrow(`'${file}' is not a directory; wanted`);
  });

  it('is wanted', async () => {
    await expect(readDataset('mnist')).rejects.toThrow(`mnist: wanted --path to a directory with ${IDX_NAMES}, each plain or .gz`);
    await expect(readDataset('folder')).rejects.toThrow('folder: wanted --path to a directory of at least 10 PNGs');
    await expect(readDataset('npy')).rejects.toThrow('npy: wanted --path to a .npy of at least 10 images');
    await expect(readDataset('cifar-10')).rejects.toThrow('cifar-10: wanted --path to a directory with data_batch_1.bin');
  });
});
