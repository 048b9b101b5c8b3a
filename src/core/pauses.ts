/** How often a long job lets other work run, as in tfjs-layers. */
export const YIELD_MILLISECONDS = 125;

/**
 * A function to call often. When enough milliseconds have passed it returns a promise; awaiting that lets other work
 * run.
 */
export function pauses(milliseconds = YIELD_MILLISECONDS): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < milliseconds) return undefined;
    return new Promise((resolve) => {
      setTimeout(() => {
        last = performance.now();
        resolve();
      }, 0);
    });
  };
}
