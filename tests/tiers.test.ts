import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// What CONTRIBUTING.md asks of tests: the quick ones stay quick, and none hangs on the clock.

const folder = fileURLToPath(new URL('.', import.meta.url));
const tests = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => /\.(ts|mjs)$/.test(path) && !/^(bench\/.*\.mjs|(tiers|architecture)\.test\.ts)$/.test(path))
  .map((path) => ({ path, text: readFileSync(folder + path, 'utf8') }));

const found = (files: typeof tests, pattern: RegExp) =>
  files.flatMap(({ path, text }) => (text.match(pattern) ?? []).map((match) => `${path}: ${match}`));

it('start no process, worker, bundler or browser among the quick ones', () => {
  const quick = tests.filter(({ path }) => path.endsWith('.test.ts') && !/^((demo|examples|research)\/[^/]*$|programs|node-)/.test(path));
  expect(quick.length).toBeGreaterThan(90);
  const starts =
    /'(node:child_process|node:worker_threads|playwright|puppeteer-core|esbuild|tsup|vite|.*support\/\w+\/(pool-workers|firefox|redis|pages|visit)[^']*)'/g;
  expect(found(quick, starts)).toEqual([]);
});

it('measure no time, and do not wait for a fixed one, but for what the page promises its visitors', () => {
  const others = tests.filter(({ path }) => path !== 'demo/measured.test.ts');
  expect(found(others, /performance\.now\(|setTimeout\(.*[^\w]([1-9]\d*)\)/g)).toEqual([]);
});

it('try properties as often, and with the seed, that a tier says', () => {
  const unsaid = tests.filter(
    ({ text }) => (text.match(/fc\.(assert|check|sample)\(/g) ?? []).length > (text.match(/\bruns(<.+>)?\(\{/g) ?? []).length,
  );
  expect(unsaid.map(({ path }) => path)).toEqual([]);
});
