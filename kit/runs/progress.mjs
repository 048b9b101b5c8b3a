import { Presets, SingleBar } from 'cli-progress';

const LINE_EVERY = 5000; // milliseconds

/**
 * Shows the progress of a job, as a bar on a terminal, else by a line every few seconds.
 *
 * @param {string} format with `{bar}`, `{value}`, `{total}`, `{percentage}`, `{eta}` in seconds, and your own names
 * @param {{ stream?: NodeJS.WriteStream, barsize?: number }} [options]
 * @returns {{ start(total: number, value: number, own?: object): void, update(value: number, own?: object): void, stop(): void }}
 */
export function progressBar(format, { stream = process.stderr, barsize = 40 } = {}) {
  if (!stream.isTTY) return new ProgressLines(format.replace(/ ?\{bar\}/, '').trimStart(), stream);
  // without `linewrap`, Ctrl-C would leave a terminal that does not wrap
  return new SingleBar({ format, stream, barsize, linewrap: true }, Presets.shades_classic);
}

/** Progress for a file or a pipe: the first and the last line, and one every few seconds, none twice. */
class ProgressLines {
  #format;
  #stream;
  #began = 0;
  #first = 0;
  #said = { at: 0, line: '' };
  #state = {};

  constructor(format, stream) {
    this.#format = format;
    this.#stream = stream;
  }

  start(total, value, own = {}) {
    this.#state = { ...own, total, value };
    this.#began = performance.now();
    this.#first = value;
    this.#said = { at: 0, line: '' };
    this.#say();
  }

  update(value, own = {}) {
    this.#state = { ...this.#state, ...own, value };
    if (performance.now() - this.#said.at >= LINE_EVERY) this.#say();
  }

  /** Works even if nothing was started. */
  stop() {
    if (this.#state.total !== undefined) this.#say();
    this.#state = {};
  }

  #say() {
    const { total, value } = this.#state;
    const each = (performance.now() - this.#began) / 1000 / (value - this.#first);
    const percentage = Math.floor((100 * value) / total);
    const eta = value > this.#first ? Math.round((total - value) * each) : '-';
    const known = { percentage, eta, ...this.#state };
    const line = this.#format.replace(/\{(\w+)\}/g, (_, name) => known[name]);
    if (line !== this.#said.line) this.#stream.write(`${line}\n`);
    this.#said = { at: performance.now(), line };
  }
}

/**
 * Shows the progress of training.
 *
 * @param {number} steps
 * @param {number} [done] steps that were done before
 * @param {string} [unit] of the loss
 * @returns {{ update(step: number, loss: number): void, say(line: string): void, stop(): void }}
 */
export function trainingProgress(steps, done = 0, unit = 'bits/dim') {
  const { columns = 80 } = process.stdout;
  const bar = progressBar(`step {value}/{total} {bar}  {loss} ${unit}  {rate} steps/s  {left} left`, {
    stream: process.stdout,
    barsize: Math.max(4, Math.min(30, columns - 50 - unit.length)), // all on one line
  });
  const start = performance.now();
  let shown = [done, { loss: '-', rate: '-', left: '-' }];
  bar.start(steps, ...shown);
  return {
    update(step, loss) {
      const rate = (1000 * (step - done)) / (performance.now() - start);
      shown = [step, { loss: loss.toFixed(3), rate: rate.toFixed(1), left: clock((steps - step) / rate) }];
      bar.update(...shown);
    },
    /** A line above the bar. */
    say(line) {
      if (process.stdout.isTTY) bar.stop();
      console.log(line);
      if (process.stdout.isTTY) bar.start(steps, ...shown);
    },
    stop: () => bar.stop(),
  };
}

/** Seconds as m:ss or h:mm:ss. */
export function clock(seconds) {
  const whole = Math.ceil(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
