import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json';
import { isForShell } from '../../scripts/lib/checks.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** All that is in round brackets behind square ones, and sources of pictures, but in blocks of code: whether it is a picture, and where it leads. */
const linksOf = (text: string) =>
  [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/(!\[[^\]]*)?\]\(([^)\s]+)\)|src(?:set)?="([^"]+)"/g)].map(
    ([, image, link, source]) => ({ isImage: (image ?? source) !== undefined, target: link ?? source ?? '' }),
  );
const isRelative = ({ target }: { target: string }) => !/^[a-z]+:|^#/.test(target);

const run = (cwd: string, command: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', shell: isForShell(command) });
  return { status, stdout, stderr };
};

describe('what npm packs', () => {
  const folder = temporaryFolder();
  let readme: string;
  let packed: string;

  /** A copy without a build, as of another repository and version, so that no other test sees README while it is packed. */
  beforeAll(async () => {
    for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'scripts']) {
      await cp(join(root, file), join(folder, file), { recursive: true });
    }
    const repository = { type: 'git', url: 'git+https://github.com/someone/elsewhere.git' };
    const scripts = { ...packageJson.scripts, build: 'node --version' };
    const manifest = { ...packageJson, version: '9.8.7', repository, scripts };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    readme = await readFile(join(folder, 'README.md'), 'utf8');
    const { status, stderr } = run(folder, 'npm', 'pack', '--silent');
    expect(status, stderr).toBe(0);
    packed = run(folder, 'tar', '-xzOf', 'pixelcnn-layers-9.8.7.tgz', 'package/README.md').stdout;
  });

  it('has a README whose pictures and links work anywhere, at this version in its repository', () => {
    const relative = linksOf(readme).filter(isRelative);
    expect(relative.filter(({ isImage }) => isImage).length).toBeGreaterThan(2);
    const wanted = linksOf(readme).map((link) => {
      const kind = link.isImage ? 'raw' : 'blob';
      const target = `https://github.com/someone/elsewhere/${kind}/v9.8.7/${link.target}`;
      return isRelative(link) ? { ...link, target } : link;
    });
    expect(linksOf(packed)).toEqual(wanted);
    expect(relative.filter(({ target }) => !existsSync(join(root, target.split('#')[0] as string)))).toEqual([]);
  });

  it('has nothing else changed, and the README of the repository as it was', async () => {
    expect(packed.replaceAll(/https:\/\/github\.com\/someone\/elsewhere\/(raw|blob)\/v9\.8\.7\//g, '')).toBe(readme);
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe(readme);
  });

  it('prints the notes of a release from CHANGELOG, only for its version', async () => {
    const changes = '# Changelog\n\n## 10.0.0\n\n- Other.\n\n## 9.8.7 (2026-01-02)\n\n- One.\n- Two.\n\n## 9.8.6\n\n- Older.\n';
    await writeFile(join(folder, 'CHANGELOG.md'), changes);
    expect(run(folder, 'node', 'scripts/release-notes.mjs').stdout).toBe('- One.\n- Two.\n');
    await writeFile(join(folder, 'CHANGELOG.md'), changes.replace('2026-01-02', 'unreleased'));
    expect(run(folder, 'node', 'scripts/release-notes.mjs').stderr).toContain('no section "## 9.8.7 (date)"');
  });
});
