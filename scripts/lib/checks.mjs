import { spawnSync } from 'node:child_process';

/** Says that something is as it should be, or throws by its name. */
export function check(what, work) {
  try {
    work();
  } catch (error) {
    throw new Error(`not ok  ${what}\n${error.message}`);
  }
  console.log(`ok  ${what}`);
}

const TIMEOUT = 600_000; // milliseconds: a program whose workers do not end would hang

/** The output of a command; throws with all of it where the command fails, or does not end in ten minutes. */
export function run(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: TIMEOUT,
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}\n${error ?? ''}\n${stdout ?? ''}${stderr ?? ''}`);
  return stdout;
}
