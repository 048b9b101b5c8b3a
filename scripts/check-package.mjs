/**
 * Checks the packed library as users install it: what publint and attw say of the tarball; then puts it
 * into an empty project and uses it there as ESM, as CommonJS, as both at once, by a script tag, from
 * TypeScript and through a bundler. In each version of Node, in Bun and in Deno, runs the quick start of
 * README, saves and loads a model, and uses the runtime without tfjs.
 *
 * Usage: node scripts/check-package.mjs [tarball]; without one, it has npm pack, which builds.
 */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { check, run } from './lib/checks.mjs';
import { forEachEngine } from './lib/engines.mjs';
import {
  BOTH_COPIES,
  bareImport,
  imports,
  LOSS_NAMES,
  ONE_CLASS,
  ROUND_TRIP,
  RUNTIME_DIGEST,
  RUNTIME_TYPES,
  SCRIPT_TAG,
  TYPES,
} from './lib/packed-programs.mjs';
import { checkedQuickStart } from './lib/quick-start.mjs';

// ES modules are not minified. The script for pages is, and takes 41 kB of it.
const MAX_TARBALL_BYTES = 580_000;
const MAX_SCRIPT_BYTES = 95_000;
const EXPECTED_FILE = /^(dist\/.+|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
const PEERS = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  'typescript',
];

const require = createRequire(import.meta.url);
const esbuild = createRequire(require.resolve('tsup'))('esbuild'); // the one that tsup uses
const repository = fileURLToPath(new URL('..', import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), 'check-package-'));
const project = join(temporary, 'project'); // the user's
const bare = join(temporary, 'bare'); // of a user without tfjs

/** Imports of pages, and the modules of kernels that bundles must then contain, or must not. */
const KERNELS = [
  ['getMask, windowOf, allowed, kernelsInUse', [], ['CONVOLUTION', 'CROSS_ENTROPY', 'GATE', 'INSTRUCTIONS']],
  ['pixelCNN, sample', ['CONVOLUTION', 'CROSS_ENTROPY', 'INSTRUCTIONS'], ['GATE', 'CAUSAL_ATTENTION', 'LSTM', 'LSTM_BACK']],
  ['maskedConv2d', ['CONVOLUTION'], ['CROSS_ENTROPY', 'GATE', 'LSTM', 'INSTRUCTIONS']],
  ['GatedActivation', ['GATE', 'GLU'], ['CAUSAL_ATTENTION', 'CONCAT_ELU', 'LAYER_NORM', 'LSTM']],
  ['diagonalBiLSTMBlock', ['LSTM', 'LSTM_BACK'], ['GATE', 'CAUSAL_ATTENTION']],
  ['bitsPerDim', ['CROSS_ENTROPY'], ['GATE', 'CAUSAL_ATTENTION', 'LSTM']],
]; // biome-ignore format: one a line

/** The most bytes of parts of the library in a page, minified and compressed, without tfjs. */
const PARTS = [
  ['pixelcnn-layers', 'getMask', 2_100],
  ['pixelcnn-layers', 'pixelCNN, sample', 69_500],
  ['pixelcnn-layers/register', '', 49_100],
  ['pixelcnn-layers/runtime', 'getMask', 2_100],
  ['pixelcnn-layers/runtime', 'readPortable, sample', 39_200],
  ['pixelcnn-layers', '*', 92_600],
  ['pixelcnn-layers/runtime', '*', 47_200],
  ['pixelcnn-layers/node', '*', 4_600],
  ['pixelcnn-layers/data', '*', 4_300],
  ['pixelcnn-layers/weights', '*', 7_000],
];

