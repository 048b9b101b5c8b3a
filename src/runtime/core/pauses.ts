/** How often a long job pauses for other work, as in tfjs-layers. */
export const YIELD_MILLISECONDS = 125;

/** To be called often. Once enough time has passed, it returns a promise to await, which lets other work run. */
export type Pause = () => Promise<void> | undefined;

/** Makes a function that pauses every so many milliseconds. */
export function pauses(milliseconds = YIELD_MILLISECONDS): Pause {
  let last = performance.now();
  return () => {
    if (performance.now() - last < milliseconds) return undefined;
    return new Promise((resolve) => setTimeout(resolve)).then(() => {
      last = performance.now();
    });
  };
}

/** Runs a computation part by part, with pauses, until it ends or the signal aborts. */
export async function inParts(parts: Iterable<void>, pause: Pause, signal?: AbortSignal): Promise<void> {
  for (const _ of parts) {
    const paused = pause();
    if (paused === undefined) continue;
    await paused;
    signal?.throwIfAborted();
  }
}
