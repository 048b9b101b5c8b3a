import { exp } from '../kernels/exp';
import { sigmoid, tanh } from '../kernels/functions';
import type { Features, Program } from './program';

/** Functions of one number, of exact operations and our own exp. */
const activations: Readonly<Record<string, (x: number) => number>> = {
  elu: (x) => (x > 0 ? x : exp(x) - 1),
  hardSigmoid: (x) => Math.min(1, Math.max(0, 0.2 * x + 0.5)),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (exp(x) - 1)),
  sigmoid,
  softsign: (x) => x / (1 + Math.abs(x)),
  swish: (x) => x * sigmoid(x),
  tanh,
};

/**
 * An activation by the name of its class; null for one that mixes features, such as softmax, or is not known
 * here.
 */
export function activation(program: Program, name: string, input: Features): Features | null {
  if (name === 'linear') return input;
  if (name === 'relu') return program.relu(input);
  const camel = name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const fn = activations[camel];
  return fn === undefined ? null : program.map(input, fn);
}
