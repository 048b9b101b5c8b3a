import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockRun } from '../../kit/runs/run-lock.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';

const LIBRARY = new URL('../../kit/runs/run-lock.mjs', import.meta.url).href;

const directory = temporaryFolder();

/** A process that runs a program which may use `lockRun` and `out`. */
function runProgram(out: string, program: string): ChildProcess {
  const source = `import { lockRun } from '${LIBRARY}'; const out = ${JSON.stringify(out)}; ${program}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['pipe', 'pipe', 'ignore'] });
}

/** A process that holds a directory. */
async function holderOf(out: string): Promise<ChildProcess> {
  const child = runProgram(out, 'lockRun(out); console.log("locked"); setInterval(() => {}, 1000);');
  await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  return child;
}

it('refuses a directory that another process holds, by its number and since when', async () => {
  const out = join(directory, 'held');
  await mkdir(out);
  await writeFile(join(out, 'run.lock'), '{"pid":1,"host":"of one that was killed","since":"long ago"}');
  const before = new Date().toISOString();
  const child = await holderOf(out);
  const after = new Date().toISOString();
  const refusal = () => {
    try {
      lockRun(out);
      return null;
    } catch (error) {
      return (error as Error).message.split(' since ');
    }
  };
  const [said, since = ''] = refusal() ?? [];
  expect(said).toBe(`--out: ${out} is in use: process ${child.pid} has been writing there`);
  expect(since >= before && since <= after).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(await readFile(join(out, 'run.lock'), 'utf8')).toContain(`"pid":${child.pid}`); // left by the kill
  lockRun(out)(); // and taken over
});

it('goes by the lock, not by what a file says that was left', async () => {
  const out = join(directory, 'left');
  await mkdir(out);
  const left = JSON.stringify({ pid: process.ppid, host: hostname(), since: new Date() }); // runs, but is another
  for (const text of [left, '', '{"pid"']) {
    await writeFile(join(out, 'run.lock'), text);
    lockRun(out)();
  }
  expect(await readdir(out)).toEqual([]);
});

it('is given back at the end, also by a program that fails', async () => {
  const out = join(directory, 'failed');
  await mkdir(out);
  for (const end of ['', 'process.exit(1)', 'throw new Error()']) {
    const child = runProgram(out, `lockRun(out); ${end}`);
    await once(child, 'close');
    expect(await readdir(out)).toEqual([]);
  }
});

it('leaves no directory that it made and nobody used', async () => {
  const deep = join(directory, 'runs', 'digits');
  lockRun(deep)();
  expect(existsSync(join(directory, 'runs'))).toBe(false);
  const release = lockRun(deep);
  await writeFile(join(deep, '..', 'kept'), '');
  release();
  expect(await readdir(join(directory, 'runs'))).toEqual(['kept']);
});

it('is held by one process at a time, however many try', async () => {
  const out = join(directory, 'contended');
  await mkdir(out);
  const program = `
    import { closeSync, openSync, rmSync } from 'node:fs';
    console.log('ready');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    for (let held = 0; held < 300; ) {
      let release;
      try {
        release = lockRun(out);
      } catch (error) {
        if (!error.message.includes(' is in use')) throw error;
        continue;
      }
      closeSync(openSync(out + '/held', 'wx')); // throws where another holds it too
      rmSync(out + '/held');
      release();
      held += 1;
    }
    process.stdin.destroy();`;
  const children = [1, 2, 3].map(() => runProgram(out, program));
  const codes = Promise.all(children.map((child) => once(child, 'close')));
  await Promise.all(children.map(({ stdout }) => once(stdout as NonNullable<typeof stdout>, 'data')));
  for (const { stdin } of children) stdin?.end('go\n');
  expect((await codes).map(([code]) => code)).toEqual([0, 0, 0]);
  expect(await readdir(out)).toEqual([]);
});
