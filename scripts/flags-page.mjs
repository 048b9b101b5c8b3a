// Makes the page of the site with the flags of each program, as --help prints them: a part of `npm run docs:api`, after `npm run build`.

import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The programs whose command lines are stated anywhere, by their paths. */
async function programs() {
  const folders = await Promise.all(
    ['examples', 'research', 'kit'].map(async (folder) =>
      (await readdir(join(root, folder), { recursive: true })).map((name) => join(root, folder, name)),
    ),
  );
  const files = folders.flat().filter((name) => name.endsWith('.mjs') && !name.includes('node_modules'));
  const sources = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const found = sources.flatMap((source) => [...source.matchAll(/\bcommand\(\s*'([\w/-]+\.mjs)'/g)]);
  return found.map(([, path]) => path).sort();
}

/** What a program prints for --help, and what each command of it does. */
async function helpOf(...program) {
  const { stdout } = await promisify(execFile)(process.execPath, [...program, '--help'], { cwd: root });
  const commands = [...stdout.matchAll(/^ {2}([\w-]+) \[options\]/gm)].map(([, name]) => name);
  const helps = [stdout.trim()];
  for (const name of commands) helps.push(await helpOf(...program, name));
  return helps.join('\n\n');
}

const sections = [];
for (const path of await programs()) {
  const name = path.replace(/^examples\//, '');
  sections.push(`## ${name}\n\n\`\`\`text\n${await helpOf(path)}\n\`\`\`\n`);
}
const intro = `# Flags of the programs

The programs of [examples](../../../examples/README.md) and research, as each prints it for \`--help\`.
`;
await writeFile(join(root, 'docs/reference/api/programs.md'), [intro, ...sections].join('\n'));
