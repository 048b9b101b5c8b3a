import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDigits } from '../../kit/data/digits.mjs';
import { histogramBits } from '../../kit/models/baselines.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';
import { COUNT_TENSORS, type Ended, itRefuses, startScript } from './run-script';

const SCRIPT = fileURLToPath(new URL('../../examples/quickstart.mjs', import.meta.url));
const run = (flags: string[], nodeFlags: string[] = []) => startScript('quickstart.mjs', flags, nodeFlags).ended;
const figure = ({ stdout }: Ended) => stdout.match(/^test bits\/dim: (\d\.\d{3})$/m)?.[1];

describe('quickstart', () => {
  const directory = temporaryFolder();
  let first: Ended;
  let second: Ended;
  const inFirst = (name: string) => join(directory, 'first', name);

  beforeAll(async () => {
    const flags = ['--steps', '20', '--seed', '3', '--out'];
    first = await run([...flags, join(directory, 'first')], COUNT_TENSORS);
    second = await run([...flags, join(directory, 'second')]);
  });

  it('ends well, with no tensor left, and prints baselines, progress, and what it has reached', () => {
    expect(first).toMatchObject({ code: 0, stderr: 'tensors left: 0\n' });
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^uniform +4\.087$/m);
    expect(first.stdout).toMatch(/^histogram +2\.961$/m);
    expect(first.stdout).toMatch(/^step 20\/20 {2}\d\.\d{3} bits\/dim {2}\d+\.\d steps\/s {2}\d+:\d\d left$/m);
    expect(first.stdout).not.toContain('\x1b'); // stdout is no terminal
    const [figureLine, summary] = first.stdout.trimEnd().split('\n').slice(-2);
    expect(figureLine).toMatch(/^test bits\/dim: \d\.\d{3}$/);
    expect(summary).toBe(`20 steps, seed 3, written to ${join(directory, 'first')}`);
    expect(Number(figure(first))).toBeLessThan(Math.log2(17)); // of the uniform model
  });

  it('writes every file and leaves no other, and saves an AutoregressiveModel', async () => {
    const names = (await readdir(inFirst('.'))).map((name) => name.replace(/^weights\.[0-9a-f]+\./, 'weights.'));
    expect(names.sort()).toEqual(['completions.png', 'curve.svg', 'metrics.csv', 'model.json', 'samples.png', 'weights.1of1.bin']);
    const { modelTopology } = JSON.parse(await readFile(inFirst('model.json'), 'utf8'));
    expect(modelTopology.class_name).toBe('AutoregressiveModel');
    const svg = await readFile(inFirst('curve.svg'), 'utf8');
    for (const text of ['>step<', '>bits per dimension<', '>uniform<', '>histogram<']) expect(svg).toContain(text);
  });

  it.each(Object.entries({ 'samples.png': 8, 'completions.png': 10 }))('draws %s as %i rows of 8 digits', async (name, rows) => {
    const columns = 8;
    const { width, height } = PNG.sync.read(await readFile(inFirst(name)));
    // 8 pixels of side 10 and a gap of 8 for each digit, and the first gap.
    expect([width, height]).toEqual([columns * (8 * 10 + 8) + 8, rows * (8 * 10 + 8) + 8]);
  });

  it('writes metrics.csv with a row each second step', async () => {
    const [header, ...rows] = (await readFile(inFirst('metrics.csv'), 'utf8')).trimEnd().split('\n');
    expect(header).toBe('step,train_bits_per_dim,test_bits_per_dim,seconds');
    const values = rows.map((row) => row.split(',').map(Number));
    expect(values.map(([step]) => step)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    for (const row of values) expect(row).toHaveLength(4);
    expect(values.flat().every(Number.isFinite)).toBe(true);
    expect(values.at(-1)?.[2]?.toFixed(3)).toBe(figure(first));
  });

  it('gives the same figure, images and weights for the same seed', async () => {
    expect(figure(first)).toBeDefined();
    expect(figure(second)).toBe(figure(first));
    const names = await readdir(inFirst('.')); // the weights' name tells their contents
    expect(await readdir(join(directory, 'second'))).toEqual(names);
    for (const name of names.filter((name) => name !== 'metrics.csv')) {
      const same = (await readFile(inFirst(name))).equals(await readFile(join(directory, 'second', name)));
      expect(same, name).toBe(true);
    }
  });
});

describe('quickstart, its flags', () => {
  const out = temporaryFolder();

  it('takes figures of fewer images', async () => {
    await writeFile(join(out, 'curve.svg.77.tmp'), ''); // of a run that was killed
    const { code, stdout } = await run(['--steps', '2', '--eval-images', '1', '--out', out]);
    expect(code).toBe(0);
    expect(stdout).toContain('1 test and 1500 training images');
    const [train, test] = await Promise.all([readDigits('train'), readDigits('test')]);
    const one = histogramBits(train.images, test.images.subarray(0, 64), 17);
    expect(stdout).toMatch(new RegExp(`^histogram +${one.toFixed(3)}$`, 'm'));
    expect((await readdir(out)).filter((name) => /tmp|lock/.test(name))).toEqual([]);
  });

  itRefuses([['--out: wanted a directory, SCRIPT is a file', ['quickstart.mjs', '--out', 'SCRIPT']]], () => ({ SCRIPT }));
});
