import {
  checkByteOrder,
  checkInteger,
  checkList,
  checkRecord,
  sizeFromShape,
  throwTypeError,
} from '../core/check';

// Safetensors, https://github.com/huggingface/safetensors: the length of the header, 8 bytes; the header, which is JSON
// with the type, shape and offsets of each tensor, and strings of metadata; and the bytes of all tensors, without gaps.
// Everything is little-endian.

/** A tensor as bytes, row-major. */
export interface TensorBytes {
  /** The type, in the notation of safetensors: 'F32', 'F16', … */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The contents of a safetensors file. */
export interface Container {
  /** By name, in the order of their bytes. */
  readonly tensors: Map<string, TensorBytes>;
  readonly metadata: ReadonlyMap<string, string>;
}

const dtypes = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 }; // biome-ignore format: one line

/** The types, and the bytes of a number of each. */
export const widths: ReadonlyMap<unknown, number> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries(dtypes),
);

const METADATA = '__metadata__';
const LENGTH_BYTES = 8;

/**
 * Writes a safetensors file, with tensors in the given order.
 *
 * @throws TypeError if a tensor has the name reserved for metadata; Error on a big-endian processor
 */
export function writeContainer({ tensors, metadata }: Container): Uint8Array<ArrayBuffer> {
  checkByteOrder();
  if (tensors.has(METADATA)) throwTypeError('tensors', 'names of tensors', METADATA);
  const entries: string[] = [];
  const add = (name: string, value: unknown) =>
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  if (metadata.size > 0) add(METADATA, Object.fromEntries(metadata));
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    add(name, { dtype, shape, data_offsets: [end, end + bytes.length] });
    end += bytes.length;
  }
  const header = new TextEncoder().encode(`{${entries}}`);
  const spaces = new Uint8Array(-header.length & (LENGTH_BYTES - 1)).fill(SPACE); // up to a whole number of lengths
  const length = bytesOf(BigUint64Array.of(BigInt(header.length + spaces.length)));
  return joined([length, header, spaces, ...Array.from(tensors.values(), ({ bytes }) => bytes)]);
}

const SPACE = 0x20;
const BRACE = 0x7b;

/**
 * Reads a safetensors file, in time proportional to its length.
 *
 * @param kind what the caller wants, for the message about a file that is none
 * @returns tensors whose bytes are views of the file, not copies
 * @throws TypeError or Error if the file is damaged, truncated or not a safetensors file; Error on a big-endian processor
 */
export function readContainer(file: Uint8Array, kind = 'a safetensors file'): Container {
  checkByteOrder();
  const room = file.length - LENGTH_BYTES;
  const stated = room < 0 ? Infinity : new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (stated > room && file[LENGTH_BYTES] !== BRACE)
    throw new Error(`wanted ${kind}, got ${beginningOf(file)}; is the path or URL right?`);
  if (stated > room) throwTypeError('header', `the ${stated} bytes that the file states`, room);
  const start = LENGTH_BYTES + Number(stated);
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const text = attempt('header: not UTF-8', () => utf8.decode(copyOf(file.subarray(LENGTH_BYTES, start))));
  const header = checkRecord('header', parseJson('header', text));
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(checkRecord(METADATA, header[METADATA] ?? {}))) {
    if (typeof value !== 'string') throwTypeError(`${METADATA}: ${name}`, 'a string', value);
    metadata.set(name, value);
  }
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => ({ name, ...readEntry(`tensor '${name}'`, entry, file.length - start) }))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  const tensors = new Map<string, TensorBytes>();
  let at = 0;
  for (const { name, dtype, shape, begin, end } of entries) {
    if (begin !== at) throwTypeError(`tensor '${name}': data_offsets`, `bytes from ${at} on`, begin);
    tensors.set(name, { dtype, shape, bytes: file.subarray(start + begin, start + end) });
    at = end;
  }
  if (start + at !== file.length) throwTypeError('file', `${start + at} bytes`, file.length);
  return { tensors, metadata };
}

/** How many bytes there are, and the first, as far as they are letters of ASCII. */
function beginningOf(file: Uint8Array): string {
  const letters = String.fromCharCode(...file.subarray(0, 24)).replace(/[^ -~]+/g, '…');
  return `${file.length} bytes${letters && ` that begin '${letters}'`}`;
}

/** Copies bytes, even of a Buffer, to their own aligned, unshared memory. */
export const copyOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

/** The bytes of numbers, as a view. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export function joined(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The header entry of a tensor, checked against the bytes that exist. */
function readEntry(what: string, entry: unknown, bytes: number) {
  const { dtype, shape, data_offsets: offsets } = checkRecord(what, entry);
  const [begin, end] = checkList(`${what}: data_offsets`, offsets, 2) as [number, number];
  checkInteger(`${what}: data_offsets`, begin, 0, bytes);
  checkInteger(`${what}: data_offsets`, end, begin, bytes);
  const lengths = checkTensor(what, dtype, shape, 'data_offsets', end - begin);
  return { dtype: dtype as string, shape: lengths, begin, end };
}

/** Checks the type of a tensor, and that the bytes in `field` are as many as its shape requires; returns the shape. */
export function checkTensor(what: string, dtype: unknown, shape: unknown, field: string, bytes: unknown) {
  const width = widths.get(dtype) ?? throwTypeError(`${what}: dtype`, [...widths.keys()].join(' or '), dtype);
  const lengths = Array.from(checkList(`${what}: shape`, shape), (length) =>
    checkInteger(`${what}: shape`, length, 0),
  );
  const size = width * sizeFromShape(lengths);
  if (size !== bytes)
    throwTypeError(`${what}: ${field}`, `the ${size} bytes of ${dtype} [${lengths}]`, bytes);
  return lengths;
}

/**
 * Parses JSON.
 *
 * @throws Error if it is not valid JSON, or an object has a duplicate name
 */
export function parseJson(what: string, text: string): unknown {
  let names = 0;
  const value = attempt(`${what}: not JSON`, () =>
    JSON.parse(text, function (this: unknown, _, part: unknown) {
      if (!Array.isArray(this)) names++; // also counts the root, whose name is empty
      return part;
    }),
  );
  if (names !== 1 + countNames(text)) throw new Error(`${what}: an object has a duplicate name`);
  return value;
}

/** Runs a function, and prefixes the message of an error that it throws with `what`. */
export function attempt<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const Class = cause instanceof RangeError ? RangeError : Error;
    throw new Class(`${what}: ${(cause as Error).message}`, { cause });
  }
}

/** Counts the names of objects in a text of JSON: the colons outside strings. */
function countNames(json: string): number {
  let colons = 0;
  let isString = false;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '"') isString = !isString;
    else if (character === '\\') i++;
    else if (character === ':' && !isString) colons++;
  }
  return colons;
}
