import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import * as library from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { partSeed } from '../../src/layers/seeds';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { saveAndLoad } from '../support/models/memory-file';
import { scoped } from '../support/scoped';
import { setLayerNoise } from '../support/slow/plus-plus';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';
import { allLayers, type LayerRow, symbolic } from './all-layers';

// The laws of every layer. What is special about one is in a file of its name.

type Numbers = readonly number[];

const N = 2; // images
const exported: Readonly<Record<string, unknown>> = { ...library };
const rows = Object.entries(allLayers);
const own = { name: 'own' };
const without = (config: tf.serialization.ConfigDict) => {
  const { name: _, trainable: __, batchInputShape: ___, dtype: ____, ...rest } = config;
  return rest as Record<string, unknown>;
};

/** The layer of a row with all of its arguments, some of them others; its name is 'own'. */
const make = ({ make, args }: LayerRow, others: object = {}) => make({ ...own, ...args, ...others } as never);

/** Levels 0, 1/2, 1 or none, for layers that round; noise for others. */
function inputsOf({ inputs, ofPixel, areIntegers }: LayerRow, images = N): tf.Tensor[] {
  const some = [0, 1, areIntegers ? 3 : 0.5, 2, 7, -1, 1, 0];
  const rounded = (x: number) => some[Math.floor(4 * x + 4)] as number;
  return inputs.map((shape, i) => {
    const values = noise(tf.util.sizeFromShape(shape) * images, i + 1);
    return tf.tensor(ofPixel ? values.map(rounded) : values.map((x) => (x + 1) / 2), [images, ...shape]);
  });
}

const applied = (layer: tfl.layers.Layer, inputs: tf.Tensor[], kwargs = {}) =>
  layer.apply(inputs.length === 1 ? (inputs[0] as tf.Tensor) : inputs, kwargs) as tf.Tensor;

it('is in the table: every layer that the library exports', () => {
  const isLayer = (value: unknown) => typeof value === 'function' && value.prototype instanceof library.PixelLayer;
  const layers = Object.entries(exported).filter(([, value]) => isLayer(value));
  expect(rows.map(([name]) => name).sort()).toEqual(layers.map(([name]) => name).sort());
});

it('has 3 image channels by default, if any', () => {
  const ofChannels = rows.filter(([, { args }]) => 'imageChannels' in args);
  expect(ofChannels.length).toBeGreaterThan(5);
  for (const [name, { defaults }] of ofChannels) expect([name, defaults]).toEqual([name, expect.objectContaining({ imageChannels: 3 })]);
});

