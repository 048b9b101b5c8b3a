import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import modelsJson from '../../models/package.json';
import packageJson from '../../package.json';
import { addressOf, asPublished, REPOSITORY } from '../../scripts/lib/repository.mjs';
import { VERSIONS } from '../../scripts/lib/versions.mjs';
import { filesBelow } from '../support/docs/files-below';
import { root } from '../support/node/root';

describe('data', () => {
  const DATA = /\.(u8|br|bin|f32|pixelcnn|png|svg|jsonl)$|^tests\/golden\/.*\.json$/;
  let files: string[];
  beforeAll(async () => {
    const names = await filesBelow('demo', 'docs', 'examples', 'kit', 'models', 'research', 'tests/golden');
    files = names.filter((file) => DATA.test(file) && !/node_modules|^docs\/(public|\.vitepress)\//.test(file)); // those are made
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
    const folders = ['demo', 'docs/images', 'docs/results/runs', 'models', 'kit/data/sets', 'tests/golden'];
    expect([...new Set(notices.values())].sort()).toEqual(folders.map((folder) => `${folder}/README.md`).sort());
    for (const notice of new Set(notices.values())) {
      expect(await readFile(join(root, notice as string), 'utf8'), notice).toMatch(/licen[cs]e|CC BY 4\.0/i);
    }
  });

  it('is not in what npm packs', async () => {
    expect(packageJson.files).toEqual(['dist']);
  });
});

describe('before the repository has an address', () => {
  const LEAK =
    /OWNER\b|npm (?:install|i) (?:-\S+ )*pixelcnn|(?:github\.com\/(?!NAME)[\w-]+|jsdelivr\.net\/npm|unpkg\.com)\/pixelcnn-(?:layers|models)/;
  const ADDRESS = 'https://github.com/someone/pixelcnn-layers';
  const pages = async () => {
    const files = (await filesBelow('demo', 'docs', 'examples', 'kit', 'models', 'research')).filter(
      (name) => /\.(md|html)$/.test(name) && !/node_modules|^docs\/(public|reference\/api|\.vitepress)/.test(name),
    );
    return Promise.all(
      ['README.md', 'CONTRIBUTING.md', ...files].map(async (file) => ({ file, text: await readFile(join(root, file), 'utf8') })),
    );
  };

  it('nothing leads there, or to a package that is not on npm; its field turns all of it on', async () => {
    expect([REPOSITORY, 'homepage' in packageJson, 'bugs' in packageJson, 'repository' in modelsJson]).toEqual([null, false, false, false]);
    const all = await pages();
    expect(all.length).toBeGreaterThan(50);
    expect(
      all
        .filter(({ text }) => LEAK.test(asPublished(text, null)) || asPublished(text, null).includes('%REPOSITORY%'))
        .map(({ file }) => file),
    ).toEqual([]);
    const on = all.filter(({ text }) => LEAK.test(asPublished(text, ADDRESS))).map(({ file }) => file);
    expect(on).toEqual(['README.md', 'demo/index.html', 'docs/learn/getting-started.md']);
  });

  it.each([['github:someone/pixelcnn-layers'], [ADDRESS], [{ type: 'git', url: `git+${ADDRESS}.git` }]])('its field may be %j', (field) => {
    expect(addressOf(field)).toBe(ADDRESS);
  });
});

it('is cited as the version that it is', async () => {
  const citation = await readFile(join(root, 'CITATION.cff'), 'utf8');
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(citation)?.[1];
  const { name, version, license } = packageJson;
  expect([field('title'), field('version'), field('license')]).toEqual([name, version, license]);
  const [, holder] = /Copyright \(c\) \d+ (.*)/.exec(await readFile(join(root, 'LICENSE'), 'utf8')) ?? [];
  expect(citation).toContain(`authors:\n  - name: ${holder}\n`);
  const entry = /^@software\{.*?^\}$/ms.exec(await readFile(join(root, 'README.md'), 'utf8'))?.[0];
  expect(entry).toContain(`author  = {{${holder}}}`);
  expect(entry).toContain(`title   = {${name}}`);
  expect(entry).toContain(`version = {${version}}`);
  expect(entry).toContain(`license = {${license}}`);
});

describe('the version of package.json', () => {
  const { version } = packageJson;

  it.each(Object.entries(VERSIONS))('is that of %s', async (file, pattern) => {
    const stated = [...(await readFile(join(root, file), 'utf8')).matchAll(pattern)].map(([, found]) => found);
    expect(stated).toEqual([version]); // npm run version writes it there
  });

  it('is that of the lockfile', async () => {
    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    expect([lock.version, lock.packages[''].version]).toEqual([version, version]);
  });

  it('has a heading in CHANGELOG, above which nothing is released', async () => {
    const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
    const headings = [...changelog.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading as string);
    const place = headings.findIndex((heading) => heading.startsWith(`${version} (`));
    expect(place).toBeGreaterThanOrEqual(0);
    expect(headings.slice(0, place).filter((heading) => !heading.endsWith(' (unreleased)'))).toEqual([]);
  });

  it('is the only one that pages name', async () => {
    const below = await filesBelow('demo', 'docs', 'examples', 'kit', 'research', '.github', 'scripts');
    const isText = (file: string) => /\.(md|mjs|yml|html|cff)$/.test(file) && !/node_modules|reference.api/.test(file);
    const files = ['README.md', 'CONTRIBUTING.md', 'CITATION.cff', ...below.filter(isText)];
    const others: string[] = [];
    for (const file of files) {
      const text = await readFile(join(root, file), 'utf8');
      for (const [name, found] of text.matchAll(/\bpixelcnn-layers[-@ ]v?(\d+\.\d+\.\d+)/g))
        if (found !== version) others.push(`${file}: ${name}`);
    }
    expect(others).toEqual([]);
  });
});
