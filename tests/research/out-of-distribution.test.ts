import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logProb, readPortable } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../../kit/data/datasets.mjs';
import { pickImages } from '../../kit/data/pick-images.mjs';
import { aurocError } from '../../kit/models/auroc.mjs';
import { loadPortable } from '../../kit/models/saved-model.mjs';
import { npyOf } from '../../kit/weights/npy.mjs';
import { cellsOf, itRefuses, runScript, runWell } from '../examples/run-script';
import { saveGatedModel, saveModel } from '../examples/save-model';
import { temporaryFolder } from '../support/node/temporary-folder';

const SHIPPED = 'models/digits.pixelcnn';

const directory = temporaryFolder();
const at = (name: string) => join(directory, name);
beforeAll(async () => {
  await saveModel(at('zeros'), {}, true);
  await saveModel(at('two'), { levels: 2 }, true);
  await saveGatedModel(at('classes'), { numClasses: 3 });
  await saveGatedModel(at('vectors'), { conditionSize: 2 });
  // Blank images with a dot, which are likelier than digits.
  const dots = Uint8Array.from({ length: 100 * 64 }, (_, i) => (i % 64 === 27 ? 1 + (i % 3) : 0));
  await writeFile(at('dots.npy'), npyOf(dots, [100, 8, 8]));
});

/** The numbers in the row of a title. */
const rowsOf = (stdout: string) => (title: string) => cellsOf(stdout, title)?.map(Number.parseFloat);

describe('out-of-distribution.mjs', () => {
  it('compares the likelihoods that the library gives, and their ratios to those of background models', async () => {
    const out = at('chart.svg');
    const others = ['--other', 'npy', '--other-path', at('dots.npy')];
    const backgrounds = ['--background', at('zeros'), '--background', SHIPPED];
    const flags = ['--model', SHIPPED, ...backgrounds, '--data', 'digits', ...others, '--images', '10', '--out', out];
    const { stdout } = await runWell('research/out-of-distribution.mjs', flags);
    const model = await readPortable(await readFile(SHIPPED));
    const bitsOf = async (data: ArrayLike<number>) => {
      const nats = await logProb(model, { data: Uint8Array.from(data), shape: [10, 8, 8, 1] });
      return Array.from(nats, (one) => -one / (64 * Math.LN2));
    };
    const { test } = await readDataset('digits');
    const spread = Array.from({ length: 10 }, (_, i) => Math.floor((297 * (2 * i + 1)) / 20));
    const own = await bitsOf(pickImages(test, spread).data);
    const other = await bitsOf((await readDataset('npy', { path: at('dots.npy'), levels: 17 })).test.data);
    const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
    // How often a digit is likelier than dots, of all pairs.
    const share = mean(own.flatMap((a) => other.map((b) => (a < b ? 1 : a === b ? 0.5 : 0))));
    const error = aurocError(share, 10, 10);
    const uniform = Math.log2(17);
    // Of 10 images all are usual, so others are unusual where they are likelier, or less likely, than all of these.
    const unusual = (100 * other.filter((one) => one < Math.min(...own) || one > Math.max(...own)).length) / 10;
    const row = rowsOf(stdout);
    const rounded = (...values: number[]) => values.map((value) => Number(value.toFixed(3)));
    expect(row('likelihood')).toEqual(rounded(mean(own), mean(other), share, error, unusual));
    expect(row(`ratio to ${at('zeros')}`)).toEqual(rounded(uniform - mean(own), uniform - mean(other), share, error, unusual)); // the same for all images
    expect(row(`ratio to ${SHIPPED}`)).toEqual([0, 0, 0.5, ...rounded(aurocError(0.5, 10, 10)), 0]); // a model tells nothing beside itself
    expect(await readFile(out, 'utf8')).toContain('bits per dimension saved');
  });

  it('asks a model of classes for the likeliest class of each image', async () => {
    const models = ['--model', at('classes'), '--background', at('zeros'), '--out', at('of-classes.svg')];
    const flags = [...models, ...'--data digits --other digits --images 4'.split(' ')];
    const { stdout } = await runScript('research/out-of-distribution.mjs', flags);
    const { test } = await readDataset('digits');
    const image = (n: number) => pickImages(test, [Math.floor((297 * (2 * n + 1)) / 8)]);
    const model = await loadPortable(at('classes'));
    let sum = 0;
    for (let n = 0; n < 4; n++) {
      const natsOf = async (k: number) => (await logProb(model, image(n), { condition: [k] }))[0] ?? 0;
      sum += Math.max(await natsOf(0), await natsOf(1), await natsOf(2));
    }
    expect(rowsOf(stdout)('likelihood')?.[0]).toBeCloseTo(-sum / (4 * 64 * Math.LN2), 3);
  });

  const known = ['research/out-of-distribution.mjs', '--model', SHIPPED, '--data', 'digits', '--other', 'digits'];
  itRefuses(
    [
      ['--model: wanted a model; --help lists the flags', ['research/out-of-distribution.mjs']],
      ['--background: wanted a model; --help lists the flags', known],
      ['--background: wanted a model without conditions other than classes, got VECTORS', [...known, '--background', 'VECTORS']],
      ['--out: wanted a file that ends in .svg, got a.png', [...known, '--background', SHIPPED, '--out', 'a.png']],
      ['--background: wanted a model of 8x8x1 and 17 levels, as --model, got 8x8x1 and 2 levels', [...known, '--background', 'TWO']],
      ["--images: digits has 297 test images, got '298'", [...known, '--background', SHIPPED, '--images', '298']],
    ],
    () => ({ VECTORS: at('vectors'), TWO: at('two') }),
  ); // biome-ignore format: a case a line
});
