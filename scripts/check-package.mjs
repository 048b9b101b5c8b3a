/**
 * Checks the packed library as its users meet it: installs the tarball into an empty project and uses it
 * there as ESM, as CommonJS, as both at once, by a script tag, from TypeScript and through a bundler; and its runtime
 * where no tfjs is, in Node, Deno and Bun.
 *
 * Usage: node scripts/check-package.mjs, after `npm run build`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

// Not minified: names are in error messages. The script for pages is, and takes 41 kB of it.
const MAX_TARBALL_BYTES = 620_000;
const EXPECTED_FILE = /^(dist\/.+|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
const PEERS = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@tensorflow/tfjs-backend-cpu',
  'typescript',
];

const require = createRequire(import.meta.url);
const esbuild = createRequire(require.resolve('tsup'))('esbuild'); // whichever one tsup has
const repository = fileURLToPath(new URL('..', import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), 'check-package-'));
const project = join(temporary, 'project'); // the user's
const bare = join(temporary, 'bare'); // of a user without tfjs

/** What of the library takes its loops of training on wasm along into a page. */
const OWN_LOOPS = [
  ['getMask', false],
  ['MaskedConv2D', false],
  ['maskedConv2d', true],
  ['pixelCNN', true],
  ['gatedPixelCNN', true],
  ['autoregressiveModel', true],
  ['normalize', true],
  ['logProb', true],
  ['sample', true],
  ['kernelsInUse', true],
];

/** Where programs of the runtime run, and how. */
const ENGINES = [
  ['Node, ESM', 'mjs', ['node']],
  ['Node, CommonJS', 'cjs', ['node']],
  ['Deno', 'mjs', ['deno', 'run', '--allow-read', '--cached-only', '--node-modules-dir=manual']],
  ['Bun', 'mjs', ['bun']],
];

/** The most that parts of the library may weigh in a page, in bytes, minified and compressed, tfjs left out. */
const PARTS = [
  ['pixelcnn-layers', 'getMask', 37_000], // with all layers, which are registered on import
  ['pixelcnn-layers/runtime', 'getMask', 2_000],
  ['pixelcnn-layers/runtime', 'readPortable, sample', 38_000],
  ['pixelcnn-layers', '*', 102_000],
  ['pixelcnn-layers/runtime', '*', 48_000],
  ['pixelcnn-layers/node', '*', 5_000],
  ['pixelcnn-layers/data', '*', 4_300],
  ['pixelcnn-layers/weights', '*', 6_500],
];

function main() {
  const tarball = packed();
  install(tarball);
  installBare(tarball);
  for (const [engine, extension, command] of ENGINES) {
    check(`the runtime without tfjs: ${engine}`, () => runRuntime(extension, command));
  }
  check('the runtime without tfjs: the same bits in all of them', () =>
    assert.equal(new Set(digests).size, 1),
  );
  for (const [module, names, most] of PARTS) {
    const size = weigh(module, names);
    check(`${names} of ${module}: ${size} bytes, at most ${most}`, () => assert(size <= most));
  }
  for (const [names, isWanted] of OWN_LOOPS) {
    check(`bundled: { ${names} } is ${isWanted ? 'with' : 'without'} the loops of training`, () => {
      assert.equal(hasOwnLoops(names), isWanted);
    });
  }
  check('ESM: trains, saves, loads, samples', () => runProgram('esm.mjs', imports('esm') + ROUND_TRIP));
  check('CommonJS: the same', () => runProgram('cjs.cjs', imports('cjs') + ROUND_TRIP));
  check('a script tag: the same, from the global tf', () => {
    const rest = imports('cjs').replace("require('pixelcnn-layers')", 'pixelcnn');
    runProgram('script.cjs', SCRIPT_TAG + rest + ROUND_TRIP);
  });
  check('ESM and CommonJS in one process', () => runProgram('both.mjs', imports('esm') + BOTH_COPIES));
  check('ESM: both entries share one class', () => runProgram('one.mjs', imports('esm') + ONE_CLASS));
  check('CommonJS: both entries share one class', () => runProgram('one.cjs', imports('cjs') + ONE_CLASS));
  check('types: nodenext, ESM', () => compile('types.mts', 'nodenext', 'nodenext'));
  check('types: nodenext, CommonJS', () => compile('types.cts', 'nodenext', 'nodenext'));
  check('types: bundler', () => compile('types.ts', 'esnext', 'bundler'));
  check('types: the runtime without tfjs, and without skipLibCheck', () => {
    writeFileSync(join(bare, 'types.mts'), RUNTIME_TYPES);
    const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    run(
      'node',
      [tsc, '--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', 'types.mts'],
      bare,
    );
  });
  check('data does without layers', () => {
    const data = readFileSync(join(project, 'node_modules', 'pixelcnn-layers', 'dist', 'data.js'), 'utf8');
    assert(!data.includes('tfjs-layers'));
  });
  check('bundled, minified: classes are registered', () => runBundle('classes', BARE_IMPORT));
  check('bundled, minified: losses keep their names', () => runBundle('losses', LOSS_NAMES));
}

