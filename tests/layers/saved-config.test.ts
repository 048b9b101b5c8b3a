import { expect, it } from 'vitest';
import { readSavedConfig } from '../../src/layers/saved-config';

it('gives a mask type back its case, and leaves all else as it is', () => {
  expect(readSavedConfig({ maskType: 'a', name: 'a', filters: 3 })).toEqual({
    maskType: 'A',
    name: 'a',
    filters: 3,
  });
  expect(readSavedConfig({ maskType: 'B' })).toEqual({ maskType: 'B' });
  const saved = { maskType: 'b' };
  readSavedConfig(saved);
  expect(saved).toEqual({ maskType: 'b' }); // a config is the caller's
});

it('reads configs without a mask type', () => {
  for (const config of [{}, { filters: 3 }, { maskType: null }, { maskType: 1 }]) {
    expect(readSavedConfig(config)).toBe(config);
  }
});
