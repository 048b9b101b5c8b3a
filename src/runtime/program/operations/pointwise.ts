import { number, oneOf } from '../../core/arguments';
import { checkNumber, checkOneOf, throwTypeError } from '../../core/check';
import type { Nodes } from '../nodes';
import { operation } from '../operation';

/** The functions of one number, each with its default parameter: 0 if it takes none, undefined if it must be given. */
export const defaultParameters = {
  relu: 0,
  sigmoid: 0,
  tanh: 0,
  elu: 1, // alpha
  selu: 0,
  leakyRelu: undefined, // alpha
  thresholdedRelu: undefined, // theta
  clippedRelu: undefined, // the largest value
  hardSigmoid: 0,
  softplus: 0,
  softsign: 0,
  swish: 0,
  gelu: 0,
  geluNew: 0,
  quickGelu: 0, // x sigmoid(1.702 x)
  mish: 0,
  log: undefined, // the smallest x, above 0; lower ones are clamped
  scale: undefined, // the factor
  shift: undefined, // added after scaling
};
/** The name of a function of one number. */
export type PointwiseName = keyof typeof defaultParameters;

export const pointwiseNames = /* @__PURE__ */ Object.keys(defaultParameters) as PointwiseName[];

/**
 * The parameter of a function.
 *
 * @throws TypeError if there is no such function, or its parameter is missing and has no default
 */
export function parameterOf(fn: PointwiseName, parameter: number | undefined): number {
  checkOneOf('pointwise', fn, pointwiseNames);
  const given = parameter ?? defaultParameters[fn];
  return checkNumber(`pointwise: parameter of ${fn}`, given, 'that is finite', () => true);
}

export const combinationNames = ['add', 'multiply', 'maximum', 'minimum'] as const;
/** The name of an elementwise operation on features of the same size. */
export type CombinationName = (typeof combinationNames)[number];

export const pointwise = operation({
  name: 'pointwise',
  operands: 1,
  fields: { fn: oneOf(...pointwiseNames), parameter: number() },
  size([x], { fn, parameter }, what) {
    const least = Math.fround(parameter);
    if (fn === 'log' && !(least > 0 && least < Infinity))
      throwTypeError(`${what}: parameter`, 'a number above 0', parameter);
    return x.size;
  },
});

const combination = <const Name extends CombinationName>(name: Name) =>
  operation({
    name,
    operands: 'any',
    fields: {},
    size(operands, _, what) {
      const sizes = operands.map(({ size }) => size);
      if (new Set(sizes).size !== 1) throwTypeError(`${what}: inputs`, 'features of equal size', sizes);
      return sizes[0] as number;
    },
  });

export const combinations = {
  add: combination('add'),
  multiply: combination('multiply'),
  maximum: combination('maximum'),
  minimum: combination('minimum'),
} as const;

export const pointwiseOps = <T>(nodes: Nodes<T>) => ({
  /** Applies a function, by name, to each number, with its parameter if it takes one. */
  pointwise(fn: PointwiseName, x: T, parameter?: number): T {
    return nodes.add(pointwise, [x], { fn, parameter: parameterOf(fn, parameter) });
  },
  /** Combines inputs of the same size elementwise. */
  combine(fn: CombinationName, ...inputs: T[]): T {
    checkOneOf('combine', fn, combinationNames);
    return nodes.add(combinations[fn], inputs, {});
  },
});
