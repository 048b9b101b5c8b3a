/**
 * Checks the packed library as users install it: what publint says of the tarball; then puts it
 * into an empty project and uses it there by `import`, by `require`, by a script tag, from TypeScript and
 * through a bundler. In each version of Node, in Bun and in Deno, runs the quick start of README, saves and
 * loads a model, and uses the runtime without tfjs, by `import` and by `require`.
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
  BARE_IMPORT,
  LOSS_NAMES,
  load,
  ONE_COPY,
  ROUND_TRIP,
  RUNTIME_TYPES,
  SAVE,
  SCRIPT_AND_MODULES,
  SCRIPT_TAG,
  TYPES,
} from './lib/packed-programs.mjs';
import { checkedQuickStart } from './lib/quick-start.mjs';

// ES modules are not minified. The file for script tags is, and takes a quarter of the tarball.
const MAX_TARBALL_BYTES = 420_000;
const EXPECTED_FILE = /^(dist\/.+|package\.json|README\.md|LICENSE)$/;
const EXPECTED_OF_MODELS =
  /^package\/([\w.-]+\.(pixelcnn|md)|index\.(js|d\.ts)|package\.json|LICENSE|[\w-]+\/(model\.json|weights\.\w+\.1of1\.bin))$/;
const PEERS = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  '@types/node',
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

/** The most bytes that a page loads of the library, minified and compressed, without tfjs. */
const PARTS = [
  ['pixelcnn-layers', 'getMask', 3_000],
  ['pixelcnn-layers', 'pixelCNN, sample', 85_000],
  ['pixelcnn-layers/runtime', 'getMask', 3_000],
  ['pixelcnn-layers/runtime', 'readPortable, sample', 48_000],
];

async function main() {
  const tarball = await packed();
  const models = await packedModels();
  await Promise.all([install(tarball), installBare(tarball, models)]);
  await Promise.all([checkBundles(), checkTypes(), checkPrograms()]);
  await checkEngines();
}

/** What pages load of the library, and that it is enough. */
async function checkBundles() {
  for (const [module, names, most] of PARTS) {
    const size = await weigh(module, names);
    await check(`${names} of ${module}: ${size} bytes, at most ${most}`, () => assert(size <= most));
  }
  const kernels = textsOfKernels();
  for (const [names, wanted, unwanted] of KERNELS) {
    await check(`bundled: ${names} with the kernels it runs, and no others`, async () => {
      const { text } = await bundled('pixelcnn-layers', names);
      for (const module of [...wanted, ...unwanted]) assert(kernels.has(module), module);
      const found = [...wanted, ...unwanted].filter((module) => text.includes(kernels.get(module)));
      assert.deepEqual(found, wanted);
    });
  }
  await check('data does without layers', async () => {
    assert(!(await bundled('pixelcnn-layers/data', '*')).text.includes('tfjs-layers'));
  });
  await check('bundled, minified: a page that only loads models knows all classes', async () => {
    writeFileSync(join(project, 'save.mjs'), SAVE);
    await runBundle('loading', load(await run('node', ['save.mjs'], project)));
  });
  await check('bundled, minified: losses keep their names', () => runBundle('losses', LOSS_NAMES));
}

/** The declarations, as TypeScript finds them, and what it compiles to. */
async function checkTypes() {
  await check('types: nodenext, ES module', () => compile('types.mts', TYPES, 'nodenext'));
  await check('types: nodenext, CommonJS', () => compile('types.cts', TYPES, 'nodenext'));
  await check('types: node20, CommonJS', () => compile('types.cts', TYPES, 'node20'));
  await check('types: bundler', () => compile('types.ts', TYPES, 'esnext', '--moduleResolution', 'bundler'));
  for (const format of ['mts', 'cts'])
    await check(`TypeScript compiles: ${format}`, () =>
      compile(`round-trip.${format}`, ROUND_TRIP, 'nodenext'),
    );
  await check('a script tag: trains, saves, loads, samples, from the global tf', () => {
    const program = readFileSync(join(project, 'round-trip.cjs'), 'utf8');
    assert(program.includes('require("pixelcnn-layers")'));
    return runProgram('script.cjs', SCRIPT_TAG + program.replace('require("pixelcnn-layers")', 'pixelcnn'));
  });
  await check('types: the runtime without tfjs, and without skipLibCheck', async () => {
    writeFileSync(join(bare, 'types.mts'), RUNTIME_TYPES);
    const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(
      'node',
      [tsc, '--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', 'types.mts'],
      bare,
    );
  });
}

/** What programs load of it, by import, by require and by a script tag. */
async function checkPrograms() {
  await check('a trained model by its name', () => runModels());
  await check('import and require give one copy', () => runProgram('one.mjs', ONE_COPY));
  await check('a script tag: the whole library, beside its modules', () =>
    runProgram('both.cjs', SCRIPT_TAG + SCRIPT_AND_MODULES),
  );
  await check('a bare import registers all classes', () => runProgram('bare.mjs', BARE_IMPORT));
}

