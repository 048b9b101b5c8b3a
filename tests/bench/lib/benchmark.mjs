import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeFigures } from './report.mjs';

/**
 * The flags of a program: each is a number, a text, or there or not, as its default is.
 *
 * @template {Record<string, number | string | boolean>} T
 * @param {T} defaults
 * @returns {T}
 */
export function readFlags(defaults) {
  const options = {};
  for (const [name, value] of Object.entries(defaults)) {
    options[name] = typeof value === 'boolean' ? { type: 'boolean', default: value } : { type: 'string', default: String(value) };
  }
  const { values } = parseArgs({ options });
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof defaults[name] === 'number' ? Number(value) : value]),
  );
}

/**
 * A benchmark, by its name, whose figures are in docs/results/PAGE.md: its flags, and `publish`, which prints a text and, with
 * --write, puts it, or what stands for it in the docs, there.
 */
export function benchmark(page, name, defaults) {
  const { write, ...flags } = readFlags({ ...defaults, write: false });
  const publish = async (text, inDocs = text) => {
    console.log(text);
    if (write) await writeFigures(page, name, inDocs);
  };
  return { flags, publish };
}

/** Calls with a folder that is removed afterwards. */
export async function inTemporaryFolder(work) {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
