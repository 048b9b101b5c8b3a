import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  type SymbolicTensor,
  model as tfModel,
} from '@tensorflow/tfjs-layers';
import { gatedPixelCNN, pixelCNN, pixelCNNPlusPlus } from 'pixelcnn-layers';
import {
  loadWeights,
  type NamedTensor,
  readSafetensors,
  saveWeights,
  writeSafetensors,
} from 'pixelcnn-layers/weights';
import { describe, expect, it } from 'vitest';
import { onEachBackend } from '../support/backends';
import { bytesOf } from '../support/files';

const sizes = {
  imageShape: [4, 4, 1] as [number, number, number],
  levels: 3,
  hiddenDim: 2,
  outDim: 4,
  numBlocks: 1,
};
const small = (seed: number) => pixelCNN({ ...sizes, seed });

/** Networks of every family, with weights of every kind. */
const families: [string, (seed: number) => LayersModel][] = [
  ['pixelCNN', small],
  ['pixelCNN that embeds', (seed) => pixelCNN({ ...sizes, input: { embedding: 3 }, seed })],
  ['gatedPixelCNN with conditions', (seed) => gatedPixelCNN({ ...sizes, numClasses: 5, conditionMapSize: 2, seed })],
  ['pixelCNNPlusPlus', (seed) => pixelCNNPlusPlus({ imageShape: [4, 4, 3], filters: 4, numResnets: 1, components: 2, numClasses: 3, seed })],
]; // biome-ignore format: one family a line

/** Its weights as arrays, which must not be those of another model. */
const numbersOf = (model: LayersModel) => [...saveWeights(model)].map(([name, { data }]) => [name, data]);

onEachBackend('loadWeights', () => {
  it.each(families)('brings back what saveWeights gives, in either layout: %s', (_, make) => {
    const [given, other] = [make(1), make(2)];
    const before = tf.memory().numTensors;
    for (const layout of ['keras', 'pytorch'] as const) {
      const model = make(2);
      expect(numbersOf(model)).toEqual(numbersOf(other));
      expect(numbersOf(model)).not.toEqual(numbersOf(given));
      loadWeights(model, readSafetensors(writeSafetensors(saveWeights(given, { to: layout }))), { from: layout });
      expect(numbersOf(model)).toEqual(numbersOf(given));
      model.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
    given.dispose();
    other.dispose();
  });
}); // biome-ignore format: one call a line

describe('loadWeights', () => {
  /** The weights of the small network, some of them other ones. */
  const weightsWith = (changes: Record<string, NamedTensor | null>, of = saveWeights(small(1))) => {
    for (const [name, tensor] of Object.entries(changes)) {
      if (tensor === null) of.delete(name);
      else of.set(name, tensor);
    }
    return of;
  };

  it('lists what is missing, left over and of another shape, and writes nothing', () => {
    const model = small(2);
    const before = numbersOf(model);
    const tensor = { dtype: 'F32', shape: [1], data: new Float32Array(1) };
    const tensors = weightsWith({ 'block0.conv_mid.kernel': null, 'final_conv.bias': tensor, extra: tensor });
    expect(() => loadWeights(model, tensors)).toThrow(
      'loadWeights: tensors: not those of the model: missing (1): block0.conv_mid.kernel; left over (1): extra; of another shape (1): final_conv.bias: wanted [3], got [1]',
    );
    expect(numbersOf(model)).toEqual(before);
  });

  it('lists at most twenty of a kind', () => {
    const tensor = { dtype: 'F32', shape: [], data: new Float32Array(1) };
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`extra${i}`, tensor]));
    expect(() => loadWeights(small(1), weightsWith(many))).toThrow(
      /left over \(25\): extra0, .*extra19, … and 5 more$/,
    );
  });

  it('takes numbers that are not finite for damage, and writes nothing', () => {
    const model = small(2);
    const before = numbersOf(model);
    const bias = { dtype: 'F64', shape: [3], data: Float64Array.of(0, 1e300, 0) }; // no float32
    expect(() => loadWeights(model, weightsWith({ 'final_conv.bias': bias }))).toThrow(
      "loadWeights: tensors: 'final_conv.bias': wanted finite numbers, got Infinity",
    );
    expect(numbersOf(model)).toEqual(before);
  });

  it('takes numbers of any dtype', () => {
    const model = small(2);
    const bias = { dtype: 'BF16', shape: [3], data: Uint16Array.of(0x3f80, 0xc000, 0) };
    loadWeights(model, weightsWith({ 'final_conv.bias': bias }));
    expect(saveWeights(model).get('final_conv.bias')?.data).toEqual(Float32Array.of(1, -2, 0));
  });

  it('takes prefixes off state dicts, and leaves buffers out', () => {
    const model = small(2);
    const saved = [...saveWeights(small(1), { to: 'pytorch' })];
    const one = { dtype: 'I64', shape: [], data: BigInt64Array.of(1n) };
    const buffers: [string, NamedTensor][] = [
      ['module.block0.conv_mid.mask', one],
      ['module.n_averaged', one],
      ['module.norm.num_batches_tracked', one],
    ];
    const named = saved.map(
      ([name, tensor], i) => [i % 2 ? `module.${name}` : `module._orig_mod.${name}`, tensor] as const,
    );
    loadWeights(model, new Map([...named, ...buffers]), { from: 'pytorch' });
    expect(numbersOf(model)).toEqual(numbersOf(small(1)));
    expect(() => loadWeights(model, new Map(named), { from: 'keras' })).toThrow('left over');
  });

  it('gives tensors other names, or none', () => {
    const model = small(2);
    const saved = [...saveWeights(small(1))];
    const named = saved.map(([name, tensor]) => [name.replace('.kernel', '.weight'), tensor] as const);
    const tensors = new Map([
      ...named,
      ['optimizer.step', { dtype: 'F32', shape: [], data: new Float32Array(1) }] as const,
    ]);
    const names = (name: string) =>
      name.startsWith('optimizer.') ? null : name.replace('.weight', '.kernel');
    loadWeights(model, tensors, { names });
    expect(numbersOf(model)).toEqual(numbersOf(small(1)));
    expect(() => loadWeights(model, tensors, { names: () => 'final_conv.bias' })).toThrow(
      'tensors: wanted one of each name',
    );
    expect(() => loadWeights(model, tensors, { names: () => 3 as never })).toThrow(
      /names\('.*'\): wanted a name or null, got 3/,
    );
  });

  it('says what is no model, no source and no function', () => {
    expect(() => loadWeights({} as never, new Map())).toThrow('loadWeights: model: wanted a tf.LayersModel, got Object');
    expect(() => loadWeights(small(1), new Map(), { from: 'jax' as never })).toThrow("from: wanted 'keras' or 'pytorch' or 'pclucas14/pixel-cnn-pp', got 'jax'");
    expect(() => loadWeights(small(1), new Map(), { names: {} as never })).toThrow('names: wanted a function, got Object');
    expect(() => loadWeights(small(1), [] as never)).toThrow('loadWeights: tensors: wanted a Map of tensors by name, got []');
  }); // biome-ignore format: one call a line

  it('names the weights of layers of tfjs, and of models in models, as they lie', () => {
    const x = input({ shape: [3] });
    const inner = tfModel({ inputs: x, outputs: layers.dense({ units: 2, name: 'dense' }).apply(x) as SymbolicTensor, name: 'inner' });
    const y = layers.dense({ units: 4, name: 'dense' }).apply(inner.apply(x) as SymbolicTensor) as SymbolicTensor;
    const outer = tfModel({ inputs: x, outputs: y });
    const shapes = Object.fromEntries([...saveWeights(outer, { to: 'pytorch' })].map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual({ 'inner.dense.kernel': [2, 3], 'inner.dense.bias': [2], 'dense.kernel': [4, 2], 'dense.bias': [4] });
  }); // biome-ignore format: one call a line
});

