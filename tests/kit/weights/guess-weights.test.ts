import { pixelCNN } from 'pixelcnn-layers';
import { type NamedTensor, saveWeights } from 'pixelcnn-layers/weights';
import { expect, it } from 'vitest';
import { guessWeights } from '../../../kit/weights/guess-weights.mjs';
import { nameForLoading, reasonToSkip } from '../../../kit/weights/state-dict.mjs';
import { useBackend } from '../../support/backends';

function ofShape(...shape: number[]): NamedTensor {
  return { dtype: 'F32', shape, data: new Float32Array(shape.reduce((product, length) => product * length, 1)) };
}
const mapOf = (shapes: Record<string, number[]>) => new Map(Object.entries(shapes).map(([name, shape]) => [name, ofShape(...shape)]));

/** What is guessed, as [tensor, weight, layout]. */
function guessed(tensors: Record<string, number[]>, weights: Record<string, number[]>, usual: 'keras' | 'pytorch' = 'pytorch') {
  const { guesses, from } = guessWeights(mapOf(tensors), mapOf(weights), usual);
  return { from, guesses: guesses.map(({ name, weight, layout, others }) => [name, weight, layout, ...others]) };
}

it.each([
  [[3, 5, 7, 9], '[out,in,rows,columns]', 'pytorch'],
  [[7, 9, 5, 3], '[rows,columns,in,out]', 'keras'],
  [[5, 3, 7, 9], '[in,out,rows,columns], transposed', 'pytorch'],
] as const)('knows a kernel [7,9,5,3] that lies as %j', (shape, layout, from) => {
  const found = guessed({ a: [...shape] }, { 'conv.kernel': [7, 9, 5, 3] });
  expect(found).toEqual({ from, guesses: [['a', 'conv.kernel', layout]] });
});

it('knows dense kernels, also those of convolutions of one place', () => {
  const weights = { 'conv.kernel': [1, 1, 5, 3], 'dense.kernel': [4, 6] };
  expect(guessed({ a: [3, 5], b: [6, 4] }, weights).guesses).toEqual([
    ['a', 'conv.kernel', '[out,in]'],
    ['b', 'dense.kernel', '[out,in]'],
  ]);
  expect(guessed({ a: [5, 3], b: [4, 6] }, weights)).toEqual({
    from: 'keras',
    guesses: [['a', 'conv.kernel', '[in,out]'], ['b', 'dense.kernel', '[in,out]']],
  }); // biome-ignore format: one guess a line
});

it('says what else a square kernel may be, and lets the others decide', () => {
  const weights = { 'a.kernel': [4, 4], 'b.kernel': [2, 3] };
  expect(guessed({ a: [4, 4] }, weights, 'keras').guesses).toEqual([['a', 'a.kernel', '[in,out]', '[out,in]']]);
  expect(guessed({ a: [4, 4], b: [3, 2] }, weights, 'keras').guesses[0]).toEqual(['a', 'a.kernel', '[out,in]', '[in,out]']);
});

it('goes by names, whatever the order, and by the order where names say nothing', () => {
  const weights = { 'conv_in.bias': [4], 'conv_mid.bias': [4], 'conv_out.bias': [4] };
  const byName = guessed({ 'net.out_conv.bias': [4], 'net.conv_mid.b': [4], 'net.conv_in.bias': [4] }, weights);
  expect(byName.guesses.map(([name]) => name)).toEqual(['net.conv_in.bias', 'net.conv_mid.b', 'net.out_conv.bias']);
  const byOrder = guessed({ '10': [4], '9': [4], '1': [4] }, weights);
  expect(byOrder.guesses.map(([name]) => name)).toEqual(['1', '9', '10']);
});

/** Shapes by names, of \`count\` layers. */
const layers = (count: number, name: (k: number) => string, shapes: Record<string, number[]>) =>
  Array.from({ length: count }, (_, k) => k).flatMap((k) =>
    Object.entries(shapes).map(([part, shape]): [string, number[]] => [name(k) + part, shape]),
  );
