import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  bitsPerDim,
  type LayerWeight,
  maskedConv2d,
  type Ops,
  PixelLayer,
  pixelCNN,
  pixelLogits,
  sample,
  toPortable,
  windowOf,
} from 'pixelcnn-layers';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { checkMap } from '../../src/layers/declared-layer';
import { asFloat } from '../../src/layers/pixel-layer';
import type { Shape } from '../../src/layers/types';
import { onEachBackend, useBackend } from '../support/backends';
import { expectClose, expectNoLeaks, take } from '../support/tensors';
import { expectWarning } from '../support/warnings';

type Symbolic = tfl.SymbolicTensor;

describe('the input of a layer', () => {
  beforeAll(() => useBackend('cpu'));

  it('is one of shape [N,H,W,features]', () => {
    expect(checkMap('input', [[null, 4, null, 6]])).toBe(6);
    expect(checkMap('input', [[null, 4, null, 6]], 6, '2 * filters')).toBe(6);
  });

  it('is named by the layer where it does not fit', () => {
    const wanted = 'input: wanted one tensor [N,H,W,features] with its features known';
    const map = [null, 4, 4, 3];
    expect(() => checkMap('input', [[null, 4, 4]])).toThrow(`${wanted}, got [null, 4, 4]`);
    expect(() => checkMap('input', [[null, 4, 4, null]])).toThrow(wanted);
    expect(() => checkMap('input', [map, map])).toThrow(`${wanted}, got [[null, 4, 4, 3], [null, 4, 4, 3]]`);
    expect(() => checkMap('input', [])).toThrow(wanted);
    expect(() => checkMap('input', [map], 4, '2 * filters')).toThrow('input: wanted 4 features (2 * filters), got 3');
  });

  it('is taken as float32', () => {
    const [float, integer] = [tf.ones([1, 1, 1, 1]), tf.ones([1, 1, 1, 1], 'int32')];
    expect(asFloat(float)).toBe(float);
    const cast = asFloat(integer);
    expect(cast.dtype).toBe('float32');
    tf.dispose([float, integer, cast]);
  });
});

it('has an output of the kind of its input, by its type too', async () => {
  await useBackend('cpu');
  const layer = maskedConv2d({ filters: 1, kernelSize: 1, imageChannels: 1 });
  const features = layer.apply(tfl.input({ shape: [2, 2, 1] }));
  expectTypeOf(features).toEqualTypeOf<tfl.SymbolicTensor>();
  expect(features).toBeInstanceOf(tfl.SymbolicTensor);
  const y = layer.apply([tf.zeros([1, 2, 2, 1])]);
  expectTypeOf(y).toEqualTypeOf<tf.Tensor>();
  expect(y).toBeInstanceOf(tf.Tensor);

  const relu = tfl.layers.reLU().apply(features); // of either kind, by its type
  expectTypeOf(layer.apply(relu)).toEqualTypeOf<tf.Tensor | tfl.SymbolicTensor>();
  layer.dispose();
});

