import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Options } from 'tsup';

const { version, license } = JSON.parse(readFileSync('package.json', 'utf8'));

/** What the package exports. */
const entries = [
  'index',
  'runtime/index',
  'runtime/worker',
  'train-worker',
  'node/index',
  'data/index',
  'weights/index',
];

/** A module for each file of the source, so that bundlers leave out the files a page does not need, and minify the rest. */
const modules: Options = {
  entry: ['src/**/*.ts', '!src/runtime/kernels/assembly/**', '!src/script-tag.ts'],
  format: 'esm',
  target: 'es2022',
  splitting: false,
  dts: { entry: entries.map((name) => `src/${name}.ts`) },
  clean: ['!pixelcnn-layers.min.js'], // which is built at the same time
  plugins: [
    {
      name: 'documentation in declarations only',
      renderChunk: (code) => ({ code: code.replaceAll(/^ *\/\*\*.*?\*\/\n/gms, '') }),
    },
  ],
  esbuildPlugins: [
    {
      name: 'a file for each module',
      setup({ onResolve }) {
        onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) => {
          if (kind === 'entry-point') return undefined;
          const file = existsSync(join(resolveDir, path, 'index.ts')) ? `${path}/index` : path;
          return { path: `${file}.js`, external: true };
        });
      },
    },
  ],
};

/** The whole library as one file for script tags, which takes tfjs from the global `tf`. */
const script: Options = {
  entry: { 'pixelcnn-layers.min': 'src/script-tag.ts' },
  format: 'iife',
  globalName: 'pixelcnn',
  outExtension: () => ({ js: '.js' }),
  target: 'es2022',
  minify: true,
  banner: { js: `/*! pixelcnn-layers ${version}, ${license} */` },
  esbuildOptions(options) {
    const tf = './scripts/lib/global-tf.cjs';
    options.alias = { '@tensorflow/tfjs-core': tf, '@tensorflow/tfjs-layers': tf };
    options.logOverride = { 'empty-import-meta': 'silent', 'ignored-bare-import': 'silent' }; // in what is left out
  },
};

/** `tsup --no-dts` builds only the modules, which takes a second. */
export default defineConfig(({ dts }) => (dts === false ? { ...modules, clean: false } : [modules, script]));
