import fc from 'fast-check';
import { type NamedTensor, readSafetensors, writeSafetensors } from 'pixelcnn-layers/weights';
import { describe, expect, it } from 'vitest';
import { float32Of } from '../../src/weights/named-tensor';
import { forAll } from '../support/runs';

const tensors = new Map<string, NamedTensor>([
  ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['signed bytes', { dtype: 'I8', shape: [1], data: Int8Array.of(-128) }],
  ['flags', { dtype: 'BOOL', shape: [2, 1], data: Uint8Array.of(0, 1) }],
  ['double', { dtype: 'F64', shape: [2], data: Float64Array.of(0.1, -1e300) }],
  ['float', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -2, 0.5, 2 ** -149) }],
  ['half', { dtype: 'F16', shape: [4], data: Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001) }],
  ['brain', { dtype: 'BF16', shape: [3], data: Uint16Array.of(0x3f80, 0xc000, 0x3eab) }],
  ['long', { dtype: 'I64', shape: [1], data: BigInt64Array.of(-(2n ** 62n)) }],
  ['unsigned long', { dtype: 'U64', shape: [1], data: BigUint64Array.of(2n ** 63n) }],
  ['int', { dtype: 'I32', shape: [], data: Int32Array.of(-7) }],
  ['unsigned int', { dtype: 'U32', shape: [1], data: Uint32Array.of(2 ** 31) }],
  ['short', { dtype: 'I16', shape: [1], data: Int16Array.of(-300) }],
  ['unsigned short', { dtype: 'U16', shape: [1], data: Uint16Array.of(65535) }],
  ['empty', { dtype: 'F32', shape: [0, 3], data: new Float32Array() }],
]);

/** Bytes such as Node's Buffer, whose slices are no copies. */
class LikeBuffer extends Uint8Array<ArrayBuffer> {
  override slice(begin?: number, end?: number): Uint8Array<ArrayBuffer> {
    return this.subarray(begin, end);
  }
}

