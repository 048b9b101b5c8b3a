import * as tfl from '@tensorflow/tfjs-layers';
import { gatedPixelCNN, maskedConv2d, pixelCNN, pixelLogits, toPortable } from 'pixelcnn-layers';
import {
  type LogProbOptions,
  logProb,
  type PortableModel,
  readPortable,
  sample,
  stepper,
  type Weight,
  writePortable,
} from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../support/backends';

beforeAll(() => useBackend('cpu'));

/** Numbers in [0, 1), the same each time. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes
    return state / 2 ** 32;
  };
}

// ---- models ----

const small = {
  imageShape: [3, 4, 1] as [number, number, number],
  levels: 4,
  hiddenDim: 4,
  outDim: 4,
  numBlocks: 1,
};
const rgb = { ...small, imageShape: [3, 2, 3] as [number, number, number], hiddenDim: 2 };

/** A network of layers of tfjs-layers. */
function stockModel(): tfl.LayersModel {
  const { layers } = tfl;
  const conv = (filters: number, maskType: 'A' | 'B') =>
    maskedConv2d({ filters, kernelSize: 3, maskType, imageChannels: 1 });
  const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]) =>
    layer.apply(x) as tfl.SymbolicTensor;
  const image = tfl.input({ shape: [3, 4, 1] });
  const a = apply(layers.batchNormalization(), apply(conv(6, 'A'), image));
  const b = apply(layers.layerNormalization(), apply(layers.elu(), a));
  const c = apply(layers.concatenate(), [a, apply(layers.leakyReLU({ alpha: 0.1 }), b)]);
  const d = apply(layers.dense({ units: 6, activation: 'mish' }), c);
  const e = apply(layers.maximum(), [d, a, apply(layers.add(), [d, b])]);
  const logits = apply(conv(4, 'B'), apply(layers.activation({ activation: 'softsign' }), e));
  return tfl.model({ inputs: image, outputs: apply(pixelLogits({ imageChannels: 1, levels: 4 }), logits) });
}

const models: [name: string, make: () => tfl.LayersModel, options: Pick<LogProbOptions, 'condition'>][] = [
  ['plain', () => pixelCNN(small), {}],
  ['of colours', () => pixelCNN(rgb), {}],
  ['gated', () => gatedPixelCNN(rgb), {}],
  ['of a class', () => gatedPixelCNN({ ...small, numClasses: 3 }), { condition: [2, 0] }],
  [
    'of a vector',
    () => gatedPixelCNN({ ...small, conditionSize: 2 }),
    { condition: { data: [1, 2, -1, 0.5], shape: [2, 2] } },
  ],
  [
    'of a map',
    () => gatedPixelCNN({ ...small, conditionMapSize: 1 }),
    { condition: { data: Float32Array.from({ length: 24 }, (_, i) => i / 24), shape: [2, 3, 4, 1] } },
  ],
  [
    'of a class, a vector and a map',
    () => gatedPixelCNN({ ...small, numClasses: 3, nullClass: true, conditionSize: 2, conditionMapSize: 1 }),
    {
      condition: {
        class: [3, 1], // of none, and 1
        vector: { data: [1, 2, -1, 0.5], shape: [2, 2] },
        map: { data: Float32Array.from({ length: 24 }, (_, i) => i / 24), shape: [2, 3, 4, 1] },
      },
    },
  ],
  ['of stock layers', stockModel, {}],
  ['of one-hot levels', () => pixelCNN({ ...rgb, input: 'oneHot' }), {}],
  ['of embedded levels', () => gatedPixelCNN({ ...rgb, input: { embedding: 5 } }), {}],
];

/** A portable model whose biases, scales and shifts are not only zeros and ones. */
async function portable(make: () => tfl.LayersModel): Promise<PortableModel> {
  const model = make();
  const random = randomNumbers(7);
  const made = await toPortable(model);
  model.dispose();
  for (const { shape, data } of made.weights.values()) {
    if (shape.length === 1) data.set(data.map((value) => value + random() - 0.5));
  }
  return made;
}

// ---- files taken apart ----

/** What JSON may be, to be edited. */
// biome-ignore lint/suspicious/noExplicitAny: files are edited into what no type allows
type Json = any;

interface Parts {
  header: Json;
  /** Of the header's metadata. */
  program: Json;
  data: Uint8Array;
}

function takeApart(file: Uint8Array): Parts {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  return { header, program: JSON.parse(header.__metadata__.program), data: file.slice(8 + length) };
}

/** A file with this header, as it is written. */
function withHeader(json: string | Uint8Array, data: Uint8Array): Uint8Array {
  const header = typeof json === 'string' ? new TextEncoder().encode(json) : json;
  const file = new Uint8Array(8 + header.length + data.length);
  new DataView(file.buffer).setUint32(0, header.length, true);
  file.set(header, 8);
  file.set(data, 8 + header.length);
  return file;
}

function putTogether({ header, program, data }: Parts): Uint8Array {
  if (program !== undefined && '__metadata__' in header)
    header.__metadata__.program = JSON.stringify(program);
  return withHeader(JSON.stringify(header), data);
}

/** The file with some of it changed, as by another program: without a digest. */
function edited(file: Uint8Array, edit: (parts: Parts) => void): Uint8Array {
  const parts = takeApart(file);
  delete parts.header.__metadata__.digest;
  edit(parts);
  return putTogether(parts);
}

const same = (model: PortableModel) => ({ ...model, weights: [...model.weights] });

describe.each(models)('a model %s', (_, make, options) => {
  let model: PortableModel;
  beforeAll(async () => {
    model = await portable(make);
  });

  it('comes back from a file, and draws the same', async () => {
    const file = writePortable(model);
    const read = readPortable(file);
    expect(same(read)).toEqual(same(model));
    expect(writePortable(read)).toEqual(file);
    const job = { numImages: 2, seed: 3, ...options };
    const images = await sample(model, job);
    expect(await sample(read, job)).toEqual(images);
    expect(await sample(structuredClone(read), job)).toEqual(images);
    expect(await logProb(read, images, options)).toEqual(await logProb(model, images, options));
  });

  it('in float16 takes half the bytes, and draws what its rounded weights draw', async () => {
    const file = writePortable(model, { float16: true });
    expect(takeApart(file).data.length * 2).toBe(takeApart(writePortable(model)).data.length);
    const read = readPortable(file);
    for (const [name, { data, shape }] of read.weights) {
      const { data: before, shape: shapeBefore } = model.weights.get(name) as Weight;
      expect(shape).toEqual(shapeBefore);
      expect(data).toBeInstanceOf(Float32Array);
      expect(data).toEqual(before.map(nearestFloat16));
    }
    expect(writePortable(read, { float16: true })).toEqual(file);
    await sample(read, { seed: 3, numImages: 2, ...options });
  });
});

it.each([
  ['narrow and deep', () => pixelCNN({ ...small, hiddenDim: 1, numBlocks: 40 })],
  ['gated, narrow and deep', () => gatedPixelCNN({ ...rgb, hiddenDim: 1, numBlocks: 30 })],
  ['of many levels', () => gatedPixelCNN({ ...rgb, levels: 256, numClasses: 5000 })],
])('a network %s goes into the smaller file', async (_, make) => {
  const model = await portable(make);
  expect(readPortable(writePortable(model, { float16: true })).nodes).toEqual(model.nodes);
});

// ---- float16 ----

/** All finite float16 of no sign, by the definition of the format, in order. */
const float16Numbers = Array.from({ length: 0x7c00 }, (_, bits) => {
  const [exponent, fraction] = [Math.floor(bits / 1024), bits % 1024];
  return exponent === 0 ? fraction / 2 ** 24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
});