/** The path of the tarball, once its size and contents are checked. */
function packed() {
  const output = run('npm', ['pack', '--json', '--pack-destination', temporary], repository);
  const [{ filename, size, files }] = JSON.parse(output);
  check(`tarball of ${size} bytes, under ${MAX_TARBALL_BYTES}`, () => assert(size < MAX_TARBALL_BYTES));
  check('tarball has only expected files', () => {
    const others = files.map(({ path }) => path).filter((path) => !EXPECTED_FILE.test(path));
    assert.deepEqual(others, []);
  });
  return join(temporary, filename);
}

/** Installs the tarball into the project, beside its peers in the versions that the lockfile has. */
function install(tarball) {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'));
  const peers = PEERS.map((name) => `${name}@${packages[`node_modules/${name}`].version}`);
  const flags = ['--no-audit', '--no-fund', '--prefer-offline'];
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  check('installs', () => run('npm', ['install', ...flags, tarball, ...peers], project));
}

/** Installs the tarball into a project of its own, without its peers. */
function installBare(tarball) {
  mkdirSync(bare);
  writeFileSync(join(bare, 'package.json'), '{ "private": true }');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--legacy-peer-deps'];
  check('installs without peers', () => {
    run('npm', ['install', ...flags, tarball], bare);
    assert(!existsSync(join(bare, 'node_modules', '@tensorflow')));
  });
}

/** What each engine made, as a digest. */
const digests = [];

/** Runs a program of the runtime in an engine, which Node's package manager has installed here. */
function runRuntime(extension, [engine, ...flags]) {
  const isModule = extension === 'mjs';
  const model = readFileSync(join(repository, 'tests', 'support', 'portable-model.mjs'), 'utf8');
  const names = '{ compress, createPool, decompress, logProb, readPortable, sample, stepper, writePortable }';
  const line = isModule
    ? `import ${names} from 'pixelcnn-layers/runtime';`
    : `const ${names} = require('pixelcnn-layers/runtime');`;
  writeFileSync(join(bare, `runtime.${extension}`), `${line}\n${model.replace('export ', '')}\n${RUNTIME}`);
  const command = engine === 'node' ? engine : join(repository, 'node_modules', '.bin', engine);
  digests.push(run(command, [...flags, `runtime.${extension}`], bare).trim());
}

