import { type Given, integer, oneOf, optional, readArguments } from '../core/arguments';
import {
  checkBytes,
  checkFields,
  MAX_NUMBERS,
  MAX_VALUES,
  sizeFromShape,
  throwTypeError,
} from '../core/check';
import { Digest } from '../core/digest';
import { FACTOR, pack } from '../kernels/packed';
import { checkProgram, checkWeight } from './check-program';
import { checkDescription, type Description } from './description';
import { fromFloat16, isInfinite, toFloat16 } from './float16';
import { checkModel, numbersOf, PackedWeight, type PortableModel, packedOf, type Weight } from './program';
import {
  attempt,
  bytesOf,
  copyOf,
  parseJson,
  readContainer,
  type TensorBytes,
  writeContainer,
} from './safetensors';

// A model as a safetensors file. The weights are tensors, by name; the program, the digest and any
// information are metadata; a palette is one more tensor.

const FORMAT = 'pixelcnn-layers';

/** The tensor that holds the palette. No weight has this name. */
const PALETTE = '__palette__';
const VERSION = '1';

/** The parts of a model that are stored as its program; the weights are stored separately. */
const parts = ['imageShape', 'levels', 'conditions', 'nodes', 'output'] as const;
const optionalParts = ['distribution', 'symmetry'] as const;

const writeOptions = {
  /**
   * How weights are stored: `'float16'` rounds each to the nearest float16, which halves the size; `'int8'` makes it a
   * quarter, see {@link writePortable}. @default 'float32'
   */
  weights: /* @__PURE__ */ optional(/* @__PURE__ */ oneOf('float32', 'float16', 'int8'), 'float32'),
};

/** Options of {@link writePortable}. */
export interface WritePortableOptions extends Given<typeof writeOptions> {}

export const readOptions = {
  /**
   * The most values of an image, places of a map, and levels times components of a mixture. A file
   * states these sizes without containing as many numbers. Lengths that the model leaves open count
   * as 1. Weights are not limited, since the file contains them. @default 2^24
   */
  maxValues: optional(integer({ from: 1 }), MAX_VALUES),
};

/** Options of {@link readPortable}. */
export interface ReadPortableOptions extends Given<typeof readOptions> {}

/**
 * Writes a model to a file for {@link readPortable}, to save it, send it, or serve it from a URL. Any program that
 * reads safetensors can read the weights.
 *
 * With `weights: 'int8'`, each weight of a kernel or table is an integer -127..127 times a scale (float32) for its
 * output feature, rounded to float32: the same in all machines. Biases, gains and small tables are float16.
 *
 * Source: the format is safetensors, https://github.com/huggingface/safetensors, with the program as metadata.
 *
 * @param model a model from `toPortable`
 * @returns the bytes of the file; with float32 weights, the model read from it draws exactly the same images
 * @throws TypeError naming the invalid option, or if `model` is not a portable model; Error if the
 * model is invalid, or has weights that are not finite or too large for float16
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { readPortable, sample, writePortable } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const bytes = writePortable(await toPortable(model), { weights: 'float16' }); // for a file
 * const { shape } = await sample(readPortable(bytes), { seed: 1 });
 * console.log(shape); // [1, 4, 4, 1]
 * ```
 */
export function writePortable(
  model: PortableModel,
  options: WritePortableOptions = {},
): Uint8Array<ArrayBuffer> {
  checkModel('writePortable: model', model);
  const { weights } = readArguments('writePortable', options, writeOptions);
  return attempt('writePortable: model', () => {
    const tensors = new Map<string, TensorBytes>();
    for (const [name, weight] of model.weights) {
      checkWeight(name, weight);
      encode(tensors, name, weight.shape, numbersOf(weight), weights);
    }
    checkProgram(model, MAX_NUMBERS);
    if (tensors.has(PALETTE)) throwTypeError('weights', 'no weight of this name', PALETTE);
    const description = checkDescription('', model, model.levels);
    const { palette, info } = description;
    const metadata = {
      format: FORMAT,
      version: VERSION,
      program: programText(model),
      ...(info && { info: JSON.stringify(info) }),
      digest: fileDigest({ ...model, weights: decodeAll(tensors) }, description),
    };
    if (palette !== undefined) {
      const shape = [model.levels, palette.length / model.levels];
      tensors.set(PALETTE, { dtype: 'U8', shape, bytes: palette });
    }
    return writeContainer({ tensors, metadata: new Map(Object.entries(metadata)) });
  });
}

/**
 * Reads a model from a file of {@link writePortable}, and checks everything in it, in time proportional to its length.
 * Whoever made the file, a model that is returned has finite weights and sees no value before its turn. Files of
 * `writePortable` also contain a digest of 128 bits, which detects accidental damage, but not deliberate changes.
 *
 * @param bytes the whole file; a model of more than four million float32 weights shares it, so do not change it
 * @throws TypeError if `bytes` is not a Uint8Array, or an option is invalid; RangeError if the file
 * states sizes beyond `maxValues`; Error that states what is wrong with the file
 * @example
 * ```js
 * import { readPortable } from 'pixelcnn-layers/runtime';
 * try {
 *   readPortable(new TextEncoder().encode('<html>')); // such as a server's page for a wrong URL
 * } catch (error) {
 *   console.log(String(error));
 *   // Error: readPortable: wanted a file of writePortable, got 6 bytes that begin '<html>'; is the path or URL right?
 * }
 * ```
 */
