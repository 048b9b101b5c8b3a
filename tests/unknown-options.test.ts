import { input } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import * as data from '../src/data';
import * as layers from '../src/index';
import * as runtime from '../src/runtime';
import * as weights from '../src/weights';
import { allLayers } from './layers/all-layers';
import { useBackend } from './support/backends';
import { errorOf } from './support/errors';

// Every function and class that the entry points export: what it says of an option whose name is misspelt. Those of
// `pixelcnn-layers/node` are in tests/node.

beforeAll(() => useBackend('cpu'));

const image = () => input({ shape: [4, 4, 1] });
const shape = [1, 4, 4, 1] as const;
const images = { data: new Uint8Array(16), shape, levels: 4 };
const network = { imageShape: [4, 4, 1], levels: 4, hiddenDim: 2, outDim: 2, numBlocks: 0 } as const;
const model = () => layers.pixelCNN({ ...network, imageShape: [4, 4, 1] });
const stacks = () => ({ vertical: image(), horizontal: image() });
const gpt = { imageShape: [4, 4, 1] as const, levels: 4, width: 4, heads: 2, layers: 1 };
const snail = { imageShape: [4, 4, 1] as const, filters: 16, numBlocks: 1, numResBlocks: 1, resFilters: 2 };
const pairs = { data: [1, 1, 1, 1], shape: [2, 2] };

/** An object of named options, which TypeScript would refuse. */
type Options = never;

/** A function or class, the options that it takes with a name misspelt, and the hint. */
type Row = [name: string, use: (options: Options) => unknown, options: object, unknown: string, hint: string];

type Class = new (args: Options) => unknown;
const classes = { ...layers } as never as Readonly<Record<string, Class>>;

/** Every argument of every layer, of its class and its function. */
const ofEveryLayer = Object.entries(allLayers).flatMap(([name, { make, args }]) =>
  Object.keys({ name, ...args }).flatMap((key): Row[] => [
    [`${name}: ${key}`, (given) => new (classes[name] as Class)(given), { [`${key}s`]: 1 }, `${key}s`, key],
    [`${make.name}: ${key}`, make, { [`${key}s`]: 1 }, `${key}s`, key],
  ]),
);

