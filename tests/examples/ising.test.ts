import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logPartition, logProb, type PortableModel, readPortable, sample } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { cooled, glassBonds, summedLogZ } from '../../kit/models/glass.mjs';
import { energyOf, exactLogZ, freeEnergyOf, magnetizationsOf } from '../../kit/models/ising.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';
import { itRefuses, runWell } from './run-script';

// A step so small that it changes no weight: what the network draws for it can be drawn again.
const [size, beta, seed] = [4, 0.44, 3];
const FLAGS =
  `--size ${size} --beta ${beta} --seed ${seed} --steps 1 --learning-rate 1e-30 --images 50 --hidden 2 --blocks 1 --draws 50`.split(' ');

const directory = temporaryFolder();
const at = (name: string) => join(directory, name);

/** Runs the program: what it printed, its results, and its network with symmetries and without. */
async function run(name: string, ...flags: string[]) {
  const { stdout } = await runWell('ising.mjs', [...FLAGS, ...flags, '--out', at(name)]);
  const result = JSON.parse(await readFile(at(`${name}/result.json`), 'utf8'));
  const model = readPortable(await readFile(at(`${name}/model.pixelcnn`)));
  const { symmetry, ...network } = model;
  return { stdout, result, symmetries: symmetry?.symmetries, model, network: network as PortableModel };
}

describe('ising.mjs', () => {
  let magnet: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    magnet = await run('magnet');
    expect(magnet.symmetries).toHaveLength(4);
  });

  it('bounds the free energy at the temperature that was asked for, also while it cools', async () => {
    const model = { ...magnet.network, symmetry: { symmetries: ['flipLevels' as const] } };
    const { images, logProb } = await sample(model, { numImages: 50, seed, withLogProb: true });
    const energies = energyOf(size)(Int32Array.from(images.data), 50);
    const bound = logProb.reduce((sum, one, n) => sum - beta * (energies[n] as number) - one, 0) / 50;
    const [most, exact] = [bound, exactLogZ(size, beta)].map((logZ) => freeEnergyOf(logZ, size, beta).toFixed(5));
    expect(magnet.stdout).toContain(`step 1: F/N at most ${most}, exact ${exact};`);
  });

  it('counts magnetizations with the symmetries, and by the network alone', async () => {
    const { data } = await sample(magnet.network, { numImages: 1000, seed });
    const alone = new Array(20).fill(0);
    for (const one of magnetizationsOf(data, 1000)) alone[Math.min(19, Math.floor(10 * (one + 1)))]++;
    const { histogram, histogramAlone } = magnet.result;
    expect(histogramAlone).toEqual(alone);
    expect(histogram).not.toEqual(alone);
    for (const [k, count] of alone.entries())
      expect(magnet.stdout).toMatch(new RegExp(`^ *${(k / 10 - 1).toFixed(1)} +${histogram[k]} +${count} #*$`, 'm'));
  });

  it('compares a spin glass with the sum over all its images', async () => {
    const { stdout, symmetries, model, network } = await run('glass', '--glass', '7');
    expect(symmetries).toEqual(['flipLevels']);
    const energy = energyOf(size, glassBonds(size, 7));
    const [estimate, alone] = await Promise.all(
      [model, network].map(async (of) => (await logPartition(of, energy, { beta, numImages: 50, seed })).logZ),
    );
    const [own, exact, byNetwork] = [estimate, summedLogZ(energy, size, beta), alone].map((logZ) => logZ?.toFixed(4));
    expect(stdout).toContain(`ln Z estimate  ${own}, exact ${exact}; by the network alone ${byNetwork}\n`);
    const data = cooled(energy, size, { beta, count: 200, seed });
    const logProbs = await logProb(model, { data, shape: [200, size, size, 1] });
    const rare = Array.from(energy(data, 200)).filter(
      (one, n) => Math.exp(-beta * one - Number(own)) > 10 * Math.exp(logProbs[n] as number),
    );
    expect(stdout).toContain(`missed         ${rare.length} of 200 `);
  });

  itRefuses([["--glass: wanted a --size of at most 4, got '8'", ['ising.mjs', '--glass', '1']]]);
});
