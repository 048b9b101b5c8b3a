import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, type SymbolicTensor, model as tfModel } from '@tensorflow/tfjs-layers';
import { gatedPixelCNN, pixelCNN } from 'pixelcnn-layers';
import { type ActivationDifference, compareActivations, type NamedTensor } from 'pixelcnn-layers/weights';
import { expect, it } from 'vitest';
import { anyBackend, onBackend, onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectCleanRefusal, expectNoLeaks, f32, noise, take } from '../support/tensors';

/** A model of one layer that returns what it gets. */
function identity(shape: readonly number[], ...names: string[]): LayersModel {
  const x = input({ shape: [...shape], name: 'x' });
  const y = names.reduce((before, name) => layers.activation({ activation: 'linear', name }).apply(before) as SymbolicTensor, x);
  return tfModel({ inputs: x, outputs: y });
}

/** Where PyTorch has the axes of [N,H,W,F] and of [N,H,W,C,L]. */
const orders: Record<number, number[]> = { 4: [0, 3, 1, 2], 5: [0, 4, 3, 1, 2] };

/** What each layer of a model returns, from a model that ends there, in the order of PyTorch where `isTurned`. */
async function activationsOf(model: LayersModel, xs: tf.Tensor[], isTurned: boolean) {
  const seen = new Map<string, NamedTensor>();
  for (const { name, output } of model.layers) {
    const part = tfModel({ inputs: model.inputs, outputs: output as SymbolicTensor });
    const result = part.predict(xs) as tf.Tensor;
    const order = isTurned ? orders[result.rank] : undefined;
    const turned = tf.tidy(() => tf.transpose(result, order ?? [...result.shape.keys()]));
    result.dispose();
    seen.set(name, f32(turned.shape, await take(turned)));
  }
  return seen;
}

const namesOf = (found: readonly ActivationDifference[]) => found.map(({ layer }) => layer);

onEachBackend('compareActivations', () => {
  const sizes = { levels: 3, hiddenDim: 3, outDim: 3, numBlocks: 1, seed: 1 };
  const models: [string, () => LayersModel, () => tf.Tensor[]][] = [
    ['pixelCNN', () => pixelCNN({ ...sizes, imageShape: [3, 4, 3] }), () => [tf.tensor(noise(72), [2, 3, 4, 3])]],
    [
      'gatedPixelCNN with classes',
      () => gatedPixelCNN({ ...sizes, imageShape: [3, 4, 1], numClasses: 3 }),
      () => [tf.tensor(noise(12), [1, 3, 4, 1]), tf.tensor([2], [1, 1])],
    ],
  ];

  it.each(models)('finds nothing where all is alike, in either order of axes: %s', async (_, make, inputs) => {
    const [model, xs] = [make(), inputs()];
    for (const from of ['keras', 'pytorch'] as const) {
      const seen = await activationsOf(model, xs, from === 'pytorch');
      const before = tf.memory().numTensors;
      const found = await compareActivations(model, xs, seen, { from, tolerance: 1e-5 });
      expect(tf.memory().numTensors).toBe(before);
      expect(namesOf(found)).toEqual(model.layers.map(({ name }) => name));
      expect(found.filter(({ differs }) => differs)).toEqual([]);
    }
    tf.dispose(xs);
    model.dispose();
  });

  it.each(models)('lists layers that differ first, in their order, and where they do: %s', async (_, make, inputs) => {
    const [model, xs] = [scoped(make()), scoped(inputs())];
    const seen = await activationsOf(model, xs, true);
    const names = model.layers.map(({ name }) => name);
    const wrong = [names.at(-1), names[2]] as [string, string];
    for (const name of wrong) {
      const data = seen.get(name)?.data as Float32Array;
      data[1] = (data[1] as number) + 0.5; // of the first image, row 0, column 1
    }
    const found = await compareActivations(model, xs, seen, { from: 'pytorch' });
    expect(namesOf(found)).toEqual([...wrong].reverse().concat(names.filter((name) => !wrong.includes(name))));
    for (const { differs, difference, at } of found.slice(0, 2)) {
      expect(differs).toBe(true);
      expect(difference).toBeCloseTo(0.5, 4);
      expect(at?.slice(0, 3)).toEqual([0, 0, 1]);
    }
  });
});

