import { describe, expect, it } from 'vitest';
import { windowAround } from '../../../src/runtime/core/window';
import { nodeOf, ProgramBuilder, type WeightRecipe } from '../../../src/runtime/program/builder';
import { programOf, weightOf } from '../../support/models/program';

/** The numbers of each weight, from those of the layers' weights. */
const numbersOf = ({ weights }: ProgramBuilder) =>
  [...weights.values()].map(({ from, make }) => Array.from(make(from.map((weight) => weight.read() as number[]))));

const point = (imageChannels = 1) => windowAround([1, 1], 'A', imageChannels);

// That a program has the right nodes, random models tell: it computes what their layers do.

it('passes on what a program for drawing has no use for', () => {
  const { program, image } = programOf(2);
  expect(program.ops.oneHot(program.condition(0, 1, false), 5).size).toBe(5);
  expect(program.ops.dropout(image, { rate: 0.5 })).toBe(image);
  expect(program.ops.perChannel(image, 2, 1)).toBe(image);
});

describe('weights', () => {
  it('are named by their layer and stored once, however often they are used', () => {
    const { program, image } = programOf(1);
    const [kernel, bias] = [weightOf([1, 1, 1, 1], [3], 'kernel'), weightOf([1], [4], 'bias')];
    program.enterLayer('first');
    const a = program.ops.conv(image, kernel, bias, point());
    program.enterLayer('second');
    const own = weightOf([1, 1, 1, 1], [5], 'kernel');
    program.ops.conv(program.ops.conv(a, kernel, null, point()), own, bias, point());
    program.ops.conv(a, weightOf([1, 1], [6], 'kernel'), null, point()); // that of a dense layer
    const convs = program.nodes.slice(1);
    expect(convs).toMatchObject([
      { kernel: 'first.kernel', bias: 'first.bias' },
      { kernel: 'first.kernel', bias: null },
      { kernel: 'second.kernel', bias: 'first.bias' },
      { kernel: 'second.kernel_1', bias: null },
    ]);
    const numbers = [...program.weights].map(([name, { shape }], i) => [name, shape, numbersOf(program)[i]]);
    expect(numbers).toEqual([
      ['first.kernel', [1, 1, 1, 1], [3]], ['first.bias', [1], [4]], ['second.kernel', [1, 1, 1, 1], [5]],
      ['second.kernel_1', [1, 1, 1, 1], [6]],
    ]); // biome-ignore format: in few lines
  });

  it('are kept once for each shape that they are used with', () => {
    const { program, image } = programOf(2);
    const weight = weightOf([1, 1, 2, 2], [1, 2, 3, 4]);
    const four = program.ops.concat(image, program.ops.conv(image, weight, null, point()));
    program.ops.affine(four, { scale: weight });
    expect([...program.weights].map(([, { shape }]) => shape)).toEqual([[1, 1, 2, 2], [4], [4]]);
  });

  it('keep the name that their layer chose, not the unique name of tfjs', () => {
    const program = new ProgramBuilder();
    program.enterLayer('conv');
    const kernel = { ...weightOf([1, 1, 1, 1]), name: 'conv/kernel_3', originalName: 'conv/kernel' };
    program.ops.conv(program.image(1), kernel, null, point());
    expect([...program.weights.keys()]).toEqual(['conv.kernel']);
  });

  it('of one number apply to every feature', () => {
    const program = new ProgramBuilder();
    const [mean, one] = [weightOf([3], [1, 2, 3]), weightOf([1, 1], [0.25])];
    const image = program.image(3);
    program.ops.affine(image, { scale: one, shift: mean });
    program.ops.normalize(image, { epsilon: 1, shift: one });
    program.ops.standardize(image, { mean, variance: weightOf([1], [3]), scale: one, epsilon: 1 }); // 0.25 / 2
    const single = program.ops.conv(image, weightOf([1, 1, 3, 1], [1, 1, 1]), null, point());
    program.ops.affine(single, { scale: one }); // a weight as any other, where there is one feature
    expect([...program.weights.values()].map(({ shape }) => shape.join())).toEqual([...Array(6).fill('3'), '1,1,3,1', '1', '1']);
    expect(numbersOf(program)).toEqual([
      [0.25, 0.25, 0.25], [1, 2, 3], // affine
      [1, 1, 1], [0.25, 0.25, 0.25], // normalize
      [0.125, 0.125, 0.125], [-0.125, -0.25, -0.375], [1, 1, 1], [0.25], [0], // standardize, and the rest
    ]); // biome-ignore format: an operation a line
    expect([...program.weights.keys()].slice(-2)).toEqual(['weight_2', 'shift_2']);
  });

  it('of batch normalization are folded into one scale and one shift', () => {
    const [mean, variance, scale, shift] = [weightOf([2], [1, 2]), weightOf([2], [3, 8]), weightOf([2], [10, 6]), weightOf([2], [7, 8])];
    for (const [more, wanted] of [
      [{ scale, shift }, [10 / 2, 6 / 3, 7 - 1 * 5, 8 - 2 * 2]], // (x - 1) / sqrt(3 + 1) * 10 + 7, ...
      [{ scale }, [5, 2, -5, -4]],
      [{ shift }, [1 / 2, 1 / 3, 6.5, 8 - 2 / 3]],
      [{}, [1 / 2, 1 / 3, -0.5, -2 / 3]],
    ] as const) {
      const program = new ProgramBuilder();
      const y = program.ops.standardize(program.image(2), { mean, variance, epsilon: 1, ...more });
      expect(program.nodes[nodeOf(y)]).toEqual({ op: 'affine', size: 2, input: 0, scale: 'scale', shift: 'shift' });
      expect(numbersOf(program).flat()).toEqual(wanted.map(Math.fround));
    }
  });
});

