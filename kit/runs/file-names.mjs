// Names of files that are valid on Linux, macOS and Windows.

/** Fewer than the 255 bytes that are allowed, since a file has a longer name while it is written. */
const MAX_BYTES = 200;

/** Devices of Windows, even with endings: https://learn.microsoft.com/windows/win32/fileio/naming-a-file. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])[ ]*(\.|$)/i;

/**
 * Whether a name is of a file directly in a directory, on every system.
 *
 * @param {unknown} name
 * @returns {name is string}
 */
export function isPortableName(name) {
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > MAX_BYTES) return false;
  const isOdd = /[\p{Cc}<>:"/\\|?*]|[. ]$|^ /u.test(name);
  return !isOdd && name.isWellFormed() && !DEVICE.test(name);
}

/**
 * A key that is equal for two names if one file would replace the other, whatever their case and encoding of accents.
 */
export const sameNameKey = (name) => name.normalize('NFKC').toUpperCase().toLowerCase();

/** A name for a message, on one short line. */
export function quoted(name) {
  const short = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  const plain = short.replace(
    /\p{Cc}/gu,
    (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `'${plain}'`;
}
