import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../package.json';

const root = fileURLToPath(new URL('..', import.meta.url));

/** All that is in round brackets behind square ones, but in blocks of code: whether it is a picture, and where it leads. */
const linksOf = (text: string) =>
  [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/(!\[[^\]]*)?\]\(([^)\s]+)\)/g)].map(
    ([, image, target = '']) => ({ isImage: image !== undefined, target }),
  );
const isRelative = ({ target }: { target: string }) => !/^[a-z]+:|^#/.test(target);

const run = (cwd: string, command: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
};

describe('what npm packs', () => {
  let folder: string;
  let readme: string;
  let packed: string;

  /** A copy, as of another repository and version, so that no other test sees README while it is packed. */
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'published-'));
    for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'scripts']) {
      await cp(join(root, file), join(folder, file), { recursive: true });
    }
    const repository = { type: 'git', url: 'git+https://github.com/someone/elsewhere.git' };
    const manifest = { ...packageJson, version: '9.8.7', repository };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    readme = await readFile(join(folder, 'README.md'), 'utf8');
    const { status, stderr } = run(folder, 'npm', 'pack', '--silent');
    expect(status, stderr).toBe(0);
    packed = run(folder, 'tar', '-xzOf', 'pixelcnn-layers-9.8.7.tgz', 'package/README.md').stdout;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has a README whose pictures and links work anywhere: those of this version, in its repository', () => {
    const relative = linksOf(readme).filter(isRelative);
    expect(relative.filter(({ isImage }) => isImage).length).toBeGreaterThan(5);
    const wanted = linksOf(readme).map((link) => {
      const kind = link.isImage ? 'raw' : 'blob';
      const target = `https://github.com/someone/elsewhere/${kind}/v9.8.7/${link.target}`;
      return isRelative(link) ? { ...link, target } : link;
    });
    expect(linksOf(packed)).toEqual(wanted);
    expect(relative.filter(({ target }) => !existsSync(join(root, target.split('#')[0] as string)))).toEqual(
      [],
    );
  });

  it('has nothing else changed, and the README of the repository as it was', async () => {
    expect(packed.replaceAll(/https:\/\/github\.com\/someone\/elsewhere\/(raw|blob)\/v9\.8\.7\//g, '')).toBe(readme); // biome-ignore format: one line
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe(readme);
  });

  it('prints the notes of a release from CHANGELOG, of its own version only', async () => {
    const changes =
      '# Changelog\n\n## 10.0.0\n\n- Other.\n\n## 9.8.7\n\n- One.\n- Two.\n\n## 9.8.6\n\n- Older.\n';
    await writeFile(join(folder, 'CHANGELOG.md'), changes);
    expect(run(folder, 'node', 'scripts/release-notes.mjs').stdout).toBe('- One.\n- Two.\n');
    await writeFile(join(folder, 'CHANGELOG.md'), changes.replace('## 9.8.7', '## 9.8.7 (unreleased)'));
    expect(run(folder, 'node', 'scripts/release-notes.mjs').stderr).toContain('no section "## 9.8.7"');
  });
});

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
      'docs/results/README.md',
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

  for (const page of ['README.md', 'docs/references.md']) {
    const entry = /^@software\{.*?^\}$/ms.exec(await readFile(join(root, page), 'utf8'))?.[0];
    expect(entry, page).toContain(`author  = {{${holder}}}`);
    expect(entry, page).toContain(`title   = {${name}}`);
    expect(entry, page).toContain(`version = {${version}}`);
    expect(entry, page).toContain(`license = {${license}}`);
  }
});
