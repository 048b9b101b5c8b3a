import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { gatedPixelCNN, pixelCNN, toPortable } from 'pixelcnn-layers';
import { compress, decompress, logProb, writePortable } from 'pixelcnn-layers/runtime';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDigits } from '../../kit/data/digits.mjs';
import { levelsOfPng, pngOfLevels } from '../../kit/pictures/png-levels.mjs';
import { useBackend } from '../support/backends';
import { portableModel } from '../support/models/portable-model.mjs';
import { shippedModel } from '../support/models/shipped';
import { temporaryFolder } from '../support/node/temporary-folder';
import { itRefuses, runScript, startScript } from './run-script';

const DIGITS = 'models/digits.pixelcnn';
const BY_CLASS = 'models/digits-conditional.pixelcnn';
const directory = temporaryFolder();
let anySize: string;
beforeAll(async () => {
  await useBackend('cpu');
  anySize = join(directory, 'any-size.pixelcnn');
  const args = { hiddenDim: 2, outDim: 4, numBlocks: 1, seed: 1 };
  const portable = await toPortable(pixelCNN({ imageShape: [null, null, 3], levels: 256, ...args }));
  await writeFile(anySize, writePortable(portable));
  const levels = pixelCNN({ imageShape: [8, 8, 1], levels: 300, ...args });
  const vector = gatedPixelCNN({ imageShape: [8, 8, 1], levels: 17, conditionSize: 2, ...args });
  for (const [name, model] of Object.entries({ levels, vector }))
    await writeFile(join(directory, `${name}.pixelcnn`), writePortable(await toPortable(model)));
  await mkdir(join(directory, 'digits'));
  const { images } = await readDigits('test');
  for (let n = 0; n < 20; n++) {
    const png = pngOfLevels(images.subarray(64 * n, 64 * n + 64), [8, 8, 1], 17);
    await writeFile(join(directory, 'digits', `${n}.png`), png);
  }
  await writeFile(join(directory, 'digits', 'notes.txt'), 'no image');
  await mkdir(join(directory, 'bad'));
  const clear = new PNG({ width: 2, height: 2 });
  await writeFile(join(directory, 'bad', 'clear.png'), PNG.sync.write(clear));
  await mkdir(join(directory, 'none'));
  await mkdir(join(directory, 'large-digit'));
  const large = pngOfLevels(new Uint8Array(72), [9, 8, 1], 17);
  await writeFile(join(directory, 'large-digit', 'a.png'), large);
  const digit = { data: images.subarray(0, 64), shape: [1, 8, 8, 1] };
  const code = await compress(await shippedModel('digits'), digit);
  const names = Buffer.from(JSON.stringify({ '8x8': ['0.png'] }));
  await writeFile(join(directory, 'packed.zip'), zipSync({ 'names.json': names, '8x8.pxc': code }));
  await writeFile(join(directory, 'four.pixelcnn'), writePortable(portableModel({ imageShape: [8, 8, 4], levels: 17 })));
  for (const name of ['odd/.png', 'twins/A.png', 'twins/a.png']) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), pngOfLevels(new Uint8Array(64), [8, 8, 1], 17));
  }
  await writeFile(join(directory, 'other.zip'), zipSync({ 'a.txt': new Uint8Array(1) }));
});

const run = (model: string, from: string, to: string, ...flags: string[]) =>
  runScript('compress.mjs', ['--model', model, '--from', from, '--to', to, ...flags]);

