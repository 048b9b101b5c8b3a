import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { OneHotClass, oneHotClass } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { expectNoLeaks, take } from '../support/tensors';

onEachBackend('OneHotClass', () => {
  it('makes one-hot vectors of classes of any type: [N,1] -> [N,K]', async () => {
    const layer = oneHotClass({ numClasses: 3 });
    for (const dtype of ['int32', 'float32'] as const) {
      const classes = tf.tensor2d([2, 0, 1, 1], [4, 1], dtype);
      const y = layer.apply(classes) as tf.Tensor;
      expect([y.shape, y.dtype]).toEqual([[4, 3], 'float32']);
      expect(await take(y)).toEqual([0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0]);
      classes.dispose();
    }
  });

  it('makes zeros of what is no class', async () => {
    const classes = tf.tensor2d([3, -1, 1], [3, 1], 'int32');
    const y = oneHotClass({ numClasses: 3 }).apply(classes) as tf.Tensor;
    expect(await take(y)).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0]);
    classes.dispose();
  });

  it('takes a single class too', async () => {
    const classes = tf.zeros([2, 1], 'int32');
    expect(await take(oneHotClass({ numClasses: 1 }).apply(classes) as tf.Tensor)).toEqual([1, 1]);
    classes.dispose();
  });

  it('has one class more where there is a null class', async () => {
    const layer = oneHotClass({ numClasses: 2, nullClass: true });
    const classes = tf.tensor2d([2, 0, 3], [3, 1], 'int32');
    const y = layer.apply(classes) as tf.Tensor;
    expect(y.shape).toEqual([3, 3]);
    expect(await take(y)).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0]);
    classes.dispose();
  });

  it('leaves no tensor behind, and where it throws', async () => {
    const [classes, other] = [tf.zeros([2, 1]), tf.zeros([2, 2])];
    const layer = oneHotClass({ numClasses: 2 });
    await expectNoLeaks(() => layer.apply(classes) as tf.Tensor);
    await expectNoLeaks(() => {
      expect(() => layer.apply(other)).toThrow('OneHotClass: input: wanted classes [N,1], got [2, 2]');
    });
    tf.dispose([classes, other]);
  });
});

describe('OneHotClass', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('has no weights, and a config that makes it again', () => {
    const layer = oneHotClass({ numClasses: 10, name: 'one_hot' });
    expect((layer.apply(tfl.input({ shape: [1] })) as tfl.SymbolicTensor).shape).toEqual([null, 10]);
    expect(layer.getWeights()).toEqual([]);
    const again = OneHotClass.fromConfig(OneHotClass, layer.getConfig());
    expect(again.getConfig()).toEqual(layer.getConfig());
    expect(again.getConfig()).toMatchObject({ numClasses: 10, name: 'one_hot' });
    const more = oneHotClass({ numClasses: 10, nullClass: true });
    const moreAgain = OneHotClass.fromConfig(OneHotClass, more.getConfig()) as OneHotClass;
    expect((moreAgain.apply(tfl.input({ shape: [1] })) as tfl.SymbolicTensor).shape).toEqual([null, 11]);
  });

  it('names what is wrong', () => {
    expect(() => oneHotClass(undefined as never)).toThrow('OneHotClass: wanted an object of arguments');
    expect(() => oneHotClass({ numClasses: 0 })).toThrow(
      'OneHotClass: numClasses: wanted an integer of at least 1',
    );
    expect(() => oneHotClass({ numClasses: 3, nullClass: 3 as never })).toThrow('OneHotClass: nullClass: wanted true or false, got 3'); // biome-ignore format: one line
    const layer = oneHotClass({ numClasses: 3 });
    for (const shape of [[2], [null], [1, 1], []]) {
      expect(() => layer.apply(tfl.input({ shape }))).toThrow('OneHotClass: input: wanted classes [N,1]');
    }
    const one = tfl.input({ shape: [1] });
    expect(() => layer.apply([one, one])).toThrow('OneHotClass: input: wanted classes [N,1]');
  });
});