const conv = { '.kernel': [3, 3, 4, 4], '.bias': [4] };
const theirConv = { '.weight': [4, 4, 3, 3], '.bias': [4] };
/** Expects the layer of each number to be guessed for ours of that number, kernel and bias. */
function expectInOrder(tensors: [string, number[]][], theirs: (k: number) => string) {
  const ours = layers(12, (k) => `block${k}.conv_mid`, conv);
  const { guesses } = guessed(Object.fromEntries(tensors), Object.fromEntries(ours));
  const wanted = layers(12, theirs, theirConv).map(([name]) => name);
  expect(guesses.map(([name]) => name)).toEqual(wanted);
}

it('counts in a file that orders its names by letters, in all or only the layers: 10 comes before 2', () => {
  const theirs = (k: number) => `net.layers.${k}.c`;
  expectInOrder(layers(12, theirs, theirConv).sort(), theirs);
  const byLayer = Array.from({ length: 12 }, (_, k) => `${k}`).sort();
  const ofLayer = (k: string) => Object.entries(theirConv).map(([part, shape]): [string, number[]] => [k + part, shape]);
  expectInOrder(byLayer.map((k) => `layer${k}`).flatMap(ofLayer), (k) => `layer${k}`);
});

it('takes numbers as an order, not as names: every second of a list, or from another number on', () => {
  for (const theirs of [(k: number) => `net.${2 * k}`, (k: number) => `net.${k + 1}`]) {
    expectInOrder(layers(12, theirs, theirConv), theirs);
    expectInOrder(layers(12, theirs, theirConv).sort(), theirs);
  }
});

it('goes by the order of the file, where that is not the order of letters', () => {
  const theirs = (k: number) => `part${Math.floor(k / 4)}.${['q', 'k', 'v', 'post'][k % 4]}`;
  expectInOrder(layers(12, theirs, theirConv), theirs);
});

it.each<[string, (module: string, k: number) => string]>([
  ['count from 1', (module) => module.replace(/^block(\d+)/, (_, k) => `stack.${Number(k) + 1}`)],
  ['count modules', (_, k) => `${k}`],
  ['begin alike', (module) => module.replace(/^block(\d+)\.conv_/, 'layers.$1.c_')],
])('finds all weights of a network in files whose names %s', async (_, rename) => {
  await useBackend('cpu');
  const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 4, outDim: 8, numBlocks: 11 });
  const weights = saveWeights(model);
  const modules = [...new Set([...weights.keys()].map((name) => name.replace(/\.\w+$/, '')))];
  const theirs = (name: string) => {
    const [module, role] = [name.replace(/\.\w+$/, ''), name.endsWith('kernel') ? 'weight' : 'bias'];
    return `${rename(module, modules.indexOf(module))}.${role}`;
  };
  const tensors = [...saveWeights(model, { to: 'pytorch' })].map(([name, tensor]) => [theirs(name), tensor] as const);
  const byLetters = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const file of [tensors, byLetters]) {
    const { guesses } = guessWeights(new Map(file), weights, 'pytorch');
    expect(guesses.map(({ name }) => name)).toEqual([...weights.keys()].map(theirs));
  }
  model.dispose();
});

it('is sure of what has the only tensor of its shape, or its name, or lies beside a kernel that has', () => {
  const sure = (tensors: Record<string, number[]>, weights: Record<string, number[]>) =>
    guessWeights(mapOf(tensors), mapOf(weights), 'pytorch').guesses.filter(({ isSure }) => isSure).map(({ weight }) => weight);
  const weights = { 'a.kernel': [2, 3], 'a.bias': [3], 'b.kernel': [3, 3], 'b.bias': [3], 'c.kernel': [3, 3], 'c.bias': [3] };
  // Of the shape [3,3], and so of the biases, two are left, which may also lie either way.
  expect(sure({ 'x.weight': [3, 2], 'x.bias': [3], 'y.weight': [3, 3], 'y.bias': [3], 'z.weight': [3, 3], 'z.bias': [3] }, weights)).toEqual(['a.kernel', 'a.bias']);
  // Names are known, and by the first kernel in which order of axes they lie.
  expect(sure({ 'net.a.weight': [3, 2], 'net.a.bias': [3], 'net.b.weight': [3, 3], 'net.b.bias': [3], 'net.c.weight': [3, 3], 'net.c.bias': [3] }, weights)).toEqual(Object.keys(weights));
  // Nothing tells in which order of axes a square kernel lies, and what is narrower is padded.
  expect(sure({ 'b.weight': [3, 3] }, { 'b.kernel': [3, 3] })).toEqual([]);
  expect(sure({ 'b.weight': [5, 7] }, { 'b.kernel': [8, 6] })).toEqual([]);
}); // biome-ignore format: one case a line

