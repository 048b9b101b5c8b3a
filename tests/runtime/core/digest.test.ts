import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Digest } from '../../../src/runtime/core/digest';
import { forAll } from '../../support/runs';

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const text = (of: string) => new TextEncoder().encode(of);

/** What the reference gives (PyPI's mmh3 5, `hash_bytes(bytes, 0, x64arch=False)`). */
const known: [string, Uint8Array, string][] = [
  ['nothing', text(''), '00000000000000000000000000000000'],
  ['a byte', text('a'), '3c9394a71bb056551bb056551bb05655'],
  ['five bytes', text('hello'), 'a044242bf7de91dbb631db9ab631db9a'],
  ['a block', text('0123456789abcdef'), '09447dfb0ad3ae369b1dad48fd3b2b57'],
  ['43 bytes', text('The quick brown fox jumps over the lazy dog'), 'c383152f672ceeec6cf67b5d2c1de9e5'],
  ['all bytes', Uint8Array.from({ length: 768 }, (_, i) => i), 'd7c3bf1b294aad21e645dbd0fbb54091'],
];

it.each(known)('is that of the reference: %s', (_, bytes, digest) => {
  expect(hex(new Digest().add(bytes).finish())).toBe(digest);
});

it('does not depend on how bytes are split', () =>
  forAll([fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 })], { numRuns: 40, seed: 1 }, (parts) => {
    const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
    const inParts = parts.reduce((digest, part) => digest.add(part), new Digest());
    expect(inParts.finish()).toEqual(new Digest().add(whole).finish());
  }));