const ofLayers: Row[] = [
  ...ofEveryLayer,
  ['allowedNeighbors', layers.allowedNeighbors, { right: pairs, bellow: pairs }, 'bellow', 'below'],
  ['pixelCNN', layers.pixelCNN, { ...network, numLevels: 4 }, 'numLevels', 'levels'],
  ['pixelCNN: input', (input) => layers.pixelCNN({ ...network, imageShape: [4, 4, 1], input }), { embeddings: 4 }, 'embeddings', 'embedding'],
  ['pixelCNNPlusPlus', layers.pixelCNNPlusPlus, { imageShape: [4, 4, 1], filters: 2, resnets: 1 }, 'resnets', 'numResnets'],
  ['pixelCNNPlusPlus: conditions', layers.pixelCNNPlusPlus, { imageShape: [4, 4, 1], filters: 2, classes: 1 }, 'classes', 'numClasses'],
  ['pixelCNNPlusPlus: output', (output) => layers.pixelCNNPlusPlus({ imageShape: [4, 4, 1], filters: 2, output }), { component: 4 }, 'component', 'components'],
  ['pixelSNAIL: output', (output) => layers.pixelSNAIL({ ...snail, output }), { component: 4 }, 'component', 'components'],
  ['pixelSNAIL', layers.pixelSNAIL, { ...snail, head: 2 }, 'head', 'heads'],
  ['pixelSNAIL: conditions', layers.pixelSNAIL, { ...snail, classes: 1 }, 'classes', 'numClasses'],
  ['pixelSNAIL: codeCondition', (codeCondition) => layers.pixelSNAIL({ ...snail, codeCondition }), { level: 2 }, 'level', 'levels'],
  ['imageGPT', layers.imageGPT, { ...gpt, layer: 2 }, 'layer', 'layers'],
  ['imageGPT: conditions', layers.imageGPT, { ...gpt, classes: 1 }, 'classes', 'numClasses'],
  ['gatedPixelCNN', layers.gatedPixelCNN, { ...network, classes: 4 }, 'classes', 'numClasses'],
  ['gatedPixelCNN: nullClass', layers.gatedPixelCNN, { ...network, numClasses: 4, nullclass: true }, 'nullclass', 'nullClass'],
  ['gatedPixelCNNBlock', (args) => layers.gatedPixelCNNBlock(stacks(), args), { filters: 1, last: true }, 'last', 'isLast'],
  ['gatedPixelCNNBlock: stacks', (given) => layers.gatedPixelCNNBlock(given, { filters: 1 }), { ...stacks(), horizntal: image() }, 'horizntal', 'horizontal'],
  ['autoregressiveModel', layers.autoregressiveModel, { input: image(), outputs: image() }, 'input', 'inputs'],
  ['AutoregressiveModel', (args) => model().compile(args), { optimizer: 'sgd', loss: layers.bitsPerDim, metric: [] }, 'metric', 'metrics'],
  ['AutoregressiveModel: fit', (options) => model().fit([], [], options), { epoch: 3 }, 'epoch', 'epochs'],
  ['AutoregressiveModel: fitDataset', (options) => model().fitDataset([] as never, options), { epochs: 3, batchPerEpoch: 3 }, 'batchPerEpoch', 'batchesPerEpoch'],
  ['AutoregressiveModel: trainOnBatch', (options) => model().trainOnBatch([], [], options), { conditions: 3 }, 'conditions', 'condition'],
  ['AutoregressiveModel: evaluate', (options) => model().evaluate([], [], options), { batchsize: 3 }, 'batchsize', 'batchSize'],
  ['AutoregressiveModel: evaluateDataset', (options) => model().evaluateDataset([] as never, options), { numBatches: 3 }, 'numBatches', 'batches'],
  ['AutoregressiveModel: predict', (options) => model().predict([], options), { conditions: 3 }, 'conditions', 'condition'],
  ['sample', (options) => layers.sample(model(), options), { temprature: 0.1 }, 'temprature', 'temperature'],
  ['compress', (options) => layers.compress(model(), [] as never, options), { storeConditions: true }, 'storeConditions', 'storeCondition'],
  ['decompress', (options) => layers.decompress(model(), new Uint8Array(1), options), { first: 1 }, 'first', 'firstImage'],
  ['logProb', (options) => layers.logProb(model(), [] as never, options), { size: 3 }, 'size', 'batchSize'],
  ['levelLogProbs', (options) => layers.levelLogProbs(model(), [] as never, options), { batch: 3 }, 'batch', 'batchSize'],
  ['pixelCNN: output', (output) => layers.pixelCNN({ ...network, output }), { component: 4 }, 'component', 'components'],
  ['toPortable', (options) => layers.toPortable(model(), options), { pallete: new Uint8Array(2) }, 'pallete', 'palette'],
  ['checkCausality', (options) => layers.checkCausality(model(), options), { seeds: 3 }, 'seeds', 'seed'],
  ['checkCausality: inputs', (options) => layers.checkCausality(model(), options), { input: 3 }, 'input', 'inputs'],
  ['receptiveField', (options) => layers.receptiveField(model(), options), { row: 1, col: 1 }, 'col', 'column'],
  ['WeightAverage', (options) => new layers.WeightAverage(model(), options), { decays: 0.9 }, 'decays', 'decay'],
  ['createTrainer', (options) => layers.createTrainer(model(), options), { shard: 4 }, 'shard', 'shards'],
  ['initializeFromData', (options) => layers.initializeFromData(model(), [] as never, options), { conditions: 1 }, 'conditions', 'condition'],
  ['symmetric', (options) => layers.symmetric(model(), ['flipLevels'], options), { asConditions: true }, 'asConditions', 'asCondition'],
  ['fitToEnergy', (options) => layers.fitToEnergy(model(), () => [], options), { steps: 1, numimages: 2 }, 'numimages', 'numImages'],
  ['averages', (options) => layers.averages(model(), () => [], () => [], options), { numImages: 2, betas: 1 }, 'betas', 'beta'],
  ['logPartition', (options) => layers.logPartition(model(), () => [], options), { numImages: 2, betas: 1 }, 'betas', 'beta'],
  ['stepper', (options) => layers.stepper(model(), options), { images: 3 }, 'images', 'numImages'],
  ['picture', (options) => layers.picture(images, { levels: 2 }, options), { column: 1 }, 'column', 'columns'],
  ['exponentialDecay', layers.exponentialDecay, { initialRate: 0.1 }, 'initialRate', 'initial'],
  ['getMask', layers.getMask, { kernelSize: 3, featureIn: 3, featuresOut: 3 }, 'featureIn', 'featuresIn'],
  ['windowOf', layers.windowOf, { kernelSize: 3, verticl: true }, 'verticl', 'vertical'],
  ['windowOf: shifted', layers.windowOf, { kernelSize: 2, shift: 'down', strid: 2 }, 'strid', 'stride'],
  ['windowOf: shifted, without shift', layers.windowOf, { kernelSize: 2, shifts: 'down' }, 'shifts', 'shift'],
]; // biome-ignore format: one row a line

