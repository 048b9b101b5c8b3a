import { sigmoid, tanh } from '../../kernels/functions';
import { type Instruction, Op, type Operand } from '../../kernels/instruction';
import type { AffineArgs, Node } from '../../program/program';
import { gateOperands } from '../../program/steps';
import type { Assembler } from './assembler';
import { FeatureCache, ONE_PIXEL } from './feature-cache';
import { eachFeature, normalize } from './in-javascript';
import type { Layout } from './layout';

/** The operations that make features of features of the same pixel. */
export type FeaturewiseNode = Exclude<Node, { op: 'image' | 'condition' | 'conv' }>;

/** Such an operation, from operands to y: by instructions where there are any, else in JavaScript. */
export function addFeaturewise(
  assembler: Assembler,
  node: FeaturewiseNode,
  operands: readonly FeatureCache[],
  y: FeatureCache,
): void {
  const [first, ...others] = operands as [FeatureCache, ...FeatureCache[]];
  if (node.op === 'concat') concatenate(assembler, operands, y);
  else if (node.op === 'gate') addGate(assembler, node, first, y);
  else if (node.op === 'normalize') normalize(assembler, node, first, y);
  else {
    const arrange = (x: FeatureCache) => arranged(assembler, x, y.layout);
    addPointwise(assembler, node, [arrange(first), ...others.map(arrange)], y);
  }
}

/** Operations on operands that lie as y does. */
function addPointwise(
  assembler: Assembler,
  node: Exclude<FeaturewiseNode, { op: 'concat' | 'gate' | 'normalize' }>,
  [first, ...others]: readonly [FeatureCache, ...FeatureCache[]],
  y: FeatureCache,
): void {
  switch (node.op) {
    case 'relu':
      eachRun(assembler, Op.relu, y, first);
      break;
    case 'map':
      if (node.fn === sigmoid) eachRun(assembler, Op.sigmoid, y, first);
      else if (node.fn === tanh) eachRun(assembler, Op.tanh, y, first);
      else eachFeature(assembler, first, y.layout, y.operand(), node.fn);
      break;
    case 'affine': {
      const [scales, shifts] = affineNumbers(assembler, node, y);
      eachRun(assembler, Op.multiply, y, first, scales);
      eachRun(assembler, Op.add, y, y, shifts);
      break;
    }
    default: // add, multiply
      if (others.length === 0) eachRun(assembler, Op.copy, y, first);
      for (const [i, other] of others.entries()) {
        eachRun(assembler, Op[node.op], y, i === 0 ? first : y, other.operand());
      }
  }
}

/** One instruction a run: y of a and, where there is one, b. */
function eachRun(
  assembler: Assembler,
  op: Instruction['op'],
  y: FeatureCache,
  a: FeatureCache,
  b: Operand = a.operand(),
): void {
  for (const { range, step } of y.layout.runs) {
    const [from, to] = range;
    const part = { ...b, offset: b.offset + from };
    assembler.emit(step, { op, y: y.operand(from), a: a.operand(from), b: part, length: to - from });
  }
}

/** Scales and shifts in the slots of y. */
function affineNumbers(
  assembler: Assembler,
  { weights, numbers }: AffineArgs,
  y: FeatureCache,
): [scales: Operand, shifts: Operand] {
  const [scales, shifts] = [assembler.reserve(y.layout.slots), assembler.reserve(y.layout.slots)];
  assembler.fills.push((heap) => {
    for (const [feature, slot] of y.layout.slotOf.entries()) {
      const [scale, shift] = numbers(weights.map((weight) => assembler.numbers(weight)[feature] as number));
      heap[scales.offset + slot] = scale;
      heap[shifts.offset + slot] = shift;
    }
  });
  return [scales, shifts];
}

/** One instruction for features that lie side by side, and whose halves do. */
function addGate(
  assembler: Assembler,
  node: Extract<Node, { op: 'gate' }>,
  x: FeatureCache,
  y: FeatureCache,
): void {
  const operands = gateOperands(node).map((pair) =>
    pair.map((feature) => x.layout.slotOf[feature] as number),
  );
  const slots = y.layout.slotOf.map((slot, feature) => [slot, ...(operands[feature] as number[])]);
  for (const {
    step,
    from: [to, a, b],
    length,
  } of stretches(y.layout.steps, slots)) {
    assembler.emit(step, { op: Op.gate, y: y.operand(to), a: x.operand(a), b: x.operand(b), length });
  }
}

/** The same features in the slots of another layout, each copied when it is known. */
export function arranged(assembler: Assembler, x: FeatureCache, layout: Layout): FeatureCache {
  if (x.layout.isLike(layout)) return x;
  const copy = new FeatureCache(assembler, layout.withSteps(x.layout.steps), ONE_PIXEL);
  copyFeatures(assembler, x, copy, 0);
  return copy;
}

/** One after the other. */
function concatenate(assembler: Assembler, operands: readonly FeatureCache[], y: FeatureCache): void {
  let first = 0;
  for (const x of operands) {
    copyFeatures(assembler, x, y, first);
    first += x.layout.slotOf.length;
  }
}

/** Copies all features of x to those of y from the `first` on, each in the step that y has it in. */
function copyFeatures(assembler: Assembler, x: FeatureCache, y: FeatureCache, first: number): void {
  const slots = x.layout.slotOf.map((slot, feature) => [y.layout.slotOf[first + feature] as number, slot]);
  const steps = y.layout.steps.slice(first, first + slots.length);
  for (const {
    step,
    from: [to, from],
    length,
  } of stretches(steps, slots)) {
    assembler.emit(step, { op: Op.copy, y: y.operand(to), a: x.operand(from), length });
  }
}

/** Features of one step that follow each other in all their slots. */
interface Stretch {
  readonly step: number;
  /** The slots of the first. */
  readonly from: readonly [number, ...number[]];
  length: number;
}

/** The stretches of features, given the step and the slots of each. */
function stretches(steps: readonly number[], slots: readonly (readonly number[])[]): Stretch[] {
  const all: Stretch[] = [];
  for (const [feature, from] of slots.entries()) {
    const step = steps[feature] as number;
    const last = all.at(-1);
    const goesOn =
      last?.step === step && from.every((slot, i) => slot === (last.from[i] as number) + last.length);
    if (last !== undefined && goesOn) last.length++;
    else all.push({ step, from: from as [number, ...number[]], length: 1 });
  }
  return all;
}
