import { checkInteger, sizeFromShape, throwTypeError } from '../core/check';
import {
  type ConditionShape,
  type ConditionValues,
  conditionShapeOf,
  numCategories,
} from '../core/conditions';
import { Digest } from '../core/digest';
import type { ImageShape, Images } from '../core/images';
import type { ModelShape } from '../core/model-shape';
import { digestOf } from '../program/file';
import type { PortableModel } from '../program/program';
import { bytesOf, copyOf, joined } from '../program/safetensors';
import type { EngineModel } from '../sampling/image-model';
import { portableImageModel } from '../sampling/portable';

// A file of compressed images, documented in docs/reference/codec-format.md. Everything in a file is checked before it is used.

/** The first byte is not a letter, so no text file begins this way. */
const MAGIC = [0x89, 0x50, 0x58, 0x43] as const; // \x89PXC
const VERSION = 2;
const DIGEST_BYTES = 16;
const CHECKSUM_BYTES = 8;
const HAS_CONDITIONS = 1;

/** The most levels for which frequencies have enough bits to differ. */
const MAX_LEVELS = 2 ** 16;

/** A portable model that codes images. Throws a TypeError if it has too many levels, or no one order of values. */
export function codedModel(what: string, model: PortableModel): EngineModel {
  return checkCoded(what, portableImageModel(what, model).inOrder(what));
}

/** Checks that a model has not too many levels to code images. */
export function checkCoded<Model extends ModelShape>(what: string, model: Model): Model {
  if (model.levels > MAX_LEVELS) throwTypeError(what, `at most ${MAX_LEVELS} levels`, model.levels);
  return model;
}

const digests = /* @__PURE__ */ new WeakMap<PortableModel, Uint8Array>();

/** The digest of a model, computed once, since it takes a pass over all weights. */
export function keptDigest(model: PortableModel): Uint8Array {
  const digest = digests.get(model) ?? digestOf(model);
  digests.set(model, digest);
  return digest;
}

/** The part of a file before the codes of its images. */
interface Header {
  /** The digest of the model, 16 bytes. */
  readonly digest: Uint8Array;
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly levels: number;
  /** The conditions of all images; none if the file does not hold them. */
  readonly conditions: readonly ConditionValues[];
}

/** The code of an image, and a checksum of the code and the levels. */
export interface CodedImage {
  readonly code: Uint8Array;
  readonly checksum: bigint;
}

/** The checksum of an image's code followed by its levels, in the smallest array type that holds them. */
export const checksumOf = (code: Uint8Array, levels: Images['data']): bigint =>
  first64Bits(code, bytesOf(levels));

function first64Bits(...parts: Uint8Array[]): bigint {
  const digest = parts.reduce((sum, part) => sum.add(part), new Digest()).finish();
  return longOf(digest);
}

export function writeFile(
  { digest, numImages, imageShape, levels, conditions }: Header,
  kinds: readonly ConditionShape[],
  images: readonly CodedImage[],
): Uint8Array {
  const stored = conditions.flatMap(({ values }, index): ArrayLike<number>[] =>
    isWhole(kinds[index] as ConditionShape) ? Array.from(values, varint) : [bytesOf(values)],
  );
  const head = joined([
    [...MAGIC, VERSION, ...digest],
    ...[numImages, ...imageShape, levels].map(varint),
    [conditions.length > 0 ? HAS_CONDITIONS : 0],
    ...stored,
    ...images.flatMap(({ code, checksum }) => [varint(code.length), long(checksum)]),
  ]);
  return joined([head, long(first64Bits(head)), ...images.map(({ code }) => code)]);
}

