import { type Instruction, later, type Operand, type OpName } from '../kernels/instruction';
import type { Layout } from './layout';
import type { Places } from './places';
import { FeatureCache, type Plan, type Sweep } from './plan';

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
    const operands = { y: y.operand(from), a: a.operand(from), b: later(b, from) };
    plan.emit(time, { op, ...operands, length: to - from, ...more }, y.places);
  }
}

/** One instruction for each of some equal groups of features. A group is ready at once, and contiguous. */
export function eachGroup(
  plan: Plan,
  y: FeatureCache,
  groups: number,
  codeOf: (slot: number, group: number) => Omit<Instruction, 'y' | 'length'>,
): void {
  const { times, slotOf } = y.layout;
  const length = times.length / groups;
  for (let group = 0; group < groups; group++) {
    const slot = slotOf[group * length] as number;
    const code = { ...codeOf(slot, group), y: y.operand(slot), length };
    plan.emit(times[group * length] as number, code, y.places);
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
  const copy = cacheBeside(plan, x, layout.withTimes(x.layout.times), isWholeRow);
  addCopies(plan, copy, copy.layout, x);
  return copy;
}

/** Memory for features in another layout, at the places of x. */
export function cacheBeside(plan: Plan, x: FeatureCache, layout: Layout, isWholeRow = true): FeatureCache {
  const extent = { rows: 1, margin: 0, isWholeRow: isWholeRow && !x.isOnePixel };
  return new FeatureCache(plan, layout, extent, x.scale);
}

type Features = Pick<FeatureCache, 'operand' | 'places'>;

interface CopyOptions {
  /** The slots in x. @default those of its layout */
  readonly slots?: readonly number[];
  /** The pixel in x, in rows and columns before the current one. @default [0, 0] */
  readonly from?: readonly [above: number, left: number];
  /** The direction in which features that are known for whole rows are copied, place by place. @default all at once */
  readonly sweep?: Sweep;
}

/** Copies features from their slots in x, of the same pixel or an earlier one, to those in y, each at its time. */
export function addCopies(
  plan: Plan,
  y: Features,
  { times, slotOf }: Pick<Layout, 'times' | 'slotOf'>,
  x: Pick<FeatureCache, 'operand' | 'layout'>,
  { slots = x.layout.slotOf, from: place = [0, 0], sweep }: CopyOptions = {},
): void {
  for (const { time, from, length } of commonRuns(times, slotOf, slots)) {
    const operands = { y: y.operand(from[0]), a: x.operand(from[1], ...place) };
    plan.emit(time, { op: 'copy', ...operands, length }, y.places, sweep);
  }
}

/** Memory for a number of features of each image that belong to no pixel. */
export function slotsOfImages(plan: Plan, slots: number, places: Places): Features {
  const { offset, ...memory } = plan.reserveForImages(1, slots);
  return { operand: (slot = 0) => ({ ...memory, offset: offset + slot }), places };
}

/** Features that are ready at the same time and contiguous in several layouts. */
interface CommonRun<Slots> {
  readonly time: number;
  /** The slot of the first feature in each layout. */
  readonly from: { readonly [Index in keyof Slots]: number };
  length: number;
}

/** Finds the common runs, given the time of each feature and its slot in each layout. */
export function commonRuns<Slots extends (readonly number[])[]>(times: readonly number[], ...slots: Slots) {
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
