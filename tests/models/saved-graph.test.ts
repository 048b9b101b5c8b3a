import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type AutoregressiveModel, autoregressiveModel, gatedPixelCNN, maskedConv2d, pixelCNN, pixelLogits } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkSavedGraph } from '../../src/models/saved-graph';
import { backends, useBackend } from '../support/backends';
import { savedArtifacts } from '../support/models/memory-file';
import { scoped } from '../support/scoped';

type Saved = { class_name: string; config: { layers: SavedLayer[]; [field: string]: unknown } };
type SavedLayer = { name: string; class_name: string; config: Record<string, unknown>; inbound_nodes?: unknown };

/** A layer as a file has it, called once for each list of references. */
const layer = (name: string, ...calls: unknown[]): SavedLayer => ({
  name,
  class_name: calls.length === 0 ? 'InputLayer' : 'Activation',
  config: { name, activation: 'relu' },
  inbound_nodes: calls,
});

/** A model of some layers, from the first to the last. */
const graph = (...layers: SavedLayer[]): Saved => ({
  class_name: 'Model',
  config: { name: 'graph', layers, input_layers: [[layers[0]?.name, 0, 0]], output_layers: [[layers.at(-1)?.name, 0, 0]] },
});

const [image, first] = [layer('image'), layer('first', [['image', 0, 0, {}]])];

beforeAll(() => useBackend(backends[0] ?? 'cpu'));

/** A model with a model, a sequential model and layers that are called more than once. */
function nested(): AutoregressiveModel {
  const x = tfl.input({ shape: [4, 4, 1] });
  const inside = tfl.input({ shape: [4, 4, 2] });
  const shared = tfl.layers.conv2d({ filters: 2, kernelSize: 1 });
  const twice = shared.apply(shared.apply(inside)) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: inside, outputs: tfl.layers.add().apply([twice, inside]) as tfl.SymbolicTensor });
  const sequential = tfl.sequential({
    layers: [tfl.layers.conv2d({ filters: 2, kernelSize: 1, inputShape: [4, 4, 2] }), tfl.layers.reLU() as tfl.layers.Layer],
  });
  const causal = maskedConv2d({ filters: 2, kernelSize: 3, maskType: 'A', imageChannels: 1 }).apply(x);
  const features = model.apply(model.apply(sequential.apply(causal)));
  const last = maskedConv2d({ filters: 4, kernelSize: 1, imageChannels: 1 }).apply(features);
  const outputs = pixelLogits({ imageChannels: 1, levels: 4 }).apply(last) as tfl.SymbolicTensor;
  return autoregressiveModel({ inputs: x, outputs });
}