describe('the shapes of operations', () => {
  /** The shape that a layer of these operations gives of inputs; weights by their shapes. */
  function shapeOf(
    express: <T>(ops: Ops<T>, inputs: readonly [T, ...T[]], weights: readonly LayerWeight[]) => T,
    inputs: Shape[],
    ...shapes: number[][]
  ): Shape {
    class OfOperations extends PixelLayer {
      static className = 'OfOperations';
      private own: LayerWeight[] = [];
      override build(inputShape: Shape | Shape[]): void {
        this.own = shapes.map((shape, i) => this.addWeight(`w${i}`, shape, 'float32', tfl.initializers.ones()));
        super.build(inputShape);
      }
      express<T>(ops: Ops<T>, given: readonly [T, ...T[]]): T {
        return express(ops, given, this.own);
      }
    }
    return new OfOperations({}).apply(inputs.map((shape) => tfl.input({ shape: shape.slice(1) }))).shape;
  }

  beforeAll(() => useBackend('cpu'));

  const image: Shape = [null, 4, null, 2];
  const vector: Shape = [null, 2];

  it('are the sizes of the outputs', () => {
    expect(shapeOf((ops, [x]) => ops.shift(x, 1, 0), [image])).toEqual(image);
    expect(shapeOf((ops, [x]) => ops.concatElu(x), [image])).toEqual([null, 4, null, 4]);
    expect(shapeOf((ops, [x]) => ops.concatElu(x), [vector])).toEqual([null, 4]);
    expect(shapeOf((ops, [x]) => ops.gate(x, 1, undefined, 'linear'), [image])).toEqual([null, 4, null, 1]);
    const conv = (args: object) => {
      const window = windowOf({ kernelSize: [2, 3], shift: 'down', ...args });
      return shapeOf((ops, [x], [direction, gain]) => ops.conv(x, { direction, gain } as never, null, window), [image], [2, 3, 2, 5], [5]);
    };
    expect(conv({})).toEqual([null, 4, null, 5]);
    expect(conv({ stride: 2 })).toEqual([null, 2, null, 5]);
    expect(conv({ stride: 2, transposed: true })).toEqual([null, 8, null, 5]);
  });

  it('of attention are the sizes of the values', () => {
    const attend =
      (heads: number, ...shapes: Shape[]) =>
      () =>
        shapeOf((ops, [q, k, v]) => ops.attend(q as never, k as never, v as never, heads), shapes);
    expect(attend(2, image, image, image)()).toEqual(image);
    expect(attend(1, image, image, [null, 4, null, 3])()).toEqual([null, 4, null, 3]);
    expect(attend(3, image, image, image)).toThrow('attend: queries: wanted a multiple of heads (3), got 2');
    expect(attend(1, image, vector, image)).toThrow('attend: input: wanted features [N,H,W,F], got [null, 2]');
    expect(attend(1, image, [null, 4, null, 3], image)).toThrow('attend: inputs: wanted queries and keys of equal size, got [2, 3]');
    expect(attend(1, image, image, [null, 5, null, 2])).toThrow('attend: wanted features of equal height and width');
  });
});

/** x sigmoid(x): a layer of the user's that has no weights. */
class Swish extends PixelLayer {
  static className = 'TestSwish';

  express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.combine('multiply', x, ops.pointwise('sigmoid', x)); // [N,H,W,F] -> [N,H,W,F]
  }
}
tf.serialization.registerClass(Swish);

type UnitArgs = ConstructorParameters<typeof PixelLayer>[0] & { filters: number };

/** A layer of the user's that makes use of every operation: [N,H,W,F] and, where there is one, a condition [N,K] -> [N,H,W,F + filters]. */
class Unit extends PixelLayer {
  static className = 'TestUnit';

  private readonly filters: number;
  private readonly window = windowOf({ kernelSize: 3, imageChannels: 1 });
  private readonly point = windowOf({ kernelSize: 1, imageChannels: 1 });
  private kernel!: LayerWeight;
  private bias!: LayerWeight;
  private projection: LayerWeight | null = null;
  private gamma!: LayerWeight;
  private beta!: LayerWeight;
  private mean!: LayerWeight;
  private variance!: LayerWeight;

  constructor(args: UnitArgs) {
    super(args);
    this.filters = args.filters;
  }

  override build(inputShape: Shape | Shape[]): void {
    const [input, condition] = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as Shape[];
    const features = input?.at(-1) as number;
    const { filters } = this;
    const { glorotUniform, zeros, ones } = tfl.initializers;
    const uniform = glorotUniform({ seed: 1 });
    this.kernel = this.addWeight('kernel', [3, 3, features, 2 * filters], 'float32', uniform);
    this.bias = this.addWeight('bias', [2 * filters], 'float32', zeros());
    if (condition !== undefined) {
      const size = condition.at(-1) as number;
      this.projection = this.addWeight('projection', [size, 2 * filters], 'float32', uniform);
    }
    this.gamma = this.addWeight('gamma', [filters], 'float32', ones());
    this.beta = this.addWeight('beta', [filters], 'float32', zeros());
    this.mean = this.addWeight('mean', [filters], 'float32', zeros(), undefined, false);
    this.variance = this.addWeight('variance', [filters], 'float32', ones(), undefined, false);
    super.build(inputShape);
  }

