import { getMask } from '../mask';
import { type ConvArgs, kernelShape, type Node, operandsOf } from './program';

/** The step of what is known before the first pixel, and the same at every pixel. */
export const ONCE = -2;

/** The step of what depends on rows above only, and is known for all pixels of a row before its first one. */
export const ROW = -1;

/** The step of what sees what is to come. */
export const NEVER = Number.POSITIVE_INFINITY;

/**
 * For each node and feature, the step in which it is known: the number of channels of the present pixel that must have been drawn before it can be
 * computed, 0 where it depends on earlier pixels only; {@link ROW} or {@link ONCE} where it is known before that.
 */
export function stepsOf(nodes: readonly Node[]): number[][] {
  const all: number[][] = [];
  for (const node of nodes) {
    const steps = stepsOfNode(node, (operand) => all[operand] as number[]);
    const isOfImage = operandsOf(node).every((operand) => all[operand]?.every((step) => step === ONCE));
    all.push(isOfImage ? steps : steps.map((step) => Math.max(step, ROW)));
  }
  return all;
}

function stepsOfNode(node: Node, of: (operand: number) => number[]): number[] {
  switch (node.op) {
    case 'image':
      return Array.from({ length: node.size }, (_, channel) => channel + 1);
    case 'condition':
      return new Array<number>(node.size).fill(node.isMap ? ROW : ONCE);
    case 'conv':
      return convSteps(of(node.input), node.args);
    case 'gate': {
      const steps = of(node.input);
      return gateOperands(node).map(([a, b]) => Math.max(steps[a] as number, steps[b] as number));
    }
    case 'concat':
      return node.inputs.flatMap(of);
    case 'add':
    case 'multiply':
      return of(node.inputs[0] as number).map((_, f) =>
        Math.max(...node.inputs.map((i) => of(i)[f] as number)),
      );
    case 'normalize': {
      const last = of(node.input).reduce((most, step) => Math.max(most, step), ONCE);
      return of(node.input).map(() => last);
    }
    default:
      return of(node.input);
  }
}

/** For each feature of a gate the two of its input that it is made of. */
export function gateOperands({
  size,
  imageChannels,
}: {
  size: number;
  imageChannels: number;
}): [a: number, b: number][] {
  const group = size / imageChannels;
  return Array.from({ length: size }, (_, f) => {
    const a = f + Math.floor(f / group) * group;
    return [a, a + group];
  });
}

/** An output of a convolution is known with the last of the inputs that it sees at the present pixel, and with those of the pixels to its left. */
function convSteps(inputs: readonly number[], args: ConvArgs): number[] {
  const [rows, columns, featuresIn, featuresOut] = kernelShape(args);
  const { maskType, imageChannels, vertical = false } = args;
  // Of other pixels all features are looked at, also those of channels that are masked here.
  if (rows * columns > 1 && inputs.includes(NEVER)) return new Array<number>(featuresOut).fill(NEVER);
  const isOfRow = inputs.every((step) => step <= ROW);
  if (vertical) return new Array<number>(featuresOut).fill(maskType === 'A' || isOfRow ? ROW : NEVER);
  const { values } = getMask({ kernelSize: 1, featuresIn, featuresOut, maskType, imageChannels });
  const steps = new Array<number>(featuresOut).fill(columns > 1 && !isOfRow ? 0 : ONCE);
  for (let i = 0; i < featuresIn; i++) {
    for (let o = 0; o < featuresOut; o++) {
      if (values[i * featuresOut + o] === 1) steps[o] = Math.max(steps[o] as number, inputs[i] as number);
    }
  }
  return steps;
}
