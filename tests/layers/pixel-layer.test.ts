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
import { expect, expectTypeOf, it } from 'vitest';
import type { Shape } from '../../src/layers/types';
import { onBackend, onEachBackend, useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, take } from '../support/tensors';
import { expectWarning } from '../support/warnings';

type Symbolic = tfl.SymbolicTensor;

it('has an output of the kind of its input, by its type too', async () => {
  await useBackend('cpu');
  const layer = scoped(maskedConv2d({ filters: 1, kernelSize: 1, imageChannels: 1 }));
  const features = layer.apply(tfl.input({ shape: [2, 2, 1] }));
  expectTypeOf(features).toEqualTypeOf<tfl.SymbolicTensor>();
  expect(features).toBeInstanceOf(tfl.SymbolicTensor);
  const y = layer.apply([tf.zeros([1, 2, 2, 1])]);
  expectTypeOf(y).toEqualTypeOf<tf.Tensor>();
  expect(y).toBeInstanceOf(tf.Tensor);

  const relu = tfl.layers.reLU().apply(features); // of either kind, by its type
  expectTypeOf(layer.apply(relu)).toEqualTypeOf<tf.Tensor | tfl.SymbolicTensor>();
});

/** x sigmoid(x): a layer of the user's that has no weights. */
class Swish extends PixelLayer {
  static className = 'TestSwish';

  express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.combine('multiply', x, ops.pointwise('sigmoid', x)); // [N,H,W,F] -> [N,H,W,F]
  }
}
tf.serialization.registerClass(Swish);

/** A network of masked convolutions with such a layer between them. */
function network(): AutoregressiveModel {
  const image = tfl.input({ shape: [3, 3, 1] });
  const conv = (args: object, x: Symbolic) => maskedConv2d({ filters: 4, imageChannels: 1, kernelSize: 3, ...args }).apply(x);
  const features = new Swish({ name: 'swish' }).apply(conv({ maskType: 'A' }, image));
  return autoregressiveModel({ inputs: image, outputs: pixelLogits({ imageChannels: 1, levels: 4 }).apply(conv({}, features)) });
}

onEachBackend("a layer of the user's own, of operations alone", (_backend) => {
  it('leaves no tensor behind: built, called, trained, sampled and disposed', () =>
    expectNoLeaks(async () => {
      const model = network();
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
    }));
});

onBackend('cpu', "a layer of the user's own, of operations alone", () => {
  it('computes its output shape', () => {
    expect(new Swish().computeOutputShape([null, 4, null, 6])).toEqual([null, 4, null, 6]);
  });

  it('takes one input alone or in a list, and integers as numbers', async () => {
    const swish = new Swish();
    const [x, integers] = [scoped(tf.tensor4d([1, -2], [1, 1, 2, 1])), scoped(tf.tensor4d([1, -2], [1, 1, 2, 1], 'int32'))];
    const wanted = [1, -2].map((value) => value / (1 + Math.exp(-value)));
    for (const input of [x, [x], integers]) expectClose(await take(swish.apply(input) as tf.Tensor), wanted, 1e-6);
  });

  it('reports calls before it is built, and an express without a result', () => {
    class Nothing extends PixelLayer {
      static className = 'TestNothing';
      express<T>(): T | null {
        return null;
      }
    }
    const x = scoped(tf.ones([1, 1, 1, 1]));
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
    const model = scoped(
      autoregressiveModel({ inputs: image, outputs: pixelLogits({ imageChannels: 1, levels: 3 }).apply(reversed) as Symbolic }),
    );
    const full = await take(await sample(model, { seed: 1, strategy: 'full' }));
    const message = "layer 'odd' (TestReversed) cannot be evaluated pixel by pixel";
    const images = await expectWarning(message, () => sample(model, { seed: 1 }));
    expect(await take(images)).toEqual(full);
    await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow(message);
    await expect(toPortable(model)).rejects.toThrow(message);
  });
});

onBackend('cpu', 'what the operations of a layer refuse', () => {
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
    ['an unknown path of a state', "lstm: path: wanted 'rows'", (ops, [x], w) => ops.lstm(x, w([1, 3, 1, 4]), 'columns' as 'rows', 1)],
    ['groups that do not split the gates of a state', 'lstm: input: wanted a multiple of 4 * groups (12), got 4', (ops, [x], w) => ops.lstm(x, w([1, 3, 1, 4]), 'rows', 3)],
    ['an even kernel along rows', 'lstm: kernelSize: wanted [1,k] with k odd', (ops, [x], w) => ops.lstm(x, w([1, 2, 1, 4]), 'rows', 1)],
    ['a kernel of rows along diagonals', 'lstm: kernelSize: wanted [2,1], got [1, 3]', (ops, [x], w) => ops.lstm(x, w([1, 3, 1, 4]), 'fromRight', 1)],
    ['a state of a condition', 'lstm: input', (ops, [x], w) => ops.lstm(x, w([2, 1, 1, 4]), 'fromLeft', 1), [4]],
    ['heads that do not split the queries', 'attend: queries: wanted a multiple of heads (3), got 4', (ops, [x]) => ops.attend(x, x, x, 3)],
    ['attention to a condition', 'attend: input: wanted features [N,H,W,F], got [null, 4]', (ops, [x]) => ops.attend(x, x, x, 1), [4]],
    ['keys of another size than queries', 'attend: inputs: wanted queries and keys of equal size, got [4, 6]', (ops, [x], w) => ops.attend(x, ops.conv(x, w([1, 1, 4, 6]), null, around(1)), x, 1)],
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

  it.each(cases)('%s: when the layer is built', (_, message, express, shape) =>
    expectNoLeaks(() => {
      expect(() => build(express, shape)).toThrow(message);
      return undefined;
    }),
  );
});

it('can be walked as any object, which tf.dispose does with whatever it gets', () => {
  const model = pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 1 });
  expect(() => tf.dispose(model as never)).not.toThrow();
});
