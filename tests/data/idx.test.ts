import fc from 'fast-check';
import { idxImages, parseIdx } from 'pixelcnn-layers/data';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../support/errors';
import { forAll } from '../support/runs';

/** The element types: code, array, bytes an element, and how one is written big-endian. */
const TYPES = [
  [0x08, Uint8Array, (v: DataView, at: number, x: number) => v.setUint8(at, x)],
  [0x09, Int8Array, (v: DataView, at: number, x: number) => v.setInt8(at, x)],
  [0x0b, Int16Array, (v: DataView, at: number, x: number) => v.setInt16(at, x)],
  [0x0c, Int32Array, (v: DataView, at: number, x: number) => v.setInt32(at, x)],
  [0x0d, Float32Array, (v: DataView, at: number, x: number) => v.setFloat32(at, x)],
  [0x0e, Float64Array, (v: DataView, at: number, x: number) => v.setFloat64(at, x)],
] as const;

type IdxType = (typeof TYPES)[number];

/** Writes IDX, at an odd place of a larger buffer, where nothing is aligned. */
function encode([code, ArrayType, write]: IdxType, shape: readonly number[], values: ArrayLike<number>) {
  const each = ArrayType.BYTES_PER_ELEMENT;
  const start = 4 + 4 * shape.length;
  const bytes = new Uint8Array(3 + start + each * values.length + 5).fill(0xee);
  const file = bytes.subarray(3, bytes.length - 5);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  file.set([0, 0, code, shape.length]);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  for (let i = 0; i < values.length; i++) write(view, start + each * i, values[i] as number);
  return file;
}

const UINT8 = TYPES[0];
const file = encode(UINT8, [2, 3], [1, 2, 3, 4, 5, 6]);

/** The error that parsing these bytes ends with, or what it gives. */
function attempt(bytes: Uint8Array) {
  try {
    return parseIdx(bytes);
  } catch (error) {
    return error as Error;
  }
}

/** Bytes that are parsed must be accounted for to the last one; else the error has the argument's name. */
function expectExactOrNamed(bytes: Uint8Array) {
  const result = attempt(bytes);
  if (result instanceof Error) {
    expect(result).toBeInstanceOf(TypeError);
    expect(result.message).toMatch(/^parseIdx: bytes: wanted .*, got /);
    return;
  }
  const { data, shape } = result;
  expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
  expect(4 + 4 * shape.length + data.byteLength).toBe(bytes.length);
  expect(data.constructor).toBe(TYPES.find(([code]) => code === bytes[2])?.[1]);
}

