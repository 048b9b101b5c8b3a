import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

/** What the package exports. */
const entries = {
  index: 'src/index.ts',
  runtime: 'src/runtime.ts',
  worker: 'src/worker.ts',
  node: 'src/node/index.ts',
  data: 'src/data/index.ts',
  weights: 'src/weights/index.ts',
};

/** Not exported, but files by themselves, so that bundlers can leave out the first of them. */
const apart = { 'own-kernels': 'src/ops/own-kernels.ts', 'wasm-kernels': 'src/ops/wasm-kernels.ts' };

/** For script tags: `index` in one file, which makes the global `pixelcnn` and takes tfjs from the global `tf`. */
const forPages = 'pixelcnn-layers.min';
const { version, license } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The global `tf`, as it is when the script of this package runs. */
const globalTf = `
  if (!globalThis.tf?.layers) {
    throw new Error('pixelcnn-layers: wanted the global tf, with layers: load the scripts of tfjs before this one');
  }
  module.exports = globalThis.tf;
`;

export default defineConfig([
  // As ES modules, what entries share lies in one file, so that no class is there twice; as CommonJS, each is whole.
  // ES modules are not minified: a page's own bundler does that, and leaves out what it does not need. CommonJS is, but
  // for the names of classes and functions, which are in error messages.
  {
    entry: { ...entries, ...apart },
    format: ['esm', 'cjs'],
    target: 'es2022',
    dts: { entry: entries },
    clean: [`!${forPages}.js`], // all but what the other build makes at the same time
    esbuildOptions(options, { format }) {
      if (format === 'esm') return;
      options.minify = true; // comments too, by which bundlers know what they may leave out
      options.keepNames = true;
      options.entryPoints = entries;
      // A module of CommonJS has no address: it finds its worker by its folder.
      options.define = { ...options.define, 'import.meta.url': 'undefined' };
    },
  },
  // Minified, as no bundler comes after it.
  {
    entry: { [forPages]: 'src/index.ts' },
    format: 'iife',
    globalName: 'pixelcnn',
    outExtension: () => ({ js: '.js' }),
    target: 'es2022',
    minify: true,
    banner: { js: `/*! pixelcnn-layers ${version}, ${license} */` },
    esbuildPlugins: [
      {
        name: 'global-tf',
        setup(build) {
          build.onResolve({ filter: /^@tensorflow\// }, ({ path }) => ({ path, namespace: 'global-tf' }));
          build.onLoad({ filter: /.*/, namespace: 'global-tf' }, () => ({ contents: globalTf }));
        },
      },
    ],
  },
]);
