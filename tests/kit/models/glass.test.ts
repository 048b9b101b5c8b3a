import { expect, it } from 'vitest';
import { cooled, glassBonds, summedLogZ } from '../../../kit/models/glass.mjs';
import { energyOf, exactEnergy, exactLogZ } from '../../../kit/models/ising.mjs';

it('has as many bonds of +1 as of -1, about, and others with another seed', () => {
  const bonds = glassBonds(20, 1); // 800
  expect(Math.abs(bonds.reduce((sum, bond) => sum + bond))).toBeLessThan(4 * Math.sqrt(800));
  expect([glassBonds(20, 1).length, glassBonds(20, 1)]).toEqual([800, bonds]);
  expect(glassBonds(20, 2)).not.toEqual(bonds);
});

it('sums over all images', () => {
  expect(summedLogZ(energyOf(3), 3, 0.5)).toBeCloseTo(exactLogZ(3, 0.5), 10);
  expect(summedLogZ(energyOf(4), 4, 100)).toBeCloseTo(3200 + Math.log(2), 10); // all up or all down, E = -32
});

it('costs twice its bonds to turn a spin over', () => {
  const bonds = glassBonds(3, 1);
  const energy = energyOf(3, bonds);
  const up = new Int32Array(9).fill(1);
  const sum = bonds.reduce((all, bond) => all + bond);
  expect(Array.from(energy(up, 1))).toEqual([-sum]);
  const turned = up.map((level, k) => (k === 4 ? 0 : level)); // in the middle: its own bonds, the one from its left and from above
  const [right, below, left, above] = [8, 9, 2 * 3, 2 * 1 + 1].map((k) => bonds[k] as number) as [number, number, number, number];
  expect(Array.from(energy(turned, 1))).toEqual([-sum + 2 * (right + below + left + above)]);
});

it('cools configurations to those that the temperature makes likely', () => {
  const [energy, beta, count] = [energyOf(3), 0.4, 1000];
  const energies = Array.from(energy(cooled(energy, 3, { beta, count, seed: 1 }), count));
  const mean = energies.reduce((sum, one) => sum + one) / count;
  const error = Math.sqrt(energies.reduce((sum, one) => sum + (one - mean) ** 2, 0)) / count;
  expect(Math.abs(mean - exactEnergy(3, beta))).toBeLessThan(4 * error);
  expect(Array.from(energy(cooled(energy, 3, { beta: 50, count: 20, seed: 1 }), 20))).toEqual(new Array(20).fill(-18));
});
