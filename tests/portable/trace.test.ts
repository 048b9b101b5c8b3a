import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { maskedConv2d, type Ops, type PortableModel, pixelCNN, pixelLogits, shiftedConv2d, toPortable } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { imageModelShape } from '../../src/models/image-model';
import { type TracedModel, trace, type Untraced } from '../../src/portable/trace';
import { AFTER_ROW } from '../../src/runtime/program/times';
import { useBackend } from '../support/backends';
import { FromRight } from '../support/models/from-right';
import { scoped } from '../support/scoped';
import { expectNoLeaks, setNoise } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

const LEVELS = 2;
type Graph = (image: tfl.SymbolicTensor) => tfl.SymbolicTensor;

/** A layer that is no gate of so few features. */
class Odd extends tfl.layers.Layer {
  static className = 'TracedOdd';
  override call = (x: tf.Tensor | tf.Tensor[]) => [x].flat()[0] as tf.Tensor;
  express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.gate(x, 3);
  }
}

/** What is made of a graph from an image to the features of its logits; `then` may look at the program. */
function traced<T>(channels: number, graph: Graph, then: (result: ReturnType<typeof trace>) => T, size: (number | null)[] = [3, 3]): T {
  const image = tfl.input({ shape: [...size, channels] });
  const logits = pixelLogits({ imageChannels: channels, levels: LEVELS });
  const outputs = logits.apply(graph(image)) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: image, outputs });
  const before = tf.memory().numTensors;
  const result = then(trace(model, imageModelShape('test', model)));
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
  return result;
}

const nodes = (result: ReturnType<typeof trace>) => (result as TracedModel).builder.nodes;
const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]) => layer.apply(x) as tfl.SymbolicTensor;
const conv = (filters: number, maskType: 'A' | 'B', imageChannels = 1) => maskedConv2d({ filters, kernelSize: 3, maskType, imageChannels });

/** The result of a trace, with the times of outputs that are ready too late. */
const withLateTimes = (result: TracedModel | Untraced) => {
  const late = 'late' in result ? result.late : undefined;
  return { ...result, lateTimes: late?.readiness[late.output]?.times };
};

