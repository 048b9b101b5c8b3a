import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { type Adjust, allowed, allowedNeighbors, logProb, sample } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../../support/backends';
import { portableModel } from '../../../support/models/portable-model.mjs';
import { forAllAsync } from '../../../support/runs';
import { noise } from '../../../support/tensors';

beforeAll(() => useBackend('cpu'));

const model = portableModel({ imageShape: [4, 5, 1], levels: 6, features: 4 });
const FREE = Number.NEGATIVE_INFINITY;

describe('adjust', () => {
  it('receives log p of every level, the place, the levels drawn so far, and the shape', async () => {
    const seen: { logProbs: number[]; place: readonly number[]; levels: number[]; shape: readonly number[] }[] = [];
    const adjust: Adjust = (logProbs, place, levels, shape) => {
      seen.push({ logProbs: [...logProbs], place, levels: [...levels], shape });
    };
    const images = await sample(model, { numImages: 2, seed: 1, adjust });
    expect(images).toEqual(await sample(model, { numImages: 2, seed: 1 })); // nothing was changed
    expect(seen).toHaveLength(20);
    const nats = await logProb(model, images, { perValue: true });
    for (const [index, { logProbs, place, levels, shape }] of seen.entries()) {
      expect(place).toEqual([Math.floor(index / 5), index % 5, 0]);
      expect(shape).toEqual([4, 5, 1]);
      for (const n of [0, 1]) {
        const ofImage = [...images.data.subarray(20 * n, 20 * n + 20)];
        expect(levels.slice(20 * n, 20 * n + 20)).toEqual(ofImage.map((level, i) => (i < index ? level : 0)));
        expect(logProbs[6 * n + (ofImage[index] as number)]).toBe(nats[20 * n + index]);
      }
    }
  });

  it('fails if it leaves no level, or sets log p to an invalid number', async () => {
    const at =
      (value: number): Adjust =>
      (logProbs, [row, column]) => {
        if (row === 1 && column === 2) logProbs.fill(value, 6, 12);
      };
    const messages = {
      [FREE]: 'left no level of',
      [Number.NaN]: 'set log p to NaN, for level 0 of',
      [Number.POSITIVE_INFINITY]: 'set log p to Infinity, for level 0 of',
    };
    for (const [value, message] of Object.entries(messages)) {
      const options = { numImages: 2, firstImage: 10, adjust: at(Number(value)) };
      await expect(sample(model, options)).rejects.toThrow(`sample: adjust: ${message} image 11 at [1, 2, 0]`);
    }
    await expect(sample(model, { adjust: 3 as never })).rejects.toThrow('sample: adjust: wanted a function');
    const first = sample(model, { adjust: () => {}, firstValue: 'uniform' });
    await expect(first).rejects.toThrow("sample: firstValue: wanted 'model' with adjust");
  });

  it('changes log p in place, since a returned array would have no effect', async () => {
    const inPlace: Adjust[] = [
      (logProbs) => logProbs.fill(FREE, 1),
      (logProbs) => logProbs.subarray(1).fill(FREE),
      (logProbs) => {
        logProbs[0] = 50;
      },
    ];
    for (const adjust of inPlace) expect((await sample(model, { imageShape: [4, 5, 1], adjust, seed: 1 })).data[0]).toBe(0);
    const elsewhere: [string, Adjust][] = [
      ['Float64Array', (logProbs) => logProbs.map(() => 0)],
      ['[1, 0]', () => [1, 0]],
      ['a Promise (is an await missing?)', async () => {}],
    ];
    for (const [got, adjust] of elsewhere)
      await expect(sample(model, { adjust })).rejects.toThrow(
        `sample: adjust: wanted a function that changes log p in place, got one that returns ${got}`,
      );
  });
});

describe('allowed', () => {
  it('draws only the levels that are', async () => {
    const cases = fc.record({ isEach: fc.boolean(), seed: fc.integer({ min: 1, max: 99 }) });
    await forAllAsync([cases], { numRuns: 10, seed: 1 }, async ({ isEach, seed }) => {
      const flags = Uint8Array.from(noise(isEach ? 120 : 6, seed), (x, i) => Number(x > 0.2 || i % 6 === seed % 6));
      const adjust = allowed({ data: flags, shape: isEach ? [4, 5, 1, 6] : [6] });
      const { data } = await sample(model, { numImages: 5, seed, adjust });
      for (const [i, level] of data.entries()) expect(flags[isEach ? (i % 20) * 6 + level : level]).toBe(1);
    });
  });

  it('knows the channels of a pixel apart', async () => {
    const flags = Uint8Array.from({ length: 24 }, (_, i) => Number(i % 3 === [0, 2, 1, 1, 0, 2, 2, 1][Math.floor(i / 3)]));
    const colours = portableModel({ imageShape: [2, 2, 2], levels: 3, features: 4 });
    const { data } = await sample(colours, { seed: 1, adjust: allowed({ data: flags, shape: [2, 2, 2, 3] }) });
    expect([...data]).toEqual([0, 2, 1, 1, 0, 2, 2, 1]);
  });

  it('refuses what does not fit', async () => {
    const wrong: [unknown, string][] = [
      [{ data: [1, 0], shape: [1, 2] }, 'wanted 0 and 1 as nested arrays or { data, shape }, [L] or [H,W,C,L], got [1, 2]'],
      [{ data: [1, 2], shape: [2] }, 'wanted 0 or 1, got 2'],
      [{ data: [1], shape: [2] }, 'data: wanted 2 numbers, got 1'],
      [undefined, 'wanted'],
      [tf.ones([2]), 'data: wanted 2 numbers, got Tensor'],
    ];
    for (const [levels, message] of wrong) expect(() => allowed(levels as never)).toThrow(`allowed: levels: ${message}`);
    const adjust = allowed({ data: [1, 0, 1, 1, 1], shape: [5] });
    await expect(sample(model, { adjust })).rejects.toThrow('sample: adjust: allowed: wanted shape [6] or [4,5,1,6], got [5]');
  });
});

