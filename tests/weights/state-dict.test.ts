import { expect, it } from 'vitest';
import type { ModelWeight } from '../../src/weights/model-weights';
import type { Repository } from '../../src/weights/repositories';
import { originsIn, unwrappedName } from '../../src/weights/state-dict';

/** Weights by their names, with their shapes and those of their kernels. */
const weights = (all: Record<string, [shape: number[], kernel?: number[]]>) =>
  Object.entries(all).map(([name, [shape, kernel = null]]): ModelWeight => {
    const [layer = '', role = ''] = name.split('.');
    return { name, layer, part: '', role, shape, kernel, variable: null as never };
  });

/** For each weight, the tensors that it comes from, and what it becomes if these hold 1, 2, 3, … */
const found = (repository: Repository, all: readonly ModelWeight[]) =>
  originsIn(repository, all).map((origin) => {
    if (origin === null) return null;
    const counting = origin.parts.map(({ shape }) => {
      return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);
    });
    const parts = origin.parts.map(({ name, shape }) => `${name} [${shape}]`);
    return [parts.join(', '), [...origin.make(...counting)]];
  });

it('originsIn takes directions and gains of normalized kernels, in any order of axes', () => {
  const names = [[/kernel$/, 'weight_v'], [/gain$/, 'weight_g']] as const; // biome-ignore format: pairs
  const kernel = [1, 2, 1, 2]; // [rows,columns,in,out]
  const conv = weights({ 'conv.kernel': [kernel, kernel], 'conv.gain': [[2], kernel] });
  expect(found({ names }, conv)).toEqual([
    ['conv.weight_v [2,1,1,2]', [1, 3, 2, 4]], // of [out,in,rows,columns] 1 2 | 3 4
    ['conv.weight_g [2,1,1,1]', [1, 2]],
  ]);
  expect(found({ names, inputsFirst: /./ }, conv)).toEqual([
    ['conv.weight_v [1,2,1,2]', [1, 3, 2, 4]],
    ['conv.weight_g [1,1,1,1]', [1]],
  ]);
  const point = [1, 1, 2, 2];
  const linear = weights({ 'conv.kernel': [point, point], 'conv.gain': [[2], point] });
  expect(found({ names, linear: /./ }, linear)).toEqual([
    ['conv.weight_v [2,2]', [1, 3, 2, 4]],
    ['conv.weight_g [2,1]', [1, 2]],
  ]);
  // [out,in] 1 2 | 3 4, each divided by its length, and the second times 2; their lengths are the gains
  const [first, second] = [1 / Math.sqrt(5), 2 / 5].map(Math.fround) as [number, number];
  const anew = found({ names, linear: /./, normalizedAnew: /./ }, linear);
  expect(anew).toEqual([
    ['conv.weight_v [2,2], conv.weight_g [2,1]', [first, 3 * second, 2 * first, 4 * second].map((x) => expect.closeTo(x, 6))],
    ['conv.weight_v [2,2], conv.weight_g [2,1]', [expect.closeTo(1, 6), expect.closeTo(2, 6)]],
  ]); // biome-ignore format: a row a line
  expect(found({ names }, weights({ 'dense.gain': [[2]] }))).toEqual([null]); // without a kernel
});

// What weights are made of tensors of other repositories, the networks of tests/golden tell, by what they return.

it('leaves out what wrappers add, buffers, and what else is ignored', () => {
  const repository = { prefix: /^net\./, ignored: /^head\./ };
  const names = ['module._orig_mod.net.a._orig_mod.b', 'net.mask', 'a.num_batches_tracked', 'head.bias', 'net.head.bias', 'masked'];
  expect(names.map((name) => unwrappedName(name, repository))).toEqual(['a.b', null, null, null, null, 'masked']);
  expect(unwrappedName('net.head.bias')).toBe('net.head.bias');
});