/** The nearest of them, the one of even fraction on a tie, by search. */
function nearestFloat16(value: number): number {
  const magnitude = Math.abs(value);
  let [low, high] = [0, 0x7bff];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((float16Numbers[middle] as number) <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - (float16Numbers[low] as number);
  const above = (float16Numbers[high] as number) - magnitude;
  const nearest = below < above || (below === above && low % 2 === 0) ? low : high;
  return (value < 0 || Object.is(value, -0) ? -1 : 1) * (float16Numbers[nearest] as number);
}

/** Much more than any takes, on a machine that has other things to do; one that hangs takes longer. */
const MOST_MILLISECONDS = 15_000;

describe('float16', () => {
  /** A model with these numbers as the biases of its logits. */
  const withNumbers = (numbers: Float32Array): PortableModel => ({
    imageShape: [1, 1, 1],
    levels: numbers.length,
    conditions: [],
    nodes: [
      { op: 'image', size: 1 },
      {
        op: 'conv',
        size: numbers.length,
        input: 0,
        kernel: 'kernel',
        bias: 'numbers',
        window: {
          kernelSize: [1, 1],
          anchor: [0, 0],
          present: 'A',
          imageChannels: 1,
          stride: 1,
          transposed: false,
        },
      },
    ],
    output: 1,
    weights: new Map([
      ['kernel', { shape: [1, 1, 1, numbers.length], data: new Float32Array(numbers.length) }],
      ['numbers', { shape: [numbers.length], data: numbers }],
    ]),
  });
  const rounded = (numbers: Float32Array) =>
    readPortable(writePortable(withNumbers(numbers), { float16: true })).weights.get('numbers')?.data;

  it('holds every number of its own as it is, with its sign', () => {
    const all = Float32Array.from([...float16Numbers, ...float16Numbers.map((x) => -x)]);
    expect(rounded(all)).toEqual(all);
  });

  it('rounds what lies between, at and beside the middle of neighbours, to the nearest, ties to even', () => {
    const between = float16Numbers.flatMap((x, i) => {
      const next = float16Numbers[i + 1] ?? 65536;
      const middle = (x + next) / 2; // exact in float32
      const beside = (step: number) => {
        const bits = new Uint32Array(Float32Array.of(middle).buffer);
        bits[0] = (bits[0] as number) + step;
        return new Float32Array(bits.buffer)[0] as number;
      };
      return i === 0x7bff ? [65505, beside(-1), -beside(-1)] : [beside(-1), middle, -middle, beside(1)];
    });
    const numbers = Float32Array.from(between);
    expect(rounded(numbers)).toEqual(numbers.map(nearestFloat16));
    const tiny = Float32Array.of(1e-45, -1e-45, 2 ** -25, 2 ** -126, -0, 0);
    expect(rounded(tiny)).toEqual(Float32Array.of(0, -0, 0, 0, -0, 0));
  });

  it('never becomes infinite', () => {
    for (const big of [65520, -65520, 1e6, 3.4e38]) {
      expect(() => rounded(Float32Array.of(0, big))).toThrow(
        `writePortable: model: weight 'numbers': wanted numbers up to 65504, as float16 can hold, got ${Math.fround(big)}`,
      );
    }
  });
});

// ---- hostile files ----

/** A model of a vector, whose program has every kind of node: [node] by its index is what tests edit. */
const everyOperation: Json[] = [
  { op: 'image', size: 2 },
  { op: 'condition', size: 2, index: 0 },
  { op: 'conv', size: 4, input: 0, kernel: 'first', bias: 'bias', window: windowOf([2, 3], [1, 1], 'A', 2) },
  { op: 'pointwise', size: 4, input: 2, fn: 'elu', parameter: 1 },
  { op: 'gate', size: 2, input: 3, groups: 2 },
  { op: 'concat', size: 4, inputs: [4, 1] },
  { op: 'affine', size: 4, input: 2, scale: 'scale', shift: 'shift' },
  { op: 'multiply', size: 4, inputs: [3, 6, 3] },
  { op: 'conv', size: 1, input: 1, kernel: 'project', bias: null, window: windowOf([1, 1], [0, 0], 'B', 1) },
  { op: 'oneHot', size: 4, input: 8 },
  { op: 'normalize', size: 4, input: 9, scale: 'scale', shift: 'shift', epsilon: 0.001, groups: 2 },
  { op: 'add', size: 4, inputs: [7, 10] },
  { op: 'logSoftmax', size: 4, input: 11, groups: 2 },
];

function windowOf(kernelSize: number[], anchor: number[], present: string, imageChannels: number): Json {
  return { kernelSize, anchor, present, imageChannels, stride: 1, transposed: false };
}

function everyOperationFile(): Uint8Array {
  const random = randomNumbers(2);
  const shapes = { first: [2, 3, 2, 4], bias: [4], scale: [4], shift: [4], project: [1, 1, 2, 1] };
  const weights = Object.entries(shapes).map(([name, shape]): [string, Weight] => {
    const size = shape.reduce((product, length) => product * length);
    return [name, { shape, data: Float32Array.from({ length: size }, () => random() - 0.5) }];
  });
  return writePortable({
    imageShape: [2, 3, 2],
    levels: 2,
    conditions: [{ kind: 'vector', size: 2 }],
    nodes: everyOperation,
    output: 12,
    weights: new Map(weights),
  });
}

const file = everyOperationFile();

/** Expects what reading it throws: an Error, and no TypeError. */
function expectRefused(bytes: Uint8Array, message: string | RegExp): void {
  let thrown: unknown;
  try {
    readPortable(bytes);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(Error);
  expect(thrown).not.toBeInstanceOf(TypeError);
  const said = (thrown as Error).message;
  expect(said).toMatch(/^readPortable: /);
  if (typeof message === 'string') expect(said).toContain(message);
  else expect(said).toMatch(message);
}

type Edit = (parts: Parts) => void;
type Case = [name: string, message: string | RegExp, edit: Edit];

/** Edits of the program; of one node by its index. */
const inProgram =
  (edit: (program: Json) => void): Edit =>
  (parts) =>
    edit(parts.program);
const inNode = (index: number, fields: Json): Edit =>
  inProgram(({ nodes }) => Object.assign(nodes[index], fields));
const inWindow = (fields: Json): Edit => inProgram(({ nodes }) => Object.assign(nodes[2].window, fields));
const inHeader =
  (name: string, fields: Json): Edit =>
  ({ header }) =>
    Object.assign(header[name], fields);

/** Adds a weight to the file. */
function addWeight(parts: Parts, name: string, shape: number[], numbers: number[]): void {
  const bytes = new Uint8Array(Float32Array.from(numbers).buffer);
  const data_offsets = [parts.data.length, parts.data.length + bytes.length];
  const value = { dtype: 'F32', shape, data_offsets };
  Object.defineProperty(parts.header, name, { value, enumerable: true });
  parts.data = new Uint8Array([...parts.data, ...bytes]);
}

/** Makes the weights that follow one begin so many bytes later. */
function moveFrom({ header }: Parts, first: string, by: number): void {
  const from = header[first].data_offsets[0];
  for (const { data_offsets: offsets } of Object.values<Json>(header)) {
    if (offsets?.[0] >= from) offsets.splice(0, 2, offsets[0] + by, offsets[1] + by);
  }
}

/** What a hostile file could add to, and what is there before any is read. */
const prototypes = [Object, Array, Function, Map, Uint8Array, String, Number].map((Class) => Class.prototype as object); // biome-ignore format: one line
const ownKeysBefore = prototypes.map((prototype) => Reflect.ownKeys(prototype));

const huge = 2 ** 53;

const containers: Case[] = [
  [
    'a dtype of integers',
    "weight 'bias': dtype: wanted F32 or F16, got 'I32'",
    inHeader('bias', { dtype: 'I32' }),
  ],
  ['an unknown dtype', "tensor 'bias': dtype", inHeader('bias', { dtype: 'F33' })],
  ['a dtype that objects inherit', "tensor 'bias': dtype", inHeader('bias', { dtype: 'constructor' })],
  ['no dtype', "tensor 'bias': wanted a field 'dtype'", ({ header }) => delete header.bias.dtype],
  ['a further field of a tensor', 'wanted no fields but', inHeader('bias', { more: 1 })],
  ['a tensor that is none', "tensor 'bias': wanted an object", ({ header }) => (header.bias = [1])],
  ['a shape that is none', "tensor 'bias': shape: wanted a list", inHeader('bias', { shape: 4 })],
  [
    'a shape that is negative',
    "tensor 'bias': shape: wanted an integer",
    inHeader('bias', { shape: [-2, -2] }),
  ],
  [
    'a shape of half a number',
    "tensor 'bias': shape: wanted an integer",
    inHeader('bias', { shape: [0.5, 8] }),
  ],
  ['a shape of a string', "tensor 'bias': shape: wanted an integer", inHeader('bias', { shape: ['4'] })],
  ['a shape of no number', "tensor 'bias': shape: wanted an integer", inHeader('bias', { shape: [null] })],
  [
    'a shape beyond integers',
    "tensor 'bias': shape: wanted a safe integer",
    inHeader('bias', { shape: [1e300] }),
  ],
  ['a huge shape', "tensor 'bias': data_offsets: wanted the", inHeader('bias', { shape: [huge - 1] })],
  [
    'a shape whose product overflows',
    'data_offsets: wanted the',
    inHeader('bias', { shape: [2 ** 31, 2 ** 31, 4] }),
  ],
  ['a shape without end', 'data_offsets: wanted the', inHeader('bias', { shape: Array(40).fill(2 ** 52) })],
  [
    'a shape without end, times 0',
    'data_offsets',
    inHeader('bias', { shape: [...Array(40).fill(2 ** 52), 0] }),
  ],
  [
    'offsets that are none',
    "tensor 'bias': data_offsets: wanted 2 items",
    inHeader('bias', { data_offsets: [0] }),
  ],
  [
    'offsets out of range',
    'data_offsets: wanted an integer from 0',
    inHeader('bias', { data_offsets: [0, huge] }),
  ],
  ['offsets below 0', 'data_offsets: wanted an integer from 0', inHeader('bias', { data_offsets: [-16, 0] })],
  [
    'offsets in reverse',
    'data_offsets: wanted an integer from 8',
    inHeader('bias', { data_offsets: [8, 4] }),
  ],
  ['offsets that overlap', 'data_offsets: wanted bytes from', inHeader('bias', { data_offsets: [0, 16] })],
  [
    'offsets that leave a hole',
    "tensor 'bias': data_offsets: wanted bytes from 192 on, got 196",
    (parts) => {
      moveFrom(parts, 'bias', 4);
      parts.data = Uint8Array.of(...parts.data, 0, 0, 0, 0);
    },
  ],
  [
    'bytes behind the last weight',
    /file: wanted \d+ bytes, got/,
    (parts) => {
      parts.data = Uint8Array.of(...parts.data, 0);
    },
  ],
  ['no metadata', 'metadata: format', ({ header }) => delete header.__metadata__],
  ['metadata of numbers', '__metadata__: version: wanted a string', inHeader('__metadata__', { version: 1 })],
  [
    'further metadata',
    'wanted no fields but format, version, program',
    inHeader('__metadata__', { more: '' }),
  ],
  [
    'no program',
    "wanted a field 'program'",
    (parts) => {
      parts.program = undefined;
      delete parts.header.__metadata__.program;
    },
  ],
  [
    'a program that is not JSON',
    'program: not JSON',
    (parts) => {
      parts.program = undefined;
      parts.header.__metadata__.program = '{';
    },
  ],
  [
    'a program with a name twice',
    'program: an object has two values of one name',
    (parts) => {
      parts.header.__metadata__.program = JSON.stringify(parts.program).replace(
        '"levels"',
        '"levels":2,"levels"',
      );
      parts.program = undefined;
    },
  ],
  [
    'another format',
    "metadata: format: wanted 'pixelcnn-layers'",
    inHeader('__metadata__', { format: 'pt' }),
  ],
  [
    'a later version',
    'version: wanted 1, since this pixelcnn-layers reads no later one, got',
    inHeader('__metadata__', { version: '2' }),
  ],
  ['a version that is none', 'version: wanted a number', inHeader('__metadata__', { version: '1e9' })],
  ...['__proto__', 'constructor', 'toString', 'more'].map(
    (name): Case => [
      `a weight ${name} that no node names`,
      `weight '${name}': wanted one that a node uses`,
      (parts) => addWeight(parts, name, [1], [1]),
    ],
  ),
  ...['__proto__', 'constructor'].map(
    (name): Case => [
      `metadata ${name}`,
      'metadata: wanted no fields but',
      ({ header }) => Object.defineProperty(header.__metadata__, name, { value: 'x', enumerable: true }),
    ],
  ),
];

const programs: Case[] = [
  ['a further field', 'program: wanted no fields but', inProgram((program) => (program.more = 1))],
  ['no output', "program: wanted a field 'output'", inProgram((program) => delete program.output)],
  ['an image of two sides', 'imageShape: wanted 3 items', inProgram((program) => program.imageShape.pop())],
  [
    'an image of no rows',
    'imageShape: wanted an integer',
    inProgram((program) => (program.imageShape[0] = 0)),
  ],
  [
    'channels unknown',
    'imageShape: wanted an integer',
    inProgram((program) => (program.imageShape[2] = null)),
  ],
  [
    'a huge image',
    'imageShape: wanted at most 16777216 values',
    inProgram((program) => (program.imageShape = [16384, 16384, 2])),
  ],
  [
    'a long image',
    'imageShape: wanted an integer from 1 to 16384',
    inProgram((program) => (program.imageShape = [null, 1e9, 2])),
  ],
  [
    'other channels',
    'node 0 (image): size: wanted 3, got 2',
    inProgram((program) => (program.imageShape[2] = 3)),
  ],
  ['one level', 'levels: wanted an integer from 2', inProgram((program) => (program.levels = 1))],
  [
    'too many levels',
    'levels: wanted an integer from 2',
    inProgram((program) => (program.levels = 2 ** 24 + 1)),
  ],
  [
    'levels of half a number',
    'levels: wanted an integer from 2',
    inProgram((program) => (program.levels = 2.5)),
  ],
  [
    'a distribution that is none',
    "distribution: kind: wanted 'softmax' or 'logisticMixture', got 'gaussian'",
    inProgram((program) => (program.distribution = { kind: 'gaussian' })),
  ],
  [
    'a distribution that is null',
    'distribution: kind',
    inProgram((program) => (program.distribution = null)),
  ],
  [
    'a distribution with more to it',
    'distribution: wanted no fields but kind',
    inProgram((program) => (program.distribution = { kind: 'softmax', components: 2 })),
  ],
  [
    'a mixture of nothing',
    'distribution: components: wanted an integer of at least 1, got 0',
    inProgram((program) => (program.distribution = { kind: 'logisticMixture', components: 0 })),
  ],
  [
    'a mixture of too many for so many levels',
    'distribution: levels times components: wanted at most 16777216 values (maxValues), got 17825792',
    inProgram((program) => {
      program.levels = 2 ** 20;
      program.distribution = { kind: 'logisticMixture', components: 17 };
    }),
  ],
  [
    'a mixture of other parameters',
    'output: wanted a node of 6 parameters of the distribution, got 4',
    inProgram((program) => (program.distribution = { kind: 'logisticMixture', components: 1 })),
  ],
  [
    'a mixture whose first channel sees itself',
    'output: not causal: the parameters of channel 0 see that channel or what comes later',
    inProgram((program) => {
      program.distribution = { kind: 'logisticMixture', components: 1 };
      program.output = program.nodes.push({ op: 'concat', size: 6, inputs: [12, 4] }) - 1;
    }),
  ],
  [
    'a slice of more than there is',
    'node 13 (slice): size: wanted an integer from 1 to 4, got 5',
    inProgram(({ nodes }) => nodes.push({ op: 'slice', size: 5, input: 12, start: 0 })),
  ],
  [
    'a slice that ends too late',
    'node 13 (slice): start: wanted an integer from 0 to 2, got 3',
    inProgram(({ nodes }) => nodes.push({ op: 'slice', size: 2, input: 12, start: 3 })),
  ],
  [
    'other levels',
    'output: wanted a node of 6 logits, 3 of each channel, got 4',
    inProgram((program) => (program.levels = 3)),
  ],
  [
    'conditions that are none',
    'conditions: wanted a list',
    inProgram((program) => (program.conditions = {})),
  ],
  [
    'two conditions of a kind',
    "conditions: wanted at most one class, one vector, one map and one map of codes as conditions, got ['vector', 'vector']",
    inProgram(({ conditions }) => conditions.push(conditions[0])),
  ],
  [
    'a condition by its node read as another',
    'node 1 (condition): size: wanted 3, got 2',
    inProgram(({ conditions }) => conditions.unshift({ kind: 'map', size: 3 })),
  ],
  [
    'a null class that is none',
    'conditions: 0: nullClass: wanted true, or no such field, got false',
    inProgram((program) => (program.conditions = [{ kind: 'class', numClasses: 2, nullClass: false }])),
  ],
  [
    'a null class of vectors',
    "conditions: 0: wanted no fields but kind, size, got 'nullClass'",
    inProgram(({ conditions }) => (conditions[0].nullClass = true)),
  ],
  [
    'no conditions',
    'node 1 (condition): index: wanted one of 0 conditions',
    inProgram(({ conditions }) => conditions.pop()),
  ],
  [
    'a condition of another kind',
    'conditions: 0: kind',
    inProgram(({ conditions }) => (conditions[0].kind = 'other')),
  ],
  ['a condition that is none', 'conditions: 0: kind', inProgram(({ conditions }) => (conditions[0] = null))],
  [
    'a condition of another size',
    'node 1 (condition): size: wanted 3',
    inProgram(({ conditions }) => (conditions[0].size = 3)),
  ],
  [
    'a condition of too many numbers',
    'conditions: 0: size',
    inProgram(({ conditions }) => (conditions[0].size = 2 ** 30)),
  ],
  [
    'a condition with more',
    'conditions: 0: wanted no fields but',
    inProgram(({ conditions }) => (conditions[0].more = 2)),
  ],
  [
    'a class',
    'node 1 (condition): size: wanted 1, got 2',
    inProgram((program) => (program.conditions = [{ kind: 'class', numClasses: 2 }])),
  ],
  [
    'too many classes',
    'conditions: 0: numClasses',
    inProgram((program) => (program.conditions = [{ kind: 'class', numClasses: 2 ** 25 }])),
  ],
  [
    'a map, its pixels seen as one',
    'node 11 (add)',
    inProgram((program) => {
      program.conditions[0].kind = 'map';
      program.nodes[11].op = 'add';
      program.nodes[11].inputs = [7, 11];
    }),
  ],
  ['nodes that are none', 'nodes: wanted a list', inProgram((program) => (program.nodes = { length: 2 }))],
  ['no nodes', "weight 'first': wanted one that a node uses", inProgram((program) => (program.nodes = []))],
  [
    'an output that is none',
    'output: wanted an integer from 0 to 12',
    inProgram((program) => (program.output = 13)),
  ],
  ['an output of half a number', 'output: wanted an integer', inProgram((program) => (program.output = 1.5))],
  ['an output that sees its own values', /not causal|logits/, inProgram((program) => (program.output = 0))],
];

const nodes: Case[] = [
  ...[null, 1, 'image', [], {}].map(
    (node): Case => [
      `the node ${JSON.stringify(node)}`,
      'node 11: op: wanted image or condition or',
      inProgram((program) => (program.nodes[11] = node)),
    ],
  ),
  ...['constructor', '__proto__', 'matmul', 3].map(
    (op): Case => [`the operation ${op}`, 'node 11: op: wanted image or condition or', inNode(11, { op })],
  ),
  ['no size', "node 3 (pointwise): wanted a field 'size'", inProgram(({ nodes }) => delete nodes[3].size)],
  ['a field of another operation', 'node 3 (pointwise): wanted no fields but', inNode(3, { inputs: [2] })],
  [
    'a field that objects inherit',
    'node 3 (pointwise): wanted no fields but',
    inProgram(({ nodes }) =>
      Object.defineProperty(nodes[3], '__proto__', { value: { x: 1 }, enumerable: true }),
    ),
  ],
  ['another size', 'node 3 (pointwise): size: wanted 4, got 5', inNode(3, { size: 5 })],
  ['a size that is none', 'node 3 (pointwise): size: wanted an integer', inNode(3, { size: '4' })],
  ['a size of nothing', 'node 2 (conv): size: wanted an integer', inNode(2, { size: 0 })],
  [
    'an operand that comes later',
    'node 3 (pointwise): input: wanted an integer from 0 to 2, got 3',
    inNode(3, { input: 3 }),
  ],
  ['an operand below 0', 'node 3 (pointwise): input: wanted an integer', inNode(3, { input: -1 })],
  [
    'an operand that is none',
    "node 3 (pointwise): input: wanted an integer from 0 to 2, got 'length'",
    inNode(3, { input: 'length' }),
  ],
  ['operands that are none', 'node 5 (concat): inputs: wanted a list', inNode(5, { inputs: 4 })],
  ['no operands', 'node 5 (concat): inputs: wanted at least one', inNode(5, { inputs: [] })],
  [
    'operands of several sizes',
    'node 11 (add): inputs: wanted features of one size',
    inNode(11, { inputs: [7, 0] }),
  ],
  [
    'a concatenation of another size',
    'node 5 (concat): size: wanted 6, got 4',
    inNode(5, { inputs: [4, 1, 1] }),
  ],
  [
    'the image a second time',
    'node 3 (image): wanted the image as the first node',
    inProgram(({ nodes }) => (nodes[3] = nodes[0])),
  ],
  [
    'no image',
    'node 0 (condition): wanted the image as the first node',
    inProgram(({ nodes }) => (nodes[0] = nodes[1])),
  ],
  [
    'a condition twice',
    'node 2 (condition): index: wanted one of 1 conditions, each by one node',
    inProgram(({ nodes }) => (nodes[2] = nodes[1])),
  ],
  ['another function', 'node 3 (pointwise): fn: wanted', inNode(3, { fn: 'constructor' })],
  ['a parameter that is none', 'node 3 (pointwise): parameter', inNode(3, { parameter: null })],
  [
    'half a group of a gate',
    'node 4 (gate): input: wanted a multiple of 2 * groups (6), got 4',
    inNode(4, { groups: 3 }),
  ],
  ['groups of a gate that are none', 'node 4 (gate): groups', inNode(4, { groups: 0 })],
  ['a gate as large as its input', 'node 4 (gate): size: wanted 2, got 4', inNode(4, { size: 4 })],
  ['groups of a softmax that are none', 'node 12 (logSoftmax): groups', inNode(12, { groups: 0.5 })],
  [
    'groups of a softmax that do not split its input',
    'node 12 (logSoftmax): input: wanted a multiple of groups (3), got 4',
    inNode(12, { groups: 3 }),
  ],
  [
    'a softmax without groups',
    "node 12 (logSoftmax): wanted a field 'groups'",
    inProgram(({ nodes }) => delete nodes[12].groups),
  ],
  ['a softmax of another size', 'node 12 (logSoftmax): size: wanted 4, got 2', inNode(12, { size: 2 })],
  [
    'a softmax that lets a channel see the next one',
    'output: not causal: the logits of channel 0 see that channel or what comes later',
    inNode(12, { groups: 1 }),
  ],
  ['an epsilon below 0', 'node 10 (normalize): epsilon', inNode(10, { epsilon: -1 })],
  [
    'half a group of a normalization',
    'node 10 (normalize): input: wanted a multiple of groups (3), got 4',
    inNode(10, { groups: 3 }),
  ],
  ['groups of a normalization that are none', 'node 10 (normalize): groups', inNode(10, { groups: 0 })],
  ['an epsilon that is none', 'node 10 (normalize): epsilon', inNode(10, { epsilon: '0' })],
  ['one of several features', 'node 9 (oneHot): input: wanted one feature, got 2', inNode(9, { input: 1 })],
  ['a huge class', 'node 9 (oneHot): wanted less work in so short a file', inNode(9, { size: 1e9 })],
  [
    'a scale of another shape',
    "node 6 (affine): scale 'first': wanted shape [4], got [2, 3, 2, 4]",
    inNode(6, { scale: 'first' }),
  ],
  [
    'a weight that is missing',
    "node 6 (affine): shift: wanted the name of a weight, got 'more'",
    inNode(6, { shift: 'more' }),
  ],
  ...['constructor', '__proto__', '__metadata__', 0, null].map(
    (shift): Case => [
      `the weight ${shift}`,
      'node 6 (affine): shift: wanted the name of a weight',
      inNode(6, { shift }),
    ],
  ),
  ['a bias of another shape', "node 2 (conv): bias 'first': wanted shape [4]", inNode(2, { bias: 'first' })],
  ['no kernel', 'node 2 (conv): kernel: wanted the name of a weight, got null', inNode(2, { kernel: null })],
  [
    'a kernel of another shape',
    "node 2 (conv): kernel 'project': wanted shape [2,3,2,4]",
    inNode(2, { kernel: 'project' }),
  ],
  [
    'a kernel of another rank',
    "node 2 (conv): kernel 'bias': wanted shape [2,3,2,4]",
    inNode(2, { kernel: 'bias' }),
  ],
  [
    'a kernel of another size',
    "node 2 (conv): kernel 'first': wanted shape [3,2,2,4]",
    inWindow({ kernelSize: [3, 2] }),
  ],
  [
    'a window of no rows',
    'node 2 (conv): window: kernelSize: wanted an integer',
    inWindow({ kernelSize: [0, 3] }),
  ],
  [
    'a window of three sides',
    'node 2 (conv): window: kernelSize: wanted 2 items',
    inWindow({ kernelSize: [2, 3, 1] }),
  ],
  [
    'an anchor outside',
    'node 2 (conv): window: anchor: wanted an integer from 0 to 2',
    inWindow({ anchor: [1, 3] }),
  ],
  [
    'an anchor above',
    'node 2 (conv): window: anchor: wanted an integer from 0 to 1',
    inWindow({ anchor: [-1, 1] }),
  ],
  ['another mask', 'node 2 (conv): window: present', inWindow({ present: 'C' })],
  [
    'channels that do not divide',
    'node 2 (conv): input: wanted a multiple of imageChannels (3)',
    inWindow({ imageChannels: 3 }),
  ],
  [
    'channels that do not divide outputs',
    'node 2 (conv): size: wanted a multiple',
    inProgram((program) => {
      Object.assign(program.nodes[2], { size: 3 });
    }),
  ],
  ['another stride', 'node 2 (conv): window: stride: wanted 1 or 2, got 3', inWindow({ stride: 3 })],
  [
    'a stride that the image has no room for',
    'imageShape: wanted height and width that are multiples of 2, got [2, 3, 2]',
    inWindow({ stride: 2 }),
  ],
  [
    'a window that is transposed or not',
    'node 2 (conv): window: transposed: wanted true or false, got 1',
    inWindow({ transposed: 1 }),
  ],
  [
    'a window of the image that enlarges it',
    "node 2 (conv): its resolution is finer than the image's",
    inWindow({ transposed: true, stride: 2 }),
  ],
  [
    'a stride over what has no place',
    'node 8 (conv): stride: wanted 1, since its input is the same at every pixel',
    inProgram(({ nodes }) => Object.assign(nodes[8].window, { stride: 2 })),
  ],
  ['a window with more', 'node 2 (conv): window: wanted no fields but', inWindow({ dilation: 1 })],
  [
    'a window of what has no place',
    'node 8 (conv): kernel: wanted 1x1, since its input is the same at every pixel',
    (parts) => {
      addWeight(parts, 'wide', [1, 3, 2, 1], [1, 2, 3, 4, 5, 6]);
      Object.assign(parts.program.nodes[8], { kernel: 'wide', window: windowOf([1, 3], [0, 1], 'B', 1) });
    },
  ],
  ['mask B on the image', 'not causal: the logits of channel 0 see', inWindow({ present: 'B' })],
  [
    'a whole row of the image',
    'not causal: the logits of channel 0 see',
    inWindow({ present: 'everything' }),
  ],
  [
    'channels mixed',
    'not causal: the logits of channel 0 see',
    inProgram(({ nodes }) => Object.assign(nodes[10], { input: 6, groups: 1 })),
  ],
];

describe('writePortable', () => {
  const model = readPortable(file);
  const withNode = (index: number, fields: object): PortableModel => ({
    ...model,
    nodes: model.nodes.map((node, i) =>
      i === index ? { ...node, ...fields } : node,
    ) as PortableModel['nodes'],
  });
  const withBias = (bias: Weight): PortableModel => ({
    ...model,
    weights: new Map([...model.weights, ['bias', bias]]),
  });

  it('refuses what readPortable would refuse', () => {
    const refused: [model: PortableModel, message: string][] = [
      [
        withNode(2, { window: windowOf([2, 3], [1, 1], 'B', 2) }),
        'output: not causal: the logits of channel 0',
      ],
      [withNode(3, { parameter: Number.NaN }), 'node 3 (pointwise): parameter'],
      [withNode(3, { more: 1 }), 'node 3 (pointwise): wanted no fields but'],
      [withNode(2, { bias: null }), "weight 'bias': wanted one that a node uses"],
      [{ ...model, output: 3.5 }, 'output: wanted an integer'],
      [
        withBias({ shape: [4], data: Float32Array.of(0, Number.NaN, 0, 0) }),
        "weight 'bias': wanted finite numbers, got NaN",
      ],
      [withBias({ shape: [4], data: new Float32Array(3) }), "weight 'bias': data: wanted 4 numbers, got 3"],
      [withBias({ shape: [4], data: [0, 0, 0, 0] as never }), "weight 'bias': data: wanted a Float32Array"],
      [
        {
          ...model,
          weights: new Map([...model.weights, ['__metadata__', { shape: [1], data: new Float32Array(1) }]]),
        },
        '__metadata__',
      ],
    ];
    for (const [wrong, message] of refused) {
      for (const float16 of [false, true]) {
        const write = () => writePortable(wrong, { float16 });
        expect(write).toThrow('writePortable: model: ');
        expect(write).toThrow(message);
        expect(write).not.toThrow(TypeError);
      }
    }
  });

  it('refuses other options', () => {
    expect(() => writePortable(model, { float16: 1 as never })).toThrow(TypeError);
    expect(() => writePortable(model, null as never)).toThrow('writePortable: options');
  });

  it('writes safetensors: a header of whole words, and all bytes one after the other', () => {
    for (const float16 of [false, true]) {
      const bytes = writePortable(model, { float16 });
      const { header, data } = takeApart(bytes);
      expect((bytes.length - data.length) % 8).toBe(0);
      expect(header.__metadata__).toMatchObject({ format: 'pixelcnn-layers', version: '1' });
      const width = float16 ? 2 : 4;
      let end = 0;
      for (const [name, { shape, data: numbers }] of model.weights) {
        const offsets = [end, end + width * numbers.length];
        expect(header[name]).toEqual({ dtype: float16 ? 'F16' : 'F32', shape, data_offsets: offsets });
        end = offsets[1] as number;
      }
      expect(end).toBe(data.length);
    }
  });
});

describe('what is no portable model', () => {
  const nothing = {
    nothing: undefined,
    null: null,
    'a name': 'model',
    'an object': {},
    'a list': [],
    nodes: { nodes: [] },
    'a model without weights': { ...readPortable(file), weights: {} },
    'a file': file,
  };

  it.each(Object.entries(nothing))('is refused: %s', async (_, model) => {
    const wanted = (name: string) =>
      `${name}: model: wanted a portable model, as toPortable makes or readPortable reads`;
    const images = { data: new Uint8Array(12), shape: [1, 2, 3, 2] } as const;
    await expect(sample(model as never)).rejects.toThrow(wanted('sample'));
    await expect(logProb(model as never, images)).rejects.toThrow(wanted('logProb'));
    expect(() => stepper(model as never)).toThrow(wanted('stepper'));
    expect(() => writePortable(model as never)).toThrow(wanted('writePortable'));
    await expect(sample(model as never)).rejects.toThrow(TypeError);
  });

  it('is a model of tfjs', async () => {
    const model = pixelCNN(small);
    await expect(sample(model as never)).rejects.toThrow('reads, got AutoregressiveModel');
    model.dispose();
  });
});

describe('images larger than any memory', () => {
  it.each([
    [1e9, 1e9],
    [2 ** 44, 1],
    [1, 2 ** 44],
    [2 ** 52, 1],
  ])('of %s x %s are refused by sample, soon', async (height, width) => {
    const model: PortableModel = { ...readPortable(file), imageShape: [height, width, 2] };
    const start = performance.now();
    const sampled = sample(model, { condition: { data: [0, 1], shape: [1, 2] } });
    await expect(sampled).rejects.toThrow(RangeError);
    await expect(sampled).rejects.toThrow(/^sample: .*fewer images at a time need less$/);
    expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
  });
});

describe('readPortable', () => {
  it('reads the file that the others are made of', async () => {
    const model = readPortable(file);
    expect(model.nodes).toEqual(everyOperation);
    expect(readPortable(edited(file, () => {}))).toEqual(model);
    const { shape } = await sample(model, { condition: { data: [0, 1], shape: [1, 2] }, seed: 1 });
    expect(shape).toEqual([1, 2, 3, 2]);
    expect(() => readPortable(everyOperationFile().subarray(0, -1))).toThrow();
  });

  it('reads models of images of any size', async () => {
    const any = edited(file, ({ program }) => program.imageShape.splice(0, 2, null, null));
    const model = readPortable(any);
    expect(model.imageShape).toEqual([null, null, 2]);
    const options = {
      condition: { data: [0, 1], shape: [1, 2] },
      imageShape: [2, 3, 2] as [number, number, number],
    };
    expect(await sample(model, { ...options, seed: 1 })).toEqual(
      await sample(readPortable(file), { ...options, seed: 1 }),
    );
  });

  it('reads bytes that begin anywhere', () => {
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(readPortable(shifted.subarray(3))).toEqual(readPortable(file));
    // as Node reads files: a part of a larger memory, whose slices are no copies
    if (typeof Buffer !== 'undefined') expect(readPortable(Buffer.from(file))).toEqual(readPortable(file));
  });

  it.each([...containers, ...programs, ...nodes])('refuses %s', (_, message, edit) => {
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
    expect(least).toThrow(RangeError);
    expect(least).toThrow(
      `readPortable: ${what}: wanted at most ${values - 1} values (maxValues), got ${values}`,
    );
  });

  it('gives short messages of long names', () => {
    const long = '-'.repeat(1e6);
    const edits: Edit[] = [
      inProgram(({ nodes }) => (nodes[1].op = long)),
      inProgram(({ nodes }) => (nodes[1][long] = 1)),
      inProgram(({ nodes }) => (nodes[1].kernel = long)),
      inProgram((program) => (program.conditions = [{ kind: long }])),
      inProgram((program) => (program.conditions = long)),
      (parts) => (parts.header.__metadata__.format = long),
      (parts) => (parts.header.__metadata__[long] = 'none'),
      (parts) => (parts.header[long] = { dtype: 'F32', shape: [1], data_offsets: [0, 3] }),
      (parts) => (parts.header[long] = { dtype: long, shape: [1], data_offsets: [0, 4] }),
    ];
    for (const edit of edits) {
      try {
        readPortable(edited(file, edit));
        expect.unreachable();
      } catch (error) {
        expect((error as Error).message.length).toBeLessThan(2000);
      }
    }
  });

  it('reads a file of more weights than values that it may ask for', () => {
    const numbers = [...readPortable(file).weights.values()].reduce((sum, { data }) => sum + data.length, 0);
    expect(numbers).toBeGreaterThan(2);
    const small = edited(file, (parts) => (parts.program.imageShape = [null, null, 2]));
    expect(() => readPortable(small, { maxValues: 2 })).not.toThrow();
    expect(() => readPortable(small, { maxValues: 1 })).toThrow(RangeError);
  });

  it.each([0, -1, 1.5, Number.NaN, '9', null])('refuses maxValues %s', (maxValues) => {
    expect(() => readPortable(file, { maxValues: maxValues as never })).toThrow(
      'readPortable: maxValues: wanted an integer of at least 1',
    );
  });

  it('reads and writes larger images where the caller wants them', () => {
    const large = edited(file, (parts) => (parts.program.imageShape = [4096, 4096, 2]));
    expect(() => readPortable(large)).toThrow(
      'readPortable: imageShape: wanted at most 16777216 values (maxValues), got 33554432',
    );
    const model = readPortable(large, { maxValues: 2 ** 25 });
    expect(model.imageShape).toEqual([4096, 4096, 2]);
    expect(readPortable(writePortable(model), { maxValues: 2 ** 25 })).toEqual(model);
  });

  it.each([undefined, null, 'file', [1, 2], new ArrayBuffer(8), new Float32Array(2)])(
    'refuses %s by its type',
    (bytes) => {
      expect(() => readPortable(bytes as never)).toThrow(TypeError);
      expect(() => readPortable(bytes as never)).toThrow('readPortable: bytes: wanted a Uint8Array');
    },
  );

  it('refuses a header that is none', () => {
    const { data } = takeApart(file);
    const refused: [header: string | Uint8Array, message: string][] = [
      ['', 'header: not JSON'],
      ['{', 'header: not JSON'],
      ['null', 'header: wanted an object'],
      ['{"a":{"constructor":{"name":{"toString":1}}}}', "tensor 'a': wanted a field 'dtype'"],
      [
        '{"__metadata__":{"a":{"constructor":{"name":{"toString":1}}}}}',
        '__metadata__: a: wanted a string, got',
      ],
      ['[]', 'header: wanted an object'],
      ['7', 'header: wanted an object'],
      ['{}', 'file: wanted'],
      ['\ufeff{}', 'header: not JSON'],
      [Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x30, 0x7d), 'header: not UTF-8'],
      ['{"__metadata__":null,"__metadata__":{}}', 'header: an object has two values of one name'],
      ['{"\\u0022a:":{"a":0,"\\u0061":1}}', 'header: an object has two values of one name'],
      ['{"__proto__":{},"__proto__":{}}', 'header: an object has two values of one name'],
      ['['.repeat(1e6), 'header: not JSON'],
      [`${'['.repeat(1e5)}${']'.repeat(1e5)}`, 'header: '],
      [`{"a":${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}}`, 'header: '],
    ];
    for (const [header, message] of refused) expectRefused(withHeader(header, data), message);
  });

  it('refuses a header longer than the file', () => {
    for (const [low, high] of [
      [file.length - 7, 0],
      [0xffffffff, 0],
      [0, 1],
      [0, 0x80000000],
    ] as const) {
      const bytes = file.slice();
      const view = new DataView(bytes.buffer);
      view.setUint32(0, low, true);
      view.setUint32(4, high, true);
      expectRefused(bytes, /header: wanted its \d+ bytes, got \d+/);
    }
  });

  it('refuses weights that are not finite, by name', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const bytes = edited(file, ({ header, data }) => {
        new DataView(data.buffer).setFloat32(header.shift.data_offsets[0] + 4, value, true);
      });
      expectRefused(bytes, `weight 'shift': wanted finite numbers, got ${value}`);
    }
    const half = writePortable(readPortable(file), { float16: true });
    for (const [bits, value] of [
      [0x7c00, 'Infinity'],
      [0xfc00, '-Infinity'],
      [0x7e00, 'NaN'],
      [0xfc01, 'NaN'],
    ] as const) {
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
    const weights = new Map(
      [...model.weights].map(([name, weight]) => [renamed.get(name) as string, weight]),
    );
    const read = readPortable(writePortable({ ...model, nodes, weights }));
    expect(same(read)).toEqual(same({ ...model, nodes, weights }));
  });

  it('refuses what a short file would make long, soon', () => {
    const doubled = (program: Json, op: string) => {
      for (let size = 8; program.nodes.length < 80; size *= 2) {
        const last = program.nodes.length - 1;
        program.nodes.push({ op, size, inputs: [last, last] });
      }
    };
    const bombs: [edit: Edit, message: string | null][] = [
      [inProgram((program) => doubled(program, 'concat')), '(concat): wanted less work in so short a file'],
      [
        inProgram(({ nodes }) => nodes.push({ op: 'concat', size: 4e6, inputs: Array(1e6).fill(3) })),
        '(concat): wanted less work in so short a file',
      ],
      [
        inProgram(({ nodes }) => {
          for (let i = 0; i < 3000; i++) nodes.push({ op: 'oneHot', size: 2 ** 20, input: 8 });
        }),
        '(oneHot): wanted less work in so short a file',
      ],
      [
        inProgram((program) => {
          program.imageShape = [1, 1, 2 ** 24];
          program.nodes[0].size = 2 ** 24;
        }),
        'imageShape: wanted an integer from 1 to 16384',
      ],
      [
        (parts) => {
          const channels = 2 ** 14;
          Object.assign(parts.program, {
            imageShape: [1, 1, channels],
            conditions: [],
            nodes: [{ op: 'image', size: channels }],
            output: 0,
            distribution: { kind: 'logisticMixture', components: 1024 },
          });
          parts.header = { __metadata__: parts.header.__metadata__ };
          parts.data = new Uint8Array();
        },
        'output: wanted a node of 137464120320 parameters', // 1024 (1 + 2 C + C (C - 1) / 2)
      ],
      [
        (parts) => {
          addWeight(parts, 'wide', [1, 1, 64, 64], Array(4096).fill(0));
          parts.program.nodes.push({ op: 'oneHot', size: 64, input: 8 });
          for (let i = 0; i < 5000; i++) {
            const input = parts.program.nodes.length - 1;
            const window = windowOf([1, 1], [0, 0], 'B', 1);
            parts.program.nodes.push({ op: 'conv', size: 64, input, kernel: 'wide', bias: null, window });
          }
        },
        'wanted less work in so short a file',
      ],
      [
        (parts) => {
          const size = 2 ** 17;
          const { nodes } = parts.program;
          addWeight(parts, 'long', [1, 1, 1, size], Array(size).fill(0));
          const window = windowOf([1, 1], [0, 0], 'B', 1);
          const input = nodes.push({ op: 'conv', size, input: 8, kernel: 'long', bias: null, window }) - 1;
          for (const groups of [1, 2, size / 2, size]) nodes.push({ op: 'softmax', size, input, groups });
        },
        null, // long enough itself for what it asks
      ],
    ];
    for (const [edit, message] of bombs) {
      const bytes = edited(file, edit);
      const start = performance.now();
      if (message === null) readPortable(bytes);
      else expect(() => readPortable(bytes)).toThrow(message);
      expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
    }
  });

  it('reads a program as deep as its file is long, and draws', async () => {
    const deep = edited(file, ({ program }) => {
      for (let i = 0; i < 20_000; i++) {
        const input = program.nodes.length - 1;
        program.nodes.push({ op: 'pointwise', size: 4, input, fn: 'tanh', parameter: 0 });
      }
      program.output = program.nodes.length - 1;
    });
    const start = performance.now();
    const model = readPortable(deep);
    expect(model.nodes.length).toBe(20_013);
    await sample(model, { condition: { data: [0, 1], shape: [1, 2] } });
    expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
  });
});

