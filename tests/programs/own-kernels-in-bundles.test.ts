import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as everything from 'pixelcnn-layers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownKernels } from '../../scripts/lib/own-kernels.mjs';
import { CROSS_ENTROPY } from '../../src/kernels/modules';

const require = createRequire(import.meta.url);
const esbuild: typeof import('esbuild') = createRequire(require.resolve('tsup'))('esbuild');
const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;

/** The package as tsup builds it, as ES modules, in a project of somebody's. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  const home = join(folder, 'node_modules/pixelcnn-layers');
  await esbuild.build({
    entryPoints: {
      index: join(root, 'src/index.ts'),
      runtime: join(root, 'src/runtime.ts'),
      worker: join(root, 'src/worker.ts'),
      'own-kernels': join(root, 'src/ops/own-kernels.ts'),
      'wasm-kernels': join(root, 'src/ops/wasm-kernels.ts'),
    },
    outdir: join(home, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    packages: 'external',
    plugins: [ownKernels],
  });
  const { sideEffects } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const manifest = { name: 'pixelcnn-layers', type: 'module', exports: './dist/index.js', sideEffects };
  await writeFile(join(home, 'package.json'), JSON.stringify(manifest));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A page's bundle of a program that imports names. */
async function bundleOf(names: string): Promise<string> {
  const contents = `import { ${names} } from 'pixelcnn-layers'; console.log(${names});`;
  const { outputFiles } = await esbuild.build({
    stdin: { contents: names === '' ? "import 'pixelcnn-layers';" : contents, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    external: ['@tensorflow/*'],
  });
  return (outputFiles[0] as { text: string }).text;
}

it.each(['', 'getMask', 'windowOf', 'kernelsInUse', 'allowed'])(
  'a page that imports { %s } does not carry the kernels, and knows the classes',
  async (names) => {
    const text = await bundleOf(names);
    expect([text.includes(CROSS_ENTROPY), text.includes('"MaskedConv2D"')]).toEqual([false, true]);
  },
);

it.each([
  ...[
    'MaskedConv2D',
    'maskedConv2d',
    'GatedActivation',
    'gatedActivation',
    'PixelLayer',
    'AutoregressiveModel',
  ],
  ...['pixelCNN', 'bitsPerDim', 'normalize', 'sample', 'checkCausality', 'clipGradients'],
])('a page that imports { %s } has the kernels', async (names) => {
  expect((await bundleOf(names)).includes(CROSS_ENTROPY)).toBe(true);
});

it('leaves every export what it is', async () => {
  const program = `
    import * as built from 'pixelcnn-layers';
    export const names = Object.keys(built).sort();
    export const isClass = new built.MaskedConv2D({ filters: 3, kernelSize: 1 }) instanceof built.MaskedConv2D
      && built.maskedConv2d({ filters: 3, kernelSize: 1 }) instanceof built.MaskedConv2D;
  `;
  const file = join(folder, 'node_modules/.names.mjs');
  const { outputFiles } = await esbuild.build({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    format: 'esm',
    write: false,
    external: ['@tensorflow/*'],
  });
  const text = (outputFiles[0] as { text: string }).text.replaceAll(/"@tensorflow\/(tfjs-\w+)"/g, (_, name) =>
    JSON.stringify(require.resolve(`@tensorflow/${name}`)),
  );
  await writeFile(file, text);
  const { names, isClass } = await import(/* @vite-ignore */ file);
  expect(names).toEqual(Object.keys(everything).sort());
  expect(isClass).toBe(true);
});
