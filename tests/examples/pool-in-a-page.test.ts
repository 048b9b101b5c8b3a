import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sample } from 'pixelcnn-layers/runtime';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { visitBuilt } from '../support/browsers/visit-built';
import { portableModel } from '../support/models/portable-model.mjs';
import { installPackages } from '../support/node/installed';
import { temporaryFolder } from '../support/node/temporary-folder';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page that draws by a pool of two workers, which it does not name. */
const PAGE = `
  import { createPool } from 'pixelcnn-layers/runtime';
  import { portableModel } from './portable-model.mjs';
  createPool({ workers: 2 }).sample(portableModel(), { numImages: 20, seed: 3 }).then(
    ({ data }) => { document.title = 'drawn ' + [data.length, ...data.slice(0, 60)].join(); },
    (error) => { document.title = 'failed ' + error.message; },
  );
`;

// Pages that name their workers, built and while they are edited, are in tests/examples/docs-in-a-page.test.ts; with esbuild,
// in tests/programs/trainer-in-a-page.test.ts.
describe.skipIf(chromiumPath === undefined)('a pool in a page, packed by Vite', () => {
  const project = temporaryFolder();
  it('draws what one thread does, with two workers that Vite leaves to the pool', async () => {
    await installPackages(project);
    await cp(join(root, 'tests/support/models/portable-model.mjs'), join(project, 'portable-model.mjs'));
    await writeFile(join(project, 'main.js'), PAGE);
    await writeFile(join(project, 'index.html'), '<script type="module" src="./main.js"></script>');
    await build({ root: project, base: './', configFile: false, logLevel: 'silent', worker: { format: 'es' } });
    await visitBuilt(join(project, 'dist'), async (tab) => {
      await tab.waitForFunction("document.title !== ''");
      const { data } = await sample(portableModel(), { numImages: 20, seed: 3 });
      expect(await tab.title()).toBe(`drawn ${[data.length, ...data.slice(0, 60)].join()}`);
      expect(tab.workers().length).toBe(2);
    });
  });
});
