import { expect, it } from 'vitest';
import { checkImageShape } from '../../src/models/model-args';

it('gives the channels of an image shape, of a fixed size or any', () => {
  expect(checkImageShape('model: imageShape', [4, 5, 3])).toBe(3);
  expect(checkImageShape('model: imageShape', [null, null, 1])).toBe(1);
  expect(checkImageShape('model: imageShape', [null, 5, 2])).toBe(2);
});

it('names what is no image shape', () => {
  const shapes = [undefined, null, 4, '4,4,1', [], [4, 4], [4, 4, 1, 1], [4, 4, null], [0, 4, 1], [4, -1, 1], [4, 1.5, 1], [4, 4, 0], [undefined, 4, 1]]; // biome-ignore format: one line
  for (const shape of shapes) {
    expect(() => checkImageShape('model: imageShape', shape)).toThrow(
      'model: imageShape: wanted [H, W, C], with null for a size that may vary',
    );
  }
});
