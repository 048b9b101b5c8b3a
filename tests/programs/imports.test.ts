import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { esbuild } from '../support/node/esbuild.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

const programs = ['demo', 'examples', 'kit', 'research', 'tests/bench', 'scripts'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mjs') && !name.includes('node_modules'))
    .map((name) => join(root, folder, name)),
);

it('programs, of which not all run in tests, import only what is there', async () => {
  const entries = { '': 'index', '/data': 'data/index', '/node': 'node/index', '/runtime': 'runtime/index', '/weights': 'weights/index' };
  const alias = Object.fromEntries(
    Object.entries(entries).map(([name, file]) => [`pixelcnn-layers${name}`, join(root, 'src', `${file}.ts`)]),
  );
  expect(programs.length).toBeGreaterThan(100);
  await esbuild.build({
    ...{ entryPoints: programs, outdir: join(root, 'out'), write: false, bundle: true, format: 'esm', platform: 'node' },
    ...{ packages: 'external', external: ['/runtime/*', '/page.js', '*?url', '*?worker', '*?raw'], alias, logLevel: 'silent' },
  });
});
