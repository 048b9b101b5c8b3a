// Command lines: each flag is stated once, with its help, its check and its default.

import { statSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';

export { InvalidArgumentError };

/** A flag of a program. Its parser may throw what it wanted: the program then ends with a line that begins with the flag's name. */
export class Flag extends Option {
  constructor(flags, description) {
    super(flags, description);
    if (this.required) this.argParser(text());
  }

  argParser(parse) {
    if (parse.choices) this.argChoices = [...parse.choices]; // which the help lists
    this.wanted = parse.choices?.join(', ') ?? parse.what ?? 'a value';
    return super.argParser((value, before) => {
      if (value.startsWith('--'))
        stop(`${this.long}: wanted a value, got '${value}'; --help lists the flags`);
      try {
        return parse(value, before);
      } catch (error) {
        if (error instanceof InvalidArgumentError) stop(`${this.long}: ${error.message}`);
        throw error;
      }
    });
  }
}

class Program extends Command {
  #required = '';

  createCommand(name) {
    return new Program(name);
  }

  createOption(flags, description) {
    return new Flag(flags, description);
  }

  /** As commander's, but a flag that is missing is reported after unknown ones, since it may be one of those, misspelt. */
  requiredOption(flags, description, parse = text()) {
    this.option(flags, description, parse);
    const option = this.options.at(-1);
    this.#required += `${flags} `;
    return this.usage(`${this.#required}[options]`)
      .action(() => {})
      .hook('preAction', () => {
        const isGiven = this.getOptionValue(option.attributeName()) !== undefined;
        if (!isGiven) this.error(`${option.long}: wanted ${option.wanted}`);
      });
  }
}

/**
 * A program's command line: `command(…).option('--images <n>', 'how many', wholeNumber(1), 8).parse().opts()`. `--help` prints
 * the flags. One of several commands has `.command('masks')` for each, with flags and an `action` of their own. A user's mistake
 * ends the program with a line; and so does, from here on, any error, of which the environment variable DEBUG shows the stack.
 *
 * @param {string} path of the program, from the root of the repository
 * @param {string} about what it does
 * @returns {Command}
 */
export function command(path, about) {
  process.on('uncaughtException', (error) => fail(error));
  return new Program(path.endsWith('.mjs') ? `node ${path}` : path)
    .description(about)
    .helpOption('--help', 'prints this')
    .configureOutput({
      outputError(message, write) {
        const line = message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ').replace(/\.? ?$/, ''); // biome-ignore format: one line
        write(`${line}; --help lists the flags\n`);
      },
    });
}

/**
 * The flags that the user gave, without their `--`, in the order of the help.
 *
 * @param {Command} program
 */
export function givenFlags(program) {
  const isGiven = (option) => program.getOptionValueSource(option.attributeName()) === 'cli';
  return program.options.filter(isGiven).map((option) => option.long.slice(2));
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

// Parsers of values. Each function returns one.

/** The error that a parser throws. */
export const wanted = (what, got) => new InvalidArgumentError(`wanted ${what}, got '${got}'`);

export function wholeNumber(least, most = Number.MAX_SAFE_INTEGER) {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= least && number <= most) return number;
    throw wanted(`a whole number ${range}`, value);
  };
}

export function oddNumber(most) {
  const parse = wholeNumber(1, most);
  return (value) => {
    const number = parse(value);
    if (number % 2 === 1) return number;
    throw wanted('an odd number', value);
  };
}

export function multipleOf(divisor) {
  const parse = wholeNumber(divisor);
  return (value) => {
    const number = parse(value);
    if (number % divisor === 0) return number;
    throw wanted(`a multiple of ${divisor}`, value);
  };
}

/** Numbers like 0.5, .5, 2 or 1e-3. */
const DECIMAL = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number of at least 0. */
export function decimal(most = Number.MAX_VALUE) {
  const range = most === Number.MAX_VALUE ? 'of at least 0' : `from 0 to ${most}`;
  return (value) => {
    if (DECIMAL.test(value) && Number(value) <= most) return Number(value);
    throw wanted(`a number ${range}`, value);
  };
}

/** A number above 0. */
export function positiveNumber(most = Number.MAX_VALUE) {
  const range = most === Number.MAX_VALUE ? 'above 0' : `above 0 and at most ${most}`;
  return (value) => {
    const number = Number(value);
    if (DECIMAL.test(value) && number > 0 && number <= most) return number;
    throw wanted(`a number ${range}`, value);
  };
}

/** One of the choices, which the help lists. */
export function oneOf(choices) {
  const parse = (value) => {
    if (choices.includes(value)) return value;
    throw wanted(choices.join(', '), value);
  };
  return Object.assign(parse, { choices });
}

/** Values between commas. */
export function listOf(parse) {
  return (value) => value.split(',').map((part) => parse(part));
}

/** The values of a flag that may be given any number of times. */
export function repeated(parse) {
  return (value, before = []) => [...before, parse(value)];
}

/** `what`, such as a name, or the path of something that is read. */
export function text(what = 'a value') {
  const parse = (value) => {
    if (value !== '') return value;
    throw wanted(what, value);
  };
  return Object.assign(parse, { what });
}

/** The path of a directory that exists or can be made. */
export function outputDirectory() {
  const parse = text('a directory');
  return (value) => {
    if (entryAt(parse(value))?.isDirectory() !== false) return value;
    throw new InvalidArgumentError(`wanted a directory, ${value} is a file`);
  };
}

/** The path of a file that can be written. */
export function outputFile() {
  const parse = text('a file');
  return (value) => {
    const isDirectory = /[/\\]$/.test(parse(value)) || entryAt(value)?.isDirectory();
    if (!isDirectory) return value;
    throw new InvalidArgumentError(`wanted a file, ${value} is a directory`);
  };
}

/** The entry at a path, if there is one. */
function entryAt(path) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch ({ message }) {
    throw new InvalidArgumentError(message);
  }
}
