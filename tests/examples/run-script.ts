import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';

/** Flags for Node with which an example says at its end, on stderr, how many tensors it has left. */
export const COUNT_TENSORS = ['--import', new URL('report-tensors.mjs', import.meta.url).href];

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts an example, in the root of the repository where no other directory is given. */
export function startScript(
  name: string,
  flags: string[],
  nodeFlags: string[] = [],
  cwd?: string,
): { program: ChildProcess; ended: Promise<Ended> } {
  const script = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  const program = spawn(process.execPath, [...nodeFlags, script, ...flags], { cwd });
  const output = { stdout: '', stderr: '' };
  program.stdout.on('data', (text) => {
    output.stdout += text;
  });
  program.stderr.on('data', (text) => {
    output.stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    program.once('close', (code) => resolve({ code, ...output }));
  });
  return { program, ended };
}

export const runScript = (...args: Parameters<typeof startScript>) => startScript(...args).ended;

/**
 * Runs examples that end early, each by its name and flags, in one process: most of the time of such a one is that of loading
 * tfjs.
 */
export async function runInTurn(examples: readonly (readonly string[])[]): Promise<Ended[]> {
  const script = fileURLToPath(new URL('run-in-turn.mjs', import.meta.url));
  const program = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  program.stdin.end(JSON.stringify(examples));
  return JSON.parse(await text(program.stdout));
}

/** What a user's mistake is answered with, and an example with flags that make it. */
export type Refusal = readonly [answer: string, example: readonly string[]];

/**
 * Tests of mistakes: each is answered by one line on stderr, and nothing else.
 *
 * @param places paths that are known only once the tests run, by the names that stand for them in flags and answers
 */
export function itRefuses(refusals: readonly Refusal[], places: () => Record<string, string> = () => ({})) {
  const fill = (text: string) => text.replace(/[A-Z]{3,}/g, (name) => places()[name] ?? name);
  let ended: Ended[];
  beforeAll(async () => {
    ended = await runInTurn(refusals.map(([, example]) => example.map(fill)));
  });
  const cases = refusals.map(([answer, example], i) => [example.join(' '), answer, i] as const);
  it.each(cases)('%s: %s', (_, answer, i) => {
    const { code, stdout, stderr } = ended[i] as Ended;
    expect(stderr).toContain(fill(answer));
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
}