onBackend(anyBackend, 'compareActivations', () => {
  const x = f32([1, 2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]); // [N,H,W,F]
  const turned = f32([1, 2, 2, 2], [0, 2, 4, 6, 1, 3, 5, 7]); // [N,F,H,W]
  const compare = (tensors: Record<string, unknown>, options = {}, inputs: unknown = x, shape = [2, 2, 2]) =>
    compareActivations(
      identity(shape, 'a', 'b'),
      inputs as NamedTensor,
      new Map(Object.entries(tensors)) as Map<string, NamedTensor>,
      options,
    );

  it('reads inputs in the order of the activations, and tensors as the model takes them', async () => {
    const alike = { layer: 'a', differs: false, difference: 0, at: null, shape: [1, 2, 2, 2], given: [1, 2, 2, 2] };
    expect(await compare({ a: x })).toEqual([alike]);
    expect(await compare({ a: turned }, { from: 'pytorch' }, turned)).toEqual([alike]);
    const given = scoped(tf.tensor(x.data as Float32Array, [1, 2, 2, 2]));
    expect(await compare({ a: turned }, { from: 'pytorch' }, [given])).toEqual([alike]);
    expect(given.isDisposed).toBe(false);
    expect((await compare({ a: x }, { from: 'pytorch' }, turned))[0]?.differs).toBe(true);
  });

  it('takes neighbouring axes together, and no others', async () => {
    const numbers = Array.from({ length: 24 }, (_, i) => i);
    const of = (...shape: number[]) => compare({ a: f32(shape, numbers) }, {}, f32([1, 2, 2, 2, 3], numbers), [2, 2, 2, 3]);
    for (const shape of [[1, 2, 2, 6], [1, 4, 6], [24], [1, 2, 1, 2, 2, 3]])
      expect(await of(...shape)).toMatchObject([{ differs: false, given: shape }]);
    for (const shape of [[1, 3, 8], [1, 2, 2, 3, 2], [1, 6, 2, 2]])
      expect(await of(...shape)).toMatchObject([{ differs: true, difference: null, at: null, shape: [1, 2, 2, 2, 3], given: shape }]);
    expect(await compare({ a: f32([2], [0, 1]) })).toMatchObject([{ differs: true, difference: null }]);
  }); // biome-ignore format: one call a line

  it("has logits of PyTorch's [N,C*L,H,W] as [N,H,W,C,L]", async () => {
    const ours = Array.from({ length: 12 }, (_, i) => i); // [N,H,W,C,L] = [1,1,2,2,3]
    const theirs = f32([1, 6, 1, 2], [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
    const tensor = scoped(tf.tensor(ours, [1, 1, 2, 2, 3]));
    const found = await compare({ a: theirs }, { from: 'pytorch' }, tensor, [1, 2, 2, 3]);
    expect(found).toMatchObject([{ differs: false, shape: [1, 1, 2, 2, 3], given: [1, 1, 2, 6] }]);
  });

  it('measures the tolerance by the largest number', async () => {
    const [large, more] = [f32([1, 2], [1000, 0]), f32([1, 2], [1000, 0.0625])];
    const of = async (tolerance: number) => (await compare({ a: more }, { tolerance }, large, [2]))[0]?.differs;
    expect([await of(0.0625 / 1000), await of(0.06 / 1000), await of(0)]).toEqual([false, true, true]);
    expect(await compare({ a: more }, {}, large, [2])).toMatchObject([{ differs: false, difference: 0.0625, at: [0, 1] }]);
    const small = await compare({ a: f32([1, 2], [0.5, 0.25]) }, { tolerance: 0.125 }, f32([1, 2], [0.5, 0.375]), [2]);
    expect(small).toMatchObject([{ differs: false, difference: 0.125 }]);
  }); // biome-ignore format: one call a line

  it('takes NaN for a difference, and equal infinities for none', async () => {
    const of = (...numbers: number[]) => compare({ a: f32([1, 2], numbers) }, {}, f32([1, 2], [1, Infinity]), [2]);
    expect(await of(1, Infinity)).toMatchObject([{ differs: false, difference: 0 }]);
    expect(await of(1, -Infinity)).toMatchObject([{ differs: true, difference: Infinity, at: [0, 1] }]);
    expect(await of(Number.NaN, 1)).toMatchObject([{ differs: true, difference: Number.NaN, at: [0, 0] }]);
  });

  it('compares the last output of a layer that is applied twice in the model, and none of another model', async () => {
    const inputs = input({ shape: [1], name: 'x' });
    const scale = layers.dense({ units: 1, useBias: false, kernelInitializer: 'ones', name: 'scale' });
    const twice = layers.add({ name: 'twice' });
    const double = (one: SymbolicTensor) => twice.apply([one, one]) as SymbolicTensor;
    const model = scoped(tfModel({ inputs, outputs: scale.apply(double(scale.apply(inputs) as SymbolicTensor)) as SymbolicTensor }));
    scale.apply(double(model.outputs[0] as SymbolicTensor)); // of no model
    const found = await compareActivations(model, f32([1, 1], [3]), new Map([['scale', f32([1, 1], [6])]]));
    expect(found).toMatchObject([{ layer: 'scale', difference: 0 }]);
  }); // biome-ignore format: one call a line

  it('renames tensors, or skips them, and compares nothing where none is left', async () => {
    const names = (name: string) => (name === 'loss' ? null : name.replace('net.', ''));
    expect(namesOf(await compare({ loss: null, 'net.b': x }, { names }))).toEqual(['b']);
    expect(await compare({ a: x }, { names: () => null })).toEqual([]);
  });

  it('lists all names that no layer has, with the nearest', async () => {
    await expect(compare({ aa: x, b: x, other: x })).rejects.toThrow(
      new TypeError('compareActivations: tensors: of no layer (2): aa (did you mean a?), other'),
    );
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`${i}`, x]));
    await expect(compare(many)).rejects.toThrow(/of no layer \(25\): 0, 1, .*, 19, … and 5 more$/);
  });

  it.each([
    ['model: wanted a tf.LayersModel, got 3', () => compareActivations(3 as never, x, new Map())],
    ['inputs: wanted a tensor, got undefined', () => compare({ a: x }, {}, [undefined])],
    ['inputs: data: wanted the 4 bytes of F32 [1], got 32', () => compare({ a: x }, {}, { ...x, shape: [1] })],
    ['tensors: wanted a Map of tensors, got Array', () => compareActivations(identity([1], 'a'), x, [] as never)],
    ["tensors: 'a': wanted a tensor, got null", () => compare({ a: null })],
    ["tensors: 'a': dtype: wanted ", () => compare({ a: { ...x, dtype: 'F8' } })],
    ["tensors: wanted one for each layer, got 'a'", () => compare({ a: x, b: x }, { names: () => 'a' })],
    ["names('a'): wanted a name or null, got 3", () => compare({ a: x }, { names: () => 3 })],
    ["from: wanted 'keras' or 'pytorch', got 'torch'", () => compare({ a: x }, { from: 'torch' })],
    ['tolerance: wanted a number of at least 0, got -1', () => compare({ a: x }, { tolerance: -1 })],
  ])('rejects: %s', (message, act) =>
    expectCleanRefusal(act, `compareActivations: ${message}`.replace('got Array', 'got []'))); // biome-ignore format: one case a line

  it('leaves no tensor behind where tfjs refuses the inputs', () =>
    expectNoLeaks(async () => {
      await expect(compare({ a: x }, {}, f32([1, 3], [1, 2, 3]))).rejects.toThrow('expected x to have');
      await expect(compare({ a: x }, {}, [x, x])).rejects.toThrow('x'); // one too many
    }));
});