/** The text of each module of kernels, by which bundles are searched. */
function textsOfKernels() {
  const source = readFileSync(join(repository, 'src', 'runtime', 'kernels', 'modules.ts'), 'utf8');
  const modules = source.matchAll(/^export const (\w+) = "(.+)" as/gm);
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
  await check('publint', () => run('npx', ['--yes', 'publint@0.3.25', tarball, '--strict'], temporary));
  return tarball;
}

/** The path of the tarball of the models, once its contents are checked. */
async function packedModels() {
  const folder = join(temporary, 'models');
  mkdirSync(folder);
  await run('npm', ['pack', '--workspace', 'models', '--pack-destination', folder], repository);
  const tarball = join(folder, readdirSync(folder)[0]);
  await check('tarball of the models has their files, cards and licences, and nothing else', async () => {
    const files = (await run('tar', ['-tzf', tarball], temporary)).trim().split('\n');
    const others = files.filter((path) => !EXPECTED_OF_MODELS.test(path));
    assert.deepEqual(others, []);
    assert.equal(files.filter((path) => path.endsWith('.pixelcnn')).length, 27);
    assert(files.includes('package/LICENSE') && files.includes('package/NOTICE.md'));
  });
  await check('publint of the models', () =>
    run('npx', ['--yes', 'publint@0.3.25', tarball, '--strict'], temporary),
  );
  return tarball;
}

/** Draws characters as README does, with both packages as npm installs them. */
async function runModels() {
  cpSync(join(repository, 'models/characters.mjs'), join(bare, 'characters.mjs'));
  const lines = (await run('node', ['characters.mjs'], bare)).trimEnd().split('\n');
  assert.equal(lines.length, 12);
  assert(lines.every((line) => /^[ ▀▄█]{40,72}$/.test(line)));
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

/** Installs both packages into a project of their own, without peers. */
async function installBare(...tarballs) {
  mkdirSync(bare);
  writeFileSync(join(bare, 'package.json'), '{ "private": true }');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--legacy-peer-deps'];
  await check('installs without peers', async () => {
    await run('npm', ['install', ...flags, ...tarballs], bare);
    assert(!existsSync(join(bare, 'node_modules', '@tensorflow')));
  });
}

/** Runs users' programs in each engine, as ESM and as CommonJS, with tfjs and without. */
async function checkEngines() {
  writeFileSync(join(project, 'stripes.mjs'), checkedQuickStart());
  cpSync(join(repository, 'tests/conformance'), join(bare, 'conformance'), { recursive: true });
  await forEachEngine(temporary, async ({ name, runFile, checks }) => {
    const conforms = (way, ...flags) =>
      check(`${name}: the bits of every model, ${way}`, () => runFile('conformance/run.mjs', bare, ...flags));
    if (checks.includes('WebAssembly')) await conforms('WebAssembly');
    if (checks.includes('JavaScript')) await conforms('JavaScript', '--javascript');
    if (checks.includes('files'))
      await check(`${name}: waits for files, and locks`, () => runFile('scripts/lib/files.mjs', repository));
    if (!checks.includes('programs')) return;
    const ways = [
      ['imported', 'mjs'],
      ['required', 'cjs'],
    ];
    await Promise.all([
      check(`${name}: the quick start trains and samples on wasm`, () => runFile('stripes.mjs', project)),
      ...ways.map(([way, extension]) =>
        check(`${name}, ${way}: trains, saves, loads, samples`, () =>
          runFile(`round-trip.${extension}`, project),
        ),
      ),
    ]);
  });
}

/** What a page loads for some of a module's names, without tfjs. */
async function bundled(module, names) {
  const [imported, used] = names === '*' ? ['* as all', 'all'] : [`{ ${names} }`, names];
  const contents = `import ${imported} from '${module}'; console.log(${used});`;
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: project },
    external: ['@tensorflow/*'],
    platform: 'browser',
    format: 'esm',
    bundle: true,
    minify: true,
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0];
}

/** The bytes of a bundle, compressed. */
const weigh = async (module, names) => gzipSync((await bundled(module, names)).contents, { level: 9 }).length;

/** Compiles TypeScript, strict; with skipLibCheck because tfjs's own declarations need it. */
async function compile(file, source, ...module) {
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['--strict', '--noEmitOnError', '--skipLibCheck', '--target', 'es2022', '--types', 'node'];
  writeFileSync(join(project, file), source);
  await run('node', [tsc, ...flags, '--module', ...module, file], project);
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
  rmSync(temporary, { recursive: true, force: true, maxRetries: 9 }); // after an error, another program may still write there
}
