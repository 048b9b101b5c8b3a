import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startScript } from '../examples/run-script';
import { temporaryFolder } from '../support/node/temporary-folder';

const root = fileURLToPath(new URL('../..', import.meta.url));
const reproduce = (...flags: string[]) => startScript('../scripts/reproduce.mjs', flags);

describe('npm run reproduce', () => {
  const directory = temporaryFolder();
  const at = (name: string) => join(directory, name);

  it('lists what others published beside each run, and prints the commands of one', async () => {
    const { stdout } = await reproduce('--list').ended;
    expect(stdout).toMatch(/^\| digits-1 \| train\.mjs \| digits \| .*1\.874 bits\/dim/m);
    expect(stdout).toMatch(/^\| binarized-small-1 .*81\.30 nats \| 94\.82 nats/m);
    expect(stdout).toMatch(/^\| binarized-mnist \| Row LSTM \| exact \| 80\.54 nats/m);
    const dry = await reproduce('binarized-small-1', '--dry-run', '--path', at('data'), '--out', at('dry')).ended;
    expect(dry.stdout.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(
      expect.arrayContaining(['node examples/train.mjs', 'node examples/convert.mjs', 'node examples/evaluate.mjs']),
    );
    expect(dry.stdout).toContain(`--path ${at('data')} --out ${at('dry')}`);
  });

  it('says that a run is not finished when it is interrupted, continues it, and only it', async () => {
    const out = at('begun');
    const program = spawn(process.execPath, ['scripts/reproduce.mjs', 'digits-1', '--out', out], {
      cwd: root,
      detached: true, // a group of its own, as of a terminal, whose Ctrl-C all its processes get
    });
    let [stdout, stderr, isAsked] = ['', '', false];
    program.stdout.on('data', (text) => {
      stdout += text;
      if (isAsked || !/bits\/dim|step \d/.test(stdout)) return;
      isAsked = true;
      process.kill(-(program.pid as number), 'SIGINT');
    });
    program.stderr.on('data', (text) => {
      stderr += text;
    });
    const code = await new Promise((resolve) => program.once('close', resolve));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('not finished: the same command continues') });
    expect(stdout).toContain('stopped after step');
    expect(stdout).not.toContain('in the docs');
    const dry = await reproduce('digits-1', '--dry-run', '--out', out).ended;
    expect(dry.stdout).toContain(`node examples/train.mjs --resume --out ${out}`);
    const other = await reproduce('digits-2', '--out', out).ended;
    expect(other).toMatchObject({ code: 1, stderr: `--out: ${out} holds 'digits-1', not 'digits-2'\n` });
    expect(await readFile(join(out, 'reproduces.txt'), 'utf8')).toBe('digits-1\n');
  });

  it('ends its training where it is ended', async () => {
    const out = at('ended');
    const { program, ended } = reproduce('digits-1', '--out', out);
    await new Promise<void>((resolve) => program.stdout?.on('data', (text) => /bits\/dim|step \d/.test(text) && resolve()));
    program.kill();
    expect((await ended).code).toBe(1); // once the training no longer holds the output
    expect((await reproduce('digits-2', '--out', out).ended).stderr).toContain("holds 'digits-1'");
  });

  it.each([
    ['no name', [], 'wanted the name of one run; --list has them'],
    ['an unknown name', ['digits-9'], "there is no run 'digits-9'; --list has them"],
    ['a run that it did not begin', ['digits-1', '--out', 'FOREIGN'], 'holds a run that this program did not begin'],
    ['no directory', ['digits-1', '--out', ''], "--out: wanted a directory, got ''"],
  ])('refuses %s', async (_, flags, message) => {
    await writeFile(at('run.json'), '{}');
    const { code, stderr } = await reproduce(...flags.map((flag) => (flag === 'FOREIGN' ? directory : flag))).ended;
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});
