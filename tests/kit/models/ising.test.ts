import { describe, expect, it } from 'vitest';
import {
  CRITICAL,
  correlationsOf,
  energyOf,
  exactCorrelations,
  exactEnergy,
  exactLogZ,
  exactMagnetization,
  freeEnergyOf,
  magnetizationsOf,
} from '../../../kit/models/ising.mjs';

/** All images of 3x3 spins. */
const ALL = Int32Array.from({ length: 512 * 9 }, (_, k) => (Math.floor(k / 9) >> (k % 9)) & 1);

describe('the Ising model', () => {
  it('has the log Z of a sum over all spins', () => {
    for (const beta of [0.1, CRITICAL, 1]) {
      const sum = Array.from(energyOf(3)(ALL, 512), (energy) => Math.exp(-beta * energy)).reduce((a, b) => a + b);
      expect(exactLogZ(3, beta)).toBeCloseTo(Math.log(sum), 10);
    }
  });

  it('has the energy, magnetization and correlations of sums over all spins', () => {
    const [four, beta] = [Int32Array.from({ length: 2 ** 16 * 16 }, (_, k) => (Math.floor(k / 16) >> (k % 16)) & 1), 0.3];
    const energies = Array.from(energyOf(4)(four, 2 ** 16));
    const weights = energies.map((energy) => Math.exp(-beta * energy));
    const total = weights.reduce((a, b) => a + b);
    const mean = (of: (n: number) => number) => weights.reduce((sum, weight, n) => sum + weight * of(n), 0) / total;
    const meanEnergy = mean((n) => energies[n] as number);
    expect(exactEnergy(4, beta)).toBeCloseTo(meanEnergy, 5);
    const all = magnetizationsOf(four, 2 ** 16);
    expect(exactMagnetization(4, beta)).toBeCloseTo(
      mean((n) => Math.abs(all[n] as number)),
      9,
    );
    const of = correlationsOf(four, 2 ** 16, 4);
    expect(exactCorrelations(4, beta)).toEqual([0, 1].map((r) => expect.closeTo(mean((n) => of[2 * n + r] as number), 9))); // biome-ignore format: one line
    const striped = [1, 1, 1, 0, 0, 0, 1, 1, 1];
    expect([...correlationsOf([...striped, ...new Array(9).fill(0)], 2, 3)]).toEqual([expect.closeTo(-1 / 3, 9), 1]);
  });

  it('is magnetized below the critical temperature, and at last all spins are alike', () => {
    expect(freeEnergyOf(exactLogZ(10, 20), 10, 20)).toBeCloseTo(-2, 3);
    expect([...magnetizationsOf([1, 1, 1, 0, 0, 0, 0, 0], 2)]).toEqual([0.5, -1]);
  });
});
