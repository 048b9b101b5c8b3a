import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  autoregressiveModel,
  type CausalityOptions,
  causalAttention,
  checkCausality,
  gatedPixelCNN,
  type Leak,
  levelEmbedding,
  logisticMixture,
  type MaskType,
  maskedConv2d,
  type Ops,
  oneHotClass,
  oneHotLevels,
  PixelLayer,
  type Place,
  pixelCNN,
  pixelLogits,
  shiftedConv2d,
} from 'pixelcnn-layers';
import { expect, it, vi } from 'vitest';
import { onBackend, onEachBackend } from '../support/backends';
import { FromRight } from '../support/models/from-right';
import { apply, modelOf, through } from '../support/models/graphs';
import { Opaque } from '../support/models/opaque';
import { scoped } from '../support/scoped';
import { expectCleanRefusal, expectNoLeaks, setNoise } from '../support/tensors';

const LEVELS = 2;

/** A stack of masked convolutions: the first of the given type, then one of type B. */
const stack = (maskType: MaskType, [h, w, c]: Place) =>
  scoped(
    modelOf([h, w, c], LEVELS, (image) => {
      const first = maskedConv2d({ filters: 4 * c, kernelSize: 3, maskType, imageChannels: c });
      return through(image, first, maskedConv2d({ filters: LEVELS * c, kernelSize: 1, imageChannels: c }));
    }),
  );

function placesOf([h, w, c]: Place): Place[] {
  return Array.from({ length: h * w * c }, (_, i) => [Math.floor(i / (w * c)), Math.floor(i / c) % w, i % c]);
}

/** Multiplies features [N,H,W,F] by those of a condition [N,F]. */
class Gated extends PixelLayer {
  static className = 'TestGated';
  override express<T>(ops: Ops<T>, [x, condition]: readonly T[]): T {
    return ops.combine('multiply', x as T, condition as T);
  }
}

/** Shows tensors the value to the right, and says in programs that it shows none. */
class Sly extends PixelLayer {
  static className = 'TestSly';
  override express<T>(_: Ops<T>, [x]: readonly T[]): T {
    if (!(x instanceof tf.Tensor)) return x as T;
    const moved = tf.pad(tf.slice(x, [0, 0, 1, 0]), [[0, 0], [0, 0], [0, 1], [0, 0]]); // biome-ignore format: pairs
    return tf.add(x, moved) as T;
  }
}

/** A causal model with a layer between its two convolutions. */
function around(layer: tfl.layers.Layer, shape: Place): tfl.LayersModel {
  const conv = (maskType: MaskType, seed: number) => maskedConv2d({ filters: 4, kernelSize: 3, maskType, imageChannels: 1, seed });
  return scoped(modelOf(shape, 4, (image) => through(image, conv('A', 1), layer, conv('B', 2))));
}

/** The reports of progress of a check. */
async function progressOf(model: tfl.LayersModel, options: CausalityOptions = {}) {
  const reports: { done: number; total: number }[] = [];
  const result = await checkCausality(model, { ...options, onProgress: (report) => reports.push(report) });
  return { ...result, reports };
}

onEachBackend('checkCausality', (_backend) => {
  it('names every leaking pair of a stack that begins with mask B: each value sees itself', async () => {
    const shape: Place = [2, 3, 2];
    const model = stack('B', shape);
    const expected = placesOf(shape).map((place) => ({ output: place, input: place }));
    expect(await checkCausality(model)).toMatchObject({ causal: false, leaks: expected });
  });

  it('names every leaking pair of a plain convolution, outside the library: its whole window from the value on', async () => {
    const shape: Place = [3, 4, 1];
    const conv = tfl.layers.conv2d({ filters: LEVELS, kernelSize: 3, padding: 'same' });
    const model = scoped(modelOf(shape, LEVELS, (image) => apply(conv, image)));

    const expected: Leak[] = [];
    for (const [o, output] of placesOf(shape).entries())
      for (const [i, input] of placesOf(shape).entries()) {
        const isInWindow = Math.abs(output[0] - input[0]) <= 1 && Math.abs(output[1] - input[1]) <= 1;
        if (i >= o && isInWindow) expected.push({ output, input });
      }
    const { causal, leaks } = await checkCausality(model, { seed: 3, batchSize: 5 });
    expect(causal).toBe(false);
    expect(leaks).toEqual(expected);
  });

  it('leaves no tensor behind, on errors too', async () => {
    const model = stack('A', [2, 2, 1]);
    await expectNoLeaks(async () => {
      await checkCausality(model);
      await checkCausality(model, { inputs: 'all' });
    });
    model.setWeights(scoped(model.getWeights().map((weight) => tf.fill(weight.shape, Number.NaN))));
    await expectNoLeaks(async () => {
      await expect(checkCausality(model, { inputs: 1 })).rejects.toThrow('checkCausality: the model returned logits that are not finite');
      expect(await checkCausality(model)).toEqual({ causal: true, leaks: [] }); // whatever its weights
    });
  });
});

