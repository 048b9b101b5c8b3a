/** How often a long job lets other work run, as in tfjs-layers. */
export const YIELD_MILLISECONDS = 125;

/** Goes through a computation that comes in parts, with pauses, until it ends or the signal aborts. */
export async function inParts(
  parts: Iterable<void>,
  pause: () => Promise<void> | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const _ of parts) {
    const paused = pause();
    if (paused === undefined) continue;
    await paused;
    signal?.throwIfAborted();
  }
}

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
