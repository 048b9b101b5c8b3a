import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPortable } from 'pixelcnn-layers/runtime';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../../kit/data/datasets.mjs';
import { loadImageModel } from '../../kit/models/saved-model.mjs';
import { paletteOfText, toPalette } from '../../kit/pictures/palette.mjs';
import { pngOfLevels } from '../../kit/pictures/png-levels.mjs';
import { findPython } from '../research/python';
import { useBackend } from '../support/backends';
import { temporaryFolder } from '../support/node/temporary-folder';
import { readPng } from '../support/read-png';
import { itRefuses, runScript } from './run-script';

// A model of a palette, from train.mjs to pictures and files.

const SIZES = '--blocks 1 --hidden 4 --out-dim 4 --first-kernel 3 --batch 4 --eval-images 20 --samples 2 --average 0.9 --every 6';
const FIGURE = /^model +(\d\.\d{3})/m;
const directory = temporaryFolder();
let out: string;
let palette: Uint8Array;
const at = (name: string) => join(directory, name);
const readSettings = async (run: string) => JSON.parse(await readFile(join(run, 'run.json'), 'utf8'));

beforeAll(async () => {
  await useBackend('cpu');
  out = at('run');
  const { code, stdout } = await train(`--data emoji --palette 16 --steps 12 --out ${out}`);
  expect(stdout).toMatch(/^palette of 16 colours: .* mean square of \d+\.\d, a PSNR of 2\d\.\d dB$/m);
  expect(code).toBe(0);
  palette = paletteOfText('palette', (await readSettings(out)).palette);
});

const train = (flags: string) => runScript('train.mjs', `${SIZES} ${flags}`.split(' '));
const run = async (line: string) => {
  const [script = '', ...flags] = line.split(' ');
  const ended = await runScript(script, flags);
  expect(ended.stderr.replace(/^.*%.*\n/gm, '')).toBe('');
  return ended;
};

/** The colours of a PNG, each as #rrggbb. */
async function coloursOf(path: string) {
  const { data } = PNG.sync.read(await readFile(path));
  return new Set(Array.from({ length: data.length / 4 }, (_, i) => hex(data.subarray(4 * i, 4 * i + 3))));
}
const hex = (colour: Uint8Array) => `#${Buffer.from(colour).toString('hex')}`;
const ofPalette = () => Array.from({ length: 16 }, (_, level) => hex(palette.subarray(3 * level, 3 * level + 3)));
const [gap, line] = ['#cbd0d8', '#143e8c'];

