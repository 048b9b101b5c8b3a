import type { Parameters } from 'fast-check';
import { inject } from 'vitest';

/** How thoroughly properties are tried: `PROPERTY_SEED`, `PROPERTY_TIMES` and `PROPERTY_MINUTES`, by vitest.config.ts. */
declare module 'vitest' {
  interface ProvidedContext {
    properties: { seed: number | null; times: number; minutes: number };
  }
}

const { seed, times, minutes } = inject('properties');

/**
 * How a property is tried: usually so many times, with the given seed. `npm run test:all`
 * has them tried more often, or for minutes, with the seed that it prints.
 */
export function runs<T>(usual: { numRuns: number; seed: number }): Parameters<T> {
  return {
    seed: seed ?? usual.seed,
    numRuns: minutes > 0 ? Number.MAX_SAFE_INTEGER : times * usual.numRuns,
    ...(minutes > 0 && { interruptAfterTimeLimit: minutes * 60_000 }),
  };
}

/** Which of `total` cases, in order, are tried one by one: usually about `most`, evenly spread; by `test:all` all. */
export function sampled(total: number, most: number): number[] {
  const step = times > 1 ? 1 : Math.max(1, Math.ceil(total / most));
  return Array.from({ length: Math.ceil(total / step) }, (_, i) => i * step);
}