describe('levels in a file', () => {
  const levels: Json[] = [
    { op: 'image', size: 2 },
    { op: 'oneHotLevels', size: 6, input: 0, levels: 3 },
    { op: 'embedLevels', size: 8, input: 0, table: 'table' },
    { op: 'conv', size: 6, input: 1, kernel: 'looked', bias: null, window: windowOf([1, 3], [0, 1], 'A', 2) },
    { op: 'conv', size: 6, input: 2, kernel: 'read', bias: null, window: windowOf([1, 3], [0, 1], 'A', 2) },
    { op: 'add', size: 6, inputs: [3, 4] },
  ];
  const random = randomNumbers(3);
  const shapes = { table: [3, 4], looked: [1, 3, 6, 6], read: [1, 3, 8, 6] };
  const bytes = writePortable({
    imageShape: [2, 3, 2],
    levels: 3,
    conditions: [],
    nodes: levels,
    output: 5,
    weights: new Map(
      Object.entries(shapes).map(([name, shape]): [string, Weight] => {
        const size = shape.reduce((product, length) => product * length);
        return [name, { shape, data: Float32Array.from({ length: size }, () => 4 * random() - 2) }];
      }),
    ),
  });

  it('are read, and drawn by', async () => {
    const { data } = await sample(readPortable(bytes), { numImages: 9, seed: 1 });
    expect(new Set(data).size).toBe(3);
  });

  const table = (shape: number[]): Edit =>
    (parts) => (parts.header.table.shape = shape); // biome-ignore format: one line
  const cases: Case[] = [
    ['another size of vectors', 'node 1 (oneHotLevels): size: wanted 6, got 8', inNode(1, { size: 8 })],
    ['no levels', 'node 1 (oneHotLevels): levels: wanted an integer from 2 to 65536', inNode(1, { levels: 1 })],
    ['too many levels', 'node 1 (oneHotLevels): levels: wanted an integer from 2 to 65536, got 65537', inNode(1, { levels: 65537, size: 131074 })],
    ['half a level', 'node 1 (oneHotLevels): levels: wanted an integer', inNode(1, { levels: 2.5, size: 5 })],
    ['levels that are none', 'node 1 (oneHotLevels): levels: wanted an integer', inNode(1, { levels: '3' })],
    ['another size of rows', 'node 2 (embedLevels): size: wanted 8, got 6', inNode(2, { size: 6 })],
    ['a table that is none', "node 2 (embedLevels): table: wanted the name of a weight, got 'tables'", inNode(2, { table: 'tables' })],
    ['a table of an object', 'node 2 (embedLevels): table: wanted the name of a weight', inNode(2, { table: {} })],
    ['a list as a table', "node 2 (embedLevels): table 'table': wanted shape", table([12])],
    ['a table of three axes', "node 2 (embedLevels): table 'table': wanted shape [3,2], got [3, 2, 2]", table([3, 2, 2])],
    ['a table of one level', 'node 2 (embedLevels): levels: wanted an integer from 2 to 65536, got 1', table([1, 12])],
    ['much of nothing', 'node 1 (oneHotLevels): wanted less work', inNode(1, { levels: 65536, size: 131072 })],
  ]; // biome-ignore format: a case a line

  it.each(cases)('are refused: %s', (_, message, edit) => {
    expectRefused(edited(bytes, edit), message);
  });
});

