import { getMask } from '../mask';
import { type ConvArgs, kernelShape, type Node, operandsOf } from './program';

/** A node that acts on each pixel by itself. */
export type PointwiseNode = Exclude<Node, { op: 'image' | 'condition' | 'conv' }>;

/** A feature of a node. */
export type Source = readonly [node: number, feature: number];

/**
 * For each feature of a node that acts on each pixel by itself, the features of the same pixel that it is
 * made of.
 */
export function sources(nodes: readonly Node[], node: PointwiseNode): Source[][] {
  const ofEach = (sourcesOf: (feature: number) => Source[]) =>
    Array.from({ length: node.size }, (_, feature) => sourcesOf(feature));
  switch (node.op) {
    case 'gate':
      return gateOperands(node).map((halves) => halves.map((feature) => [node.input, feature]));
    case 'concat':
      return node.inputs.flatMap((input) =>
        Array.from({ length: nodes[input]?.size ?? 0 }, (_, feature): Source[] => [[input, feature]]),
      );
    case 'normalize': {
      const all = ofEach((feature) => [[node.input, feature]]).flat();
      return ofEach(() => all);
    }
    default:
      return ofEach((feature) => operandsOf(node).map((operand) => [operand, feature]));
  }
}

/** The step of what is known before the first pixel, and the same at every pixel. */
export const ONCE = -2;

/** The step of what depends on rows above only, and is known for all pixels of a row before its first one. */
export const ROW = -1;

/** The step of a feature that depends on what is yet to come. */
export const NEVER = Number.POSITIVE_INFINITY;

/**
 * For each node and feature, the step in which it is known: the number of channels of the present pixel that
 * must have been drawn before it can be computed, 0 where it depends on earlier pixels only; {@link ROW} or
 * {@link ONCE} where it is known before that.
 */
export function stepsOf(nodes: readonly Node[]): number[][] {
  const all: number[][] = [];
  for (const node of nodes) {
    const steps = stepsOfNode(nodes, node, (operand) => all[operand] as number[]);
    const isOfImage = operandsOf(node).every((operand) => all[operand]?.every((step) => step === ONCE));
    all.push(isOfImage ? steps : steps.map((step) => Math.max(step, ROW)));
  }
  return all;
}

function stepsOfNode(
  nodes: readonly Node[],
  node: Node,
  of: (operand: number) => readonly number[],
): number[] {
  switch (node.op) {
    case 'image':
      return Array.from({ length: node.size }, (_, channel) => channel + 1);
    case 'condition':
      return new Array<number>(node.size).fill(node.isMap ? ROW : ONCE);
    case 'conv':
      return convSteps(of(node.input), node.args);
    default:
      return sources(nodes, node).map((all) =>
        all.reduce((last, [operand, feature]) => Math.max(last, of(operand)[feature] as number), ONCE),
      );
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

/**
 * An output of a convolution is known with the last of the inputs that it sees at the present pixel, and with
 * those of the pixels to its left.
 */
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
