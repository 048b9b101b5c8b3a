import { defaultReportMessage, type Parameters } from 'fast-check';

/** Not in a page. */
const environment =
  (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {};
const { PROPERTY_MINUTES: minutes, PROPERTY_SEED: replayed } = environment;

/**
 * How a property is tried: as many times as given, with the given seed. With `PROPERTY_MINUTES`, for that long, with a
 * seed of the clock that is printed, and `PROPERTY_SEED` replays.
 */
export function runs<T>(usual: { numRuns: number; seed: number }): Parameters<T> {
  if (minutes === undefined && replayed === undefined) return usual;
  return {
    seed: replayed === undefined ? Date.now() % 2 ** 31 : Number(replayed),
    numRuns: minutes === undefined ? usual.numRuns : Number.MAX_SAFE_INTEGER,
    ...(minutes !== undefined && { interruptAfterTimeLimit: Number(minutes) * 60_000 }),
    reporter(result) {
      console.log(`PROPERTY_SEED=${result.seed}: ${result.numRuns} cases`);
      if (result.failed) throw new Error(defaultReportMessage(result));
    },
  };
}