describe('parseIdx', () => {
  it('reads back what was written, of every type, rank and place in memory', () => {
    const idx = fc
      .tuple(fc.constantFrom(...TYPES), fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 }))
      .chain(([type, shape]) => {
        const size = shape.reduce((product, length) => product * length, 1);
        const numbers = fc.array(fc.double(), { minLength: size, maxLength: size });
        const integers = fc.array(fc.integer(), { minLength: size, maxLength: size });
        return fc.tuple(fc.constant(type), fc.constant(shape), type[0] < 0x0d ? integers : numbers);
      });
    forAll([idx], { numRuns: 50, seed: 1 }, ([type, shape, values]) => {
      const parsed = parseIdx(encode(type, shape, values));
      expect(parsed.shape).toEqual(shape);
      expect(parsed.data).toEqual(new type[1](values));
    });
  });

  it('parses exactly or throws, for any bytes', () => {
    const header = fc
      .tuple(fc.constantFrom(0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e, 0x0a), fc.integer({ min: 0, max: 3 }))
      .map(([type, rank]) => [0, 0, type, rank]);
    const small = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 255), { maxLength: 40 });
    forAll([fc.uint8Array({ maxLength: 60 })], { numRuns: 50, seed: 1 }, expectExactOrNamed);
    const files = fc.tuple(header, small).map((parts) => Uint8Array.from(parts.flat()));
    forAll([files], { numRuns: 200, seed: 1 }, expectExactOrNamed);
  });

  it('parses exactly or throws where a file is cut, longer, or has other bytes', () => {
    for (const type of TYPES) {
      const whole = encode(type, [2, 3], [1, 2, 3, 4, 5, 6]);
      for (let length = 0; length < whole.length; length++) expect(attempt(whole.subarray(0, length))).toBeInstanceOf(TypeError);
      expect(attempt(Uint8Array.of(...whole, 0))).toBeInstanceOf(TypeError);
      for (let i = 0; i < whole.length; i++)
        for (let bit = 0; bit < 8; bit++) {
          const damaged = Uint8Array.from(whole);
          damaged[i] = (damaged[i] as number) ^ (1 << bit);
          expectExactOrNamed(damaged);
        }
    }
  });

  it('states the error', () => {
    const message = (...bytes: number[]) => (attempt(Uint8Array.from(bytes)) as Error).message;
    expect(message(0x1f, 0x8b, 8, 0, 0)).toBe(
      'parseIdx: bytes: wanted an IDX file, which begins with 0, 0 (gunzip a .gz first), got [31, 139, 8, 0]',
    );
    expect(message()).toContain('wanted an IDX file');
    expect(message(0, 0, 8, 0, 1)).toContain('got [0, 0, 8, 0]');
    expect(message(0, 0, 10, 1, 0, 0, 0, 0)).toBe('parseIdx: bytes: wanted an element type 8,9,11,12,13,14, got 10');
    expect(message(0, 0, 8, 3, 0, 0, 0, 1)).toBe('parseIdx: bytes: wanted a header of 16 bytes, got 8');
    expect(message(...file.subarray(0, 17))).toBe('parseIdx: bytes: wanted 18 bytes, for sizes [2,3], got 17');
    expect(message(...file, 9)).toBe('parseIdx: bytes: wanted 18 bytes, for sizes [2,3], got 19');
    const huge = [255, 255, 255, 255];
    expect(message(0, 0, 0x0e, 2, ...huge, ...huge)).toBe(
      'parseIdx: bytes: wanted 147573952520956940000 bytes, for sizes [4294967295,4294967295], got 12',
    );
    expect(message(0, 0, 8, 255, ...new Array(4 * 255).fill(255))).toContain('wanted Infinity bytes');
    // fits a number, not the memory: no array is made of it
    expect(message(0, 0, 0x0e, 1, ...huge)).toContain('wanted 34359738368 bytes');
    expect(() => parseIdx([0, 0, 8, 1] as unknown as Uint8Array)).toThrow('parseIdx: bytes: wanted a Uint8Array');
  });
});

describe('idxImages', () => {
  const pixels = Uint8Array.from({ length: 12 }, (_, i) => 20 * i);
  const images = encode(UINT8, [3, 2, 2], pixels);

  it('returns images of one channel, and their labels', () => {
    const set = { data: pixels, shape: [3, 2, 2, 1], levels: 256 };
    expect(idxImages(images)).toEqual(set);
    expect(idxImages(images, encode(UINT8, [3], [7, 0, 9]))).toEqual({ ...set, labels: Uint8Array.of(7, 0, 9) });
  });

  it('names the file that is wrong', () => {
    const refuses = (message: string, ...files: [Uint8Array, Uint8Array?]) =>
      expect(() => idxImages(...files)).toThrow(errorOf(TypeError, message));
    const labels = encode(UINT8, [3], [7, 0, 9]);
    refuses('idxImages: images: wanted 3 dimensions, got [3]', labels, images);
    refuses('idxImages: labels: wanted 1 dimensions, got [3, 2, 2]', images, images);
    refuses('idxImages: labels: wanted 3 classes, got 2', images, encode(UINT8, [2], [1, 2]));
    refuses('idxImages: labels: wanted 11 bytes', images, encode(UINT8, [3], [1, 2, 3]).subarray(0, 10));
    refuses('idxImages: images: wanted elements of type uint8, got Int8Array', encode(TYPES[1], [1, 1, 1], [1]));
    refuses('idxImages: shape: wanted an integer of at least 1, got 0', encode(UINT8, [0, 28, 28], []));
  });
});
