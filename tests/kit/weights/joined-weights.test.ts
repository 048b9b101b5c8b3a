import { imageGPT } from 'pixelcnn-layers';
import { type NamedTensor, saveWeights } from 'pixelcnn-layers/weights';
import { beforeAll, expect, it } from 'vitest';
import { joinedWeights } from '../../../kit/weights/joined-weights.mjs';
import { useBackend } from '../../support/backends';

beforeAll(() => useBackend('cpu'));

/** What is found for tensors of these shapes and an Image GPT of 6 levels, 4x5 places and 2 blocks of 8 features. */
function joined(shapes: Record<string, number[]>, isGPT = true): Record<string, string> {
  const ofShape = ([name, shape]: [string, number[]]): [string, NamedTensor] => [name, { dtype: 'F32', shape, data: new Float32Array(0) }];
  const tensors = new Map(Object.entries(shapes).map(ofShape));
  if (!isGPT) return words(joinedWeights(tensors, new Map([ofShape(['a.kernel', [8, 8]])])));
  const model = imageGPT({ imageShape: [4, 5, 1], levels: 6, width: 8, heads: 2, layers: 2 });
  const found = words(joinedWeights(tensors, saveWeights(model)));
  model.dispose();
  return found;
}
const words = (found: ReturnType<typeof joinedWeights>) =>
  Object.fromEntries([...found].map(([weight, { name, words }]) => [weight, `${name}: ${words}`]));

it.each([['24,8'], ['8,24']])('finds queries, keys and values side by side, of shape %s, block by block', (sides) => {
  const shape = sides.split(',').map(Number);
  const found = joined({ 'h.10.w': shape, 'h.9.w': shape, 'h.9.b': [24], 'h.10.b': [24] });
  const wanted = ['block0', 'block1'].flatMap((block, k) =>
    ['kernel', 'bias'].flatMap((role) =>
      ['query', 'key', 'value'].map((part, third) => [
        `${block}.${part}.${role}`,
        `h.${9 + k}.${role === 'kernel' ? 'w' : 'b'}: ${['first', 'second', 'last'][third]} third`,
      ]),
    ),
  );
  expect(found).toEqual(Object.fromEntries(wanted));
});

it('goes by the order of the file, where that is not the order of letters', () => {
  const found = joined({ 'last.w': [24, 8], 'last.b': [24], 'first.w': [24, 8], 'first.b': [24] });
  expect(found['block0.query.kernel']).toBe('last.w: first third');
  expect(found['block0.query.bias']).toBe('last.b: first third');
  expect(found['block1.key.kernel']).toBe('first.w: second third');
});

it('finds the start token in the table of levels, and places in a row', () => {
  expect(joined({ 'wte.weight': [7, 8], 'wpe.weight': [20, 8] })).toEqual({
    'levels.embeddings': 'wte.weight: all rows but the last',
    'shift.start': 'wte.weight: the last row',
    'places.embeddings': 'wpe.weight: places row by row',
  });
});

it('finds nothing in tensors of other shapes, in a linear layer, or for another network', () => {
  const linear = { 'a.weight': [7, 8], 'a.bias': [7] };
  expect(joined({ ...linear, b: [6, 8], c: [4, 5, 8], d: [24], e: [8, 8], f: [] })).toEqual({});
  expect(joined({ a: [24, 8], b: [24], c: [7, 8], d: [20, 8] }, false)).toEqual({});
});
