import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Options } from 'tsup';

/** What the package exports. */
const entries = {
  index: 'src/index.ts',
  register: 'src/register.ts',
  runtime: 'src/runtime.ts',
  worker: 'src/worker.ts',
  'train-worker': 'src/train-worker.ts',
  node: 'src/node/index.ts',
  data: 'src/data/index.ts',
  weights: 'src/weights/index.ts',
};

/** All files of the source but those of AssemblyScript. */
const modules = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.includes('/assembly/'))
  .map((file) => `src/${file}`);

/** For script tags: `index` in one file, which makes the global `pixelcnn` and takes tfjs from the global `tf`. */
const forPages = 'pixelcnn-layers.min';
const { version, license } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The global `tf`, as it is when the script of this package runs. */
const globalTf = `
  if (!globalThis.tf?.layers) {
    throw new Error('pixelcnn-layers: load the scripts of tfjs, with layers, before this one');
  }
  module.exports = globalThis.tf;
`;

/** What the script leaves out: what its workers could not load, or what few pages would use. */
const leftOut: Readonly<Record<string, string>> = {
  'training/trainer.ts': 'createTrainer',
  'training/fit-to-energy.ts': 'fitToEnergy',
  'inference/log-partition.ts': 'logPartition',
  'causality/receptive-field.ts': 'receptiveField',
  'training/initialize-from-data.ts': 'initializeFromData',
};
const refusing = (name: string) => `export async function ${name}() {
  throw new Error("${name}: wanted the package's ES modules");
}`;

/** A module in which `await import` of some names is an import like others. */
function withoutLater(path: string): string {
  const later = /const (\{ \w+ \}) = await import\(('.+')\);/g;
  const source = readFileSync(path, 'utf8');
  const imports = Array.from(source.matchAll(later), ([, names, from]) => `import ${names} from ${from};\n`);
  return imports.join('') + source.replaceAll(later, '');
}

/**
 * Each file of the source is a module, as ESM and as CommonJS: no class is there twice, and bundlers leave out the files
 * that a page does not need. ESM is not minified: a page's own bundler does that. CommonJS is, but for the names of
 * classes and functions, which are in error messages.
 */
const ofModules: Options = {
  entry: entries,
  format: ['esm', 'cjs'],
  splitting: false,
  target: 'es2022',
  dts: { entry: entries },
  clean: [`!${forPages}.js`], // all but what the other build makes at the same time
  esbuildPlugins: [
    {
      name: 'a file for each module',
      setup({ initialOptions, onResolve }) {
        const extension = initialOptions.format === 'esm' ? 'js' : 'cjs';
        onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) => {
          if (kind === 'entry-point') return undefined;
          const file = existsSync(join(resolveDir, path, 'index.ts')) ? `${path}/index` : path;
          return { path: `${file}.${extension}`, external: true };
        });
      },
    },
  ],
  esbuildOptions(options, { format }) {
    options.entryPoints = modules;
    if (format === 'esm') return;
    options.minify = true;
    options.keepNames = true;
    // A module of CommonJS has no address: it finds its worker by its folder.
    options.define = { ...options.define, 'import.meta.url': 'undefined' };
  },
};

/** Minified, as no bundler comes after it. */
const script: Options = {
  entry: { [forPages]: 'src/index.ts' },
  format: 'iife',
  globalName: 'pixelcnn',
  outExtension: () => ({ js: '.js' }),
  target: 'es2022',
  minify: 'terser', // esbuild would leave a fiftieth more
  terserOptions: { ecma: 2020, compress: { passes: 3, reduce_vars: false }, format: { comments: 'some' } },
  esbuildOptions(options) {
    options.minifySyntax = true; // each finds what the other does not
    options.minifyIdentifiers = true;
  },
  banner: { js: `/*! pixelcnn-layers ${version}, ${license} */` },
  esbuildPlugins: [
    {
      name: 'global-tf',
      setup(build) {
        build.onResolve({ filter: /^@tensorflow\// }, () => ({ path: 'tf', namespace: 'global-tf' }));
        build.onLoad({ filter: /.*/, namespace: 'global-tf' }, () => ({ contents: globalTf }));
      },
    },
    {
      name: 'one file', // so that nothing is loaded later
      setup(build) {
        build.onLoad({ filter: /src\/.+\.ts$/ }, ({ path }) => {
          const [, name] = Object.entries(leftOut).find(([file]) => path.endsWith(file)) ?? [];
          return { contents: name ? refusing(name) : withoutLater(path), loader: 'ts' };
        });
      },
    },
  ],
};

/** `tsup --no-dts` makes only what the examples import, in a second: ES modules. */
export default defineConfig(({ dts }) =>
  dts === false ? { ...ofModules, format: 'esm', clean: false } : [ofModules, script],
);
