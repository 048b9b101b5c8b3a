import { sigmoid, tanh } from '../../kernels/functions';
import { type Instruction, Op, type Operand } from '../../kernels/instruction';
import type { AffineArgs, Node } from '../../program/program';
import type { Assembler } from './assembler';
import { FeatureCache, ONE_PIXEL } from './feature-cache';
import { eachFeature, normalize } from './in-javascript';
import { Layout } from './layout';

/** The operations that make features of features of the same pixel. */
export type FeaturewiseNode = Exclude<Node, { op: 'image' | 'conv' }>;

/** Such an operation, from operands to y: by instructions where there are any, else in JavaScript. */
export function addFeaturewise(
  assembler: Assembler,
  node: FeaturewiseNode,
  operands: readonly FeatureCache[],
  y: FeatureCache,
): void {
  if (node.op === 'concat') concatenate(assembler, operands, y);
  else if (node.op === 'normalize') normalize(assembler, node, operands[0] as FeatureCache, y);
  else addPointwise(assembler, node, operands.map((x) => arranged(assembler, x, y.layout)), y); // biome-ignore format: one call
}

/** Operations on operands that lie as y does. */
function addPointwise(
  assembler: Assembler,
  node: Exclude<FeaturewiseNode, { op: 'concat' | 'normalize' }>,
  operands: readonly FeatureCache[],
  y: FeatureCache,
): void {
  const [first, ...others] = operands as [FeatureCache];
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
      for (const [i, other] of (others as FeatureCache[]).entries()) {
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

const identity = (x: number) => x;

/** The same features in the slots of another layout, each in the step that it has there. */
export function arranged(assembler: Assembler, x: FeatureCache, layout: Layout): FeatureCache {
  if (x.layout.isLike(layout)) return x;
  const copy = new FeatureCache(assembler, layout, ONE_PIXEL);
  eachFeature(assembler, x, layout, copy.operand(), identity);
  return copy;
}

/** One after the other: run by run where y keeps the runs of its operands, else feature by feature. */
function concatenate(assembler: Assembler, operands: readonly FeatureCache[], y: FeatureCache): void {
  let feature = 0;
  let start = 0;
  const joined = Layout.concat(operands.map(({ layout }) => layout));
  const keepsRuns = joined.isAligned && joined.isLike(y.layout);
  for (const x of operands) {
    if (keepsRuns) {
      for (const { range, step } of x.layout.runs) {
        const [from, to] = range;
        assembler.emit(step, { op: Op.copy, y: y.operand(start + from), a: x.operand(from), length: to - from }); // biome-ignore format: one call
      }
    } else {
      const into = y.layout.slotOf.slice(feature, feature + x.layout.slotOf.length);
      eachFeature(assembler, x, { steps: x.layout.steps, slotOf: into }, y.operand(), identity);
    }
    feature += x.layout.slotOf.length;
    start += x.layout.slots;
  }
}
