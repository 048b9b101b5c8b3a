import fc from 'fast-check';
import { imageSet, parseCifar10 } from 'pixelcnn-layers/data';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../support/errors';
import { forAll } from '../support/runs';

const RECORD = 3073;

/** A record from a label and levels [32,32,3]. */
function record(label: number, levels: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD);
  bytes[0] = label;
  for (let row = 0; row < 32; row++)
    for (let column = 0; column < 32; column++) {
      for (let channel = 0; channel < 3; channel++)
        bytes[1 + channel * 1024 + row * 32 + column] = levels[(row * 32 + column) * 3 + channel] as number;
    }
  return bytes;
}

function join(records: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(records.length * RECORD);
  for (const [i, one] of records.entries()) bytes.set(one, i * RECORD);
  return bytes;
}

const label = fc.integer({ min: 0, max: 9 });
const labelsOfThree = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 3, maxLength: 3 });
const levels = fc.uint8Array({ minLength: 3072, maxLength: 3072 });
const images = fc.array(fc.tuple(label, levels), { minLength: 1, maxLength: 3 });

describe('parseCifar10', () => {
  it('reads back what was written, from one file and from several', () =>
    forAll([images, fc.nat()], { numRuns: 4, seed: 1 }, (all, split) => {
      const set = imageSet({
        data: Uint8Array.from(all.flatMap(([, values]) => Array.from(values))), shape: [all.length, 32, 32, 3], levels: 256,
        labels: Uint8Array.from(all, ([of]) => of),
      }); // biome-ignore format: in few lines
      const records = all.map(([of, values]) => record(of, values));
      expect(parseCifar10(join(records))).toEqual(set);
      const cut = split % all.length;
      const files = [records.slice(0, cut), records.slice(cut)].filter((part) => part.length > 0);
      expect(parseCifar10(files.map(join))).toEqual(set);
    }));

  it('parses exactly or throws, for any bytes', () => {
    const size = fc.constantFrom(0, 1, RECORD - 1, RECORD, RECORD + 1, 2 * RECORD, 2 * RECORD + 3072);
    forAll([size, labelsOfThree], { numRuns: 50, seed: 1 }, (length, labels) => {
      const bytes = new Uint8Array(length).fill(77);
      for (let i = 0; i * RECORD < length; i++) bytes[i * RECORD] = labels[i] as number;
      const n = length / RECORD;
      if (n >= 1 && Number.isInteger(n) && labels.slice(0, n).every((of) => of <= 9)) {
        const set = imageSet(parseCifar10(bytes));
        expect(set.shape).toEqual([n, 32, 32, 3]);
        expect(Array.from(set.labels ?? [])).toEqual(labels.slice(0, n));
      } else {
        expect(() => parseCifar10(bytes)).toThrow(/^parseCifar10: bytes: wanted .*, got /);
      }
    });
  });

  it('names the wrong file, and the error', () => {
    const refuses = (bytes: unknown, message: string) =>
      expect(() => parseCifar10(bytes as Uint8Array)).toThrow(errorOf(TypeError, message));
    const whole = new Uint8Array(2 * RECORD);
    const records = 'records of 3073 bytes';
    refuses(new Uint8Array(0), `parseCifar10: bytes: wanted ${records}, got 0`);
    refuses([whole, whole.subarray(1)], `parseCifar10: bytes[1]: wanted ${records}, got 6145`);
    refuses([], 'parseCifar10: bytes: wanted at least one file, got []');
    refuses('data_batch_1.bin', 'parseCifar10: bytes: wanted a Uint8Array');
    refuses([whole, null], 'parseCifar10: bytes[1]: wanted a Uint8Array, got null');
    const mislabelled = Uint8Array.from(whole);
    mislabelled[RECORD] = 10;
    refuses([mislabelled], 'parseCifar10: bytes[0]: wanted labels 0 to 9, at byte 3073, got 10');
  });
});