describe('allowedNeighbors', () => {
  it('draws only pairs that are allowed', async () => {
    for (const seed of [1, 2, 3]) {
      const pairs = (of: number) => Uint8Array.from(noise(36, of), (x, i) => Number(x > -0.4 || Math.floor(i / 6) === i % 6));
      const [right, below] = [pairs(seed), pairs(seed + 50)];
      for (let level = 0; level < 6; level++) [right[6 * level], below[6 * level]] = [1, 1]; // 0 may stand anywhere
      const adjust = allowedNeighbors({ right: { data: right, shape: [6, 6] }, below: { data: below, shape: [6, 6] } });
      const { data } = await sample(model, { numImages: 20, seed, adjust });
      for (const [i, level] of data.entries()) {
        if (i % 5 > 0) expect(right[6 * (data[i - 1] as number) + level]).toBe(1);
        if (i % 20 >= 5) expect(below[6 * (data[i - 5] as number) + level]).toBe(1);
      }
    }
  });

  it('takes nested arrays as { data, shape }', async () => {
    const rows = [[1, 0, 1, 0, 1, 1], ...Array.from({ length: 5 }, (_, i) => [1, 1, 0, i % 2, 1, 0])];
    const flat = { data: rows.flat(), shape: [6, 6] };
    const drawn = (adjust: Adjust) => sample(model, { numImages: 3, seed: 1, adjust });
    const images = await drawn(allowedNeighbors({ right: flat, below: flat }));
    expect(await drawn(allowedNeighbors({ right: rows, below: rows }))).toEqual(images);
    expect(await drawn(allowed([1, 0, 1, 0, 0, 1]))).toEqual(await drawn(allowed({ data: [1, 0, 1, 0, 0, 1], shape: [6] })));
    for (const ragged of [[[1, 1], [1]], [[1, 1], [1, 1, 1], [1]], [[1, 1], 1]]) {
      const message = 'allowedNeighbors: below: wanted nested arrays of equal lengths, got [';
      expect(() => allowedNeighbors({ right: rows, below: ragged as number[][] })).toThrow(message);
    } // biome-ignore format: one a row
    const endless: never[] = [];
    endless.push(endless as never);
    expect(() => allowed(endless)).toThrow('allowed: levels: wanted 0 and 1 as nested arrays or { data, shape }');
    const two = { data: [0, 2, 1, 1], shape: [2, 2] };
    expect(() => allowedNeighbors({ right: rows, below: two })).toThrow('below: wanted 0 or 1, got 2');
    expect(() => allowedNeighbors({ right: [[1, 1]], below: rows })).toThrow('right: wanted shape [L,L], got [1, 2]');
  });

  it('refuses what does not fit', async () => {
    const all = (levels: number) => ({ data: new Uint8Array(levels * levels).fill(1), shape: [levels, levels] });
    expect(() => allowedNeighbors({ right: all(3) } as never)).toThrow(
      'allowedNeighbors: below: wanted 0 and 1 as nested arrays or { data, shape }, [L,L], got undefined',
    );
    expect(() => allowedNeighbors({ right: all(3), below: { data: [1, 1], shape: [1, 2] } })).toThrow(
      'allowedNeighbors: below: wanted shape [L,L], got [1, 2]',
    );
    const adjust = allowedNeighbors({ right: all(6), below: all(5) });
    await expect(sample(model, { adjust })).rejects.toThrow('sample: adjust: allowedNeighbors: below: wanted shape [6,6], got [5, 5]');
    const two = portableModel({ imageShape: [2, 2, 2], levels: 6 });
    const both = allowedNeighbors({ right: all(6), below: all(6) });
    await expect(sample(two, { adjust: both })).rejects.toThrow('images of one channel, got [2, 2, 2]');
  });
});
