import { type Instruction, Op, type Operand, type OpName } from '../kernels/instruction';
import type { Layout } from './layout';
import { FeatureCache, type Plan } from './plan';

// Features are computed in runs: one instruction for features that are ready together and contiguous in memory.

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

/** An operand in the slots of y. */
export const arranged = (plan: Plan, x: FeatureCache, y: FeatureCache): FeatureCache =>
  inLayout(plan, x, y.layout, !y.isOnePixel);

/** Copies features to the slots of another layout, each when it is ready. */
export function inLayout(plan: Plan, x: FeatureCache, layout: Layout, isWholeRow: boolean): FeatureCache {
  if (x.layout.isLike(layout)) return x;
  const extent = { rows: 1, margin: 0, isWholeRow: isWholeRow && !x.isOnePixel };
  const copy = new FeatureCache(plan, layout.withTimes(x.layout.times), extent, x.scale);
  addCopies(plan, copy, copy.layout, x);
  return copy;
}

/** Copies features from their slots in x, of the same pixel or an earlier one, to those in y, each at its time. */
export function addCopies(
  plan: Plan,
  y: Pick<FeatureCache, 'operand' | 'places'>,
  { times, slotOf }: Pick<Layout, 'times' | 'slotOf'>,
  x: FeatureCache,
  xSlots = x.layout.slotOf,
  above = 0,
  left = 0,
): void {
  for (const { time, from, length } of commonRuns(times, slotOf, xSlots)) {
    const operands = { y: y.operand(from[0]), a: x.operand(from[1], above, left) };
    plan.emit(time, { op: Op.copy, ...operands, length }, y.places);
  }
}

/** Features that are ready at the same time and contiguous in several layouts. */
interface CommonRun<Slots> {
  readonly time: number;
  /** The slot of the first feature in each layout. */
  readonly from: { readonly [Index in keyof Slots]: number };
  length: number;
}

/** Finds the common runs, given the time of each feature and its slot in each layout. */
export function commonRuns<Slots extends (readonly number[])[]>(
  times: readonly number[],
  ...slots: Slots
): CommonRun<Slots>[] {
  const all: CommonRun<Slots>[] = [];
  for (const [feature, time] of times.entries()) {
    const from = slots.map((of) => of[feature]) as CommonRun<Slots>['from'] & number[];
    const last = all.at(-1);
    if (last?.time === time && from.every((slot, i) => slot === (last.from[i] as number) + last.length))
      last.length++;
    else all.push({ time, from, length: 1 });
  }
  return all;
}
