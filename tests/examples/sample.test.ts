import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COUNT_TENSORS, runScript, startScript } from './run-script';
import { saveModel } from './save-model';

let directory: string;
let model: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sample-'));
  model = join(directory, 'model');
  await saveModel(model, {});
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Draws a picture; its places in the grid, each as the pixels of one image. */
async function draw(name: string, flags: string[]) {
  const out = join(directory, name);
  const { code, stdout, stderr } = await runScript(
    'sample.mjs',
    ['--model', model, '--out', out, ...flags],
    COUNT_TENSORS,
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'tensors left: 0\n' });
  const { width, height, data } = PNG.sync.read(await readFile(out));
  const [columns, rows] = [(width - 8) / 88, (height - 8) / 88]; // 8 pixels of side 10 and a gap of 8
  const image = (row: number, column: number) =>
    Array.from({ length: 64 }, (_, pixel) => {
      const x = 8 + 88 * column + 10 * (pixel % 8);
      const y = 8 + 88 * row + 10 * Math.floor(pixel / 8);
      return [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)].join();
    });
  return { stdout, columns, rows, image };
}

describe('sample.mjs', () => {
  it('draws a square of new images, the same for the same seed, and says so row by row', async () => {
    const first = await draw('new/first.png', ['--images', '5']);
    expect([first.columns, first.rows]).toEqual([3, 2]);
    expect(first.stdout).toBe(
      `${[1, 2, 3, 4, 5, 6, 7, 8].map((row) => `row ${row} of 8\n`).join('')}written to ${join(directory, 'new/first.png')}\n`,
    );
    const again = await draw('again.png', ['--images', '5', '--seed', '1']);
    const other = await draw('other.png', ['--images', '5', '--seed', '2']);
    expect(again.image(1, 1)).toEqual(first.image(1, 1));
    expect(other.image(1, 1)).not.toEqual(first.image(1, 1));
  });

  it('draws a row each temperature from the same noise', async () => {
    const flags = ['--images', '3', '--temperatures', '0,1,1'];
    const { stdout, columns, rows, image } = await draw('temperatures.png', flags);
    expect([columns, rows]).toEqual([3, 3]);
    expect(stdout).toContain('temperature 0: row 8 of 8\ntemperature 1: row 1 of 8\n');
    expect(image(0, 1)).toEqual(image(0, 0)); // no noise at 0
    expect(image(1, 1)).not.toEqual(image(1, 0));
    expect(image(2, 1)).toEqual(image(1, 1));
  });

  it('draws among the most likely levels only', async () => {
    const most = await draw('most.png', ['--images', '2', '--temperature', '0']);
    const topK = await draw('top-k.png', ['--images', '2', '--top-k', '1']);
    const topP = await draw('top-p.png', ['--images', '2', '--top-p', '1e-9']);
    for (const { image } of [topK, topP]) expect(image(0, 1)).toEqual(most.image(0, 0));
  });

  it('completes test images: the image, then seven with the same upper half', async () => {
    const { columns, rows, image } = await draw('complete.png', ['--complete', 'digits', '--images', '2']);
    expect([columns, rows]).toEqual([8, 2]);
    const upper = image(1, 0).slice(0, 32);
    for (let column = 1; column < 8; column++) expect(image(1, column).slice(0, 32)).toEqual(upper);
    expect(image(0, 0).slice(0, 32)).not.toEqual(upper);
    const lower = (column: number) => image(1, column).slice(32);
    expect(lower(1)).not.toEqual(lower(2));
    for (const colour of lower(0)) expect(Number(colour.split(',')[2])).toBeGreaterThanOrEqual(140); // blue: given
  });

  it('completes test images at each temperature, beneath the images', async () => {
    const flags = ['--complete', 'digits', '--images', '3', '--temperatures', '0.5,1'];
    const { columns, rows, image } = await draw('complete-at.png', flags);
    expect([columns, rows]).toEqual([3, 3]);
    for (const row of [1, 2]) expect(image(row, 2).slice(0, 32)).toEqual(image(0, 2).slice(0, 32));
    expect(image(1, 2).slice(32)).not.toEqual(image(2, 2).slice(32));
  });

  it('ends cleanly on Ctrl-C and writes nothing', async () => {
    const large = join(directory, 'large');
    const out = join(directory, 'interrupted.png');
    await saveModel(large, { imageShape: [64, 64, 1] });
    const { program, ended } = startScript(
      'sample.mjs',
      ['--model', large, '--images', '400', '--out', out],
      COUNT_TENSORS,
    );
    program.stdout?.once('data', () => program.kill('SIGINT'));
    const { code, stdout, stderr } = await ended;
    expect(stderr).toBe('interrupted: nothing is written\ntensors left: 0\n');
    expect(code).toBe(130);
    expect(stdout).not.toContain('row 64');
    expect(existsSync(out)).toBe(false);
  });

  it('says that it needs a size where the model has none', async () => {
    const anySize = join(directory, 'any-size');
    await saveModel(anySize, { imageShape: [null, null, 1] });
    const { code, stderr } = await runScript('sample.mjs', ['--model', anySize]);
    expect(stderr).toContain('the model takes images of any size: --complete draws those of a data set\n');
    expect(code).toBe(1);
  });
});