const portable = () => layers.toPortable(model());
const ofRuntime: Row[] = [
  ['sample', async (options) => runtime.sample(await portable(), options), { top_k: 3 }, 'top_k', 'topK'],
  ['compress', async (options) => runtime.compress(await portable(), images, options), { conditions: 1 }, 'conditions', 'condition'],
  ['decompress', async (options) => runtime.decompress(await portable(), new Uint8Array(1), options), { images: 1 }, 'images', 'numImages'],
  ['logProb', async (options) => runtime.logProb(await portable(), images, options), { perVal: true }, 'perVal', 'perValue'],
  ['levelLogProbs', async (options) => runtime.levelLogProbs(await portable(), images, options), { conditions: 1 }, 'conditions', 'condition'],
  ['symmetric', async (options) => runtime.symmetric(await portable(), ['flipLevels'], options), { asConditions: true }, 'asConditions', 'asCondition'],
  ['averages', async (options) => runtime.averages(await portable(), () => [], () => [], options), { numImages: 2, betas: 1 }, 'betas', 'beta'],
  ['logPartition', async (options) => runtime.logPartition(await portable(), () => [], options), { numImages: 2, betas: 1 }, 'betas', 'beta'],
  ['stepper', async (options) => runtime.stepper(await portable(), options), { images: 3 }, 'images', 'numImages'],
  ['writePortable', async (options) => runtime.writePortable(await portable(), options), { weight: 'int8' }, 'weight', 'weights'],
  ['loadPortable', (options) => runtime.loadPortable('x', options), { onprogress: 1 }, 'onprogress', 'onProgress'],
  ['picture', (options) => runtime.picture({ data: Uint8Array.of(0), shape: [1, 1, 1, 1] }, { levels: 2 }, options), { column: 1 }, 'column', 'columns'],
  ['costOf', async (options) => runtime.costOf(await portable(), options), { images: 3 }, 'images', 'numImages'],
  ['createPool', runtime.createPool, { numWorkers: 3 }, 'numWorkers', 'workers'],
  ['createPool: sample', async (options) => runtime.createPool().sample(await portable(), options), { num: 3 }, 'num', 'numImages'],
  ['createPool: compress', async (options) => runtime.createPool().compress(await portable(), images, options), { store: 3 }, 'store', 'storeCondition'],
  ['readPortable', async (options) => runtime.readPortable(runtime.writePortable(await portable()), options), { maxvalues: 1 }, 'maxvalues', 'maxValues'],
  ['createPool: decompress', async (options) => runtime.createPool().decompress(await portable(), new Uint8Array(1), options), { firstimage: 3 }, 'firstimage', 'firstImage'],
  ['createPool: logProb', async (options) => runtime.createPool().logProb(await portable(), images, options), { onprogress: 3 }, 'onprogress', 'onProgress'],
  ['allowedNeighbors', runtime.allowedNeighbors, { rights: pairs, below: pairs }, 'rights', 'right'],
  ['getMask', runtime.getMask, { kernelSize: 3, masktype: 'A' }, 'masktype', 'maskType'],
]; // biome-ignore format: one row a line

const ofData: Row[] = [
  ['imageSet', data.imageSet, { ...images, label: new Uint8Array(1) }, 'label', 'labels'],
  ['imageBatches', (options) => data.imageBatches(images, options), { batchSize: 1, shufle: false }, 'shufle', 'shuffle'],
]; // biome-ignore format: one row a line

const ofWeights: Row[] = [
  ['loadWeights', (options) => weights.loadWeights(model(), new Map(), options), { name: String }, 'name', 'names'],
  ['interleaved', (options) => weights.interleaved({ dtype: 'U8', shape: [1], data: new Uint8Array(1) }, 0, 1, options), { padding: true }, 'padding', 'pad'],
  ['compareActivations', (options) => weights.compareActivations(model(), [], new Map(), options), { tolerence: 1 }, 'tolerence', 'tolerance'],
  ['saveWeights', (options) => weights.saveWeights(model(), options), { too: 'pytorch' }, 'too', 'to'],
]; // biome-ignore format: one row a line

/** The name of each, what it exports, and of that what has options and what has none. */
const entryPoints: [name: string, exported: object, rows: Row[], withoutOptions: string[]][] = [
  ['pixelcnn-layers', layers, ofLayers, ['PixelLayer', 'loadModel', 'bitsPerDim', 'negativeLogLikelihood', 'normalize', 'kernelsInUse', 'clipGradients', 'scheduleLearningRate', 'allowed']],
  ['pixelcnn-layers/runtime', runtime, ofRuntime, ['allowed']],
  ['pixelcnn-layers/data', data, ofData, ['parseCifar10', 'gunzip', 'idxImages', 'parseIdx', 'sliceImages', 'quantize']],
  ['pixelcnn-layers/weights', weights, ofWeights, ['readSafetensors', 'writeSafetensors']],
]; // biome-ignore format: one row a line

describe.each(entryPoints)('options that there are not, of %s', (_, exported, rows, withoutOptions) => {
  it.each(rows)('%s', async (_, use, options, unknown, hint) => {
    const call = async () => use(options as never);
    await expect(call()).rejects.toThrow(errorOf(TypeError, `unknown option '${unknown}': did you mean ${hint}?`));
  });

  it('is a list of all functions and classes', () => {
    const known = [...new Set(rows.map(([name]) => name.split(':')[0] as string)), ...withoutOptions];
    expect(Object.keys(exported).sort()).toEqual(known.sort());
  });
});
