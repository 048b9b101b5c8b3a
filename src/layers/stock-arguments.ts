import { layers } from '@tensorflow/tfjs-layers';
import type { OptionalArgument } from '../core/arguments';
import type { Activation, Constraint, Initializer, Regularizer } from './types';

// Arguments that layers share with tfjs-layers' own, which does not export its parsing of activations, initializers,
// regularizers and constraints. So one of its own layers, which is never built, parses and serializes them for ours.

/** What a convolution of tfjs makes of its arguments; of a regularizer or constraint that is not given, null. */
interface Parsed {
  activation: Activation;
  kernelInitializer: Initializer;
  kernelRegularizer: Regularizer;
  kernelConstraint: Constraint;
}

type Conv2DArgs = Parameters<typeof layers.conv2d>[0];

/** An argument as tfjs's convolution takes it under this name; `fallback` is one too. */
function ofConvolution<Name extends keyof Parsed>(
  name: Name,
  fallback?: Conv2DArgs[Name],
): OptionalArgument<Parsed[Name], NonNullable<Conv2DArgs[Name]>> {
  const convolution = (given: unknown) =>
    layers.conv2d({ name: 'parsing', filters: 1, kernelSize: 1, [name]: given });
  const parse = (given: unknown) => (convolution(given) as unknown as Parsed)[name];
  return {
    check: (_, given) => parse(given),
    toConfig: (value) => convolution(value).getConfig()[name],
    get fallback() {
      return parse(fallback); // not before it is needed
    },
  };
}

/** A function of the outputs. @default none */
export const activation = () => ofConvolution('activation');

/** How a weight begins. */
export const initializer = (fallback?: Conv2DArgs['kernelInitializer']) =>
  ofConvolution('kernelInitializer', fallback);

/** What is added to the loss for a weight. @default nothing */
export const regularizer = () => ofConvolution('kernelRegularizer');

/** What is done to a weight after each step. @default nothing */
export const constraint = () => ofConvolution('kernelConstraint');

/** Arguments for kernels and biases, which mean the same as in tfjs's `conv2d`. */
export const weightArguments = {
  /** How kernels begin. @default 'glorotUniform' */
  kernelInitializer: initializer('glorotUniform'),
  /** How biases begin. @default 'zeros' */
  biasInitializer: initializer('zeros'),
  /** @default none */
  kernelRegularizer: regularizer(),
  /** @default none */
  biasRegularizer: regularizer(),
  /** @default none */
  kernelConstraint: constraint(),
  /** @default none */
  biasConstraint: constraint(),
};
