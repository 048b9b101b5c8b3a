import { cp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sample } from 'pixelcnn-layers/runtime';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { visitBuilt } from '../support/browsers/visit-built';
import { portableModel } from '../support/models/portable-model.mjs';
import { installPackage } from '../support/node/installed';
import { temporaryFolder } from '../support/node/temporary-folder';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const esbuild: { build(options: object): Promise<unknown> } = createRequire(require.resolve('tsup'))('esbuild');

/** A page that draws by a pool of two workers, which start as `options` say. */
const page = (options: string) => `
  import { createPool } from 'pixelcnn-layers/runtime';
  import { portableModel } from './portable-model.mjs';
  const pool = createPool({ workers: 2, ${options} });
  pool.sample(portableModel(), { numImages: 20, seed: 3 }).then(
    ({ data }) => { document.title = 'drawn ' + [data.length, ...data.slice(0, 60)].join(); },
    (error) => { document.title = 'failed ' + error.message; },
  );
`;

const OWN_FILE = "createWorker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })";

describe.skipIf(chromiumPath === undefined)('a pool in a page, packed', () => {
  const folder = temporaryFolder();

  /** A project with a page, with this package as npm would install it. */
  async function makeProject(name: string, options: string): Promise<string> {
    const project = join(folder, name);
    await installPackage(project);
    await cp(join(root, 'tests/support/models/portable-model.mjs'), join(project, 'portable-model.mjs'));
    await writeFile(join(project, 'main.js'), page(options));
    await writeFile(join(project, 'index.html'), '<script type="module" src="./main.js"></script>');
    return project;
  }

  /** Opens the page, and checks that it draws what one thread does, with two workers. */
  const expectDrawnFrom = (built: string) =>
    visitBuilt(built, async (tab) => {
      await tab.waitForFunction("document.title !== ''");
      const { data } = await sample(portableModel(), { numImages: 20, seed: 3 });
      expect(await tab.title()).toBe(`drawn ${[data.length, ...data.slice(0, 60)].join()}`);
      expect(tab.workers().length).toBe(2);
    });

  // Pages that name their workers, built and while they are edited, are in tests/examples/docs-in-a-page.test.ts.
  it('by Vite, where it leaves its workers to the pool', async () => {
    const project = await makeProject('built', '');
    const worker = { format: 'es' } as const;
    await build({ root: project, base: './', configFile: false, logLevel: 'silent', worker });
    await expectDrawnFrom(join(project, 'dist'));
  });

  it('by esbuild, to which the worker is a second program', async () => {
    const project = await makeProject('esbuild', OWN_FILE);
    await writeFile(join(project, 'worker.js'), "import 'pixelcnn-layers/worker';");
    const built = join(project, 'built');
    await esbuild.build({
      entryPoints: [join(project, 'main.js'), join(project, 'worker.js')],
      outdir: built,
      bundle: true,
      minify: true,
      format: 'esm',
      logLevel: 'silent',
    });
    await cp(join(project, 'index.html'), join(built, 'index.html'));
    await expectDrawnFrom(built);
  });
});
