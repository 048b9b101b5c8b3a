/** How `npm run mutants` breaks src/; scripts/mutants.mjs says which files, and which tests must notice. */

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.config.ts', related: false },
  plugins: ['@stryker-mutator/vitest-runner'],
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  incremental: true, // what has not changed since the last run is not tried again
  concurrency: 2,
  disableTypeChecks: false, // Vitest does not look at types
  tempDirName: 'coverage/mutants/sandbox',
  ignorePatterns: ['.ci', '.venv', '.tfjs-node', 'coverage', 'dist', 'docs', 'out', 'runs'],
  reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
  clearTextReporter: { logTests: false, reportTests: false, allowEmojis: false },
  htmlReporter: { fileName: 'coverage/mutants/index.html' },
  jsonReporter: { fileName: 'coverage/mutants/mutants.json' },
  thresholds: { high: 90, low: 75, break: null },
};
