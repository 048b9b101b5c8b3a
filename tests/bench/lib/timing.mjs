import { performance } from 'node:perf_hooks';

/**
 * Times tasks against each other, warm: after a warm-up, rounds in which each task runs in turn, so that what else the machine
 * does falls on all alike.
 *
 * @param {Record<string, () => unknown>} tasks may be asynchronous
 * @param {{ seconds?: number, minRounds?: number, maxRounds?: number }} [options]
 * @returns {Promise<Record<string, { median: number, low: number, high: number, rounds: number }>>} milliseconds; low and high
 * are the tenth and ninetieth percentiles
 */
export async function timeInTurn(tasks, { seconds = 10, minRounds = 8, maxRounds = 300 } = {}) {
  const samples = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
  for (const task of Object.values(tasks)) await task();
  const start = performance.now();
  for (let round = 0; round < maxRounds; round++) {
    if (round >= minRounds && performance.now() - start > 1000 * seconds) break;
    for (const [name, task] of Object.entries(tasks)) {
      let time = await timeOnce(task);
      if (time < LONG) time = await timeOnce(task); // the first run only warms caches that another task has taken
      samples[name].push(time);
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([name, times]) => [name, summary(times)]));
}

const LONG = 1000; // milliseconds, beyond which caches do not matter

async function timeOnce(task) {
  const before = performance.now();
  await task();
  return performance.now() - before;
}

/** The median of times, their tenth and ninetieth percentiles, how many there are, and all of them in order. */
export function summary(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (fraction) => sorted[Math.round(fraction * (sorted.length - 1))];
  const middle = (sorted.length - 1) / 2; // between two times where their count is even
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  return { median, low: at(0.1), high: at(0.9), rounds: sorted.length, all: sorted };
}
