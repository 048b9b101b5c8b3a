import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageSet, quantize } from 'pixelcnn-layers/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { inLevels, readForModel } from '../../../kit/data/model-data.mjs';
import { toPalette } from '../../../kit/pictures/palette.mjs';
import { npyOf } from '../../../kit/weights/npy.mjs';
import { temporaryFolder } from '../../support/node/temporary-folder';

const palette = Uint8Array.of(0, 0, 0, 255, 255, 255, 250, 10, 10);
const model = { imageShape: [2, 2, 1], levels: 3, palette };

const directory = temporaryFolder();
beforeAll(async () => {
  await writeFile(join(directory, 'rgb.npy'), npyOf(new Uint8Array(120).fill(200), [10, 2, 2, 3]));
  await writeFile(join(directory, 'codes.npy'), npyOf(new Uint8Array(40).fill(2), [10, 2, 2]));
});

describe('data for a model with a palette', () => {
  it('are RGB images, as the levels of the nearest colours', async () => {
    const { train } = await readForModel('npy', join(directory, 'rgb.npy'), model);
    expect([train.levels, train.shape]).toEqual([256, [9, 2, 2, 3]]);
    expect(inLevels(train, model)).toEqual(toPalette(train, palette));
  });

  it('may be levels already', async () => {
    const { test } = await readForModel('npy', join(directory, 'codes.npy'), model);
    expect(inLevels(test, model)).toEqual(test);
    expect([...test.data]).toEqual([2, 2, 2, 2]);
  });

  it('have the size of its images', async () => {
    const wide = { ...model, imageShape: [2, null, 1] };
    expect((await readForModel('npy', join(directory, 'rgb.npy'), wide)).test.shape).toEqual([1, 2, 2, 3]);
    for (const [name, got] of Object.entries({ digits: '1, digits has 8x8x1', emoji: '3, emoji has 16x16x3' }))
      await expect(readForModel(name, undefined, model)).rejects.toThrow(`the model takes images of 2x2x${got}`);
  });
});

describe('data for a model without, or with one of greys', () => {
  it('are quantized', async () => {
    for (const own of [{}, { palette: Uint8Array.of(0, 9, 200) }]) {
      const { test } = await readForModel('digits', undefined, { imageShape: [8, 8, 1], levels: 3, ...own });
      expect(inLevels(test, { levels: 3, ...own })).toEqual(quantize(test, 3));
    }
    const rgb = imageSet({ data: new Uint8Array(12).fill(200), shape: [1, 2, 2, 3], levels: 256 });
    expect([...inLevels(rgb, { levels: 2 }).data]).toEqual(new Array(12).fill(1));
  });

  it('have as many levels at least', async () => {
    const finer = readForModel('digits', undefined, { imageShape: [8, 8, 1], levels: 18 });
    await expect(finer).rejects.toThrow('the model has 18 levels, digits only 17');
  });
});