/** Reads the header of a file of the model with the digest `wanted`, and gives access to each image's code. */
export function readFile(
  bytes: Uint8Array,
  kinds: readonly ConditionShape[],
  wanted: Uint8Array,
): Header & { image(n: number): CodedImage } {
  const reader = new ByteReader(bytes);
  if (!MAGIC.every((byte) => reader.byte() === byte))
    throw new Error('file: not a file of compressed images');
  const version = reader.byte();
  if (version !== VERSION)
    throw new Error(`file: wanted version ${VERSION}, got ${version}: from another version, or damaged`);
  const digest = reader.bytes(DIGEST_BYTES);
  if (!digest.every((byte, i) => byte === wanted[i]))
    throw new Error('file: compressed with another model, or damaged: its digest differs');
  const count = (name: string, from = 1) => checkInteger(`file: ${name}`, reader.varint(), from);
  const numImages = count('images');
  const imageShape: ImageShape = [count('height'), count('width'), count('channels')];
  const levels = count('levels', 2);
  // Each image takes at least 9 bytes, so a short file cannot ask for much memory.
  if (numImages > reader.left / (CHECKSUM_BYTES + 1))
    throw new Error('file: truncated or damaged: too short for so many images');
  const flags = reader.byte();
  if (flags > HAS_CONDITIONS) throw new Error('file: damaged: it has unknown flags');
  // Whether they fit the model is checked later, as for a caller's conditions.
  const stored = flags === HAS_CONDITIONS ? kinds : [];
  const conditions = stored.map((kind) => readCondition(reader, kind, numImages, imageShape));
  const checksums = new BigUint64Array(numImages);
  const ends = new Float64Array(numImages);
  let total = 0;
  for (let n = 0; n < numImages; n++) {
    total += reader.varint();
    ends[n] = total;
    checksums[n] = reader.long();
  }
  const checksum = first64Bits(bytes.subarray(0, reader.at));
  if (reader.long() !== checksum) throw new Error('file: damaged: its checksum differs');
  if (reader.left !== total)
    throw new Error(`file: truncated or damaged: wanted ${total} bytes of codes, got ${reader.left}`);
  const codes = bytes.subarray(reader.at);
  const image = (n: number): CodedImage => {
    return { code: codes.subarray(ends[n - 1] ?? 0, ends[n]), checksum: checksums[n] as bigint };
  };
  return { digest, numImages, imageShape, levels, conditions, image };
}

/** Whether the numbers of a condition are stored as integers. */
const isWhole = (condition: ConditionShape): boolean => numCategories(condition) > 0;

function readCondition(reader: ByteReader, kind: ConditionShape, numImages: number, imageShape: ImageShape) {
  const shape = conditionShapeOf(kind, imageShape);
  const count = numImages * sizeFromShape(shape);
  if (count > reader.left)
    // each takes at least a byte
    throw new Error('file: truncated or damaged: too short for its conditions');
  const values = isWhole(kind)
    ? Float32Array.from({ length: count }, () => reader.varint())
    : new Float32Array(reader.bytes(4 * count).buffer);
  return { shape, values };
}

/** Converts 8 bytes to an integer. */
const longOf = ({ buffer }: Uint8Array): bigint => new BigUint64Array(buffer)[0] as bigint;

/** A number as 7 bits a byte, the lowest first. All bytes but the last have the eighth bit set. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 + (rest % 128));
  return [...bytes, rest];
}

const long = (value: bigint): Uint8Array => bytesOf(BigUint64Array.of(value));

/** Reads bytes and numbers, which are little-endian. Throws at the end of the bytes. */
class ByteReader {
  at = 0;

  constructor(private readonly given: Uint8Array) {}

  get left(): number {
    return this.given.length - this.at;
  }

  byte(): number {
    return this.given[this.take(1)] as number;
  }

  /** Copies bytes to their own memory. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    return copyOf(this.given.subarray(this.take(count), this.at));
  }

  varint(): number {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = this.byte();
      value += (byte % 128) * factor;
      if (byte < 128) return value;
      factor *= 128;
      if (factor > 2 ** 42) throw new Error('file: damaged: a number is too long');
    }
  }

  long(): bigint {
    return longOf(this.bytes(8));
  }

  /** Skips `count` bytes and returns where they begin. */
  private take(count: number): number {
    if (count > this.left) throw new Error('file: truncated: it ends too early');
    const start = this.at;
    this.at += count;
    return start;
  }
}
