import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  type Features,
  type IncrementalLayer,
  maskedConv2d,
  type Program as ProgramOfLayer,
  pixelLogits,
  receptiveField,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { Program } from '../../src/layers/incremental';
import { ProgramBuilder } from '../../src/program/builder';
import { sample as samplePortable } from '../../src/sampling/sample';
import { useBackend } from '../support/backends';
import { expectNoLeaks, noise, setNoise, take } from '../support/tensors';
import { expectWarning } from '../support/warnings';

beforeAll(() => useBackend('cpu'));

type Symbolic = tfl.SymbolicTensor;

describe('the program that layers of version 0.1 are built of', () => {
  const program = () => {
    const builder = new ProgramBuilder();
    return { builder, program: new Program(builder), image: builder.image(2) };
  };

  it('adds the nodes of its operations', () => {
    const { builder, program: p, image } = program();
    const [kernel, bias, vector, gamma] = [
      tf.zeros([3, 1, 2, 4]),
      tf.zeros([4]),
      tf.zeros([2]),
      tf.zeros([2]),
    ];
    const args = { kernel, bias, maskType: 'A', imageChannels: 2 } as const;
    const conv = p.conv(image, args);
    p.conv(image, { ...args, imageChannels: 1, vertical: true, maskType: 'B' });
    p.relu(conv);
    const gated = p.gate(conv, 2);
    p.map(gated, Math.sin);
    p.add(gated, gated);
    p.multiply(gated, image);
    p.concat(image, gated);
    p.affine(image, { weights: [vector, vector], numbers: ([a = 0, b = 0]) => [a, b] });
    p.normalize(image, { gamma, beta: undefined, epsilon: 0.1 });
    p.conv(image, { kernel: tf.zeros([2, 4]), maskType: 'B', imageChannels: 1 });
    const window = { kernelSize: [3, 1], anchor: [1, 0], stride: 1, transposed: false };
    expect(builder.nodes.slice(1)).toEqual([
      { op: 'conv', size: 4, input: 0, kernel: 'kernel', bias: 'bias', window: { ...window, present: 'A', imageChannels: 2 } }, // biome-ignore format: one line
      { op: 'conv', size: 4, input: 0, kernel: 'kernel', bias: 'bias', window: { ...window, present: 'everything', imageChannels: 1 } }, // biome-ignore format: one line
      { op: 'pointwise', size: 4, input: 1, fn: 'relu', parameter: 0 },
      { op: 'gate', size: 2, input: 1, groups: 2 },
      { op: 'closure', size: 2, input: 4, index: 0 },
      { op: 'add', size: 2, inputs: [4, 4] },
      { op: 'multiply', size: 2, inputs: [4, 0] },
      { op: 'concat', size: 4, inputs: [0, 4] },
      { op: 'affine', size: 2, input: 0, scale: 'scale', shift: 'shift' },
      { op: 'normalize', size: 2, input: 0, scale: 'gamma', shift: 'shift_1', epsilon: 0.1, groups: 1 },
      { op: 'conv', size: 4, input: 0, kernel: 'kernel_1', bias: null, window: { ...window, kernelSize: [1, 1], anchor: [0, 0], present: 'B', imageChannels: 1 } }, // biome-ignore format: one line
    ]);
    expect(builder.closures).toEqual([Math.sin]);
  });

  it('takes scales and shifts from the numbers of its weights, feature by feature', () => {
    const { builder, program: p, image } = program();
    const [a, b] = [tf.tensor1d([1, 2]), tf.tensor1d([10, 20])];
    p.affine(image, { weights: [a, b], numbers: ([x = 0, y = 0]) => [x + y, 2 * y] });
    const numbers = [...builder.weights.values()].map(({ from, make }) =>
      Array.from(make(from.map((weight) => (weight.read() as tf.Tensor).dataSync()))),
    );
    expect(numbers).toEqual([
      [11, 22],
      [20, 40],
    ]);
    tf.dispose([a, b]);
  });

  it('refuses operands and weights of other sizes', () => {
    const { program: p, image } = program();
    const kernel = tf.zeros([1, 1, 2, 3]);
    const args = { kernel, maskType: 'A', imageChannels: 1 } as const;
    const three = p.conv(image, args);
    expect(() => p.add(image, three)).toThrow('add: wanted features of one size, got [2, 3]');
    expect(() => p.multiply()).toThrow('multiply: wanted features of one size');
    expect(() => p.conv(three, args)).toThrow('conv: kernel: wanted 3 input features, got 2');
    const [gamma, ...weights] = [tf.zeros([2]), tf.zeros([2])];
    expect(() => p.affine(three, { weights, numbers: () => [1, 0] })).toThrow(
      'wanted one of shape [3], got [2]',
    );
    expect(() => p.normalize(three, { gamma, epsilon: 1 })).toThrow(
      "weight 'gamma': wanted one of shape [3]",
    );
    expect(() => p.gate(three, 1)).toThrow('gate: input: wanted a multiple of 2 * groups (2), got 3');
    tf.dispose([kernel, gamma, ...weights]);
  });
});

/** A layer as version 0.1 has it: its arithmetic twice, on tensors and as a program. [N,H,W,4] -> [N,H,W,4]. */
class Twice extends tfl.layers.Layer implements IncrementalLayer {
  static className = 'TestTwice';

  private scale!: tfl.LayerVariable;
  private shift!: tfl.LayerVariable;
  private mix!: tfl.LayerVariable;

