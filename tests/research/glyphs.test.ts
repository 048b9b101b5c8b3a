import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logProb } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { turned } from '../../kit/models/turned.mjs';
import { parseNpy } from '../../kit/weights/npy.mjs';
import { shippedImages, shippedModel } from '../support/models/shipped';
import { temporaryFolder } from '../support/node/temporary-folder';
import { findPython } from './python';

const python = findPython();
const script = fileURLToPath(new URL('../../research/glyphs/make-data.py', import.meta.url));

const directory = temporaryFolder();

/** Makes the data of a kind. Gives the rows of a file as arrays. */
function make(kind: string, ...more: string[]) {
  const made = spawnSync(python as string, [script, kind, '--size', '16', '--out', join(directory, kind), ...more]);
  expect({ status: made.status, stderr: String(made.stderr) }).toEqual({ status: 0, stderr: '' });
  return async (name: string) => {
    const { data: read, shape } = parseNpy(await readFile(join(directory, kind, `${name}.npy`)));
    const data = Array.from(read);
    const size = data.length / (shape[0] as number);
    return Array.from({ length: shape[0] as number }, (_, n) => data.slice(n * size, (n + 1) * size));
  };
}

describe.skipIf(python === null)('the data of invented characters', () => {
  it.each([
    ['characters', 16761, 1225],
    ['syllables', 2115, 235],
  ])('have each of the %s once, some of them held out', async (kind, numTrain, numTest) => {
    const read = make(kind);
    const [train, test] = await Promise.all([read('train'), read('test')]);
    expect([train.length, test.length]).toEqual([numTrain, numTest]);
    expect(new Set([...train, ...test].map(String)).size).toBe(numTrain + numTest);
    for (const image of [train[0], test[0]] as number[][]) {
      expect(image).toHaveLength(256);
      expect(new Set(image)).toEqual(new Set([0, 1]));
    }
  });

  it('are transposed where columns are asked for', async () => {
    const [first] = await make('syllables')('test');
    const [transposed] = await make('syllables', '--columns')('test');
    expect(transposed).toEqual(first?.map((_, i, all) => all[(i % 16) * 16 + Math.floor(i / 16)]));
  });
});

describe('the models of characters', () => {
  const NUM_IMAGES = 10;

  /** Bits per dimension of the first of the page's test images, transposed where asked for. */
  async function bitsOf(name: string, order: number) {
    const images = (await shippedImages('characters')).slice(0, NUM_IMAGES * 576);
    const nats = await logProb(await shippedModel(name), turned({ data: images, shape: [NUM_IMAGES, 24, 24, 1] }, order));
    return -nats.reduce((sum, value) => sum + value, 0) / (images.length * Math.LN2);
  }

  it.each(['characters', 'characters-small', 'characters-columns'] as const)(
    '%s know held-out characters in their own order only',
    async (name) => {
      const order = name.endsWith('columns') ? 4 : 0;
      expect(await bitsOf(name, order)).toBeLessThan(0.26);
      expect(await bitsOf(name, 4 - order)).toBeGreaterThan(0.3);
    },
  );
});