/** A program of two resolutions, with all that PixelCNN++ is made of. */
const resolutions: Json[] = [
  { op: 'image', size: 1 },
  { op: 'conv', size: 2, input: 0, kernel: 'first', bias: null, window: windowOf([2, 3], [1, 1], 'everything', 1) },
  { op: 'shift', size: 2, input: 1, rows: 1, columns: 0 }, // u
  { op: 'shift', size: 1, input: 0, rows: 0, columns: 1 }, // ul
  { op: 'concatElu', size: 4, input: 2 },
  {
    op: 'conv',
    size: 2,
    input: 4,
    kernel: 'down',
    bias: null,
    window: { ...windowOf([2, 3], [1, 1], 'everything', 1), stride: 2 },
  },
  { op: 'linearGate', size: 1, input: 5, groups: 1 },
  {
    op: 'conv',
    size: 1,
    input: 6,
    kernel: 'up',
    bias: null,
    window: { ...windowOf([2, 2], [0, 0], 'B', 1), stride: 2, transposed: true },
  },
  { op: 'add', size: 1, inputs: [7, 3] },
  { op: 'concat', size: 3, inputs: [8, 2] },
  { op: 'conv', size: 3, input: 9, kernel: 'last', bias: null, window: windowOf([1, 1], [0, 0], 'B', 1) },
]; // biome-ignore format: a node a line

