/** Users' programs, which the checks of the packed library run and compile. */

/**
 * Trains, saves and loads a model, trains it further and draws from it. TypeScript, of which the compiler makes an ES
 * module that imports this package, or CommonJS that requires it.
 */
export const ROUND_TRIP = `
import assert from 'node:assert/strict';
import '@tensorflow/tfjs-backend-cpu';
import { train, zeros } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { type AutoregressiveModel, bitsPerDim, pixelCNN, sample } from 'pixelcnn-layers';
import { imageBatches, imageSet } from 'pixelcnn-layers/data';
import { fileSystem } from 'pixelcnn-layers/node';
import { readPortable } from 'pixelcnn-layers/runtime';
import { readSafetensors } from 'pixelcnn-layers/weights';

async function main(): Promise<void> {
  const model: AutoregressiveModel = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1 });
  model.compile({ optimizer: train.adam(1e-3), loss: bitsPerDim });
  await model.trainOnBatch(zeros([2, 4, 4, 1]), zeros([2, 4, 4, 1], 'int32'));
  const handler = fileSystem('saved-' + process.pid); // another program runs beside it
  await model.save(handler, { includeOptimizer: true });

  const loaded = await loadLayersModel(handler);
  assert.equal(loaded.getClassName(), 'AutoregressiveModel');
  assert(Number.isFinite(await loaded.trainOnBatch(zeros([2, 4, 4, 1]), zeros([2, 4, 4, 1], 'int32'))));
  const images = await sample(loaded, { numImages: 2, seed: 1 });
  assert.deepEqual(images.shape, [2, 4, 4, 1]);

  const set = imageSet({ data: Uint8Array.from(await images.data()), shape: images.shape, levels: 4 });
  const [batch] = imageBatches(set, { batchSize: 2, repeat: false });
  assert(Number.isFinite(await loaded.trainOnBatch(batch!.xs, batch!.ys)));
  for (const read of [readPortable, readSafetensors]) assert.throws(() => read(new Uint8Array(9)));
}
main();
`;

/** A page that loads tfjs and then this package by script tags. */
export const SCRIPT_TAG = `
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { runInThisContext } = require('node:vm');
globalThis.tf = { ...require('@tensorflow/tfjs-core'), ...require('@tensorflow/tfjs-layers') };
const manifest = require.resolve('pixelcnn-layers/package.json');
const { unpkg, jsdelivr } = require(manifest);
for (const file of new Set([unpkg, jsdelivr])) runInThisContext(readFileSync(join(dirname(manifest), file), 'utf8'));
`;

/** Follows {@link SCRIPT_TAG}: the script has all that the modules have, and two copies of the library work together. */
export const SCRIPT_AND_MODULES = `
require('@tensorflow/tfjs-backend-cpu');
const assert = require('node:assert/strict');
const modules = require('pixelcnn-layers');
const { fileSystem } = require('pixelcnn-layers/node');
const { train, zeros, loadLayersModel } = tf;

async function main() {
  assert.deepEqual(Object.keys(pixelcnn).sort(), Object.keys(modules).sort());
  const model = pixelcnn.pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1 });
  assert.notEqual(pixelcnn.bitsPerDim, modules.bitsPerDim);
  model.compile({ optimizer: train.adam(1e-3), loss: modules.bitsPerDim });
  await model.save(fileSystem('saved-both'), { includeOptimizer: true });
  const loaded = await loadLayersModel(fileSystem('saved-both'));
  assert.equal(loaded.loss.name, 'bitsPerDim');
}
main();
`;

/** Imported or required, it is one copy of the library. */
export const ONE_COPY = `
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { serialization } from '@tensorflow/tfjs-core';
import * as imported from 'pixelcnn-layers';

const required = createRequire(import.meta.url)('pixelcnn-layers');
for (const [name, value] of Object.entries(imported)) assert.equal(required[name], value);
const { classNameMap } = serialization.SerializationMap.getMap();
assert.equal(classNameMap.MaskedConv2D[0], imported.MaskedConv2D);
`;

/** Imports the package only for its side effect. */
export const BARE_IMPORT = `
import { serialization } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import 'pixelcnn-layers';

const { classNameMap } = serialization.SerializationMap.getMap();
const names = ['MaskedConv2D', 'PixelCNNResBlock', 'GatedActivation', 'OneHotClass', 'PixelLogits', 'RowLSTMBlock', 'LogisticMixture', 'AutoregressiveModel'];
for (const name of names) {
  if (!classNameMap[name]) throw new Error(name + ' is not registered');
}
`;

export const LOSS_NAMES = `
import { bitsPerDim, negativeLogLikelihood } from 'pixelcnn-layers';

const names = [bitsPerDim, negativeLogLikelihood].map(({ name }) => name);
if (names.join() !== 'bitsPerDim,negativeLogLikelihood') throw new Error('names became ' + names);
`;

export const TYPES = `
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

export const RUNTIME_TYPES = `
import { type Images, type PortableModel, readPortable, sample } from 'pixelcnn-layers/runtime';

export async function program(file: Uint8Array): Promise<Images> {
  const model: PortableModel = readPortable(file);
  return sample(model, { seed: 1 });
}
`;

/** Prints a saved model as JSON. */
export const SAVE = `
import '@tensorflow/tfjs-backend-cpu';
import { io } from '@tensorflow/tfjs-core';
import { gatedPixelCNN } from 'pixelcnn-layers';

const model = gatedPixelCNN({ imageShape: [2, 2, 1], levels: 3, hiddenDim: 2, outDim: 2, numBlocks: 1 });
model.save(io.withSaveHandler(async ({ weightData, ...saved }) => {
  console.log(JSON.stringify({ ...saved, bytes: weightData.byteLength }));
  return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
}));
`;

/** Loads a saved model whose layers nothing imports by name. */
export const load = (saved) => `
import '@tensorflow/tfjs-backend-cpu';
import { env, io } from '@tensorflow/tfjs-core';
import { loadModel } from 'pixelcnn-layers';

// Neither Node's nor a page's, whose bundles find one themselves.
env().setPlatform('none', { isTypedArray: (value) => ArrayBuffer.isView(value), now: () => performance.now() });
const saved = ${saved};
loadModel(io.fromMemory({ ...saved, weightData: new ArrayBuffer(saved.bytes) })).then(({ levels }) => {
  if (levels !== 3) throw new Error('wanted 3 levels, got ' + levels);
});
`;
