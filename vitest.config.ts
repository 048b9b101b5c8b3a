import { fileURLToPath } from 'node:url';
import type { ProvidedContext } from 'vitest';
import { defineConfig } from 'vitest/config';
import { PATIENCE } from './tests/support/patience.mjs';

// The quick tests, which `npm test` runs: in Node, on wasm, operations on each backend that Node has without a build.
// What needs another backend, a browser, a process or a bundler is in vitest.everywhere.config.ts.

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url));

/** What starts processes, workers, compilers, bundlers or browsers. */
const notQuick = [
  'tests/{demo,examples,research}/*.test.ts',
  'tests/programs/**',
  'tests/node-webgpu/**',
  'tests/node-tensorflow/**/*.test.ts',
];

/** Operations have kernels of their own on wasm, which other backends compose of tfjs's. */
const operations = 'tests/ops/**';

/** Tests that put other modules in place of some, which no other test must get. */
const withMocks = ['tests/node/crash.test.ts', 'tests/node/files.test.ts'];

/** How thoroughly properties are tried; see tests/support/runs.ts. */
const { PROPERTY_SEED: seed, PROPERTY_TIMES: times, PROPERTY_MINUTES: minutes } = process.env;
const properties: ProvidedContext['properties'] = {
  seed: seed === undefined ? null : Number(seed),
  times: Number(times ?? 1),
  minutes: Number(minutes ?? 0),
};

/** One line a file; of a test that fails, all that it printed. */
export const reporters: ['json', ['default', { summary: boolean }]] = [
  'json',
  ['default', { summary: false }],
];

export default defineConfig({
  resolve: {
    // Tests and the examples in the docs import the library as its users do.
    alias: [
      { find: /^pixelcnn-layers\/node$/, replacement: source('node/index.ts') },
      { find: /^pixelcnn-layers\/data$/, replacement: source('data/index.ts') },
      { find: /^pixelcnn-layers\/weights$/, replacement: source('weights/index.ts') },
      { find: /^pixelcnn-layers\/runtime$/, replacement: source('runtime/index.ts') },
      { find: /^pixelcnn-layers\/worker$/, replacement: source('runtime/worker.ts') },
      { find: /^pixelcnn-layers$/, replacement: source('index.ts') },
    ],
  },
  test: {
    provide: { properties, isRepetition: false },
    testTimeout: 5 * PATIENCE + 60_000 * properties.minutes,
    hookTimeout: 5 * PATIENCE,
    expect: { poll: { timeout: PATIENCE } },
    reporters,
    slowTestThreshold: Number.POSITIVE_INFINITY,
    silent: 'passed-only',
    outputFile: { json: 'coverage/tests-quick.json' },
    maxWorkers: '100%',
    isolate: false, // tfjs is loaded once, not by each of all files
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['tests/**/*.test.ts'],
          exclude: [...notQuick, ...withMocks, operations],
          provide: { backends: ['wasm'] },
        },
      },
      {
        extends: true,
        test: { name: 'mocks', include: withMocks, isolate: true, provide: { backends: ['wasm'] } },
      },
      {
        extends: true,
        test: {
          name: 'operations',
          include: [`${operations}/*.test.ts`],
          provide: { backends: ['cpu', 'wasm', 'wasm, composed'] },
        },
      },
    ],
  },
});
