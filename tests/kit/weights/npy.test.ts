import { describe, expect, it } from 'vitest';
import { npyOf, npyTensor, parseNpy } from '../../../kit/weights/npy.mjs';

type Fields = { header?: string; version?: number; length?: number; body?: number[] } & Partial<
  Record<'descr' | 'fortran' | 'shape', string>
>;

/** A file as NumPy writes it, but for what is said to be otherwise. */
function file({ header, version = 1, length = 118, body = [1, 2, 3, 4, 5, 255], ...fields }: Fields = {}): Uint8Array {
  const { descr, fortran, shape } = { descr: "'|u1'", fortran: 'False', shape: '(2, 3)', ...fields };
  const dictionary = header ?? `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
  const lengthBytes = [0, 8, 16, 24].slice(0, version === 1 ? 2 : 4).map((shift) => (length >> shift) & 255);
  const text = (letters: string) => Array.from(letters, (letter) => letter.charCodeAt(0));
  const whole = `${dictionary.padEnd(length - 1)}\n`;
  return Uint8Array.from([...text('\x93NUMPY'), version, 0, ...lengthBytes, ...text(whole), ...body]);
}

/** The numbers as bytes, of so many each, the lowest first. */
const bytesOf = (numbers: bigint[], each: number) =>
  numbers.flatMap((number) => Array.from({ length: each }, (_, i) => Number(BigInt.asUintN(8, number >> BigInt(8 * i)))));

describe('parseNpy', () => {
  it('reads what NumPy has written', () => {
    // np.save of NumPy 1.24.2: [[[0, 1, 65535]], [[7, 256, 200]]] as '>u2'; the header goes on with spaces up to 128 bytes.
    const header = 'k05VTVBZAQB2AHsnZGVzY3InOiAnPnUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDEsIDMpLCB9';
    const body = 'AAAAAf//AAcBAADI';
    const bytes = new Uint8Array(128 + Buffer.from(body, 'base64').length).fill(32);
    bytes.set(Buffer.from(header, 'base64'));
    bytes[127] = 10;
    bytes.set(Buffer.from(body, 'base64'), 128);
    const { data, shape } = parseNpy(bytes);
    expect(shape).toEqual([2, 1, 3]);
    expect(Array.from(data)).toEqual([0, 1, 65535, 7, 256, 200]);
    const within = new Uint8Array(bytes.length + 5); // of a larger buffer, from an odd place on
    within.set(bytes, 3);
    expect(parseNpy(within.subarray(3, 3 + bytes.length))).toEqual({ data, shape });
  });

  it('reads every type of integer, of both byte orders', () => {
    for (const kind of ['u', 'i']) {
      for (const each of [1, 2, 4, 8]) {
        const bits = BigInt(8 * each);
        const highest = each === 8 ? 2n ** 53n : 2n ** (kind === 'u' ? bits : bits - 1n) - 1n;
        const numbers = [0n, 1n, highest, kind === 'u' ? 5n : -(2n ** (bits - 1n))];
        for (const order of each === 1 ? ['|', '<', '>'] : ['<', '>']) {
          const little = bytesOf(numbers, each);
          const body = order === '>' ? numbers.flatMap((_, i) => little.slice(i * each, (i + 1) * each).reverse()) : little;
          const bytes = file({ descr: `'${order}${kind}${each}'`, shape: '(4,)', body });
          expect(Array.from(parseNpy(bytes).data)).toEqual(numbers.map(Number));
        }
      }
    }
  });

  it('reads headers of other versions, and of other writers', () => {
    const expected = { data: Uint8Array.of(1, 2, 3, 4, 5, 255), shape: [2, 3] };
    for (const version of [2, 3]) expect(parseNpy(file({ version }))).toEqual(expected);
    const compact = `{"shape":(2,3),"descr":"|u1","fortran_order":False}`;
    expect(parseNpy(file({ header: compact, length: compact.length + 1 }))).toEqual(expected);
    expect(parseNpy(file({ shape: '()', body: [7] }))).toEqual({ data: Uint8Array.of(7), shape: [] });
  });

  it.each([
    [Uint8Array.of(), 'wanted a .npy file'],
    [new TextEncoder().encode('PK\x03\x04 an npz file'), 'wanted a .npy file, which begins with \\x93NUMPY'],
    [file({ version: 4 }), 'wanted .npy of version 1, 2 or 3, got 4'],
    [file().subarray(0, 6), 'wanted .npy of version 1, 2 or 3, got undefined'],
    [file({ version: 2 }).subarray(0, 11), 'the header is cut'],
    [file({ length: 10_001 }), 'wanted a header of at most 10000 bytes, got 10001'],
    [file({ descr: `'<f4'` }), "wanted integers, u1 to i8, got '<f4'"],
    [file({ descr: `'|u2'` }), "wanted integers, u1 to i8, got '|u2'"],
    [file({ descr: `[('a', '|u1')]` }), "wanted integers, u1 to i8, got [('a', '|u1')]"],
    [file({ header: 'nothing' }), 'wanted integers, u1 to i8, got none'],
    [file({ fortran: 'True' }), 'wanted C order, as np.ascontiguousarray makes it; fortran_order is True'],
    [file({ shape: '[2, 3]' }), 'wanted a shape in the header, got none'],
    [file({ shape: '(2, -3)' }), 'wanted a shape in the header, got none'],
    [file({ shape: '(2, 3 4)' }), 'shape [2,NaN] of u1, got 134'],
    [file({ shape: '(2, 4)' }), 'wanted 136 bytes, for shape [2,4] of u1, got 134'],
    [file({ shape: '(4294967296, 4294967296, 4294967296)' }), 'wanted 7.922816251426434e+28 bytes'],
  ])('says what is wrong: %#', (bytes, message) => {
    expect(() => parseNpy(bytes)).toThrow(message);
  });
});

describe('npyTensor', () => {
  it('reads every type of number, of both byte orders, as safetensors has them', () => {
    // -1.5 is 1.1 in base 2, without its leading 1 the highest bit of the fraction; its exponent is 0 + 15, 127 or 1023.
    const types: [string, string, number, bigint][] = [
      ['b1', 'BOOL', 1, 1n],
      ['u1', 'U8', 1, 200n],
      ['i2', 'I16', 2, 0xfffen],
      ['u4', 'U32', 4, 2n ** 32n - 2n],
      ['i8', 'I64', 8, 2n ** 63n + 5n],
      ['f2', 'F16', 2, 0xbe00n],
      ['f4', 'F32', 4, 0xbfc00000n],
      ['f8', 'F64', 8, 0xbff8000000000000n],
    ];
    for (const [type, dtype, each, bits] of types) {
      const little = bytesOf([bits, 1n], each);
      const big = [...bytesOf([bits], each).reverse(), ...bytesOf([1n], each).reverse()];
      const orders: [string, number[]][] = each === 1 ? [['|', little]] : [['<', little], ['>', big]]; // biome-ignore format: one list
      for (const [order, body] of orders) {
        const tensor = npyTensor(file({ descr: `'${order}${type}'`, shape: '(2,)', body }));
        expect(tensor, order + type).toEqual({ dtype, shape: [2], data: Uint8Array.from(little) });
      }
    }
    const [value] = new Float64Array(Uint8Array.from(bytesOf([0xbff8000000000000n], 8)).buffer);
    expect(value).toBe(-1.5);
  });

  it.each([
    [file({ descr: `'|O'` }), "wanted numbers, b1, u1 to i8, f2 to f8, got '|O'"],
    [file({ descr: `'|f4'` }), "f2 to f8, got '|f4'"],
    [file({ descr: `'<f4'` }), 'wanted 152 bytes, for shape [2,3] of f4, got 134'],
  ])('says what is wrong: %#', (bytes, message) => {
    expect(() => npyTensor(bytes)).toThrow(message);
  });
});

describe('npyOf', () => {
  it('writes what NumPy writes', () => {
    const text = `{'descr': '<u2', 'fortran_order': False, 'shape': (2, 1, 3), }`;
    const codes = Uint16Array.of(0, 1, 65535, 7, 256, 200);
    const body = bytesOf(Array.from(codes, BigInt), 2);
    const expected = file({ header: text, body });
    expect(Uint8Array.from(npyOf(codes, [2, 1, 3]))).toEqual(expected);
  });

  it('is read back', () => {
    for (const data of [Uint8Array.of(0, 7, 255), Uint16Array.of(0, 256, 65535)]) {
      for (const shape of [[3], [1, 3], [3, 1, 1, 1]]) {
        const bytes = npyOf(data, shape);
        expect(parseNpy(bytes)).toEqual({ data, shape });
        expect((bytes.length - data.byteLength) % 64).toBe(0);
      }
    }
    const data = Float32Array.of(0.1, -2, 2 ** -149);
    const { dtype, data: bytes } = npyTensor(npyOf(data, [3, 1]));
    expect([dtype, bytes]).toEqual(['F32', new Uint8Array(data.buffer)]);
  });
});