onEachBackend('every layer', (backend) => {
  // On GPUs each shape compiles programs, and operations have tests of their own for gradients and leaks.
  const onCpus = (some: typeof rows) => (isGpu(backend) ? [] : some);

  it.each(rows)('%s: computes the shape that it says, of images of any size', async (name, row) => {
    const [layer, inputs] = [scoped(make(row)), scoped(inputsOf(row))];
    const y = scoped(applied(layer, inputs));
    const shapes = inputs.map(({ shape }) => shape);
    expect(layer.computeOutputShape(shapes.length === 1 ? (shapes[0] as number[]) : shapes)).toEqual(y.shape);
    const unbuilt = () => make(row).computeOutputShape(shapes.length === 1 ? (shapes[0] as number[]) : shapes);
    const needsWeights = (layer.weights.length > 0 || name === 'PixelNormalization') && !name.endsWith('Conv2D'); // of those, only the window counts
    if (needsWeights) expect(unbuilt).toThrow(`${name}: computeOutputShape: called before it was built`);
    else expect(unbuilt()).toEqual(y.shape);
    const isAny = (rank: number, axis: number) => !row.isOfKnownSize && rank >= 4 && axis < 2;
    const anySize = row.inputs.map((shape) => shape.map((size, i) => (isAny(shape.length + 1, i) ? null : size)));
    const wanted = [null, ...y.shape.slice(1).map((size, i) => (isAny(y.rank, i) ? null : size))];
    expect((make(row).apply(symbolic(anySize)) as tfl.SymbolicTensor).shape).toEqual(wanted);
  });

  it.each(rows.filter(([, { ofPixel }]) => ofPixel))('%s: makes of each pixel what it says, of integers too', async (_, row) => {
    const [layer, [x]] = [make(row), inputsOf(row) as [tf.Tensor]];
    const integers = tf.cast(tf.round(x), 'int32');
    for (const given of [x, integers]) {
      const values = Array.from(await given.data());
      const features = given.shape.at(-1) as number;
      const pixels = Array.from({ length: given.size / features }, (_, i) => values.slice(i * features, (i + 1) * features));
      const y = applied(layer, [given]);
      expect(y.dtype).toBe('float32');
      const expected = pixels.flatMap((pixel) => row.ofPixel?.(pixel) ?? []);
      expectClose(await take(y), expected, 1e-6);
    }
    tf.dispose([x, integers]);
  });

  // Of PixelCNNResBlock, whose ReLUs bend everywhere, a reference has them. OneHotLevels rounds, and has no weights.
  const smooth = rows.filter(([name, { areIntegers }]) => !['PixelCNNResBlock', 'OneHotLevels'].includes(name) && !areIntegers);
  it.each(onCpus(smooth))('%s: has the gradients of its inputs and weights that differences have', async (name, row) => {
    // Not of regularizers, nor where a difference would cross a bend or round.
    const others = 'kernelInitializer' in row.args ? { activation: 'tanh', useBias: true } : {};
    const layer = scoped(make(row, name.endsWith('Conv2D') ? others : {}));
    const inputs = scoped(inputsOf(row));
    tf.dispose(applied(layer, inputs)); // builds it
    setLayerNoise(layer, 3);
    const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const y = scoped(applied(layer, inputs));
    const g = scoped(tf.tensor(noise(y.size, 9), y.shape));
    const loss = (...x: tf.Tensor[]) =>
      tf.addN([tf.sum(tf.mul(applied(layer, x), g)), ...x.map((of) => tf.mul(0, tf.sum(of)))]) as tf.Scalar;
    const at = async (x: tf.Tensor[]) => (await take(tf.tidy(() => loss(...x))))[0] as number;
    const check = async (gradient: tf.Tensor, put: (direction: Numbers, by: number) => Promise<number>) => {
      const direction = Array.from(noise(gradient.size, 5), Math.sign);
      const slope = ((await put(direction, 0.01)) - (await put(direction, -0.01))) / 0.02;
      const along = (await take(gradient)).reduce((sum, x, i) => sum + x * (direction[i] as number), 0);
      expect(Math.abs(along - slope)).toBeLessThan(5e-3 * Math.max(1, Math.abs(slope)));
    };
    const moved = (x: tf.Tensor, direction: Numbers, by: number) =>
      tf.tidy(() => tf.add(x, tf.mul(by, tf.tensor([...direction], x.shape))));
    const isRounding = name === 'LevelEmbedding';
    if (!isRounding) {
      for (const [i, gradient] of tf.grads(loss)(inputs).entries()) {
        await check(gradient, async (direction, by) => {
          const other = moved(inputs[i] as tf.Tensor, direction, by);
          const value = await at(inputs.map((x, k) => (k === i ? other : x)));
          other.dispose();
          return value;
        });
      }
    }
    const { grads } = variables.length === 0 ? { grads: {} } : tf.variableGrads(() => loss(...inputs));
    for (const variable of variables) {
      const before = scoped(variable.clone());
      await check((grads as tf.NamedTensorMap)[variable.name] as tf.Tensor, async (direction, by) => {
        const other = moved(before, direction, by);
        variable.assign(other);
        const value = await at(inputs);
        variable.assign(before);
        other.dispose();
        return value;
      });
    }
  });

  it.each(onCpus(rows))('%s: leaves no tensor behind: built, applied, in training, with gradients, where it throws', async (_, row) => {
    const inputs = scoped(inputsOf(row));
    await expectNoLeaks(() => {
      const layer = make(row);
      const loss = (...x: tf.Tensor[]) => tf.addN([...[applied(layer, x, { training: true }), ...x].map((of) => tf.sum(of))]) as tf.Scalar;
      const outputs = [applied(layer, inputs), ...(row.areIntegers ? [] : tf.grads(loss)(inputs))];
      if (layer.trainableWeights.length > 0) {
        const { value, grads } = tf.variableGrads(() => loss(...inputs));
        outputs.push(value, ...Object.values(grads));
      }
      const three = inputsOf(row, N + 1);
      const mixed = inputs.map((x, i) => (i === inputs.length - 1 ? (three[i] as tf.Tensor) : x));
      if (inputs.length > 1) {
        const message = `input ${inputs.length - 1}: wanted a batch of 2 images, got`;
        expect(() => applied(layer, mixed)).toThrow(message);
      }
      layer.dispose();
      return [outputs, three];
    });
  });

  const ordered = rows.filter(([, { isEarly = true, inputs }]) => isEarly && inputs[0]?.length === 3);
  it.each(ordered)('%s: keeps the order of pixels, and of channels', async (_, row) => {
    const { groups = 1 } = row;
    const layer = scoped(make(row));
    const [height = 0, width = 0] = row.inputs[0] as number[];
    const base = scoped(inputsOf(row, 1));
    tf.dispose(applied(layer, base)); // builds it
    setLayerNoise(layer, 3);
    const values = height * width * groups; // of an image, in order
    for (const [i, input] of base.entries()) {
      if (input.rank < 4 || (i > 0 && groups > 1)) continue; // a condition
      const many = scoped(base.map((x) => tf.tile(x, [values, ...x.shape.slice(1).map(() => 1)])));
      const size = input.size / values; // of a group
      const numbers = Array.from(await input.data());
      const changed = Array.from({ length: values }, (_, value) => numbers.map((x, at) => (Math.floor(at / size) === value ? 1 - x : x)));
      const moved = scoped(tf.tensor(changed.flat(), (many[i] as tf.Tensor).shape));
      const [before, after] = [many, many.map((x, k) => (k === i ? moved : x))].map((x) => applied(layer, x)) as [tf.Tensor, tf.Tensor];
      const [was, is] = [await take(before), await take(after)];
      const each = was.length / values / values; // features of a group of the output
      for (const [at, value] of is.entries()) {
        const [from, to] = [Math.floor(at / each / values), Math.floor(at / each) % values];
        if (from > to && value !== was[at]) expect({ from, to }).toBe('earlier ones only');
      }
    }
  });

  const droppers = rows.filter(([, { args }]) => 'dropout' in args || 'rate' in args);
  it.each(droppers)('%s: drops in training only, the same by its seed and the step', async (_, row) => {
    const inputs = scoped(inputsOf(row));
    const layer = scoped(make(row));
    tf.dispose(applied(layer, inputs)); // builds it
    setLayerNoise(layer, 3);
    const train = (step: number) => {
      layer.setStep(step);
      return take(applied(layer, inputs, { training: true }));
    };
    const [first, next, again] = [await train(0), await train(1), await train(0)];
    expect(next).not.toEqual(first);
    expect(again).toEqual(first);
    const plain = scoped(make(row, 'rate' in row.args ? { rate: 0 } : { dropout: 0 }));
    tf.dispose(applied(plain, inputs));
    plain.setWeights(layer.getWeights());
    const whole = await take(applied(plain, inputs, { training: true }));
    expect(whole).not.toEqual(first);
    for (const kwargs of [{}, { training: false }]) expect(await take(applied(layer, inputs, kwargs))).toEqual(whole);
    expect(() => layer.setStep(-1)).toThrow('step: wanted an integer');
  });
});