async function main() {
  const tarball = await packed();
  await Promise.all([install(tarball), installBare(tarball)]);
  for (const [module, names, most] of PARTS) {
    const size = await weigh(module, names);
    await check(`${names || 'nothing'} of ${module}: ${size} bytes, at most ${most}`, () =>
      assert(size <= most),
    );
  }
  const script = gzipSync(readFileSync(distributed('pixelcnn-layers.min.js')), { level: 9 }).length;
  await check(`the file for script tags: ${script} bytes, at most ${MAX_SCRIPT_BYTES}`, () =>
    assert(script <= MAX_SCRIPT_BYTES),
  );
  const kernels = textsOfKernels();
  for (const [names, wanted, unwanted] of KERNELS) {
    await check(`bundled: ${names} with the kernels it runs, and no others`, async () => {
      const { text } = await bundled('pixelcnn-layers', names);
      const found = [...wanted, ...unwanted].filter((module) => text.includes(kernels.get(module)));
      assert.deepEqual(found, wanted);
    });
  }
  await check('a script tag: trains, saves, loads, samples, from the global tf', () => {
    const rest = imports('cjs').replace("require('pixelcnn-layers')", 'pixelcnn');
    return runProgram('script.cjs', SCRIPT_TAG + rest + ROUND_TRIP);
  });
  await check('ESM and CommonJS in one process', () => runProgram('both.mjs', imports('esm') + BOTH_COPIES));
  await check('ESM: both entries share one class', () => runProgram('one.mjs', imports('esm') + ONE_CLASS));
  await check('CommonJS: both entries share one class', () =>
    runProgram('one.cjs', imports('cjs') + ONE_CLASS),
  );
  await check('types: nodenext, ESM', () => compile('types.mts', 'nodenext', 'nodenext'));
  await check('types: nodenext, CommonJS', () => compile('types.cts', 'nodenext', 'nodenext'));
  await check('types: bundler', () => compile('types.ts', 'esnext', 'bundler'));
  await check('types: the runtime without tfjs, and without skipLibCheck', async () => {
    writeFileSync(join(bare, 'types.mts'), RUNTIME_TYPES);
    const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(
      'node',
      [tsc, '--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', 'types.mts'],
      bare,
    );
  });
  await check('data does without layers', async () => {
    assert(!(await bundled('pixelcnn-layers/data', '*')).text.includes('tfjs-layers'));
  });
  await check('a bare import registers all classes', () =>
    runProgram('bare.mjs', bareImport('pixelcnn-layers')),
  );
  await check('bundled, minified: pixelcnn-layers/register registers all classes', () =>
    runBundle('classes', bareImport('pixelcnn-layers/register')),
  );
  await check('bundled, minified: losses keep their names', () => runBundle('losses', LOSS_NAMES));
  await checkEngines();
}

/** The text of each module of kernels, by which bundles are searched. */
function textsOfKernels() {
  const source = readFileSync(join(repository, 'src', 'kernels', 'modules.ts'), 'utf8');
  const modules = source.matchAll(/^export const (\w+) = '(.+)' as/gm);
  return new Map(Array.from(modules, ([, name, text]) => [name, text]));
}

/** The path of the tarball, once its size and contents are checked. */
async function packed() {
  const [given] = process.argv.slice(2);
  const tarball = given === undefined ? await pack() : resolve(given);
  const { size } = statSync(tarball);
  await check(`tarball of ${size} bytes, under ${MAX_TARBALL_BYTES}`, () => assert(size < MAX_TARBALL_BYTES));
  await check('tarball has only expected files', async () => {
    const files = (await run('tar', ['-tzf', tarball], temporary)).trim().split('\n');
    const others = files
      .map((path) => path.replace('package/', ''))
      .filter((path) => !EXPECTED_FILE.test(path));
    assert.deepEqual(others, []);
  });
  await check('publint', () => run('npx', ['publint', tarball, '--strict'], repository));
  await check('attw', () => run('npx', ['attw', tarball, '--profile', 'node16'], repository));
  return tarball;
}

/** Has npm pack, which builds. Returns the path of the tarball. */
async function pack() {
  const folder = join(temporary, 'packed');
  mkdirSync(folder);
  await run('npm', ['pack', '--pack-destination', folder], repository);
  return join(folder, readdirSync(folder)[0]);
}

/** Installs the tarball into the project, with its peers in the versions of the lockfile. */
async function install(tarball) {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'));
  const peers = PEERS.map((name) => `${name}@${packages[`node_modules/${name}`].version}`);
  const flags = ['--no-audit', '--no-fund', '--prefer-offline'];
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  await check('installs', () => run('npm', ['install', ...flags, tarball, ...peers], project));
}

