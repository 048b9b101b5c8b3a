import { checkBytes, shortened, throwTypeError } from '../runtime/core/check';
import { fromFloat16 } from '../runtime/program/float16';
import {
  attempt,
  bytesOf,
  checkTensor,
  copyOf,
  readContainer,
  widths,
  writeContainer,
} from '../runtime/program/safetensors';

/** A tensor outside of tfjs, as in files of weights. */
export interface NamedTensor {
  /** The type, in the notation of safetensors: 'F64', 'F32', 'F16', 'BF16', 'I64', …, 'U8', 'BOOL'. */
  readonly dtype: string;
  /** The shape; empty for a single number. */
  readonly shape: readonly number[];
  /** The numbers, row-major. `readSafetensors` returns a typed array of numbers, or for F16 and BF16 of their bits. */
  readonly data: ArrayBufferView;
}

/**
 * Reads a safetensors file, and checks everything in its header.
 *
 * Source: https://github.com/huggingface/safetensors.
 *
 * @returns its tensors by name, in the order of their bytes; each has its own memory
 * @throws TypeError if `bytes` is not a Uint8Array; Error that states what is wrong with the file
 * @example
 * ```js
 * import { readSafetensors, writeSafetensors } from 'pixelcnn-layers/weights';
 * const tensors = new Map([['bias', { dtype: 'F32', shape: [2], data: Float32Array.of(0.5, -1) }]]);
 * for (const [name, { shape, data }] of readSafetensors(writeSafetensors(tensors))) {
 *   console.log(name, shape, String(data)); // bias [2] 0.5,-1
 * }
 * ```
 */
export function readSafetensors(bytes: Uint8Array): Map<string, NamedTensor> {
  checkBytes('readSafetensors: bytes', bytes);
  return attempt('readSafetensors', () => {
    const named = [...readContainer(bytes).tensors].map(([name, { dtype, shape, bytes }]) => {
      return [name, { dtype, shape, data: numbersOf(dtype, bytes) }] as const;
    });
    return new Map<string, NamedTensor>(named);
  });
}

/**
 * Writes a safetensors file, with tensors in the order of the width of their numbers, widest first.
 *
 * @param metadata strings by name, which readers may display @default none
 * @throws TypeError naming an entry that is not a tensor, or whose data are not as long as its
 * shape and dtype require; Error if a tensor is called `__metadata__`
 * @example
 * ```js
 * import { pixelCNN } from 'pixelcnn-layers';
 * import { saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const file = writeSafetensors(saveWeights(model, { to: 'pytorch' }), { data: 'digits', steps: '3000' });
 * console.log(file.constructor.name); // Uint8Array
 * ```
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const what = 'writeSafetensors: tensors';
  checkNamed(what, tensors);
  for (const [name, tensor] of tensors) checkNamedTensor(`${what}: '${name}'`, tensor);
  if (typeof metadata !== 'object' || metadata === null || Symbol.iterator in metadata) {
    throwTypeError('writeSafetensors: metadata', 'an object of strings', metadata);
  }
  const strings = new Map(Object.entries(metadata));
  for (const [name, value] of strings) {
    if (typeof value !== 'string') throwTypeError(`writeSafetensors: metadata: ${name}`, 'a string', value);
  }
  const parts = [...tensors].map(
    ([name, { dtype, shape, data }]) => [name, { dtype, shape, bytes: bytesOf(data) }] as const,
  );
  // Readers map each tensor's bytes in place, and with wider numbers first, all of them are aligned.
  parts.sort(([, a], [, b]) => widthOf(b) - widthOf(a));
  return attempt('writeSafetensors', () => writeContainer({ tensors: new Map(parts), metadata: strings }));
}

/** Checks that something is a Map by name. Its values are checked elsewhere. */
export function checkNamed(what: string, tensors: ReadonlyMap<string, unknown>): void {
  if (!(tensors instanceof Map)) throwTypeError(what, 'a Map of tensors', tensors);
  for (const name of tensors.keys()) {
    if (typeof name !== 'string') throwTypeError(what, 'string names', name);
  }
}

/** Checks that something is a tensor. */
export function checkNamedTensor(what: string, tensor: NamedTensor): void {
  if (typeof tensor !== 'object' || tensor === null) throwTypeError(what, 'a tensor', tensor);
  const { dtype, shape, data } = tensor;
  checkTensor(what, dtype, shape, 'data', ArrayBuffer.isView(data) ? data.byteLength : data);
}

const MAX_NAMES = 20; // in an error

/** A list of names for an error, as `show` writes them. */
export function listed(title: string, names: readonly string[], show = shortened): string {
  const more = names.length > MAX_NAMES ? `, … and ${names.length - MAX_NAMES} more` : '';
  return `${title} (${names.length}): ${names.slice(0, MAX_NAMES).map(show).join(', ')}${more}`;
}

/** The bytes of a number of a dtype that has been checked. */
export const widthOf = ({ dtype }: { readonly dtype: string }): number => widths.get(dtype) as number;

const arrays = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** Copies bytes, which may be unaligned, to a typed array of numbers, or for F16 and BF16 of their bits. */
export const numbersOf = (dtype: string, bytes: Uint8Array) =>
  new arrays[dtype as keyof typeof arrays](copyOf(bytes).buffer); // the dtype has been checked

/** Copies the numbers of a tensor, rounded to the nearest float32. */
export function float32Of({ dtype, data }: NamedTensor): Float32Array {
  const numbers = numbersOf(dtype, bytesOf(data));
  if (dtype === 'F16') return fromFloat16(numbers as Uint16Array);
  if (dtype === 'BF16')
    return new Float32Array(Uint32Array.from(numbers as Uint16Array, (half) => half << 16).buffer); // each is the upper half of a float32
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers as BigInt64Array, Number);
}