describe('safetensors', () => {
  it('come back as they were, of every dtype', () => {
    const read = readSafetensors(writeSafetensors(tensors, { by: 'a test' }));
    expect(read.size).toBe(tensors.size);
    for (const [name, tensor] of tensors) expect(read.get(name), name).toEqual(tensor);
  });

  it('have a header with the position of each, the widest numbers first', () => {
    const file = writeSafetensors(tensors, { by: 'a test' });
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    expect(header.__metadata__).toEqual({ by: 'a test' });
    expect(header.double).toEqual({ dtype: 'F64', shape: [2], data_offsets: [0, 16] });
    expect(Object.keys(header).at(-1)).toBe('flags'); // of one byte each, in their order
    expect((8 + length) % 8).toBe(0);
  });

  it('are read from the middle of other bytes, and have memory of their own', () => {
    const file = writeSafetensors(tensors);
    for (const Bytes of [Uint8Array, LikeBuffer]) {
      const around = new Bytes(new ArrayBuffer(file.length + 3));
      around.set(file, 3);
      const read = readSafetensors(around.subarray(3));
      around.fill(0);
      expect(read).toEqual(readSafetensors(file));
    }
  });

  it('may have the names of built-in properties, also as metadata', () => {
    const names = ['__proto__', 'constructor', 'toString', '1', ''];
    const one = { dtype: 'F32', shape: [1], data: Float32Array.of(1) };
    const metadata = JSON.parse('{"__proto__": "a", "constructor": "b"}');
    const file = writeSafetensors(new Map(names.map((name) => [name, one])), metadata);
    expect([...readSafetensors(file).keys()]).toEqual(names);
    expect(new TextDecoder().decode(file)).toContain('{"__metadata__":{"__proto__":"a","constructor":"b"}');
  });

  it('are read where one without numbers lies where another begins, in whichever order they are named', () => {
    const none = { none: { dtype: 'F32', shape: [0], data_offsets: [0, 0] } };
    const one = { one: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } };
    for (const header of [
      { ...none, ...one },
      { ...one, ...none },
    ]) {
      const text = new TextEncoder().encode(JSON.stringify(header));
      const file = Uint8Array.of(text.length, 0, 0, 0, 0, 0, 0, 0, ...text, 0, 0, 128, 63); // 1 in float32
      expect(readSafetensors(file)).toEqual(
        new Map([
          ['none', { dtype: 'F32', shape: [0], data: new Float32Array() }],
          ['one', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }],
        ]),
      );
    }
  });

  it('are read from shared memory, and where numbers lie at odd bytes, as other programs write them', () => {
    const header = JSON.stringify({
      flag: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] },
      x: { dtype: 'F32', shape: [2], data_offsets: [1, 9] },
    });
    const Memory = typeof SharedArrayBuffer === 'undefined' ? ArrayBuffer : SharedArrayBuffer; // not in every page
    const file = new Uint8Array(new Memory(8 + header.length + 9));
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(new TextEncoder().encode(header), 8);
    file.set([1, ...new Uint8Array(Float32Array.of(1.5, -3).buffer)], 8 + header.length);
    const read = readSafetensors(file);
    expect(read.get('flag')?.data).toEqual(Uint8Array.of(1));
    expect(read.get('x')?.data).toEqual(Float32Array.of(1.5, -3));
    expect(read.get('x')?.data.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('result in an error or valid tensors, whatever a byte of the header is', () => {
    const file = writeSafetensors(tensors);
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const changes = fc.record({ at: fc.nat(8 + length - 1), to: fc.nat(255) });
    forAll([fc.array(changes, { minLength: 1, maxLength: 3 })], { numRuns: 100, seed: 17 }, (all) => {
      const damaged = file.slice();
      for (const { at, to } of all) damaged[at] = to;
      try {
        for (const { shape, data } of readSafetensors(damaged).values()) {
          const { length } = data as Float32Array;
          expect(length).toBe(shape.reduce((product, size) => product * size, 1));
        }
      } catch (error) {
        expect(String(error)).toMatch(/^Error: readSafetensors: /);
      }
    });
  });

  it.each<[string, NamedTensor, string]>([
    ['no dtype', { dtype: 'F8', shape: [1], data: new Uint8Array(1) }, "'x': dtype: wanted F64 or F32"],
    ['no shape', { dtype: 'F32', shape: 3 as never, data: new Float32Array(3) }, "'x': shape: wanted a list"],
    ['a negative size', { dtype: 'F32', shape: [-1], data: new Float32Array(1) }, "'x': shape: wanted an integer"],
    ['too few numbers', { dtype: 'F32', shape: [2], data: new Float32Array(1) }, "'x': data: wanted the 8 bytes of F32 [2], got 4"],
    ['no data', { dtype: 'F32', shape: [2], data: [1, 2] as never }, "'x': data: wanted the 8 bytes"],
    ['a buffer for numbers', { dtype: 'F32', shape: [2], data: new ArrayBuffer(8) as never }, "'x': data: wanted the 8 bytes of F32 [2], got ArrayBuffer"],
    ['a hole in its shape', { dtype: 'F32', shape: new Array(1), data: new Float32Array(1) }, "'x': shape: wanted an integer of at least 0, got undefined"],
    ['no tensor', null as never, "'x': wanted a tensor, got null"],
  ])('are not written with %s', (_, tensor, message) => {
    expect(() => writeSafetensors(new Map([['x', tensor]]))).toThrow(`writeSafetensors: tensors: ${message}`);
  }); // biome-ignore format: one case a line

  it('name an invalid map, metadata or file', () => {
    expect(() => readSafetensors(new TextEncoder().encode('version https://git-lfs.github.com/spec/v1'))).toThrow(
      "readSafetensors: wanted a safetensors file, got 42 bytes that begin 'version https://git-lfs.'; is the path or URL right?",
    );
    expect(() => writeSafetensors({ x: 1 } as never)).toThrow('writeSafetensors: tensors: wanted a Map of tensors');
    expect(() => writeSafetensors(new Map(), { steps: 3 } as never)).toThrow('metadata: steps: wanted a string, got 3');
    for (const metadata of [null, new Map([['steps', '3']]), ['3']])
      expect(() => writeSafetensors(new Map(), metadata as never)).toThrow('metadata: wanted an object of strings');
    const tensor = { dtype: 'F32', shape: [], data: new Float32Array(1) };
    for (const name of [3, Symbol('x')])
      expect(() => writeSafetensors(new Map([[name as never, tensor]]))).toThrow(
        `writeSafetensors: tensors: wanted string names, got ${String(name)}`,
      );
    expect(() => writeSafetensors(new Map([['__metadata__', tensor]]))).toThrow(
      "writeSafetensors: tensors: wanted names of tensors, got '__metadata__'",
    );
    expect(() => readSafetensors('file' as never)).toThrow("readSafetensors: bytes: wanted a Uint8Array, got 'file'");
  });
});