/** What a page would load for some of a module's names, with tfjs left out. */
function bundled(module, names) {
  const [imported, used] = names === '*' ? ['* as all', 'all'] : [`{ ${names} }`, names];
  const contents = `import ${imported} from '${module}'; console.log(${used});`;
  const { outputFiles } = esbuild.buildSync({
    stdin: { contents, resolveDir: project },
    external: ['@tensorflow/*'],
    platform: module.endsWith('/node') ? 'node' : 'browser',
    format: 'esm',
    bundle: true,
    minify: true,
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0];
}

/** Its bytes, compressed. */
const weigh = (module, names) => gzipSync(bundled(module, names).contents, { level: 9 }).length;

/** Whether the loops of the cross-entropy are in a bundle, which only training needs. */
function hasOwnLoops(names) {
  const modules = readFileSync(join(repository, 'src', 'kernels', 'modules.ts'), 'utf8');
  const [, loops] = modules.match(/CROSS_ENTROPY =\s*'(.*)'/);
  return bundled('pixelcnn-layers', names).text.includes(loops);
}

/** TypeScript, strict; skipLibCheck because tfjs's own declarations need it. */
function compile(file, module, moduleResolution) {
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022'];
  writeFileSync(join(project, file), TYPES);
  run('node', [tsc, ...flags, '--module', module, '--moduleResolution', moduleResolution, file], project);
}

/** Bundles for browsers and runs the bundle; without `process`, by which tfjs would know node. */
function runBundle(name, source) {
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
  run('node', [`${name}.bundle.mjs`], project);
}

function runProgram(file, source) {
  writeFileSync(join(project, file), source);
  run('node', [file], project);
}

function check(what, work) {
  try {
    work();
  } catch (error) {
    throw new Error(`not ok  ${what}\n${error.message}`);
  }
  console.log(`ok  ${what}`);
}

/** The output of a command; throws with all of it where the command fails. */
function run(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${error ?? `${stdout}${stderr}`}`);
  return stdout;
}

/** What the programs import, as ESM or CommonJS has it. */
function imports(format) {
  const names = {
    'node:assert/strict': 'assert',
    '@tensorflow/tfjs-backend-cpu': '{}',
    '@tensorflow/tfjs-core': '{ serialization, train, zeros }',
    '@tensorflow/tfjs-layers': '{ loadLayersModel }',
    'pixelcnn-layers': '{ MaskedConv2D, bitsPerDim, pixelCNN, sample }',
    'pixelcnn-layers/data': '{ imageBatches, imageSet }',
    'pixelcnn-layers/node': '{ fileSystem }',
    'pixelcnn-layers/weights': '{ readSafetensors, saveWeights, writeSafetensors }',
  };
  const line = (module, what) =>
    format === 'esm' ? `import ${what} from '${module}';\n` : `const ${what} = require('${module}');\n`;
  return Object.entries(names)
    .map(([module, what]) => line(module, what))
    .join('');
}

/** Draws, scores and steps, alone and by a pool, and prints a digest of all bits; the pool lets the program end. */
const RUNTIME = `
async function main() {
  const made = portableModel({ imageShape: [7, 6, 2], levels: 6, numClasses: 3 });
  const model = readPortable(writePortable(made));
  const pool = createPool({ workers: 2 });
  const all = [];
  for (const one of [{ sample, logProb, compress, decompress }, pool]) {
    const images = await one.sample(model, { numImages: 40, seed: 3, condition: 1, temperature: 0.9, topP: 0.95 });
    const file = await one.compress(model, images, { condition: 1, storeCondition: true });
    const same = await one.decompress(model, file);
    all.push([images.data, await one.logProb(model, images, { condition: 1, perValue: true }), file, same.data]);
  }
  const [alone, together] = all.map(digestOf);
  if (alone !== together) throw new Error('the pool made ' + together + ', one thread ' + alone);
  const steps = stepper(model, { numImages: 2, condition: 2 });
  for (let level = 0; steps.place !== null; level = (level + 1) % 6) {
    all.push([steps.logProbs().slice()]);
    steps.put([level, 5 - level]);
  }
  steps.dispose();
  console.log(digestOf(all.flat()));
}

/** FNV-1a of the bytes of some arrays. */
function digestOf(arrays) {
  let hash = 0x811c9dc5;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0).toString(16);
}

main();
`;

const ROUND_TRIP = `
async function main() {
  const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1 });
  model.compile({ optimizer: train.adam(1e-3), loss: bitsPerDim });
  await model.trainOnBatch(zeros([2, 4, 4, 1]), zeros([2, 4, 4, 1], 'int32'));
  const handler = fileSystem('saved');
  await model.save(handler, { includeOptimizer: true });

  const loaded = await loadLayersModel(handler);
  assert.equal(loaded.getClassName(), 'AutoregressiveModel');
  assert(Number.isFinite(await loaded.trainOnBatch(zeros([2, 4, 4, 1]), zeros([2, 4, 4, 1], 'int32'))));
  const images = await sample(loaded, { numImages: 2, seed: 1 });
  assert.deepEqual(images.shape, [2, 4, 4, 1]);

  const set = imageSet({ data: Uint8Array.from(await images.data()), shape: images.shape, levels: 4 });
  const [batch] = imageBatches(set, { batchSize: 2, repeat: false });
  assert(Number.isFinite(await loaded.trainOnBatch(batch.xs, batch.ys)));
}
main();
`;

/** What a page does that loads tfjs and then this package by script tags. */
const SCRIPT_TAG = `
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { runInThisContext } = require('node:vm');
globalThis.tf = { ...require('@tensorflow/tfjs-core'), ...require('@tensorflow/tfjs-layers') };
const manifest = require.resolve('pixelcnn-layers/package.json');
const { unpkg, jsdelivr } = require(manifest);
for (const file of new Set([unpkg, jsdelivr])) runInThisContext(readFileSync(join(dirname(manifest), file), 'utf8'));
`;

const BOTH_COPIES = `
import { createRequire } from 'node:module';

const copy = createRequire(import.meta.url)('pixelcnn-layers');
assert.notEqual(copy.bitsPerDim, bitsPerDim);
const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1 });
model.compile({ optimizer: train.adam(1e-3), loss: copy.bitsPerDim });
await model.save(fileSystem('saved-both'), { includeOptimizer: true });
const loaded = await loadLayersModel(fileSystem('saved-both'));
assert.equal(typeof loaded.loss, 'function');
assert.equal(loaded.loss.name, 'bitsPerDim');
`;

const ONE_CLASS = `
assert.equal(typeof fileSystem, 'function'); // the other entry is loaded
assert.equal(serialization.SerializationMap.getMap().classNameMap.MaskedConv2D[0], MaskedConv2D);
`;

const BARE_IMPORT = `
import { serialization } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import 'pixelcnn-layers';

