import { type Instruction, Op, type Operand, type OpName } from '../kernels/instruction';
import { type FeaturewiseNode, type GateName, gateInputs, type SoftmaxName } from '../program/program';
import type { Layout } from './layout';
import { FeatureCache, type Plan } from './plan';

/** The numbers of the levels that features x represent, counted from 1; 0 if x is not a level. */
export function addLevelNumbers(plan: Plan, levels: number, x: FeatureCache, y: FeatureCache): void {
  for (const [feature, slot] of y.layout.slotOf.entries()) {
    const [to, a] = [y.operand(slot), x.operand(x.layout.slotOf[feature])];
    const time = y.layout.times[feature] as number;
    plan.emit(time, { op: Op.levelNumber, y: to, a, length: 1, parameter: levels - 1 }, y.places);
  }
}

/**
 * An operation from operands to y, on features of the same pixel; `numbers` gives those of a weight. Operations on
 * levels get the numbers of the levels: see {@link addLevelNumbers}.
 */
export function addFeaturewise(
  plan: Plan,
  node: FeaturewiseNode,
  numbers: (weight: string) => Float32Array,
  operands: readonly FeatureCache[],
  y: FeatureCache,
): void {
  const [first, ...others] = operands as [FeatureCache, ...FeatureCache[]];
  const like = (x: FeatureCache) => arranged(plan, x, y.layout, !y.isOnePixel);
  const constant = (weight: string) => plan.constant(inSlots(numbers(weight), y.layout));
  switch (node.op) {
    case 'concat':
      concatenate(plan, operands, y);
      break;
    case 'slice':
      addSlice(plan, node.start, first, y);
      break;
    case 'concatElu':
      addConcatElu(plan, first, y);
      break;
    case 'gate':
    case 'linearGate':
      addGate(plan, node, first, y);
      break;
    case 'oneHot':
      addOneHot(plan, first, y);
      break;
    case 'oneHotLevels':
      eachNumber(plan, first, y, { op: Op.oneHot, parameter: 1 });
      break;
    case 'embedLevels': {
      const table = numbers(node.table); // [levels,units]
      const units = y.layout.times.length / first.layout.times.length;
      const { offset } = plan.constant(table);
      eachNumber(plan, first, y, {
        op: Op.lookup,
        b: plan.reserve(units), // zeros
        weights: offset,
        weightStride: units,
        inputs: 1,
        rows: table.length / units,
        parameter: Number.NEGATIVE_INFINITY,
      });
      break;
    }
    case 'softmax':
    case 'logSoftmax':
      eachGroup(plan, node, like(first), y);
      break;
    case 'pointwise': {
      const { fn, parameter } = node;
      if (fn === 'scale' || fn === 'shift') {
        const numbers = plan.constant(new Float32Array(y.layout.slots).fill(parameter));
        eachRun(plan, fn === 'scale' ? 'multiply' : 'add', y, like(first), numbers);
      } else eachRun(plan, fn, y, like(first), undefined, { parameter });
      break;
    }
    case 'affine':
      eachRun(plan, 'multiply', y, like(first), constant(node.scale));
      eachRun(plan, 'add', y, y, constant(node.shift));
      break;
    case 'normalize': {
      const [scale, shift] = [constant(node.scale), constant(node.shift)];
      eachGroup(plan, node, like(first), y, (slot) => ({
        b: { ...scale, offset: scale.offset + slot },
        weights: shift.offset + slot,
        parameter: node.epsilon,
      }));
      break;
    }
    default: {
      if (others.length === 0) eachRun(plan, 'copy', y, like(first));
      for (const [i, other] of others.entries()) {
        eachRun(plan, node.op, y, i === 0 ? like(first) : y, like(other).operand());
      }
    }
  }
}

/** One instruction for each run: computes y from a and, if given, b. */
function eachRun(
  plan: Plan,
  op: OpName,
  y: FeatureCache,
  a: FeatureCache,
  b: Operand = a.operand(),
  more: Partial<Instruction> = {},
): void {
  for (const { range, time } of y.layout.runs) {
    const [from, to] = range;
    const operands = { y: y.operand(from), a: a.operand(from), b: { ...b, offset: b.offset + from } };
    plan.emit(time, { op: Op[op], ...operands, length: to - from, ...more }, y.places);
  }
}

/** Places the numbers of features in the slots of a layout. */
function inSlots(numbers: Float32Array, { slots, slotOf }: Layout): Float32Array {
  const arranged = new Float32Array(slots);
  for (const [feature, slot] of slotOf.entries()) arranged[slot] = numbers[feature] as number;
  return arranged;
}

/** One instruction for each run of contiguous features whose halves are contiguous too. */
function addGate(
  plan: Plan,
  node: Extract<FeaturewiseNode, { op: GateName }>,
  x: FeatureCache,
  y: FeatureCache,
): void {
  const halves = gateInputs(node);
  const half = (i: 0 | 1) => halves.map((pair) => x.layout.slotOf[pair[i]] as number);
  for (const { time, from, length } of commonRuns(y.layout.times, y.layout.slotOf, half(0), half(1))) {
    const [to, a, b] = from as [number, number, number];
    const operands = { y: y.operand(to), a: x.operand(a), b: x.operand(b) };
    plan.emit(time, { op: Op[node.op], ...operands, length }, y.places);
  }
}

