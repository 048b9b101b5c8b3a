import { imageSet } from 'pixelcnn-layers/data';
import { expect, it } from 'vitest';
import { holdOut } from '../../../kit/data/hold-out.mjs';

/** Images of two values, of which each tells its place. */
function set(count: number) {
  const data = Uint8Array.from({ length: 2 * count }, (_, i) => i >> 1);
  return imageSet({ data, shape: [count, 1, 2, 1], levels: 256, labels: Uint8Array.from({ length: count }, (_, i) => 100 + i) });
}

it('holds out images from all over the set, with their labels', () => {
  const [others, heldOut] = holdOut(set(10), 2);
  const middles = { data: Uint8Array.of(2, 2, 7, 7), labels: Uint8Array.of(102, 107) }; // the middle of each half
  expect(heldOut).toEqual({ ...middles, shape: [2, 1, 2, 1], levels: 256 });
  expect([...others.data]).toEqual([0, 0, 1, 1, 3, 3, 4, 4, 5, 5, 6, 6, 8, 8, 9, 9]);
  expect(others.shape).toEqual([8, 1, 2, 1]);
});

it('leaves each image in one of the two', () => {
  for (const [total, count] of [[7, 6], [10, 3], [2, 1]] as const) {
    const [others, heldOut] = holdOut(set(total), count);
    expect(heldOut?.shape[0]).toBe(count);
    const places = [others, heldOut].flatMap((part) => [...(part?.labels ?? [])]);
    expect(places.sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => 100 + i));
  } // biome-ignore format: one list
});

it('keeps levels beyond a byte', () => {
  const codes = imageSet({ data: Uint16Array.of(299, 256, 0, 1, 2, 298), shape: [3, 1, 2, 1], levels: 300 });
  const [others, heldOut] = holdOut(codes, 1);
  expect(heldOut?.data).toEqual(Uint16Array.of(0, 1));
  expect(others.data).toEqual(Uint16Array.of(299, 256, 2, 298));
});

it('holds out none', () => {
  const all = set(3);
  expect(holdOut(all, 0)).toEqual([all, undefined]);
});