/** Installs the tarball into its own project, without its peers. */
async function installBare(tarball) {
  mkdirSync(bare);
  writeFileSync(join(bare, 'package.json'), '{ "private": true }');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--legacy-peer-deps'];
  await check('installs without peers', async () => {
    await run('npm', ['install', ...flags, tarball], bare);
    assert(!existsSync(join(bare, 'node_modules', '@tensorflow')));
  });
}

/** Runs users' programs in each engine, as ESM and as CommonJS, with tfjs and without. */
async function checkEngines() {
  const digests = [];
  for (const name of ['portable-model.mjs', 'runtime-digest.mjs']) {
    cpSync(join(repository, 'tests', 'support', name), join(bare, name));
  }
  writeFileSync(join(project, 'stripes.mjs'), checkedQuickStart());
  for (const [format, extension] of [
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ]) {
    writeFileSync(join(bare, `runtime.${extension}`), RUNTIME_DIGEST[format]);
    writeFileSync(join(project, `round-trip.${extension}`), imports(format) + ROUND_TRIP);
  }
  await forEachEngine(temporary, async ({ name, runFile }) => {
    const formats = [
      ['ESM', 'mjs'],
      ['CommonJS', 'cjs'],
    ];
    await Promise.all([
      check(`${name}: the quick start trains and samples on wasm`, () => runFile('stripes.mjs', project)),
      ...formats.map(([format, extension]) =>
        check(`${name}, ${format}: trains, saves, loads, samples`, () =>
          runFile(`round-trip.${extension}`, project),
        ),
      ),
      ...formats.map(([format, extension]) =>
        check(`${name}, ${format}: the runtime without tfjs, alone and in a pool`, async () => {
          const digest = (await runFile(`runtime.${extension}`, bare)).trim();
          digests.push(digest);
          assert.match(digest, /^[0-9a-f]{1,8}$/);
          assert.equal(digest, digests[0]); // equal bits in all of them
        }),
      ),
    ]);
  });
}

/** Leaves out what a page loads only when it is needed. */
const later = {
  name: 'later',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    ),
};

/** What a page loads at first for some of a module's names, without tfjs. */
async function bundled(module, names) {
  const [imported, used] = names === '*' ? ['* as all', 'all'] : [`{ ${names} }`, names];
  const contents =
    names === '' ? `import '${module}';` : `import ${imported} from '${module}'; console.log(${used});`;
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: project },
    external: ['@tensorflow/*'],
    platform: module.endsWith('/node') ? 'node' : 'browser',
    format: 'esm',
    bundle: true,
    minify: true,
    write: false,
    plugins: [later],
    logLevel: 'silent',
  });
  return outputFiles[0];
}

/** The bytes of a bundle, compressed. */
const weigh = async (module, names) => gzipSync((await bundled(module, names)).contents, { level: 9 }).length;

/** A file of the installed package. */
const distributed = (file) => join(project, 'node_modules', 'pixelcnn-layers', 'dist', file);

/** Compiles TypeScript, strict; with skipLibCheck because tfjs's own declarations need it. */
async function compile(file, module, moduleResolution) {
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022'];
  writeFileSync(join(project, file), TYPES);
  await run(
    'node',
    [tsc, ...flags, '--module', module, '--moduleResolution', moduleResolution, file],
    project,
  );
}

/** Bundles for browsers and runs the bundle, without `process`, by which tfjs recognizes Node. */
async function runBundle(name, source) {
  writeFileSync(join(project, `${name}.mjs`), source);
  esbuild.buildSync({
    absWorkingDir: project,
    entryPoints: [`${name}.mjs`],
    outfile: `${name}.bundle.mjs`,
    platform: 'browser',
    format: 'esm',
    bundle: true,
    minify: true,
    treeShaking: true,
    lineLimit: 110, // errors show the line
    define: { process: 'undefined' },
    logLevel: 'silent',
  });
  await run('node', [`${name}.bundle.mjs`], project);
}

async function runProgram(file, source) {
  writeFileSync(join(project, file), source);
  await run('node', [file], project);
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
