import type { serialization } from '@tensorflow/tfjs-core';
import { type Given, optionalSeed } from '../core/arguments';
import { uniformsOf } from '../core/random';
import type { DropoutArgs } from '../program/operations/attend';
import type { Initializer } from './types';

export const seedArguments = {
  /**
   * Any integer. The same seed gives the same initial weights, in every program and on every backend, and the same
   * dropout noise at each training step.
   * @default a new one each time
   */
  seed: optionalSeed(),
};

/** Arguments of layers and networks that draw initial weights or noise. */
export interface SeedArgs extends Given<typeof seedArguments> {}

/** The seed of a named part, so that two of the same shape differ; at least 1, since to tfjs 0 means no seed. */
export function partSeed(seed: number | undefined, part: string): number | undefined {
  return seed === undefined ? undefined : 1 + Math.floor(uniformsOf(`${seed}/${part}`)() * (2 ** 31 - 1));
}

/** The same initializer, with a seed if it is random and has none of its own. */
export function seededInitializer(initializer: Initializer, seed: number | undefined): Initializer {
  const config = initializer.getConfig();
  if (seed === undefined || !('seed' in config) || config['seed'] != null) return initializer;
  const Class = initializer.constructor as new (config: serialization.ConfigDict) => Initializer;
  return new Class({ ...config, seed });
}

/** What `ops.dropout` drops in a layer that has these arguments. */
export const dropoutOf = ({ dropout, seed }: { dropout: number; seed: number | undefined }): DropoutArgs => ({
  rate: dropout,
  seed: partSeed(seed, 'dropout'),
});
