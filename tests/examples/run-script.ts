import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Flags for Node with which an example says at its end, on stderr, how many tensors it has left. */
export const COUNT_TENSORS = ['--import', new URL('report-tensors.mjs', import.meta.url).href];

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts an example. */
export function startScript(
  name: string,
  flags: string[],
  nodeFlags: string[] = [],
): { program: ChildProcess; ended: Promise<Ended> } {
  const script = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  const program = spawn(process.execPath, [...nodeFlags, script, ...flags]);
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
