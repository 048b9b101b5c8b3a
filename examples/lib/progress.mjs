import { Presets, SingleBar } from 'cli-progress';

/**
 * Shows how training goes: a bar on a terminal, elsewhere a line now and then.
 *
 * @param {number} steps
 * @param {number} [done] steps that were done before
 * @param {string} [unit] of the loss
 * @returns {{ update(step: number, loss: number): void, stop(): void }}
 */
export function trainingProgress(steps, done = 0, unit = 'bits/dim') {
  const { isTTY = false, columns = 80 } = process.stdout;
  const bar = new SingleBar(
    {
      format: `step {value}/{total}${isTTY ? ' {bar}' : ''}  {loss} ${unit}  {rate} steps/s  {left} left`,
      stream: process.stdout,
      barsize: Math.max(4, Math.min(30, columns - 50 - unit.length)), // all on one line
      linewrap: true, // else Ctrl-C would leave a terminal that does not wrap
      noTTYOutput: true,
      notTTYSchedule: 5000,
    },
    Presets.shades_classic,
  );
  const start = performance.now();
  bar.start(steps, done, { loss: '-', rate: '-', left: '-' });
  return {
    update(step, loss) {
      const rate = (1000 * (step - done)) / (performance.now() - start);
      bar.update(step, { loss: loss.toFixed(3), rate: rate.toFixed(1), left: clock((steps - step) / rate) });
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
