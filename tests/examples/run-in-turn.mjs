// Runs examples one after the other in this process, which so loads tfjs but once: their names and flags come in on stdin, what each printed and
// its exit code go out on stdout. For examples that end early: what they leave in memory stays.

import { text } from 'node:stream/consumers';

class Exit extends Error {}

/** Runs `example` as if it were the program: its flags, its output, `process.exit`, and what is said of an error that nobody caught. */
async function run([name, ...flags], i) {
  const ended = { code: 0, stdout: '', stderr: '' };
  const write = Object.fromEntries(['stdout', 'stderr'].map((stream) => [stream, process[stream].write]));
  for (const stream of Object.keys(write)) {
    process[stream].write = (part) => {
      ended[stream] += part;
      return true;
    };
  }
  process.argv = [process.argv[0], name, ...flags];
  process.exit = (code = 0) => {
    ended.code = code;
    throw new Exit();
  };
  try {
    await import(new URL(`../../examples/${name}?${i}`, import.meta.url).href).catch((error) => {
      if (!(error instanceof Exit) && !process.emit('uncaughtException', error)) throw error;
    });
  } catch (error) {
    if (!(error instanceof Exit))
      Object.assign(ended, { code: 1, stderr: `${ended.stderr}${error.stack}\n` });
  }
  process.emit('exit', ended.code);
  for (const event of ['exit', 'uncaughtException', 'SIGINT']) process.removeAllListeners(event);
  for (const [stream, own] of Object.entries(write)) process[stream].write = own;
  return ended;
}

const { exit } = process;
const all = [];
for (const [i, example] of JSON.parse(await text(process.stdin)).entries()) all.push(await run(example, i));
process.stdout.write(JSON.stringify(all), () => exit(0)); // timers of examples may still be waiting
