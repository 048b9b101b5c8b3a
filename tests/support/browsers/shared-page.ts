import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';
import { launchChromiumForAll, serve } from './pages';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the page is built, the origin that serves it, and the address at which Playwright connects to a Chromium. */
    demo: { built: string; origin: string; chromium: string };
  }
}

/** Builds and serves the page, and starts a browser, once for all files of tests that look at it. */
export default async function setup({ provide }: TestProject) {
  const built = await mkdtemp(join(tmpdir(), 'built-demo-'));
  const root = fileURLToPath(new URL('../../../demo', import.meta.url));
  await build({ root, build: { outDir: built }, logLevel: 'silent' });
  const { server, origin } = await serve(built);
  const browser = await launchChromiumForAll();
  provide('demo', { built, origin, chromium: browser.wsEndpoint() });
  return async () => {
    await browser.close();
    server.close();
    await rm(built, { recursive: true, force: true });
  };
}
