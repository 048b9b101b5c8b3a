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

/** The output of a command; throws with all of it where the command fails. */
export function run(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${error ?? `${stdout}${stderr}`}`);
  return stdout;
}
