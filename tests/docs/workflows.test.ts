import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../package.json';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, '.github/workflows');

interface Job {
  'runs-on'?: string;
  needs?: string;
  steps: { run?: string; uses?: string }[];
  strategy?: { matrix: { include: { project: string; needs?: string; setup?: string }[] } };
}
interface Workflow {
  on: Record<string, unknown>;
  jobs: Record<string, Job>;
}

const names = (await readdir(folder)).sort();
const read = async (name: string): Promise<Workflow> => parse(await readFile(join(folder, name), 'utf8'));

/** All commands of a workflow. */
const commandsOf = ({ jobs }: Workflow) =>
  Object.values(jobs).flatMap(({ steps, strategy }) => [
    ...steps.flatMap(({ run }) => run ?? []),
    ...(strategy?.matrix.include.flatMap(({ setup }) => setup ?? []) ?? []),
  ]);

it('are two', () => expect(names).toEqual(['release.yml', 'test.yml']));

describe.each(names)('%s', (name) => {
  it('has jobs that do something, somewhere', async () => {
    for (const job of Object.values((await read(name)).jobs)) {
      expect(job['runs-on']).toBe('ubuntu-latest');
      expect(job.steps.every(({ run, uses }) => (run === undefined) !== (uses === undefined))).toBe(true);
    }
  });

  it('runs scripts that package.json has, after npm ci', async () => {
    const workflow = await read(name);
    const scripts = commandsOf(workflow).flatMap((command) =>
      [...command.matchAll(/npm (?:run ([\w:-]+)|(test))\b/g)].map(([, run, test]) => run ?? test),
    );
    expect(scripts.length).toBeGreaterThan(2);
    expect(scripts.filter((script) => !((script as string) in packageJson.scripts))).toEqual([]);
    for (const { steps } of Object.values(workflow.jobs)) {
      const npm = steps.flatMap(({ run }) => (/\bnp[mx] /.test(run ?? '') ? [run as string] : []));
      expect(npm.find((run) => !run.startsWith('apt-get'))).toBe('npm ci');
    }
  });
});

it('test every project of the tier everywhere, with the packages of .ci/run and no others', async () => {
  const config = await readFile(join(root, 'vitest.everywhere.config.ts'), 'utf8');
  const projects = [...config.matchAll(/\bname: '([\w-]+)'/g)].map(([, name]) => name);
  const parts = (await read('test.yml')).jobs['everywhere']?.strategy?.matrix.include ?? [];
  expect(parts.map(({ project }) => project).sort()).toEqual(projects.sort());
  const [, needs = ''] = /^needs=\((.*)\)$/m.exec(await readFile(join(root, '.ci/run'), 'utf8')) ?? [];
  const installed = new Set(parts.flatMap((part) => part.needs?.split(' ') ?? []));
  expect([...installed].sort()).toEqual(needs.split(' ').sort());
});

it('publish the version of the tag, the tarball that was checked, and then the site', async () => {
  const { on, jobs } = await read('release.yml');
  expect(on).toEqual({ push: { tags: ['v*'] } });
  const commands = jobs['package']?.steps.flatMap(({ run }) => run ?? []) ?? [];
  const order = ['GITHUB_REF_NAME', 'npm ci', 'npm test', 'npm pack', 'check:package -- pixelcnn-layers-', 'npm publish pixelcnn-layers-'];
  expect(order.map((part) => commands.findIndex((command) => command.includes(part)))).toEqual([0, 1, 2, 3, 4, 5]);
  expect(commands.at(-1)).toMatch(/--provenance --access public$/);
  expect(jobs['site']?.needs).toBe('package');
});
