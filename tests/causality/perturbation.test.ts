import * as tf from '@tensorflow/tfjs-core';
import type { Condition, ConditionShape } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomNumbers } from '../../kit/random.mjs';
import { changeEach, conditionsToTry, type Trials } from '../../src/causality/perturbation';
import type { ImageShape } from '../../src/runtime/core/images';
import { useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectNoLeaks } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

const imageShape: ImageShape = [1, 3, 1];

const trialsOf = (batchSize: number): Trials => ({
  caller: 'caller',
  outputsName: 'logits',
  imageShape,
  batchSize,
  random: randomNumbers('1'),
  conditions: { count: 1, draw: () => [] }, // of a model that takes none
  rest: async () => undefined,
  signal: undefined,
  onProgress: undefined,
});

/** Each place sees itself and the one before: [N,1,3,1] -> [N,3,2]. */
function pairs(images: tf.Tensor4D): tf.Tensor3D {
  const row = tf.reshape(images, [-1, 3, 1]);
  const before = tf.concat([tf.zerosLike(tf.slice(row, [0, 0, 0], [-1, 1, -1])), tf.slice(row, [0, 0, 0], [-1, 2, -1])], 1);
  return tf.concat([row, before], 2) as tf.Tensor3D;
}

describe('changeEach', () => {
  it.each([1, 5, 32])('tells what moves with each value, four times, in batches of %i', async (batchSize) => {
    const moved = new Map<string, number>();
    await expectNoLeaks(async () => {
      await changeEach(pairs, [0, 2], trialsOf(batchSize), (input, hasMoved) => {
        for (const position of [0, 1, 2].filter(hasMoved)) {
          const key = `${input} -> ${position}`;
          moved.set(key, (moved.get(key) ?? 0) + 1);
        }
      });
    });
    expect(Object.fromEntries(moved)).toEqual({ '0 -> 0': 4, '0 -> 1': 4, '2 -> 2': 4 });
  });

  const ways = [['little up', 1, 2], ['little down', -1, 0], ['far up', 3, 5], ['far down', -4, -2]] as const; // biome-ignore format: a line
  it.each(ways)('finds what moves where a value goes %s only', async (_, from, to) => {
    const within = (images: tf.Tensor4D) =>
      tf.cast(tf.logicalAnd(tf.greater(pairs(images), from), tf.less(pairs(images), to)), 'float32') as tf.Tensor3D;
    const moved: number[] = [];
    const look = (input: number, hasMoved: (position: number) => boolean) => hasMoved(input) && moved.push(input);
    for (let image = 0; image < 4; image++) await changeEach(within, [0, 1, 2], trialsOf(3), look);
    expect(moved.length).toBeGreaterThan(0);
  });

  it('compares with unchanged images at the same positions in a batch of the same size', async () => {
    const sizes = new Set<number>();
    // what an image gives depends on its position in the batch, and on the size of the batch
    const uneven = (images: tf.Tensor4D) => {
      const [n] = images.shape;
      sizes.add(n);
      return tf.add(pairs(images), tf.reshape(tf.range(n, 2 * n), [n, 1, 1])) as tf.Tensor3D;
    };
    const moved: string[] = [];
    await changeEach(uneven, [0, 1, 2], trialsOf(2), (input, hasMoved) => {
      moved.push(...[0, 1, 2].filter(hasMoved).map((position) => `${input} -> ${position}`));
    });
    expect([...sizes]).toEqual([2]);
    expect([...new Set(moved)]).toEqual(['0 -> 0', '0 -> 1', '1 -> 1', '1 -> 2', '2 -> 2']);
  });
});

describe('conditionsToTry', () => {
  const tryWith = (conditions: ConditionShape[], given?: Condition) =>
    conditionsToTry('what', conditions, given, imageShape, randomNumbers('2'));

  it('has no conditions if the model takes none, and then refuses one', async () => {
    const { count, draw } = await tryWith([]);
    expect([count, draw(0, 2)]).toEqual([1, []]);
    await expect(tryWith([], 1)).rejects.toThrow('what: wanted none');
  });

  it('repeats the given one', async () => {
    const given = scoped(tf.tensor2d([[3, 4]]));
    const { count, draw } = await tryWith([{ kind: 'vector', size: 2 }], given);
    expect(count).toBe(1);
    expect(draw(3, 2)).toEqual([{ shape: [2], values: Float32Array.of(3, 4, 3, 4) }]);
  });

  it('takes every class in turn', async () => {
    const { count, draw } = await tryWith([{ kind: 'class', numClasses: 3 }]);
    expect(count).toBe(3);
    const classes = [0, 1, 2, 3].map((attempt) => draw(attempt, 2));
    const both = [0, 1, 2, 0].map((one) => [{ shape: [1], values: Float32Array.of(one, one) }]);
    expect(classes).toEqual(both);
  });

  it('takes of several every class in turn, the null class too, with vectors and maps at random', async () => {
    const both: ConditionShape[] = [{ kind: 'map', size: 1 }, { kind: 'class', numClasses: 2, nullClass: true }]; // biome-ignore format: rows
    const { count, draw } = await tryWith(both);
    expect(count).toBe(3);
    for (const [attempt, one] of [0, 1, 2, 0].entries()) {
      const [map, classes] = draw(attempt, 2);
      expect(map?.shape).toEqual([1, 3, 1]);
      expect(new Set(map?.values).size).toBe(6);
      expect(classes).toEqual({ shape: [1], values: Float32Array.of(one, one) });
    }
    const given = scoped(tf.tensor4d([1, 2, 3], [1, 1, 3, 1]));
    expect((await tryWith(both, { map: given, class: 2 })).draw(1, 2)).toEqual([
      { shape: [1, 3, 1], values: Float32Array.of(1, 2, 3, 1, 2, 3) },
      { shape: [1], values: Float32Array.of(2, 2) },
    ]);
    await expect(tryWith(both, { map: given })).rejects.toThrow('what.class: wanted a class from 0 to 2');
  });

  it('draws vectors and maps anew for each batch', async () => {
    for (const kind of ['vector', 'map'] as const) {
      const { draw } = await tryWith([{ kind, size: 2 }]);
      const values = [...draw(0, 2), ...draw(0, 1)].flatMap((drawn) => [...drawn.values]);
      expect(values).toHaveLength(kind === 'vector' ? 6 : 18);
      expect(new Set(values).size).toBe(values.length);
    }
  });
});
