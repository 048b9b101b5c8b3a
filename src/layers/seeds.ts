import type { serialization } from '@tensorflow/tfjs-core';
import { type Given, optionalSeed } from '../runtime/core/arguments';
import { uniformsOf } from '../runtime/core/random';
import type { DropoutArgs } from '../runtime/program/operations/attend';
import type { Initializer } from './types';

export const seedArguments = {
  /**
   * Any integer. It determines initial weights, on every backend, and the dropout noise at each training step.
   * @default a new one each time
   */
  seed: optionalSeed(),
};

/** Arguments of layers and networks that draw initial weights or noise. */
export interface SeedArgs extends Given<typeof seedArguments> {}

/** The seed of a named part, so that parts of equal shape differ; at least 1, since 0 means no seed in tfjs. */
export const partSeed = (seed: number | undefined, part: string): number | undefined =>
  seed === undefined ? undefined : 1 + Math.floor(uniformsOf(`${seed}/${part}`)() * (2 ** 31 - 1));

/** Returns an initializer with a seed, if it is random and has no seed yet. */
export function seededInitializer(initializer: Initializer, seed: number | undefined): Initializer {
  const config = initializer.getConfig();
  if (seed === undefined || !('seed' in config) || config['seed'] != null) return initializer;
  const Class = initializer.constructor as new (config: serialization.ConfigDict) => Initializer;
  return new Class({ ...config, seed });
}

/** The arguments of `ops.dropout` in a layer with these settings. */
export const dropoutOf = ({ dropout, seed }: { dropout: number; seed: number | undefined }): DropoutArgs => ({
  rate: dropout,
  seed: partSeed(seed, 'dropout'),
});
