import * as tfl from '@tensorflow/tfjs-layers';
import { autoregressiveModel, maskedConv2d, pixelLogits, sample } from 'pixelcnn-layers';
import { describe, expect, it } from 'vitest';
import { imageModelShape } from '../../../src/models/image-model';
import { readModel, type TracedModel, trace } from '../../../src/portable/trace';
import type { ConditionValues } from '../../../src/runtime/core/conditions';
import { Evaluator, evaluatorFor } from '../../../src/runtime/engine/evaluator';
import type { Machine } from '../../../src/runtime/engine/machine';
import { javascriptKernels } from '../../../src/runtime/kernels/javascript';
import { makeKernels } from '../../../src/runtime/kernels/webassembly';
import { AFTER_ROW, ONCE } from '../../../src/runtime/program/times';
import { onEachCpuBackend } from '../../support/backends';
import { fill } from '../../support/models/random-model';
import { scoped } from '../../support/scoped';
import { take } from '../../support/tensors';
import { expectWarning } from '../../support/warnings';

/** A graph with branches, skips and every kind of layer covered. */
function branching(channels: number, levels: number): tfl.LayersModel {
  const image = tfl.input({ shape: [4, 5, channels] });
  const conv = (x: tfl.SymbolicTensor, args: Partial<Parameters<typeof maskedConv2d>[0]> = {}) =>
    maskedConv2d({ filters: 3 * channels, kernelSize: 3, imageChannels: channels, ...args }).apply(x) as tfl.SymbolicTensor;
  const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]) => layer.apply(x) as tfl.SymbolicTensor;
  const first = conv(image, { maskType: 'A', kernelSize: [5, 3] });
  const a = apply(tfl.layers.batchNormalization(), conv(first, { activation: 'tanh' }));
  const b = apply(tfl.layers.leakyReLU({ alpha: 0.2 }), conv(first, { kernelSize: [1, 3], useBias: false }));
  const c = apply(tfl.layers.multiply(), [a, apply(tfl.layers.activation({ activation: 'sigmoid' }), b)]);
  const d = apply(tfl.layers.add(), [a, b, apply(tfl.layers.dropout({ rate: 0.5 }), c)]);
  const e = apply(tfl.layers.elu(), conv(d, { activation: 'softsign' }));
  const joined = channels === 1 ? apply(tfl.layers.concatenate(), [d, e]) : apply(tfl.layers.reLU(), e);
  const logits = conv(joined, { filters: levels * channels, kernelSize: 1 });
  return autoregressiveModel({ inputs: image, outputs: apply(pixelLogits({ imageChannels: channels, levels }), logits) });
}

type Conv = (x: tfl.SymbolicTensor, filters: number, maskType: 'A' | 'B', imageChannels?: number) => tfl.SymbolicTensor; // biome-ignore format: one type

interface Unusual {
  channels: number;
  levels: number;
  /** Features, or logits, of an image. */
  build: (image: tfl.SymbolicTensor, conv: Conv) => tfl.SymbolicTensor;
}

const join = (...features: tfl.SymbolicTensor[]) => tfl.layers.concatenate().apply(features) as tfl.SymbolicTensor;

const unusual: Record<string, Unusual> = {
  'logits of a channel at several times': { channels: 2, levels: 3, build: (x, conv) => join(conv(x, 4, 'A'), conv(x, 2, 'A', 2)) },
  'a feature that goes with each of several others': {
    channels: 1,
    levels: 5,
    build: (x, conv) => conv(tfl.layers.multiply().apply([conv(x, 5, 'A'), conv(x, 1, 'A')]) as tfl.SymbolicTensor, 5, 'B'),
  },
  'refused: levels joined': {
    channels: 2,
    levels: 4,
    build: (x, conv) => {
      const half = () => pixelLogits({ imageChannels: 2, levels: 2 }).apply(conv(x, 4, 'A')) as tfl.SymbolicTensor;
      return join(half(), half());
    },
  },
};

const isRefused = (name: string) => name.startsWith('refused');

