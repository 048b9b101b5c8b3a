import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('data', () => {
  const DATA = /\.(u8|br|bin|f32|pixelcnn|png|svg|jsonl)$|^tests\/golden\/.*\.json$/;
  let files: string[];
  beforeAll(async () => {
    const folders = ['docs', 'examples', 'tests/golden'];
    const names = folders.map(async (folder) =>
      (await readdir(join(root, folder), { recursive: true })).map((name) =>
        join(folder, name).replaceAll('\\', '/'),
      ),
    );
    files = (await Promise.all(names))
      .flat()
      .filter((file) => DATA.test(file) && !file.includes('node_modules'));
  });

  /** The README beside a file, or of a folder around it that is about data. */
  const noticeOf = (file: string): string | undefined => {
    const folders = file.split('/').slice(0, -1);
    const around = folders.map((_, i) => [...folders.slice(0, folders.length - i), 'README.md'].join('/'));
    return around.find((readme) => existsSync(join(root, readme)));
  };

  it('has its license beside it', async () => {
    expect(files.length).toBeGreaterThan(50);
    const notices = new Map(files.map((file) => [file, noticeOf(file)]));
    expect([...new Set(notices.values())].sort()).toEqual([
      'docs/images/README.md',
      'docs/results/runs/README.md',
      'examples/data/README.md',
      'examples/models/README.md',
      'examples/models/digits-conditional/README.md',
      'examples/models/digits/README.md',
      'examples/models/emoji/README.md',
      'tests/golden/README.md',
    ]);
    for (const notice of new Set(notices.values())) {
      expect(await readFile(join(root, notice as string), 'utf8'), notice).toMatch(/licen[cs]e|CC BY 4\.0/i);
    }
  });

  it('is not in what npm packs', async () => {
    expect(packageJson.files).toEqual(['dist', 'CHANGELOG.md']);
  });
});

it('names one repository', () => {
  const { repository, homepage, bugs } = packageJson;
  const address = /^git\+(https:\/\/github\.com\/[\w-]+\/pixelcnn-layers)\.git$/.exec(repository.url)?.[1];
  expect([homepage, bugs]).toEqual([`${address}#readme`, `${address}/issues`]);
});

it('is cited as the version that it is', async () => {
  const citation = await readFile(join(root, 'CITATION.cff'), 'utf8');
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(citation)?.[1];
  const { name, version, license } = packageJson;
  expect([field('title'), field('version'), field('license')]).toEqual([name, version, license]);
  const [, holder] = /Copyright \(c\) \d+ (.*)/.exec(await readFile(join(root, 'LICENSE'), 'utf8')) ?? [];
  expect(citation).toContain(`authors:\n  - name: ${holder}\n`);

  for (const page of ['README.md', 'docs/reference/papers.md']) {
    const entry = /^@software\{.*?^\}$/ms.exec(await readFile(join(root, page), 'utf8'))?.[0];
    expect(entry, page).toContain(`author  = {{${holder}}}`);
    expect(entry, page).toContain(`title   = {${name}}`);
    expect(entry, page).toContain(`version = {${version}}`);
    expect(entry, page).toContain(`license = {${license}}`);
  }
});
