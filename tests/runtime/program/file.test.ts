import { gatedPixelCNN, pixelCNN, toPortable } from 'pixelcnn-layers';
import { logProb, type PortableModel, readPortable, sample, stepper, type Weight, writePortable } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../support/backends';
import { errorOf } from '../../support/errors';
import {
  addWeight,
  type Case,
  type Edit,
  edited,
  expectRefused,
  inHeader,
  type Json,
  type Parts,
  plain,
  plainFile,
  setAt,
  takeApart,
  windowOf,
  withHeader,
} from '../../support/models/portable-file';
import { portableModel } from '../../support/models/portable-model.mjs';
import { scoped } from '../../support/scoped';

// Files of programs that are wrong are in check-program.test.ts, files damaged at random in damaged-file.test.ts.

beforeAll(() => useBackend('cpu'));

const small = { imageShape: [3, 4, 1] as [number, number, number], levels: 4, hiddenDim: 4, outDim: 4, numBlocks: 1 };
const rgb = { ...small, imageShape: [3, 2, 3] as [number, number, number], hiddenDim: 2 };

const file = plainFile();
const WEIGHTS = ['float32', 'float16', 'int8'] as const;
const same = (model: PortableModel) => ({ ...model, weights: [...model.weights] });

it.each([
  ['narrow and deep', () => pixelCNN({ ...small, hiddenDim: 1, numBlocks: 40 })],
  ['gated, narrow and deep', () => gatedPixelCNN({ ...rgb, hiddenDim: 1, numBlocks: 30 })],
  ['of many levels', () => gatedPixelCNN({ ...rgb, levels: 256, numClasses: 5000 })],
])('a network %s goes into the smaller file', async (_, make) => {
  const model = await toPortable(scoped(make()));
  expect(readPortable(writePortable(model, { weights: 'float16' })).nodes).toEqual(model.nodes);
});

describe('a file of float16', () => {
  it('takes half the bytes, and comes back from another as it is', () => {
    const half = writePortable(readPortable(file), { weights: 'float16' });
    expect(takeApart(half).data.length * 2).toBe(takeApart(file).data.length);
    const read = readPortable(half);
    expect(writePortable(read, { weights: 'float16' })).toEqual(half);
    for (const [name, { data, shape }] of read.weights) {
      const before = readPortable(file).weights.get(name) as Weight;
      expect(shape).toEqual(before.shape);
      expect(data).toBeInstanceOf(Float32Array);
      expect(data).not.toEqual(before.data);
      for (const [i, value] of data.entries()) expect(Math.abs(value - (before.data[i] as number))).toBeLessThanOrEqual(2 ** -11); // of numbers up to 2
    }
  });

  it.each([65520, -65520, 1e6, 3.4e38])('holds no %f', (big) => {
    const model = readPortable(file);
    const bias = { shape: [4], data: Float32Array.of(0, big, 0, 0) };
    expect(() => writePortable({ ...model, weights: new Map([...model.weights, ['bias', bias]]) }, { weights: 'float16' })).toThrow(
      `writePortable: model: weight 'bias': wanted numbers up to 65504, the largest float16, got ${Math.fround(big)}`,
    );
  });
});

