import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { layers } from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { randomNumbers } from '../../kit/random.mjs';
import { useBackend } from '../support/backends';
import { docBlocks } from '../support/docs/doc-blocks';

// From the sources, the files of workers do not lie where the package has them.
vi.mock('../../src/runtime/workers/workers', async (original) => {
  const { startWorker } = await import('../support/workers/pool-workers-node');
  const { startTrainWorker: startThread } = await import('../support/workers/train-workers');
  return { ...(await original<typeof import('../../src/runtime/workers/workers')>()), startWorker, startThread };
});

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where blocks lie and run, and what they write goes: a reader's own folder, with the examples of the repository in it. */
const blocks = join(root, 'tests', '.blocks');

/** A block that runs in Node; those for a page run in tests/examples/docs-in-a-page.test.ts. */
const all = (await docBlocks())
  .filter(({ language, isForPage }) => ['js', 'ts'].includes(language) && !isForPage)
  .map(({ file, line, language, code }) => ({ where: `${file}:${line}`, language, code }));

/** What a line prints, without what does not matter: spaces, quotes, the word before a printed tensor. */
const plain = (text: string) => text.replaceAll(/^Tensor|[\s'"]/g, '');

/**
 * Whether a comment says what was printed: all of it, and behind it nothing or an explanation, set apart by a mark.
 * `13681` says neither 1 nor 136, and `true false` not true.
 */
function isSaid(comment: string, printed: string): boolean {
  const said = plain(printed);
  let end = 0; // where the comment has as many letters as were printed
  while (end < comment.length && plain(comment.slice(0, end)).length < said.length) end++;
  const rest = comment.slice(end);
  return said !== '' && plain(comment.slice(0, end)) === said && /^['"]*($|[:;]| \(|, [a-z])/.test(rest);
}

/** What the comments behind `console.log(...)` and `.print()` say is printed, in order; null where there is none. */
function promised(code: string): (string | null)[] {
  return [...code.matchAll(/(?:console\.log\(.*\)|\.print\(\));(?: \/\/ (.*))?$/gm)].map(([, comment]) => comment ?? null);
}

it('the page on sampling states for each tfjs layer whether it is covered', async () => {
  const page = await readFile(join(root, 'docs', 'guides', 'sample.md'), 'utf8');
  const tables = page.slice(page.indexOf('## What is covered')).toLowerCase();
  const notLayers = ['Layer', 'RNNCell', 'input', 'inputLayer'];
  const names = Object.keys(layers).filter((name) => !notLayers.includes(name));
  const inTables = (name: string) => {
    const full = name.replace(/^avgPool(ing)?/, 'averagePooling').replace(/axPool(?!ing)/, 'axPooling');
    return tables.includes(full.replace(/(Pooling)\dd$|Cell$/, '$1').toLowerCase());
  };
  expect(names.filter((name) => !inTables(name))).toEqual([]);
  expect(names).toContain('prelu');
});

it.each([
  ["['a', 1] (of two)", "[ 'a', 1 ]", true],
  ['true: both', 'true', true],
  ['13681', '1', false],
  ['anything', '', false],
])('a comment `%s` of what prints `%s`: %s', (comment, printed, isRight) => {
  expect(isSaid(comment, printed)).toBe(isRight);
});

describe('every example in README, docs and docstrings', () => {
  const printed: string[] = [];
  beforeAll(async () => {
    await rm(blocks, { recursive: true, force: true }); // of a run that was killed
    await mkdir(blocks, { recursive: true });
    for (const folder of ['examples', 'kit', 'models']) await symlink(join(root, folder), join(blocks, folder), 'junction');
    await mkdir(join(blocks, 'small')); // the pictures of docs/learn/your-own-pictures.md
    for (let i = 0; i < 10; i++) await writeFile(join(blocks, 'small', `${i}.png`), PNG.sync.write(new PNG({ width: 8, height: 8 })));
    process.chdir(blocks);
  });
  afterAll(async () => {
    process.chdir(root);
    await rm(blocks, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await useBackend('cpu');
    printed.length = 0;
    vi.spyOn(Math, 'random').mockImplementation(randomNumbers('1')); // what they say must not hang on luck
    vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
      printed.push(values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' '));
    });
  });
  afterEach(() => vi.restoreAllMocks());

  it('is found', () => {
    expect(all.length).toBeGreaterThan(12);
  });

  it.each(all)('$where runs and prints what it says', async ({ where, language, code }) => {
    const file = join(blocks, `${where.replaceAll(/\W/g, '-')}.${language === 'ts' ? 'ts' : 'mjs'}`);
    await writeFile(file, code);
    await import(/* @vite-ignore */ file);
    const expected = promised(code);
    // lines without a comment may be in a loop
    if (!expected.includes(null)) expect(printed).toHaveLength(expected.length);
    for (const [i, comment] of expected.entries()) {
      if (comment !== null && !isSaid(comment, printed[i] ?? '')) expect.fail(`it says '${comment}', and prints '${printed[i]}'`);
    }
  });
});
