import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AutoregressiveModel } from 'pixelcnn-layers';
import { imageSet } from 'pixelcnn-layers/data';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDigits } from '../../kit/data/digits.mjs';
import { bitsByChannel } from '../../kit/models/channel-bits.mjs';
import { mostLikelyClasses, rightByClass } from '../../kit/models/classify.mjs';
import { loadImageModel } from '../../kit/models/saved-model.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { npyOf } from '../../kit/weights/npy.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';
import { runWell } from './run-script';
import { saveGatedModel, saveModel } from './save-model';

const directory = temporaryFolder();
beforeAll(async () => {
  await useBackend('cpu');
});

describe('evaluate.mjs', () => {
  it('has a model of zeros at log2 of its levels, beside the baselines', async () => {
    const model = join(directory, 'zeros');
    await saveModel(model, {}, true);
    const flags = ['--model', model, '--data', 'digits'];
    const { stdout } = await runWell('evaluate.mjs', flags);
    expect(stdout).toMatch(/: 297 test images of 8x8x1, 17 levels\nbits\/dim +all\n/);
    expect(stdout).toMatch(/^uniform +4\.087$/m);
    expect(stdout).toMatch(/^histogram +2\.961$/m);
    expect(stdout).toMatch(/^model +4\.087$/m);
    const png = Number(stdout.match(/^PNG +(\d\.\d{3})$/m)?.[1]);
    const bytes = Number(stdout.match(/in one file of (\d+) bytes/)?.[1]);
    expect(png).toBeCloseTo((8 * bytes) / (297 * 64), 3);
    expect(png).toBeGreaterThan(1);
    expect(png).toBeLessThan(4);
  });

  it('tells the channels of RGB images apart, quantized to the levels of the model', async () => {
    // Of 20 images the 10th and the 20th are the test. Red is always 0, green half dark and half light, blue has every quarter.
    const folder = join(directory, 'images');
    const model = join(directory, 'rgb');
    await mkdir(folder);
    for (let i = 0; i < 20; i++) {
      const png = new PNG({ width: 4, height: 4 });
      for (let at = 0; at < 16; at++) png.data.set([0, at % 2 ? 255 : 0, (at % 4) * 64, 255], at * 4);
      await writeFile(join(folder, `${String(i).padStart(2, '0')}.png`), PNG.sync.write(png));
    }
    await saveModel(model, { imageShape: [4, 4, 3], levels: 4 }, true);
    const data = ['--data', 'folder', '--path', folder, '--images', '1', '--levels', '4'];
    const { stdout } = await runWell('evaluate.mjs', ['--model', model, ...data]);
    expect(stdout).toContain('1 test images of 4x4x3, 4 levels');
    const row = (name: string) => stdout.match(new RegExp(`^${name} +(.*)$`, 'm'))?.[1]?.split(/ +/);
    expect(row('bits/dim')).toEqual(['all', 'red', 'green', 'blue']);
    expect(row('model')).toEqual(['2.000', '2.000', '2.000', '2.000']);
    // 18 images of 16 pixels are 288 of each channel, and one more of each level.
    const [red, green] = [-Math.log2(289 / 292), -Math.log2(145 / 292)];
    const all = (red + green + 2) / 3;
    expect(row('histogram')).toEqual([all, red, green, 2].map((value) => value.toFixed(3)));
    expect(row('PNG')).toHaveLength(1);
    expect(stdout).toContain(`${(48 * Math.log(4)).toFixed(2)} nats an image, of 48 values\n`);
  });

  it('gives each image its own class, and tells how many have it as the most likely one', async () => {
    const model = join(directory, 'classes');
    await saveGatedModel(model, { hiddenDim: 8, outDim: 8, numClasses: 10 });
    const { images, labels } = await readDigits('test');
    const set = imageSet({ data: images.slice(0, 40 * 64), shape: [40, 8, 8, 1], levels: 17, labels: labels.slice(0, 40) });
    const loaded = (await loadImageModel(model)).model as AutoregressiveModel;
    const bits = await bitsByChannel(loaded, set, { batchSize: 40 });
    const found = await mostLikelyClasses(loaded, set, { batchSize: 40 });
    loaded.dispose();
    const flags = ['--model', model, '--data', 'digits', '--images', '40', '--batch', '16', '--classify'];
    const { stdout } = await runWell('evaluate.mjs', flags);
    expect(stdout).toMatch(new RegExp(`^model +${bits[0]?.toFixed(3)}$`, 'm'));
    const right = found.filter((label, i) => label === labels[i]).length;
    expect(stdout).toMatch(new RegExp(`^accuracy +${(right / 40).toFixed(3)}  \\(${right} of 40 by the most likely class\\)$`, 'm'));
    const rows = stdout
      .slice(stdout.search(/^class/m))
      .trim()
      .split('\n');
    expect(rows.map((row) => row.split(/ +/))).toEqual([
      ['class', 'images', 'right'],
      ...rightByClass(labels.slice(0, 40), found, 10).map((of, label) => [label, of.images, of.right].map(String)),
    ]);
  });

  it('measures codes of more than 256 in as many levels as the model has, those beyond what the data hold too', async () => {
    const model = join(directory, 'codes');
    const path = join(directory, 'codes.npy');
    await saveModel(model, { imageShape: [2, 2, 1], levels: 512 }, true);
    const codes = Uint16Array.from({ length: 20 * 4 }, (_, i) => (i % 4 === 3 ? 300 : 0));
    await writeFile(path, npyOf(codes, [20, 2, 2]));
    const flags = ['--model', model, '--data', 'npy', '--path', path];
    const { stdout } = await runWell('evaluate.mjs', flags);
    expect(stdout).toContain('2 test images of 2x2x1, 512 levels');
    expect(stdout).toMatch(/^uniform +9\.000$/m);
    expect(stdout).toMatch(/^model +9\.000$/m);
    // Of the 72 training codes 54 are 0 and 18 are 300, and one more of each of the 512.
    const histogram = -(3 * Math.log2(55 / 584) + Math.log2(19 / 584)) / 4;
    expect(stdout).toContain(`histogram   ${histogram.toFixed(3).padStart(8)}\n`);
    expect(stdout).toMatch(/^PNG +\d+\.\d{3}$/m);
  });
});
