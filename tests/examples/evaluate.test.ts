import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { logProb, pixelCNN } from 'pixelcnn-layers';
import { imageSet } from 'pixelcnn-layers/data';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../examples/lib/backend.mjs';
import { histogramBits, histogramBitsByChannel } from '../../examples/lib/baselines.mjs';
import { bitsByChannel } from '../../examples/lib/channel-bits.mjs';
import { COUNT_TENSORS, runScript } from './run-script';
import { saveModel } from './save-model';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'evaluate-'));
  await useBackend('cpu');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('bits by channel', () => {
  it('add up to logProb, for any size of batch, and leave no tensor', async () => {
    const shape = [5, 4, 3, 3] as const;
    const data = Uint8Array.from({ length: 5 * 4 * 3 * 3 }, (_, i) => (i * 5 + (i % 7)) % 8);
    const images = imageSet({ data, shape: [...shape], levels: 8 });
    const model = pixelCNN({ imageShape: [4, 3, 3], levels: 8, hiddenDim: 2, outDim: 3, numBlocks: 1 });
    const input = tf.tensor4d(data, [...shape], 'int32');
    const nats = await logProb(model, input);
    const total = Array.from(await nats.data()).reduce((sum, value) => sum - value, 0);
    tf.dispose([input, nats]);

    const before = tf.memory().numTensors;
    const done: number[] = [];
    const bits = await bitsByChannel(model, images, {
      batchSize: 2,
      onProgress: (count) => done.push(count),
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(done).toEqual([2, 4, 5]);
    expect(bits).toHaveLength(3);
    const mean = bits.reduce((sum, value) => sum + value, 0) / 3;
    expect(mean).toBeCloseTo(total / (data.length * Math.LN2), 5);
    const atOnce = await bitsByChannel(model, images, { batchSize: 5 });
    for (const [i, value] of bits.entries()) expect(value).toBeCloseTo(atOnce[i] as number, 5);
    model.dispose();
  });
});

describe('the histogram by channel', () => {
  it('knows each channel by itself; the whole is their mean', () => {
    // Counts of two levels, one more each: channel 0 has 5 and 1 of 6, channel 1 has 1 and 5.
    const train = Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1);
    const test = Uint8Array.of(0, 0);
    const [first, second] = histogramBitsByChannel(train, test, 2, 2);
    expect(first).toBeCloseTo(-Math.log2(5 / 6), 12);
    expect(second).toBeCloseTo(-Math.log2(1 / 6), 12);
    expect(histogramBits(train, test, 2, 2)).toBeCloseTo(((first ?? 0) + (second ?? 0)) / 2, 12);
  });
});

describe('evaluate.mjs', () => {
  it('has a model of zeros at log2 of its levels, beside the baselines', async () => {
    const model = join(directory, 'zeros');
    await saveModel(model, {}, true);
    const { code, stdout, stderr } = await runScript(
      'evaluate.mjs',
      ['--model', model, '--data', 'digits'],
      COUNT_TENSORS,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'tensors left: 0\n' });
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
    const { code, stdout, stderr } = await runScript(
      'evaluate.mjs',
      ['--model', model, ...data],
      COUNT_TENSORS,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'tensors left: 0\n' });
    expect(stdout).toContain('1 test images of 4x4x3, 4 levels');
    const row = (name: string) => stdout.match(new RegExp(`^${name} +(.*)$`, 'm'))?.[1]?.split(/ +/);
    expect(row('bits/dim')).toEqual(['all', 'red', 'green', 'blue']);
    expect(row('model')).toEqual(['2.000', '2.000', '2.000', '2.000']);
    // 18 images of 16 pixels are 288 of each channel, and one more of each level.
    const [red, green] = [-Math.log2(289 / 292), -Math.log2(145 / 292)];
    const all = (red + green + 2) / 3;
    expect(row('histogram')).toEqual([all, red, green, 2].map((value) => value.toFixed(3)));
    expect(row('PNG')).toHaveLength(1);
  });
});
