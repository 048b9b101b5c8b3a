/** Slots side by side, [start, end). */
export type Range = readonly [start: number, end: number];

/**
 * Where the features of one node lie in memory, and when each is known. A feature's step is the number of channels of the
 * present pixel that must have been drawn before it can be computed: 0 where it depends on earlier pixels only. Features are kept in
 * order; those of one step that follow each other form a run, padded to a multiple of `align` slots.
 */
export class Layout {
  /** The slot of each feature. */
  readonly slotOf: Int32Array;
  /** Slots in all. */
  readonly slots: number;
  /** For each step, the slots that are computed in it. */
  readonly ranges: readonly (readonly Range[])[];

  constructor(
    readonly steps: readonly number[],
    lastStep: number,
    align: number,
  ) {
    this.slotOf = new Int32Array(steps.length);
    const ranges: Range[][] = Array.from({ length: lastStep + 1 }, () => []);
    let end = 0;
    for (let feature = 0; feature < steps.length; ) {
      const start = end;
      const step = steps[feature] as number;
      for (; feature < steps.length && steps[feature] === step; feature++) this.slotOf[feature] = end++;
      end = start + align * Math.ceil((end - start) / align);
      ranges[step]?.push([start, end]);
    }
    this.slots = end;
    this.ranges = ranges;
  }

  /** How many slots, from the first on, hold all features known in a step. */
  slotsKnown(step: number): number {
    let known = 0;
    for (const [feature, at] of this.steps.entries()) {
      if (at <= step) known = (this.slotOf[feature] as number) + 1;
    }
    return known;
  }

  /** Whether another layout has every feature in the same slot and step. */
  isLike(other: Layout): boolean {
    return (
      this.slots === other.slots &&
      this.steps.length === other.steps.length &&
      this.steps.every((step, feature) => step === other.steps[feature])
    );
  }
}