describe('trace', () => {
  it('builds a program of a graph with branches and skips, each tensor once', () => {
    traced(
      1,
      (image) => {
        const a = apply(conv(2, 'A'), image);
        const b = apply(tfl.layers.reLU(), a);
        const c = apply(tfl.layers.add(), [b, a]); // a and b are known by then
        return apply(tfl.layers.multiply(), [c, apply(conv(2, 'B'), b)]);
      },
      (result) => {
        expect(nodes(result)).toMatchObject([
          { op: 'image', size: 1 },
          { op: 'conv', size: 2, input: 0 },
          { op: 'pointwise', fn: 'relu', size: 2, input: 1 },
          { op: 'add', size: 2, inputs: [2, 1] },
          { op: 'conv', size: 2, input: 2 },
          { op: 'multiply', size: 2, inputs: [3, 4] },
        ]);
        expect((result as TracedModel).output).toBe(5);
      },
    );
  });

  it('computes a layer once for each tensor it is applied to, with the same weights', () => {
    const shared = conv(2, 'B');
    const graph: Graph = (image) => apply(shared, apply(shared, apply(conv(2, 'A'), image)));
    const [first, second] = traced(1, graph, nodes).slice(2);
    if (first?.op !== 'conv' || second?.op !== 'conv') throw new Error('wanted two convolutions');
    expect([first.input, second.input]).toEqual([1, 2]);
    expect(second.kernel).toBe(first.kernel);
  });

  it('asks a layer itself first, where it can build itself of operations', () => {
    class Minus extends tfl.layers.Layer {
      static className = 'Minus';
      override call = (x: tf.Tensor | tf.Tensor[]) => tf.neg((Array.isArray(x) ? x[0] : x) as tf.Tensor);
      express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T | null {
        return this.name === 'own' ? null : ops.pointwise('scale', x, -1);
      }
    }
    const program = traced(1, (image) => apply(new Minus(), apply(conv(2, 'A'), image)), nodes);
    expect(program.map(({ op }) => op)).toEqual(['image', 'conv', 'pointwise']);
    const graph: Graph = (image) => apply(conv(2, 'A'), apply(new Minus({ name: 'own' }), image));
    expect(traced(1, graph, (result) => result)).toMatchObject({ obstacle: "layer 'own' (Minus) cannot be evaluated pixel by pixel" });
  });

  it('passes on what goes wrong in a layer', () => {
    const broken = Object.assign(tfl.layers.reLU(), {
      express: () => {
        throw new RangeError('broken');
      },
    });
    const graph: Graph = (image) => apply(broken, apply(conv(2, 'A'), image));
    expect(() => traced(1, graph, (result) => result)).toThrow(RangeError);
  });

  /** A stack that sees its own row whole, and a layer that reads it. */
  const unshifted =
    (second: { kernelSize: number | [number, number]; vertical?: boolean }): Graph =>
    (image) => {
      const vertical = maskedConv2d({ filters: 2, kernelSize: [1, 3], vertical: true, imageChannels: 1 });
      const layer = maskedConv2d({ filters: 2, maskType: 'A', imageChannels: 1, ...second });
      return apply(layer, apply(vertical, image));
    };

  it.each([
    ['above', { kernelSize: [3, 1] as [number, number] }],
    ['above, whole rows', { kernelSize: 3, vertical: true }],
  ])('takes such a vertical layer where only its rows are read that are %s', (_, second) => {
    traced(1, unshifted(second), (result) => {
      expect(nodes(result)).toMatchObject([{ op: 'image' }, { op: 'conv', input: 0 }, { op: 'conv', input: 1 }]);
    });
  });

  const resize = (transposed: boolean, name?: string) =>
    shiftedConv2d({ filters: 2, kernelSize: 2, shift: 'downRight', stride: 2, transposed, ...(name !== undefined && { name }) });

  const join = (...x: tfl.SymbolicTensor[]) => apply(tfl.layers.concatenate(), x);
  const add = (name: string, ...x: tfl.SymbolicTensor[]) => apply(tfl.layers.add({ name }), x);
  const first = (image: tfl.SymbolicTensor) => apply(conv(2, 'A'), image);
  const pool = tfl.layers.maxPooling2d({ poolSize: 1, name: 'pool' });
  const below = 'cannot be evaluated pixel by pixel';

  it.each<[string, Graph, string]>([
    ['a layer of another kind', (image) => apply(conv(2, 'B'), add('sum', first(image), apply(pool, first(image)))), `layer 'pool' (MaxPooling2D) ${below}`],
    ['a layer whose operation refuses its input', (image) => apply(new Odd({ name: 'odd' }), first(image)), `layer 'odd' (TracedOdd) ${below}: gate: input: wanted a multiple of 2 * groups (6), got 2`],
    ['resolutions finer than the image', (image) => apply(resize(false), apply(resize(true, 'finer'), first(image))), `layer 'finer' ${below}: its resolution is finer than the image's`],
    ['resolutions that meet', (image) => add('both', first(image), apply(resize(false), first(image))), `layer 'both' ${below}: its operands have several resolutions, 1 and 2`],
    ['resolutions of which the outputs have not the whole', (image) => apply(resize(false), apply(resize(false), first(image))), 'the logits have a resolution of 1/4 of the image'],
  ])('names what is in the way: %s', (_, graph, obstacle) => {
    expect(traced(1, graph, (result) => result, [null, null])).toEqual({ obstacle });
  }); // biome-ignore format: a case a line

  const ofChannel = (channel: number) => `the model is not causal: its logits of channel ${channel} see that channel or a later one`;

  it.each<[string, number, number[], Graph, string]>([
    ['every channel sees itself', 3, [1, 1, 2, 2, 3, 3], (image) => apply(conv(6, 'B', 3), image), ofChannel(0)],
    ['all but channel 0 see the whole pixel', 3, [0, 0, 3, 3, 3, 3], (image) => join(apply(conv(2, 'A', 1), image), apply(conv(4, 'B', 1), image)), ofChannel(1)],
    ['the second level alone', 1, [0, 1], (image) => join(apply(conv(1, 'A'), image), apply(conv(1, 'B'), image)), ofChannel(0)],
    ['pixels to the left of what has seen its row', 1, [AFTER_ROW, AFTER_ROW], unshifted({ kernelSize: [1, 3] }), 'let vertical layers read rows above only'],
    ['an LSTM from the right that is not shifted down', 1, [AFTER_ROW, AFTER_ROW], (image) => apply(new FromRight({}), apply(conv(8, 'A'), image)), 'shift the states of an LSTM from the right down by a row,'],
  ])('names the channel that sees later values, and when it is ready: %s', (_, channels, lateTimes, graph, obstacle) => {
    const result = withLateTimes(traced(channels, graph, (result) => result));
    expect(result).toMatchObject({ lateTimes, obstacle: expect.stringContaining(obstacle) });
  }); // biome-ignore format: a case a line
});

describe('toPortable', () => {
  const SIZES = { imageShape: [null, 4, 2] as [null, number, number], levels: 3, hiddenDim: 2, outDim: 3, numBlocks: 2 };

  it('is a model as plain data, with the numbers of its weights by the names of layers', async () => {
    const model = scoped(pixelCNN(SIZES));
    setNoise(model);
    const portable = await toPortable(model);
    expect(structuredClone(portable)).toEqual(portable); // no functions, no tensors
    expect(portable).toMatchObject({ imageShape: [null, 4, 2], levels: 3, conditions: [] });
    expect(portable.nodes[0]).toEqual({ op: 'image', size: 2 });
    expect(portable.nodes[portable.output]).toMatchObject({ op: 'conv', size: 6, kernel: 'final_conv.kernel' });
    const names = [...portable.weights.keys()];
    expect(names.slice(-4)).toEqual(['output_conv2.kernel', 'output_conv2.bias', 'final_conv.kernel', 'final_conv.bias']);
    expect(new Set(names).size).toBe(model.weights.length);
    const weights = model.getWeights();
    expect(names).toHaveLength(weights.length);
    for (const [i, { shape, data }] of [...portable.weights.values()].entries()) {
      expect(shape).toEqual(weights[i]?.shape);
      expect(data).toEqual(await weights[i]?.data());
    }
  });

  it('keeps its numbers, whatever happens to the model, and leaks no tensor', () =>
    expectNoLeaks(async () => {
      const model = pixelCNN(SIZES);
      setNoise(model);
      const portable: PortableModel = await toPortable(model);
      const before = structuredClone(portable);
      setNoise(model, 2);
      expect(await toPortable(model)).not.toEqual(before);
      model.dispose();
      expect(portable).toEqual(before);
    }));

  it('refuses anything but models', async () => {
    await expect(toPortable(undefined as never)).rejects.toThrow('toPortable: model: wanted a model');
  });
});
