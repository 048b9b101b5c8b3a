import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { trainingCurve } from './curve.mjs';
import { writeWhole } from './files.mjs';
import { openEventFile } from './tensorboard.mjs';

/**
 * What a run writes beside its checkpoints: `metrics.jsonl`, a line a step and a line an evaluation; TensorBoard's events; `curve.svg`; and
 * `samples-<step>.png`.
 *
 * @param {string} directory
 * @param {{ title: string, step: number, rules: { name: string, y: number }[] }} args what was logged after `step` is forgotten: the
 * run goes on from there
 */
export async function openRunLog(directory, { title, step: start, rules }) {
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'metrics.jsonl');
  const metrics = (await linesOf(path)).filter(({ step }) => step <= start);
  await writeWhole(path, metrics.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const events = openEventFile(join(directory, 'events'), start > 0 ? { step: start } : {});
  let waiting = '';

  const log = (line) => {
    metrics.push(line);
    waiting += `${JSON.stringify(line)}\n`;
  };
  return {
    /** After a step of training: the loss, and the smoothed one, in bits per dimension. */
    step(step, bits, trainBits) {
      log({ step, bits, trainBits });
      events.scalar('train/bits_per_dim', bits, step);
    },
    /** After an evaluation. */
    async evaluation(step, { trainBits, testBits, seconds, picture }) {
      log({ step, trainBits, testBits, seconds });
      events.scalar('test/bits_per_dim', testBits, step);
      const size = { width: picture.readUInt32BE(16), height: picture.readUInt32BE(20), channels: 4 }; // as a PNG's header has it
      events.image('samples', picture, size, step);
      await writeWhole(join(directory, `samples-${step}.png`), picture);
      await writeWhole(join(directory, 'curve.svg'), await trainingCurve({ title, metrics, rules }));
    },
    /** Puts on the disk what is waiting. */
    async flush() {
      const lines = waiting;
      waiting = '';
      await appendFile(path, lines);
    },
    async close() {
      await this.flush();
      events.close();
    },
  };
}

/** The whole lines of a file; a kill may have cut the last one. */
async function linesOf(path) {
  const text = await readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
