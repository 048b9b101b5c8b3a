import * as tf from '@tensorflow/tfjs-core';
import { constraints, initializers, input, type LayersModel, layers, type SymbolicTensor, model as tfModel } from '@tensorflow/tfjs-layers';
import { gatedActivation, gatedPixelCNN, maskedConv2d, pixelCNN, pixelCNNPlusPlus } from 'pixelcnn-layers';
import { loadWeights, type NamedTensor, readSafetensors, saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { describe, expect, it } from 'vitest';
import { anyBackend, onBackend, onEachBackend } from '../support/backends';
import { bytesOf } from '../support/golden/files';
import { goldenPlusPlus, goldenPlusPlusArgs } from '../support/golden/plus-plus';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, f32, noise, placesOf } from '../support/tensors';

const sizes = { imageShape: [4, 4, 1] as [number, number, number], levels: 3, hiddenDim: 2, outDim: 4, numBlocks: 1 };
const small = (seed: number) => pixelCNN({ ...sizes, seed });

/** Networks of every family, with weights of every kind. */
const families: [string, (seed: number) => LayersModel][] = [
  ['pixelCNN', small],
  ['pixelCNN that embeds', (seed) => pixelCNN({ ...sizes, input: { embedding: 3 }, seed })],
  ['pixelCNN of dilated depthwise blocks', (seed) => pixelCNN({ ...sizes, seed, dilationRate: 2, block: ({ filters, index: _, dropout: __, ...args }) => maskedConv2d({ ...args, filters: 2 * filters, groups: 2 * filters }) })],
  ['gatedPixelCNN with conditions', (seed) => gatedPixelCNN({ ...sizes, numClasses: 5, conditionMapSize: 2, seed })],
  ['pixelCNNPlusPlus', (seed) => pixelCNNPlusPlus({ imageShape: [4, 4, 3], filters: 4, numResnets: 1, output: { components: 2 }, numClasses: 3, seed })],
]; // biome-ignore format: one family a line

type Layer = layers.Layer;

/** A model of one layer of tfjs. */
function modelOf(layer: Layer, shape: readonly number[]): LayersModel {
  const x = input({ shape: [...shape] });
  return tfModel({ inputs: x, outputs: layer.apply(x) as SymbolicTensor });
}

/** A layer that has some weights and no arithmetic. */
class Weights extends layers.Layer {
  static className = 'Weights';
  constructor(
    private readonly of: Record<string, number[]>,
    private readonly types: Record<string, 'int32'> = {},
  ) {
    super({ name: 'own' });
  }
  override build(): void {
    for (const [name, shape] of Object.entries(this.of)) this.addWeight(name, shape, this.types[name] ?? 'float32', initializers.ones());
    this.built = true;
  }
}

/** Its weights as arrays, which must not be those of another model. */
const numbersOf = (model: LayersModel) => [...saveWeights(model)].map(([name, { data }]) => [name, data]);

onEachBackend('loadWeights', () => {
  it.each(families)('brings back what saveWeights gives, in either layout: %s', (_, make) => {
    const [given, model] = [make(1), make(2)];
    const other = saveWeights(model);
    const before = tf.memory().numTensors;
    for (const layout of ['keras', 'pytorch'] as const) {
      expect(numbersOf(model)).not.toEqual(numbersOf(given));
      loadWeights(model, readSafetensors(writeSafetensors(saveWeights(given, { to: layout }))), { from: layout });
      expect(numbersOf(model)).toEqual(numbersOf(given));
      loadWeights(model, other);
      expect(saveWeights(model)).toEqual(other);
    }
    expect(tf.memory().numTensors).toBe(before);
    given.dispose();
    model.dispose();
  });

  it('copies the numbers, which may change afterwards', () => {
    const model = scoped(modelOf(layers.dense({ units: 1, useBias: false, name: 'dense' }), [2]));
    const kernel = f32([2, 1], [1, -2]);
    loadWeights(model, new Map([['dense.kernel', kernel]]));
    (kernel.data as Float32Array).fill(9);
    expect(numbersOf(model)).toEqual([['dense.kernel', Float32Array.of(1, -2)]]);
  });
}); // biome-ignore format: one call a line

