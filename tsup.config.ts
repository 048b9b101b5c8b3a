import { defineConfig } from 'tsup';

/** What the package exports. */
const entries = {
  index: 'src/index.ts',
  runtime: 'src/runtime.ts',
  worker: 'src/worker.ts',
  node: 'src/node/index.ts',
  data: 'src/data/index.ts',
};

/** Not exported, but files by themselves, so that bundlers can leave out the first of them. */
const apart = { 'own-kernels': 'src/ops/own-kernels.ts', 'wasm-kernels': 'src/ops/wasm-kernels.ts' };

// As ES modules, what entries share lies in one file, so that no class is there twice; as CommonJS, each is whole.
// Not minified: names are in error messages, and a page's own bundler minifies.
export default defineConfig({
  entry: { ...entries, ...apart },
  format: ['esm', 'cjs'],
  target: 'es2022',
  dts: { entry: entries },
  clean: true,
  esbuildOptions(options, { format }) {
    options.minifyWhitespace = format === 'cjs'; // comments too, by which bundlers know what they may leave out
    if (format === 'esm') return;
    options.entryPoints = entries;
    // A module of CommonJS has no address: it finds its worker by its folder.
    options.define = { ...options.define, 'import.meta.url': 'undefined' };
  },
});
