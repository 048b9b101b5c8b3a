import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';

delete process.env['CI']; // what other projects need may be missing here
const { default: whole } = await import('../../vitest.config');

/** How `npm run mutants` tests: as project `node` does, on wasm alone, again and again in the same worker. */
const { projects = [], ...shared } = whole.test ?? {};
const node = (projects as ViteUserConfig[]).find(({ test }) => test?.name === 'node');

export default mergeConfig(
  mergeConfig({ ...whole, test: shared }, { test: node?.test ?? {} }),
  defineConfig({ test: { isolate: false, reporters: [] } }),
);
