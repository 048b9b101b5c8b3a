import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readKerasH5 } from '../../../kit/weights/keras-h5.mjs';
import { PATIENCE } from '../../support/patience.mjs';
import { forAllAsync } from '../../support/runs';

// What files of Keras hold, and what is said of other files, is tested in tests/examples/convert.test.ts.

const golden = await readFile(new URL('../../golden/keras/keras-3.15.weights.h5', import.meta.url));
const options = { mostBytes: 2 ** 20, mostSeconds: 0.5 }; // of files that may go on for ever
const patient = { ...options, mostSeconds: PATIENCE / 1000 };

describe('readKerasH5', () => {
  it('gives up where HDF5 goes on for ever', async () => {
    expect((await readKerasH5(golden, patient)).size).toBe(14);
    const damaged = Buffer.from(golden);
    damaged[2400] = 16; // among the strings of attributes
    await expect(readKerasH5(damaged, options)).rejects.toThrow('damaged, or no HDF5: Script execution timed out');
    expect((await readKerasH5(golden, patient)).size).toBe(14);
  });

  it('gives an error or tensors that fit, whatever a few of the first bytes are', async () => {
    const changes = fc.record({ at: fc.nat(4000), to: fc.nat(255) });
    await forAllAsync([fc.array(changes, { minLength: 1, maxLength: 4 })], { numRuns: 150, seed: 23 }, async (all) => {
      const damaged = Buffer.from(golden);
      for (const { at, to } of all) damaged[at] = to;
      try {
        for (const { shape, data } of (await readKerasH5(damaged, options)).values()) {
          expect((data as Float32Array).length).toBe(shape.reduce((product, size) => product * size, 1));
        }
      } catch (error) {
        expect(String(error)).toMatch(/^Error: (damaged, or no HDF5: .|.*: wanted|wanted|two tensors)[^\n]*$/);
      }
    });
  });
});
