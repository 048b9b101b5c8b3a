import { expect, it } from 'vitest';
import { unwrappedName } from '../../src/weights/state-dict';

// What weights are made of tensors of other repositories, the networks of tests/golden tell, by what they return.

it('leaves out what wrappers add, buffers, and what else is ignored', () => {
  const repository = { prefix: /^net\./, ignored: /^head\./ };
  const names = ['module._orig_mod.net.a._orig_mod.b', 'net.mask', 'a.num_batches_tracked', 'head.bias', 'net.head.bias', 'masked'];
  expect(names.map((name) => unwrappedName(name, repository))).toEqual(['a.b', null, null, null, null, 'masked']);
  expect(unwrappedName('net.head.bias')).toBe('net.head.bias');
});