describe('attention in a file', () => {
  const random = randomNumbers(7);
  const shapes = { before: [1, 3, 1, 4], last: [1, 1, 4, 3] };
  const bytes = writePortable({
    imageShape: [3, 4, 1],
    levels: 3,
    conditions: [],
    nodes: [
      { op: 'image', size: 1 },
      {
        op: 'conv',
        size: 4,
        input: 0,
        kernel: 'before',
        bias: null,
        window: windowOf([1, 3], [0, 1], 'A', 1),
      },
      { op: 'concat', size: 4, inputs: [0, 0, 0, 0] },
      { op: 'attend', size: 4, inputs: [1, 2, 2], heads: 2 },
      { op: 'conv', size: 3, input: 3, kernel: 'last', bias: null, window: windowOf([1, 1], [0, 0], 'B', 1) },
    ],
    output: 4,
    weights: new Map(
      Object.entries(shapes).map(([name, shape]): [string, Weight] => {
        const size = shape.reduce((product, length) => product * length);
        return [name, { shape, data: Float32Array.from({ length: size }, () => 4 * random() - 2) }];
      }),
    ),
  });

  it('is read, and drawn by', async () => {
    const { data } = await sample(readPortable(bytes), { numImages: 9, seed: 1 });
    expect(new Set(data).size).toBe(3);
  });

  const cases: Case[] = [
    ['no values', 'node 3 (attend): inputs: wanted 3 items, got [1, 2]', inNode(3, { inputs: [1, 2] })],
    ['four operands', 'node 3 (attend): inputs: wanted 3 items', inNode(3, { inputs: [1, 2, 2, 2] })],
    ['operands of several sizes', 'node 3 (attend): inputs: wanted features of one size, got [4, 1, 4]', inNode(3, { inputs: [1, 0, 2] })],
    ['heads that do not split them', 'node 3 (attend): input: wanted a multiple of heads (3), got 4', inNode(3, { heads: 3 })],
    ['no heads', 'node 3 (attend): heads: wanted an integer of at least 1, got 0', inNode(3, { heads: 0 })],
    ['a later node', 'node 3 (attend): input: wanted an integer from 0 to 2, got 3', inNode(3, { inputs: [1, 2, 3] })],
    ['another size', 'node 3 (attend): size: wanted 4, got 8', inNode(3, { size: 8 })],
    ['a query that sees its own pixel', 'output: not causal', inNode(3, { inputs: [2, 2, 2] })],
    ['more keys and values than memory has', 'node 3 (attend): height, width, keys and values of the image: wanted sizes whose product is at most 268435456, got [16777216, 40]', inProgram((program) => { program.imageShape = [4096, 4096, 1]; program.nodes[2] = { op: 'concat', size: 20, inputs: [1, 1, 1, 1, 1] }; program.nodes[3] = { op: 'attend', size: 20, inputs: [2, 2, 2], heads: 1 }; })],
    ['more places than such a file plausibly attends to', 'node 3 (attend): wanted less work in so short a file, at most 69632, got', inProgram((program) => { program.imageShape = [512, 512, 1]; })],
    ['what is the same at every pixel', 'node 3 (attend): input: wanted features of pixels', inProgram((program) => { program.conditions = [{ kind: 'vector', size: 4 }]; program.nodes[2] = { op: 'condition', size: 4, index: 0 }; })],
  ]; // biome-ignore format: a case a line

  it.each(cases)('is refused: %s', (_, message, edit) => {
    expectRefused(edited(bytes, edit), message);
  });
});