it('gives a bias to the layer that has got the kernel beside it, whatever their names', () => {
  const tensors = { 'conv1.weight': [8, 4], 'conv1.bias': [8], 'conv2.weight': [8, 6], 'conv2.bias': [8] };
  const weights = { 'conv1.kernel': [6, 8], 'conv1.bias': [8], 'conv2.kernel': [4, 8], 'conv2.bias': [8] };
  const names = guessed(tensors, weights).guesses.map(([name]) => name);
  expect(names).toEqual(['conv2.weight', 'conv2.bias', 'conv1.weight', 'conv1.bias']);
});

it('tells normalizations, whose weight has one axis, from biases', () => {
  const tensors = { 'a.bias': [4], 'a.weight': [4], 'b.bias': [4], 'b.weight': [4, 3] };
  const weights = { 'block.query.bias': [4], 'block.norm.gamma': [4], 'block.norm.beta': [4] };
  expect(guessed(tensors, weights).guesses.map(([name]) => name)).toEqual(['b.bias', 'a.weight', 'a.bias']);
});

it('uses no tensor twice, and none of another shape', () => {
  expect(guessed({ a: [4] }, { 'a.bias': [4], 'b.bias': [4] }).guesses).toEqual([['a', 'a.bias', '']]);
  expect(guessed({ a: [5] }, { 'a.bias': [4] }).guesses).toEqual([]);
  expect(guessed({ a: [4, 1] }, { 'a.gain': [4] }).guesses).toEqual([]);
});

it('knows what is narrower by a little, and prefers what is not', () => {
  const weights = { 'a.kernel': [3, 3, 6, 12], 'a.bias': [12], 'b.bias': [12] };
  const { guesses } = guessWeights(mapOf({ 'a.weight': [10, 5, 3, 3], 'a.bias': [10], 'b.bias': [6] }), mapOf(weights), 'keras');
  expect(guesses.map(({ name, weight, layout, isNarrower }) => [name, weight, layout, isNarrower])).toEqual([
    ['a.weight', 'a.kernel', '[out,in,rows,columns]', true],
    ['a.bias', 'a.bias', '', true],
  ]);
  expect(guessed({ 'a.gain': [10], 'b.scale': [12] }, { 'a.bias': [12] }).guesses).toEqual([['b.scale', 'a.bias', '']]);
  expect(guessed({ a: [10, 5, 2, 3] }, weights).guesses).toEqual([]);
});

it('refuses more than can be compared', () => {
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`${i}`, [1]]));
  expect(() => guessed(many, many)).toThrow('wanted at most 1000000 pairs of a tensor and a weight, got 1001 x 1001');
});

it('says what is no weight', () => {
  const mask = { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) };
  const tensors = new Map<string, NamedTensor>([
    ['module.conv.weight', { ...mask, data: Float32Array.of(1, 0, 0.5, 1) }],
    ['conv.zeros', ofShape(2, 2)],
    ['conv.weight_v', ofShape(2, 3)],
    ['conv.tril', mask],
    ['conv.allowed', { dtype: 'BOOL', shape: [1, 2], data: Uint8Array.of(0, 1) }],
    ['flags', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 0) }],
    ['norm.num_batches_tracked', ofShape()],
    ['optimizer.state.0.exp_avg', ofShape(2, 2)],
  ]);
  const buffers = ['of weight normalization: its direction or gain', 'a mask, by its numbers', 'a mask, by its numbers'];
  const reasons = [...tensors.keys()].map((name) => reasonToSkip(name, tensors));
  expect(reasons).toEqual([null, null, ...buffers, null, 'a buffer', "an optimizer's"]);
  expect(['module._orig_mod.a.b', 'a.mask'].map(nameForLoading)).toEqual(['a.b', undefined]);
});
