/**
 * Makes the links and pictures of README absolute while npm packs it, since its page on npm has no other files; with
 * `--undo`, relative again. They lead to the tag of this version, in the repository that package.json names.
 *
 * npm runs it: `prepack` and `postpack` in package.json.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const { version, repository } = JSON.parse(readFileSync('package.json', 'utf8'));
const address = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');

/** The address where the repository's host shows a file, or serves a picture. */
const addressOf = (kind, path) => `${address}/${kind}/v${version}/${path}`;

const RELATIVE = /(!\[[^\]]*)?\]\((?![a-z]+:|#)([^)\s]+)\)/g;
const makeAbsolute = (prose) =>
  prose.replaceAll(
    RELATIVE,
    (_, image = '', path) => `${image}](${addressOf(image === '' ? 'blob' : 'raw', path)})`,
  );

const makeRelative = (text) =>
  ['blob', 'raw'].reduce((kept, kind) => kept.replaceAll(`](${addressOf(kind, '')}`, ']('), text);

const readme = readFileSync('README.md', 'utf8');
const parts = readme.split(/(^```.*?^```$)/ms); // prose, code, prose, …
const isUndone = process.argv.includes('--undo');
const made = isUndone
  ? makeRelative(readme)
  : parts.map((part, i) => (i % 2 ? part : makeAbsolute(part))).join('');
writeFileSync('README.md', made);
