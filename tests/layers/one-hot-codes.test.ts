import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { OneHotCodes, oneHotCodes } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { expectNoLeaks, take } from '../support/tensors';

onEachBackend('OneHotCodes', () => {
  it('makes one-hot vectors of codes of any type, and zeros of what is no code: [N,h,w,1] -> [N,h,w,K]', async () => {
    const layer = oneHotCodes({ levels: 3 });
    for (const dtype of ['int32', 'float32'] as const) {
      const codes = tf.tensor4d([2, 0, 1, 3, -1, 1], [2, 1, 3, 1], dtype);
      const y = layer.apply(codes) as tf.Tensor;
      expect([y.shape, y.dtype]).toEqual([[2, 1, 3, 3], 'float32']);
      expect(await take(y)).toEqual([0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
      codes.dispose();
    }
  });

  it('leaves no tensor behind, and where it throws', async () => {
    const [codes, other] = [tf.zeros([2, 2, 2, 1]), tf.zeros([2, 2, 2, 2])];
    const layer = oneHotCodes({ levels: 2 });
    await expectNoLeaks(() => layer.apply(codes) as tf.Tensor);
    await expectNoLeaks(() => {
      expect(() => layer.apply(other)).toThrow('OneHotCodes: input: wanted codes [N,h,w,1], got [2, 2, 2, 2]'); // biome-ignore format: one line
    });
    tf.dispose([codes, other]);
  });
});

describe('OneHotCodes', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('has no weights, and comes back from a saved model', async () => {
    const layer = oneHotCodes({ levels: 5, name: 'codes' });
    const model = tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [2, 3, 1] }), layer] });
    expect(model.outputs[0]?.shape).toEqual([null, 2, 3, 5]);
    expect(layer.getWeights()).toEqual([]);
    const again = (await saveAndLoad(model)).getLayer('codes');
    expect(again).toBeInstanceOf(OneHotCodes);
    expect(again.getConfig()).toEqual(layer.getConfig());
    expect(again.getConfig()).toMatchObject({ levels: 5 });
  });

  it('names what is wrong', () => {
    expect(() => oneHotCodes(undefined as never)).toThrow('OneHotCodes: wanted an object of arguments');
    expect(() => oneHotCodes({ levels: 1 })).toThrow('OneHotCodes: levels: wanted an integer of at least 2, got 1'); // biome-ignore format: one line
    expect(() => oneHotCodes({ levels: 1e9 })).toThrow('OneHotCodes: levels: wanted at most 2^24');
    for (const shape of [[1], [2, 2, 2], [2, 2, null]])
      expect(() => oneHotCodes({ levels: 3 }).apply(tfl.input({ shape }))).toThrow('OneHotCodes: input: wanted'); // biome-ignore format: one line
  });
});
