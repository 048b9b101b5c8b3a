// Runs examples one after the other in this process, which so loads tfjs but once. Each message is the address of one, its flags and its working
// directory; the answer is what it printed, its exit code and how many tensors it left.

import { setImmediate } from 'node:timers/promises';
import { engine } from '@tensorflow/tfjs-core';

class Exit extends Error {}

const { exit } = process;
const home = process.cwd();

/** What keeps a process from ending, by kind. */
function held() {
  const counts = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  delete counts.Immediate; // by which this is waited for
  return counts;
}

/** Waits until an example has let go of all it held: a process of its own would end only then. */
async function isOver(before) {
  while (Object.entries(held()).some(([kind, count]) => count > (before[kind] ?? 0))) await setImmediate();
}

/** Runs `example` as if it were the program: its flags, its output, `process.exit`, and what is said of an error that nobody caught. */
async function run({ name, flags, cwd }, i) {
  const ended = { code: 0, stdout: '', stderr: '' };
  const write = Object.fromEntries(['stdout', 'stderr'].map((stream) => [stream, process[stream].write]));
  for (const stream of Object.keys(write)) {
    process[stream].write = (part) => {
      ended[stream] += part;
      return true;
    };
  }
  process.chdir(cwd ?? home);
  process.argv = [process.argv[0], name, ...flags];
  process.exitCode = undefined;
  process.exit = (code = 0) => {
    process.exitCode = code;
    throw new Exit();
  };
  const { numTensors } = engine().state;
  const before = held();
  try {
    await import(`${name}?${i}`).catch((error) => {
      if (!(error instanceof Exit) && !process.emit('uncaughtException', error)) throw error;
    });
    if (process.exitCode === undefined) await isOver(before);
  } catch (error) {
    if (!(error instanceof Exit)) {
      process.exitCode = 1;
      ended.stderr += `${error.stack}\n`;
    }
  }
  ended.code = process.exitCode ?? 0;
  process.emit('exit', ended.code);
  process.exitCode = undefined;
  for (const event of ['exit', 'uncaughtException', 'SIGINT']) process.removeAllListeners(event);
  for (const [stream, own] of Object.entries(write)) process[stream].write = own;
  return { ...ended, tensorsLeft: engine().state.numTensors - numTensors };
}

let last = Promise.resolve();
let count = 0;
process.on('message', (example) => {
  last = last.then(async () => process.send(await run(example, count++)));
});
process.on('disconnect', () => exit(0));