/** One instruction for each run of contiguous features whose two outputs are contiguous too. */
function addConcatElu(plan: Plan, x: FeatureCache, y: FeatureCache): void {
  const { slotOf, times } = y.layout;
  const half = x.layout.slotOf.length;
  const runs = commonRuns(times.slice(0, half), slotOf.slice(0, half), slotOf.slice(half), x.layout.slotOf);
  for (const { time, from, length } of runs) {
    const [to, negative, a] = from as [number, number, number];
    const operands = { y: y.operand(to), b: y.operand(negative), a: x.operand(a) };
    plan.emit(time, { op: Op.concatElu, ...operands, length }, y.places);
  }
}

/** One instruction for each group. Its features are ready at the same time and contiguous, in x as well as in y. */
function eachGroup(
  plan: Plan,
  { op, size, groups }: Extract<FeaturewiseNode, { op: 'normalize' | SoftmaxName }>,
  x: FeatureCache,
  y: FeatureCache,
  more: (slot: number) => Partial<Instruction> = () => ({}),
): void {
  const { times, slotOf } = y.layout;
  const length = size / groups;
  for (let feature = 0; feature < size; feature += length) {
    const slot = slotOf[feature] as number;
    const [to, a] = [y.operand(slot), x.operand(slot)];
    plan.emit(times[feature] as number, { op: Op[op], y: to, a, length, ...more(slot) }, y.places);
  }
}

/** All features from a single one, ready when it is. */
function addOneHot(plan: Plan, x: FeatureCache, y: FeatureCache): void {
  const [time = 0] = y.layout.times;
  const length = y.layout.times.length;
  const code = { op: Op.oneHot, y: y.operand(), a: x.operand(x.layout.slotOf[0]), length };
  plan.emit(time, code, y.places);
}

/**
 * One instruction for the features of each level number, when it is ready; these features are contiguous.
 */
function eachNumber(
  plan: Plan,
  x: FeatureCache,
  y: FeatureCache,
  instruction: Pick<Instruction, 'op'> & Partial<Instruction>,
): void {
  const { times, slotOf } = y.layout;
  const length = times.length / x.layout.times.length;
  for (const [i, slot] of x.layout.slotOf.entries()) {
    const first = i * length;
    const to = y.operand(slotOf[first]);
    const code = { y: to, a: x.operand(slot), length, ...instruction };
    plan.emit(times[first] as number, code, y.places);
  }
}

/** Copies features to the slots of another layout, each when it is ready. */
export function arranged(plan: Plan, x: FeatureCache, layout: Layout, isWholeRow: boolean): FeatureCache {
  if (x.layout.isLike(layout)) return x;
  const extent = { rows: 1, margin: 0, isWholeRow: isWholeRow && !x.isOnePixel };
  const copy = new FeatureCache(plan, layout.withTimes(x.layout.times), extent, x.scale);
  copyFeatures(plan, x, copy, 0);
  return copy;
}

/** Concatenates. */
function concatenate(plan: Plan, operands: readonly FeatureCache[], y: FeatureCache): void {
  let first = 0;
  for (const x of operands) {
    copyFeatures(plan, x, y, first);
    first += x.layout.slotOf.length;
  }
}

/** The features of x from one on. */
function addSlice(plan: Plan, start: number, x: FeatureCache, y: FeatureCache): void {
  const { times, slotOf } = y.layout;
  addCopies(plan, times, slotOf, x.layout.slotOf.slice(start, start + slotOf.length), x, y);
}

/** Copies all features of x to y, starting at the feature `first` of y, each at its time in y. */
function copyFeatures(plan: Plan, x: FeatureCache, y: FeatureCache, first: number): void {
  const { slotOf } = x.layout;
  const end = first + slotOf.length;
  addCopies(plan, y.layout.times.slice(first, end), y.layout.slotOf.slice(first, end), slotOf, x, y);
}

/** The features of the pixel that lies a number of rows above and columns to the left; zeros outside the image. */
export function addShift(plan: Plan, rows: number, columns: number, x: FeatureCache, y: FeatureCache): void {
  addCopies(plan, y.layout.times, y.layout.slotOf, x.layout.slotOf, x, y, rows, columns);
}

/** Copies features of the same pixel or an earlier one from their slots in x to their slots in y, each at its time. */
function addCopies(
  plan: Plan,
  times: readonly number[],
  ySlots: readonly number[],
  xSlots: readonly number[],
  x: FeatureCache,
  y: FeatureCache,
  above = 0,
  left = 0,
): void {
  for (const { time, from, length } of commonRuns(times, ySlots, xSlots)) {
    const [to, a] = from as [number, number];
    const operands = { y: y.operand(to), a: x.operand(a, above, left) };
    plan.emit(time, { op: Op.copy, ...operands, length }, y.places);
  }
}

/** Features that are ready at the same time and contiguous in several layouts. */
interface CommonRun {
  readonly time: number;
  /** The slot of the first feature in each layout. */
  readonly from: readonly number[];
  length: number;
}

/** Finds such runs, given the time of each feature and its slot in each layout. */
export function commonRuns(times: readonly number[], ...slots: (readonly number[])[]): CommonRun[] {
  const all: CommonRun[] = [];
  let last: CommonRun | undefined;
  for (let feature = 0; feature < times.length; feature++) {
    const time = times[feature] as number;
    if (last?.time === time && follows(last, feature, slots)) last.length++;
    else {
      last = { time, from: slots.map((of) => of[feature] as number), length: 1 };
      all.push(last);
    }
  }
  return all;
}

function follows(
  { from, length }: CommonRun,
  feature: number,
  slots: readonly (readonly number[])[],
): boolean {
  for (let i = 0; i < slots.length; i++) {
    if (slots[i]?.[feature] !== (from[i] as number) + length) return false;
  }
  return true;
}
