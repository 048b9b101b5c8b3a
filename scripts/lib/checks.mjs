import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a check and reports that it passed, or throws an error with its name. */
export async function check(what, work) {
  try {
    await work();
  } catch (error) {
    throw new Error(`not ok  ${what}\n${error.message}`);
  }
  console.log(`ok  ${what}`);
}

const TIMEOUT = 600_000; // milliseconds: a program whose workers do not end would hang

/** npm and npx are scripts on Windows, which only a shell starts there. */
export const isForShell = (command) => process.platform === 'win32' && ['npm', 'npx'].includes(command);

/**
 * Returns the output of a command. Throws with all of the output if the command fails, or does not end in ten minutes.
 */
export async function run(command, args, cwd) {
  try {
    const shell = isForShell(command);
    const { stdout } = await promisify(execFile)(command, shell ? args.map((arg) => `"${arg}"`) : args, {
      cwd,
      shell,
      timeout: TIMEOUT,
      maxBuffer: 2 ** 26,
    });
    return stdout;
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.message}\n${error.stdout ?? ''}`);
  }
}
