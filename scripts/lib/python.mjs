import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const isWindows = process.platform === 'win32';
const own = isWindows ? '.venv/Scripts/python.exe' : '.venv/bin/python3';

/** The Python of the machine. */
export const systemPython = isWindows ? 'python' : 'python3';

/** The Python of the repository's .venv, by its path from the root, or where there is none that of the machine. */
export const python = existsSync(join(root, own)) ? own : systemPython;