onBackend(anyBackend, 'every layer', () => {
  it.each(rows)('%s: comes back from a saved model with every argument and weight', async (name, row) => {
    const layer = make(row);
    const config = layer.getConfig();
    expect(Object.keys(without(config)).sort()).toEqual([...Object.keys(row.args), ...(row.apart ?? [])].sort());
    const plain = row.make(row.least as never).getConfig();
    for (const [key, value] of Object.entries(row.args)) {
      expect([key, config[key]]).not.toEqual([key, plain[key]]); // none is at its default, or ignored
      if (!/Initializer|Regularizer|Constraint/.test(key)) expect([key, config[key]]).toEqual([key, value]);
    }
    expect(plain).toMatchObject({ ...row.least, ...row.defaults });
    const inputs = symbolic(row.inputs);
    const model = scoped(tfl.model({ inputs, outputs: layer.apply(inputs) as tfl.SymbolicTensor }));
    setLayerNoise(layer, 3);
    const loaded = scoped(await saveAndLoad(model));
    const again = loaded.getLayer('own');
    expect(again).toBeInstanceOf(exported[name]);
    expect(again.getConfig()).toEqual(config);
    const names = (of: tfl.layers.Layer) => of.weights.map(({ originalName }) => originalName);
    expect(names(again)).toEqual(names(layer));
    const xs = scoped(inputsOf(row));
    const [a, b] = [layer, again].map((each) => applied(each, xs)) as [tf.Tensor, tf.Tensor];
    expect(await take(b)).toEqual(await take(a));
  });

  const seeded = rows.filter(([, { args }]) => 'seed' in args && !('rate' in args));
  it.each(seeded)('%s: begins by its seed, each weight by its own part of it', async (_, row) => {
    const begin = async (seed: number | undefined) => {
      const drawing = { kernelInitializer: 'glorotUniform', embeddingsInitializer: 'randomUniform' };
      const others = Object.fromEntries(Object.entries(drawing).filter(([key]) => key in row.args));
      const layer = scoped(make(row, { ...others, ...('biasInitializer' in row.args && { biasInitializer: 'zeros' }), seed }));
      layer.apply(symbolic(row.inputs));
      const weights = layer.getWeights().filter(({ rank }) => rank !== 1);
      return Promise.all(weights.map(async (weight) => Array.from(await weight.data())));
    };
    const first = await begin(1);
    expect(await begin(1)).toEqual(first);
    expect(new Set(first.map(([number]) => number)).size).toBe(first.length);
    for (const other of [await begin(2), await begin(undefined)])
      for (const [i, numbers] of other.entries()) expect(numbers).not.toEqual(first[i]);
  });

  it.each(seeded)('%s: begins as tfjs draws by the seed of each part, to the bit', async (_, row) => {
    const initializers = { kernelInitializer: null, embeddingsInitializer: null, biasInitializer: null };
    const none = { ...initializers, weightNormalization: false, initialScale: 1 };
    const layer = scoped(make(row, Object.fromEntries(Object.entries(none).filter(([key]) => key in row.args))));
    layer.apply(symbolic(row.inputs));
    const { glorotUniform, ones, randomUniform, zeros } = tfl.initializers;
    type Make = (args: { seed: number }) => ReturnType<typeof ones>;
    const initial: Record<string, Make> = { embeddings: randomUniform, start: randomUniform, kernel: glorotUniform, gamma: ones };
    for (const weight of layer.weights) {
      const part = weight.originalName.split('/').at(-1) as string;
      const args = { seed: partSeed(4, part) as number };
      const role = part.split('_').at(-1) as string;
      const initializer = (initial[role] ?? zeros)(args);
      const drawn = await take(initializer.apply(weight.shape as number[], 'float32'));
      expect([part, Array.from(await weight.read().data())]).toEqual([part, drawn]);
    }
  });

  const ofWeights = rows.filter(([, { args }]) => 'kernelInitializer' in args || 'embeddingsInitializer' in args);
  it.each(ofWeights)('%s: initializes, regularizes and constrains its weights as it is told', async (_, row) => {
    const initializers = { kernelInitializer: 'ones', embeddingsInitializer: 'ones', biasInitializer: 'ones' };
    const ones = { ...initializers, useBias: true, weightNormalization: false };
    const layer = scoped(make(row, Object.fromEntries(Object.entries(ones).filter(([key]) => key in row.args))));
    layer.apply(symbolic(row.inputs));
    for (const weight of layer.weights) {
      expect(new Set(await weight.read().data())).toEqual(new Set([1]));
      expect([weight.originalName, weight.constraint?.getClassName()]).toEqual([weight.originalName, 'NonNeg']);
    }
    expect(layer.losses).toHaveLength(layer.weights.length);
  });

  it.each(rows)('%s: names what is wrong', (name, row) => {
    for (const none of [null, 'x', 1]) expect(() => row.make(none as never)).toThrow(`${name}: wanted an object of arguments`);
    for (const [args, message] of row.wrong) expect(() => row.make({ ...row.least, ...args } as never)).toThrow(`${name}: ${message}`);
    for (const [shapes, message, others] of row.wrongInputs) {
      const layer = row.make({ ...row.least, ...others } as never);
      expect(() => layer.apply(symbolic(shapes))).toThrow(message);
    }
  });

  it('takes, once built, inputs of the same features only, if it has weights', () => {
    for (const [name, row] of rows) {
      const layer = scoped(make(row));
      layer.apply(symbolic(row.inputs));
      if (layer.weights.length > 0) {
        const wide = row.inputs.map((shape, i) => (i === 0 ? [...shape.slice(0, -1), 2 * (shape.at(-1) as number)] : shape));
        expect(() => layer.apply(symbolic(wide)), name).toThrow('expected axis');
        const message = `expects ${row.inputs.length} inputs`;
        if (row.inputs.length > 1) expect(() => layer.apply(symbolic(row.inputs.slice(0, 1))), name).toThrow(message);
      }
    }
  });
});
