/** Checks of arguments. Each throws a TypeError that names the option and states what was wanted and what it got. */

/** The most items of a list, and letters of a name, that a message shows; and the letters of items after which it shows no more. */
const MAX_ITEMS = 8;
const MAX_LETTERS = 64;
const ENOUGH_LETTERS = 80;

/** The most letters of a text, such as a name in a file, that a message shows. */
const MAX_TEXT = 400;

/** Formats a value for an error message; long texts, lists and objects are shortened. */
export function show(value: unknown, depth = 0): string {
  if (typeof value === 'string') return `'${shortened(value)}'`;
  if (typeof value === 'bigint') return `${shortened(String(value))}n`; // 0n is no number, and must not look like one
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (value instanceof Promise) return 'a Promise (is an await missing?)';
    const { constructor: Class } = value; // can be anything in JSON from a file
    return typeof Class === 'function' ? shortened(Class.name) : 'an object';
  }
  if (!Array.isArray(value)) return String(value);
  if (depth > 3) return '[…]';
  let items = '';
  let count = 0;
  while (count < Math.min(value.length, MAX_ITEMS) && items.length < ENOUGH_LETTERS)
    items += `${count > 0 ? ', ' : ''}${show(value[count++], depth + 1)}`;
  return `[${items}${count < value.length ? `, … (${value.length})` : ''}]`;
}