describe('checkSavedGraph', () => {
  it('accepts only axes that tensors may have, since tfjs makes a shape as long as an axis requires', () => {
    const withAxis = (axis: unknown) => graph(image, { ...layer('joined', [['image', 0, 0, {}]]), config: { name: 'joined', axis } });
    for (const axis of [-6, -1, 0, 6, null, [1, -2]]) expect(() => checkSavedGraph('file', withAxis(axis))).not.toThrow();
    for (const axis of [7, -7, 2 ** 24, [1, 2 ** 24]])
      expect(() => checkSavedGraph('file', withAxis(axis))).toThrow('file: axis: wanted at most 6, got');
  });

  it('takes what tfjs saves: models in models, layers called twice, sequential ones, in either spelling', async () => {
    const sizes = { imageShape: [4, 4, 1] as [4, 4, 1], levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1 };
    for (const model of [pixelCNN(sizes), gatedPixelCNN({ ...sizes, numClasses: 3 }), nested()]) {
      const { modelTopology } = await savedArtifacts(model);
      expect(() => checkSavedGraph('file', modelTopology)).not.toThrow();
      const camelCase = model.toJSON(null, false); // as tfjs has it inside
      expect(() => checkSavedGraph('file', camelCase)).not.toThrow();
      const loaded = await tfl.loadLayersModel(tf.io.fromMemory(await savedArtifacts(model)));
      expect(loaded.countParams()).toBe(model.countParams());
      for (const each of [model, loaded]) each.dispose();
    }
  });

  it('takes layers in any order, and those that have layers of their own and no graph', () => {
    const second = layer('second', [['first', 0, 0, {}]]);
    const cells = { name: 'cells', layers: [{ class_name: 'Dense', config: { name: 'dense' } }] };
    const wrapper = { ...layer('wrapper', [['second', 0, 0, {}]]), class_name: 'Own', config: cells };
    const { config } = graph(image, wrapper, second, first);
    config['output_layers'] = [['wrapper', 0, 0]];
    wrapper.config['name'] = 'wrapper';
    expect(() => checkSavedGraph('file', { class_name: 'Model', config })).not.toThrow();
  });

  const loop = layer('loop', [['back', 0, 0]]);
  const back = layer('back', [['loop', 0, 0]]);

  // biome-ignore format: one row a line
  const refused = [
    ['a name that is not there', graph(image, layer('first', [['imagf', 0, 0]])), "file: layer 'first' needs layer 'imagf', which does not exist"],
    ['a call that is not made', graph(image, first, layer('x', [['first', 1, 0]])), "file: layer 'x' needs node 1 of layer 'first', which has only 1"],
    ['a call of an input', graph(image, layer('first', [['image', 1, 0]])), "node 1 of layer 'image', which has only 1"],
    ['a cycle', graph(image, layer('after', [['back', 0, 0]]), loop, back), "file: layer 'back' needs its own output"],
    ['its own output', graph(image, layer('own', [['own', 0, 0]])), "layer 'own' needs its own output"],
    ['its own second call first', graph(image, layer('own', [['own', 1, 0]], [['own', 0, 0]])), "layer 'own' needs its own output"],
    ['two layers of a name', graph(image, first, first), "file: two layers are named 'first'"],
    ['two names', graph(image, { ...first, name: 'other' }), "file: layer 'other': wanted the same name in its config, got 'first'"],
    ['no name', graph(image, { ...first, name: 3 as never }), 'file: wanted the name of a layer, got 3'],
    ['a name that objects have', graph(image, layer('constructor', [['image', 0, 0]])), "wanted the name of a layer, got 'constructor'"],
    ['a name that every object has', graph(image, layer('__proto__', [['image', 0, 0]])), "wanted the name of a layer, got '__proto__'"],
    ['a field that every object has', JSON.parse('{"class_name": "Model", "config": {"__proto__": {"layers": []}}}'), "file: a field is named '__proto__'"],
    ['a class that every object has', graph(image, { ...layer('first', [['imagf', 0, 0]]), class_name: 'constructor' }), "layer 'first' needs layer 'imagf'"],
    ['no list of calls', graph(image, { ...first, inbound_nodes: null }), "file: layer 'first': inbound nodes: wanted a list, got null"],
    ['no list of inputs', graph(image, layer('first', 'image')), "layer 'first': inputs: wanted a list, got 'image'"],
    ['an input that is none', graph(image, layer('first', ['image'])), "layer 'first': wanted inputs [layer, node, tensor], got 'image'"],
    ['an index that is none', graph(image, layer('first', [['image', -1, 0]])), "layer 'first': wanted inputs [layer, node, tensor], got ['image', -1, 0]"],
    ['no layer', graph(image, null as never), 'file: wanted the name of a layer, got undefined'],
    ['an output that is not there', { class_name: 'Model', config: { ...graph(image, first).config, output_layers: [['last', 0, 0]] } }, "file: the model's output needs layer 'last', which does not exist"],
    ['an input that is not there', { class_name: 'Model', config: { ...graph(image, first).config, input_layers: [['imagf', 0, 0]] } }, "file: the model's input needs layer 'imagf', which does not exist"],
    ['no outputs', { class_name: 'Model', config: { ...graph(image, first).config, output_layers: undefined } }, "file: the model's output: inputs: wanted a list, got undefined"],
    ['a damaged model in a wrapper', { class_name: 'TimeDistributed', config: { layer: graph(image, layer('first', [['imagf', 0, 0]])) } }, "layer 'first' needs layer 'imagf'"],
  ] as const;

  it.each(refused)('refuses %s', (_, saved, message) => {
    expect(() => checkSavedGraph('file', saved)).toThrow(message);
  });

  it('counts the calls of a model inside: the one that made it comes first', async () => {
    const model = scoped(nested());
    const { modelTopology } = (await savedArtifacts(model)) as { modelTopology: Saved };
    const inner = modelTopology.config.layers.find(({ class_name }) => class_name === 'Functional' || class_name === 'Model');
    const { name } = inner as SavedLayer;
    const saved = JSON.stringify(modelTopology);
    expect(saved).toContain(`["${name}",2,0,{}]`); // its second call
    const damaged = JSON.parse(saved.replaceAll(`["${name}",2,0,{}]`, `["${name}",3,0,{}]`));
    expect(() => checkSavedGraph('file', damaged)).toThrow(`needs node 3 of layer '${name}', which has only 3`);
  });

  it('keeps messages with long names short', () => {
    const long = '-'.repeat(1e6);
    for (const saved of [
      graph(image, layer('first', [[long, 0, 0, {}]])),
      graph(image, layer(long, [['image', 1, 0, {}]])),
      graph(image, layer(long, [['image', 0, 0, {}]]), layer(long, [['image', 0, 0, {}]])),
      graph(image, layer(long, [[long, 0, 0, {}]])),
      graph(image, { ...layer(long, [['image', 0, 0, {}]]), config: { name: `${long}2` } }),
    ]) {
      expect(() => checkSavedGraph('file', saved)).toThrow(/^file: .{1,1500}$/s);
    }
  });

  it('is asked whenever an AutoregressiveModel is loaded, wherever it comes from', async () => {
    const model = scoped(nested());
    const { modelTopology, ...rest } = await savedArtifacts(model);
    const damaged = JSON.parse(JSON.stringify(modelTopology).replace('[[["input', '[[["inpuu'));
    await expect(tfl.loadLayersModel(tf.io.fromMemory({ ...rest, modelTopology: damaged }))).rejects.toThrow(
      /^AutoregressiveModel: layer '.*' needs layer 'inpuu/,
    );
  });
});
