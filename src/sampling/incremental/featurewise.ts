import { sigmoid, tanh } from '../../kernels/functions';
import { type Instruction, Op, type Operand } from '../../kernels/instruction';
import type { AffineArgs, Node } from '../../program/program';
import { gateOperands } from '../../program/steps';
import { FeatureCache, ONE_PIXEL } from './feature-cache';
import { eachFeature, normalize } from './in-javascript';
import type { Layout } from './layout';
import type { Plan } from './plan';

/** The operations that make features of features of the same pixel. */
export type FeaturewiseNode = Exclude<Node, { op: 'image' | 'condition' | 'conv' }>;

/** Such an operation, from operands to y: by instructions where there are any, else in JavaScript. */
export function addFeaturewise(
  plan: Plan,
  node: FeaturewiseNode,
  operands: readonly FeatureCache[],
  y: FeatureCache,
): void {
  const [first, ...others] = operands as [FeatureCache, ...FeatureCache[]];
  if (node.op === 'concat') concatenate(plan, operands, y);
  else if (node.op === 'gate') addGate(plan, node, first, y);
  else if (node.op === 'normalize') normalize(plan, node, first, y);
  else {
    const arrange = (x: FeatureCache) => arranged(plan, x, y.layout);
    addPointwise(plan, node, [arrange(first), ...others.map(arrange)], y);
  }
}

/** Operations on operands that lie as y does. */
function addPointwise(
  plan: Plan,
  node: Exclude<FeaturewiseNode, { op: 'concat' | 'gate' | 'normalize' }>,
  [first, ...others]: readonly [FeatureCache, ...FeatureCache[]],
  y: FeatureCache,
): void {
  switch (node.op) {
    case 'relu':
      eachStretch(plan, Op.relu, y, first);
      break;
    case 'map':
      if (node.fn === sigmoid) eachStretch(plan, Op.sigmoid, y, first);
      else if (node.fn === tanh) eachStretch(plan, Op.tanh, y, first);
      else eachFeature(plan, first, y.layout, y.operand(), node.fn);
      break;
    case 'affine': {
      const [scales, shifts] = affineNumbers(plan, node, y);
      eachStretch(plan, Op.multiply, y, first, scales);
      eachStretch(plan, Op.add, y, y, shifts);
      break;
    }
    default: // add, multiply
      if (others.length === 0) eachStretch(plan, Op.copy, y, first);
      for (const [i, other] of others.entries()) {
        eachStretch(plan, Op[node.op], y, i === 0 ? first : y, other.operand());
      }
  }
}

/** One instruction a stretch: y of a and, where there is one, b. */
function eachStretch(
  plan: Plan,
  op: Instruction['op'],
  y: FeatureCache,
  a: FeatureCache,
  b: Operand = a.operand(),
): void {
  for (const { range, step } of y.layout.stretches) {
    const [from, to] = range;
    const part = { ...b, offset: b.offset + from };
    plan.emit(step, { op, y: y.operand(from), a: a.operand(from), b: part, length: to - from });
  }
}

/** Scales and shifts in the slots of y. */
function affineNumbers(
  plan: Plan,
  { weights, numbers }: AffineArgs,
  y: FeatureCache,
): [scales: Operand, shifts: Operand] {
  const [scales, shifts] = [plan.reserve(y.layout.slots), plan.reserve(y.layout.slots)];
  plan.fills.push((heap) => {
    for (const [feature, slot] of y.layout.slotOf.entries()) {
      const [scale, shift] = numbers(weights.map((weight) => plan.numbers(weight)[feature] as number));
      heap[scales.offset + slot] = scale;
      heap[shifts.offset + slot] = shift;
    }
  });
  return [scales, shifts];
}

/** One instruction for features that lie side by side, and whose halves do. */
function addGate(plan: Plan, node: Extract<Node, { op: 'gate' }>, x: FeatureCache, y: FeatureCache): void {
  const operands = gateOperands(node).map((pair) =>
    pair.map((feature) => x.layout.slotOf[feature] as number),
  );
  const slots = y.layout.slotOf.map((slot, feature) => [slot, ...(operands[feature] as number[])]);
  for (const { step, from, length } of commonStretches(y.layout.steps, slots)) {
    const [to, a, b] = from;
    plan.emit(step, { op: Op.gate, y: y.operand(to), a: x.operand(a), b: x.operand(b), length });
  }
}

/** The same features in the slots of another layout, each copied when it is known. */
export function arranged(plan: Plan, x: FeatureCache, layout: Layout): FeatureCache {
  if (x.layout.isLike(layout)) return x;
  const copy = new FeatureCache(plan, layout.withSteps(x.layout.steps), ONE_PIXEL);
  copyFeatures(plan, x, copy, 0);
  return copy;
}

/** One after the other. */
function concatenate(plan: Plan, operands: readonly FeatureCache[], y: FeatureCache): void {
  let first = 0;
  for (const x of operands) {
    copyFeatures(plan, x, y, first);
    first += x.layout.slotOf.length;
  }
}

/** Copies all features of x to those of y from the `first` on, each in the step that y has it in. */
function copyFeatures(plan: Plan, x: FeatureCache, y: FeatureCache, first: number): void {
  const slots = x.layout.slotOf.map((slot, feature) => [y.layout.slotOf[first + feature] as number, slot]);
  const steps = y.layout.steps.slice(first, first + slots.length);
  for (const { step, from, length } of commonStretches(steps, slots)) {
    const [to, a] = from;
    plan.emit(step, { op: Op.copy, y: y.operand(to), a: x.operand(a), length });
  }
}

/** Features of one step that follow each other in the slots of several layouts. */
interface CommonStretch {
  readonly step: number;
  /** The slots of the first. */
  readonly from: readonly [number, ...number[]];
  length: number;
}

/** Such stretches, given the step of each feature and its slots. */
function commonStretches(steps: readonly number[], slots: readonly (readonly number[])[]): CommonStretch[] {
  const all: CommonStretch[] = [];
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
