import { layers } from '@tensorflow/tfjs-layers';
import type { OptionalArgument } from '../runtime/core/arguments';
import type { Activation, Constraint, Initializer, Regularizer } from './types';

// Arguments that layers share with tfjs-layers, which does not export its parsing of activations, initializers,
// regularizers and constraints. So a tfjs layer, which is never built, parses and serializes them.

/** The arguments of a tfjs convolution, as it parses them. A regularizer or constraint that is not given is null. */
interface Parsed {
  activation: Activation;
  kernelInitializer: Initializer;
  kernelRegularizer: Regularizer;
  kernelConstraint: Constraint;
}

type Conv2DArgs = Parameters<typeof layers.conv2d>[0];

/** The argument of tfjs's convolution with this name. */
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
      return parse(fallback); // parsed only when needed
    },
  };
}

/** An activation of the outputs. @default none */
export const activation = () => ofConvolution('activation');

/** How a weight is initialized. */
export const initializer = (fallback?: Conv2DArgs['kernelInitializer']) =>
  ofConvolution('kernelInitializer', fallback);

/** The regularizer of a weight. @default none */
export const regularizer = () => ofConvolution('kernelRegularizer');

/** The constraint on a weight. @default none */
export const constraint = () => ofConvolution('kernelConstraint');

/** Arguments for kernels and biases, as in tfjs's `conv2d`. */
export const weightArguments = {
  /** How kernels are initialized. @default 'glorotUniform' */
  kernelInitializer: initializer('glorotUniform'),
  /** How biases are initialized. @default 'zeros' */
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