  express<T>(ops: Ops<T>, [x, condition]: readonly [T, ...T[]]): T {
    const { kernel, bias, projection, gamma, beta, mean, variance } = this;
    const convolved = ops.conv(x, kernel, bias, this.window); // [N,H,W,F] -> [N,H,W,2 filters]
    const given = projection && ops.conv(condition as T, projection, null, this.point); // [N,K] -> [N,2 filters]
    const gated = given === null ? ops.gate(convolved, 1) : ops.gate(convolved, 1, given); // -> [N,H,W,filters]
    const normal = ops.normalize(gated, { epsilon: 0.1, scale: gamma, shift: beta });
    const standard = ops.standardize(normal, { mean, variance, epsilon: 0.1 });
    const bent = ops.pointwise('elu', ops.combine('add', standard, gated), 0.7);
    return ops.concat(x, ops.combine('maximum', bent, normal)); // -> [N,H,W,F + filters]
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), filters: this.filters };
  }
}
tf.serialization.registerClass(Unit);

const LEVELS = 4;

/** A network of the user's layers, on images [H,W,1]. */
function network(imageShape: [number | null, number | null, number], conditionSize = 0): AutoregressiveModel {
  const image = tfl.input({ shape: imageShape });
  const vector = tfl.input({ shape: [Math.max(1, conditionSize)] });
  const given = conditionSize > 0 ? [vector] : [];
  const apply = (layer: tfl.layers.Layer, ...x: Symbolic[]) => layer.apply(x.length === 1 ? (x[0] as Symbolic) : x) as Symbolic;
  const conv = (filters: number, args: object) => maskedConv2d({ filters, imageChannels: 1, kernelSize: 3, ...args });
  const first = apply(conv(3, { maskType: 'A' }), image);
  const unit = apply(new Unit({ filters: 3, name: 'unit' }), first, ...given);
  const second = apply(new Swish({ name: 'swish' }), apply(new Unit({ filters: 2 }), unit));
  const logits = apply(pixelLogits({ imageChannels: 1, levels: LEVELS }), apply(conv(LEVELS, { kernelSize: 1 }), second));
  return autoregressiveModel({ inputs: given.length === 0 ? image : [image, vector], outputs: logits });
}

onEachBackend("a layer of the user's own, of operations alone", (_backend) => {
  it('leaves no tensor behind: built, called, trained, sampled and disposed', async () => {
    await expectNoLeaks(async () => {
      const model = network([3, 3, 1]);
      const xs = tf.ones([2, 3, 3, 1]);
      const labels = tf.ones([2, 3, 3, 1], 'int32');
      const before = tf.memory().numTensors;
      tf.dispose(model.predict(xs));
      tf.dispose(model.getLayer('swish').apply(xs) as tf.Tensor);
      tf.dispose(await sample(model, { seed: 1, numImages: 2 }));
      await toPortable(model);
      expect(tf.memory().numTensors).toBe(before);
      const optimizer = tf.train.sgd(0.1);
      model.compile({ optimizer, loss: bitsPerDim });
      await model.fit(xs, labels, { epochs: 2, verbose: 0 });
      model.dispose();
      optimizer.dispose();
      return [xs, labels];
    });
  });
});

