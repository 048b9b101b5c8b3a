import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { normalize, OneHotLevels, oneHotLevels } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { saveAndLoad } from '../support/memory-file';
import { expectNoLeaks, take } from '../support/tensors';

onEachBackend('OneHotLevels', () => {
  it('is 1 at the level of each channel, from what normalize makes', async () => {
    const labels = tf.tensor4d([0, 2, 1, 3, 3, 0], [1, 1, 3, 2], 'int32');
    const x = normalize(labels, 4);
    const y = oneHotLevels({ levels: 4 }).apply(x);
    expect(y.shape).toEqual([1, 1, 3, 8]);
    const expected = [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1], [1, 0, 0, 0]]; // biome-ignore format: one line
    expect(await take(y)).toEqual(expected.flat());
    tf.dispose([labels, x]);
  });

  it('has no weights, and leaves no tensor behind', async () => {
    const layer = oneHotLevels({ levels: 3 });
    const x = tf.zeros<tf.Rank.R4>([2, 2, 2, 1]);
    tf.dispose(layer.apply(x)); // builds it
    expect(layer.getWeights()).toEqual([]);
    await expectNoLeaks(() => layer.apply(x));
    x.dispose();
    layer.dispose();
  });
});

describe('OneHotLevels', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it('takes images of any size, and comes back from a saved model', async () => {
    const x = tfl.input({ shape: [null, 2, 3] });
    const y = oneHotLevels({ levels: 5, name: 'levels' }).apply(x);
    expect(y.shape).toEqual([null, null, 2, 15]);
    const model = tfl.model({ inputs: x, outputs: y });
    const loaded = await saveAndLoad(model);
    expect(loaded.getLayer('levels')).toBeInstanceOf(OneHotLevels);
    expect(loaded.getLayer('levels').getConfig()).toMatchObject({ levels: 5, name: 'levels' });
  });

  it('names what is wrong', () => {
    expect(() => oneHotLevels(undefined as never)).toThrow('OneHotLevels: wanted an object of arguments');
    for (const levels of [1, 2.5, 65537, undefined as never])
      expect(() => oneHotLevels({ levels })).toThrow('OneHotLevels: levels: wanted an integer from 2 to 65536'); // biome-ignore format: one line
    const layer = oneHotLevels({ levels: 3 });
    for (const shape of [[2], [2, 2], [2, 2, null]])
      expect(() => layer.apply(tfl.input({ shape }))).toThrow('OneHotLevels: input: wanted one tensor [N,H,W,features]'); // biome-ignore format: one line
    const image = tfl.input({ shape: [2, 2, 1] });
    expect(() => layer.apply([image, image])).toThrow('OneHotLevels: input: wanted one tensor');
    layer.apply(image);
    expect(() => layer.apply(tfl.input({ shape: [2, 2, 3] }))).toThrow(); // another number of channels
  });
});
