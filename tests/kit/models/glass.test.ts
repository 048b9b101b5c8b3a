import { expect, it } from 'vitest';
import { glassBonds, summedLogZ } from '../../../kit/models/glass.mjs';
import { energyOf, exactLogZ } from '../../../kit/models/ising.mjs';

it('has as many bonds of +1 as of -1, about, and others with another seed', () => {
  const bonds = glassBonds(20, 1);
  expect(bonds.filter((bond) => bond === 1).length).toBeGreaterThan(340); // of 800; four standard deviations are 57
  expect(bonds.filter((bond) => bond === -1).length).toBeGreaterThan(340);
  expect(bonds).toHaveLength(800);
  expect(glassBonds(20, 1)).toEqual(bonds);
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