onBackend(anyBackend, 'loadWeights', () => {
  /** The weights of the small network, some of them other ones. */
  const weightsWith = (changes: Record<string, NamedTensor | null>, of = saveWeights(small(1))) => {
    for (const [name, tensor] of Object.entries(changes)) {
      if (tensor === null) of.delete(name);
      else of.set(name, tensor);
    }
    return of;
  };

  it('lists missing, unused and misshapen tensors, and writes nothing', () => {
    const model = small(2);
    const before = numbersOf(model);
    const tensor = { dtype: 'F32', shape: [1], data: new Float32Array(1) };
    const tensors = weightsWith({ 'block0.conv_mid.kernel': null, 'final_conv.bias': tensor, extra: tensor });
    expect(() => loadWeights(model, tensors)).toThrow(
      'loadWeights: tensors: they do not match the model: missing (1): block0.conv_mid.kernel; left over (1): extra; misshapen (1): final_conv.bias: wanted [3], got [1]',
    );
    expect(numbersOf(model)).toEqual(before);
  });

  it('lists at most twenty of a kind', () => {
    const tensor = { dtype: 'F32', shape: [], data: new Float32Array(1) };
    const extra = (length: number) => weightsWith(Object.fromEntries(Array.from({ length }, (_, i) => [`extra${i}`, tensor])));
    expect(() => loadWeights(small(1), extra(20))).toThrow(/left over \(20\): extra0, .*extra19$/);
    expect(() => loadWeights(small(1), extra(25))).toThrow(/left over \(25\): extra0, .*extra19, … and 5 more$/);
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

  it('writes nothing where a constraint throws, and leaves no tensor behind', () =>
    expectNoLeaks(() => {
      const halfway = constraints.minMaxNorm({ minValue: 0, maxValue: 1, rate: 0.5, axis: 0 });
      const model = modelOf(layers.dense({ units: 2, name: 'dense', kernelConstraint: halfway }), [1]);
      loadWeights(model, new Map([['dense.kernel', f32([1, 2], [1, -3])], ['dense.bias', f32([2], [3, 4])]]));
      const before = numbersOf(model);
      const [one, minusTwo] = Array.from(saveWeights(model).get('dense.kernel')?.data as Float32Array);
      expect(one).toBeCloseTo(1, 5);
      expect(minusTwo).toBeCloseTo(-2, 5); // halfway from -3 to -1
      const bias = model.layers[1]?.weights[1] as { constraint: unknown };
      bias.constraint = { apply: () => { throw new Error('a constraint'); } };
      const others = new Map([['dense.kernel', f32([1, 2], [5, 6])], ['dense.bias', f32([2], [7, 8])]]);
      expect(() => loadWeights(model, others)).toThrow('a constraint');
      expect(numbersOf(model)).toEqual(before);
      return model.dispose();
    })); // biome-ignore format: one call a line

  it('leaves no tensor behind where it refuses', () =>
    expectNoLeaks(() => {
      const model = modelOf(layers.dense({ units: 1, name: 'dense' }), [1]);
      const tensors = new Map([['dense.kernel', f32([1, 1], [1])], ['dense.bias', f32([1], [Number.NaN])]]);
      expect(() => loadWeights(model, tensors)).toThrow("'dense.bias': wanted finite numbers, got NaN");
      const thrown = () => { throw new Error('of names'); };
      expect(() => loadWeights(model, tensors, { names: thrown })).toThrow('of names');
      return model.dispose();
    })); // biome-ignore format: one call a line

  it('names what a model that is disposed has lost', () => {
    const model = modelOf(layers.dense({ units: 1, name: 'dense' }), [1]);
    const tensors = saveWeights(model);
    model.dispose();
    const message = "model: wanted a model that is not disposed, got 'dense.kernel'";
    expect(() => loadWeights(model, tensors)).toThrow(`loadWeights: ${message}`);
    expect(() => saveWeights(model)).toThrow(`saveWeights: ${message}`);
  });

  it.each(['keras', 'pytorch'] as const)('brings back weights of any dtype, of one number and of none: %s', (layout) => {
    const model = modelOf(new Weights({ scale: [], empty: [0, 2], steps: [2] }, { steps: 'int32' }), [1]);
    const tensors = new Map([['own.scale', f32([], [0.5])], ['own.empty', f32([0, 2], [])], ['own.steps', f32([2], [3, -4])]]);
    loadWeights(model, tensors, { from: layout });
    expect(saveWeights(model, { to: layout })).toEqual(tensors);
    expect(model.getWeights().map(({ dtype }) => dtype)).toEqual(['float32', 'float32', 'int32']);
  }); // biome-ignore format: one call a line

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
    const named = saved.map(([name, tensor], i) => [i % 2 ? `module.${name}` : `module._orig_mod.${name}`, tensor] as const);
    loadWeights(model, new Map([...named, ...buffers]), { from: 'pytorch' });
    expect(numbersOf(model)).toEqual(numbersOf(small(1)));
    expect(() => loadWeights(model, new Map(named), { from: 'keras' })).toThrow('left over');
    const others = ['unmask', 'a.module.b'].map((name) => [name, one] as const); // no buffer, no prefix
    expect(() => loadWeights(model, new Map([...saved, ...others]), { from: 'pytorch' })).toThrow('left over (2): unmask, a.module.b');
  });

  it('renames tensors, or skips them', () => {
    const model = small(2);
    const saved = [...saveWeights(small(1))];
    const named = saved.map(([name, tensor]) => [name.replace('.kernel', '.weight'), tensor] as const);
    const tensors = new Map([...named, ['optimizer.step', { dtype: 'F32', shape: [], data: new Float32Array(1) }] as const]);
    const names = (name: string) => (name.startsWith('optimizer.') ? null : name.replace('.weight', '.kernel'));
    loadWeights(model, tensors, { names });
    expect(numbersOf(model)).toEqual(numbersOf(small(1)));
    expect(() => loadWeights(model, tensors, { names: () => 'final_conv.bias' })).toThrow('tensors: wanted unique names');
    expect(() => loadWeights(model, tensors, { names: () => 3 as never })).toThrow(/names\('.*'\): wanted a name or null, got 3/);
  });

  describe('names that begin with _', () => {
    const dense = (name: string) => layers.dense({ units: 1, useBias: false, name });

    it('match layers and weights without them, since tfjs refuses them', () => {
      expect(() => modelOf(dense('_stem'), [2])).toThrow("Not a valid tensor name: '_stem/kernel'");
      const model = modelOf(dense('stem'), [2]);
      for (const name of ['_stem.kernel', '__stem._kernel', 'stem.kernel', 'stem.__kernel', 'module._stem.kernel']) {
        const kernel = f32([1, 2], noise(2, name.length) as never);
        loadWeights(model, new Map([[name, kernel]]), { from: 'pytorch' });
        expect(numbersOf(model), name).toEqual([['stem.kernel', kernel.data]]);
      }
      loadWeights(model, new Map([['net._stem.weight', f32([2, 1], [7, 8])]]), {
        names: (name) => name.replace('net.', '').replace('weight', 'kernel'),
      });
      expect(numbersOf(model)).toEqual([['stem.kernel', Float32Array.of(7, 8)]]);
    });

    it('stay where the model has them, and where they are of nothing', () => {
      const model = modelOf(dense('net._stem'), [1]);
      loadWeights(model, new Map([['net._stem.kernel', f32([1, 1], [3])]]));
      expect(numbersOf(model)).toEqual([['net._stem.kernel', Float32Array.of(3)]]);
      expect(() => loadWeights(model, new Map([['_stem_.kernel', f32([1, 1], [3])]]))).toThrow(
        'missing (1): net._stem.kernel; left over (1): _stem_.kernel',
      );
    });

    it('are distinguished from names without them, if the model has both', () => {
      const x = input({ shape: [1] });
      const y = dense('net.stem').apply(dense('net._stem').apply(x)) as SymbolicTensor;
      const tensors = new Map([['net._stem.kernel', f32([1, 1], [3])], ['net.stem.kernel', f32([1, 1], [4])]]);
      const model = tfModel({ inputs: x, outputs: y });
      loadWeights(model, tensors);
      expect(saveWeights(model)).toEqual(tensors);
    }); // biome-ignore format: one tensor beside the other

    it('must be unique', () => {
      const tensors = new Map(['stem.kernel', '_stem.kernel'].map((name) => [name, f32([1, 1], [3])]));
      expect(() => loadWeights(modelOf(dense('stem'), [1]), tensors)).toThrow(
        "loadWeights: tensors: wanted unique names, got 'stem.kernel'",
      );
      const names = (name: string) => (name.startsWith('_') ? null : name);
      loadWeights(modelOf(dense('stem'), [1]), tensors, { names });
    });
  });

  it('skips entries without a name, even if they are not tensors or have another shape', () => {
    const model = modelOf(layers.dense({ units: 1, useBias: false, name: 'dense' }), [1]);
    const tensors = new Map<string, unknown>([
      ['model.dense.kernel', f32([1, 1], [3])],
      ['loss.dense.kernel', f32([2, 2], [1, 2, 3, Number.NaN])],
      ['ema.scale', { dtype: 'F8_E4M3', shape: [1], data: new Uint8Array(1) }],
      ['ema.steps', f32([3], [1])],
      ['hyper_parameters', null],
    ]) as Map<string, NamedTensor>;
    const names = (name: string) => (name.startsWith('model.') ? name.slice('model.'.length) : null);
    for (const from of ['keras', 'pytorch'] as const) loadWeights(model, tensors, { from, names });
    expect(numbersOf(model)).toEqual([['dense.kernel', Float32Array.of(3)]]);
    expect(() => loadWeights(model, tensors, { names: (name) => (name.startsWith('ema') ? name : names(name)) })).toThrow(
      "loadWeights: tensors: 'ema.scale': dtype: wanted",
    );
    for (const from of ['pclucas14/pixel-cnn-pp', 'rosinality/vq-vae-2-pytorch'] as const)
      expect(() => loadWeights(model, tensors, { from, names: () => null })).toThrow(
        'they do not match the model: missing (1): one for dense.kernel',
      );
  }); // biome-ignore format: one call a line

  describe('axes', () => {
    const table = [1, 2, 3, 4, 5, 6, 7, 8, 9]; // nn.Embedding(3, 3).weight: a row for each class
    const embedding = f32([3, 3], table);

    /** What a layer gives for the classes 0, 1, 2 as one-hot vectors. */
    const ofClasses = async (model: LayersModel) => [
      ...(await (model.predict(tf.eye(3)) as tf.Tensor).data()),
    ];

    it('take an nn.Embedding into a dense layer, whose kernel an nn.Linear has the other way round', async () => {
      const model = modelOf(layers.dense({ units: 3, useBias: false, name: 'embed' }), [3]);
      const tensors = new Map([['embed.kernel', embedding]]);
      loadWeights(model, tensors, { from: 'pytorch' });
      expect(await ofClasses(model)).toEqual([1, 4, 7, 2, 5, 8, 3, 6, 9]); // as nn.Linear: silently another
      loadWeights(model, tensors, { from: 'pytorch', axes: (name) => (name === 'embed.kernel' ? [0, 1] : null) });
      expect(await ofClasses(model)).toEqual(table);
      loadWeights(model, tensors, { axes: () => [1, 0] });
      expect(await ofClasses(model)).toEqual([1, 4, 7, 2, 5, 8, 3, 6, 9]);
    });

    it('take one into a gate, whose kernel has rows and columns', async () => {
      const [image, condition] = [input({ shape: [1, 1, 4] }), input({ shape: [3] })];
      const gate = gatedActivation({ imageChannels: 1, name: 'gate' });
      const outputs = gate.apply([image, condition]) as SymbolicTensor;
      const model = tfModel({ inputs: [image, condition], outputs });
      const numbers = noise(12, 5); // [3,4]: of each class, two for tanh, two for the sigmoid
      const tensors = new Map([['gate.condition.kernel', f32([3, 4], [...numbers])]]);
      expect(() => loadWeights(model, tensors, { from: 'pytorch' })).toThrow('wanted [4,3,1,1], got [3,4]');
      loadWeights(model, tensors, { from: 'pytorch', axes: () => [2, 3] });
      expect(saveWeights(model, { axes: () => [2, 3] })).toEqual(tensors);
      const gates = await (model.predict([tf.zeros([3, 1, 1, 4]), tf.eye(3)]) as tf.Tensor).data();
      const expected = [0, 1, 2].flatMap((k) =>
        [0, 1].map((f) => Math.tanh(numbers[4 * k + f] as number) / (1 + Math.exp(-(numbers[4 * k + 2 + f] as number)))),
      );
      expectClose(gates, expected, 1e-6);
    });

    it('of a layer of your own: kernels of the name turn for PyTorch, other weights do not, and axes decides', () => {
      const own = () => modelOf(new Weights({ kernel: [1, 2, 3, 4], mix_kernel: [3, 4], table: [3, 4], filters: [2, 3, 4] }), [1]);
      const [model, other] = [own(), own()];
      let next = 0;
      model.setWeights(model.getWeights().map(({ shape, size }) => tf.tensor(Float32Array.from({ length: size }, () => next++), shape)));
      const shapesOf = (tensors: Map<string, NamedTensor>) => Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
      const turned = { 'own.kernel': [4, 3, 1, 2], 'own.mix.kernel': [4, 3], 'own.table': [3, 4], 'own.filters': [2, 3, 4] };
      expect(shapesOf(saveWeights(model, { to: 'pytorch' }))).toEqual(turned);
      const orders: Record<string, number[]> = { 'own.kernel': [3, 2, 1], 'own.table': [1, 0], 'own.filters': [2, 0, 1] };
      const axes = (name: string) => orders[name];
      const saved = saveWeights(model, { to: 'pytorch', axes });
      expect(shapesOf(saved)).toEqual({ ...turned, 'own.kernel': [4, 3, 2], 'own.table': [4, 3], 'own.filters': [4, 2, 3] });
      const { data } = saved.get('own.filters') as NamedTensor;
      const first = 24 + 12 + 12; // numbers of the weights before
      for (let o = 0; o < 4; o++)
        for (let r = 0; r < 2; r++)
          for (let i = 0; i < 3; i++) expect((data as Float32Array)[(o * 2 + r) * 3 + i]).toBe(first + (r * 3 + i) * 4 + o);
      loadWeights(other, saved, { from: 'pytorch', axes });
      expect(numbersOf(other)).toEqual(numbersOf(model));
    });

    it('must be an order of all axes longer than 1', () => {
      const model = modelOf(new Weights({ k: [1, 2, 3] }), [1]);
      for (const order of [[], [0, 1], [1, 1, 2], [1, 2, 3], [0, 1, 2, 0], [1, 2.5], [-1, 1, 2]])
        for (const use of [() => loadWeights(model, new Map(), { axes: () => order }), () => saveWeights(model, { axes: () => order })])
          expect(use, String(order)).toThrow(/^(loadWeights|saveWeights): axes\('own.k'\): wanted an order of the axes of \[1,2,3\], got \[/);
      expect(() => saveWeights(model, { axes: () => '12' as never })).toThrow("axes('own.k'): wanted a list, got '12'");
      expect(() => loadWeights(model, new Map(), { axes: {} as never })).toThrow('loadWeights: axes: wanted a function');
      expect(() => saveWeights(model, { axes: {} as never })).toThrow('saveWeights: axes: wanted a function');
      expect(() => loadWeights(model, new Map(), { from: 'pclucas14/pixel-cnn-pp', axes: () => null })).toThrow(
        "loadWeights: from, with 'axes': wanted 'keras' or 'pytorch', got 'pclucas14/pixel-cnn-pp'",
      );
    });
  }); // biome-ignore format: one call a line

  it('names an invalid model, source or function', () => {
    expect(() => loadWeights(undefined as never, new Map())).toThrow('loadWeights: model: wanted a tf.LayersModel, got undefined');
    expect(() => loadWeights({} as never, new Map())).toThrow('loadWeights: model: wanted a tf.LayersModel, got Object');
    expect(() => loadWeights(small(1), new Map(), { from: 'jax' as never })).toThrow("from: wanted 'keras' or 'pytorch' or 'pclucas14/pixel-cnn-pp' or 'rosinality/vq-vae-2-pytorch' or 'openai/image-gpt' or 'teddykoker/image-gpt', got 'jax'");
    expect(() => loadWeights(small(1), new Map(), { names: {} as never })).toThrow('names: wanted a function, got Object');
    expect(() => loadWeights(small(1), [] as never)).toThrow('loadWeights: tensors: wanted a Map of tensors, got []');
    expect(() => loadWeights(small(1), new Map([[3 as never, f32([], [1])]]), { from: 'pytorch' })).toThrow('loadWeights: tensors: wanted string names, got 3');
  }); // biome-ignore format: one call a line

  it('names the weights of layers of tfjs, and of models in models, as they lie', () => {
    const x = input({ shape: [3] });
    const inner = tfModel({ inputs: x, outputs: layers.dense({ units: 2, name: 'dense' }).apply(x) as SymbolicTensor, name: 'inner' });
    const y = layers.dense({ units: 4, name: 'dense' }).apply(inner.apply(x) as SymbolicTensor) as SymbolicTensor;
    const outer = tfModel({ inputs: x, outputs: y });
    const shapes = Object.fromEntries([...saveWeights(outer, { to: 'pytorch' })].map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual({ 'inner.dense.kernel': [2, 3], 'inner.dense.bias': [2], 'dense.kernel': [4, 2], 'dense.bias': [4] });
  }); // biome-ignore format: one call a line

  it('has one name for a weight that is in several places of a model', () => {
    const [x, shared] = [input({ shape: [2] }), layers.dense({ units: 2, useBias: false, name: 'shared' })];
    const inner = tfModel({ inputs: x, outputs: shared.apply(x) as SymbolicTensor, name: 'inner' });
    const outer = tfModel({ inputs: x, outputs: shared.apply(inner.apply(x)) as SymbolicTensor });
    expect([...saveWeights(outer).keys()]).toEqual(['inner.shared.kernel']);
    const kernel = f32([2, 2], [1, 2, 3, 4]);
    loadWeights(outer, new Map([['inner.shared.kernel', kernel]]));
    expect(Array.from((outer.predict(tf.tensor2d([[1, 1]])) as tf.Tensor).dataSync())).toEqual([22, 32]); // [4, 6] times the kernel
  });
});

onBackend(anyBackend, 'saveWeights', () => {
  it.each(['keras', 'pytorch'] as const)('returns arrays that are copies of the weights: %s', (to) => {
    const model = small(1);
    const before = numbersOf(model);
    for (const { shape, data } of saveWeights(model, { to }).values()) {
      (shape as number[])[0] = 9;
      (data as Float32Array).fill(9);
    }
    expect(numbersOf(model)).toEqual(before);
    expect(saveWeights(model).get('final_conv.bias')?.shape).toEqual([3]);
  });

  it('names an invalid layout, and two weights of one name', () => {
    expect(() => saveWeights(small(1), { to: 'jax' as never })).toThrow("saveWeights: to: wanted 'keras' or 'pytorch', got 'jax'");
    const twice = modelOf(new Weights({ 'a/kernel': [1], 'b/kernel': [1] }), [1]);
    expect(() => saveWeights(twice)).toThrow("saveWeights: model: weights: wanted unique names, got 'own.kernel'");
  });

  it('has the same names in every program', () => {
    expect([...saveWeights(small(1)).keys()].slice(0, 3)).toEqual(['input_conv.kernel', 'input_conv.bias', 'block0.conv_in.kernel']);
  });
});

onBackend(anyBackend, "layers in PyTorch's layout", () => {
  type Places = (...place: number[]) => number[];
  // Each with its weight, the shape of PyTorch's weight, and where the layer has what lies at a place there.
  const cases: [string, () => Layer, number[], string, number[], Places][] = [
    ['dense [in,out]', () => layers.dense({ units: 5, name: 'x' }), [2], 'x.kernel', [5, 2], (o, i) => [i, o]],
    ['conv1d [columns,in,out]', () => layers.conv1d({ filters: 5, kernelSize: 3, name: 'x' }), [4, 2], 'x.kernel', [5, 2, 3], (o, i, c) => [c, i, o]],
    ['conv2d [rows,columns,in,out]', () => layers.conv2d({ filters: 5, kernelSize: [3, 4], name: 'x' }), [4, 4, 2], 'x.kernel', [5, 2, 3, 4], (o, i, r, c) => [r, c, i, o]],
    ['maskedConv2d [rows,columns,in/groups,out]', () => maskedConv2d({ filters: 6, groups: 2, kernelSize: [3, 5], imageChannels: 1, name: 'x' }), [4, 4, 4], 'x.kernel', [6, 2, 3, 5], (o, i, r, c) => [r, c, i, o]],
    ['conv3d [depth,rows,columns,in,out]', () => layers.conv3d({ filters: 5, kernelSize: [3, 4, 2], name: 'x' }), [4, 4, 4, 2], 'x.kernel', [5, 2, 3, 4, 2], (o, i, d, r, c) => [d, r, c, i, o]],
    ['conv2dTranspose [rows,columns,out,in]', () => layers.conv2dTranspose({ filters: 5, kernelSize: [3, 4], name: 'x' }), [4, 4, 2], 'x.kernel', [2, 5, 3, 4], (i, o, r, c) => [r, c, o, i]],
    ['depthwiseConv2d [rows,columns,in,multiplier]', () => layers.depthwiseConv2d({ depthMultiplier: 5, kernelSize: [3, 4], name: 'x' }), [4, 4, 2], 'x.depthwise.kernel', [10, 1, 3, 4], (o, _, r, c) => [r, c, Math.floor(o / 5), o % 5]],
    ['separableConv2d [1,1,in,out]', () => layers.separableConv2d({ filters: 7, depthMultiplier: 5, kernelSize: 3, name: 'x' }), [4, 4, 2], 'x.pointwise.kernel', [7, 10, 1, 1], (o, i, r, c) => [r, c, i, o]],
    ['embedding [inputs,features]', () => layers.embedding({ inputDim: 7, outputDim: 5, name: 'x' }), [3], 'x.embeddings', [7, 5], (i, f) => [i, f]],
  ];

  it.each(cases)('%s', (_, make, inputs, name, shape, placeIn) => {
    const model = modelOf(make(), inputs);
    const own = saveWeights(model);
    const here = own.get(name) as NamedTensor;
    const numbers = noise((here.data as Float32Array).length);
    loadWeights(model, new Map([...own, [name, { ...here, data: numbers }]]));
    const saved = saveWeights(model, { to: 'pytorch' });
    const at = (place: number[]) => numbers[place.reduce((sum, i, axis) => sum * (here.shape[axis] as number) + i, 0)];
    expect(saved.get(name)?.shape).toEqual(shape);
    expect(Array.from(saved.get(name)?.data as Float32Array)).toEqual(placesOf(shape).map((place) => at(placeIn(...place))));
    const other = modelOf(make(), inputs);
    loadWeights(other, saved, { from: 'pytorch' });
    expect(numbersOf(other)).toEqual(numbersOf(model));
  });
}); // biome-ignore format: one case a line

onBackend(anyBackend, 'a state dict of pclucas14/pixel-cnn-pp', () => {
  const from = 'pclucas14/pixel-cnn-pp';
  const [golden] = goldenPlusPlus as [(typeof goldenPlusPlus)[0]];
  const network = (more = {}) => pixelCNNPlusPlus({ ...goldenPlusPlusArgs(golden), seed: 1, ...more });
  const tensorsOf = async () => new Map(readSafetensors(await bytesOf(`tests/golden/pixelcnn-plus-plus/${golden.name}.safetensors`)));

  // That each tensor is taken to its place, tests/models/pixel-cnn-plus-plus.test.ts sees in what the network returns.
  it('may have the prefix of a module', async () => {
    const model = scoped(network());
    const tensors = await tensorsOf();
    loadWeights(model, new Map([...tensors].map(([name, tensor]) => [`module.${name}`, tensor])), { from });
    expect(saveWeights(model).get('final_conv.gain')?.data).toEqual(tensors.get('nin_out.lin_a.weight_g')?.data);
  });

  it('is refused where a direction is 0, which has no length', async () => {
    const [model, tensors] = [scoped(network()), await tensorsOf()];
    const before = numbersOf(model);
    const direction = tensors.get('upsize_u_stream.1.deconv.weight_v') as NamedTensor;
    tensors.set('upsize_u_stream.1.deconv.weight_v', { ...direction, data: (direction.data as Float32Array).slice().fill(0) });
    expect(() => loadWeights(model, tensors, { from })).toThrow(
      "loadWeights: tensors: 'upsize_u_stream.1.deconv.weight_v, upsize_u_stream.1.deconv.weight_g': wanted finite numbers, got NaN",
    );
    expect(numbersOf(model)).toEqual(before);
  });

  it('is of no other network', async () => {
    const tensors = await tensorsOf();
    expect(() => loadWeights(small(1), tensors, { from })).toThrow(/missing \(\d+\): one for input_conv.kernel, .*left over \(\d+\): /);
    const normalized = modelOf(layers.batchNormalization({ name: 'stem_u' }), [1]);
    expect(() => loadWeights(normalized, tensors, { from })).toThrow('missing (4): one for stem_u.gamma, one for');
  });

  it('has no conditions, and names a tensor once that makes two weights', async () => {
    const tensors = await tensorsOf();
    const message = /missing \(\d+\): one for down0_0_u.condition.kernel, /;
    expect(() => loadWeights(network({ numClasses: 2 }), tensors, { from })).toThrow(message);
    tensors.delete('upsize_u_stream.0.deconv.weight_v');
    expect(() => loadWeights(network(), tensors, { from })).toThrow('model: missing (1): upsize_u_stream.0.deconv.weight_v');
  });
});
