import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logProb, readPortable } from 'pixelcnn-layers/runtime';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDigits } from '../../kit/data/digits.mjs';
import { pngOfLevels } from '../../kit/pictures/png-levels.mjs';
import { runScript } from './run-script';

const TRAIN = '--data digits --model gated --blocks 1 --hidden 4 --out-dim 4 --first-kernel 3 --batch 4 --eval-images 20 --samples 2 --steps 5'; // biome-ignore format: one line

let directory: string;
const at = (name: string) => join(directory, name);
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'orders-'));
  await run('train.mjs', `${TRAIN} --orientations 8 --out ${at('eight')}`);
  await run('train.mjs', `${TRAIN} --orientations 4 --conditional --out ${at('classes')}`);
  for (const name of ['eight', 'classes'])
    await run('export.mjs', `--float32 --model ${at(name)} --out ${at(name)}.pixelcnn`);
}, 60_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(name: string, flags: string) {
  const { code, stdout, stderr } = await runScript(name, flags.split(' '));
  expect(code, stderr).toBe(0);
  return stdout;
}

const testImages = async (count: number) => {
  const { images, labels } = await readDigits('test');
  const data = images.slice(0, count * 64);
  return { images: { data, shape: [count, 8, 8, 1] }, labels: [...labels.slice(0, count)] };
};
const read = async (name: string) => readPortable(await readFile(at(`${name}.pixelcnn`)));
const bitsOf = (nats: ArrayLike<number>) =>
  (-Array.from(nats).reduce((sum, one) => sum + one) / (64 * nats.length * Math.LN2)).toFixed(3);

describe.each(['eight', 'classes'])('a model of orientations, %s', (name) => {
  const isByClass = name === 'classes';
  const elements = isByClass ? 4 : 8;

  it('is exported with them', async () => {
    const { symmetry, conditions } = await read(name);
    expect(symmetry).toEqual({
      symmetries: ['flipRows', 'flipColumns', ...(isByClass ? [] : ['transpose'])],
      asCondition: true,
    });
    expect(conditions).toMatchObject([{ kind: 'class', numClasses: isByClass ? 40 : 8 }]);
  });

  it('is evaluated in all of them, and in one', async () => {
    const { images, labels } = await testImages(20);
    const model = await read(name);
    const { symmetry, ...network } = model;
    const all = bitsOf(await logProb(model, images, isByClass ? { condition: labels } : {}));
    const one = bitsOf(
      await logProb(network, images, {
        condition: labels.map((label) => (isByClass ? label * elements : 0)),
      }),
    );
    for (const of of [at(name), `${at(name)}.pixelcnn`]) {
      const classify = isByClass ? ' --classify' : '';
      const stdout = await run('evaluate.mjs', `--model ${of} --data digits --images 20${classify}`);
      expect(stdout).toMatch(new RegExp(`^model +${all}\nin one order +${one}\n`, 'm'));
      if (isByClass)
        expect(stdout).toMatch(/^accuracy +0\.\d{3} {2}\(\d+ of 20 by the most likely class\)$/m);
    }
  });

  it('draws and completes the same from its run and from its file', async () => {
    for (const flags of ['--images 2', '--images 2 --complete digits']) {
      const drawn = [];
      for (const of of [at(name), `${at(name)}.pixelcnn`]) {
        const out = at('drawn.npy');
        const stdout = await run('sample.mjs', `--model ${of} ${flags} --out ${out}`);
        expect(stdout).toMatch(/^row 1 of 8\n(row \d of 8\n)*row 8 of 8\n/);
        drawn.push(await readFile(out));
      }
      expect(drawn[1]).toEqual(drawn[0]);
    }
  });

  it('is refused by compress.mjs, by name', async () => {
    const { images } = await testImages(1);
    await mkdir(at('pngs'), { recursive: true });
    await writeFile(at('pngs/0.png'), pngOfLevels(images.data, [8, 8, 1], 17));
    const flags = `--model ${at(name)}.pixelcnn --from ${at('pngs')} --to ${at('packed.zip')}`.split(' ');
    const { code, stderr } = await runScript('compress.mjs', flags);
    expect(code).toBe(1);
    expect(stderr).toMatch(/compress: model: .*symmetr/);
  });
});

describe('orders.mjs', () => {
  it('says what missing pixels cost, exactly in the orientations that leave them to the end', async () => {
    const out = at('orders.png');
    const stdout = await run('orders.mjs', `--model ${at('eight')} --images 3 --particles 2 --out ${out}`);
    const figures = (name: string) => new RegExp(`^${name} +(\\S.*)$`, 'm').exec(stdout)?.[1]?.split(/ {2,}/);
    const model = await read('eight');
    const all = await testImages(297);
    expect(figures('averaged over all')?.[0]).toBe(bitsOf(await logProb(model, all.images)));

    // The upper half comes first where columns are flipped, or nothing is.
    const { images } = await testImages(3);
    const mirrored = { ...images, data: images.data.map((_, i, levels) => levels[i - (i % 8) + 7 - (i % 8)] as number) }; // biome-ignore format: one line
    const { symmetry, ...network } = model;
    const nats = await Promise.all(
      [images, mirrored].map((given, k) => logProb(network, given, { condition: 2 * k, perValue: true })),
    );
    const sums = (perValue: Float64Array, size: number) =>
      [0, 1, 2].map((n) => perValue.subarray(64 * n, 64 * n + size).reduce((sum, one) => sum + one, 0));
    const logSum = (size: number, n: number) =>
      Math.log(nats.reduce((sum, of) => sum + Math.exp(sums(of, size)[n] as number), 0));
    const missing = [0, 1, 2].map((n) => logSum(64, n) - logSum(32, n));
    const later = [0, 1, 2].map((n) => (sums(nats[0] as Float64Array, 64)[n] as number) - (sums(nats[0] as Float64Array, 32)[n] as number)); // biome-ignore format: one line
    /** The mean of three numbers of bits for each of 32 missing values, and its standard error. */
    const cell = (natsOfImages: number[]) => {
      const [a, b, c] = natsOfImages.map((one) => -one / (32 * Math.LN2)) as [number, number, number];
      const mean = (a + b + c) / 3;
      const error = Math.sqrt(((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / (3 * 2));
      return `${mean.toFixed(3)} +- ${error.toFixed(3)}`;
    };
    expect(figures('upper half')).toEqual([missing, later, later].map(cell));
    for (const part of ['lower half', 'left half', 'right half', 'all but a quarter, left'])
      expect(figures(part)).toHaveLength(3);

    const { width, height } = PNG.sync.read(await readFile(out));
    expect([width, height]).toEqual([15 * 72 + 8, 5 * 72 + 8]);
  });

  it('takes models of orientations only', async () => {
    for (const model of [at('classes'), 'examples/models/digits']) {
      const { code, stderr } = await runScript('orders.mjs', ['--model', model]);
      expect([code, stderr]).toEqual([1, `--model: wanted a model of orientations, without classes, got ${model}\n`]); // biome-ignore format: one line
    }
  });
});
