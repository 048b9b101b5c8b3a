import { wholeVectors } from '../../kernels/vector';

/** Slots side by side, [start, end). */
export type Range = readonly [start: number, end: number];

/** The slots of features of one step that follow each other. */
interface Stretch {
  readonly range: Range;
  readonly step: number;
}

/**
 * Where the features of one node lie in memory, and in which step each is known (see `stepsOf`). Features are
 * kept in order; those of one step that follow each other form a stretch.
 */
export class Layout {
  private constructor(
    readonly steps: readonly number[],
    /** The slot of each feature. */
    readonly slotOf: readonly number[],
    /** Slots in all. */
    readonly slots: number,
    /** The stretches in order, each with the step in which it is computed. */
    readonly stretches: readonly Stretch[],
    /** Whether each stretch is a whole number of vectors. */
    readonly isAligned: boolean,
  ) {}

  /** Features known in these steps, each stretch padded to whole vectors. */
  static of(steps: readonly number[]): Layout {
    return Layout.inStretches(steps, true);
  }

  /** The same without padding. */
  static dense(steps: readonly number[]): Layout {
    return Layout.inStretches(steps, false);
  }

  private static inStretches(steps: readonly number[], isAligned: boolean): Layout {
    const slotOf: number[] = [];
    const stretches: Stretch[] = [];
    let end = 0;
    for (let feature = 0; feature < steps.length; ) {
      const start = end;
      const step = steps[feature] as number;
      for (; feature < steps.length && steps[feature] === step; feature++) slotOf.push(end++);
      if (isAligned) end = wholeVectors(end);
      stretches.push({ range: [start, end], step });
    }
    return new Layout(steps, slotOf, end, stretches, isAligned);
  }

  /** One after the other. */
  static concat(layouts: readonly Layout[]): Layout {
    const steps: number[] = [];
    const slotOf: number[] = [];
    const stretches: Stretch[] = [];
    let end = 0;
    for (const layout of layouts) {
      steps.push(...layout.steps);
      slotOf.push(...layout.slotOf.map((slot) => end + slot));
      for (const { range, step } of layout.stretches)
        stretches.push({ range: [end + range[0], end + range[1]], step });
      end += layout.slots;
    }
    const isAligned = layouts.every((layout) => layout.isAligned);
    return new Layout(steps, slotOf, end, stretches, isAligned);
  }

  /** The same slots, for features known in other steps. */
  withSteps(steps: readonly number[]): Layout {
    return new Layout(steps, this.slotOf, this.slots, this.stretches, this.isAligned);
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
