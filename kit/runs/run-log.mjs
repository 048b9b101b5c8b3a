import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { trainingCurve } from '../pictures/curve.mjs';
import { writeWhole } from './files.mjs';
import { openEventFile } from './tensorboard.mjs';

/**
 * The log of a run, besides its checkpoints: `metrics.jsonl`, with a line for each step and each
 * evaluation; TensorBoard's events; `curve.svg`; and `samples-<step>.png`.
 *
 * @param {string} directory
 * @param {{ title: string, step: number, isResumed: boolean, judge: 'test' | 'validation', rules: { name:
 * string, y: number }[] }} args the run continues after `step`, so anything logged later is dropped; `judge`
 * names the images of evaluations
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
    /** Logs a training step: the loss and the smoothed loss, in bits per dimension. */
    step(step, bits, trainBits) {
      log({ step, bits, trainBits });
      events.scalar('train/bits_per_dim', bits, step);
    },
    /** Logs an evaluation. */
    evaluation(step, { trainBits, bits, seconds }) {
      log({ step, trainBits, [`${judge}Bits`]: bits, seconds });
      events.scalar(`${judge}/bits_per_dim`, bits, step);
    },
    /** Writes the samples of an evaluation, a PNG, and the curves so far. */
    async pictures(step, samples) {
      const size = { width: samples.readUInt32BE(16), height: samples.readUInt32BE(20), channels: 4 }; // from the PNG's header
      events.image('samples', samples, size, step);
      await writeWhole(join(directory, `samples-${step}.png`), samples);
      await writeWhole(join(directory, 'curve.svg'), await trainingCurve({ title, metrics, rules }));
    },
    /** Writes pending lines to disk. */
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

/** The complete lines of a file, and whether the last one is cut off. */
async function linesOf(path) {
  const text = await readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const parts = text.split('\n');
  const rest = parts.pop();
  return { lines: parts.map((line, i) => parsed(line, `${path}: line ${i + 1}`)), isCut: rest !== '' };
}

/** The record in a line. */
function parsed(line, where) {
  try {
    const record = JSON.parse(line);
    if (Number.isSafeInteger(record?.step)) return record;
  } catch {}
  throw new Error(`${where} is damaged: delete it, which leaves a gap in the curve and nothing else`);
}