it('takes a kernel by direction and gain as one weight, as it is convolved with', () => {
  const program = new ProgramBuilder();
  program.enterLayer('conv');
  const image = program.image(2);
  const direction = weightOf([1, 1, 2, 2], undefined, 'kernel');
  const gain = weightOf([2], undefined, 'gain');
  const kernel = { direction, gain };
  const y = program.ops.conv(image, kernel, null, point(2));
  program.ops.conv(image, kernel, null, point(2));
  expect(program.nodes[nodeOf(y)]).toMatchObject({ op: 'conv', size: 2, kernel: 'conv.kernel', bias: null });
  expect([...program.weights.keys()]).toEqual(['conv.kernel']);
  const { from, shape } = program.weights.get('conv.kernel') as WeightRecipe;
  expect(from).toEqual([direction, gain]);
  expect(shape).toEqual([1, 1, 2, 2]);
  const numbersBy = (name: string, ...of: number[][]) => Array.from(program.weights.get(name)?.make(of) ?? [], (x) => x + 0);
  // Mask A of two channels shows the second the first: -2/|-2| times its gain, and hides all else, whatever it is.
  expect(numbersBy('conv.kernel', [3, -2, 5, 7], [10, 20])).toEqual([0, -20, 0, 0]);
  expect(numbersBy('conv.kernel', [3, 0, 5, 7], [10, 20])).toEqual([0, 0, 0, 0]);
  // The direction with another gain, and the direction alone, are other kernels.
  program.ops.conv(image, { direction, gain: weightOf([2], undefined, 'other') }, null, point(2));
  program.ops.conv(image, direction, null, point(2));
  program.ops.conv(image, kernel, null, point(2));
  expect(program.nodes.slice(3)).toMatchObject([{ kernel: 'conv.kernel_1' }, { kernel: 'conv.kernel_2' }, { kernel: 'conv.kernel' }]);
  expect(numbersBy('conv.kernel_1', [3, -2, 5, 7], [10, 4])).toEqual([0, -4, 0, 0]);
  expect(numbersBy('conv.kernel_2', [3, -2, 5, 7])).toEqual([3, -2, 5, 7]);
  // The norm is of what a window shows, here of everything: 3 and 5 for the first feature, -2 and 7 for the second.
  const whole = program.ops.conv(image, kernel, null, windowAround([1, 1], 'everything', 1));
  expect(program.nodes[nodeOf(whole)]).toMatchObject({ kernel: 'conv.kernel_3' });
  const [first, second] = [10 / Math.hypot(3, 5), 20 / Math.hypot(-2, 7)] as const;
  const shown = numbersBy('conv.kernel_3', [3, -2, 5, 7], [10, 20]);
  expect(shown).toEqual([3 * first, -2 * second, 5 * first, 7 * second].map(Math.fround));
});

