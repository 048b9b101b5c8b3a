/**
 * Writes the version of package.json, the one place to set it, into the files that cannot read it, and the
 * date of today into its heading in CHANGELOG.md.
 *
 * `npm version 1.2.3` runs it before it commits and tags; it adds what it wrote to that commit.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { VERSIONS } from './lib/versions.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const changelog = readFileSync('CHANGELOG.md', 'utf8');
const heading = new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(unreleased\\)$`, 'm');
if (!heading.test(changelog)) throw new Error(`CHANGELOG.md: wanted a heading "## ${version} (unreleased)"`);
writeFileSync(
  'CHANGELOG.md',
  changelog.replace(heading, `## ${version} (${new Date().toISOString().slice(0, 10)})`),
);

for (const [file, pattern] of Object.entries(VERSIONS)) {
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replaceAll(pattern, (found, old) => found.replace(old, version)),
  );
}
execFileSync('git', ['add', 'CHANGELOG.md', ...Object.keys(VERSIONS)]);
