import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../support/node/root';

// The messages that docs/reference/troubleshooting.md quotes are those of the sources, or of tfjs.

const page = await readFile(join(root, 'docs/reference/troubleshooting.md'), 'utf8');

/** Files of tfjs whose messages are quoted. */
const OF_TFJS = [
  'tfjs-core/dist/engine', 'tfjs-layers/dist/common', 'tfjs-core/dist/io/http', 'tfjs-layers/dist/engine/topology',
  'tfjs-layers/dist/engine/training', 'tfjs-layers/dist/utils/generic_utils',
]; // biome-ignore format: names

/** What else says something: the examples, and the script for pages. */
const OTHERS = [
  'examples/train.mjs', 'kit/runs/checkpoints.mjs', 'kit/weights/npy.mjs', 'kit/weights/tensor-files.mjs',
  'kit/data/datasets/npy.mjs', 'kit/runs/run-lock.mjs', 'tsup.config.ts',
]; // biome-ignore format: names

const own = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
const files = [
  ...own.map((name) => join('src', name)),
  ...OTHERS,
  ...OF_TFJS.map((name) => join('node_modules/@tensorflow', `${name}.js`)),
];
const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
/** All sources, strings that are put together from several lines as one. */
const sources = texts
  .join('\n')
  .replaceAll(/['`] ?\+\n? *['`]/g, '')
  .replaceAll("\\'", "'");

/** The quotes in the first column of each table: what a user may see. Words with a space, so no names of options. */
const quotes = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| you see'))
  .flatMap((line) => [...(line.split(' | ')[0] as string).matchAll(/`([^`]+)`/g)])
  .map(([, quote]) => quote as string)
  .filter((quote) => quote.includes(' '));

it('has quotes', () => expect(quotes.length).toBeGreaterThan(30));

it.each(quotes)('%s', (quote) => {
  // What comes together when a message is made: `throwTypeError` puts in ": wanted " and ", got ".
  const parts = quote.split(/…|'?: |wanted |, got |\[\d[\d,]*\]/).filter((part) => part.trim().length > 3);
  expect(parts.length).toBeGreaterThan(0);
  expect(parts.filter((part) => !sources.includes(part.trim()))).toEqual([]);
});
