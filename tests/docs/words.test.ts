import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// What there is to read must stay short enough to be read: CONTRIBUTING.md, "The site".

const root = fileURLToPath(new URL('../..', import.meta.url));
const MOST_IN_README = 900;
const MOST_IN_ALL = 35_000;

const wordsOf = async (page: string) => (await readFile(join(root, page), 'utf8')).split(/\s+/).filter((word) => word !== '').length;

it(`has at most ${MOST_IN_README} words in README`, async () => {
  expect(await wordsOf('README.md')).toBeLessThanOrEqual(MOST_IN_README);
});

it(`has at most ${MOST_IN_ALL} words in README and the docs`, async () => {
  const isWritten = (name: string) => name.endsWith('.md') && !/^(reference\/api|images|\.vitepress|public)\//.test(name);
  const docs = (await readdir(join(root, 'docs'), { recursive: true })).filter(isWritten);
  const counts = await Promise.all(['README.md', ...docs.map((name) => join('docs', name))].map(wordsOf));
  expect(counts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(MOST_IN_ALL);
});
