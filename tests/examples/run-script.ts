import { type ChildProcess, fork, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';
import { PATIENCE } from '../support/patience.mjs';

/** Flags for Node with which an example in a process of its own says at its end, on stderr, how many tensors it has left. */
export const COUNT_TENSORS = ['--import', new URL('report-tensors.mjs', import.meta.url).href];

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A program of `examples`, or of `research` or `demo` by its path from the repository's root. */
const addressOf = (name: string) => new URL(`../../${/^(research|demo)\//.test(name) ? '' : 'examples/'}${name}`, import.meta.url);

/** Starts an example in a process of its own, for what is to be stopped, or runs beside others. */
export function startScript(name: string, flags: string[], nodeFlags: string[] = []): { program: ChildProcess; ended: Promise<Ended> } {
  const script = fileURLToPath(addressOf(name));
  const program = spawn(process.execPath, [...nodeFlags, script, ...flags]);
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) program[stream].on('data', (text) => (output[stream] += text));
  const ended = new Promise<Ended>((resolve) => {
    program.once('close', (code) => resolve({ code, ...output }));
  });
  return { program, ended };
}

/** Stops a started example once it is time; what it printed. */
export async function stopped(
  { program, ended }: ReturnType<typeof startScript>,
  isTime: () => boolean,
  signal: 'SIGKILL' | 'SIGINT' = 'SIGKILL',
): Promise<Ended> {
  await vi.waitUntil(() => isTime() || program.exitCode !== null, { timeout: PATIENCE, interval: 2 });
  if (program.exitCode !== null) throw new Error(`It has ended: ${(await ended).stderr}`);
  program.kill(signal);
  return ended;
}

/** The process in which the examples of a file of tests run in turn: most of the time of a short one is that of loading tfjs. */
let runner: ChildProcess | undefined;
afterAll(() => runner?.disconnect());

/** Those who wait for the runner, in turn. */
const waiting: { resolve(ended: EndedInTurn): void; reject(error: Error): void }[] = [];

/** What became of an example that ran in turn, and how many tensors it has left. */
export interface EndedInTurn extends Ended {
  tensorsLeft: number;
}

function startRunner(): ChildProcess {
  const started = fork(fileURLToPath(new URL('run-in-turn.mjs', import.meta.url)), { stdio: 'inherit' });
  started.on('message', (ended: EndedInTurn) => waiting.shift()?.resolve(ended));
  started.on('exit', (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`the examples have ended, code ${code}`));
    runner = undefined;
  });
  return started;
}

/** Runs an example to its end, in the root of the repository where no other directory is given. */
export function runScript(name: string, flags: readonly string[], cwd?: string): Promise<EndedInTurn> {
  runner ??= startRunner();
  runner.send({ name: addressOf(name).href, flags, cwd });
  return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
}

/** Those that dispose of all their tensors; others leave some to the end of their process. */
const TIDY = ['evaluate.mjs', 'research/out-of-distribution.mjs', 'sample.mjs'];

/** Runs an example, which must end well, and say nothing on stderr but how far it is. */
export async function runWell(name: string, flags: readonly string[], cwd?: string): Promise<EndedInTurn> {
  const ended = await runScript(name, flags, cwd);
  const stderr = ended.stderr.replace(/^.*%.*\n/gm, '');
  expect({ code: ended.code, stderr }).toEqual({ code: 0, stderr: '' });
  if (TIDY.includes(name)) expect(ended.tensorsLeft).toBe(0);
  return ended;
}

/** The cells of the row with this title in a table that an example has printed. */
export const cellsOf = (stdout: string, title: string): string[] | undefined =>
  new RegExp(`^${title} +(\\S.*)$`, 'm').exec(stdout)?.[1]?.split(/ {2,}/);

/** What a user's mistake is answered with, and an example with flags that make it. */
export type Refusal = readonly [answer: string, example: readonly string[]];

/**
 * Tests of mistakes: each is answered by one line on stderr, and nothing else.
 *
 * @param places paths that are known only once the tests run, by the names that stand for them in flags and answers
 */
export function itRefuses(refusals: readonly Refusal[], places: () => Record<string, string> = () => ({})) {
  const fill = (text: string) => text.replace(/[A-Z]{3,}/g, (name) => places()[name] ?? name);
  const cases = refusals.map(([answer, example]) => [example.join(' '), answer, example] as const);
  it.each(cases)('%s: %s', async (_, answer, [name = '', ...flags]) => {
    const { code, stdout, stderr } = await runScript(name, flags.map(fill));
    expect(stderr).toContain(fill(answer));
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
}
