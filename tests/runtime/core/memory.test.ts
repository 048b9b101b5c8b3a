import { expect, it } from 'vitest';
import { memoryFor } from '../../../src/runtime/core/images';

const failing = (error: unknown) => () =>
  memoryFor('caller', () => {
    throw error;
  });

it('returns what was made', () => {
  expect(memoryFor('caller', () => 7)).toBe(7);
});

it('advises if memory runs out, and passes other errors on', () => {
  const none = new RangeError('no room');
  expect(failing(none)).toThrow(new RangeError('caller: no room; use fewer images at a time', { cause: none }));
  const other = new TypeError('wrong');
  expect(failing(other)).toThrow(other);
});