describe('an LSTM in a file', () => {
  const random = randomNumbers(9);
  const shapes = { gates: [1, 1, 2, 8], states: [2, 1, 2, 8], last: [1, 1, 2, 6] };
  const point = (present: 'A' | 'B') => windowOf([1, 1], [0, 0], present, 2);
  const bytes = writePortable({
    imageShape: [3, 4, 2],
    levels: 3,
    conditions: [],
    nodes: [
      { op: 'image', size: 2 },
      { op: 'conv', size: 8, input: 0, kernel: 'gates', bias: null, window: point('B') },
      { op: 'lstm', size: 2, input: 1, kernel: 'states', kernelSize: [2, 1], path: 'fromLeft', groups: 2 },
      { op: 'conv', size: 6, input: 2, kernel: 'last', bias: null, window: point('A') },
    ],
    output: 3,
    weights: new Map(
      Object.entries(shapes).map(([name, shape]): [string, Weight] => {
        const size = shape.reduce((product, length) => product * length);
        return [name, { shape, data: Float32Array.from({ length: size }, () => 4 * random() - 2) }];
      }),
    ),
  });

  it('is read, and drawn by', async () => {
    const { data } = await sample(readPortable(bytes), { numImages: 9, seed: 1 });
    expect(new Set(data).size).toBe(3);
  });

  const cases: Case[] = [
    ['no such path', "node 2 (lstm): path: wanted 'rows' or 'fromLeft' or 'fromRight', got 'columns'", inNode(2, { path: 'columns' })],
    ['from the right, unshifted', 'output: not causal', inNode(2, { path: 'fromRight' })],
    ['a kernel of another path', 'node 2 (lstm): kernelSize: wanted [1,k] with k odd, got [2, 1]', inNode(2, { path: 'rows' })],
    ['an even kernel', 'node 2 (lstm): kernelSize: wanted [1,k] with k odd, got [1, 2]', inNode(2, { path: 'rows', kernelSize: [1, 2] })],
    ['three pixels', 'node 2 (lstm): kernelSize: wanted [2,1], got [3, 1]', inNode(2, { kernelSize: [3, 1] })],
    ['a kernel of no size', 'node 2 (lstm): kernelSize: wanted an integer of at least 1, got 0', inNode(2, { kernelSize: [2, 0] })],
    ['a kernel of one number', 'node 2 (lstm): kernelSize: wanted 2 items, got [2]', inNode(2, { kernelSize: [2] })],
    ['another kernel', "node 2 (lstm): kernel 'gates': wanted shape [2,1,2,8], got [1, 1, 2, 8]", inNode(2, { kernel: 'gates' })],
    ['no kernel', 'node 2 (lstm): kernel: wanted the name of a weight', inNode(2, { kernel: 'none' })],
    ['groups that do not split it', 'node 2 (lstm): input: wanted a multiple of 4 * groups (12), got 8', inNode(2, { groups: 3 })],
    ['no groups', 'node 2 (lstm): groups: wanted an integer of at least 1, got 0', inNode(2, { groups: 0 })],
    ['another size', 'node 2 (lstm): size: wanted 2, got 8', inNode(2, { size: 8 })],
    ['a later node', 'node 2 (lstm): input: wanted an integer from 0 to 1, got 3', inNode(2, { input: 3 })],
    ['a field of its own', "node 2 (lstm): wanted no fields but op, size, input, kernel, kernelSize, path, groups, got 'bias'", inNode(2, { bias: null })],
    ['what is the same at every pixel', 'node 2 (lstm): input: wanted features of pixels', inProgram((program) => { program.conditions = [{ kind: 'vector', size: 8 }]; program.nodes[1] = { op: 'condition', size: 8, index: 0 }; })],
  ]; // biome-ignore format: a case a line

  it.each(cases)('is refused: %s', (_, message, edit) => {
    expectRefused(edited(bytes, edit), message);
  });

  it('takes a time of the order of its length, however many there are', async () => {
    const many = edited(bytes, ({ program }) => {
      const { nodes } = program;
      program.imageShape = [3, 16, 2];
      nodes.push({ op: 'shift', size: 8, input: 1, rows: 1, columns: 0 }); // what goes over whole rows at once
      const inputs: number[] = [];
      for (let i = 0; i < 3000; i++)
        inputs.push(nodes.push({ ...nodes[2], input: 4, path: 'fromRight', groups: 1 }) - 1);
      nodes.push({ op: 'add', size: 2, inputs });
      program.output = nodes.push({ ...nodes[3], input: nodes.length - 1 }) - 1;
    });
    const start = performance.now();
    const { shape } = await sample(readPortable(many), { seed: 1 });
    expect(shape).toEqual([1, 3, 16, 2]);
    expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
  });
});

