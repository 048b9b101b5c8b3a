import { checkBytes, checkRecord, show, throwTypeError } from '../core/check';
import type { PortableModel } from './program';

// What a model may carry for people who see its images or receive its file. It never affects a result.

/** A palette and information about a model. */
export type Description = Pick<PortableModel, 'palette' | 'info'>;

const MAX_ENTRIES = 100;
const MAX_NAME = 64; // letters
const MAX_VALUE = 2 ** 16; // letters

/** Checks a palette and information, and returns copies of those given. Messages begin with `prefix`. */
export function checkDescription(
  prefix: string,
  { palette, info }: { readonly palette?: unknown; readonly info?: unknown },
  levels: number,
): Description {
  return {
    ...(palette !== undefined && { palette: checkPalette(`${prefix}palette`, palette, levels) }),
    ...(info !== undefined && { info: checkInfo(`${prefix}info`, info) }),
  };
}

function checkPalette(what: string, palette: unknown, levels: number): Uint8Array {
  checkBytes(what, palette);
  if (palette.length !== levels && palette.length !== 3 * levels)
    throwTypeError(what, `1 or 3 bytes for each of ${levels} levels`, palette.length);
  return Uint8Array.from(palette);
}

function checkInfo(what: string, info: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(checkRecord(what, info));
  // A Map, or any object whose contents are not its own fields, would be saved as an empty object.
  if (Object.prototype.toString.call(info) !== '[object Object]')
    throwTypeError(what, 'an object of strings by name', info);
  if (entries.length > MAX_ENTRIES) throwTypeError(what, `at most ${MAX_ENTRIES} entries`, entries.length);
  for (const [name, value] of entries) {
    // Every object has names such as `constructor` and `__proto__`.
    if (name === '' || name.length > MAX_NAME || name in {})
      throwTypeError(what, `names of 1 to ${MAX_NAME} letters, none a built-in property`, name);
    if (typeof value !== 'string') throwTypeError(`${what}: ${show(name)}`, 'a string', value);
    if (value.length > MAX_VALUE)
      throwTypeError(`${what}: ${show(name)}`, `at most ${MAX_VALUE} letters`, value.length);
  }
  return Object.fromEntries(entries) as Record<string, string>;
}
