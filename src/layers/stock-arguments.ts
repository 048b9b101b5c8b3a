import type { serialization } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { NamesOf } from '../core/check';
import type { Constraint, Initializer, Regularizer } from './types';

// Arguments that layers share with tfjs-layers' own. tfjs-layers does not export its parsing of activations,
// initializers, regularizers and constraints. So one of its own layers, which is never built, parses and serializes
// them for ours.

type Conv2DArgs = Parameters<typeof layers.conv2d>[0];

/** Arguments for the kernels and biases of convolutions. */
export const weightArgs = [
  'kernelInitializer',
  'biasInitializer',
  'kernelRegularizer',
  'biasRegularizer',
  'kernelConstraint',
  'biasConstraint',
] as const;

/** The arguments of tfjs's `conv2d` for kernels and biases. */
export type WeightArgs = Pick<Conv2DArgs, (typeof weightArgs)[number]>;

export const weightArgNames: NamesOf<WeightArgs> = {
  kernelInitializer: true,
  biasInitializer: true,
  kernelRegularizer: true,
  biasRegularizer: true,
  kernelConstraint: true,
  biasConstraint: true,
};

/** A layer of tfjs-layers that has parsed arguments. */
export interface Parsed {
  getConfig(): serialization.ConfigDict;
}

/** A convolution that has parsed {@link WeightArgs}. */
export interface ParsedWeightArgs extends Parsed {
  readonly kernelInitializer: Initializer;
  readonly biasInitializer: Initializer;
  readonly kernelRegularizer: Regularizer;
  readonly biasRegularizer: Regularizer;
  readonly kernelConstraint: Constraint;
  readonly biasConstraint: Constraint;
}

/** Parses the arguments of these names, for the layer called `name`. */
export function parsedConvolution<Name extends keyof Conv2DArgs>(
  name: string,
  args: Pick<Conv2DArgs, Name>,
  names: readonly Name[],
): ParsedWeightArgs {
  const shared = { kernelInitializer: 'glorotUniform', ...given(args, names) } as const;
  const convolution: unknown = layers.conv2d({ ...shared, name, filters: 1, kernelSize: 1 });
  return convolution as ParsedWeightArgs;
}

/** Those of the arguments of these names that are given: null, as in a saved config, means none. */
export function given<Args, Name extends keyof Args>(
  args: Args,
  names: readonly Name[],
): Partial<Pick<Args, Name>> {
  const found = names.filter((name) => args[name] != null).map((name) => [name, args[name]]);
  return Object.fromEntries(found) as Partial<Pick<Args, Name>>;
}

/** The arguments of these names in the form in which a config has them, null for none. */
export function configOf(parsed: Parsed, names: readonly string[]): serialization.ConfigDict {
  const config = parsed.getConfig();
  return Object.fromEntries(names.map((name) => [name, config[name] ?? null]));
}
