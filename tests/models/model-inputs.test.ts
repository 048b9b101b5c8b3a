import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import type { ImageModelShape } from '../../src/image-model/shape';
import { modelInputs } from '../../src/models/model-inputs';
import { useBackend } from '../support/backends';
import { take } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

const byClass: ImageModelShape = {
  imageShape: [null, 2, 1],
  levels: 2,
  condition: { kind: 'class', numClasses: 3 },
};
const plain: ImageModelShape = { ...byClass, condition: null };

it('gives what came where no condition is beside it: a tensor, a list, a record', () => {
  const x = tf.zeros<tf.Rank.R4>([2, 1, 2, 1]);
  const classes = tf.zeros([2, 1]);
  for (const [shape, inputs] of [
    [plain, x],
    [plain, [x]],
    [byClass, [x, classes]],
    [byClass, { image: x, condition: classes }],
  ] as const) {
    expect(modelInputs('caller', shape, inputs, undefined)).toEqual({ inputs });
  }
  tf.dispose([x, classes]);
});

it('puts the condition beside the images', async () => {
  const x = tf.zeros<tf.Rank.R4>([2, 1, 2, 1]);
  const { inputs, made } = modelInputs('caller', byClass, x, [2, 0]);
  expect(inputs).toEqual([x, made]);
  expect(await take(made as tf.Tensor)).toEqual([2, 0]);
  x.dispose();
});

it('names what is missing, or does not fit', () => {
  const [x, tall, three] = [tf.zeros([2, 1, 2, 1]), tf.zeros([2, 1, 3, 1]), tf.zeros([3, 1])];
  for (const [shape, inputs, given, message] of [
    [byClass, x, undefined, 'caller: condition: wanted one, since the model takes it'],
    [byClass, [x], undefined, 'caller: condition: wanted one'],
    [byClass, [x, three], undefined, 'caller: x: wanted 2 conditions, as many as images, got 3'],
    [byClass, [x, three], 1, 'caller: x: wanted a tensor of images [N,H,W,C], with condition'],
    [byClass, three, 1, 'caller: x: wanted a tensor of images'],
    [byClass, tall, 1, 'caller: x: wanted [H, 2, 1], got [1, 3, 1]'],
    [byClass, x, 3, 'caller: condition: wanted an integer from 0 to 2, got 3'],
    [plain, x, 1, 'caller: condition: wanted none'],
  ] as const) {
    expect(() => modelInputs('caller', shape, inputs, given)).toThrow(message);
  }
  tf.dispose([x, tall, three]);
});
