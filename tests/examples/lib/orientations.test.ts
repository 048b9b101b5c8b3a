import { imageSet } from 'pixelcnn-layers/data';
import { beforeAll, expect, it } from 'vitest';
import { inOrientations, SYMMETRIES, symmetriesOf } from '../../../examples/lib/orientations.mjs';
import { elementsOf, transformed } from '../../../src/core/symmetries';
import { useBackend } from '../../support/backends';

beforeAll(() => useBackend('cpu'));

const n = 100; // more than one batch
const data = Uint8Array.from({ length: n * 9 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
const labels = Uint8Array.from({ length: n }, (_, i) => i % 60);
const set = imageSet({ data, shape: [n, 3, 3, 1], levels: 256, labels });

it.each([4, 8] as const)('there are symmetries of %d orientations', (orientations) => {
  expect(symmetriesOf({ orientations })).toBe(SYMMETRIES[orientations]);
  expect(elementsOf(SYMMETRIES[orientations])).toHaveLength(orientations);
});

it('inOrientations gives each image in one, always the same, with it and the class as label', async () => {
  for (const isConditional of [false, true]) {
    const run = { orientations: 8, isConditional } as const;
    const given = await inOrientations(set, run);
    expect(await inOrientations(set, run)).toEqual(given);
    const elements = Array.from(given.labels as ArrayLike<number>, (label) => label % 8);
    expect(new Set(elements).size).toBe(8);
    const undone = transformed(given.data, [3, 3, 1], 256, elementsOf(SYMMETRIES[8]), elements, true); // biome-ignore format: one line
    expect(undone).toEqual(data);
    const own = Array.from(given.labels as ArrayLike<number>, (label) => Math.floor(label / 8));
    expect(own).toEqual(Array.from(labels, (label) => (isConditional ? label : 0)));
  }
});

it('without orientations, images stay as they are', async () => {
  expect(symmetriesOf({})).toBeUndefined();
  expect(await inOrientations(set, { isConditional: true })).toBe(set);
});