describe('networks on codes in a file', () => {
  const random = randomNumbers(9);
  const shapes = { before: [1, 3, 1, 2], around: [3, 3, 2, 2], last: [1, 1, 6, 3] };
  const around = windowOf([3, 3], [1, 1], 'andBelow', 1);
  const bytes = writePortable({
    imageShape: [2, 6, 1],
    levels: 3,
    conditions: [
      { kind: 'codes', levels: 2, shape: [1, 2] },
      { kind: 'class', numClasses: 2 },
    ],
    nodes: [
      { op: 'image', size: 1 },
      { op: 'conv', size: 2, input: 0, kernel: 'before', bias: null, window: windowOf([1, 3], [0, 1], 'A', 1) },
      { op: 'condition', size: 1, index: 0 },
      { op: 'oneHot', size: 2, input: 2 },
      { op: 'conv', size: 2, input: 3, kernel: 'around', bias: null, window: around },
      { op: 'enlarge', size: 2, input: 4, rows: 2, columns: 3 },
      { op: 'position', size: 2, input: 1 },
      { op: 'concat', size: 6, inputs: [1, 5, 6] },
      { op: 'conv', size: 3, input: 7, kernel: 'last', bias: null, window: windowOf([1, 1], [0, 0], 'B', 1) },
      { op: 'condition', size: 1, index: 1 },
    ], // biome-ignore format: a node a line
    output: 8,
    weights: new Map(
      Object.entries(shapes).map(([name, shape]): [string, Weight] => {
        const size = shape.reduce((product, length) => product * length);
        return [name, { shape, data: Float32Array.from({ length: size }, () => 4 * random() - 2) }];
      }),
    ),
  });
  const codes = (h: number, w: number) => ({ data: Array.from({ length: h * w }, (_, i) => i % 2), shape: [1, h, w] }); // biome-ignore format: one line
  const condition = { class: 1, codes: codes(1, 2) };

  it('are read, and drawn by', async () => {
    const nine = { data: Array.from({ length: 18 }, (_, i) => i % 2), shape: [9, 1, 2] };
    const { data } = await sample(readPortable(bytes), { numImages: 9, seed: 1, condition: { class: 1, codes: nine } }); // biome-ignore format: one line
    expect(new Set(data).size).toBe(3);
  });

  const inAround = (fields: Json): Edit => inProgram(({ nodes }) => Object.assign(nodes[4].window, fields));
  const inCodes = (fields: Json): Edit => inProgram(({ conditions }) => Object.assign(conditions[0], fields));
  const cases: Case[] = [
    ['one code', 'conditions: 0: levels: wanted an integer from 2 to 16777216, got 1', inCodes({ levels: 1 })],
    ['codes without a shape', "conditions: 0: wanted a field 'shape'", inProgram(({ conditions }) => { delete conditions[0].shape; })],
    ['codes of one axis', 'conditions: 0: shape: wanted 2 items, got [2]', inCodes({ shape: [2] })],
    ['codes of no rows', 'conditions: 0: shape: wanted an integer from 1 to 16384, got 0', inCodes({ shape: [0, 2] })],
    ['codes of any size', 'conditions: 0: shape: wanted an integer from 1 to 16384, got null', inCodes({ shape: [null, null] })],
    ['codes with a size', 'conditions: 0: wanted no fields but', inCodes({ size: 1 })],
    ['more codes than any image has', 'conditions: 0: shape: wanted at most 16777216 values (maxValues), got 268435456', inCodes({ shape: [16384, 16384] })],
    ['codes that do not become the image', 'node 7 (concat): its operands are maps of several sizes, [2,6] and [2,9]', inCodes({ shape: [1, 3] })],
    ['codes of which the image is of any size', 'node 7 (concat): its operands are maps of several sizes, [,] and [2,6]', inProgram((program) => { program.imageShape = [null, null, 1]; })],
    ['codes larger than the image', 'node 2: map: wanted one no larger than the image, got [3, 2]', inProgram((program) => { program.conditions[0].shape = [3, 2]; program.nodes[7].inputs = [1, 6, 1]; })],
    ['codes that two nodes are', 'node 9 (condition): index: wanted one of 2 conditions, each by one node, got 0', inNode(9, { index: 0 })],
    ['two maps of codes', 'at most one class, one vector, one map and one map of codes', inProgram(({ conditions }) => { conditions[1] = conditions[0]; })],
    ['no rows of places', 'node 5 (enlarge): rows: wanted an integer from 1 to 16384, got 0', inNode(5, { rows: 0 })],
    ['half a column of places', 'node 5 (enlarge): columns: wanted an integer from 1 to 16384, got 1.5', inNode(5, { columns: 1.5 })],
    ['columns without end', 'node 5 (enlarge): columns: wanted an integer from 1 to 16384, got 16385', inNode(5, { columns: 16385 })],
    ['an enlarged class', 'node 10 (enlarge): input: wanted features of pixels', inProgram(({ nodes }) => { nodes.push({ op: 'enlarge', size: 1, input: 9, rows: 2, columns: 2 }); })],
    ['an enlarged image', 'node 5 (enlarge): its input is made of the image', inNode(5, { input: 1, rows: 1, columns: 1 })],
    ['places that overflow', 'node 10: map: wanted one no larger than the image, got [16384, 2]', inProgram(({ nodes }) => { for (let i = 0; i < 100; i++) nodes.push({ op: 'enlarge', size: 2, input: i === 0 ? 4 : nodes.length - 1, rows: 16384, columns: 1 }); })],
    ['another size of places', 'node 5 (enlarge): size: wanted 2, got 12', inNode(5, { size: 12 })],
    ['positions of a class', 'node 10 (position): input: wanted features of pixels', inProgram(({ nodes }) => { nodes.push({ op: 'position', size: 2, input: 9 }); })],
    ['positions on three axes', 'node 6 (position): size: wanted 2, got 3', inNode(6, { size: 3 })],
    ['positions of what comes later', 'node 6 (position): input: wanted an integer from 0 to 5, got 7', inNode(6, { input: 7 })],
    ['positions of codes beside the image', 'node 7 (concat): its operands are maps of several sizes, [2,6] and [1,2]', inNode(6, { input: 3 })],
    ['a look around in the image', 'node 1 (conv): its input is made of the image', inProgram(({ nodes }) => { nodes[1].window.present = 'andBelow'; })],
    ['a look around in the image and codes', 'node 11 (conv): its input is made of the image', inProgram(({ nodes }) => { nodes.push({ op: 'add', size: 2, inputs: [1, 5] }, { ...nodes[4], input: 10 }); })],
    ['a look around in a class', 'node 11 (conv): kernel: wanted 1x1, since its input is the same at every pixel', inProgram(({ nodes }) => { nodes.push({ op: 'oneHot', size: 2, input: 9 }, { ...nodes[4], input: 10 }); })],
    ['a look around by strides', 'node 4 (conv): window: stride: wanted 1, not transposed', inAround({ stride: 2 })],
    ['a look around, transposed', 'node 4 (conv): window: stride: wanted 1, not transposed', inAround({ transposed: true })],
    ['an anchor below the kernel', 'node 4 (conv): window: anchor: wanted an integer from 0 to 2, got 3', inAround({ anchor: [3, 1] })],
    ['outputs of another size', 'output): a map of another size', inProgram((program) => { Object.assign(program, { levels: 2, output: 4 }); })],
    ['more maps than memory has', 'nodes: numbers of all maps that come before the image: wanted sizes whose product is at most 268435456, got [', inProgram(({ nodes, imageShape, conditions }) => { for (const shape of [imageShape, conditions[0].shape]) shape.splice(0, 2, 4096, 4096); Object.assign(nodes[5], { rows: 1, columns: 1 }); for (let i = 0; i < 9; i++) nodes.push({ ...nodes[4], input: i === 0 ? 4 : nodes.length - 1 }); nodes.push({ op: 'add', size: 2, inputs: [1, nodes.length - 1] }); })],
  ]; // biome-ignore format: a case a line

  it.each(cases)('are refused: %s', (_, message, edit) => {
    expectRefused(edited(bytes, edit), message);
  });

  it('are no larger than the caller allows', () => {
    // A map of 1x2, enlarged to 2x6, of which the image, of any size, reads nothing.
    const any = edited(
      bytes,
      inProgram((program) => {
        program.imageShape = [null, null, 1];
        program.nodes[7].inputs = [1, 1, 1];
      }),
    );
    expect(readPortable(any, { maxValues: 12 }).imageShape).toEqual([null, null, 1]);
    expect(() => readPortable(any, { maxValues: 11 })).toThrow(
      'readPortable: node 5: map: wanted at most 11 values (maxValues), got 12',
    );
    expect(() => readPortable(any, { maxValues: 1 })).toThrow(
      'readPortable: conditions: 0: shape: wanted at most 1 values (maxValues), got 2',
    );
  });

  it('look around from any place of the kernel, of any groups, at nothing but the codes', async () => {
    const draw = async (edit: Edit) =>
      Array.from((await sample(readPortable(edited(bytes, edit)), { seed: 1, condition })).data);
    const expected = await draw(() => {});
    expect(await draw(inAround({ imageChannels: 2 }))).toEqual(expected); // hides no channel
    for (const anchor of [
      [0, 0],
      [2, 2],
      [0, 2],
    ])
      expect(await draw(inAround({ anchor }))).toHaveLength(expected.length);
  });

  it('take no memory where they are only enlarged', () => {
    const large = edited(bytes, ({ program: { nodes, imageShape } }) => {
      imageShape.splice(0, 2, 4096, 4096);
      Object.assign(nodes[5], { rows: 4096, columns: 2048 });
      const inputs = [5];
      for (let i = 0; i < 20; i++) inputs.push(nodes.push({ ...nodes[5] }) - 1);
      nodes.push({ op: 'add', size: 2, inputs });
    });
    expect(readPortable(large).imageShape).toEqual([4096, 4096, 1]);
  });

  it('look around as often as the file is long', async () => {
    const deep = edited(bytes, ({ program: { nodes } }) => {
      for (let i = 0; i < 1500; i++) {
        nodes.push({ op: 'pointwise', size: 2, input: i === 0 ? 4 : nodes.length - 1, fn: 'tanh', parameter: 0 }); // biome-ignore format: one line
        nodes.push({ ...nodes[4], input: nodes.length - 1 });
      }
      nodes.push({ ...nodes[5], input: nodes.length - 1 });
      nodes.push({ op: 'concat', size: 6, inputs: [1, nodes.length - 1, 6] });
      nodes.push({ ...nodes[8], input: nodes.length - 1 });
    });
    const last = edited(deep, ({ program }) => {
      program.output = program.nodes.length - 1;
    });
    const start = performance.now();
    const drawn = await sample(readPortable(last), { seed: 1, condition }).catch((error) => error.message);
    expect(drawn.shape ?? drawn).toEqual([1, 2, 6, 1]);
    expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
  });

  it('take a time of the order of their length: of each map once', async () => {
    const deep = edited(bytes, ({ program: { nodes } }) => {
      const tips: number[] = [];
      for (let i = 0; i < 2000; i++) {
        nodes.push({ op: 'pointwise', size: 2, input: i === 0 ? 4 : nodes.length - 2, fn: 'tanh', parameter: 0 });
        nodes.push({ op: 'enlarge', size: 2, input: nodes.length - 1, rows: 2, columns: 3 });
        tips.push(nodes.length - 1);
      } // biome-ignore format: a node a line
      nodes.push({ op: 'add', size: 2, inputs: tips });
      nodes.push({ op: 'concat', size: 6, inputs: [1, nodes.length - 1, 6] });
      nodes.push({ ...nodes[8], input: nodes.length - 1 });
    });
    const last = edited(deep, ({ program }) => {
      program.output = program.nodes.length - 1;
    });
    const start = performance.now();
    await sample(readPortable(last), { seed: 1, condition });
    expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
  });
});

