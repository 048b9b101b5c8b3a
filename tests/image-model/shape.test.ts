import * as tfl from '@tensorflow/tfjs-layers';
import { pixelLogits } from 'pixelcnn-layers';
import { beforeAll, expect, it } from 'vitest';
import { imageModelShape, resolveImageShape } from '../../src/image-model/shape';
import { useBackend } from '../support/backends';

beforeAll(() => useBackend('cpu'));

function stock(
  outputs: (image: tfl.SymbolicTensor) => tfl.SymbolicTensor,
  shape: (number | null)[] = [4, 5, 2],
) {
  const image = tfl.input({ shape });
  return tfl.model({ inputs: image, outputs: outputs(image) });
}

const logits = (image: tfl.SymbolicTensor) =>
  pixelLogits({ imageChannels: 2, levels: 3 }).apply(
    tfl.layers.conv2d({ filters: 6, kernelSize: 1 }).apply(image) as tfl.SymbolicTensor,
  ) as tfl.SymbolicTensor;

it('reads the shapes of any model from images to logits', () => {
  expect(imageModelShape('caller', stock(logits))).toEqual({
    imageShape: [4, 5, 2],
    levels: 3,
    condition: null,
  });
  expect(imageModelShape('caller', stock(logits, [null, null, 2]))).toEqual({
    imageShape: [null, null, 2],
    levels: 3,
    condition: null,
  });
});

it('throws for models of other shapes, and shows them', () => {
  expect(() =>
    imageModelShape(
      'caller',
      stock((image) => image),
    ),
  ).toThrow(
    'caller: wanted a model [N,H,W,C] -> [N,H,W,C,L], with a condition [N,1], [N,K] or [N,H,W,K] or none, got [null,4,5,2] -> [null,4,5,2]',
  );
  const [a, b] = [tfl.input({ shape: [4, 4, 1] }), tfl.input({ shape: [4, 4, 1] })];
  const two = tfl.model({ inputs: [a, b], outputs: tfl.layers.add().apply([a, b]) as tfl.SymbolicTensor });
  expect(() => imageModelShape('caller', two)).toThrow('caller: wanted a model');
});

it('completes the shape of an image, and refuses another', () => {
  const any = { imageShape: [null, null, 2] as [null, null, number], levels: 3 };
  const fixed = { imageShape: [4, 5, 2] as [number, number, number], levels: 3 };
  expect(resolveImageShape('option', fixed, undefined)).toEqual([4, 5, 2]);
  expect(resolveImageShape('option', fixed, [4, 5, 2])).toEqual([4, 5, 2]);
  expect(resolveImageShape('option', any, [7, 8, 2])).toEqual([7, 8, 2]);
  expect(() => resolveImageShape('option', any, undefined)).toThrow('option: wanted [H, W, 2], since');
  expect(() => resolveImageShape('option', fixed, [4, 4, 2])).toThrow(
    'option: wanted [4, 5, 2], got [4, 4, 2]',
  );
  expect(() => resolveImageShape('option', any, [4, 4, 3])).toThrow('option: wanted [H, W, 2]');
  expect(() => resolveImageShape('option', any, [4, 4])).toThrow('option: wanted [H, W, 2]');
  expect(() => resolveImageShape('option', any, [0, 4, 2])).toThrow(
    'option: wanted an integer of at least 1',
  );
});
