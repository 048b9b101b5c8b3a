import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { addressReader } from '../../../demo/parts/address-state.mjs';
import { queryOfImage, readImageState } from '../../../demo/parts/image-state.mjs';
import type { TestSet } from '../../../demo/parts/test-images.mjs';

const SETS: TestSet[] = ['digits-conditional', 'clothes'];

beforeEach(() => {
  vi.stubGlobal('fetch', async (url: URL) => new Response(new Uint8Array(await readFile(url))));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const addressOf = (query: string) => addressReader(new Map(new URLSearchParams(query)));

it.each([
  ['model=cats', 'model (wanted digits-conditional or clothes, got “cats”)'],
  ['image=298', 'image (wanted 1 to 297, got “298”)'],
  ['image=0&class=1.5', 'image (wanted 1 to 297, got “0”); class (wanted 0 to 9, got “1.5”)'],
  ['levels=0Z', 'levels (wanted those of 64 values, got “0Z”)'],
  ['levels=hZ0Z0G', 'levels (wanted those of 64 values, got “hZ0Z0G”)'],
])('an address says what is wrong with its image, and leaves it out: %s', async (query, words) => {
  const address = addressOf(query);
  expect(await readImageState(address, SETS)).toMatchObject({ number: null, levels: null, condition: null });
  expect(address.complaint).toBe(`Ignored in the address: ${words}.`);
});

it.each([5, null])('an image comes back from its address: by its number, or by its levels: %s', async (number) => {
  const levels = Uint8Array.from({ length: 64 }, (_, i) => i % 17);
  const query = queryOfImage({ name: 'digits-conditional', number, levels, condition: 7 });
  const address = addressOf(String(new URLSearchParams(query as Record<string, string>)));
  const state = { name: 'digits-conditional', number, levels: number === null ? levels : null, condition: 7 };
  expect(await readImageState(address, SETS)).toEqual(state);
  expect(address.complaint).toBe('');
});

it('takes no class where the model has none', async () => {
  const query = queryOfImage({ name: 'characters', number: null, levels: new Uint8Array(576), condition: null });
  expect(query).toEqual({ model: 'characters', levels: `${'0Z'.repeat(20)}0N` });
  const address = addressOf(String(new URLSearchParams({ ...query, class: '1' } as Record<string, string>)));
  expect(await readImageState(address, ['characters'])).toMatchObject({ condition: null });
  expect(address.complaint).toBe('');
});
