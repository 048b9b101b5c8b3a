import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a program of tests/bench/lib prints, as JSON, in a process of its own, so that its memory can be told. */
export function outputOf(name, ...args) {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args.map(String)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const STATUS = '/proc/self/status'; // of Linux, where maxRSS counts the process that began this one as well

/** The most memory that this process has taken, in bytes. */
export const peakBytes = () =>
  1024 * (existsSync(STATUS) ? readFileSync(STATUS, 'utf8').match(/VmHWM:\s+(\d+)/)[1] : process.resourceUsage().maxRSS);
