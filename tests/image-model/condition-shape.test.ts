import * as tfl from '@tensorflow/tfjs-layers';
import { oneHotClass } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { conditionShape } from '../../src/image-model/condition-shape';
import { useBackend } from '../support/backends';

beforeAll(() => useBackend('cpu'));

describe('conditionShape', () => {
  it('tells classes by the layer that reads them, else vectors and maps', () => {
    const label = tfl.input({ shape: [1] });
    const reader = oneHotClass({ numClasses: 4 });
    reader.apply(label);
    const image = [null, 1, 3, 1];
    expect(conditionShape(label, image, [reader])).toEqual({ kind: 'class', numClasses: 4 });
    expect(conditionShape(label, image, [])).toEqual({ kind: 'vector', size: 1 }); // another graph's
    expect(conditionShape(tfl.input({ shape: [1] }), image, [])).toEqual({ kind: 'vector', size: 1 });
    expect(conditionShape(tfl.input({ shape: [2] }), image, [])).toEqual({ kind: 'vector', size: 2 });
    expect(conditionShape(tfl.input({ shape: [1, 3, 2] }), image, [])).toEqual({ kind: 'map', size: 2 });
    expect(conditionShape(tfl.input({ shape: [null, null, 2] }), [null, null, null, 1], [])).toEqual({
      kind: 'map',
      size: 2,
    });
  });

  it('is null of anything else', () => {
    for (const shape of [[], [2, 2], [null], [1, 3, null], [1, 1, 3, 2], [3, 1, 2]]) {
      expect(conditionShape(tfl.input({ shape }), [null, 1, 3, 1], [])).toBeNull();
    }
  });
});