describe('a file of int8', () => {
  const make = async (scale = 1) => {
    const network = gatedPixelCNN({ ...rgb, hiddenDim: 4, numClasses: 3, seed: 1 });
    const model = await toPortable(network);
    network.dispose();
    const weights = [...model.weights].map(
      ([name, { shape, data }]) => [name, { shape, data: data.map((weight) => weight * scale) }] as const,
    );
    return { ...model, weights: new Map(weights) };
  };

  it.each([1, 1e-38, 1e-44, 1e3])(
    'has an integer and a scale for each output feature, so that no weight is off by more than half a step: times %f',
    async (scale) => {
      const model = await make(scale);
      const bytes = writePortable(model, { weights: 'int8' });
      const read = readPortable(bytes);
      const { header } = takeApart(bytes);
      const kinds = new Set<string>();
      for (const [name, { shape, data }] of model.weights) {
        const { dtype } = header[name];
        kinds.add(dtype);
        const features = shape.at(-1) as number;
        expect(dtype).toBe(data.length > 4 * features ? 'I8' : 'F16');
        const step = Float32Array.from(
          { length: features },
          (_, feature) => data.reduce((most, weight, i) => (i % features === feature ? Math.max(most, Math.abs(weight)) : most), 0) / 127,
        );
        const other = (read.weights.get(name) as Weight).data;
        if (dtype === 'I8')
          for (const [i, weight] of data.entries())
            expect(Math.abs(weight - (other[i] as number))).toBeLessThanOrEqual(0.5001 * (step[i % features] as number) + 2e-43);
      }
      expect(kinds).toEqual(new Set(['I8', 'F16']));
    },
  );

  it('is a quarter of one of float32, and is written again as it was read', async () => {
    const model = await make();
    const bytes = writePortable(model, { weights: 'int8' });
    expect(bytes.length / writePortable(model).length).toBeLessThan(0.5); // of so small a network the program is the most
    expect(writePortable(readPortable(bytes), { weights: 'int8' })).toEqual(bytes);
  });

  const scales = '__scales__/first';
  const renamed = (name: string): Edit => {
    return ({ header }) => setAt(header, { other: header[name], [name]: undefined });
  };
  it.each<[string, string, Edit]>([
    ['of no weight', 'weights: wanted the weight of __scales__/none', (parts) => addWeight(parts, '__scales__/none', [1], [1])],
    [
      'of scales',
      'weights: wanted the weight of __scales__/__scales__/first',
      (parts) => addWeight(parts, '__scales__/__scales__/first', [1], [1]),
    ],
    ['of another shape', "weight 'first': scales: wanted F32 [4], got 'F32 [2,2]'", inHeader({ [`${scales}.shape`]: [2, 2] })],
    ['that are missing', "weight 'first': scales: wanted F32 [4], got undefined", renamed(scales)],
    [
      'of a weight that is not of 8 bits',
      "weight 'first': dtype: wanted I8, since it has scales, got 'U8'",
      inHeader({ 'first.dtype': 'U8' }),
    ],
    [
      'that are no numbers',
      "weight 'first': wanted finite numbers, got NaN",
      ({ header, data }) => new DataView(data.buffer).setUint32(header[scales].data_offsets[0], 0x7fc00000, true),
    ],
  ])('with scales %s is refused', (_, message, edit) => {
    expectRefused(edited(writePortable(readPortable(file), { weights: 'int8' }), edit), message);
  });
});

/** Makes the weights that follow one begin so many bytes later. */
function moveFrom({ header }: Parts, first: string, by: number): void {
  const from = header[first].data_offsets[0];
  for (const { data_offsets: offsets } of Object.values<Json>(header)) {
    if (offsets?.[0] >= from) offsets.splice(0, 2, offsets[0] + by, offsets[1] + by);
  }
}

/** The program of a file as a text that is no such program. */
const withProgram =
  (text: (program: string) => string): Edit =>
  (parts) => {
    parts.header.__metadata__.program = text(JSON.stringify(parts.program));
    parts.program = undefined;
  };

const append =
  (...bytes: number[]): Edit =>
  (parts) =>
    (parts.data = Uint8Array.of(...parts.data, ...bytes));

