import { type PortableModel, type ReadPortableOptions, readPortable, type Weight, writePortable } from 'pixelcnn-layers/runtime';
import { expect } from 'vitest';
import { noise } from '../tensors';

/** What JSON may be, to be edited. */
// biome-ignore lint/suspicious/noExplicitAny: files are edited into what no type allows
export type Json = any;

/** A file of `writePortable`, taken apart. */
export interface Parts {
  header: Json;
  /** Of the header's metadata; without one, the metadata stay as they are. */
  program: Json;
  data: Uint8Array;
}

/** What is done to a file: by a function, or by values for paths in its program, such as `nodes.3.size`; `undefined` deletes. */
export type Edit = ((parts: Parts) => unknown) | Readonly<Record<string, unknown>>;

/** A file that is refused, and with which message. */
export type Case = [name: string, message: string | RegExp, edit: Edit];

export function takeApart(file: Uint8Array): Parts {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  return { header, program: JSON.parse(header.__metadata__.program), data: file.slice(8 + length) };
}

/** A file with this header, as it is written. */
export function withHeader(json: string | Uint8Array, data: Uint8Array): Uint8Array {
  const header = typeof json === 'string' ? new TextEncoder().encode(json) : json;
  const file = new Uint8Array(8 + header.length + data.length);
  new DataView(file.buffer).setUint32(0, header.length, true);
  file.set(header, 8);
  file.set(data, 8 + header.length);
  return file;
}

/** The file with some of it changed, as by another program: without a digest. */
export function edited(file: Uint8Array, edit: Edit): Uint8Array {
  const parts = takeApart(file);
  delete parts.header.__metadata__.digest;
  if (typeof edit === 'function') edit(parts);
  else setAt(parts.program, edit);
  const { header, program, data } = parts;
  if (program !== undefined && '__metadata__' in header) header.__metadata__.program = JSON.stringify(program);
  return withHeader(JSON.stringify(header), data);
}

/** Sets values by their paths; also of names that every object has. */
export function setAt(root: Json, values: Readonly<Record<string, unknown>>): void {
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split('.');
    const last = keys.pop() as string;
    const target = keys.reduce((at, key) => at[key], root);
    if (value === undefined) delete target[last];
    else Object.defineProperty(target, last, { value, enumerable: true, configurable: true, writable: true });
  }
}

/** Values for paths in the header. */
export const inHeader = (values: Readonly<Record<string, unknown>>): Edit => {
  return ({ header }) => setAt(header, values);
};

/** Adds a weight to the file. */
export function addWeight(parts: Parts, name: string, shape: number[], numbers: number[]): void {
  const bytes = new Uint8Array(Float32Array.from(numbers).buffer);
  const data_offsets = [parts.data.length, parts.data.length + bytes.length];
  setAt(parts.header, { [name]: { dtype: 'F32', shape, data_offsets } });
  const data = new Uint8Array(parts.data.length + bytes.length);
  data.set(parts.data);
  data.set(bytes, parts.data.length);
  parts.data = data;
}

/** A file of a program written by hand, with weights of these shapes at random. */
export function fileOf(
  program: Pick<PortableModel, 'imageShape' | 'levels'> & { conditions?: Json; nodes: Json; output: number },
  shapes: Readonly<Record<string, number[]>>,
): Uint8Array {
  const weights = Object.entries(shapes).map(([name, shape], i): [string, Weight] => {
    const size = shape.reduce((product, length) => product * length);
    return [name, { shape, data: noise(size, i + 3).map((x) => 2 * x) }];
  });
  return writePortable({ conditions: [], ...program, weights: new Map(weights) });
}

/** A window of a kernel that neither strides nor is transposed. */
export const windowOf = (kernelSize: number[], anchor: number[], present: string, imageChannels = 1): Json => ({
  kernelSize,
  anchor,
  present,
  imageChannels,
  stride: 1,
  transposed: false,
});

/** Expects what reading it throws: an Error, and no TypeError. */
export function expectRefused(bytes: Uint8Array, message: string | RegExp, options?: ReadPortableOptions): void {
  let thrown: unknown;
  try {
    readPortable(bytes, options);
  } catch (error) {
    thrown = error;
  }
  expect(thrown, String(message)).toBeInstanceOf(Error);
  expect(thrown).not.toBeInstanceOf(TypeError);
  const said = (thrown as Error).message;
  expect(said).toMatch(/^readPortable: /);
  if (typeof message === 'string') expect(said).toContain(message);
  else expect(said).toMatch(message);
}

/** A program with every operation that needs no more than a vector for its condition. */
export const plain: Json[] = [
  { op: 'image', size: 2 },
  { op: 'condition', size: 2, index: 0 },
  { op: 'conv', size: 4, input: 0, kernel: 'first', bias: 'bias', window: windowOf([2, 3], [1, 1], 'A', 2) },
  { op: 'pointwise', size: 4, input: 2, fn: 'elu', parameter: 1 },
  { op: 'gate', size: 2, input: 3, groups: 2 },
  { op: 'concat', size: 4, inputs: [4, 1] },
  { op: 'affine', size: 4, input: 2, scale: 'scale', shift: 'shift' },
  { op: 'multiply', size: 4, inputs: [3, 6, 3] },
  { op: 'conv', size: 1, input: 1, kernel: 'project', bias: null, window: windowOf([1, 1], [0, 0], 'B') },
  { op: 'oneHot', size: 4, input: 8 },
  { op: 'normalize', size: 4, input: 9, scale: 'scale', shift: 'shift', epsilon: 0.001, groups: 2 },
  { op: 'add', size: 4, inputs: [7, 10] },
  { op: 'logSoftmax', size: 4, input: 11, groups: 2 },
];

/** A file of it, of images [2,3,2] of two levels, conditioned on a vector of two numbers. */
export const plainFile = (): Uint8Array =>
  fileOf(
    { imageShape: [2, 3, 2], levels: 2, conditions: [{ kind: 'vector', size: 2 }], nodes: plain, output: 12 },
    { first: [2, 3, 2, 4], bias: [4], scale: [4], shift: [4], project: [1, 1, 2, 1] },
  );
