import * as tf from '@tensorflow/tfjs-core';
import type { Condition, ConditionShape } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { conditionData, modelInputs, readConditionTensors } from '../../src/models/conditions';
import type { ImageModelShape } from '../../src/models/image-model';
import { readConditions } from '../../src/runtime/core/conditions';
import { softmaxOf } from '../../src/runtime/distributions/categorical';
import { useBackend } from '../support/backends';
import { errorOf } from '../support/errors';
import { scoped } from '../support/scoped';
import { expectNoLeaks, take } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

const classes: ConditionShape = { kind: 'class', numClasses: 4 };
const vectors: ConditionShape = { kind: 'vector', size: 2 };
const maps: ConditionShape = { kind: 'map', size: 2 };
const IMAGE = [1, 3, 1] as const;

const listOf = (condition: ConditionShape | null) => (condition === null ? [] : [condition]);

/** Reads the condition of two images. */
const read = async (condition: ConditionShape | null, given?: unknown) => {
  const data = await conditionData(given as Condition);
  return readConditions('caller: condition', listOf(condition), data, 2, IMAGE)[0] ?? null;
};

/** A model's input of the condition of two images. */
const asInput = (condition: ConditionShape | null, given?: unknown) =>
  readConditionTensors('caller: condition', listOf(condition), given as Condition, [2, ...IMAGE])[0] as tf.Tensor;

describe('conditionData', () => {
  it('reads classes of a tensor of any type', async () => {
    for (const dtype of ['int32', 'float32'] as const) {
      for (const shape of [[2], [2, 1]]) {
        const tensor = scoped(tf.tensor([3, 0], shape, dtype));
        expect(await read(classes, tensor)).toEqual({ shape: [1], values: Float32Array.of(3, 0) });
      }
    }
  });

  it('leaves the tensors to the caller, and no other behind', async () => {
    const [vector, map] = [scoped(tf.tensor2d([1, 2, 3, 4], [2, 2])), scoped(tf.ones([2, 1, 3, 2], 'int32'))];
    await expectNoLeaks(async () => {
      expect(await read(vectors, vector)).toEqual({ shape: [2], values: Float32Array.of(1, 2, 3, 4) });
      expect(await read(maps, map)).toEqual({ shape: [1, 3, 2], values: new Float32Array(12).fill(1) });
      expect(await conditionData({ map, class: [3, 0] })).toEqual({
        map: { data: new Int32Array(12).fill(1), shape: map.shape },
        class: [3, 0],
      });
    });
    expect([vector, map].map(({ isDisposed }) => isDisposed)).toEqual([false, false]);
  });
});

describe('readConditionTensors', () => {
  it('returns a model\u2019s inputs, whose tensors the caller owns', async () => {
    const flat = tf.tensor1d([3, 0], 'int32');
    for (const given of [[3, 0], flat, tf.tensor2d([[3], [0]])]) {
      const input = asInput(classes, given);
      expect(input.shape).toEqual([2, 1]);
      expect(await take(input)).toEqual([3, 0]);
    }
    expect(flat.isDisposed).toBe(false);
    expect(await take(asInput(classes, 1))).toEqual([1, 1]);
    // biome-ignore format: pairs
    for (const [condition, shape] of [[vectors, [2, 2]], [maps, [2, 1, 3, 2]]] as const) {
      const given = tf.ones([...shape]);
      const input = asInput(condition, given);
      expect(input.shape).toEqual(shape);
      input.dispose();
      expect(await take(given)).toEqual(new Array(given.size).fill(1));
    }
  });

  it('names what does not fit, and leaves nothing behind', async () => {
    // All that does not fit is in tests/runtime/core/conditions.test.ts.
    const misfits: [ConditionShape | null, unknown, string][] = [
      [null, 1, 'wanted none, since the model takes no condition, got 1'],
      [classes, tf.scalar(1), 'wanted a class from 0 to 3, or 2 of them, got []'],
      [classes, tf.zeros([1, 2]), 'wanted a class from 0 to 3, or 2 of them, got [1, 2]'],
      [vectors, tf.zeros([2]), 'wanted numbers of shape [2,2], got [2]'],
      [vectors, tf.zeros([3, 2]), 'wanted numbers of shape [2,2], got [3, 2]'],
      [maps, tf.zeros([2, 2]), 'wanted numbers of shape [2,1,3,2], got [2, 2]'],
      [maps, tf.zeros([2, 3, 1, 2]), 'wanted numbers of shape [2,1,3,2], got [2, 3, 1, 2]'],
    ];
    await expectNoLeaks(() => {
      for (const [condition, given, message] of misfits) {
        expect(() => asInput(condition, given)).toThrow(errorOf(TypeError, message));
      }
    });
  });
});