const { classNameMap } = serialization.SerializationMap.getMap();
const names = ['MaskedConv2D', 'PixelCNNResBlock', 'GatedActivation', 'OneHotClass', 'PixelLogits', 'AutoregressiveModel'];
for (const name of names) {
  if (!classNameMap[name]) throw new Error(name + ' is not registered');
}
`;

const LOSS_NAMES = `
import { bitsPerDim, negativeLogLikelihood } from 'pixelcnn-layers';

const names = [bitsPerDim, negativeLogLikelihood].map(({ name }) => name);
if (names.join() !== 'bitsPerDim,negativeLogLikelihood') throw new Error('names became ' + names);
`;

const TYPES = `
import { type Scalar, type Tensor, type Tensor4D, dispose, train, zeros } from '@tensorflow/tfjs-core';
import { type LayersModel, type SymbolicTensor, input, layers, loadLayersModel } from '@tensorflow/tfjs-layers';
import {
  AutoregressiveModel, type BlockArgs, type Mask, MaskedConv2D, type MaskedConv2DArgs, type MaskType,
  type PixelCNNArgs, type SampleOptions, autoregressiveModel, bitsPerDim, checkCausality, getMask, logProb, maskedConv2d,
  negativeLogLikelihood, normalize, pixelCNN, pixelCNNResBlock, pixelLogits, sample,
} from 'pixelcnn-layers';
import {
  type ImageBatch, type ImageBatches, type ImageSet, gunzip, idxImages, imageBatches, parseCifar10, parseIdx,
  quantize, sliceImages,
} from 'pixelcnn-layers/data';
import { fileSystem } from 'pixelcnn-layers/node';

const maskType: MaskType = 'A';
const mask: Mask = getMask({ kernelSize: [3, 5], featuresIn: 3, featuresOut: 6, maskType });
const [rows]: readonly [number, number, number, number] = mask.shape;
const convArgs: MaskedConv2DArgs = { filters: 6, kernelSize: rows, maskType, activation: 'relu' };
const conv: MaskedConv2D = maskedConv2d(convArgs);
const features: SymbolicTensor = conv.apply(input({ shape: [4, 4, 3] }));
const logits = pixelLogits({ imageChannels: 3, levels: 2 }).apply(layers.reLU().apply(features));
export const small: AutoregressiveModel = autoregressiveModel({ inputs: input({ shape: [4, 4, 3] }), outputs: logits });
const stack: layers.Layer[] = [conv, pixelLogits({ imageChannels: 3, levels: 2 })];
// @ts-expect-error
maskedConv2d({ filters: 6, kernelSize: 3, maskType: 'C' });

const block = ({ filters, imageChannels }: BlockArgs) => pixelCNNResBlock({ filters, imageChannels });
const args: PixelCNNArgs = { imageShape: [null, null, 1], hiddenDim: 2, outDim: 4, numBlocks: 1, block };

export async function program(): Promise<Tensor4D> {
  const model: AutoregressiveModel = pixelCNN(args);
  const shape: [number | null, number | null, number] = model.imageShape;
  model.compile({ optimizer: train.adam(), loss: bitsPerDim, metrics: [negativeLogLikelihood] });
  const images: Tensor4D = zeros([1, 4, 4, shape[2]], 'int32');
  const predicted: Tensor = model.predict(normalize(images, model.levels));
  const loss: number = await model.trainOnBatch(normalize(images, model.levels), images);
  const [first]: Scalar[] = model.evaluate(predicted, predicted);
  console.log(loss, first);
  await model.save(fileSystem('directory'), { includeOptimizer: true });
  const loaded: LayersModel = await loadLayersModel(fileSystem('directory'));
  const nats: Float32Array | Int32Array | Uint8Array = await (await logProb(loaded, images)).data();
  const causality = await checkCausality(loaded, { imageShape: [4, 4, 1] });
  const options: SampleOptions = { numImages: nats.length + stack.length, imageShape: [4, 4, 1], topK: 3 };
  const onProgress: SampleOptions['onProgress'] = ({ done, total }) => console.log(done / total, causality);
  return sample(loaded, { ...options, onProgress });
}

export async function batchesOf(file: Uint8Array): Promise<ImageBatch[]> {
  const images: ImageSet = quantize(idxImages(await gunzip(file)), parseIdx(file).shape.length);
  const batches: ImageBatches = imageBatches(sliceImages(images, 0, 9), { batchSize: 2, seed: 1 });
  for (const batch of batches) dispose(batch);
  return [...imageBatches(parseCifar10([file]), { batchSize: 2, repeat: false })];
}
`;

const RUNTIME_TYPES = `
import { type Images, type PortableModel, readPortable, sample } from 'pixelcnn-layers/runtime';

export async function program(file: Uint8Array): Promise<Images> {
  const model: PortableModel = readPortable(file);
  return sample(model, { seed: 1 });
}
`;

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