/** Shortens a text for a message, since names in a file may have any length. */
export const shortened = (text: string): string =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)} … (${text.length} letters)` : text;

/** Throws a TypeError with the message `what: wanted …, got …`. */
export function throwTypeError(what: string, wanted: string, got: unknown): never {
  throw new TypeError(`${shortened(what)}: wanted ${shortened(wanted)}, got ${show(got)}`);
}

/** Throws if a name is unknown, and suggests the nearest known one. `wrong` describes the problem. */
export function checkNames(
  what: string,
  names: readonly string[],
  known: readonly string[],
  wrong = (name: string) => `unknown option '${name}'`,
): void {
  const unknown = names.find((name) => !known.includes(name))?.slice(0, MAX_LETTERS);
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, known);
  const hint = nearest === undefined ? `wanted one of ${known.join(', ')}` : `did you mean ${nearest}?`;
  throw new TypeError(`${what}: ${wrong(unknown)}: ${hint}`);
}

/** The known name that a misspelt one may stand for: one contains the other, or they differ by a few letters, in any order. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  let nearest: string | undefined;
  let smallest = Math.min(Math.max(2, name.length / 4 + 1e-9), name.length); // exclusive, so one letter must match
  for (const candidate of known) {
    const word = candidate.toLowerCase();
    const isPart = wanted.includes(word) || word.includes(wanted);
    const ofPart = word === wanted ? 0 : 1 + Math.abs(word.length - wanted.length) / 100;
    const distance = isPart ? ofPart : lettersApart(wanted, word);
    if (distance < smallest) [nearest, smallest] = [candidate, distance];
  }
  return nearest;
}

/** How many letters must be inserted, deleted or replaced to make the letters of one word those of another. */
function lettersApart(a: string, b: string): number {
  let left = b;
  let missing = 0;
  for (const letter of a) {
    const rest = left.replace(letter, '');
    if (rest === left) missing++;
    left = rest;
  }
  return Math.max(missing, left.length);
}

/** Checks that a value is an object and not a list. Since its keys may be anything, look up own properties only. */
export function checkRecord(what: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throwTypeError(what, 'an object', value);
  return value as Record<string, unknown>;
}

/** Checks that an object has all of these fields, and no others except the optional ones. */
export function checkFields<Name extends string, Optional extends string = never>(
  what: string,
  value: unknown,
  names: readonly Name[],
  optional: readonly Optional[] = [],
): Readonly<Record<Name, unknown> & Partial<Record<Optional, unknown>>> {
  const record = checkRecord(what, value);
  const missing = names.find((name) => !Object.hasOwn(record, name));
  if (missing !== undefined) throwTypeError(what, `a field '${missing}'`, Object.keys(record));
  const known: readonly string[] = [...names, ...optional];
  const unknown = Object.keys(record).find((name) => !known.includes(name));
  if (unknown !== undefined) throwTypeError(what, `no fields but ${known.join(', ')}`, unknown);
  return record as Readonly<Record<Name, unknown> & Record<Optional, unknown>>;
}

/** Checks that a value is a list, and its length if that is given. */
export function checkList(what: string, value: unknown, length?: number): readonly unknown[] {
  if (!Array.isArray(value)) throwTypeError(what, 'a list', value);
  if (length !== undefined && value.length !== length) throwTypeError(what, `${length} items`, value);
  return value;
}

export function checkInteger(what: string, value: unknown, minimum = -Infinity, maximum = Infinity): number {
  const given = value as number;
  if (!Number.isSafeInteger(given) || given < minimum || given > maximum) {
    let range = '';
    if (minimum > -Infinity)
      range = maximum === Infinity ? ` of at least ${minimum}` : ` from ${minimum} to ${maximum}`;
    // From 2^53 on, float64 cannot distinguish an integer from its neighbours.
    const isUnsafe = Number.isInteger(given) && Math.abs(given) >= 2 ** 53;
    throwTypeError(what, `${isUnsafe ? 'a safe' : 'an'} integer${range}`, value);
  }
  return given;
}

/** The most numbers that a weight or an image may have: 1 GiB of float32, far more than anyone trains. */
export const MAX_NUMBERS = 2 ** 28;

/** The most values that a file may ask for, unless the caller allows more. */
export const MAX_VALUES = 2 ** 24;

/** Checks how many values a file asks for against the caller's `maxValues`; `what` names their owner. */
export function checkMaxValues(what: string, values: number, maxValues: number): void {
  if (values > maxValues)
    throw new RangeError(`${what}: wanted at most ${maxValues} values (maxValues), got ${values}`);
}

/** How many numbers a tensor of a shape has. */
export const sizeFromShape = (shape: readonly (number | null)[]): number =>
  shape.reduce<number>((product, length) => product * (length ?? 0), 1);

/** Checks that the product of these sizes is not too many numbers, before any memory is allocated. */
export function checkMemory(what: string, sizes: readonly number[]): void {
  if (sizeFromShape(sizes) > MAX_NUMBERS)
    throwTypeError(what, `sizes whose product is at most ${MAX_NUMBERS}`, sizes);
}

/** Checks several lists of sizes with {@link checkMemory}, each under the name of its option. */
export function checkMemories(what: string, sizes: Readonly<Record<string, readonly number[]>>): void {
  for (const [option, each] of Object.entries(sizes)) checkMemory(`${what}: ${option}`, each);
}

/** A finite number that passes a test; `wanted` describes the test. */
export function checkNumber(what: string, value: unknown, wanted: string, test: (value: number) => boolean) {
  if (!Number.isFinite(value) || !test(value as number)) throwTypeError(what, `a number ${wanted}`, value);
  return value as number;
}

export function checkOneOf<T extends string | number>(what: string, value: unknown, choices: readonly T[]) {
  if (choices.includes(value as T)) return value as T;
  const wanted = choices.map((choice) => show(choice)).join(' or ');
  const words = choices.filter((choice) => typeof choice === 'string');
  const nearest = typeof value === 'string' && nearestName(value.slice(0, MAX_LETTERS), words);
  const hint = nearest ? `: did you mean '${nearest}'?` : '';
  throw new TypeError(`${what}: wanted ${wanted}, got ${show(value)}${hint}`);
}

export function checkBoolean(what: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throwTypeError(what, 'true or false', value);
  return value;
}

export function checkFunction<F>(what: string, value: unknown): F {
  if (typeof value !== 'function') throwTypeError(what, 'a function', value);
  return value as F;
}

export function checkBytes(what: string, bytes: unknown): asserts bytes is Uint8Array {
  if (!(bytes instanceof Uint8Array)) throwTypeError(what, 'a Uint8Array', bytes);
}

/** The most levels or classes. They are numbered from 0 in float32, which is exact up to here. */
export const MAX_CATEGORIES = 2 ** 24;

/** A count of levels or classes. */
export function checkCategories(what: string, count: unknown, minimum: number): number {
  const checked = checkInteger(what, count, minimum);
  if (checked > MAX_CATEGORIES)
    throwTypeError(what, 'at most 2^24, the most that float32 can distinguish', count);
  return checked;
}

/** Checks that a value is a level, 0..levels-1. For fractions, the message adds `hint`. */
export function checkLevel(what: string, value: number, levels: number, hint = ''): number {
  if (!(Number.isInteger(value) && value >= 0 && value < levels)) {
    const isFraction = Number.isFinite(value) && !Number.isInteger(value);
    throwTypeError(what, `integer levels 0 to ${levels - 1}${isFraction ? hint : ''}`, value);
  }
  return value;
}

/** A kernel size as [rows, columns], from two numbers or one for both; odd, so that the kernel has a centre. */
export function checkKernelSize(what: string, value: unknown, mayBeEven = false): [number, number] {
  const [rows, columns, ...rest] = Array.isArray(value) ? value : [value, value];
  const isGood = (length: unknown) =>
    Number.isSafeInteger(length) && (length as number) > 0 && (mayBeEven || (length as number) % 2 === 1);
  if (!isGood(rows) || !isGood(columns) || rest.length > 0)
    throwTypeError(what, `${mayBeEven ? 'a positive' : 'an odd'} integer or two of them`, value);
  return [rows, columns];
}

/** Checks that features split evenly into the image channels, or into the number of parts that `of` names. */
export function checkFeatures(what: string, value: unknown, parts: number, of = 'imageChannels'): number {
  const features = checkInteger(what, value, 1);
  if (features % parts !== 0) {
    const hint =
      of.endsWith('imageChannels') && !of.includes('groups')
        ? '; set imageChannels to 1 for grey images or ungrouped features'
        : '';
    throw new TypeError(`${what}: wanted a multiple of ${of} (${parts}), got ${features}${hint}`);
  }
  return features;
}

/**
 * Files, and the kernels' memory, have the byte order of all processors but a few, such as s390x. There, numbers would be wrong
 * without a word.
 *
 * @throws Error on those few
 */
export function checkByteOrder(): void {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1)
    throw new Error('pixelcnn-layers needs a little-endian processor');
}