describe('float32Of', () => {
  it('returns the numbers of every dtype', () => {
    const numbers = (name: string) => [...float32Of(tensors.get(name) as NamedTensor)];
    expect(numbers('float')).toEqual([1, -2, 0.5, 2 ** -149]);
    expect(numbers('double')).toEqual([Math.fround(0.1), Number.NEGATIVE_INFINITY]);
    expect(numbers('half')).toEqual([1, -2, 1365 / 4096, 2 ** -24]); // 0x3555: 2^-2 (1 + 341 / 1024)
    expect(numbers('brain')).toEqual([1, -2, 171 / 512]); // 0x3eab: 2^-2 (1 + 43 / 128)
    expect(numbers('long')).toEqual([-(2 ** 62)]);
    expect(numbers('unsigned long')).toEqual([2 ** 63]);
    expect(numbers('flags')).toEqual([0, 1]);
    expect(numbers('signed bytes')).toEqual([-128]);
  });

  it('rounds ties to even, and keeps signs, infinities and numbers below the normal ones', () => {
    const ofBits = (dtype: 'F16' | 'BF16', ...bits: number[]) =>
      [...float32Of({ dtype, shape: [bits.length], data: Uint16Array.from(bits) })];
    expect(ofBits('F16', 0x8000, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e01)).toEqual([-0, 1023 * 2 ** -24, 2 ** -14, 65504, Infinity, -Infinity, NaN]);
    expect(ofBits('BF16', 0x8000, 0x0001, 0x0080, 0x7f7f, 0x7f80, 0xff80, 0x7fc1)).toEqual([-0, 2 ** -133, 2 ** -126, 255 * 2 ** 120, Infinity, -Infinity, NaN]);
    const doubles = Float64Array.of(1 + 2 ** -24, 1 + 3 * 2 ** -24, 2 ** -150, 1.5 * 2 ** -149, -0);
    expect([...float32Of({ dtype: 'F64', shape: [5], data: doubles })]).toEqual([1, 1 + 2 ** -22, 0, 2 ** -148, -0]);
  }); // biome-ignore format: one dtype a line

  it('returns its own numbers', () => {
    const data = Float32Array.of(1, 2);
    const numbers = float32Of({ dtype: 'F32', shape: [2], data });
    data.fill(0);
    expect([...numbers]).toEqual([1, 2]);
  });

  it('reads numbers that lie at any byte', () => {
    const bytes = new Uint8Array(13);
    bytes.set(new Uint8Array(Float32Array.of(1.5, -3).buffer), 5);
    const data = bytes.subarray(5);
    expect([...float32Of({ dtype: 'F32', shape: [2], data })]).toEqual([1.5, -3]);
  });
});
