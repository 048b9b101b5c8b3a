import type { Tensor } from '@tensorflow/tfjs-core';
import type { Kernels } from '../../kernels/types';
import type { FeatureCache } from './feature-cache';
import type { Range } from './layout';

/** One thing to do at every pixel. */
export type Action = (kernels: Kernels) => void;

/** A program as it is laid out in the heap and over the steps of a pixel, before the heap is made. */
export class Machine {
  /** Floats of the heap that are taken. */
  floats = 0;
  /** What is written into the heap at first: weights. */
  readonly fills: Action[] = [];
  /** What is done when a pixel becomes the present one. */
  readonly pixelActions: Action[] = [];
  /** What is done once so many channels of the present pixel are known. */
  readonly stepActions: Action[][];

  constructor(
    readonly numImages: number,
    channels: number,
    private readonly weights: Map<Tensor, ArrayLike<number>>,
  ) {
    this.stepActions = Array.from({ length: channels + 1 }, () => []);
  }

  /** Takes so many floats of the heap, from a multiple of 4 on. */
  reserve(count: number): number {
    const start = this.floats;
    this.floats += 4 * Math.ceil(count / 4);
    return start;
  }

  /** The numbers of a weight. */
  numbers(weight: Tensor): ArrayLike<number> {
    return this.weights.get(weight) as ArrayLike<number>;
  }

  /** Adds an action for each run of slots that a cache has, in the step in which it is known. */
  eachRun({ layout }: FeatureCache, action: (range: Range, step: number) => Action): void {
    for (const [step, ranges] of layout.ranges.entries()) {
      for (const range of ranges) this.stepActions[step]?.push(action(range, step));
    }
  }
}
