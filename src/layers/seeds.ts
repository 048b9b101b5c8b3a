import type { serialization } from '@tensorflow/tfjs-core';
import { checkInteger } from '../core/check';
import { uniformsOf } from '../sampling/noise';
import type { Initializer } from './types';

// One seed makes all first weights of a model, and the noise of its dropout: each part has a seed of its own, made of
// that of the whole and the part's name, so that two layers of one shape do not begin alike.

/** Arguments of layers and networks that draw first weights or noise. */
export interface SeedArgs {
  /**
   * Same seed, same first weights, in every program and on every backend, and the same noise of dropout at each step
   * of training: any integer.
   * @default a new one each time
   */
  seed?: number | undefined;
}

/** A seed where one is given, from a saved config too, which has null for none. */
export function checkSeed(what: string, seed: unknown): number | undefined {
  return seed == null ? undefined : checkInteger(`${what}: seed`, seed);
}

/** The seed of a named part; at least 1, since tfjs takes 0 for no seed. */
export function partSeed(seed: number | undefined, part: string): number | undefined {
  return seed === undefined ? undefined : 1 + Math.floor(uniformsOf(`${seed}/${part}`)() * (2 ** 31 - 1));
}

/** The same initializer, with a seed where it draws and has none of its own. */
export function seededInitializer(initializer: Initializer, seed: number | undefined): Initializer {
  const config = initializer.getConfig();
  if (seed === undefined || !('seed' in config) || config['seed'] != null) return initializer;
  const Class = initializer.constructor as new (config: serialization.ConfigDict) => Initializer;
  return new Class({ ...config, seed });
}
