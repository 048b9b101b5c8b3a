import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PortableModel, readPortable, sample } from 'pixelcnn-layers/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { energyOf, exactLogZ, freeEnergyOf, magnetizationsOf } from '../../examples/lib/ising.mjs';
import { runScript } from './run-script';

// A step so small that it changes no weight: what the network draws for it can be drawn again.
const [size, beta, seed] = [4, 0.44, 3];
const FLAGS = `--size ${size} --beta ${beta} --seed ${seed} --steps 1 --learning-rate 1e-30 --images 50 --hidden 2 --blocks 1 --draws 50`;

let directory: string;
let stdout: string;
/** The network without symmetries. */
let network: PortableModel;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ising-'));
  const ended = await runScript('ising.mjs', [...FLAGS.split(' '), '--out', directory]);
  expect(ended.code, ended.stderr).toBe(0);
  stdout = ended.stdout;
  const { symmetry, ...alone } = readPortable(await readFile(join(directory, 'model.pixelcnn')));
  expect(symmetry?.symmetries).toHaveLength(4);
  network = alone;
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('ising.mjs', () => {
  it('bounds the free energy at the temperature that was asked for, also while it cools', async () => {
    const model = { ...network, symmetry: { symmetries: ['flipLevels' as const] } };
    const { images, logProb } = await sample(model, { numImages: 50, seed, withLogProb: true });
    const energies = energyOf(size)(Int32Array.from(images.data), 50);
    const bound = logProb.reduce((sum, one, n) => sum - beta * (energies[n] as number) - one, 0) / 50;
    const [most, exact] = [bound, exactLogZ(size, beta)].map((logZ) =>
      freeEnergyOf(logZ, size, beta).toFixed(5),
    );
    expect(stdout).toContain(`step 1: F/N at most ${most}, exact ${exact};`);
  });

  it('counts magnetizations with the symmetries, and by the network alone', async () => {
    const result = JSON.parse(await readFile(join(directory, 'result.json'), 'utf8'));
    const { data } = await sample(network, { numImages: 1000, seed });
    const alone = new Array(20).fill(0);
    for (const one of magnetizationsOf(data, 1000)) alone[Math.min(19, Math.floor(10 * (one + 1)))]++;
    expect(result.histogramAlone).toEqual(alone);
    expect(result.histogram).not.toEqual(alone);
    for (const [k, count] of alone.entries())
      expect(stdout).toMatch(
        new RegExp(`^ *${(k / 10 - 1).toFixed(1)} +${result.histogram[k]} +${count} #*$`, 'm'),
      );
  });
});
