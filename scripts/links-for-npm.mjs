/**
 * Makes the links and pictures of README and CHANGELOG absolute while npm packs them, since the package has no other
 * files; with `--undo`, relative again. They lead to the tag of this version, in the repository that package.json names.
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

const isUndone = process.argv.includes('--undo');
for (const file of ['README.md', 'CHANGELOG.md']) {
  const text = readFileSync(file, 'utf8');
  const parts = text.split(/(^```.*?^```$)/ms); // prose, code, prose, …
  const made = isUndone
    ? makeRelative(text)
    : parts.map((part, i) => (i % 2 ? part : makeAbsolute(part))).join('');
  writeFileSync(file, made);
}
