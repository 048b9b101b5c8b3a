import { type Instruction, Op, type Operand, type OpName } from '../kernels/instruction';
import type { Layout } from './layout';
import { FeatureCache, type Plan } from './plan';

// Features are computed in runs: those that are ready at the same time and contiguous in memory take one instruction.

/** One instruction for each run: computes y from a and, if given, b. */
export function eachRun(
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
export function inSlots(numbers: Float32Array, { slots, slotOf }: Layout): Float32Array {
  const arranged = new Float32Array(slots);
  for (const [feature, slot] of slotOf.entries()) arranged[slot] = numbers[feature] as number;
  return arranged;
}

/** The operands in the slots of y. */
export const arranged = (plan: Plan, operands: readonly FeatureCache[], y: FeatureCache) =>
  operands.map((x) => inLayout(plan, x, y.layout, !y.isOnePixel)) as [FeatureCache, ...FeatureCache[]];

/** Copies features to the slots of another layout, each when it is ready. */
export function inLayout(plan: Plan, x: FeatureCache, layout: Layout, isWholeRow: boolean): FeatureCache {
  if (x.layout.isLike(layout)) return x;
  const extent = { rows: 1, margin: 0, isWholeRow: isWholeRow && !x.isOnePixel };
  const copy = new FeatureCache(plan, layout.withTimes(x.layout.times), extent, x.scale);
  addCopies(plan, copy.layout.times, copy.layout.slotOf, x.layout.slotOf, x, copy);
  return copy;
}

/** Copies features of the same pixel or an earlier one from their slots in x to their slots in y, each at its time. */
export function addCopies(
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
    const at = slots.map((of) => of[feature] as number);
    const { from, length } = last ?? { from: [], length: 0 };
    if (last?.time === time && at.every((slot, i) => slot === (from[i] as number) + length)) last.length++;
    else {
      last = { time, from: at, length: 1 };
      all.push(last);
    }
  }
  return all;
}
