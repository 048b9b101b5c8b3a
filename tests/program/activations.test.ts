import { describe, expect, it } from 'vitest';
import { sigmoid, tanh } from '../../src/kernels/functions';
import { activation } from '../../src/program/activations';
import { Program } from '../../src/program/program';

const { exp, max, min } = Math;

/** Each by the name of its class in tfjs-layers, as Keras defines it. */
const definitions: Record<string, (x: number) => number> = {
  elu: (x) => (x < 0 ? exp(x) - 1 : x),
  hardSigmoid: (x) => (x < -2.5 ? 0 : x > 2.5 ? 1 : 0.2 * x + 0.5),
  relu6: (x) => min(max(x, 0), 6),
  selu: (x) => 1.05070098 * (x < 0 ? 1.67326324 * (exp(x) - 1) : x),
  sigmoid: (x) => 1 / (1 + exp(-x)),
  softsign: (x) => x / (1 + Math.abs(x)),
  swish: (x) => x / (1 + exp(-x)),
  tanh: Math.tanh,
};

/** The function of one number that a name means to a program. */
function functionNamed(name: string): (x: number) => number {
  const program = new Program();
  activation(program, name, program.image(1));
  const node = program.nodes.at(-1);
  if (node?.op !== 'map') throw new Error(`${name} is no function of one number`);
  return node.fn;
}

describe('activation', () => {
  it.each(Object.entries(definitions))('%s by its definition', (name, definition) => {
    const fn = functionNamed(name);
    for (let x = -12; x <= 12; x += 0.125) {
      const want = definition(x);
      expect(Math.abs(fn(x) - want)).toBeLessThan(1e-6 * max(1, Math.abs(want)));
    }
    expect(Math.abs(fn(-800) - definition(-800))).toBeLessThan(1e-5);
    expect(fn(Number.NaN)).toBeNaN();
  });

  it('sigmoid and tanh are the functions that kernels know', () => {
    expect(functionNamed('sigmoid')).toBe(sigmoid);
    expect(functionNamed('tanh')).toBe(tanh);
  });

  it('reads names as configs have them too', () => {
    expect(functionNamed('hard_sigmoid')).toBe(functionNamed('hardSigmoid'));
  });

  it('linear is its input; relu is an operation of programs', () => {
    const program = new Program();
    const image = program.image(2);
    expect(activation(program, 'linear', image)).toBe(image);
    expect(program.nodes).toHaveLength(1);
    expect(activation(program, 'relu', image)?.size).toBe(2);
    expect(program.nodes.at(-1)).toEqual({ op: 'relu', size: 2, input: 0 });
  });

  it.each(['softmax', 'logSoftmax', 'no such thing', ''])('"%s" is none', (name) => {
    const program = new Program();
    expect(activation(program, name, program.image(2))).toBeNull();
    expect(program.nodes).toHaveLength(1);
  });
});
