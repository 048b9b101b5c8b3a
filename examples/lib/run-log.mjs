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
 * @param {{ title: string, step: number, isResumed: boolean, judge: 'test' | 'validation', rules: { name: string, y: number }[] }} args what
 * was logged after `step` is forgotten: the run goes on from there; `judge` names the images that evaluations are on
 */
export async function openRunLog(directory, { title, step: start, isResumed, judge, rules }) {
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'metrics.jsonl');
  const before = await linesOf(path);
  const metrics = before.lines.filter(({ step }) => step <= start);
  if (before.isCut || metrics.length < before.lines.length) {
    await writeWhole(path, metrics.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
  const events = openEventFile(join(directory, 'events'), isResumed ? { step: start } : {});
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
    evaluation(step, { trainBits, bits, seconds }) {
      log({ step, trainBits, [`${judge}Bits`]: bits, seconds });
      events.scalar(`${judge}/bits_per_dim`, bits, step);
    },
    /** The samples of an evaluation, a PNG, and the curves up to it. */
    async pictures(step, samples) {
      const size = { width: samples.readUInt32BE(16), height: samples.readUInt32BE(20), channels: 4 }; // as a PNG's header has it
      events.image('samples', samples, size, step);
      await writeWhole(join(directory, `samples-${step}.png`), samples);
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

/** The whole lines of a file, and whether a kill has cut the last one. */
async function linesOf(path) {
  const text = await readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const parts = text.split('\n');
  const rest = parts.pop();
  return { lines: parts.map((line) => JSON.parse(line)), isCut: rest !== '' };
}
