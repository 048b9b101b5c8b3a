import type { Untraced } from '../portable/trace';
import { channelOf, type PixelDistribution } from '../runtime/distributions/pixel-distribution';
import { operandsOf, type ProgramNode } from '../runtime/program/program';
import { type Readiness, readsOf, timeOfRead } from '../runtime/program/readiness';
import { AFTER_ROW } from '../runtime/program/times';

/** A feature of a node. */
type Feature = readonly [node: number, feature: number];

/** Operations with kernels, which a mask or a shift must keep from the values of their own place. */
const WITH_KERNELS: readonly string[] = ['conv', 'attend', 'lstm'];

/**
 * The layer where the leak of a model begins, judged by its graph; undefined if that does not tell.
 *
 * A layer that sees rows below is to blame. Otherwise, an output that is ready too late is followed back to what it waits
 * for. If that is the end of a row, the layer that looks to the right is to blame. If it is a channel of the output's own
 * pixel, it is the layer that takes features of a later channel than the output's or, if there are none, the first one
 * with kernels: its mask, or a shift before it, lets each value see itself.
 */
export function leakingLayer({ late, seesBelow }: Untraced, distribution: PixelDistribution) {
  if (late === undefined) return seesBelow;
  const { builder: { nodes, owners }, output, readiness } = late; // biome-ignore format: one line
  const times = readiness[output]?.times as readonly number[];
  const parameter = times.findIndex((time, parameter) => time > channelOf(distribution, parameter));
  const isOfLaterChannel = ([node, feature]: Feature) => {
    const size = nodes[node]?.size as number;
    const channel = Math.floor((feature * distribution.imageChannels) / size);
    return size % distribution.imageChannels === 0 && channel > channelOf(distribution, parameter);
  };
  const withKernels = owners.filter((_, node) => WITH_KERNELS.includes(nodes[node]?.op as string));
  let firstWithKernels: string | undefined;
  for (let at: Feature = [output, parameter]; nodes[at[0]]?.op !== 'image'; ) {
    const layer = owners[at[0]] as string;
    if (withKernels.includes(layer)) firstWithKernels = layer;
    const next = waitsFor(nodes, readiness, at);
    if (next === undefined) return layer; // it looks to the right
    const isInput = owners[next[0]] !== layer;
    if (times[parameter] !== AFTER_ROW && isInput && isOfLaterChannel(next)) return layer;
    at = next;
  }
  return firstWithKernels;
}

/** A feature that another one waits for until it is ready itself, read in the same row. */
function waitsFor(
  nodes: readonly ProgramNode[],
  readiness: readonly Readiness[],
  [index, feature]: Feature,
): Feature | undefined {
  const timesOf = (node: number) => (readiness[node] as Readiness).times;
  const node = nodes[index] as ProgramNode;
  const time = timesOf(index)[feature] as number;
  const operands = operandsOf(node);
  const sizes = operands.map((operand) => timesOf(operand).length);
  for (const {
    features: [from, to],
    operand,
    of: [start, end],
    isOneByOne,
    at,
  } of readsOf(node, sizes)) {
    if (operand === 'own' || feature < from || feature >= to || timeOfRead(time, at) !== time) continue;
    const read = operands[operand] as number;
    const [first, last] = isOneByOne ? [start + feature - from, start + feature - from + 1] : [start, end];
    const found = timesOf(read).indexOf(time, first);
    if (found >= 0 && found < last) return [read, found];
  }
  return undefined;
}
