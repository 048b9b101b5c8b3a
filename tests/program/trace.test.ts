import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { maskedConv2d, pixelLogits } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Features, Program } from '../../src/program/program';
import { ONCE, stepsOf } from '../../src/program/steps';
import { type TracedModel, trace } from '../../src/program/trace';
import { useBackend } from '../support/backends';

beforeAll(() => useBackend('cpu'));

const LEVELS = 2;
type Graph = (image: tfl.SymbolicTensor) => tfl.SymbolicTensor;

/** What is made of a graph from an image to the features of its logits; `then` may look at the program. */
function traced<T>(channels: number, graph: Graph, then: (result: ReturnType<typeof trace>) => T): T {
  const image = tfl.input({ shape: [3, 3, channels] });
  const logits = pixelLogits({ imageChannels: channels, levels: LEVELS });
  const outputs = logits.apply(graph(image)) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: image, outputs });
  const before = tf.memory().numTensors;
  const result = then(trace(model, channels, LEVELS));
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
  return result;
}

const nodes = (result: ReturnType<typeof trace>) => (result as TracedModel).program.nodes;
const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]) =>
  layer.apply(x) as tfl.SymbolicTensor;
const conv = (filters: number, maskType: 'A' | 'B', imageChannels = 1) =>
  maskedConv2d({ filters, kernelSize: 3, maskType, imageChannels });

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
          { op: 'relu', size: 2, input: 1 },
          { op: 'add', size: 2, inputs: [2, 1] },
          { op: 'conv', size: 2, input: 2 },
          { op: 'multiply', size: 2, inputs: [3, 4] },
        ]);
        expect((result as TracedModel).logits).toMatchObject({ index: 5, size: 2 });
      },
    );
  });

  it('computes a layer once for each tensor it is applied to, with the same weights', () => {
    const shared = conv(2, 'B');
    const graph: Graph = (image) => apply(shared, apply(shared, apply(conv(2, 'A'), image)));
    const [first, second] = traced(1, graph, nodes).slice(2);
    if (first?.op !== 'conv' || second?.op !== 'conv') throw new Error('wanted two convolutions');
    expect([first.input, second.input]).toEqual([1, 2]);
    expect(second.args.kernel).toBe(first.args.kernel);
  });

  it('asks a layer itself first, where it can build itself of operations', () => {
    class Minus extends tfl.layers.Layer {
      static className = 'Minus';
      override call = (x: tf.Tensor | tf.Tensor[]) => tf.neg((Array.isArray(x) ? x[0] : x) as tf.Tensor);
      incremental(program: Program, [x]: readonly Features[]): Features | null {
        return x === undefined || x.size !== 2 ? null : program.map(x, (value) => -value);
      }
    }
    const program = traced(1, (image) => apply(new Minus(), apply(conv(2, 'A'), image)), nodes);
    expect(program.map(({ op }) => op)).toEqual(['image', 'conv', 'map']);
    const graph: Graph = (image) => apply(conv(2, 'A'), apply(new Minus({ name: 'own' }), image));
    expect(traced(1, graph, (result) => result)).toEqual({
      obstacle: "layer 'own' (Minus) cannot be evaluated pixel by pixel",
    });
  });

  it('names the layer that cannot be evaluated pixel by pixel', () => {
    const graph: Graph = (image) => {
      const a = apply(conv(2, 'A'), image);
      const pooled = apply(tfl.layers.maxPooling2d({ poolSize: 1, name: 'pool' }), a);
      return apply(conv(2, 'B'), apply(tfl.layers.add(), [a, pooled]));
    };
    expect(traced(1, graph, (result) => result)).toEqual({
      obstacle: "layer 'pool' (MaxPooling2D) cannot be evaluated pixel by pixel",
    });
  });

  it('passes on what goes wrong in a layer', () => {
    const broken = Object.assign(tfl.layers.reLU(), {
      incremental: () => {
        throw new RangeError('broken');
      },
    });
    const graph: Graph = (image) => apply(broken, apply(conv(2, 'A'), image));
    expect(() => traced(1, graph, (result) => result)).toThrow(RangeError);
  });

  it.each([
    [3, 0, (image: tfl.SymbolicTensor) => apply(conv(6, 'B', 3), image)], // every channel sees itself
    [
      3,
      1,
      (image: tfl.SymbolicTensor) =>
        // of one group each: the logits of channel 0 see earlier pixels, those after it the whole pixel
        apply(tfl.layers.concatenate(), [apply(conv(2, 'A', 1), image), apply(conv(4, 'B', 1), image)]),
    ],
    [
      1,
      0,
      (image: tfl.SymbolicTensor) =>
        // the second level alone
        apply(tfl.layers.concatenate(), [apply(conv(1, 'A'), image), apply(conv(1, 'B'), image)]),
    ],
  ])('says which channel sees what is not drawn yet: of %i channels, %i', (channels, channel, graph) => {
    expect(traced(channels, graph, (result) => result)).toEqual({
      obstacle: `the model is not causal: its logits of channel ${channel} see that channel or a later one`,
    });
  });

  it.each([
    ['to the left', { kernelSize: [1, 3] as [number, number] }],
    ['above', { kernelSize: [3, 1] as [number, number] }],
    ['above, whole rows', { kernelSize: 3, vertical: true }],
  ])('refuses a vertical layer whose input does not see rows above only, read %s', (_, second) => {
    const graph: Graph = (image) => {
      const vertical = maskedConv2d({ filters: 2, kernelSize: [1, 3], vertical: true, imageChannels: 1 });
      const layer = maskedConv2d({ filters: 2, maskType: 'A', imageChannels: 1, ...second });
      return apply(layer, apply(vertical, image));
    };
    expect(traced(1, graph, (result) => result)).toEqual({
      obstacle: expect.stringContaining(
        'a vertical layer with mask B, whose input must see rows above only and does not',
      ),
    });
  });

  it('is quick with what is made of a condition, in however many steps', () => {
    const program = new Program();
    let x = program.condition(4, false);
    for (let i = 0; i < 200; i++) x = program.add(x, program.relu(x));
    expect(stepsOf(program.nodes).at(-1)).toEqual([ONCE, ONCE, ONCE, ONCE]);
  });

  it('takes a model of three channels that keeps their order', () => {
    expect(traced(3, (image) => apply(conv(6, 'A', 3), image), nodes)).toHaveLength(2);
  });
});
