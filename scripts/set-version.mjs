/**
 * Writes the version of package.json, the one place to set it, into the files that cannot read it, the date of today into
 * its heading in CHANGELOG.md, and what holds once there is a release into the pages that say so.
 *
 * `npm version 1.2.3` runs it before it commits and tags; it adds what it wrote to that commit.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { asPublished, REPOSITORY } from './lib/repository.mjs';
import { VERSIONS } from './lib/versions.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
if (REPOSITORY === null) throw new Error('package.json: wanted the address of the repository, "repository"');

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
const PAGES = ['README.md', 'docs/learn/getting-started.md'];
for (const file of PAGES) writeFileSync(file, asPublished(readFileSync(file, 'utf8')));
const models = JSON.parse(readFileSync('models/package.json', 'utf8'));
const own = { repository: { type: 'git', url: `git+${REPOSITORY}.git`, directory: 'models' } }; // npm compares it with where it was built
writeFileSync('models/package.json', `${JSON.stringify({ ...models, ...own }, null, 2)}\n`);
execFileSync('git', ['add', 'CHANGELOG.md', 'models/package.json', ...PAGES, ...Object.keys(VERSIONS)]);
