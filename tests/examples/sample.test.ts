import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDigits } from '../../kit/data/digits.mjs';
import { npyOf, parseNpy } from '../../kit/weights/npy.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';
import { readGrid } from './read-grid';
import { COUNT_TENSORS, itRefuses, runScript, runWell, startScript } from './run-script';
import { saveGatedModel, saveModel, saveModelOfCodes } from './save-model';

const directory = temporaryFolder();
let model: string;
let conditional: string;
beforeAll(async () => {
  model = join(directory, 'model');
  await saveModel(model, {});
  conditional = join(directory, 'conditional');
  await saveGatedModel(conditional, { hiddenDim: 8, outDim: 8, numClasses: 10 });
});

/** Draws a picture; its places in the grid, each as the pixels of one image. */
async function draw(name: string, flags: string[], of = model) {
  const out = join(directory, name);
  const all = ['--model', of, '--out', out, ...flags];
  const { stdout } = await runWell('sample.mjs', all);
  const { columns, rows, colours } = await readGrid(out);
  const images = colours.map((pixels) => pixels.map(String));
  const image = (row: number, column: number) => images[row * columns + column] as string[];
  return { stdout, columns, rows, image, images };
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

  it('draws from a portable file what it draws from the model that it was made of, and completes', async () => {
    const file = join(directory, 'conditional.pixelcnn');
    await runWell('convert.mjs', ['--model', conditional, '--to', file]);
    for (const given of ['--images 2', '--complete digits --images 2 --top-k 3']) {
      const flags = given.split(' ');
      const [there, here] = [await draw('there.png', flags, conditional), await draw('here.png', flags, file)];
      expect(here.images).toEqual(there.images);
      expect(here.stdout).toBe(there.stdout.replace('there.png', 'here.png'));
    }
    const { stderr } = await runScript('sample.mjs', ['--model', join(directory, 'none.pixelcnn'), '--out', file]);
    expect(stderr).toMatch(/--model: '.*none\.pixelcnn' does not exist/);
  });

  it('draws from a model with a layer of the user, which --import of node registers', async () => {
    const own = join(directory, 'own');
    await saveModel(own, {});
    const file = join(own, 'model.json');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('"PixelCNNResBlock"', '"TheirBlock"'));
    const flags = ['--model', own, '--images', '1', '--out', join(directory, 'own.png')];
    const { stderr } = await runScript('sample.mjs', flags);
    expect(stderr).toContain(`--model: '${own}' has a layer TheirBlock, which is not registered`);
    const { ended } = startScript('sample.mjs', flags, ['--import', './tests/examples/own-layers.mjs']);
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('writes into out where it is told no other place, and removes what a kill has left of that file', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await mkdir(join(directory, 'out'));
    for (const name of ['samples.png', 'other.png']) await writeFile(join(directory, `out/${name}.${pid}.tmp`), '');
    const flags = ['--model', model, '--images', '1'];
    const { stdout } = await runScript('sample.mjs', flags, directory);
    expect(stdout).toContain('written to out/samples.png\n');
    expect((await readdir(join(directory, 'out'))).sort()).toEqual([`other.png.${pid}.tmp`, 'samples.png']);
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

  it('writes the levels themselves for NumPy, of completed codes too', async () => {
    const codes = join(directory, 'codes');
    const path = join(directory, 'codes.npy');
    await saveModel(codes, { imageShape: [2, 2, 1], levels: 300 });
    const given = Uint16Array.from({ length: 20 * 4 }, (_, i) => 299 - i);
    await writeFile(path, npyOf(given, [20, 2, 2]));
    const out = join(directory, 'drawn.npy');
    const flags = ['--model', codes, '--complete', 'npy', '--path', path, '--images', '2', '--out', out];
    await runWell('sample.mjs', flags);
    const { data, shape } = parseNpy(await readFile(out));
    expect(shape).toEqual([16, 2, 2, 1]); // two images, each with seven completions
    expect(data).toBeInstanceOf(Uint16Array);
    for (const image of [0, 8]) {
      const test = image === 0 ? 9 : 19;
      const own = Array.from(given.subarray(4 * test, 4 * test + 4));
      expect(Array.from(data).slice(4 * image, 4 * image + 4)).toEqual(own);
      for (let n = image; n < image + 8; n++) expect([data[4 * n], data[4 * n + 1]]).toEqual(own.slice(0, 2));
    }
    expect(Math.max(...Array.from(data).filter((_, i) => i % 4 > 1))).toBeLessThan(300);
  });

  it('ends cleanly on Ctrl-C and writes nothing', async () => {
    const large = join(directory, 'large');
    const out = join(directory, 'interrupted.png');
    await saveModel(large, { imageShape: [64, 64, 1] });
    const { program, ended } = startScript('sample.mjs', ['--model', large, '--images', '8000', '--out', out], COUNT_TENSORS);
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

describe('sample.mjs with a model of classes', () => {
  const drawOf = (name: string, ...flags: string[]) => draw(name, flags, conditional);
  /** Without noise, so that an image tells its class. */
  const mostLikely = ['--temperature', '0'];

  it('draws a row of images for each class', async () => {
    const all = await drawOf('classes.png', '--images', '2', ...mostLikely);
    const four = await drawOf('class-4.png', '--images', '1', '--class', '4', ...mostLikely);
    expect([all.columns, all.rows]).toEqual([2, 10]);
    expect(all.image(4, 1)).toEqual(four.image(0, 0));
    const others = Array.from({ length: 10 }, (_, label) => String(all.image(label, 1)));
    expect(new Set(others).size).toBeGreaterThan(1); // the class counts
  });

  it('draws every image of the rows from noise of its own; a grid of class 0 goes on with the first row', async () => {
    const [first, again, zeros] = await Promise.all([drawOf('eight.png'), drawOf('eight-again.png'), drawOf('zeros.png', '--class', '0')]);
    expect([first.columns, first.rows]).toEqual([8, 10]);
    expect(new Set(first.images.map(String)).size).toBe(80);
    expect(again.images).toEqual(first.images);
    expect([zeros.columns, zeros.rows]).toEqual([8, 8]);
    for (const column of [0, 1, 2]) expect(first.image(0, column)).toEqual(zeros.image(0, column));
  });

  it('completes each test image given its own class, or the class asked for', async () => {
    const { labels } = await readDigits('test');
    const [label, other] = labels;
    expect(other).not.toBe(label);
    const complete = ['--complete', 'digits', '--images', '2', ...mostLikely];
    const [own, asLabel, asOther, inRows] = await Promise.all([
      drawOf('own.png', ...complete),
      drawOf('as-label.png', ...complete, '--class', String(label)),
      drawOf('as-other.png', ...complete, '--class', String(other)),
      drawOf('own-rows.png', ...complete.slice(0, 4), '--temperatures', '0'),
    ]);
    for (const column of [1, 7]) {
      expect(own.image(0, column)).toEqual(asLabel.image(0, column));
      expect(own.image(1, column)).toEqual(asOther.image(1, column));
      expect(own.image(0, column)).not.toEqual(asOther.image(0, column));
      expect(own.image(1, column)).not.toEqual(asLabel.image(1, column));
    }
    expect([inRows.columns, inRows.rows]).toEqual([2, 2]); // the images, then their completions
    for (const column of [0, 1]) expect(inRows.image(1, column)).toEqual(own.image(column, 1));
  });
});

describe('sample.mjs with a model of finer codes', () => {
  const levelsOf = async (name: string, ...flags: string[]) => {
    const [model, codes, out] = ['finer', 'codes.npy', name].map((file) => join(directory, file));
    const given = ['--model', model, '--codes', codes, '--out', out, ...flags] as string[];
    await runWell('sample.mjs', given);
    return parseNpy(await readFile(out as string));
  };
  const writeCodes = (shape: number[], levels: Uint8Array) => writeFile(join(directory, 'codes.npy'), npyOf(levels, shape));

  it('draws an image for each coarser map, as sample.mjs or NumPy writes them', async () => {
    const maps = Uint8Array.from({ length: 3 * 16 }, (_, i) => (i < 16 ? 0 : 16)); // the last two are alike
    await writeCodes([3, 4, 4], maps);
    const { data, shape } = await levelsOf('flat.npy', '--temperature', '0');
    expect(shape).toEqual([3, 8, 8, 1]);
    const [first, second, third] = [0, 1, 2].map((n) => Array.from(data).slice(64 * n, 64 * n + 64));
    expect(third).toEqual(second);
    expect(second).not.toEqual(first); // the codes count
    await writeCodes([3, 4, 4, 1], maps);
    expect(await levelsOf('channel.npy', '--temperature', '0')).toEqual({ data, shape });
    expect((await levelsOf('rows.npy', '--temperatures', '0,1')).shape).toEqual([6, 8, 8, 1]);
  });

  const files = { SOME: 'some.npy', NONE: 'none.npy', JUNK: 'junk.npy', SHAPE: 'shape.npy', EMPTY: 'empty.pixelcnn' };
  const all = { ...files, FINER: 'finer', PLAIN: 'model' };
  const places = () => Object.fromEntries(Object.entries(all).map(([name, file]) => [name, join(directory, file)]));
  beforeAll(async () => {
    await saveModelOfCodes(join(directory, 'finer'));
    const write = (name: string, bytes: Uint8Array) => writeFile(join(directory, name), bytes);
    await write(files.SOME, npyOf(new Uint8Array(16), [1, 4, 4]));
    await write(files.JUNK, new Uint8Array(99));
    await write(files.EMPTY, new Uint8Array());
    await write(files.SHAPE, npyOf(new Uint8Array(48), [3, 2, 8]));
  });
  const of = (codes: string, ...flags: string[]) => ['sample.mjs', '--model', 'FINER', '--codes', codes, ...flags];
  itRefuses(
    [
      ['--codes: the model takes no coarser codes', ['sample.mjs', '--model', 'PLAIN', '--codes', 'SOME']],
      ['--complete: comes without --codes', of('SOME', '--complete', 'digits')],
      ["--codes: 'NONE' does not exist", of('NONE')],
      ["--codes: 'JUNK' cannot be read: wanted a .npy file", of('JUNK')],
      ["--model: 'EMPTY' cannot be read: ", ['sample.mjs', '--model', 'EMPTY']],
      ['condition: wanted codes of shape [3,4,4], got [3, 2, 8]', of('SHAPE')],
    ],
    places,
  );
});