describe("a layer of the user's own, of operations alone", () => {
  beforeAll(() => useBackend('cpu'));

  it('computes its output shape, of sizes that are known or not', async () => {
    const swish = new Swish();
    expect(swish.computeOutputShape([null, 4, null, 6])).toEqual([null, 4, null, 6]);
    const [image, vector] = [tfl.input({ shape: [null, 5, 4] }), tfl.input({ shape: [2] })];
    const unit = new Unit({ filters: 3 });
    expect((unit.apply([image, vector]) as Symbolic).shape).toEqual([null, null, 5, 7]);
    expect(
      unit.computeOutputShape([
        [2, 3, 5, 4],
        [2, 2],
      ]),
    ).toEqual([2, 3, 5, 7]);
    const [x, given] = [tf.ones([2, 3, 5, 4]), tf.ones([2, 2])];
    const y = unit.apply([x, given]) as tf.Tensor;
    expect(y.shape).toEqual([2, 3, 5, 7]);
    unit.dispose();
    tf.dispose([x, given, y]);
  });

  it('takes one input alone or in a list, and integers as numbers', async () => {
    const swish = new Swish();
    const [x, integers] = [tf.tensor4d([1, -2], [1, 1, 2, 1]), tf.tensor4d([1, -2], [1, 1, 2, 1], 'int32')];
    const wanted = [1, -2].map((value) => value / (1 + Math.exp(-value)));
    for (const input of [x, [x], integers]) expectClose(await take(swish.apply(input) as tf.Tensor), wanted, 1e-6);
    tf.dispose([x, integers]);
  });

  it('reports calls before it is built, and an express without a result', () => {
    class Nothing extends PixelLayer {
      static className = 'TestNothing';
      express<T>(): T | null {
        return null;
      }
    }
    const x = tf.ones([1, 1, 1, 1]);
    expect(() => new Swish().call(x, {})).toThrow('TestSwish: called before it was built');
    expect(() => new Nothing().apply(x)).toThrow(
      /^layer '.*' \(TestNothing\): express returned null, so the class needs its own computeOutputShape$/,
    );
    class Shaped extends Nothing {
      static override className = 'TestShaped';
      override computeOutputShape(shape: Shape): Shape {
        return shape;
      }
    }
    expect(() => new Shaped({ name: 'shaped' }).apply(x)).toThrow(
      "layer 'shaped' (TestShaped): express returned null, so the class needs its own call",
    );
    x.dispose();
  });

  it('may lack such arithmetic in some cases, with its own call: whole passes draw it', async () => {
    class Reversed extends PixelLayer {
      static className = 'TestReversed';
      express<T>(): T | null {
        return null;
      }
      override computeOutputShape = (shape: Shape | Shape[]) => shape as Shape;
      override call = (x: tf.Tensor | tf.Tensor[]) => tf.tidy(() => tf.reverse([x].flat()[0] as tf.Tensor, -1));
    }
    const image = tfl.input({ shape: [2, 2, 1] });
    const conv = maskedConv2d({ filters: 3, kernelSize: 3, maskType: 'A', imageChannels: 1 });
    const reversed = new Reversed({ name: 'odd' }).apply(conv.apply(image)) as Symbolic;
    const model = autoregressiveModel({ inputs: image, outputs: pixelLogits({ imageChannels: 1, levels: 3 }).apply(reversed) as Symbolic });
    const full = await take(await sample(model, { seed: 1, strategy: 'full' }));
    const message = "layer 'odd' (TestReversed) cannot be evaluated pixel by pixel";
    const images = await expectWarning(message, () => sample(model, { seed: 1 }));
    expect(await take(images)).toEqual(full);
    await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow(message);
    await expect(toPortable(model)).rejects.toThrow(message);
    model.dispose();
  });
});

