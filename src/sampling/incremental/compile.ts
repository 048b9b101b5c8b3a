import { Op, type Operand } from '../../kernels/instruction';
import { indexOf, kernelShape, type Node, operandsOf } from '../../program/program';
import type { TracedModel } from '../../program/trace';
import { paddedLevels } from '../types';
import { addConvolution } from './convolution';
import { FeatureCache, ONE_PIXEL, type Reach } from './feature-cache';
import { addFeaturewise, arranged } from './featurewise';
import { Layout } from './layout';
import type { Plan } from './plan';

/** Where a model's image goes in and its logits come out, at the present pixel of each image. */
interface Ends {
  /** [channels] */
  readonly image: Operand;
  /** The condition, once, or of the pixels of the row; null where there is none. */
  readonly condition: Operand | null;
  /** Of the channel whose step was run last, [{@link paddedLevels}]. */
  readonly logits: Operand;
}

/** Gives every node of a program its memory and its instructions. */
export function compile(
  plan: Plan,
  { program: { nodes }, logits, steps }: TracedModel,
  levels: number,
): Ends {
  const needed = neededFor(nodes, indexOf(logits));
  const fused = fusedRelus(nodes, needed, indexOf(logits));
  const fusedInto = new Set(fused.values());
  const layouts = layoutsOf(nodes, steps);
  const reaches = reachesOf(nodes, needed);
  const caches: FeatureCache[] = [];
  const cache = (index: number) => {
    caches[index] ??= new FeatureCache(plan, layouts[index] as Layout, reaches[index] as Reach);
    return caches[index];
  };
  for (const index of needed) {
    const node = nodes[index] as Node;
    if (node.op === 'conv') {
      const relu = fused.get(index);
      addConvolution(plan, node.args, cache(node.input), cache(relu ?? index), relu !== undefined);
    } else if (node.op !== 'image' && node.op !== 'condition' && !fusedInto.has(index)) {
      addFeaturewise(plan, node, operandsOf(node).map(cache), cache(index));
    }
  }
  const given = nodes.findIndex(({ op }) => op === 'condition');
  return {
    image: cache(0).operand(),
    condition: given < 0 ? null : cache(given).operand(),
    logits: addLogits(plan, cache(indexOf(logits)), levels),
  };
}

/** Has the logits of each channel put where they are read, in the channel's step. */
function addLogits(plan: Plan, x: FeatureCache, levels: number): Operand {
  const channels = x.layout.steps.map((_, feature) => Math.floor(feature / levels));
  const sideBySide = arranged(plan, x, Layout.of(channels)); // the levels of each channel
  const length = paddedLevels(levels);
  const logits = plan.reserveForImages(1, length);
  for (let channel = 0; channel < plan.channels; channel++) {
    const a = sideBySide.operand(sideBySide.layout.slotOf[channel * levels]);
    plan.emit(channel, { op: Op.copy, y: logits, a, length });
  }
  return logits;
}

/**
 * Where each node's features lie: as those that it is made of where it can, so that whole stretches are
 * computed at once.
 */
function layoutsOf(nodes: readonly Node[], allSteps: TracedModel['steps']): Layout[] {
  const layouts: Layout[] = [];
  for (const [index, steps] of allSteps.entries()) {
    const node = nodes[index] as Node;
    const operands = operandsOf(node).map((operand) => layouts[operand] as Layout);
    const like = node.op === 'concat' ? Layout.concat(operands) : operands[0];
    const isKept = like?.isAligned && like.hasSteps(steps);
    layouts.push(node.op === 'image' ? Layout.dense(steps) : isKept ? like : Layout.of(steps));
  }
  return layouts;
}

/** The nodes that the logits are made of, in order. */
function neededFor(nodes: readonly Node[], logits: number): number[] {
  const isNeeded = nodes.map((_, index) => index === logits);
  for (const [index, node] of [...nodes.entries()].reverse()) {
    if (isNeeded[index]) for (const operand of operandsOf(node)) isNeeded[operand] = true;
  }
  return [...nodes.keys()].filter((index) => isNeeded[index]);
}

/**
 * Convolutions whose only reader is a ReLU, which is then part of them: the ReLU's node by the convolution's.
 */
function fusedRelus(nodes: readonly Node[], needed: readonly number[], logits: number): Map<number, number> {
  const readers = nodes.map(() => [] as number[]);
  for (const index of needed) {
    for (const input of operandsOf(nodes[index] as Node)) readers[input]?.push(index);
  }
  const fused = new Map<number, number>();
  for (const [index, node] of nodes.entries()) {
    const [reader, ...others] = readers[index] as number[];
    if (
      node.op === 'conv' &&
      index !== logits &&
      reader !== undefined &&
      others.length === 0 &&
      nodes[reader]?.op === 'relu'
    ) {
      fused.set(index, reader);
    }
  }
  return fused;
}

/** How far convolutions look around in the features of each node. */
function reachesOf(nodes: readonly Node[], needed: readonly number[]): Reach[] {
  const reach: Reach[] = nodes.map(() => ONE_PIXEL);
  for (const index of needed) {
    const node = nodes[index] as Node;
    if (node.op !== 'conv') continue;
    const [kernelRows, kernelColumns] = kernelShape(node.args);
    const { rows, margin } = reach[node.input] as Reach;
    reach[node.input] = {
      rows: Math.max(rows, (kernelRows >> 1) + 1),
      margin: Math.max(margin, kernelColumns >> 1),
    };
  }
  return reach;
}