export function readPortable(bytes: Uint8Array, options: ReadPortableOptions = {}): PortableModel {
  checkBytes('readPortable: bytes', bytes);
  const { maxValues } = readArguments('readPortable', options, readOptions);
  return parsePortable('readPortable', bytes, maxValues);
}

/** Reads a model from a file. Messages begin with `what`. */
export const parsePortable = (what: string, bytes: Uint8Array, maxValues: number): PortableModel =>
  attempt(what, () => {
    const { tensors, metadata } = readContainer(bytes, 'a file of writePortable');
    const { program, info, digest } = readMetadata(metadata);
    const stored = tensors.get(PALETTE);
    tensors.delete(PALETTE);
    const model = { ...program, weights: decodeAll(tensors) };
    checkProgram(model, maxValues);
    const palette = stored && readPalette(stored, model.levels);
    const description = checkDescription('file: ', { palette, info }, model.levels);
    // Checked last, because the other errors are more specific. Files from other programs may have no digest.
    if (digest !== undefined && digest !== fileDigest(model, description))
      throw new Error('file: damaged: its digest differs');
    return { ...model, ...description };
  });

/** The program as JSON: a model without its weights. */
const programText = (model: PortableModel): string =>
  JSON.stringify(Object.fromEntries([...parts, ...optionalParts].map((part) => [part, model[part]]))); // JSON leaves out undefined

/** A digest of the program and the weights, in order of name. A model and its file have equal digests. */
export function digestOf(model: PortableModel): Uint8Array {
  const digest = new Digest().add(utf8(programText(model)));
  let memory = new Float32Array(); // for what is unpacked
  for (const name of [...model.weights.keys()].sort()) {
    const weight = model.weights.get(name) as Weight;
    const size = packedOf(weight)?.packed.length ?? 0;
    if (size > memory.length) memory = new Float32Array(size);
    digest
      .add(utf8(JSON.stringify([name, weight.shape])))
      .add(bytesOf(numbersOf(weight, memory.subarray(0, size))));
  }
  return digest.finish();
}

/** The digest in a file, of the model and, if it has them, its palette and information. */
function fileDigest(model: PortableModel, { palette, info }: Description): string {
  const digest = digestOf(model);
  if (palette === undefined && info === undefined) return hexOf(digest);
  const text = utf8(JSON.stringify([palette?.length ?? null, info ?? null]));
  const all = new Digest().add(digest).add(text);
  if (palette !== undefined) all.add(palette);
  return hexOf(all.finish());
}

const utf8 = (text: string) => new TextEncoder().encode(text);

function readPalette({ dtype, shape, bytes }: TensorBytes, levels: number): Uint8Array {
  if (dtype !== 'U8') throwTypeError('palette: dtype', 'U8', dtype);
  if (![1, 3].some((colours) => String(shape) === String([levels, colours])))
    throwTypeError('palette: shape', `[${levels},1] or [${levels},3]`, shape);
  return bytes;
}

const hexOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => (256 + byte).toString(16).slice(1)).join('');

/** Checks the format and version, and returns the program, information and digest, all still unchecked. */
function readMetadata(metadata: ReadonlyMap<string, string>) {
  const all = Object.fromEntries(metadata);
  const { format, version = '' } = all;
  if (format !== FORMAT) throwTypeError('metadata: format', `'${FORMAT}'`, format);
  if (!/^[1-9]\d*$/.test(version)) throwTypeError('metadata: version', 'a number', version);
  if (version !== VERSION)
    throwTypeError('metadata: version', `${VERSION}, the only one that this pixelcnn-layers reads`, version);
  const names = ['format', 'version', 'program'] as const;
  const { program, info, digest } = checkFields('metadata', all, names, ['info', 'digest']);
  const fields = checkFields('program', parseJson('program', program as string), parts, optionalParts);
  return { program: fields, info: info === undefined ? info : parseJson('info', info as string), digest };
}

/** With the name of a weight in 8 bits, the name of the tensor with its scales. No weight's name begins with it. */
const SCALES = '__scales__/';
const isScales = (name: string) => name.startsWith(SCALES);