const containers: Case[] = [
  ['a dtype of integers', "weight 'bias': dtype: wanted F32, F16 or I8, got 'I32'", inHeader({ 'bias.dtype': 'I32' })],
  ['an unknown dtype', "tensor 'bias': dtype", inHeader({ 'bias.dtype': 'F33' })],
  ['a dtype that objects inherit', "tensor 'bias': dtype", inHeader({ 'bias.dtype': 'constructor' })],
  ['no dtype', "tensor 'bias': dtype: wanted", inHeader({ 'bias.dtype': undefined })],
  ['a tensor that is none', "tensor 'bias': wanted an object", inHeader({ bias: [1] })],
  ['a shape that is none', "tensor 'bias': shape: wanted a list", inHeader({ 'bias.shape': 4 })],
  ...[[-2, -2], [0.5, 8], ['4'], [null]].map((shape): Case =>
    [`a shape ${JSON.stringify(shape)}`, "tensor 'bias': shape: wanted an integer", inHeader({ 'bias.shape': shape })]),
  ['a shape beyond integers', "tensor 'bias': shape: wanted a safe integer", inHeader({ 'bias.shape': [1e300] })],
  ['a huge shape', "tensor 'bias': data_offsets: wanted the", inHeader({ 'bias.shape': [2 ** 53 - 1] })],
  ['a shape whose product overflows', 'data_offsets: wanted the', inHeader({ 'bias.shape': [2 ** 31, 2 ** 31, 4] })],
  ['a shape without end', 'data_offsets: wanted the', inHeader({ 'bias.shape': Array(40).fill(2 ** 52) })],
  ['a shape without end, times 0', 'data_offsets', inHeader({ 'bias.shape': [...Array(40).fill(2 ** 52), 0] })],
  ['offsets that are none', "tensor 'bias': data_offsets: wanted 2 items", inHeader({ 'bias.data_offsets': [0] })],
  ['offsets out of range', 'data_offsets: wanted a safe integer from 0', inHeader({ 'bias.data_offsets': [0, 2 ** 53] })],
  ['offsets below 0', 'data_offsets: wanted an integer from 0', inHeader({ 'bias.data_offsets': [-16, 0] })],
  ['offsets in reverse', 'data_offsets: wanted an integer from 8', inHeader({ 'bias.data_offsets': [8, 4] })],
  ['offsets that overlap', 'data_offsets: wanted bytes from', inHeader({ 'bias.data_offsets': [0, 16] })],
  ['offsets that leave a hole', "tensor 'bias': data_offsets: wanted bytes from 192 on, got 196", (parts) => {
    moveFrom(parts, 'bias', 4);
    parts.data = Uint8Array.of(...parts.data, 0, 0, 0, 0);
  }],
  ['bytes behind the last weight', /file: wanted \d+ bytes, got/, append(0)],
  ['no metadata', 'metadata: format', inHeader({ __metadata__: undefined })],
  ['metadata of numbers', '__metadata__: version: wanted a string', inHeader({ '__metadata__.version': 1 })],
  ...['more', '__proto__', 'constructor'].map((name): Case =>
    [`metadata ${name}`, 'metadata: wanted no fields but format, version, program', inHeader({ [`__metadata__.${name}`]: 'x' })]),
  ['another format', "metadata: format: wanted 'pixelcnn-layers'", inHeader({ '__metadata__.format': 'pt' })],
  ['a later version', 'version: wanted 1, the only one that this pixelcnn-layers reads, got', inHeader({ '__metadata__.version': '2' })],
  ['a version that is none', 'version: wanted a number', inHeader({ '__metadata__.version': '1e9' })],
  ['no program', "wanted a field 'program'", (parts) => {
    parts.program = undefined;
    delete parts.header.__metadata__.program;
  }],
  ['a program that is not JSON', 'program: not JSON', withProgram(() => '{')],
  ['a program with a name twice', 'program: an object has a duplicate name', withProgram((text) => text.replace('"levels"', '"levels":2,"levels"'))],
  ...['__proto__', 'constructor', 'toString', 'more'].map((name): Case =>
    [`a weight ${name} that no node names`, `weight '${name}': wanted one that a node uses`, (parts) => addWeight(parts, name, [1], [1])]),
]; // biome-ignore format: a case a line

