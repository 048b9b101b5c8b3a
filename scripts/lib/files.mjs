// Whether what programs share writes and locks files as it should where Vitest does not run: check-package.mjs runs it by Wine,
// with whose Node processes share no pipes.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { writeWhole } from '../../kit/runs/files.mjs';
import { lockRun } from '../../kit/runs/run-lock.mjs';

/** What other processes do, in a directory. */
const OTHERS = { openFile, lock, lockOften };

const [, program, name, directory] = process.argv;
if (name === undefined) await main(mkdtempSync(join(tmpdir(), 'files-')));
else await OTHERS[name](directory);

async function main(directory) {
  const start = (name) => {
    const other = spawn(process.execPath, [program, name, directory], { stdio: 'inherit' });
    return { other, ended: once(other, 'exit') };
  };
  const file = join(directory, 'file');
  await writeWhole(file, 'old');
  const { ended } = start('openFile');
  await becomesReady(directory);
  await writeWhole(file, 'new'); // where Windows refuses this at first
  assert.equal(readFileSync(file, 'utf8'), 'new');
  await ended;
  rmSync(file);

  const holder = start('lock');
  await becomesReady(directory);
  assert.throws(() => lockRun(directory), {
    message: new RegExp(`in use: process ${holder.other.pid} has been`),
  });
  holder.other.kill('SIGKILL');
  await holder.ended;
  lockRun(directory)();

  const ends = ['lockOften', 'lockOften', 'lockOften'].map((name) => start(name).ended);
  assert.deepEqual(
    (await Promise.all(ends)).map(([code]) => code),
    [0, 0, 0],
  );
  assert.deepEqual(readdirSync(directory), []);
  rmSync(directory, { recursive: true });
}

async function becomesReady(directory) {
  const ready = join(directory, 'ready');
  for (const end = Date.now() + 60_000; !existsSync(ready); await setTimeout(5))
    assert(Date.now() < end, 'a process has not begun');
  rmSync(ready);
}

function sayReady(directory) {
  closeSync(openSync(join(directory, 'ready'), 'w'));
}

async function openFile(directory) {
  const file = openSync(join(directory, 'file'));
  sayReady(directory);
  await setTimeout(300);
  closeSync(file);
}

async function lock(directory) {
  lockRun(directory);
  sayReady(directory);
  await setTimeout(60_000);
}

function lockOften(directory) {
  for (let held = 0; held < 30; ) {
    let release;
    try {
      release = lockRun(directory);
    } catch (error) {
      if (!error.message.includes(' is in use')) throw error;
      continue;
    }
    const alone = join(directory, 'alone');
    closeSync(openSync(alone, 'wx')); // throws where another holds it too
    rmSync(alone);
    release();
    held += 1;
  }
}