  constructor(
    args: { name: string },
    /** A function of the user's own, where the layer applies one. */
    private readonly fn: { tensors: (x: tf.Tensor) => tf.Tensor; numbers: (x: number) => number } | null,
  ) {
    super(args);
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const uniform = tfl.initializers.randomUniform({ minval: -1, maxval: 1, seed: 1 });
    this.scale = this.addWeight('scale', [4], 'float32', uniform);
    this.shift = this.addWeight('shift', [4], 'float32', uniform);
    this.mix = this.addWeight('mix', [1, 1, 4, 8], 'float32', uniform);
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = [inputs].flat()[0] as tf.Tensor4D;
      const { mean, variance } = tf.moments(x, -1, true);
      const normal = tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 0.1))), this.scale.read());
      const affine = tf.add(tf.mul(x, tf.mul(2, this.scale.read())), this.shift.read());
      const [a, b] = tf.split(tf.conv2d(x, this.mix.read() as tf.Tensor4D, 1, 'same'), 2, 3) as [
        tf.Tensor,
        tf.Tensor,
      ];
      const gated = tf.mul(tf.tanh(a), tf.sigmoid(b));
      const bent = this.fn?.tensors(normal) ?? tf.relu(normal);
      return tf.add(tf.mul(gated, bent), affine);
    });
  }

  incremental(program: ProgramOfLayer, [x]: readonly Features[]): Features | null {
    if (x === undefined) return null;
    const [scale, shift] = [this.scale.read(), this.shift.read()];
    const normal = program.normalize(x, { gamma: scale, epsilon: 0.1 });
    const affine = program.affine(x, { weights: [scale, shift], numbers: ([s = 0, t = 0]) => [2 * s, t] });
    const mixed = program.conv(x, { kernel: this.mix.read(), maskType: 'B', imageChannels: 1 });
    const gated = program.gate(mixed, 1);
    const bent = this.fn === null ? program.relu(normal) : program.map(normal, this.fn.numbers);
    return program.add(program.multiply(gated, bent), affine);
  }
}

const square = { tensors: (x: tf.Tensor) => tf.square(x), numbers: (x: number) => x * x };
const bend = {
  tensors: (x: tf.Tensor) => tf.div(x, tf.add(tf.abs(x), 2)),
  numbers: (x: number) => x / (Math.abs(x) + 2),
};

/** From images [3,4,1] to the logits of four levels, by these layers. */
function modelOf(...layers: tfl.layers.Layer[]): AutoregressiveModel {
  const image = tfl.input({ shape: [3, 4, 1] });
  const conv = (maskType: 'A' | 'B') =>
    maskedConv2d({ filters: 4, kernelSize: 3, maskType, imageChannels: 1 });
  const features = [
    conv('A'),
    ...layers,
    conv('B'),
    pixelLogits({ imageChannels: 1, levels: 4 }),
  ].reduce<Symbolic>((x, layer) => layer.apply(x) as Symbolic, image);
  const model = autoregressiveModel({ inputs: image, outputs: features });
  setNoise(model);
  return model;
}

describe('a layer of version 0.1', () => {
  it('is sampled pixel by pixel as by whole passes, and goes into a portable model', async () => {
    await expectNoLeaks(async () => {
      const model = modelOf(new Twice({ name: 'old' }, null));
      const options = { numImages: 40, seed: 1 };
      const full = await take(await sample(model, { ...options, strategy: 'full' }));
      expect(await take(await sample(model, { ...options, strategy: 'incremental' }))).toEqual(full);
      const portable = structuredClone(await toPortable(model));
      expect(Array.from((await samplePortable(portable, options)).data)).toEqual(full);
      expect([...portable.weights.keys()].filter((name) => name.startsWith('old.'))).toHaveLength(5);
      expect((await receptiveField(model, { row: 2, column: 1 })).window).toEqual({
        top: 0,
        left: 0,
        right: 3,
      });
      model.dispose();
    });
  });

  it('with functions of its own is sampled in place, but is not portable, which names it', async () => {
    await expectNoLeaks(async () => {
      const model = modelOf(new Twice({ name: 'plain' }, null), new Twice({ name: 'first' }, square), new Twice({ name: 'second' }, bend)); // biome-ignore format: one line
      const options = { numImages: 40, seed: 1 };
      const full = await take(await sample(model, { ...options, strategy: 'full' }));
      for (const strategy of ['incremental', 'auto'] as const) {
        expect(await take(await sample(model, { ...options, strategy }))).toEqual(full);
      }
      await expect(toPortable(model)).rejects.toThrow(
        "toPortable: layer 'first' gives a function of its own to Program.map, which is not data",
      );
      await expect(receptiveField(model, { row: 2, column: 1 })).resolves.toMatchObject({
        window: { top: 0 },
      });
      model.dispose();
    });
  });

  it('may give nothing, where it cannot be evaluated so', async () => {
    const layer = Object.assign(new Twice({ name: 'odd' }, null), { incremental: () => null });
    const model = modelOf(layer);
    const message = "layer 'odd' (TestTwice) cannot be evaluated pixel by pixel";
    await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow(message);
    await expect(toPortable(model)).rejects.toThrow(`toPortable: ${message}`);
    const full = await take(await sample(model, { seed: 1, strategy: 'full' }));
    const images = await expectWarning(message, () => sample(model, { seed: 1 }));
    expect(await take(images)).toEqual(full);
    model.dispose();
  });

  it('reads its weights when it is sampled, not when it is made', async () => {
    const model = modelOf(new Twice({ name: 'old' }, square));
    const before = await take(await sample(model, { numImages: 10, seed: 1, strategy: 'incremental' }));
    const scale = tf.tensor1d(noise(4, 99));
    model.getLayer('old').weights[0]?.write(scale);
    const after = await take(await sample(model, { numImages: 10, seed: 1, strategy: 'incremental' }));
    expect(after).not.toEqual(before);
    expect(after).toEqual(await take(await sample(model, { numImages: 10, seed: 1, strategy: 'full' })));
    scale.dispose();
    model.dispose();
  });
});