describe('several resolutions in a file', () => {
  const random = randomNumbers(5);
  const shapes = { first: [2, 3, 1, 2], down: [2, 3, 4, 2], up: [2, 2, 1, 1], last: [1, 1, 3, 3] };
  const bytes = writePortable({
    imageShape: [2, 4, 1],
    levels: 3,
    conditions: [],
    nodes: resolutions,
    output: 10,
    weights: new Map(
      Object.entries(shapes).map(([name, shape]): [string, Weight] => {
        const size = shape.reduce((product, length) => product * length);
        return [name, { shape, data: Float32Array.from({ length: size }, () => 4 * random() - 2) }];
      }),
    ),
  });
  const anySize = inProgram((program) => {
    program.imageShape = [null, null, 1];
  });

  it('are read, and drawn by', async () => {
    const { data } = await sample(readPortable(bytes), { numImages: 9, seed: 1 });
    expect(new Set(data).size).toBe(3);
  });

  it('are drawn by in images of any size that they divide', async () => {
    const model = readPortable(edited(bytes, anySize));
    const { shape } = await sample(model, { imageShape: [4, 2, 1], seed: 1 });
    expect(shape).toEqual([1, 4, 2, 1]);
    for (const imageShape of [
      [3, 4, 1],
      [4, 5, 1],
    ] as [number, number, number][]) {
      await expect(sample(model, { imageShape, seed: 1 })).rejects.toThrow(
        new TypeError(
          `imageShape: wanted height and width that are multiples of 2, got [${imageShape.join(', ')}]`,
        ),
      );
    }
  });

  const cases: Case[] = [
    ['a size that they do not divide', 'imageShape: wanted height and width that are multiples of 2, got [3, 4, 1]', inProgram((program) => { program.imageShape = [3, 4, 1]; })],
    ['one side that they do not', 'imageShape: wanted height and width that are multiples of 2, got [', inProgram((program) => { program.imageShape = [null, 3, 1]; })],
    ['features of both together', 'node 8 (add): its operands have several resolutions, 2 and 1', inNode(8, { inputs: [6, 3] })],
    ['outputs of some pixels only', "output: wanted a node of the image's resolution", inProgram((program) => { Object.assign(program, { levels: 2, output: 5 }); })],
    ['outputs that see their own pixel', 'not causal', inNode(3, { columns: 0 })],
    ['a shift to earlier pixels', 'node 2 (shift): rows: wanted an integer from 0 to 16384, got -1', inNode(2, { rows: -1 })],
    ['a shift to the left', 'node 2 (shift): columns: wanted an integer from 0 to 16384, got -1', inNode(2, { columns: -1 })],
    ['half a row', 'node 2 (shift): rows: wanted an integer', inNode(2, { rows: 0.5 })],
    ['a shift without columns', "node 2 (shift): wanted a field 'columns'", inProgram(({ nodes }) => { delete nodes[2].columns; })],
    ['another size of ELUs', 'node 4 (concatElu): size: wanted 4, got 2', inNode(4, { size: 2 })],
    ['half a gate', 'node 6 (linearGate): input: wanted a multiple of 2 * groups (4), got 2', inNode(6, { groups: 2 })],
    ['gates in no groups', 'node 6 (linearGate): groups: wanted an integer of at least 1', inNode(6, { groups: 0 })],
  ]; // biome-ignore format: a case a line

  it.each(cases)('are refused: %s', (_, message, edit) => {
    expectRefused(edited(bytes, edit), message);
  });

  it('are refused where what is shifted is the same at every pixel', () => {
    const edit = inProgram((program) => {
      program.conditions = [{ kind: 'vector', size: 1 }];
      program.nodes[3] = { op: 'condition', size: 1, index: 0 };
      program.nodes.push({ op: 'shift', size: 1, input: 3, rows: 0, columns: 1 });
    });
    expectRefused(edited(bytes, edit), 'node 11 (shift): input: wanted features of pixels');
  });

  it('are refused soon where rows without end would be kept, and halved as often as the file is long', async () => {
    const far = inProgram(({ nodes }) => {
      for (let i = 0; i < 200; i++)
        nodes.push({ op: 'shift', size: 2, input: 1, rows: 16384, columns: 16384 });
    });
    expectRefused(edited(bytes, far), 'node 11 (shift): wanted less work');
    const halved = edited(bytes, (parts) => {
      anySize(parts);
      const { nodes } = parts.program;
      const window = { ...windowOf([1, 1], [0, 0], 'B', 1), stride: 2 };
      for (let i = 0; i < 1500; i++) {
        const input = i === 0 ? 2 : nodes.length - 1;
        nodes.push({ op: 'conv', size: 1, input, kernel: i === 0 ? 'once' : 'twice', bias: null, window }); // biome-ignore format: one line
      }
      addWeight(parts, 'once', [1, 1, 2, 1], [1, 1]);
      addWeight(parts, 'twice', [1, 1, 1, 1], [1]);
    });
    const start = performance.now();
    await expect(sample(readPortable(halved), { imageShape: [4, 4, 1], seed: 1 })).rejects.toThrow(
      'imageShape: wanted height and width that are multiples of Infinity',
    );
    expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
  });
});

describe('files at random', () => {
  const condition = { data: [0, 1], shape: [1, 2] };
  /** Without the digest, as other programs may write it. */
  const bare = () => edited(file, () => {});

  /** What reading and sampling come to: an image or an Error, soon. */
  async function outcome(bytes: Uint8Array): Promise<string> {
    const start = performance.now();
    let model: PortableModel;
    try {
      model = readPortable(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).toMatch(/^readPortable: ./);
      expect(error).not.toBeInstanceOf(TypeError);
      return 'refused';
    } finally {
      expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
    }
    expect(same(readPortable(writePortable(model)))).toEqual(same(model));
    try {
      const { shape } = await sample(model, { numImages: 1, imageShape: [2, 3, 2], seed: 1, condition });
      expect(shape).toEqual([1, 2, 3, 2]);
      return 'drawn';
    } catch (error) {
      // a flipped bit makes another image, no condition, or a weight of 1e38
      expect((error as Error).message).toMatch(
        /^sample: ((imageShape|condition): wanted|the model gave logits that)/,
      );
      return 'not drawn';
    }
  }

  it('are refused when cut, wherever', async () => {
    for (let length = 0; length < file.length; length++) {
      expect(await outcome(file.subarray(0, length))).toBe('refused');
    }
  });

  it('are refused where any bit is flipped that has a meaning', async () => {
    const spaces = file.length - takeApart(file).data.length;
    const start = new TextDecoder().decode(file.subarray(8, spaces)).trimEnd().length + 8;
    for (let at = 0; at < file.length; at++) {
      if (at >= start && at < spaces) continue; // that other blanks would fill as well
      const bytes = file.slice();
      bytes[at] = (bytes[at] as number) ^ (1 << (at & 7));
      expect(await outcome(bytes), `byte ${at}`).toBe('refused');
    }
  });

  it('are refused where the digest is that of another model', () => {
    const { header, data } = takeApart(file);
    data[1] = (data[1] as number) ^ 1; // of the least of a weight
    expectRefused(
      withHeader(JSON.stringify(header), data),
      'readPortable: file: damaged: its digest differs',
    );
    for (const digest of ['', header.__metadata__.digest.toUpperCase(), `${header.__metadata__.digest}0`]) {
      const other = { ...header, __metadata__: { ...header.__metadata__, digest } };
      expectRefused(withHeader(JSON.stringify(other), takeApart(file).data), 'digest');
    }
  });

  it('are refused or sound where bits of the header are flipped, and there is no digest', async () => {
    const file = bare();
    const length = file.length - takeApart(file).data.length;
    const counts: Record<string, number> = {};
    for (let at = 0; at < length; at++) {
      for (const bit of [0, 1, 2, 4, 7]) {
        const bytes = file.slice();
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        const what = await outcome(bytes);
        counts[what] = (counts[what] ?? 0) + 1;
      }
    }
    expect(counts['refused']).toBeGreaterThan(length * 4);
    expect(counts['drawn']).toBeGreaterThan(0);
  });

  it('are refused or sound where bits of the weights are flipped, or fields swapped, and there is no digest', async () => {
    const file = bare();
    const random = randomNumbers(4);
    const below = (count: number) => Math.floor(random() * count);
    const length = file.length - takeApart(file).data.length;
    for (let i = 0; i < 400; i++) {
      const bytes = file.slice();
      const at = length + below(bytes.length - length);
      bytes[at] = (bytes[at] as number) ^ (1 << below(8));
      await outcome(bytes);
    }
    const values = [
      0,
      1,
      -1,
      2,
      3,
      4,
      1e9,
      2 ** 53,
      0.5,
      null,
      true,
      '',
      '0',
      'B',
      'everything',
      [],
      [0],
      {},
      'kernel',
    ];
    for (let i = 0; i < 2000; i++) {
      const bytes = edited(file, ({ program }) => {
        let at: Json = program;
        let keys = Object.keys(at);
        for (;;) {
          const key = keys[below(keys.length)] as string;
          keys = typeof at[key] === 'object' && at[key] !== null ? Object.keys(at[key]) : [];
          if (keys.length === 0 || below(6) === 0) {
            at[key] = values[below(values.length)];
            break;
          }
          at = at[key];
        }
      });
      await outcome(bytes);
    }
  });

  it('leave the prototypes alone', () => {
    expect(prototypes.map((prototype) => Reflect.ownKeys(prototype))).toEqual(ownKeysBefore);
  });
});