describe('writePortable', () => {
  const model = readPortable(file);
  const withNode = (index: number, fields: object): PortableModel => ({
    ...model,
    nodes: model.nodes.map((node, i) => (i === index ? { ...node, ...fields } : node)) as PortableModel['nodes'],
  });
  const withBias = (bias: Weight): PortableModel => ({ ...model, weights: new Map([...model.weights, ['bias', bias]]) });

  it('refuses what readPortable would refuse', () => {
    const refused: [model: PortableModel, message: string][] = [
      [withNode(2, { window: windowOf([2, 3], [1, 1], 'B', 2) }), 'output: the model is not causal: its logits of channel 0'],
      [withNode(3, { parameter: Number.NaN }), 'node 3 (pointwise): parameter'],
      [withNode(3, { more: 1 }), 'node 3 (pointwise): wanted no fields but'],
      [withNode(2, { bias: null }), "weight 'bias': wanted one that a node uses"],
      [{ ...model, output: 3.5 }, 'output: wanted an integer'],
      [withBias({ shape: [4], data: Float32Array.of(0, Number.NaN, 0, 0) }), "weight 'bias': wanted finite numbers, got NaN"],
      [withBias({ shape: [4], data: new Float32Array(3) }), "weight 'bias': data: wanted 4 numbers, got 3"],
      [withBias({ shape: [4], data: [0, 0, 0, 0] as never }), "weight 'bias': data: wanted a Float32Array"],
      [{ ...model, weights: new Map([...model.weights, ['__metadata__', { shape: [1], data: new Float32Array(1) }]]) }, '__metadata__'],
    ];
    for (const [wrong, message] of refused)
      for (const weights of WEIGHTS) {
        const write = () => writePortable(wrong, { weights });
        expect(write).toThrow('writePortable: model: ');
        expect(write).toThrow(message);
        expect(write).not.toThrow(TypeError);
      }
  });

  it('refuses other options', () => {
    expect(() => writePortable(model, { weights: 'float8' as never })).toThrow(
      "writePortable: weights: wanted 'float32' or 'float16' or 'int8', got 'float8'",
    );
    expect(() => writePortable(model, null as never)).toThrow('writePortable: wanted an object');
  });

  it('writes safetensors: a header of whole words, and all bytes one after the other', () => {
    for (const weights of ['float32', 'float16'] as const) {
      const bytes = writePortable(model, { weights });
      const { header, data } = takeApart(bytes);
      expect((bytes.length - data.length) % 8).toBe(0);
      expect(header.__metadata__).toMatchObject({ format: 'pixelcnn-layers', version: '1' });
      const width = weights === 'float16' ? 2 : 4;
      let end = 0;
      for (const [name, { shape, data: numbers }] of model.weights) {
        const offsets = [end, end + width * numbers.length];
        expect(header[name]).toEqual({ dtype: weights === 'float16' ? 'F16' : 'F32', shape, data_offsets: offsets });
        end = offsets[1] as number;
      }
      expect(end).toBe(data.length);
    }
  });
});

describe('anything but a portable model', () => {
  const nothing = { nothing: undefined, 'a list': [], 'a model without weights': { ...readPortable(file), weights: {} }, 'a file': file };

  it.each(Object.entries(nothing))('is refused: %s', async (_, model) => {
    const wanted = (name: string) => `${name}: model: wanted a portable model, from toPortable or readPortable`;
    const images = { data: new Uint8Array(12), shape: [1, 2, 3, 2] } as const;
    await expect(sample(model as never)).rejects.toThrow(wanted('sample'));
    await expect(logProb(model as never, images)).rejects.toThrow(wanted('logProb'));
    expect(() => stepper(model as never)).toThrow(wanted('stepper'));
    expect(() => writePortable(model as never)).toThrow(wanted('writePortable'));
    await expect(sample(model as never)).rejects.toThrow(TypeError);
  });

  it('is a model of tfjs', async () => {
    const model = scoped(pixelCNN(small));
    await expect(sample(model as never)).rejects.toThrow('toPortable or readPortable, got AutoregressiveModel');
  });
});

