import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logProb, readPortable } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDigits } from '../../kit/data/digits.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';
import { runScript, runWell } from './run-script';

const TRAIN =
  '--data digits --model gated --blocks 1 --hidden 4 --out-dim 4 --first-kernel 3 --batch 4 --eval-images 20 --samples 2 --steps 5';

const directory = temporaryFolder();
const at = (name: string) => join(directory, name);
beforeAll(async () => {
  await run('train.mjs', `${TRAIN} --orientations 8 --out ${at('eight')}`);
  await run('train.mjs', `${TRAIN} --orientations 4 --conditional --out ${at('classes')}`);
  for (const name of ['eight', 'classes']) await run('convert.mjs', `--model ${at(name)} --to ${at(name)}.pixelcnn`);
});

async function run(name: string, flags: string) {
  const { stdout } = await runWell(name, flags.split(' '));
  return stdout;
}

const testImages = async (count: number) => {
  const { images, labels } = await readDigits('test');
  const data = images.slice(0, count * 64);
  return { images: { data, shape: [count, 8, 8, 1] }, labels: [...labels.slice(0, count)] };
};
const read = async (name: string) => readPortable(await readFile(at(`${name}.pixelcnn`)));
const bitsOf = (nats: ArrayLike<number>) => (-Array.from(nats).reduce((sum, one) => sum + one) / (64 * nats.length * Math.LN2)).toFixed(3);

describe.each(['eight', 'classes'])('a model of orientations, %s', (name) => {
  const isByClass = name === 'classes';
  const elements = isByClass ? 4 : 8;

  it('is converted with them', async () => {
    const { symmetry, conditions } = await read(name);
    expect(symmetry).toEqual({ symmetries: ['flipRows', 'flipColumns', ...(isByClass ? [] : ['transpose'])], asCondition: true });
    expect(conditions).toMatchObject([{ kind: 'class', numClasses: isByClass ? 40 : 8 }]);
  });

  it('is evaluated in all of them, and in one', async () => {
    const { images, labels } = await testImages(20);
    const model = await read(name);
    const { symmetry, ...network } = model;
    const all = bitsOf(await logProb(model, images, isByClass ? { condition: labels } : {}));
    const one = bitsOf(await logProb(network, images, { condition: labels.map((label) => (isByClass ? label * elements : 0)) }));
    for (const of of [at(name), `${at(name)}.pixelcnn`]) {
      const classify = isByClass ? ' --classify' : '';
      const stdout = await run('evaluate.mjs', `--model ${of} --data digits --images 20${classify}`);
      expect(stdout).toMatch(new RegExp(`^model +${all}\nin one order +${one}\n`, 'm'));
      if (isByClass) expect(stdout).toMatch(/^accuracy +0\.\d{3} {2}\(\d+ of 20 by the most likely class\)$/m);
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
});

it('completes in any order without classes only', async () => {
  for (const model of [at('classes'), 'models/digits']) {
    const { code, stderr } = await runScript('complete.mjs', ['orders', '--model', model]);
    expect([code, stderr]).toEqual([1, `--model: wanted a model of orientations, without classes, got ${model}\n`]);
  }
  await run('complete.mjs', `orders --model ${at('eight')} --images 2 --particles 1 --out ${at('run.png')}`);
});