/** The pixels of the PNGs of a directory, RGBA, by name. */
async function pixelsOf(of: string) {
  const names = (await readdir(of)).filter((name) => name.endsWith('.png'));
  const read = async (name: string) => [name, PNG.sync.read(await readFile(join(of, name))).data] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

describe('compress.mjs', () => {
  it('packs PNGs into a file of the codec, of the size that the likelihood promises, and unpacks them', async () => {
    const [pngs, file, back] = ['digits', 'digits.zip', 'back'].map((name) => join(directory, name)) as [string, string, string];
    const packed = await run(DIGITS, pngs, file);
    expect(packed.code).toBe(0);
    const [, before, after, percent] =
      /^20 PNGs of (\d+) bytes, packed into .*digits\.zip: (\d+) bytes \((\d+) %\), its images at \d\.\d{3} bits\/dim$/m.exec(
        packed.stdout,
      ) ?? [];
    expect(Number(percent)).toBe(Math.round((100 * Number(after)) / Number(before)));
    expect(packed.stdout).toContain('left out, since they are not PNGs: notes.txt\n');
    expect(packed.stdout).toContain(`keep the model, which is needed to unpack it: ${DIGITS}\n`);
    expect(packed.stderr).toContain('100 %');
    const { '8x8.pxc': code = new Uint8Array(), 'names.json': names } = unzipSync(await readFile(file));
    expect(JSON.parse(String(Buffer.from(names ?? [])))['8x8'].slice(0, 3)).toEqual(['0.png', '1.png', '10.png']);
    const model = await shippedModel('digits');
    const images = await decompress(model, code);
    const promised = (await logProb(model, images)).reduce((sum, nats) => sum - nats / Math.LN2 / 8, 0);
    expect(code.length).toBeGreaterThan(promised);
    expect(code.length).toBeLessThan(promised * 1.001 + 16 * 20 + 40);
    expect(await run(DIGITS, file, back)).toMatchObject({ code: 0, stdout: `20 PNGs in ${back}\n` });
    expect(await pixelsOf(back)).toEqual(await pixelsOf(pngs));
  });

  it('takes images of several sizes, where the model does, in colours', async () => {
    const [pngs, file, back] = ['sizes', 'sizes.zip', 'sizes-back'].map((name) => join(directory, name)) as [string, string, string];
    await mkdir(pngs);
    for (const [n, shape] of ['46', '53', '46'].entries()) {
      const [height, width] = Array.from(shape, Number) as [number, number];
      const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => (37 * i + 11 * n) % 256);
      await writeFile(join(pngs, `${n}.png`), pngOfLevels(data, [height, width, 3], 256));
    }
    expect((await run(anySize, pngs, file, '--workers', '1')).code).toBe(0);
    expect(Object.keys(unzipSync(await readFile(file)))).toEqual(['names.json', '4x6.pxc', '5x3.pxc']);
    expect((await run(anySize, file, back)).code).toBe(0);
    expect(await pixelsOf(back)).toEqual(await pixelsOf(pngs));
  });

  it('keeps the class of the images', async () => {
    const model = BY_CLASS;
    const [file, back] = [join(directory, 'class.zip'), join(directory, 'class-back')] as const;
    expect((await run(model, join(directory, 'digits'), file, '--class', '3')).code).toBe(0);
    expect((await run(model, file, back)).code).toBe(0);
    expect(await pixelsOf(back)).toEqual(await pixelsOf(join(directory, 'digits')));
  });

  it('writes nothing outside of its directory, whatever a file says', async () => {
    const file = join(directory, 'digits.zip');
    const entries = unzipSync(await readFile(file));
    for (const name of ['../out.png', '/tmp/out.png', 'a\\b.png', 5, 'con.png', 'a\u0000.png']) {
      const names = { '8x8': Array.from({ length: 20 }, (_, n) => (n === 7 ? name : `${n}.png`)) };
      const bad = join(directory, 'bad.zip');
      await writeFile(bad, zipSync({ ...entries, 'names.json': Buffer.from(JSON.stringify(names)) }));
      const to = join(directory, 'nowhere');
      const { code, stderr } = await run(DIGITS, bad, to);
      expect(code).toBe(1);
      expect(stderr).toContain('damaged: wanted 20 names of images of 8x8');
      await expect(readdir(to)).rejects.toThrow('ENOENT');
    }
  });

  it('unpacks all images or none', async () => {
    const { '8x8.pxc': code = new Uint8Array(0) } = unzipSync(await readFile(join(directory, 'digits.zip')));
    const names = Array.from({ length: 20 }, (_, n) => `${n}.png`);
    for (const [list, message] of [
      [{ '8x8': names, '9x9': ['a.png'] }, "is damaged: wanted '8x8.pxc 9x9.pxc', got '8x8.pxc'"],
      [null, "is damaged: wanted '', got '8x8.pxc'"],
      [{ '8x8': names.slice(1) }, 'is damaged: wanted 20 names of images of 8x8'],
      [{ '8x8': [] }, 'is damaged: wanted a list of names of images of 8x8'],
      [{ '8x8': ['A.png', 'a.png', ...names.slice(2)] }, "is damaged: two of its names are one on some machine: 'A.png' and 'a.png'"],
    ] as const) {
      const bad = join(directory, 'bad.zip');
      await writeFile(bad, zipSync({ 'names.json': Buffer.from(JSON.stringify(list)), '8x8.pxc': code }));
      const to = join(directory, 'nowhere');
      expect((await run(DIGITS, bad, to)).stderr).toContain(`--from: '${bad}' ${message}\n`);
      await expect(readdir(to)).rejects.toThrow('ENOENT');
    }
  });

  it('unpacks only what it packs, of a size that the file itself has', async () => {
    const { '8x8.pxc': code = new Uint8Array(0), 'names.json': names = code } = unzipSync(await readFile(join(directory, 'digits.zip')));
    const zeros = new Uint8Array(2 ** 24 + 1);
    for (const [entries, message] of [
      [{ 'names.json': names, '8x8.pxc': code, zeros }, "is damaged: wanted '8x8.pxc', got '8x8.pxc zeros'"],
      [{ 'names.json': names, '8x8.pxc': zeros }, 'is not a file of this program'],
      [{ 'names.json': zeros, '8x8.pxc': code }, 'is not a file of this program'],
    ] as const) {
      const bad = join(directory, 'bomb.zip');
      await writeFile(bad, zipSync(entries));
      const { code: exit, stderr } = await run(DIGITS, bad, join(directory, 'nowhere'));
      expect(exit).toBe(1);
      expect(stderr).toContain(`--from: '${bad}' ${message}`);
    }
  });

  it('ends at Ctrl-C and writes nothing', async () => {
    const pngs = join(directory, 'large');
    await mkdir(pngs);
    const data = Uint8Array.from({ length: 400 * 400 * 3 }, (_, i) => (i * i) % 256);
    await writeFile(join(pngs, 'large.png'), pngOfLevels(data, [400, 400, 3], 256));
    const file = join(directory, 'large.zip');
    const { program, ended } = startScript('compress.mjs', ['--model', anySize, '--from', pngs, '--to', file]);
    program.stderr?.once('data', () => program.kill('SIGINT')); // the bar is there
    const { code, stdout, stderr } = await ended;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/\ninterrupted\n$/);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  itRefuses(
    [
      ['--model: wanted a file, models/digits is a directory', ['compress.mjs', '--model', 'models/digits', '--from', 'DIR/digits', '--to', 'DIR/a.zip']],
      ['--model: wanted one of at most 256 levels, as PNGs have, got 300', ['compress.mjs', '--model', 'DIR/levels.pixelcnn', '--from', 'DIR/digits', '--to', 'DIR/a.zip']],
      ['--model: wanted one by class, or without conditions, got one by vector', ['compress.mjs', '--model', 'DIR/vector.pixelcnn', '--from', 'DIR/digits', '--to', 'DIR/a.zip']],
      ["--from: 'DIR/nothing' does not exist", ['compress.mjs', '--model', DIGITS, '--from', 'DIR/nothing', '--to', 'DIR/a.zip']],
      ["--from: wanted names that are such on every machine, got '.png'", ['compress.mjs', '--model', DIGITS, '--from', 'DIR/odd', '--to', 'DIR/a.zip']],
      ["--from: wanted names that differ on every machine, got 'A.png' and 'a.png'", ['compress.mjs', '--model', DIGITS, '--from', 'DIR/twins', '--to', 'DIR/a.zip']],
      ['--model: wanted one of grey or RGB images, got 4 channels', ['compress.mjs', '--model', 'DIR/four.pixelcnn', '--from', 'DIR/digits', '--to', 'DIR/a.zip']],
      ["--from: 'DIR/none' has no PNGs", ['compress.mjs', '--model', DIGITS, '--from', 'DIR/none', '--to', 'DIR/a.zip']],
      ["'DIR/bad/clear.png': wanted no transparency, got opacity 0 in row 0, column 0", ['compress.mjs', '--model', DIGITS, '--from', 'DIR/bad', '--to', 'DIR/a.zip']],
      ["'DIR/large-digit/a.png': wanted 8 rows and 8 columns, as the model has, got 9 and 8", ['compress.mjs', '--model', DIGITS, '--from', 'DIR/large-digit', '--to', 'DIR/a.zip']],
      ["--from: 'DIR/other.zip' is not a file of this program", ['compress.mjs', '--model', DIGITS, '--from', 'DIR/other.zip', '--to', 'DIR/a']],
      ["--from: 'DIR/digits/0.png' is not a file of this program, nor a directory", ['compress.mjs', '--model', DIGITS, '--from', 'DIR/digits/0.png', '--to', 'DIR/other.zip']],
      ['--from: decompress: file: compressed with another model', ['compress.mjs', '--model', 'models/emoji.pixelcnn', '--from', 'DIR/packed.zip', '--to', 'DIR/a']],
      ["--class: wanted a whole number from 0 to 9, got '10'", ['compress.mjs', '--model', BY_CLASS, '--from', 'DIR/digits', '--to', 'DIR/a.zip', '--class', '10']],
      ['--class: wanted the class of all images, from 0 to 9', ['compress.mjs', '--model', BY_CLASS, '--from', 'DIR/digits', '--to', 'DIR/a.zip']],
      ['--class: wanted none, since the model takes no class', ['compress.mjs', '--model', DIGITS, '--from', 'DIR/digits', '--to', 'DIR/a.zip', '--class', '3']],
      ['--class: wanted none to unpack', ['compress.mjs', '--model', DIGITS, '--from', 'DIR/packed.zip', '--to', 'DIR/a', '--class', '3']],
    ], // biome-ignore format: a line each
    () => ({ DIR: directory }),
  );
});

describe('levels of a PNG', () => {
  it.each([2, 3, 17, 255, 256])('of %i levels are those it was made of', (levels) => {
    const data = Uint8Array.from({ length: 6 * 50 * 3 }, (_, i) => (7 * i) % levels);
    expect(levelsOfPng(pngOfLevels(data, [6, 50, 3], levels), 3, levels)).toEqual({ shape: [6, 50, 3], data });
    const grey = data.subarray(0, 300);
    expect(levelsOfPng(pngOfLevels(grey, [6, 50, 1], levels), 1, levels).data).toEqual(grey);
  });

  it('are refused where the model could not give them back', () => {
    const png = pngOfLevels([0, 0, 1], [1, 1, 3], 256);
    expect(() => levelsOfPng(png, 1, 256)).toThrow('wanted grey, got 0, 0, 1 in row 0, column 0');
    expect(() => levelsOfPng(png, 3, 17)).toThrow('wanted intensities of 17 levels (0, 16, 32, … 255), got 1 in row 0, column 0');
    const pixel = Buffer.from(new Uint16Array([300, 300, 300, 65535]).buffer);
    const deep = PNG.sync.write({ width: 1, height: 1, data: pixel }, { bitDepth: 16 });
    expect(() => levelsOfPng(deep, 1, 256)).toThrow('wanted 8 bits a channel, got 16');
    expect(() => levelsOfPng(png.subarray(0, 40), 3, 256)).toThrow('a damaged PNG: ');
    expect(() => levelsOfPng(new Uint8Array(3), 3, 256)).toThrow('not a PNG, but for its name');
  });
});