describe('readPortable', () => {
  it('reads the file that the others derive from', () => {
    const model = readPortable(file);
    expect(model.nodes).toEqual(plain);
    expect(readPortable(edited(file, {}))).toEqual(model); // also without a digest
  });

  it('reads models of images of any size', async () => {
    const any = edited(file, ({ program }) => program.imageShape.splice(0, 2, null, null));
    const model = readPortable(any);
    expect(model.imageShape).toEqual([null, null, 2]);
    const options = { condition: { data: [0, 1], shape: [1, 2] }, imageShape: [2, 3, 2] as [number, number, number] };
    expect(await sample(model, { ...options, seed: 1 })).toEqual(await sample(readPortable(file), { ...options, seed: 1 }));
  });

  it('reads bytes that begin anywhere', () => {
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(readPortable(shifted.subarray(3))).toEqual(readPortable(file));
    // as Node reads files: a part of a larger memory, whose slices are no copies
    if (typeof Buffer !== 'undefined') expect(readPortable(Buffer.from(file))).toEqual(readPortable(file));
  });

  it('shares the memory of a large file only with large weights', () => {
    const bytes = writePortable(portableModel({ features: 700 }));
    const shared = [...readPortable(bytes).weights].filter(([, { data }]) => data.buffer === bytes.buffer);
    expect(shared.map(([name]) => name)).toEqual(['first.kernel', 'block0.kernel']);
  });

  it.each(containers)('refuses %s', (_, message, edit) => {
    expectRefused(edited(file, edit), message);
  });

  it.each<[string, number, string, Edit]>([
    ['of an image', 4 * 6 * 2, 'imageShape', (parts) => (parts.program.imageShape = [4, 6, 2])],
    ['of a row of any number', 6 * 2, 'imageShape', (parts) => (parts.program.imageShape = [null, 6, 2])],
  ])('refuses more values than it may, %s', (_, values, what, edit) => {
    const bytes = edited(file, edit);
    const { program } = takeApart(bytes);
    expect(readPortable(bytes, { maxValues: values }).imageShape).toEqual(program.imageShape);
    const least = () => readPortable(bytes, { maxValues: values - 1 });
    expect(least).toThrow(errorOf(RangeError, `readPortable: ${what}: wanted at most ${values - 1} values (maxValues), got ${values}`));
  });

  it('keeps messages with long names short', () => {
    const long = '-'.repeat(1e6);
    const edits: Edit[] = [
      { 'nodes.1.op': long },
      { [`nodes.1.${long}`]: 1 },
      { 'nodes.1.kernel': long },
      { conditions: [{ kind: long }] },
      { conditions: long },
      (parts) => (parts.header.__metadata__.format = long),
      (parts) => (parts.header.__metadata__[long] = 'none'),
      (parts) => (parts.header[long] = { dtype: 'F32', shape: [1], data_offsets: [0, 3] }),
      (parts) => (parts.header[long] = { dtype: long, shape: [1], data_offsets: [0, 4] }),
    ];
    for (const edit of edits) expect(() => readPortable(edited(file, edit))).toThrow(/^readPortable: .{1,2000}$/s);
  });

  it('reads a file of more weights than values that it may ask for', () => {
    const numbers = [...readPortable(file).weights.values()].reduce((sum, { data }) => sum + data.length, 0);
    expect(numbers).toBeGreaterThan(2);
    const small = edited(file, (parts) => (parts.program.imageShape = [null, null, 2]));
    expect(() => readPortable(small, { maxValues: 2 })).not.toThrow();
    expect(() => readPortable(small, { maxValues: 1 })).toThrow(RangeError);
  });

  it.each([0, -1, 1.5, Number.NaN, '9'])('refuses maxValues %s', (maxValues) => {
    expect(() => readPortable(file, { maxValues: maxValues as never })).toThrow('readPortable: maxValues: wanted an integer of at least 1');
  });

  it('reads and writes larger images where the caller wants them', () => {
    const large = edited(file, (parts) => (parts.program.imageShape = [4096, 4096, 2]));
    expect(() => readPortable(large)).toThrow('readPortable: imageShape: wanted at most 16777216 values (maxValues), got 33554432');
    const model = readPortable(large, { maxValues: 2 ** 25 });
    expect(model.imageShape).toEqual([4096, 4096, 2]);
    expect(readPortable(writePortable(model), { maxValues: 2 ** 25 })).toEqual(model);
  });

  it.each([undefined, null, 'file', [1, 2], new ArrayBuffer(8), new Float32Array(2)])('refuses %s by its type', (bytes) => {
    expect(() => readPortable(bytes as never)).toThrow(errorOf(TypeError, 'readPortable: bytes: wanted a Uint8Array'));
  });

  it('refuses an invalid header', () => {
    const { data } = takeApart(file);
    const refused: [header: string | Uint8Array, message: string][] = [
      ['', 'header: not JSON'],
      ['{', 'header: not JSON'],
      ['null', 'header: wanted an object'],
      ['{"a":{"constructor":{"name":{"toString":1}}}}', "tensor 'a': data_offsets: wanted a list"],
      ['{"__metadata__":{"a":{"constructor":{"name":{"toString":1}}}}}', '__metadata__: a: wanted a string, got'],
      ['[]', 'header: wanted an object'],
      ['7', 'header: wanted an object'],
      ['{}', 'file: wanted'],
      ['\ufeff{}', 'header: not JSON'],
      [Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x30, 0x7d), 'header: not UTF-8'],
      ['{"__metadata__":null,"__metadata__":{}}', 'header: an object has a duplicate name'],
      ['{"\\u0022a:":{"a":0,"\\u0061":1}}', 'header: an object has a duplicate name'],
      ['{"__proto__":{},"__proto__":{}}', 'header: an object has a duplicate name'],
      ['['.repeat(1e6), 'header: not JSON'],
      [`${'['.repeat(1e5)}${']'.repeat(1e5)}`, 'header: '],
      [`{"a":${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}}`, 'header: '],
    ];
    for (const [header, message] of refused) expectRefused(withHeader(header, data), message);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['a web page', '<!DOCTYPE html>\n<html><title>404</title>', "got 40 bytes that begin '<!DOCTYPE html>…<html><t'"],
    ['a PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52), "got 16 bytes that begin '…PNG…IHDR'"],
    ['JSON', '{"format":"layers-model","x":1}', `got 31 bytes that begin '{"format":"layers-model"'`],
    ['a short answer', '404', "got 3 bytes that begin '404'"],
    ['nothing', '', 'got 0 bytes'],
  ])('says that %s is none, and how it begins', (_, content, message) => {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    expectRefused(bytes, `readPortable: wanted a file of writePortable, ${message}; is the path or URL right?`);
  }); // biome-ignore format: one case a line

  it('refuses a header longer than the file', () => {
    const pairs = [[file.length - 7, 0], [0xffffffff, 0], [0, 1], [0, 0x80000000]] as const; // biome-ignore format: a line
    for (const [low, high] of pairs) {
      const bytes = file.slice();
      const view = new DataView(bytes.buffer);
      view.setUint32(0, low, true);
      view.setUint32(4, high, true);
      expectRefused(bytes, /header: wanted the \d+ bytes that the file states, got \d+/);
    }
  });

  it('refuses weights that are not finite, by name', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const bytes = edited(file, ({ header, data }) => {
        new DataView(data.buffer).setFloat32(header.shift.data_offsets[0] + 4, value, true);
      });
      expectRefused(bytes, `weight 'shift': wanted finite numbers, got ${value}`);
    }
    const half = writePortable(readPortable(file), { weights: 'float16' });
    const rows = [[0x7c00, 'Infinity'], [0xfc00, '-Infinity'], [0x7e00, 'NaN'], [0xfc01, 'NaN']] as const; // biome-ignore format: a line
    for (const [bits, value] of rows) {
      const bytes = edited(half, ({ header, data }) => {
        new DataView(data.buffer).setUint16(header.shift.data_offsets[0] + 2, bits, true);
      });
      expectRefused(bytes, `weight 'shift': wanted finite numbers, got ${value}`);
    }
  });

  it('takes any name of a weight as no more than a name', () => {
    const model = readPortable(file);
    const strange = ['__proto__', 'constructor', '7', '', '\ud800"\\:'];
    const renamed = new Map([...model.weights.keys()].map((name, i) => [name, strange[i] as string]));
    const rename = (_: string, value: unknown) => renamed.get(value as string) ?? value;
    const { nodes } = JSON.parse(JSON.stringify({ nodes: model.nodes }), rename) as PortableModel;
    const weights = new Map([...model.weights].map(([name, weight]) => [renamed.get(name) as string, weight]));
    const read = readPortable(writePortable({ ...model, nodes, weights }));
    expect(same(read)).toEqual(same({ ...model, nodes, weights }));
  });
});
