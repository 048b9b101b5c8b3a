import { checkArgs, checkBoolean, checkFields, type NamesOf, throwTypeError } from '../core/check';
import { checkProgram, checkWeight } from './check-program';
import { fromFloat16, isInfinite, toFloat16 } from './float16';
import { checkModel, type PortableModel, type Weight } from './program';
import {
  attempt,
  bytesOf,
  copyOf,
  parseJson,
  readContainer,
  type TensorBytes,
  writeContainer,
} from './safetensors';

// A model as a file: a safetensors file in which the weights are tensors, by name, and the program is metadata.

const FORMAT = 'pixelcnn-layers';
const VERSION = 1;

/** The parts of a model in the program; the weights are stored separately. */
const parts = ['imageShape', 'levels', 'conditions', 'nodes', 'output'] as const;

/** The optional parts. */
const optionalParts = ['distribution'] as const;

/** Options of {@link writePortable}. */
export interface WritePortableOptions {
  /** Rounds each weight to the nearest float16, which halves the size. @default false */
  float16?: boolean;
}

const optionNames: NamesOf<WritePortableOptions> = { float16: true };

/**
 * Writes a model to a file for {@link readPortable}, to save it, send it, or serve it from a URL. Any program that
 * reads safetensors can read the weights.
 *
 * Source: the format is safetensors, https://github.com/huggingface/safetensors, with the program in the metadata.
 *
 * @param model a model from `toPortable`
 * @returns the bytes of the file; with float32 weights, the model read from it draws exactly the same images
 * @throws TypeError naming the option that is wrong, or if the model is not a portable model; Error if the model is
 * invalid or not plain data: it has a user's own function, or weights that are not finite or too large for float16
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { readPortable, sample, writePortable } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const bytes = writePortable(await toPortable(model), { float16: true }); // for a file
 * const { shape } = await sample(readPortable(bytes), { seed: 1 });
 * console.log(shape); // [1, 4, 4, 1]
 * ```
 */
export function writePortable(
  model: PortableModel,
  options: WritePortableOptions = {},
): Uint8Array<ArrayBuffer> {
  checkModel('writePortable: model', model);
  const { float16 = false } = checkArgs('writePortable: options', options, optionNames);
  checkBoolean('writePortable: float16', float16);
  return attempt('writePortable: model', () => {
    const metadata = new Map(
      Object.entries({ format: FORMAT, version: String(VERSION), program: programText(model) }),
    );
    const tensors = new Map(
      [...model.weights].map(([name, weight]) => [name, encode(name, weight, float16)]),
    );
    const file = writeContainer({ tensors, metadata });
    checkProgram(model);
    return file;
  });
}

/**
 * Reads a model from a file of {@link writePortable}, and checks everything in it. A file that is damaged, truncated or
 * malicious gives an error and no model, in time proportional to its length. The model that is returned has finite
 * weights and sees no value before its turn.
 *
 * @param bytes the whole file
 * @returns the model, its weights as float32
 * @throws TypeError if `bytes` is not a Uint8Array; Error that says what is wrong with the file
 * @example
 * ```js
 * import { readPortable } from 'pixelcnn-layers/runtime';
 * try {
 *   readPortable(new Uint8Array(4));
 * } catch (error) {
 *   console.log(String(error)); // Error: readPortable: file: wanted at least 8 bytes, got 4
 * }
 * ```
 */
export function readPortable(bytes: Uint8Array): PortableModel {
  if (!(bytes instanceof Uint8Array)) throwTypeError('readPortable: bytes', 'a Uint8Array', bytes);
  return attempt('readPortable', () => {
    const { tensors, metadata } = readContainer(bytes);
    const program = readProgram(metadata);
    const weights = new Map(
      [...tensors].map(([name, tensor]) => [name, checkWeight(name, decode(name, tensor))]),
    );
    const model = { ...program, weights };
    checkProgram(model);
    return model;
  });
}

/** The program as JSON: a model without its weights. */
export const programText = (model: PortableModel): string =>
  JSON.stringify(Object.fromEntries([...parts, ...optionalParts].map((part) => [part, model[part]]))); // JSON leaves out undefined

/** Reads the metadata: checks format and version, and returns the program, not yet checked. */
function readProgram(metadata: ReadonlyMap<string, string>) {
  const format = metadata.get('format');
  if (format !== FORMAT) throwTypeError('metadata: format', `'${FORMAT}'`, format);
  const version = metadata.get('version') ?? '';
  if (!/^[1-9]\d*$/.test(version)) throwTypeError('metadata: version', 'a number', version);
  if (version !== String(VERSION)) {
    throwTypeError('metadata: version', `${VERSION}, since this pixelcnn-layers reads no later one`, version);
  }
  const { program } = checkFields('metadata', Object.fromEntries(metadata), ['format', 'version', 'program']);
  return checkFields('program', parseJson('program', program as string), parts, optionalParts);
}

function encode(name: string, weight: Weight, float16: boolean): TensorBytes {
  const { shape, data } = checkWeight(name, weight);
  if (!float16) return { dtype: 'F32', shape, bytes: bytesOf(data) };
  const halves = toFloat16(data);
  const bad = halves.findIndex(isInfinite);
  if (bad >= 0) throwTypeError(`weight '${name}'`, 'numbers up to 65504, as float16 can hold', data[bad]);
  return { dtype: 'F16', shape, bytes: bytesOf(halves) };
}

function decode(name: string, { dtype, shape, bytes }: TensorBytes): Weight {
  const { buffer } = copyOf(bytes);
  if (dtype === 'F32') return { shape, data: new Float32Array(buffer) };
  if (dtype === 'F16') return { shape, data: fromFloat16(new Uint16Array(buffer)) };
  return throwTypeError(`weight '${name}': dtype`, 'F32 or F16', dtype);
}
