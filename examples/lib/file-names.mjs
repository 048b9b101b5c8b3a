// Names of files that are such on Linux, macOS and Windows.

/** In bytes; 255 are allowed, and a file has a longer name while it is written. */
const MAX_BYTES = 200;

/** Devices of Windows, also with endings: https://learn.microsoft.com/windows/win32/fileio/naming-a-file. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])[ ]*(\.|$)/i;

/**
 * Whether a name is of a file in a directory itself, on every system.
 *
 * @param {unknown} name
 * @returns {name is string}
 */
export function isPortableName(name) {
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > MAX_BYTES) return false;
  const isOdd = /[\p{Cc}<>:"/\\|?*]|[. ]$|^ /u.test(name);
  return !isOdd && name.isWellFormed() && !DEVICE.test(name);
}

/** What is the same of two names where one file would replace the other: case, and how letters with accents are written. */
export const sameNameKey = (name) => name.normalize('NFKC').toUpperCase().toLowerCase();

/** A name for a message, on one line and not long, whatever it is. */
export function quoted(name) {
  const short = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  const plain = short.replace(
    /\p{Cc}/gu,
    (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `'${plain}'`;
}
