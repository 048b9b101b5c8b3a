import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the page is built. */
    builtDemo: string;
  }
}

/** Builds the page once, for all files of tests that look at it. */
export default async function setup({ provide }: TestProject) {
  const built = await mkdtemp(join(tmpdir(), 'built-demo-'));
  const root = fileURLToPath(new URL('../../../demo', import.meta.url));
  await build({ root, build: { outDir: built }, logLevel: 'silent' });
  provide('builtDemo', built);
  return () => rm(built, { recursive: true, force: true });
}
