import { wholeVectors } from '../kernels/instruction';

/** A range of slots, [start, end). */
export type SlotRange = readonly [start: number, end: number];

/** The slots of consecutive features that are ready at the same time. */
interface SlotRun {
  readonly range: SlotRange;
  readonly time: number;
}

/** Where a node's features lie in memory, in order, and when each is ready. Those ready at once form runs. */
export class Layout {
  private constructor(
    readonly times: readonly number[],
    readonly slotOf: readonly number[],
    readonly slots: number,
    /** The runs in order, each with the time at which it is computed. */
    readonly runs: readonly SlotRun[],
    /** Whether each run is a whole number of vectors. */
    readonly isAligned: boolean,
  ) {}

  /** A layout for features ready at these times, with each run padded to whole vectors if it is aligned. */
  static of(times: readonly number[], isAligned = true): Layout {
    const slotOf: number[] = [];
    const runs: SlotRun[] = [];
    let end = 0;
    for (let feature = 0; feature < times.length; ) {
      const start = end;
      const time = times[feature] as number;
      for (; feature < times.length && times[feature] === time; feature++) slotOf.push(end++);
      if (isAligned) end = wholeVectors(end);
      runs.push({ range: [start, end], time });
    }
    return new Layout(times, slotOf, end, runs, isAligned);
  }

  static concat(layouts: readonly Layout[]): Layout {
    const times: number[] = [];
    const slotOf: number[] = [];
    const runs: SlotRun[] = [];
    let end = 0;
    for (const layout of layouts) {
      for (const time of layout.times) times.push(time);
      for (const slot of layout.slotOf) slotOf.push(end + slot);
      for (const { range, time } of layout.runs) runs.push({ range: [end + range[0], end + range[1]], time });
      end += layout.slots;
    }
    const isAligned = layouts.every((layout) => layout.isAligned);
    return new Layout(times, slotOf, end, runs, isAligned);
  }

  withTimes(times: readonly number[]): Layout {
    return new Layout(times, this.slotOf, this.slots, this.runs, this.isAligned);
  }

  /** How many slots, counted from the first, contain all features ready by a time. */
  slotsReady(time: number): number {
    let feature = this.times.length - 1;
    while (feature >= 0 && (this.times[feature] as number) > time) feature--;
    return feature < 0 ? 0 : (this.slotOf[feature] as number) + 1;
  }

  hasTimes(times: readonly number[]): boolean {
    return areEqual(times, this.times);
  }

  /** Whether another layout has every feature in the same slot. */
  isLike(other: Layout): boolean {
    return this.slots === other.slots && areEqual(this.slotOf, other.slotOf);
  }
}

const areEqual = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i]);
