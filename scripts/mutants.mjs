// Breaks a part of src/ in many small ways, one at a time, and reports which mutants no test detects.
//
// npm run mutants -- src/runtime/core                                   # as tests/runtime/core sees it
// npm run mutants -- src/runtime/core/window.ts:100-160 tests/runtime/program   # some lines, as the named tests see them
// npm run mutants -- src/inference --concurrency 4 --force        # all other words are for Stryker

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const isIn = (folder) => (word) => word === folder || word.startsWith(`${folder}/`);
const words = process.argv.slice(2).map((word) => word.replaceAll('\\', '/')); // as Windows completes paths
const forStryker = words.filter((word) => !isIn('src')(word) && !isIn('tests')(word));
const sources = words.filter(isIn('src'));
if (sources.length === 0) sources.push('src/runtime/core');
const tests = words.filter(isIn('tests'));
if (tests.length === 0) tests.push(...new Set(sources.map(testsOf)));

/** The folder of tests/ that mirrors the one of these sources, or else one around it. */
function testsOf(source) {
  let folder = source.replace(/^src/, 'tests').replace(/\/[^/]*\.ts(:[\d:-]+)?$/, '');
  while (!existsSync(folder)) folder = dirname(folder);
  return folder;
}

/**
 * The pattern of an argument: a folder means all its files; a file, some lines of one or a pattern mean themselves.
 */
const patternOf = (word, ending) => (/[*:]|\.ts$/.test(word) ? word : `${word}/**/*${ending}`);

const never = ['!src/runtime/kernels/assembly/**', '!src/runtime/kernels/modules.ts']; // the build makes WebAssembly of them
const options = {
  mutate: [...sources.map((word) => patternOf(word, '.ts')), ...never],
  testFiles: tests.map((word) => patternOf(word, '.test.ts')),
  incrementalFile: `coverage/mutants/${[...sources, ...tests].join('+').replaceAll(/[^\w.+-]/g, '-')}.json`,
};
const flags = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
const stryker = fileURLToPath(
  new URL('../node_modules/@stryker-mutator/core/bin/stryker.js', import.meta.url),
);
const { status } = spawnSync(process.execPath, [stryker, 'run', ...flags, ...forStryker], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