describe('a model of a palette', () => {
  it('has one channel, reads categories, and carries the palette', async () => {
    expect(await readSettings(out)).toMatchObject({ colours: 16, input: 'oneHot', output: 'softmax' });
    const { model, imageShape, levels, palette: carried } = await loadImageModel(out);
    expect({ imageShape, levels, carried }).toEqual({ imageShape: [16, 16, 1], levels: 16, carried: palette });
    model.dispose();
    const { latest } = JSON.parse(await readFile(join(out, 'checkpoints/checkpoints.json'), 'utf8'));
    for (const part of ['model', 'average']) {
      const { userDefinedMetadata } = JSON.parse(await readFile(join(out, 'checkpoints', latest, part, 'model.json'), 'utf8'));
      expect(paletteOfText(part, userDefinedMetadata.palette)).toEqual(palette);
    }
  });

  it('draws in its colours, new images and completions, and shows what pixels cost beside them', async () => {
    expect(await coloursOf(join(out, 'samples.png'))).toEqual(new Set([gap, ...ofPalette()]));
    await run(`sample.mjs --model ${out} --images 8 --out ${at('new.png')}`);
    expect(await coloursOf(at('new.png'))).toEqual(new Set([gap, ...ofPalette()]));
    await run(`sample.mjs --model ${out} --complete emoji --images 2 --out ${at('complete.png')}`);
    expect(await coloursOf(at('complete.png'))).toEqual(new Set([gap, line, ...ofPalette()]));
    await run(`pictures.mjs bits --model ${out} --data emoji --images 1 --out ${at('heat.png')}`);
    const { hexAt } = readPng(await readFile(at('heat.png')));
    const { test } = await readDataset('emoji');
    for (const [pixel, level] of toPalette(test, palette).data.subarray(0, 256).entries()) {
      expect(hexAt(12 + 5 * (pixel % 16), 12 + 5 * Math.floor(pixel / 16))).toBe(ofPalette()[level]);
    }
  });

  it('becomes a file that carries the palette too, and packs PNGs of exactly its colours', async () => {
    const file = at('model.pixelcnn');
    await run(`convert.mjs --model ${out} --to ${file}`);
    expect(readPortable(await readFile(file)).palette).toEqual(palette);
    const figures = await Promise.all([out, file].map((model) => run(`evaluate.mjs --model ${model} --data emoji --images 9`)));
    const [whole, exported] = figures.map(({ stdout }) => FIGURE.exec(stdout)?.[1]);
    expect(exported).toBe(whole);
    await mkdir(at('pngs'));
    const { test } = await readDataset('emoji');
    const { data } = toPalette(test, palette);
    for (let n = 0; n < 3; n++)
      await writeFile(join(at('pngs'), `${n}.png`), pngOfLevels(data.subarray(256 * n, 256 * (n + 1)), [16, 16, 1], 16, palette));
    await run(`compress.mjs --model ${file} --from ${at('pngs')} --to ${at('packed.zip')}`);
    await run(`compress.mjs --model ${file} --from ${at('packed.zip')} --to ${at('back')}`);
    for (let n = 0; n < 3; n++) {
      const [before, after] = await Promise.all(['pngs', 'back'].map((folder) => readFile(join(at(folder), `${n}.png`))));
      expect(after?.equals(before as Buffer)).toBe(true);
    }
    await mkdir(at('rgb'));
    await writeFile(join(at('rgb'), 'a.png'), pngOfLevels(test.data.subarray(0, 768), [16, 16, 3], 256));
    const { code, stderr } = await runScript('compress.mjs', `--model ${file} --from ${at('rgb')} --to ${at('no.zip')}`.split(' '));
    expect(stderr).toMatch(/a\.png': wanted colours of the palette \(#\w{6}, .*\), got #\w{6} in row \d+, column \d+\n$/);
    expect(code).toBe(1);
  });

  itRefuses(
    [
      ['--palette: wanted RGB images, digits has grey ones', ['train.mjs', '--data', 'digits', '--palette', '8', '--out', 'NEW']],
      ["--palette: wanted a whole number from 2 to 4096, got '1'", ['train.mjs', '--data', 'emoji', '--palette', '1', '--out', 'NEW']],
      ['--palette: comes without --levels', ['train.mjs', '--data', 'emoji', '--palette', '8', '--levels', '8', '--out', 'NEW']],
      ['--palette: comes with --model pixelcnn', ['train.mjs', '--data', 'emoji', '--palette', '8', '--model', 'plus-plus', '--out', 'NEW']],
      ['the model takes images of 16x16x1, digits has 8x8x1', ['sample.mjs', '--model', 'RUN', '--complete', 'digits']],
    ], // biome-ignore format: one a line
    () => ({ NEW: at('new'), RUN: out }),
  );
});

const python = findPython();

describe.skipIf(python === null)('train.py with the palette of a run', () => {
  const script = fileURLToPath(new URL('../../research/pytorch/train.py', import.meta.url));
  const trainPy = (flags: string) => {
    const sizes = '--blocks 1 --hidden 4 --out-dim 4 --first-kernel 3 --batch 4 --eval-images 20'.split(' ');
    const env = { ...process.env, OMP_NUM_THREADS: '1' };
    return spawnSync(python as string, ['-B', script, ...sizes, ...flags.split(' ')], { encoding: 'utf8', env });
  };

  it('trains on the same levels, and gives a model that carries it', async () => {
    const { status, stdout } = trainPy(`--data emoji --palette ${join(out, 'run.json')} --steps 3 --out ${at('py')}`);
    expect(status).toBe(0);
    expect(stdout).toContain('1720 images [16, 16, 1] of 16 levels');
    const { model, palette: carried } = await loadImageModel(at('py'));
    expect(carried).toEqual(palette);
    model.dispose();
    const figure = FIGURE.exec((await run(`evaluate.mjs --model ${at('py')} --data emoji --images 20`)).stdout)?.[1];
    expect(stdout).toContain(`test bits/dim: ${figure}`);
  });
});
