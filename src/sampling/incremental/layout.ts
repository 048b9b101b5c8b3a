/** Slots side by side, [start, end). */
export type Range = readonly [start: number, end: number];

/** Slots of a run are a multiple of this: the floats of a vector. */
const ALIGN = 4;

/**
 * Where the features of one node lie in memory, and in which step each is known (see `stepsOf`). Features are kept in order; those of one step that follow
 * each other form a run.
 */
export class Layout {
  private constructor(
    readonly steps: readonly number[],
    /** The slot of each feature. */
    readonly slotOf: readonly number[],
    /** Slots in all. */
    readonly slots: number,
    /** The runs in order, each with the step in which it is computed. */
    readonly runs: readonly { readonly range: Range; readonly step: number }[],
    /** Whether each run is a whole number of vectors. */
    readonly isAligned: boolean,
  ) {}

  /** Features known in these steps, each run padded to whole vectors. */
  static of(steps: readonly number[]): Layout {
    return Layout.inRuns(steps, ALIGN);
  }

  /** The same without padding. */
  static dense(steps: readonly number[]): Layout {
    return Layout.inRuns(steps, 1);
  }

  private static inRuns(steps: readonly number[], align: number): Layout {
    const slotOf: number[] = [];
    const runs: { range: Range; step: number }[] = [];
    let end = 0;
    for (let feature = 0; feature < steps.length; ) {
      const start = end;
      const step = steps[feature] as number;
      for (; feature < steps.length && steps[feature] === step; feature++) slotOf.push(end++);
      end = start + align * Math.ceil((end - start) / align);
      runs.push({ range: [start, end], step });
    }
    return new Layout(steps, slotOf, end, runs, align === ALIGN);
  }

  /** One after the other. */
  static concat(layouts: readonly Layout[]): Layout {
    const steps: number[] = [];
    const slotOf: number[] = [];
    const runs: { range: Range; step: number }[] = [];
    let end = 0;
    for (const layout of layouts) {
      steps.push(...layout.steps);
      slotOf.push(...layout.slotOf.map((slot) => end + slot));
      runs.push(...layout.runs.map(({ range: [from, to], step }) => ({ range: [end + from, end + to] as const, step }))); // biome-ignore format: one line
      end += layout.slots;
    }
    return new Layout(
      steps,
      slotOf,
      end,
      runs,
      layouts.every(({ isAligned }) => isAligned),
    );
  }

  /** The same slots, for features known in other steps. */
  withSteps(steps: readonly number[]): Layout {
    return new Layout(steps, this.slotOf, this.slots, this.runs, this.isAligned);
  }

  /** How many slots, from the first on, hold all features known in a step. */
  slotsKnown(step: number): number {
    let known = 0;
    for (const [feature, at] of this.steps.entries()) {
      if (at <= step) known = (this.slotOf[feature] as number) + 1;
    }
    return known;
  }

  /** Whether its features are known in these steps. */
  hasSteps(steps: readonly number[]): boolean {
    return steps.length === this.steps.length && steps.every((step, feature) => step === this.steps[feature]);
  }

  /** Whether another layout has every feature in the same slot. */
  isLike(other: Layout): boolean {
    return (
      this.slots === other.slots &&
      this.slotOf.length === other.slotOf.length &&
      this.slotOf.every((slot, feature) => slot === other.slotOf[feature])
    );
  }
}
