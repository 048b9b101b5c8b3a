/**
 * Checks the packed library as its users meet it: installs the tarball into an empty project and uses it
 * there as ESM, as CommonJS, as both at once, from TypeScript and through a bundler.
 *
 * Usage: node scripts/check-package.mjs, after `npm run build`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAX_TARBALL_BYTES = 125_000;
const EXPECTED_FILE = /^(dist\/.+|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
const PEERS = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@tensorflow/tfjs-backend-cpu',
  'typescript',
];

const repository = fileURLToPath(new URL('..', import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), 'check-package-'));
const project = join(temporary, 'project'); // the user's

function main() {
  const tarball = packed();
  install(tarball);
  check('ESM: trains, saves, loads, samples', () => runProgram('esm.mjs', imports('esm') + ROUND_TRIP));
  check('CommonJS: the same', () => runProgram('cjs.cjs', imports('cjs') + ROUND_TRIP));
  check('ESM and CommonJS in one process', () => runProgram('both.mjs', imports('esm') + BOTH_COPIES));
  check('ESM: both entries share one class', () => runProgram('one.mjs', imports('esm') + ONE_CLASS));
  check('CommonJS: both entries share one class', () => runProgram('one.cjs', imports('cjs') + ONE_CLASS));
  check('types: nodenext, ESM', () => compile('types.mts', 'nodenext', 'nodenext'));
  check('types: nodenext, CommonJS', () => compile('types.cts', 'nodenext', 'nodenext'));
  check('types: bundler', () => compile('types.ts', 'esnext', 'bundler'));
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

/** TypeScript, strict; skipLibCheck because tfjs's own declarations need it. */
function compile(file, module, moduleResolution) {
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022'];
  writeFileSync(join(project, file), TYPES);
  run('node', [tsc, ...flags, '--module', module, '--moduleResolution', moduleResolution, file], project);
}

/** Bundles for browsers and runs the bundle; without `process`, by which tfjs would know node. */
function runBundle(name, source) {
  const require = createRequire(import.meta.url);
  const esbuild = createRequire(require.resolve('tsup'))('esbuild'); // whichever one tsup has
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
  };
  const line = (module, what) =>
    format === 'esm' ? `import ${what} from '${module}';\n` : `const ${what} = require('${module}');\n`;
  return Object.entries(names)
    .map(([module, what]) => line(module, what))
    .join('');
}

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
import { type Tensor4D, dispose, train, zeros } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, loadLayersModel } from '@tensorflow/tfjs-layers';
import {
  AutoregressiveModel, type BlockArgs, type Mask, MaskedConv2D, type MaskedConv2DArgs, type MaskType,
  type PixelCNNArgs, type SampleOptions, bitsPerDim, checkCausality, getMask, logProb, maskedConv2d,
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
  model.predict(normalize(images, model.levels));
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

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
