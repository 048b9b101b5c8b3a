import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../examples/train.mjs', import.meta.url));
const SMALL = '--data digits --blocks 1 --hidden 4 --out-dim 4 --first-kernel 3 --batch 4 --eval-images 20 --samples 2 --average 0.9 --clip 1'; // biome-ignore format: one line

interface Line {
  step: number;
  bits?: number;
  testBits?: number;
}

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'train-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const start = (args: string) => spawn(process.execPath, [SCRIPT, ...args.split(' ').filter(Boolean)]);

/** Runs to the end; what it printed. */
async function ended(program: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = '';
  for (const stream of [program.stdout, program.stderr]) stream?.on('data', (text) => (output += text));
  const code = await new Promise<number | null>((resolve) => program.once('close', resolve));
  return { code, output };
}

const run = (args: string) => ended(start(args));

async function metrics(out: string): Promise<Line[]> {
  const text = await readFile(join(out, 'metrics.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const losses = async (out: string) =>
  (await metrics(out)).filter(({ bits }) => bits !== undefined).map(({ step, bits }) => `${step} ${bits}`);
const testFigures = async (out: string) =>
  (await metrics(out))
    .filter(({ testBits }) => testBits !== undefined)
    .map(({ step, testBits }) => `${step} ${testBits}`);

/** Waits until a run has finished a checkpoint of a step. */
async function checkpointOf(out: string, step: number): Promise<void> {
  const pointer = join(out, 'checkpoints/latest.json');
  for (;;) {
    if (existsSync(pointer) && readFileSync(pointer, 'utf8').includes(`step-${step}"`)) return;
    await setTimeout(5);
  }
}

describe('train.mjs', () => {
  it('gives the same losses when stopped by Ctrl-C and resumed, bit for bit', async () => {
    const [straight, broken] = [join(directory, 'straight'), join(directory, 'broken')];
    const whole = await run(`${SMALL} --steps 200 --every 40 --out ${straight}`);
    expect(whole.output).toContain('test bits/dim:');
    expect(whole.code).toBe(0);

    const program = start(`${SMALL} --steps 200 --every 40 --out ${broken}`);
    const end = ended(program);
    await checkpointOf(broken, 80);
    program.kill('SIGINT');
    const { code, output } = await end;
    expect(output).toMatch(/stopped after step \d+; --resume/);
    expect(code).toBe(0);
    const before = await losses(broken);
    expect(before.length).toBeLessThan(200);

    const resumed = await run(`--resume --out ${broken}`);
    expect(resumed.output).toContain(`goes on after step ${before.length}`);
    expect(await losses(broken)).toEqual(await losses(straight));
    expect(await testFigures(broken)).toEqual(await testFigures(straight));
  });

  it('leaves a run that goes on when killed at any moment', async () => {
    const [straight, killed] = [join(directory, 'straight'), join(directory, 'killed')];
    const options = `${SMALL} --steps 200 --every 40 --out ${killed}`;
    for (const [i, step] of [40, 80, 120].entries()) {
      const program = start(i === 0 ? options : `--resume --out ${killed}`);
      const end = ended(program);
      await checkpointOf(killed, step);
      await setTimeout(7 * i); // at another moment each time
      program.kill('SIGKILL');
      await end;
    }
    const { code } = await run(`--resume --out ${killed}`);
    expect(code).toBe(0);
    expect(await losses(killed)).toEqual(await losses(straight));
    expect(await testFigures(killed)).toEqual(await testFigures(straight));
  });

  it('writes what a run is seen by', async () => {
    const out = join(directory, 'straight');
    const files = await readdir(out);
    for (const file of [
      'run.json',
      'metrics.jsonl',
      'curve.svg',
      'samples-40.png',
      'samples-200.png',
      'events',
    ]) {
      expect(files).toContain(file);
    }
    expect(await readFile(join(out, 'curve.svg'), 'utf8')).toContain('histogram');
    const [events] = await readdir(join(out, 'events'));
    expect(statSync(join(out, 'events', events as string)).size).toBeGreaterThan(5000);
    const { checkpoint } = JSON.parse(await readFile(join(out, 'checkpoints/best.json'), 'utf8'));
    expect((await readdir(join(out, 'checkpoints', checkpoint))).sort()).toEqual(['average', 'model', 'state.json']); // biome-ignore format: one line
  });

  it('stops at a loss that is not a number, with the last good checkpoint untouched', async () => {
    const out = join(directory, 'broken-loss');
    const options = SMALL.replace(' --clip 1', '').replace(' --average 0.9', '');
    const { code, output } = await run(`${options} --steps 50 --every 1 --learning-rate 1e38 --out ${out}`);
    expect(output).toMatch(/step \d+: .*not finite|step \d+: the loss is (NaN|Infinity)/);
    expect(code).toBe(1);
    const [, failed, good] = /step (\d+): .* of step (\d+)/.exec(output) as RegExpExecArray;
    expect(Number(good)).toBeLessThan(Number(failed));
    const pointer = join(out, 'checkpoints/latest.json');
    expect(existsSync(pointer) ? readFileSync(pointer, 'utf8') : 'step-0').toContain(`step-${good}`);
  });

  it('refuses what it cannot do, in a line', async () => {
    const used = join(directory, 'straight');
    const cases = [
      ['', '--data: wanted one of digits'],
      ['--data digits --kernel 4', "--kernel: wanted an odd number, got '4'"],
      ['--data cifar', '--data: wanted'],
      [`--data digits --out ${used}`, 'holds a run; --resume goes on with it'],
      ['--resume --out nowhere', '--resume: there is no run in nowhere'],
      [`--resume --out ${used} --batch 3`, '--batch: a resumed run keeps its own'],
      ['--data mnist', '--path'],
    ];
    for (const [args, message] of cases as [string, string][]) {
      const { code, output } = await run(args);
      expect(output).toContain(message);
      expect(output.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(1);
    }
  });
});
