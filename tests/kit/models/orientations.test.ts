import { gatedPixelCNN } from 'pixelcnn-layers';
import { imageSet } from 'pixelcnn-layers/data';
import { beforeAll, expect, it } from 'vitest';
import { inAllOrientations, inOrientations, SYMMETRIES } from '../../../kit/models/orientations.mjs';
import { orientationsOf, oriented } from '../../../src/runtime/core/symmetries';
import { useBackend } from '../../support/backends';

beforeAll(() => useBackend('cpu'));

const n = 100; // more than one batch
const data = Uint8Array.from({ length: n * 9 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
const labels = Uint8Array.from({ length: n }, (_, i) => i % 60);
const set = imageSet({ data, shape: [n, 3, 3, 1], levels: 256, labels });

const networkOf = (numClasses: number) =>
  gatedPixelCNN({ imageShape: [3, 3, 1], levels: 256, hiddenDim: 2, outDim: 2, numBlocks: 1, numClasses });

it.each([4, 8] as const)('there are symmetries of %d orientations', (orientations) => {
  expect(inAllOrientations(networkOf(orientations), { orientations })?.numElements).toBe(orientations);
});

it('inOrientations gives each image in one, always the same, with it and the class as label', async () => {
  for (const isConditional of [false, true]) {
    const all = inAllOrientations(networkOf(8), { orientations: 8 });
    const given = await inOrientations(set, all, { isConditional });
    expect(await inOrientations(set, all, { isConditional })).toEqual(given);
    const elements = Array.from(given.labels as ArrayLike<number>, (label) => label % 8);
    expect(new Set(elements).size).toBe(8);
    const undone = oriented(given.data, [3, 3, 1], 256, orientationsOf(SYMMETRIES[8]), elements, true);
    expect(undone).toEqual(data);
    const own = Array.from(given.labels as ArrayLike<number>, (label) => Math.floor(label / 8));
    expect(own).toEqual(Array.from(labels, (label) => (isConditional ? label : 0)));
  }
});

it('without orientations, images stay as they are', async () => {
  expect(inAllOrientations(networkOf(1), {})).toBeUndefined();
  expect(await inOrientations(set, undefined, { isConditional: true })).toBe(set);
});
