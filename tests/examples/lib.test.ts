import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { gatedPixelCNN, pixelCNN } from 'pixelcnn-layers';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { useBackend } from '../../examples/lib/backend.mjs';
import { histogramBits, uniformBits } from '../../examples/lib/baselines.mjs';
import { lineChart } from '../../examples/lib/chart.mjs';
import { LEVELS, readDigits } from '../../examples/lib/digits.mjs';
import { writeWhole } from '../../examples/lib/files.mjs';
import { gridPng } from '../../examples/lib/png.mjs';
import { seeded, seedWeights } from '../../examples/lib/weights.mjs';

describe('digits', () => {
  it.each([
    ['train', 1500],
    ['test', 297],
  ] as const)('reads the %s part: %i images and as many classes', async (part, count) => {
    const { images, labels } = await readDigits(part);
    expect([images.length, labels.length]).toEqual([count * 64, count]);
    expect(new Set(images)).toEqual(new Set(Array.from({ length: LEVELS }, (_, level) => level)));
    expect(new Set(labels)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});

describe('baselines', () => {
  it('has the uniform model at log2 of the levels', () => {
    expect(uniformBits(17)).toBe(Math.log2(17));
    expect(uniformBits(17)).toBeCloseTo(4.087, 3);
  });

  it('has the histogram at 2.961 on the digits', async () => {
    const [train, test] = await Promise.all([readDigits('train'), readDigits('test')]);
    expect(histogramBits(train.images, test.images, LEVELS)).toBeCloseTo(2.961, 3);
  });

  it('counts one more of every level', () => {
    // Counts 5 and 0 of two levels become 6 and 1 of 7.
    const bits = histogramBits(Uint8Array.of(0, 0, 0, 0, 0), Uint8Array.of(0, 1), 2);
    expect(bits).toBeCloseTo(-(Math.log2(6 / 7) + Math.log2(1 / 7)) / 2, 12);
  });
});

describe('weights', () => {
  it('draws kernels within the Glorot limit, the same for the same seed, and leaves biases zero', async () => {
    await useBackend('cpu');
    const draw = (seed: number) => {
      const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 3, outDim: 5, numBlocks: 1 });
      const before = tf.memory().numTensors;
      seedWeights(model, seed);
      expect(tf.memory().numTensors).toBe(before);
      const weights = model
        .getWeights()
        .map((weight) => ({ shape: weight.shape, values: weight.dataSync() }));
      model.dispose();
      return weights;
    };
    const weights = draw(1);
    expect(draw(1)).toEqual(weights);
    expect(draw(2)).not.toEqual(weights);
    for (const { shape, values } of weights) {
      const [rows = 0, columns = 0, featuresIn = 0, featuresOut = 0] = shape;
      const limit = shape.length === 4 ? Math.sqrt(6 / (rows * columns * (featuresIn + featuresOut))) : 0;
      const largest = Math.max(...values.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(limit);
      expect(largest).toBeGreaterThanOrEqual(limit / 2);
    }
  });

  it('are drawn from a seed as the layers draw them, and Math.random is its own again', () => {
    const { random } = Math;
    const draw = (seed: number) => {
      const model = seeded(seed, () => gatedPixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 3, outDim: 5, numBlocks: 1 })); // biome-ignore format: one line
      const weights = model.getWeights().map((weight) => Array.from(weight.dataSync()));
      model.dispose();
      return weights;
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(2)).not.toEqual(draw(1));
    const fail = () =>
      seeded(1, () => {
        throw new Error('no model');
      });
    expect(fail).toThrow('no model');
    expect(Math.random).toBe(random);
  });
});

describe('backend', () => {
  it('starts the one asked for', async () => {
    await useBackend('cpu');
    expect(tf.getBackend()).toBe('cpu');
  });

  it('names the flag for any other', async () => {
    await expect(useBackend('gpu')).rejects.toThrow(
      "--backend: wanted wasm, cpu, webgpu, tensorflow, got 'gpu'",
    );
  });
});

describe('png', () => {
  it('enlarges pixels, leaves gaps and sets given pixels apart', () => {
    // Three images of 1x2 pixels in two columns; levels 0 and 2 of three are paper and ink, 1 halfway.
    const png = gridPng({
      images: [0, 2, 1, 0, 2, 2],
      known: [0, 0, 0, 0, 1, 0],
      imageShape: [1, 2],
      levels: 3,
      columns: 2,
      scale: 3,
      gap: 2,
    });
    const { width, height, data } = PNG.sync.read(png);
    expect(width).toBe(2 + 2 * (2 * 3 + 2)); // the first gap, then two images with a gap each
    expect(height).toBe(2 + 2 * (1 * 3 + 2));

    const at = (x: number, y: number) => [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
    const gap = at(0, 0);
    const paper = [255, 255, 255, 255];
    const ink = [24, 24, 32, 255];
    const halfway = [140, 140, 144, 255]; // (255 + 24) / 2, rounded up, and (255 + 32) / 2
    const givenInk = [20, 62, 140, 255];
    // The middle of each image row, pixel by pixel: gap 2, pixel 3, pixel 3, gap 2, ...
    const row = (y: number) => Array.from({ length: width }, (_, x) => at(x, y));
    const times = (count: number, colour: number[]) => new Array<number[]>(count).fill(colour);
    const upper = [times(2, gap), times(3, paper), times(3, ink), times(2, gap), times(3, halfway)];
    expect(row(3)).toEqual([...upper, times(3, paper), times(2, gap)].flat());
    const lower = [times(2, gap), times(3, givenInk), times(3, ink), times(2 + 6 + 2, gap)];
    expect(row(8)).toEqual(lower.flat());
    for (const y of [0, 1, 5, 6, 10, 11]) expect(row(y)).toEqual(times(width, gap)); // between the rows
    for (const y of [2, 4]) expect(row(y)).toEqual(row(3));
    for (const y of [7, 9]) expect(row(y)).toEqual(row(8));
  });
});

describe('chart', () => {
  it('is an SVG with the titles and the names of lines and rules', async () => {
    const svg = await lineChart({
      title: 'A title',
      xTitle: 'across',
      yTitle: 'up',
      lines: [
        {
          name: 'a line',
          points: [
            { x: 0, y: 1 },
            { x: 1, y: 2 },
          ],
        },
      ],
      rules: [{ name: 'a rule', y: 1.5 }],
    });
    expect(svg).toMatch(/^<svg/);
    for (const text of ['A title', 'across', 'up', 'a line', 'a rule']) expect(svg).toContain(`>${text}<`);
  });
});

describe('files', () => {
  it('replaces a file and leaves nothing beside it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'files-'));
    const path = join(directory, 'file.txt');
    await writeWhole(path, 'old');
    await writeWhole(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    await mkdir(join(directory, 'taken'));
    await expect(writeWhole(join(directory, 'taken'), 'not over a directory')).rejects.toThrow();
    expect((await readdir(directory)).sort()).toEqual(['file.txt', 'taken']);
    await rm(directory, { recursive: true });
  });
});
