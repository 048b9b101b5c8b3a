import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  gatedPixelCNN,
  logProb,
  oneHotClass,
  pixelCNN,
} from 'pixelcnn-layers';
import { imageSet } from 'pixelcnn-layers/data';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../examples/lib/backend.mjs';
import { histogramBits, histogramBitsByChannel } from '../../examples/lib/baselines.mjs';
import { bitsByChannel } from '../../examples/lib/channel-bits.mjs';
import { mostLikelyClasses, rightByClass } from '../../examples/lib/classify.mjs';
import { readDigits } from '../../examples/lib/digits.mjs';
import { loadImageModel } from '../../examples/lib/saved-model.mjs';
import { COUNT_TENSORS, runScript } from './run-script';
import { saveGatedModel, saveModel } from './save-model';

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

  it('takes the class of each image where the model is conditioned on classes', async () => {
    const data = Uint8Array.from({ length: 5 * 16 }, (_, i) => (i * 5 + (i % 7)) % 8);
    const labels = Uint8Array.of(2, 0, 1, 1, 2);
    const images = imageSet({ data, shape: [5, 4, 4, 1], levels: 8, labels });
    const sizes = { imageShape: [4, 4, 1] as [number, number, number], levels: 8, hiddenDim: 2, outDim: 3 };
    const model = gatedPixelCNN({ ...sizes, numBlocks: 1, numClasses: 3 });
    const input = tf.tensor4d(data, [5, 4, 4, 1], 'int32');
    const bitsGiven = async (condition: number[]) => {
      const nats = await logProb(model, input, { condition });
      const total = Array.from(await nats.data()).reduce((sum, value) => sum - value, 0);
      nats.dispose();
      return total / (data.length * Math.LN2);
    };
    const [bits] = await bitsByChannel(model, images, { batchSize: 2 });
    expect(bits).toBeCloseTo(await bitsGiven([2, 0, 1, 1, 2]), 5);
    expect(bits).not.toBeCloseTo(await bitsGiven([0, 0, 0, 0, 0]), 5);

    const { labels: _, ...unlabelled } = images;
    await expect(bitsByChannel(model, unlabelled, { batchSize: 2 })).rejects.toThrow('the images have none');
    input.dispose();
    model.dispose();
  });
});

/** A model of 2x2 images of 3 levels and 3 classes, to which level k is the most likely of class k. */
function levelIsClass(): AutoregressiveModel {
  const image = input({ shape: [2, 2, 1] });
  const label = input({ shape: [1] });
  const oneHot = oneHotClass({ numClasses: 3 }).apply(label);
  const each = layers.repeatVector({ n: 4 }).apply(oneHot); // [N,3] -> [N,4,3]
  const logits = layers.reshape({ targetShape: [2, 2, 1, 3] }).apply(each) as SymbolicTensor; // [N,4,3] -> [N,2,2,1,3]
  return autoregressiveModel({ inputs: [image, label], outputs: logits });
}

