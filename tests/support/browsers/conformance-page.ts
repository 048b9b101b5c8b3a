import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../node/installed';

/** Makes a project with a page whose title says whether all digests are those of the list, alone and in a pool, and by what. */
export async function makeConformancePage(project: string, poolOptions: string): Promise<void> {
  await installPackages(project);
  await cp(fileURLToPath(new URL('../../conformance', import.meta.url)), join(project, 'conformance'), { recursive: true });
  await writeFile(
    join(project, 'index.html'),
    '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./main.js"></script>',
  );
  await writeFile(
    join(project, 'main.js'),
    `
    import * as runtime from 'pixelcnn-layers/runtime';
    import { conformance, hasWebAssembly, inPool } from './conformance/conformance.mjs';
    import entries from './conformance/models.json';
    const all = [runtime, inPool(runtime, runtime.createPool(${poolOptions}))];
    Promise.all(all.map((one) => conformance(one, entries))).then(
      (different) => { document.title = different.flat().map(({ name, what }) => name + ', ' + what).join('; ') || 'the same bits by ' + (hasWebAssembly() ? 'WebAssembly' : 'JavaScript'); },
      ({ message }) => { document.title = message; },
    );
    `,
  );
}
