import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * Reads the values of a command line. Ends the program for `--help` and for errors. From here on,
 * any error ends the program with a line too; the environment variable DEBUG shows its stack.
 *
 * @param {import('node:util').ParseArgsConfig['options']} options those of `parseArgs`, `help` among them
 * @param {string} help
 * @param {string[]} argv
 * @returns {Record<string, any>}
 */
export function parseFlags(options, help, argv) {
  process.on('uncaughtException', (error) => fail(error));
  const flags = parse(options, argv);
  if (!flags.help) return flags;
  process.stdout.write(help);
  process.exit(0);
}

function parse(options, argv) {
  const known = Object.keys(options).map((name) => `--${name}`);
  const args = withValues(options, argv);
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    // Node's message has several sentences or lines, of which the first names the flag.
    const [message] = error.message.split(/\.\s|\n/);
    const [, unknown] = /^Unknown option '(--.*)'$/.exec(message) ?? [];
    const nearest = unknown && nearestOf(unknown, known);
    return stop(`${message}${nearest ? `: did you mean ${nearest}?` : ';'} --help lists the flags`);
  }
}

/**
 * Joins flags and negative numbers, `--levels -1`, which Node would otherwise take for two flags,
 * so that the check of the number reports the error.
 */
function withValues(options, argv) {
  const args = [];
  for (let i = 0; i < argv.length; i++) {
    const [arg, next] = argv.slice(i, i + 2);
    const isOfValue = arg.startsWith('--') && options[arg.slice(2)]?.type === 'string';
    if (isOfValue && /^-[^-]/.test(next ?? '')) args.push(`${arg}=${argv[++i]}`);
    else if (isOfValue && next?.startsWith('--'))
      stop(`${arg}: wanted a value, got '${next}'; --help lists the flags`); // biome-ignore format: one line
    else args.push(arg);
  }
  return args;
}

/** The known word that a misspelt one may stand for: one that begins with it, or differs by a few letters. */
function nearestOf(word, known) {
  const distances = known.map((other) => (other.startsWith(word) ? 0 : editDistance(word, other)));
  const least = Math.min(...distances);
  return least <= Math.max(1, word.length / 4) ? known[distances.indexOf(least)] : undefined;
}

/** How many letters must be inserted, deleted, replaced or swapped with the next to turn one word into another. */
function editDistance(a, b) {
  let before = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j); // distances of a's first letters to each start of b
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const isSwapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      const swapped = isSwapped ? before[j - 1] + 1 : Infinity;
      next.push(Math.min(row[j] + (a[i] === b[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}

/** Ends the program with one line, since a stack trace does not help against a mistyped flag. */
export function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Ends the program with an error's message, and where in its work the error happened. */
export function fail(error, where = '') {
  if (process.env.DEBUG) console.error(error);
  const [message] = String(error?.message || error).split('\n'); // native packages print a page
  stop(`${where}${message}`);
}

export function wholeNumber(flag, text, least, most = Number.MAX_SAFE_INTEGER) {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return stop(`${flag}: wanted a whole number ${range}, got '${text}'`);
}

export function oddNumber(flag, text, most) {
  const number = wholeNumber(flag, text, 1, most);
  return number % 2 === 1 ? number : stop(`${flag}: wanted an odd number, got '${text}'`);
}

/** Numbers like 0.5, .5, 2 or 1e-3. */
const DECIMAL = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number of at least 0. */
export function decimal(flag, text) {
  if (DECIMAL.test(text) && Number.isFinite(Number(text))) return Number(text);
  return stop(`${flag}: wanted a number of at least 0, got '${text}'`);
}

/** A number above 0. */
export function positiveNumber(flag, text, most = Number.MAX_VALUE) {
  const number = Number(text);
  if (DECIMAL.test(text) && number > 0 && number <= most) return number;
  const range = most === Number.MAX_VALUE ? 'above 0' : `above 0 and at most ${most}`;
  return stop(`${flag}: wanted a number ${range}, got '${text}'`);
}

export function oneOf(flag, text, choices) {
  if (choices.includes(text)) return text;
  return stop(`${flag}: wanted ${choices.join(', ')}, got '${text}'`);
}

/** A path to `what`, such as a directory or a file. */
export function pathTo(what, flag, text) {
  if (text !== undefined && text !== '') return text;
  return stop(`${flag}: wanted ${what}${text === undefined ? '; --help lists the flags' : ", got ''"}`);
}

/** The path of a directory that exists or can be made. */
export function outputDirectory(flag, text) {
  const path = pathTo('a directory', flag, text);
  const isFile = entryAt(flag, path)?.isDirectory() === false;
  return isFile ? stop(`${flag}: wanted a directory, ${path} is a file`) : path;
}

/** The path of a file that can be written. */
export function outputFile(flag, text) {
  const path = pathTo('a file', flag, text);
  if (path.startsWith('-')) stop(`${flag}: wanted a file, got '${path}'`); // an unknown flag
  const isDirectory = /[/\\]$/.test(path) || entryAt(flag, path)?.isDirectory();
  return isDirectory ? stop(`${flag}: wanted a file, ${path} is a directory`) : path;
}

/** The entry at a path, if there is one. */
function entryAt(flag, path) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch ({ message }) {
    return stop(`${flag}: ${message}`);
  }
}