/** Adds the tensors of a weight: as it is, or rounded. */
function encode(
  tensors: Map<string, TensorBytes>,
  name: string,
  shape: readonly number[],
  data: Float32Array,
  kind: NonNullable<WritePortableOptions['weights']>,
): void {
  if (isScales(name)) throwTypeError('weights', 'no weight of this name', name);
  if (kind === 'float32') {
    tensors.set(name, { dtype: 'F32', shape, bytes: bytesOf(data) });
    return;
  }
  const features = shape.at(-1) as number;
  if (kind === 'int8' && data.length > LEAST_FOR_A_SCALE * features) {
    const scales = scalesFor(data, features);
    const integers = Int8Array.from(data, (weight, i) => Math.round(weight / (scales[i % features] || 1)));
    tensors.set(name, { dtype: 'I8', shape, bytes: bytesOf(integers) });
    tensors.set(SCALES + name, { dtype: 'F32', shape: [features], bytes: bytesOf(scales) });
    return;
  }
  const halves = toFloat16(data);
  const bad = halves.findIndex(isInfinite);
  if (bad >= 0) throwTypeError(`weight '${name}'`, 'numbers up to 65504, the largest float16', data[bad]);
  tensors.set(name, { dtype: 'F16', shape, bytes: bytesOf(halves) });
}

/**
 * The scale of each output feature, by which its largest weight is 127. It is rounded up to 17 bits, so that its products
 * with integers are exact: what is read from a file is written as it was.
 */
function scalesFor(data: Float32Array, features: number): Float32Array {
  const scales = new Float32Array(features);
  for (const [i, weight] of data.entries())
    scales[i % features] = Math.max(scales[i % features] as number, Math.abs(weight) / MAX_INT8);
  const bits = new Uint32Array(scales.buffer);
  for (const [i, scale] of bits.entries()) bits[i] = (scale + SPARE_BITS) & ~SPARE_BITS;
  return scales;
}

const MAX_INT8 = 127;
const SPARE_BITS = 0x7f; // of the 24 of float32

/** With fewer weights for each output feature, its scale takes as much room as it saves. */
const LEAST_FOR_A_SCALE = 4;

/** Models with more weights stay packed: a processor's cache holds others as float32, with less work. */
const MOST_UNPACKED = 2 ** 22;

/** A float32 weight of a large model shares the file's memory if it has more bytes: others must not keep a file of packed ones. */
const LEAST_SHARED = 2 ** 16;

function decodeAll(tensors: ReadonlyMap<string, TensorBytes>): Map<string, Weight> {
  const weights = new Map<string, Weight>();
  const count = [...tensors.values()].reduce((sum, { shape }) => sum + sizeFromShape(shape), 0);
  for (const [name, tensor] of tensors) {
    if (!isScales(name)) {
      const weight = decode(name, tensor, tensors.get(SCALES + name), count > MOST_UNPACKED);
      checkWeight(name, weight);
      weights.set(name, weight);
    } else if (tensors.get(name.slice(SCALES.length))?.dtype !== 'I8')
      throwTypeError('weights', `the weight of ${name}`, undefined);
  }
  return weights;
}

/** A weight of a file, packed if it is of a large model and its numbers allow that. */
function decode(
  name: string,
  { dtype, shape, bytes }: TensorBytes,
  scales: TensorBytes | undefined,
  isLarge: boolean,
): Weight {
  if (dtype === 'I8') {
    const features = shape.at(-1);
    if (scales?.dtype !== 'F32' || String(scales.shape) !== String(features))
      throwTypeError(
        `weight '${name}': scales`,
        `F32 [${features}]`,
        scales && `${scales.dtype} [${scales.shape}]`,
      );
    return weightOf(shape, numbersIn(bytes, Int8Array), isLarge, numbersIn(scales.bytes, Float32Array));
  }
  if (scales !== undefined) throwTypeError(`weight '${name}': dtype`, 'I8, since it has scales', dtype);
  const isView = isLarge && bytes.length > LEAST_SHARED;
  if (dtype === 'F32') return { shape, data: numbersIn(isView ? bytes : copyOf(bytes), Float32Array) };
  if (dtype === 'F16') return weightOf(shape, numbersIn(bytes, Uint16Array), isLarge);
  return throwTypeError(`weight '${name}': dtype`, 'F32, F16 or I8', dtype);
}

/** The numbers in bytes of a file: a view where they are aligned, else a copy. */
function numbersIn<Numbers>(
  bytes: Uint8Array,
  Numbers: {
    new (buffer: ArrayBufferLike, start: number, length: number): Numbers;
    BYTES_PER_ELEMENT: number;
  },
): Numbers {
  const size = Numbers.BYTES_PER_ELEMENT;
  const { buffer, byteOffset, length } = bytes.byteOffset % size === 0 ? bytes : copyOf(bytes);
  return new Numbers(buffer, byteOffset, length / size);
}

/** A weight of halves' bits, or of integers with scales. */
function weightOf(
  shape: readonly number[],
  values: Uint16Array | Int8Array,
  isLarge: boolean,
  scales = new Float32Array(shape.at(-1) ?? 1).fill(0.5),
): Weight {
  const packed = isLarge && pack(values);
  const factors = scales.map((scale) => 2 * scale * FACTOR);
  if (packed && factors.every(Number.isFinite)) return new PackedWeight(shape, packed, factors);
  if (values instanceof Uint16Array) return { shape, data: fromFloat16(values) };
  return {
    shape,
    data: new Float32Array(values).map((integer, i) => integer * (scales[i % scales.length] as number)),
  };
}