describe('what the operations of a layer refuse', () => {
  beforeAll(() => useBackend('cpu'));

  type Express = <T>(ops: Ops<T>, inputs: readonly [T, ...T[]], weight: (shape: number[]) => LayerWeight) => T;

  /** Builds and calls a layer on 4 features, of pixels unless the shape is of a condition. */
  function build(express: Express, shape = [3, 3, 4]): void {
    class Odd extends PixelLayer {
      static className = 'TestOdd';
      private readonly made = new Map<string, LayerWeight>();
      express<T>(ops: Ops<T>, inputs: readonly [T, ...T[]]): T {
        return express(ops, inputs, (shape) => {
          const key = String(shape);
          const zeros = tfl.initializers.zeros();
          if (!this.made.has(key)) this.made.set(key, this.addWeight(`weight${this.made.size}`, shape, 'float32', zeros));
          return this.made.get(key) as LayerWeight;
        });
      }
    }
    new Odd({ name: 'odd' }).apply(tfl.input({ shape }));
  }

  const around = (kernelSize: number, imageChannels = 1) => windowOf({ kernelSize, imageChannels });
  const doubled = windowOf({ kernelSize: 2, shift: 'downRight', stride: 2, transposed: true });
  const ONE = Object.assign(Object.create(tf.Tensor.prototype) as tf.Tensor, { shape: [4] });
  // biome-ignore format: a case a line
  const cases: [string, string, Express, shape?: number[]][] = [
    ['maps of several sizes added', 'add: wanted features of equal height and width, got [[null, 3, 3, 4], [null, 6, 6, 4]]', (ops, [x], w) => ops.combine('add', x, ops.conv(x, w([2, 2, 4, 4]), null, doubled))],
    ['maps of several sizes side by side', 'concat: wanted features of equal height and width, got', (ops, [x], w) => ops.concat(ops.conv(x, w([2, 2, 4, 4]), null, doubled), x)],
    ['a window that looks around in a condition', "conv: window: wanted 1x1 of stride 1, since its input is the same at every pixel, got '3x3 of stride 1'", (ops, [x], w) => ops.conv(x, w([3, 3, 4, 6]), null, around(3)), [4]],
    ['a stride in a condition', "conv: window: wanted 1x1 of stride 1, since its input is the same at every pixel, got '1x1 of stride 2'", (ops, [x], w) => ops.conv(x, w([1, 1, 4, 6]), null, { ...around(1), stride: 2 }), [4]],
    ['another window', 'wanted shape [5,5,4,6], got [3, 3, 4, 6]', (ops, [x], w) => ops.conv(x, w([3, 3, 4, 6]), null, around(5))],
    ['inputs of another size', 'wanted shape [3,3,4,6], got [3, 3, 5, 6]', (ops, [x], w) => ops.conv(x, w([3, 3, 5, 6]), null, around(3))],
    ['channels that do not split them', 'conv: output features: wanted a multiple of imageChannels (2), got 5', (ops, [x], w) => ops.conv(x, w([1, 1, 4, 5]), null, around(1, 2))],
    ['a bias of another size', "one of shape [6], got [5]", (ops, [x], w) => ops.conv(x, w([1, 1, 4, 6]), w([5]), around(1))],
    ['an activation that conv has not', "conv: activation: wanted 'linear' or 'relu', got 'tanh'", (ops, [x], w) => ops.conv(x, w([1, 1, 4, 6]), null, around(1), 'tanh' as 'relu')],
    ['an unknown function', "pointwise: wanted 'relu' or", (ops, [x]) => ops.pointwise('reluu' as 'relu', x)],
    ['no parameter', 'pointwise: parameter of leakyRelu: wanted a number that is finite, got undefined', (ops, [x]) => ops.pointwise('leakyRelu', x)],
    ['an unknown combination', "combine: wanted 'add' or", (ops, [x]) => ops.combine('subtract' as 'add', x)],
    ['features of several sizes', 'add: inputs: wanted features of equal size, got [4, 6]', (ops, [x], w) => ops.combine('add', x, ops.conv(x, w([1, 1, 4, 6]), null, around(1)))],
    ['a scale of another size', 'one of shape [4], got [3]', (ops, [x], w) => ops.affine(x, { scale: w([3]) })],
    ['groups that do not split the features', 'softmax: input: wanted a multiple of groups (3), got 4', (ops, [x]) => ops.softmax('softmax', x, 3)],
    ['groups that do not split the halves of a gate', 'gate: input: wanted a multiple of 2 * groups (6), got 4', (ops, [x]) => ops.gate(x, 3)],
    ['groups that do not split what is normalized', 'normalize: input: wanted a multiple of groups (3), got 4', (ops, [x]) => ops.normalize(x, { epsilon: 1, groups: 3 })],
    ['levels that are none', 'oneHotLevels: levels: wanted an integer of at least 2, got 1', (ops, [x]) => ops.oneHotLevels(x, 1)],
    ['a table that is none', 'wanted shape [1,4], got [1, 4, 2]', (ops, [x], w) => ops.embedLevels(x, w([1, 4, 2]))],
    ['no epsilon', 'normalize: epsilon: wanted a number of at least 0, got undefined', (ops, [x]) => ops.normalize(x, {} as { epsilon: number })],
    ['an argument of another name, of affine', "affine: unknown option 'scal': did you mean scale?", (ops, [x], w) => ops.affine(x, { scal: w([4]) } as object)],
    ['of normalize', "normalize: unknown option 'gamma': wanted one of scale, shift, epsilon", (ops, [x], w) => ops.normalize(x, { epsilon: 1, gamma: w([4]) } as { epsilon: number })],
    ['of standardize', "standardize: unknown option 'var': did you mean variance?", (ops, [x], w) => ops.standardize(x, { mean: w([4]), var: w([4]), epsilon: 1 } as never)],
    ['a condition of another size', 'gate: wanted features of equal height and width, got', (ops, [x], w) => ops.gate(x, 1, ops.conv(x, w([2, 2, 4, 4]), null, doubled))],
    ['an input that is not there', 'input: wanted an input, or the result of an operation of ops, got undefined', (ops, [x, y]) => ops.combine('add', x, y as never)],
    ['no condition', 'gate: condition: input: wanted an input, or the result of an operation of ops, got null', (ops, [x]) => ops.gate(x, 1, null as never, 'linear')],
    ['a list in place of inputs', 'concat: input: wanted an input, or the result of an operation of ops, got [[null, 3, 3, 4], [null, 3, 3, 4]]', (ops, [x]) => ops.concat([x, x] as never)],
    ['all inputs in place of one', 'pointwise: input: wanted an input, or the result of an operation of ops, got [[null, 3, 3, 4]]', (ops, inputs) => ops.pointwise('relu', inputs as never)],
    ['a kind in place of a condition', "gate: condition: input: wanted an input, or the result of an operation of ops, got 'linear'", (ops, [x]) => ops.gate(x, 1, 'linear' as never)],
    ['no window', 'conv: window: wanted a window from windowOf, got undefined', (ops, [x], w) => ops.conv(x, w([1, 1, 4, 6]), null, undefined as never)],
    ['what windowOf takes in place of a window', 'conv: window: wanted a window from windowOf, got Object', (ops, [x], w) => ops.conv(x, w([2, 3, 4, 6]), null, { kernelSize: [2, 3], shift: 'down' } as never)],
    ['no kernel', 'conv: kernel: wanted a weight, as addWeight returns it, or { direction, gain }, got undefined', (ops, [x]) => ops.conv(x, undefined as never, null, around(1))],
    ['a normalized kernel of other names', "conv: kernel: unknown option 'kernel': wanted one of direction, gain, initialScale", (ops, [x], w) => ops.conv(x, { kernel: w([1, 1, 4, 6]), gain: w([6]) } as never, null, around(1))],
    ['a name beside them', "conv: kernel: unknown option 'scale': did you mean initialScale?", (ops, [x], w) => ops.conv(x, { direction: w([1, 1, 4, 6]), gain: w([6]), scale: 1 } as never, null, around(1))],
    ['numbers for a gain', 'conv: kernel: gain: wanted a weight, as addWeight returns it, got 1', (ops, [x], w) => ops.conv(x, { direction: w([1, 1, 4, 6]), gain: 1 as never }, null, around(1))],
    ['a gain of another size', 'one of shape [6], got [4]', (ops, [x], w) => ops.conv(x, { direction: w([1, 1, 4, 6]), gain: w([4]) }, null, around(1))],
    ['a scale that is none', 'conv: kernel: initialScale: wanted a number above 0, got 0', (ops, [x], w) => ops.conv(x, { direction: w([1, 1, 4, 6]), gain: w([6]), initialScale: 0 }, null, around(1))],
    ['no groups', 'gate: groups: wanted an integer of at least 1, got undefined', (ops, [x]) => ops.gate(x, undefined as unknown as number)],
    ['a key that is there and undefined, of affine', "layer 'odd' (TestOdd): affine: scale: wanted a weight, as addWeight returns it, got undefined", (ops, [x]) => ops.affine(x, { scale: undefined as never })],
    ['a tensor in place of a weight', 'affine: scale: wanted a weight, as addWeight returns it, got Tensor', (ops, [x]) => ops.affine(x, { scale: ONE as never })],
    ['and null', 'affine: shift: wanted a weight, as addWeight returns it, got null', (ops, [x]) => ops.affine(x, { shift: null as never })],
    ['of normalize ', 'normalize: shift: wanted a weight, as addWeight returns it, got undefined', (ops, [x]) => ops.normalize(x, { epsilon: 1, shift: undefined as never })],
    ['of standardize ', 'standardize: scale: wanted a weight, as addWeight returns it, got undefined', (ops, [x], w) => ops.standardize(x, { mean: w([4]), variance: w([4]), epsilon: 1, scale: undefined as never })],
    ['no variance', 'standardize: variance: wanted a weight, as addWeight returns it, got undefined', (ops, [x], w) => ops.standardize(x, { mean: w([4]), epsilon: 1 } as never)],
    ['no gain', 'conv: kernel: gain: wanted a weight, as addWeight returns it, got undefined', (ops, [x], w) => ops.conv(x, { direction: w([1, 1, 4, 6]), gain: undefined as never }, null, around(1))],
    ['no bias, and no null', 'conv: bias: wanted a weight, as addWeight returns it, or null, got undefined', (ops, [x], w) => ops.conv(x, w([1, 1, 4, 6]), undefined as never, around(1))],
    ['no kernel of a state', 'lstm: kernel: wanted a weight, as addWeight returns it, got undefined', (ops, [x]) => ops.lstm(x, undefined as never, 'rows', 1)],
    ['no table', 'embedLevels: table: wanted a weight, as addWeight returns it, got undefined', (ops, [x]) => ops.embedLevels(x, undefined as never)],
    ['an unknown operation', "layer 'odd' (TestOdd): ops: unknown operation 'concatt': did you mean concat?", (ops) => (ops as never as { concatt(): never }).concatt()],
    ['an operation like no other', "ops: unknown operation 'fourierTransform': wanted one of conv, pointwise, combine, concat,", (ops) => (ops as never as { fourierTransform(): never }).fourierTransform()],
    ['a function as an operation', "ops: unknown operation 'relu': did you mean ops.pointwise('relu', …)?", (ops, [x]) => (ops as never as { relu(of: typeof x): never }).relu(x)],
    ['a combination as an operation', "ops: unknown operation 'add': did you mean ops.combine('add', …)?", (ops, [x]) => (ops as never as { add(...of: (typeof x)[]): never }).add(x, x)],
    ['no size of a slice', 'slice: size: wanted an integer from 1 to 4, got undefined', (ops, [x]) => ops.slice(x, 0, undefined as never)],
    ['no arguments of normalize', 'normalize: wanted an object of arguments, got undefined', (ops, [x]) => ops.normalize(x, undefined as never)],
    ['of affine', 'affine: wanted an object of arguments, got undefined', (ops, [x]) => ops.affine(x, undefined as never)],
    ['a function misspelt', "got 'rleu': did you mean 'relu'?", (ops, [x]) => ops.pointwise('rleu' as 'relu', x)],
    ['a kind misspelt', "gate: kind: wanted 'tanh' or 'linear', got 'linaer': did you mean 'linear'?", (ops, [x]) => ops.gate(x, 1, undefined, 'linaer' as 'linear')],
    ['letters of a name in another order', "affine: unknown option 'sacle': did you mean scale?", (ops, [x]) => ops.affine(x, { sacle: 1 } as object)],
    ['an argument of another name, of dropout', "dropout: unknown option 'rte': did you mean rate?", (ops, [x]) => ops.dropout(x, { rte: 0.5 } as never)],
    ['no arguments of dropout', 'dropout: wanted an object of arguments, got undefined', (ops, [x]) => ops.dropout(x, undefined as never)],
    ['of attention', "attend: unknown option 'rte': did you mean rate?", (ops, [x]) => ops.attend(x, x, x, 1, { rte: 0.5 } as never)],
    ['no values', 'attend: input: wanted an input, or the result of an operation of ops, got undefined', (ops, [x, y]) => ops.attend(x, x, y as never, 1)],
    ['a function in place of an input', "pointwise: input: wanted an input, or the result of an operation of ops, got 'relu'", (ops, [x]) => ops.pointwise('relu', 'relu' as never) ?? x],
    ['what goes wrong in express itself', "layer 'odd' (TestOdd): Cannot read properties of undefined (reading 'width')", (_, [x]) => (x as never as { size: { width: never } }).size.width],
    ['nothing made', "layer 'odd' (TestOdd): express: wanted the result of an operation of ops, got undefined", () => undefined as never],
  ];

  it('no express: when the layer is built', () => {
    class WithoutExpress extends (PixelLayer as unknown as new () => tfl.layers.Layer) {
      static className = 'WithoutExpress';
    }
    expect(() => new WithoutExpress().apply(tf.ones([1, 2, 2, 1]))).toThrow('WithoutExpress: express: wanted a function, got undefined');
  });

  it('no className: when the layer is made, before tfjs asks for it', () => {
    class Nameless extends PixelLayer {
      express<T>(_: Ops<T>, [x]: readonly [T, ...T[]]): T {
        return x;
      }
    }
    expect(() => new Nameless()).toThrow(
      "Nameless: className: wanted the class's own name, as in static className = 'Nameless', got undefined",
    );
    for (const className of ['', 3, null]) {
      const Anonymous = Object.assign(class extends Nameless {}, { className });
      expect(() => new Anonymous()).toThrow(/^PixelLayer: className: wanted the class/);
    }
  });

  it.each([
    ['undefined', undefined],
    ["'zeros'", 'zeros'],
    ['a function', tfl.initializers.zeros],
  ])('a weight whose initializer is %s: when the layer is built, which leaves nothing behind', async (got, initializer) => {
    class Uninitialized extends PixelLayer {
      static className = 'TestUninitialized';
      override build(inputShape: Shape): void {
        this.addWeight('scale', [2], 'float32', tfl.initializers.ones());
        this.addWeight('shift', [2], 'float32', initializer as never);
        super.build(inputShape);
      }
      express<T>(_: Ops<T>, [x]: readonly [T, ...T[]]): T {
        return x;
      }
    }
    await expectNoLeaks(() => {
      const layer = new Uninitialized({ name: 'odd' });
      expect(() => layer.apply(tfl.input({ shape: [2, 2, 2] }))).toThrow(
        `layer 'odd' (TestUninitialized): addWeight: initializer of 'shift': wanted one, as initializers.zeros(), got ${got}`,
      );
    });
  }); // biome-ignore format: as a sentence

  it('what goes wrong on tensors only: when the layer is called', () => {
    class OnTensors extends PixelLayer {
      static className = 'TestOnTensors';
      express<T>(_: Ops<T>, [x]: readonly [T, ...T[]]): T {
        if (x instanceof tf.Tensor) throw new TypeError('no tensors');
        return x;
      }
    }
    const layer = new OnTensors({ name: 'odd' });
    expect(() => layer.apply(tf.ones([1, 2, 2, 1]))).toThrow("layer 'odd' (TestOnTensors): no tensors");
  });

  it('keep the error that they come from, and leave others as they are', () => {
    const odd = (error: Error) =>
      build(() => {
        throw error;
      });
    const cause = new TypeError('wrong');
    expect(() => odd(cause)).toThrow(expect.objectContaining({ message: "layer 'odd' (TestOdd): wrong", cause }));
    const other = new RangeError('no room');
    expect(() => odd(other)).toThrow(other);
  });

  it.each(cases)('%s: when the layer is built', async (_, message, express, shape) => {
    await expectNoLeaks(() => {
      expect(() => build(express, shape)).toThrow(message);
      return undefined;
    });
  });
});

it('can be walked as any object, which tf.dispose does with whatever it gets', () => {
  const model = pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 1 });
  expect(() => tf.dispose(model as never)).not.toThrow();
});