onBackend('cpu', 'checkCausality', () => {
  it('tries every class, or the one that is given', async () => {
    // The future leaks under class 1 only: a stock convolution of the image, times the label.
    const [image, label] = [tfl.input({ shape: [2, 2, 1] }), tfl.input({ shape: [1] })];
    const oneHot = oneHotClass({ numClasses: 2 }).apply(label) as tfl.SymbolicTensor;
    const isOne = tfl.layers.dense({ units: 1, useBias: false, weights: [tf.tensor2d([0, 1], [2, 1])] }).apply(oneHot);
    const conv = tfl.layers.conv2d({ filters: LEVELS, kernelSize: 1 }).apply(image);
    const everywhere = tfl.layers.repeatVector({ n: 4 }).apply(isOne) as tfl.SymbolicTensor;
    const map = tfl.layers.reshape({ targetShape: [2, 2, 1] }).apply(everywhere) as tfl.SymbolicTensor;
    const product = tfl.layers.multiply().apply([conv as tfl.SymbolicTensor, map]) as tfl.SymbolicTensor;
    const logits = pixelLogits({ imageChannels: 1, levels: LEVELS }).apply(product) as tfl.SymbolicTensor;
    const model = scoped(autoregressiveModel({ inputs: [image, label], outputs: logits }));
    expect(await checkCausality(model, { condition: 0 })).toEqual({ causal: true, leaks: [] });
    for (const options of [{ condition: 1 }, { condition: [1] }, {}, { seed: 1 }, { batchSize: 4 }]) {
      const { causal, leaks } = await checkCausality(model, options);
      expect([causal, leaks.length]).toEqual([false, 4]);
    }
  });

  const conv = (imageChannels: number, rest: object = {}) =>
    maskedConv2d({ filters: 2 * imageChannels, kernelSize: 3, imageChannels, ...rest });
  const wholeRow = () => conv(1, { kernelSize: [1, 3], vertical: true });
  const resized = (transposed: boolean) => shiftedConv2d({ filters: 2, kernelSize: 2, shift: 'downRight', stride: 2, transposed });
  const attention = (own = false) => causalAttention({ heads: 1, units: 2, own });
  const categories = () => pixelLogits({ imageChannels: 2, levels: 16 });
  const ofCategories = () => conv(2, { filters: 32, maskType: 'B', seed: 1 });
  /** Changes the places of two channels of two features. */
  const swapped = () => {
    const order = [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]; // biome-ignore format: a matrix
    return tfl.layers.conv2d({ filters: 4, kernelSize: 1, useBias: false, weights: [tf.tensor4d([[order]])] });
  };
  const mixture = () => logisticMixture({ imageChannels: 2, levels: 4, components: 1 });

  it.each<[string, Place, (image: tfl.SymbolicTensor) => tfl.SymbolicTensor, (() => tfl.layers.Layer)?]>([
    ['channels that see themselves', [2, 3, 3], (x) => apply(conv(3, { kernelSize: 1 }), apply(conv(3, { maskType: 'B' }), x))],
    ['one group for two channels', [3, 2, 2], (x) => apply(shiftedConv2d({ filters: 4, kernelSize: 2, shift: 'downRight' }), x)],
    ['rows that are seen whole, to the left', [3, 5, 1], (x) => apply(conv(1, { maskType: 'A' }), apply(wholeRow(), x))],
    ['attention to its own value', [3, 3, 1], (x) => apply(attention(true), apply(conv(1, { maskType: 'A' }), x), x)],
    ['attention to earlier places that see their row whole', [3, 4, 1], (x) => apply(attention(), apply(conv(1, { maskType: 'A' }), x), apply(wholeRow(), x))],
    ['an LSTM from the right', [3, 4, 1], (x) => apply(new FromRight({}), apply(conv(1, { filters: 8, maskType: 'A' }), x))],
    ['half the resolution', [4, 4, 1], (x) => apply(resized(true), apply(conv(1, { kernelSize: 1 }), apply(resized(false), x)))],
    ['one-hot levels', [2, 3, 2], (x) => through(x, oneHotLevels({ levels: 16 }), ofCategories()), categories],
    ['embedded levels', [2, 3, 2], (x) => through(x, levelEmbedding({ levels: 16, units: 3, seed: 1 }), ofCategories()), categories],
    ['channels in another order', [2, 2, 2], (x) => through(x, conv(2, { maskType: 'A', filters: 4 }), swapped())],
    ['a mixture of two channels', [2, 2, 2], (x) => apply(conv(2, { filters: 6 }), x), mixture],
  ])('lists by the graph alone the leaks that images show: %s', async (_, shape, features, last) => {
    const image = tfl.input({ shape });
    const head = last?.() ?? pixelLogits({ imageChannels: shape[2], levels: 2 });
    const model = scoped(autoregressiveModel({ inputs: image, outputs: apply(head, features(image)) }));
    setNoise(model);
    const ofGraph = await checkCausality(model);
    expect(ofGraph.causal).toBe(false);
    expect(await checkCausality(model, { inputs: 'all' })).toEqual(ofGraph);
  }); // biome-ignore format: one model a line

  it('takes a vector or a map of one image, of any size', async () => {
    const args = { imageShape: [null, null, 2] as [null, null, number], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0 };
    const imageShape: Place = [2, 3, 2];
    // biome-ignore format: pairs
    for (const [size, shape] of [[{ conditionSize: 3 }, [1, 3]], [{ conditionMapSize: 3 }, [1, 2, 3, 3]]] as const) {
      const model = scoped(gatedPixelCNN({ ...args, ...size }));
      const [condition, other] = [scoped(tf.ones([...shape])), scoped(tf.ones([2, ...shape.slice(1)]))];
      await expectNoLeaks(async () => {
        expect((await checkCausality(model, { imageShape, condition })).causal).toBe(true);
        await expect(checkCausality(model, { imageShape, condition: other })).rejects.toThrow(
          `checkCausality: condition: wanted numbers of shape [${shape}], got [2, `,
        );
        await expect(checkCausality(model, { imageShape, condition: 1 })).rejects.toThrow('got 1');
      });
    }
    const plain = stack('A', [2, 2, 1]);
    await expect(checkCausality(plain, { condition: 1 })).rejects.toThrow(
      'checkCausality: condition: wanted none, since the model takes no condition, got 1',
    );
  });

  it('takes the image shape from the caller where the model takes any', async () => {
    const model = scoped(pixelCNN({ imageShape: [null, null, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 1 }));
    expect((await checkCausality(model, { imageShape: [2, 3, 1] })).causal).toBe(true);
    await expect(checkCausality(model)).rejects.toThrow('checkCausality: imageShape: wanted [H, W, 1]');
  });

  it.each([
    ['a channel of its pixel', 1, ({ output, input }: Leak) => output[2] === 0 && input[2] === 1],
    ['a pixel to the right', 3, ({ output, input }: Leak) => input[1] > output[1]],
  ] as const)('finds every leak of %s that one class opens, beside those of all classes, by the graph and on images', async (_, columns, isOpened) => {
    const shape: Place = [2, 3, columns === 1 ? 2 : 1];
    const [, , imageChannels] = shape;
    const [numClasses, filters] = [6, 2 * imageChannels];
    const [image, label] = [tfl.input({ shape }), tfl.input({ shape: [1] })];
    const conv = (args: object) => maskedConv2d({ filters, kernelSize: 1, seed: 1, ...args }).apply(image);
    const own = conv({ imageChannels });
    const all = conv({ imageChannels: 1, kernelSize: [1, columns], vertical: true });
    const gates = scoped(tf.tensor2d(Array.from({ length: numClasses }, (_, k) => new Array(filters).fill(Number(k === 5)))));
    const isOpen = tfl.layers.dense({ units: filters, useBias: false, weights: [gates] }).apply(oneHotClass({ numClasses }).apply(label)); // [N,F]
    const sum = tfl.layers.add().apply([own, new Gated({}).apply([all, isOpen as tfl.SymbolicTensor])] as tfl.SymbolicTensor[]);
    const logits = pixelLogits({ imageChannels, levels: 2 }).apply(sum as tfl.SymbolicTensor);
    const model = scoped(autoregressiveModel({ inputs: [image, label], outputs: logits }));

    const places = placesOf(shape);
    const expected = places.flatMap((output, o) =>
      places
        .map((input) => ({ output, input }))
        .filter(({ input }, i) => i >= o && input[0] === output[0] && input[1] - output[1] <= (columns - 1) / 2),
    );
    for (const options of [{}, { inputs: 'all' }] as const)
      expect((await checkCausality(model, options)).leaks).toEqual(expected);
    const closed = expected.filter((leak) => !isOpened(leak));
    expect(closed.length).toBeLessThan(expected.length);
    expect((await checkCausality(model, { inputs: 'all', condition: 0 })).leaks).toEqual(closed);
  }); // biome-ignore format: one layer a line

  it('names the layer, and follows outputs that are ready first and late, where one of many classes leaks', async () => {
    const [numClasses, shape] = [6, [2, 2, 1] as Place];
    const [image, label] = [tfl.input({ shape }), tfl.input({ shape: [1] })];
    const conv = (maskType: MaskType) => maskedConv2d({ name: maskType, filters: 1, kernelSize: 1, maskType, imageChannels: 1, seed: 1 }).apply(image);
    const gates = scoped(tf.tensor2d(Array.from({ length: numClasses }, (_, k) => [Number(k === 5)])));
    const isOpen = tfl.layers.dense({ units: 1, useBias: false, weights: [gates] }).apply(oneHotClass({ numClasses }).apply(label)); // [N,1]
    const gated = new Gated({}).apply([conv('B'), isOpen as tfl.SymbolicTensor]);
    const both = tfl.layers.concatenate().apply([gated, conv('A')]); // ready at 1 and at 0
    const logits = pixelLogits({ imageChannels: 1, levels: 2 }).apply(both as tfl.SymbolicTensor);
    const model = scoped(autoregressiveModel({ inputs: [image, label], outputs: logits }));
    const expected = placesOf(shape).map((place) => ({ output: place, input: place }));
    expect(await checkCausality(model)).toEqual({ causal: false, leaks: expected, layer: 'B' });
    const one = await checkCausality(model, { inputs: 1 });
    expect(one).toEqual({ causal: false, leaks: [expect.anything()], layer: 'B' });
  }); // biome-ignore format: one layer a line

  it('changes no value where the graph answers, else all, or as many as it is asked to', async () => {
    const shape: Place = [6, 7, 1]; // 42 values
    const totalOf = async (model: tfl.LayersModel, options?: CausalityOptions) => {
      const { causal, reports } = await progressOf(model, options);
      expect(causal).toBe(true);
      for (const [i, { done }] of reports.entries()) expect(done).toBeGreaterThan(reports[i - 1]?.done ?? 0);
      const { done = 0, total = 0 } = reports.at(-1) ?? {};
      expect(done).toBe(total);
      return total;
    };
    const proved = around(tfl.layers.reLU(), shape);
    expect(await totalOf(proved)).toBe(0);
    expect(await totalOf(proved, { inputs: 5 })).toBe(5 * 4);
    expect(await totalOf(proved, { inputs: 1000 })).toBe(42 * 4);
    expect(await totalOf(proved, { inputs: 'all' })).toBe(42 * 4);
    const unknown = around(new Opaque({}), shape);
    expect(await totalOf(unknown)).toBe(42 * 4);
    expect(await totalOf(unknown, { inputs: 3 })).toBe(3 * 4);
    const conditional = scoped(gatedPixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0, numClasses: 10 }));
    expect(await totalOf(conditional, { inputs: 3 })).toBe(3 * 10);
    const leaking = stack('B', shape);
    const { leaks, reports } = await progressOf(leaking);
    expect([leaks.length, reports.length]).toEqual([42, 0]);
  }); // biome-ignore format: one model a line

  it('finds on images what a layer does on tensors but not in express, if asked to', async () => {
    const model = around(new Sly({}), [8, 8, 1]);
    expect((await checkCausality(model)).causal).toBe(true);
    const { causal, leaks } = await checkCausality(model, { inputs: 32 });
    expect(causal).toBe(false);
    expect(new Set(leaks.map(({ input }) => String(input))).size).toBeLessThanOrEqual(32);
    const all = await checkCausality(model, { inputs: 'all' });
    expect(all.leaks.length).toBeGreaterThan(leaks.length);
    expect(all.leaks.map(String)).toEqual(expect.arrayContaining(leaks.map(String)));
  });

  it('draws by the seed which values it changes, each once', async () => {
    const model = stack('B', [5, 5, 1]); // each value sees itself
    const inputsOf = async (seed: number) => {
      const { leaks } = await checkCausality(model, { inputs: 7, seed });
      return leaks.map(({ input: [row, column] }) => row * 5 + column);
    };
    const drawn = await Promise.all([0, 1, 2, 3].map(inputsOf));
    for (const inputs of drawn) {
      expect(inputs).toHaveLength(7);
      expect(new Set(inputs).size).toBe(7);
      expect(inputs).toEqual([...inputs].sort((a, b) => a - b));
    }
    expect(new Set(drawn.map(String)).size).toBe(4);
    expect(new Set(drawn.flat()).size).toBeGreaterThan(12);
    expect(await inputsOf(2)).toEqual(drawn[2]);
  });

  it('stops between passes where the signal aborts or onProgress fails, and leaves no tensor behind', async () => {
    const model = around(new Opaque({}), [12, 12, 1]);
    const apply = vi.spyOn(model, 'apply');
    await expectNoLeaks(async () => {
      const aborted = AbortSignal.abort(new Error('before'));
      await expect(checkCausality(model, { signal: aborted })).rejects.toThrow('before');
      expect(apply).not.toHaveBeenCalled();
      const controller = new AbortController();
      const { signal } = controller;
      const onProgress = () => controller.abort(new Error('in between'));
      await expect(checkCausality(model, { signal, onProgress })).rejects.toThrow('in between');
      expect(apply).toHaveBeenCalledTimes(2);
      const late = new AbortController();
      const atTheEnd = ({ done, total }: { done: number; total: number }) => {
        if (done === total) late.abort(new Error('at the end'));
      };
      const options = { inputs: 9, signal: late.signal, onProgress: atTheEnd };
      await expect(checkCausality(model, options)).rejects.toThrow('at the end');
      const throws = vi.fn().mockThrow(new Error('thrown'));
      for (const onProgress of [throws, async () => throws()])
        await expect(checkCausality(model, { onProgress })).rejects.toThrow('thrown');
    });
  });

  it('hears a signal that another task aborts', async () => {
    const model = around(new Opaque({}), [2, 4, 1]);
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 200)); // each pass takes long
    for (const last of [1, 8 * 3]) {
      const controller = new AbortController();
      const { signal } = controller;
      const onProgress = ({ done }: { done: number }) => {
        if (done >= last) setTimeout(() => controller.abort(new Error('another task')), 0);
      };
      await expectCleanRefusal(() => checkCausality(model, { signal, onProgress }), 'another task');
    }
    const leaking = stack('B', [2, 4, 1]); // answered by its graph
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('another task')), 0);
    await expect(checkCausality(leaking, { signal: controller.signal })).rejects.toThrow('another task');
    vi.restoreAllMocks();
  });

  it('names invalid arguments', async () => {
    const model = stack('A', [2, 2, 1]);
    const wanted = "inputs, if not 'all': wanted an integer of at least 1, got";
    const wrong: [object, string][] = [
      [{ imageShape: [2, 3, 1] }, 'imageShape'],
      [{ batchSize: 0 }, 'batchSize'],
      [{ seed: 0.5 }, 'seed'],
      ...[0, 1.5, 'some'].map((inputs): [object, string] => [{ inputs }, wanted]),
      [{ signal: {} }, 'signal'],
      [{ onProgress: 3 }, 'onProgress: wanted a'],
    ];
    for (const [options, message] of wrong) await expect(checkCausality(model, options)).rejects.toThrow(`checkCausality: ${message}`);
    const image = tfl.input({ shape: [2, 2, 1] });
    const other = tfl.model({ inputs: image, outputs: image });
    await expect(checkCausality(other)).rejects.toThrow('checkCausality: model: wanted a model');
  });
});
