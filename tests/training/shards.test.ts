import fc from 'fast-check';
import { gatedPixelCNN } from 'pixelcnn-layers';
import { describe, expect, it } from 'vitest';
import { cut, layoutOf, type Packed, sliced, treeOfSums, unshared, weightsOf } from '../../src/training/shards';
import { useBackend } from '../support/backends';
import { forAll } from '../support/runs';

// How a batch is divided among workers, and how what they give is added up.

const counts = fc.integer({ min: 1, max: 40 });

describe('cut', () => {
  it.each<[number, number, [number, number][]]>([
    [8, 2, [[0, 4], [4, 4]]], [7, 3, [[0, 2], [2, 2], [4, 3]]], [2, 5, [[0, 1], [1, 1]]], [3, 1, [[0, 3]]], [0, 4, []],
  ])('%d images into %d', (numImages, shards, wanted) => {
    expect(cut(numImages, shards)).toEqual(wanted.map(([first, count]) => ({ first, count })));
  }); // biome-ignore format: one a line

  it('has every image in one shard, in order, and sizes that differ by one at most', () =>
    forAll([counts, counts], { numRuns: 100, seed: 1 }, (numImages, shards) => {
      const parts = cut(numImages, shards);
      expect(parts).toHaveLength(Math.min(numImages, shards));
      const images = parts.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
      expect(images).toEqual(Array.from({ length: numImages }, (_, i) => i));
      const sizes = parts.map(({ count }) => count);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }));
});

describe('sliced', () => {
  const batch: Packed = { data: Int32Array.from({ length: 12 }, (_, i) => i), shape: [3, 2, 2], dtype: 'int32' };

  it('copies the images of a shard', () => {
    const part = sliced(batch, { first: 1, count: 2 });
    expect(part).toEqual({ data: Int32Array.of(4, 5, 6, 7, 8, 9, 10, 11), shape: [2, 2, 2], dtype: 'int32' });
    part.data[0] = 100;
    expect(batch.data[4]).toBe(4);
  });
});

describe('treeOfSums', () => {
  /** Numbers whose sum depends on the order of addition. */
  const arrays = (count: number) =>
    Array.from({ length: count }, (_, k) => Float32Array.from([1e8, 1, -1e8, 0.1], (x, i) => x * Math.sin(7 * k + i)));

  /** The sum of pairs, level by level; one that is left over goes to the next level as it is. */
  function slowSum(terms: readonly Float32Array[]): Float32Array {
    if (terms.length === 1) return terms[0] as Float32Array;
    const pairs = Array.from({ length: Math.ceil(terms.length / 2) }, (_, k) => terms.slice(2 * k, 2 * k + 2));
    return slowSum(pairs.map(([a, b]) => (b ? a?.map((x, i) => x + (b[i] as number)) : a) as Float32Array));
  }

  function sumIn(order: readonly number[], terms: readonly Float32Array[]) {
    const released: Float32Array[] = [];
    const sum = treeOfSums(terms.length, (numbers) => released.push(numbers));
    for (const k of order) sum.add(k, Float32Array.from(terms[k] as Float32Array));
    return { result: sum.result(), released };
  }

  it('gives the same bits in whatever order arrays come, and releases all but the result', () => {
    const shuffled = counts.chain((count) => fc.shuffledSubarray([...Array(count).keys()], { minLength: count }));
    forAll([shuffled], { numRuns: 100, seed: 2 }, (order) => {
      const terms = arrays(order.length);
      const { result, released } = sumIn(order, terms);
      expect(result).toEqual(slowSum(terms));
      expect(new Set([...released, result]).size).toBe(order.length);
    });
  });

  it('has no result before all have come, nor of none', () => {
    const sum = treeOfSums(3, () => {});
    for (const k of [2, 0]) sum.add(k, Float32Array.of(k));
    expect(sum.result()).toBe(null);
    sum.add(1, Float32Array.of(1));
    expect(sum.result()).toEqual(Float32Array.of(3));
    expect(treeOfSums(0, () => {}).result()).toBe(null);
  });
});

it('lays weights out one after the other', () => {
  const ranges = [[0, 6], [6, 7], [7, 11]]; // biome-ignore format: pairs
  expect(layoutOf([{ shape: [2, 3] }, { shape: [] }, { shape: [4] }])).toEqual({ size: 11, ranges });
  expect(layoutOf([])).toEqual({ size: 0, ranges: [] });
});

it('orders weights alike whichever are trained', async () => {
  await useBackend('wasm');
  const model = gatedPixelCNN({ imageShape: [4, 4, 1], levels: 2, hiddenDim: 2, outDim: 2, numBlocks: 2 });
  const before = weightsOf(model);
  const ofModel = [...model.weights];
  expect(new Set(before)).toEqual(new Set(model.weights));
  for (const layer of model.layers.slice(0, 3)) layer.trainable = false;
  expect(model.weights).not.toEqual(ofModel);
  expect(weightsOf(model)).toEqual(before);
  model.dispose();
});

it('transfers memory that is not shared', () => {
  const own = new Float32Array(2);
  expect(unshared(own)).toEqual([own.buffer]);
  if (typeof SharedArrayBuffer === 'function') expect(unshared(new Float32Array(new SharedArrayBuffer(8)))).toEqual([]);
  expect(unshared(null)).toEqual([]);
});