describe('saveWeights', () => {
  it('has the same names in every program', () => {
    expect([...saveWeights(small(1)).keys()].slice(0, 3)).toEqual([
      'input_conv.kernel',
      'input_conv.bias',
      'block0.conv_in.kernel',
    ]);
  });

  it('turns kernels for PyTorch', () => {
    const [keras, pytorch] = [saveWeights(small(1)), saveWeights(small(1), { to: 'pytorch' })];
    const name = 'block0.conv_mid.kernel';
    const { shape } = keras.get(name) as NamedTensor;
    const [rows, columns, featuresIn, featuresOut] = shape as [number, number, number, number];
    expect(pytorch.get(name)?.shape).toEqual([featuresOut, featuresIn, rows, columns]);
    const [here, there] = [keras.get(name)?.data, pytorch.get(name)?.data] as [Float32Array, Float32Array];
    for (let at = 0; at < here.length; at++) {
      const [o, i] = [at % featuresOut, Math.floor(at / featuresOut) % featuresIn];
      const tap = Math.floor(at / (featuresOut * featuresIn)); // row columns + column
      expect(there[(o * featuresIn + i) * rows * columns + tap]).toBe(here[at]);
    }
  });
});

describe('a state dict of pclucas14/pixel-cnn-pp', () => {
  it('is of no other network', async () => {
    const tensors = readSafetensors(await bytesOf('../golden/pixelcnn-plus-plus/pp_gray.safetensors'));
    expect(() => loadWeights(small(1), tensors, { from: 'pclucas14/pixel-cnn-pp' })).toThrow(
      /missing \(\d+\): one for input_conv.kernel, .*left over \(\d+\): /,
    );
  });
});
