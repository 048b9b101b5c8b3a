import { join } from 'node:path';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { makeConformancePage } from '../support/browsers/conformance-page';
import { visitBuilt } from '../support/browsers/visit-built';
import { temporaryFolder } from '../support/node/temporary-folder';

// Pages that name their workers, built and while they are edited, are in tests/examples/docs-in-a-page.test.ts; with esbuild,
// in tests/programs/trainer-in-a-page.test.ts.
describe.skipIf(chromiumPath === undefined)('a pool in a page, packed by Vite', () => {
  const project = temporaryFolder();
  it('gives the bits of all machines, as one thread does, with two workers that Vite leaves to the pool', async () => {
    await makeConformancePage(project, '{ workers: 2 }');
    await build({ root: project, base: './', configFile: false, logLevel: 'silent', worker: { format: 'es' } });
    await visitBuilt(join(project, 'dist'), async (tab) => {
      await tab.waitForFunction("document.title !== ''");
      expect(await tab.title()).toBe('the same bits by WebAssembly');
      expect(tab.workers().length).toBe(2);
    });
  });
});
