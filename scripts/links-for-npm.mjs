/**
 * Makes the links and pictures in the pages of a package absolute while npm packs it, since the package has no other files;
 * with `--undo`, relative again. They lead to the tag of this version in the repository, once that has an address.
 *
 * npm runs it in the package's folder: `prepack` and `postpack` in package.json.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPOSITORY } from './lib/repository.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const folder = relative(fileURLToPath(new URL('..', import.meta.url)), process.cwd());

/** The address where the repository's host shows a file, or serves a picture. */
const addressOf = (kind, path) => `${REPOSITORY}/${kind}/v${version}/${posix.join(folder, path)}`;

const LINK = /(!\[[^\]]*)?\]\((?![a-z]+:|#)([^)\s]+)\)/g;
const SOURCE = /\b(src|srcset)="(?![a-z]+:)([^"]+)"/g;
const makeAbsolute = (prose) =>
  prose
    .replaceAll(LINK, (_, image = '', path) => `${image}](${addressOf(image === '' ? 'blob' : 'raw', path)})`)
    .replaceAll(SOURCE, (_, name, path) => `${name}="${addressOf('raw', path)}"`);

const ABSOLUTE = new RegExp(`${REPOSITORY}/(?:blob|raw)/v${version.replaceAll('.', '\\.')}/([^)\\s"]+)`, 'g');
const makeRelative = (text) => text.replaceAll(ABSOLUTE, (_, path) => posix.relative(folder, path));

const isUndone = process.argv.includes('--undo');
for (const file of REPOSITORY === null
  ? []
  : readdirSync('.').filter((name) => /^(?!CONTRIBUTING|CHANGELOG).*\.md$/.test(name))) {
  const text = readFileSync(file, 'utf8');
  const parts = text.split(/(^```.*?^```$)/ms); // prose, code, prose, …
  const made = isUndone
    ? makeRelative(text)
    : parts.map((part, i) => (i % 2 ? part : makeAbsolute(part))).join('');
  writeFileSync(file, made);
}