describe('the most likely class', () => {
  it('is that under which the image is most likely, the lowest on a tie, for any size of batch', async () => {
    const data = Uint8Array.of(2, 2, 2, 2, 0, 0, 0, 1, 1, 1, 1, 0, 2, 1, 2, 1, 2, 2, 2, 0);
    const images = imageSet({ data, shape: [5, 2, 2, 1], levels: 3 });
    const model = levelIsClass();
    const before = tf.memory().numTensors;
    const done: number[] = [];
    const onProgress = (count: number) => done.push(count);
    const found = await mostLikelyClasses(model, images, { batchSize: 2, onProgress });
    expect(found).toEqual([2, 0, 1, 1, 2]);
    expect(done).toEqual([2, 4, 5]);
    expect(await mostLikelyClasses(model, images, { batchSize: 5 })).toEqual(found);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('is none where the weights are broken, and no tensor is left', async () => {
    const images = imageSet({ data: new Uint8Array(4), shape: [1, 2, 2, 1], levels: 3 });
    const sizes = { imageShape: [2, 2, 1] as [number, number, number], levels: 3, hiddenDim: 2, outDim: 2 };
    const model = gatedPixelCNN({ ...sizes, numBlocks: 0, numClasses: 2 });
    tf.tidy(() => model.setWeights(model.getWeights().map((weight) => tf.fill(weight.shape, Number.NaN))));
    const before = tf.memory().numTensors;
    await expect(mostLikelyClasses(model, images, { batchSize: 1 })).rejects.toThrow('weights are broken');
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('is counted by class', () => {
    expect(rightByClass(Uint8Array.of(2, 0, 2, 2), [2, 1, 0, 2], 4)).toEqual([
      { images: 1, right: 0 },
      { images: 0, right: 0 },
      { images: 3, right: 2 },
      { images: 0, right: 0 },
    ]);
  });
});

describe('a saved model', () => {
  it('is loaded with what it is conditioned on', async () => {
    const at = join(directory, 'to-load');
    const cases = [
      [{}, null],
      [{ numClasses: 4 }, { kind: 'class', numClasses: 4 }],
      [{ conditionSize: 3 }, { kind: 'vector', size: 3 }],
      [{ conditionMapSize: 2 }, { kind: 'map', size: 2 }],
    ] as const;
    for (const [args, wanted] of cases) {
      await saveGatedModel(at, args);
      const { model, imageShape, levels, condition } = await loadImageModel(at);
      expect({ imageShape, levels, condition }).toEqual({
        imageShape: [8, 8, 1],
        levels: 17,
        condition: wanted,
      });
      model.dispose();
    }
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

  it('gives each image its own class, and tells how many have it as the most likely one', async () => {
    const model = join(directory, 'classes');
    await saveGatedModel(model, { hiddenDim: 8, outDim: 8, numClasses: 10 });
    const { images, labels } = await readDigits('test');
    const set = imageSet({
      data: images.slice(0, 40 * 64),
      shape: [40, 8, 8, 1],
      levels: 17,
      labels: labels.slice(0, 40),
    });
    const loaded = (await loadImageModel(model)).model as AutoregressiveModel;
    const bits = await bitsByChannel(loaded, set, { batchSize: 40 });
    const found = await mostLikelyClasses(loaded, set, { batchSize: 40 });
    loaded.dispose();

    const { code, stdout, stderr } = await runScript(
      'evaluate.mjs',
      ['--model', model, '--data', 'digits', '--images', '40', '--batch', '16', '--classify'],
      COUNT_TENSORS,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'tensors left: 0\n' });
    expect(stdout).toMatch(new RegExp(`^model +${bits[0]?.toFixed(3)}$`, 'm'));
    const right = found.filter((label, i) => label === labels[i]).length;
    expect(stdout).toMatch(
      new RegExp(
        `^accuracy +${(right / 40).toFixed(3)}  \\(${right} of 40 by the most likely class\\)$`,
        'm',
      ),
    );
    const rows = stdout
      .slice(stdout.search(/^class/m))
      .trim()
      .split('\n');
    expect(rows.map((row) => row.split(/ +/))).toEqual([
      ['class', 'images', 'right'],
      ...rightByClass(labels.slice(0, 40), found, 10).map((of, label) =>
        [label, of.images, of.right].map(String),
      ),
    ]);
  });

  it('has a model of zeros take every image for class 0', async () => {
    const model = join(directory, 'zeros-of-classes');
    await saveGatedModel(model, { numClasses: 10 }, true);
    const flags = ['--model', model, '--data', 'digits', '--classify'];
    const { code, stdout } = await runScript('evaluate.mjs', flags);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^model +4\.087$/m);
    expect(stdout).toMatch(/^accuracy +0\.111 {2}\(33 of 297 by the most likely class\)$/m);
    expect(stdout).toMatch(/^0 +33 +33\n1 +33 +0\n/m);
  });
});