describe('several conditions', () => {
  const both = [classes, maps];

  it('are inputs in the order of the model', async () => {
    const map = scoped(tf.ones([2, 1, 3, 2]));
    const inputs = scoped(readConditionTensors('caller: condition', both, { map, class: 1 }, [2, ...IMAGE]));
    expect(inputs.map(({ shape }) => shape)).toEqual([[2, 1], [2, 1, 3, 2]]); // biome-ignore format: rows
    expect(await take(inputs[0] as tf.Tensor)).toEqual([1, 1]);
  });

  it('leave no tensor behind where the last of them does not fit', async () => {
    const wrong = scoped(tf.ones([2, 1, 3, 1]));
    await expectNoLeaks(() => {
      expect(() => readConditionTensors('caller: condition', both, { map: wrong, class: 1 }, [2, ...IMAGE])).toThrow(
        'caller: condition.map: wanted numbers of shape [2,1,3,2], got [2, 1, 3, 1]',
      );
    });
  });
});

describe('modelInputs', () => {
  const byClass: ImageModelShape = {
    imageShape: [null, 2, 1],
    levels: 2,
    distribution: softmaxOf(1, 2),
    conditions: [{ kind: 'class', numClasses: 3 }],
  };
  const plain: ImageModelShape = { ...byClass, conditions: [] };

  it('returns x unchanged without a condition: a tensor, a list, a record', () => {
    const x = scoped(tf.zeros<tf.Rank.R4>([2, 1, 2, 1]));
    const classes = scoped(tf.zeros([2, 1]));
    for (const [shape, inputs] of [
      [plain, x],
      [plain, [x]],
      [byClass, [x, classes]],
      [byClass, { image: x, condition: classes }],
    ] as const) {
      expect(modelInputs('caller', shape, inputs, undefined)).toEqual({ inputs, made: [] });
    }
  });

  it('puts the condition beside the images', async () => {
    const x = scoped(tf.zeros<tf.Rank.R4>([2, 1, 2, 1]));
    const { inputs, made } = modelInputs('caller', byClass, x, [2, 0]);
    expect(inputs).toEqual([x, ...made]);
    expect(made).toHaveLength(1);
    expect(await take(made[0] as tf.Tensor)).toEqual([2, 0]);
  });

  it('names missing and unfit conditions', () => {
    const [x, tall, three] = [scoped(tf.zeros([2, 1, 2, 1])), scoped(tf.zeros([2, 1, 3, 1])), scoped(tf.zeros([3, 1]))];
    for (const [shape, inputs, given, message] of [
      [byClass, x, undefined, 'caller: condition: wanted one, since the model takes one'],
      [byClass, [x], undefined, 'caller: condition: wanted one'],
      [byClass, [x, three], undefined, 'caller: x: wanted 2 conditions, as many as images, got 3'],
      [byClass, [x, three], 1, 'caller: x: wanted a tensor of images [N,H,W,C], with condition'],
      [byClass, three, 1, 'caller: x: wanted a tensor of images [N,H,W,C], with condition, got [3, 1]'],
      [byClass, tall, 1, 'caller: x: wanted [H, 2, 1], got [1, 3, 1]'],
      [byClass, x, 3, 'caller: condition: wanted an integer from 0 to 2, got 3'],
      [plain, x, 1, 'caller: condition: wanted none'],
    ] as const) {
      expect(() => modelInputs('caller', shape, inputs, given)).toThrow(message);
    }
  });
});
