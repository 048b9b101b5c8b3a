const WAIT = 120; // milliseconds

/**
 * Measures the last of many changes: once they pause, and instead of what is being measured.
 *
 * @param {ReturnType<import('./task.mjs').taskRunner>} task
 * @param {(signal: AbortSignal) => Promise<void>} measure
 * @returns {() => void} to call after each change
 */
export function whenCalm(task, measure) {
  let timer = 0;
  let isStale = false;

  async function begin() {
    isStale = true;
    if (task.isBusy) return task.cancel();
    while (isStale) {
      isStale = false;
      await task.run(async (signal) => {
        try {
          await measure(signal);
        } catch (error) {
          if (!isStale) throw error; // else it was cancelled for the next
        }
      });
    }
  }

  return () => {
    clearTimeout(timer);
    timer = setTimeout(begin, WAIT);
  };
}
