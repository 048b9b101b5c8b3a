import fc, { type Arbitrary, type Parameters } from 'fast-check';
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

type Arbitraries<T extends unknown[]> = readonly [...{ [K in keyof T]: Arbitrary<T[K]> }];
/** How a property is tried by `runs`, and cases that are tried before any others. */
type Usual<T> = { numRuns: number; seed: number; examples?: T[] };
const parametersOf = <T>({ examples = [], ...usual }: Usual<T>) => ({ ...runs<T>(usual), examples });

/** Tries a property on values of these arbitraries: `check` throws where it does not hold. */
export function forAll<T extends unknown[]>(arbitraries: Arbitraries<T>, usual: Usual<T>, check: (...values: T) => void): void {
  fc.assert(Reflect.apply(fc.property, fc, [...arbitraries, check]), parametersOf(usual));
}

/** The same of a check that is asynchronous. */
export function forAllAsync<T extends unknown[]>(
  of: Arbitraries<T>,
  usual: Usual<T>,
  check: (...values: T) => Promise<void>,
): Promise<void> {
  return fc.assert(Reflect.apply(fc.asyncProperty, fc, [...of, check]), parametersOf(usual));
}

/** Which of `total` cases, in order, are tried one by one: usually about `most`, evenly spread; by `test:all` all. */
export function sampled(total: number, most: number): number[] {
  const step = times > 1 ? 1 : Math.max(1, Math.ceil(total / most));
  return Array.from({ length: Math.ceil(total / step) }, (_, i) => i * step);
}
