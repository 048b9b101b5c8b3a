// Command lines: each flag is stated once, with its help, its check and its default.

import { statSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';

export { InvalidArgumentError };

/** A parser whose errors end the program with a line that begins with the name of the flag, or of what else is parsed. */
const reporting = (name, parse) => (value, before) => {
  if (value.startsWith('--')) stop(`${name}: wanted a value, got '${value}'; --help lists the flags`);
  try {
    return parse(value, before);
  } catch (error) {
    if (error instanceof InvalidArgumentError) stop(`${name}: ${error.message}`);
    throw error;
  }
};

export class Flag extends Option {
  constructor(flags, description) {
    super(flags, description);
    if (this.required) this.argParser(text());
  }

  argParser(parse) {
    if (parse.choices) this.argChoices = [...parse.choices]; // which the help lists
    this.wanted = parse.choices ? `one of ${parse.what}` : (parse.what ?? 'a value');
    return super.argParser(reporting(this.long, parse));
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

  argument(name, description, parse = text(), fallback) {
    return super.argument(name, description, reporting(name.replaceAll(/\W/g, ''), parse), fallback);
  }

  /** As commander's, but where a command is missing, in a line. */
  help(context) {
    if (context?.error) this.error(`wanted a command: ${this.commands.map((one) => one.name()).join(', ')}`);
    super.help(context);
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
    .description(about.replaceAll(/\s*\n\s*/g, ' '))
    .helpOption('-h, --help', 'prints this')
    .helpCommand(false)
    .configureOutput({
      outputError(message, write) {
        const line = message
          .replace(/^error: /, '')
          .replace(/^option '(--[\w-]+).*' argument missing/, '$1: wanted a value')
          .replaceAll(/\s*\n\s*/g, ' ')
          .replace(/\.? ?$/, '');
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

/** A parser of `what`, by a function that returns undefined for what is none. */
function parserOf(what, read) {
  const parse = (value) => {
    const result = read(value);
    if (result !== undefined) return result;
    throw wanted(what, value);
  };
  return Object.assign(parse, { what });
}

export function wholeNumber(least, most = Number.MAX_SAFE_INTEGER) {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return parserOf(`a whole number ${range}`, (value) => {
    const number = Number(value);
    return /^\d+$/.test(value) && number >= least && number <= most ? number : undefined;
  });
}

export function oddNumber(most) {
  const parse = wholeNumber(1, most);
  return parserOf('an odd number', (value) => (parse(value) % 2 === 1 ? Number(value) : undefined));
}

export function multipleOf(divisor) {
  const parse = wholeNumber(divisor);
  return parserOf(`a multiple of ${divisor}`, (value) =>
    parse(value) % divisor === 0 ? Number(value) : undefined,
  );
}

/** The number that a text like 0.5, .5, 2 or 1e-3 stands for, NaN for other texts. */
const numberOf = (value) => (/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN);

/** A number of at least 0. */
export function decimal(most = Number.MAX_VALUE) {
  const range = most === Number.MAX_VALUE ? 'of at least 0' : `from 0 to ${most}`;
  return parserOf(`a number ${range}`, (value) => (numberOf(value) <= most ? numberOf(value) : undefined));
}

/** A number above 0. */
export function positiveNumber(most = Number.MAX_VALUE) {
  const range = most === Number.MAX_VALUE ? 'above 0' : `above 0 and at most ${most}`;
  return parserOf(`a number ${range}`, (value) => {
    const number = numberOf(value);
    return number > 0 && number <= most ? number : undefined;
  });
}

/** One of the choices, which the help lists. */
export function oneOf(choices) {
  const parse = parserOf(choices.join(', '), (value) => (choices.includes(value) ? value : undefined));
  return Object.assign(parse, { choices });
}

/** `what`, such as a name, or the path of something that is read. */
export function text(what = 'a value') {
  return parserOf(what, (value) => (value === '' ? undefined : value));
}

/** Values between commas. */
export function listOf(parse) {
  return (value) => value.split(',').map((part) => parse(part));
}

/** The values of a flag that may be given any number of times. */
export function repeated(parse) {
  return Object.assign((value, before = []) => [...before, parse(value)], { what: parse.what });
}

/** The path of a directory that exists or can be made. */
export function outputDirectory() {
  const parse = (value) => {
    if (entryAt(text('a directory')(value))?.isDirectory() !== false) return value;
    throw new InvalidArgumentError(`wanted a directory, ${value} is a file`);
  };
  return Object.assign(parse, { what: 'a directory' });
}

/** The path of a file that can be written. */
export function outputFile() {
  const parse = (value) => {
    const isDirectory = /[/\\]$/.test(text('a file')(value)) || entryAt(value)?.isDirectory();
    if (!isDirectory) return value;
    throw new InvalidArgumentError(`wanted a file, ${value} is a directory`);
  };
  return Object.assign(parse, { what: 'a file' });
}

/** The entry at a path, if there is one. */
function entryAt(path) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch ({ message }) {
    throw new InvalidArgumentError(message);
  }
}