onEachCpuBackend('incremental sampling', () => {
  it.each(Object.keys(unusual))('draws the images of whole passes from an unusual graph: %s', async (name) => {
    const { channels, levels, build } = unusual[name] as Unusual;
    const image = tfl.input({ shape: [3, 4, channels] });
    const conv = (x: tfl.SymbolicTensor, filters: number, maskType: 'A' | 'B', imageChannels = 1) =>
      maskedConv2d({ filters, kernelSize: 3, maskType, imageChannels }).apply(x) as tfl.SymbolicTensor;
    const features = build(image, conv);
    const isLogits = features.shape.length === 5;
    const outputs = isLogits ? features : pixelLogits({ imageChannels: channels, levels }).apply(features);
    const model = scoped(fill(tfl.model({ inputs: image, outputs: outputs as tfl.SymbolicTensor })));
    const options = { numImages: 5, seed: 1 };
    const full = await take(await sample(model, { ...options, strategy: 'full' }));
    const refusal = 'cannot be evaluated pixel by pixel';
    if (isRefused(name)) {
      await expect(sample(model, { ...options, strategy: 'incremental' })).rejects.toThrow(refusal);
      const images = await expectWarning(refusal, () => sample(model, options));
      expect(await take(images)).toEqual(full);
    } else {
      expect(await take(await sample(model, { ...options, strategy: 'incremental' }))).toEqual(full);
    }
  });

  it('computes the same bits on every backend, with and without WebAssembly: a digest of logits', async () => {
    const model = scoped(fill(branching(3, 4)));
    const words = await wordsOfLogits(model, makeKernels);
    expect(await wordsOfLogits(model, javascriptKernels)).toEqual(words);
    expect(words.reduce((digest, word) => (Math.imul(digest, 31) + word) | 0, 0)).toBe(DIGEST);
  });
});

/** The bits of the logits at every place of three images [4,5,C] of four levels. */
async function wordsOfLogits(model: tfl.LayersModel, make: typeof makeKernels): Promise<number[]> {
  const channels = model.inputs[0]?.shape[3] as number;
  const shape = imageModelShape('test', model);
  const traced = trace(model, shape) as TracedModel;
  const args = { numImages: 3, imageShape: [4, 5, channels] as const };
  const evaluator = evaluatorFor(await readModel(traced, shape), args, make);
  const words: number[] = [];
  for (let place = 0; place < 20 * channels; place++) {
    const [pixel, channel] = [Math.floor(place / channels), place % channels];
    const [row, column] = [Math.floor(pixel / 5), pixel % 5];
    const logits = evaluator.outputs(row, column, channel);
    words.push(...new Uint32Array(logits.slice().buffer));
    evaluator.put(row, column, channel, Int32Array.of(place % 4, (place * 3) % 4, (place >> 2) % 4));
  }
  return words;
}

/** Of the branching model's logits, the same wherever they are computed. */
const DIGEST = -241034475;

describe('Evaluator', () => {
  /** An evaluator of images [2,2,2] over a machine that only says what it is told. */
  function logged(...conditions: ConditionValues[]) {
    const log: string[] = [];
    const operand = { base: 1, offset: 0, stride: 4 };
    const given = conditions.map((_, index) => ({ index, to: { ...operand, offset: 8 + 4 * index } }));
    const io = { image: operand, categories: [], outputs: { ...operand, offset: 4 }, conditions: given };
    const at = (of: typeof operand) => {
      if (of.offset >= 8) log.push('condition');
      return of.offset;
    };
    const machine = {
      heap: new Float32Array(8 + 4 * conditions.length),
      active: [{ first: 0, images: 1, at }],
      plan: { width: 2, channels: 2 },
      row: -1,
      computeFirst: () => {},
      moveTo(row: number, column: number) {
        machine.row = row;
        log.push(`move ${row} ${column}`);
      },
      run: (time: number) => log.push(time === ONCE ? 'once' : `time ${time}`),
      rowInParts: function* (time: number) {
        log.push(time === AFTER_ROW ? 'after row' : 'row');
        yield;
      },
    };
    const evaluator = new Evaluator(machine as unknown as Machine, io, 5);
    evaluator.begin(1, conditions);
    return { evaluator, heap: machine.heap, taken: () => log.splice(0) };
  }

  it('runs steps once, before a row, at each time of a pixel, and after a row, each once and in order', () => {
    const map = { shape: [2, 2, 1], values: Float32Array.of(1, 2, 3, 4) };
    const vector = { shape: [1], values: Float32Array.of(7) };
    const { evaluator, heap, taken } = logged(map, vector);

    evaluator.outputs(0, 0, 1);
    expect(taken()).toEqual(['move 0 0', 'condition', 'condition', 'once', 'row', 'move 0 0', 'time 0', 'time 1']);
    evaluator.outputs(0, 0, 0); // it is done
    expect(taken()).toEqual([]);
    evaluator.put(0, 0, 0, [2]);
    expect(taken()).toEqual([]);
    evaluator.put(0, 0, 1, [4]);
    expect(taken()).toEqual(['time 2']);
    expect(Array.from(heap.subarray(0, 2))).toEqual([0.5, 1]); // as models take levels

    evaluator.put(0, 1, 0, [0]);
    expect(taken()).toEqual(['move 0 1']);
    evaluator.outputs(0, 1, 0);
    expect(taken()).toEqual(['time 0']);
    evaluator.put(0, 1, 1, [0]);
    expect(taken()).toEqual(['time 1', 'time 2']);

    evaluator.outputs(1, 0, 0);
    expect(taken()).toEqual(['after row', 'move 1 0', 'condition', 'row', 'move 1 0', 'time 0']); // the map alone
  });
});