/** A program whose image has six features, beside a vector of two and a map of one. */
function started() {
  const program = new ProgramBuilder();
  return { program, image: program.image(6), vector: program.condition(0, 2, false), map: program.condition(1, 1, true) };
}

const sixToThree = weightOf([1, 1, 6, 3]);
const two = weightOf([2], [], 'w');
const moments = { mean: weightOf([6]), variance: weightOf([6]), epsilon: 1 };
const isNoWeight = "weight 'w': wanted one of shape [6], got [2]";
const upright = (imageChannels: number) => windowAround([3, 1], 'A', imageChannels);
const everywhere = 'since its input is the same at every pixel, got';

type Started = ReturnType<typeof started>;
// What is refused of nodes from files, too, is in check-program.test.ts: the same code checks both.
const refused: [what: string, message: string, make: (started: Started) => unknown][] = [
  ['a bias of another size', "weight 'w': wanted one of shape [3], got [2]", ({ program: p, image }) => p.ops.conv(image, sixToThree, two, point())],
  ['a gain of another size', "weight 'w': wanted one of shape [3], got [2]", ({ program: p, image }) => p.ops.conv(image, { direction: sixToThree, gain: two }, null, point(3))],
  ['a kernel that does not fit its window', "conv: kernel 'weight': wanted shape [3,1,6,6], got [1, 3, 6, 6]", ({ program: p, image }) => p.ops.conv(image, weightOf([1, 3, 6, 6]), null, upright(1))],
  ['outputs that channels do not split', 'conv: output features: wanted a multiple of imageChannels (3), got 4', ({ program: p, image }) => p.ops.conv(image, weightOf([3, 1, 6, 4]), null, upright(3))],
  ['a kernel of three axes', 'conv: kernel: wanted [rows, columns, in, out], got [3, 1, 6]', ({ program: p, image }) => p.ops.conv(image, weightOf([3, 1, 6]), null, upright(1))],
  ['a kernel of any size', 'conv: kernel: wanted [rows, columns, in, out], got [3, 1, 6, null]', ({ program: p, image }) => p.ops.conv(image, { ...two, shape: [3, 1, 6, null] }, null, upright(1))],
  ['a window of what is made of a vector', `conv: window: wanted 1x1 of stride 1, ${everywhere} '3x3 of stride 1'`, ({ program: p, vector }) => p.ops.conv(p.ops.conv(vector, weightOf([2, 2]), null, point()), weightOf([3, 3, 2, 1]), null, windowAround([3, 3], 'B', 1))],
  ...[{ scale: two }, { shift: two }].flatMap((scaled): typeof refused => [
    ['another scale or shift', isNoWeight, ({ program: p, image }) => p.ops.affine(image, scaled)],
    ['another scale or shift of a normalization', isNoWeight, ({ program: p, image }) => p.ops.normalize(image, { epsilon: 1, ...scaled })],
    ['another scale or shift of a batch', isNoWeight, ({ program: p, image }) => p.ops.standardize(image, { ...moments, ...scaled })],
  ]),
  ['another gate', "gate: kind: wanted 'tanh' or 'linear', got 'relu'", ({ program: p, image }) => p.ops.gate(image, 1, undefined, 'relu' as never)],
  ['no classes', 'oneHot: size: wanted an integer of at least 1, got 0', ({ program: p, map }) => p.ops.oneHot(map, 0)],
  ['dropout of everything', 'dropout: rate: wanted a number from 0, below 1', ({ program: p, image }) => p.ops.dropout(image, { rate: 1 })],
  ['other channels', 'perChannel: input: wanted 18 features, got 6', ({ program: p, image }) => p.ops.perChannel(image, 6, 3)],
  ['another softmax', "softmax: wanted 'softmax' or 'logSoftmax', got 'softplus'", ({ program: p, image }) => p.ops.softmax('softplus' as 'softmax', image, 1)],
  ['heads that do not split the values', 'attend: values: wanted a multiple of heads (2), got 1', ({ program: p, image, map }) => p.ops.attend(image, image, map, 2)],
  ['attention that drops everything', 'attend: rate: wanted a number from 0', ({ program: p, image }) => p.ops.attend(image, image, image, 2, { rate: 1 })],
]; // biome-ignore format: a case a line

it.each(refused)('refuses %s: %s', (_, message, make) => {
  expect(() => make(started())).toThrow(message);
});
