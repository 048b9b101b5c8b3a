import { checkFunction, checkSignal } from '../core/check';
import { type ConditionValues, slicedCondition } from '../core/conditions';
import { type ImageShape, placeOf, valuesOf } from '../core/images';
import { memoryFor } from '../core/memory';
import { inParts, pauses } from '../core/pauses';
import { tell } from '../core/progress';
import type { PixelDistribution, PresentPixels } from '../distributions/pixel-distribution';
import { readOutputs } from '../distributions/readers';
import { evaluatorFor } from '../engine/evaluator';
import type { PortableModel } from '../program/program';

// A walk through the values of whole images, which scoring, compressing and decompressing share.

/** How to stop a walk and follow its progress. */
export interface WalkOptions {
  /** Stops the job: it rejects with `signal.reason`. */
  signal?: AbortSignal;
  /**
   * Called as rows are done, with the number of values (channels of pixels) done so far, out of N*H*W*C. A promise that
   * it returns is waited for; if it throws or rejects, so does the job.
   */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** The names of {@link WalkOptions}. */
export const walkOptionNames = { signal: true, onProgress: true } as const;

/** Checks that both are what they should be, and that the signal has not aborted yet. */
export function checkWalkOptions(caller: string, { signal, onProgress }: WalkOptions): void {
  checkSignal(`${caller}: signal`, signal);
  checkFunction(`${caller}: onProgress`, onProgress ?? (() => {}));
}

/** A model, and what its outputs mean. */
export interface WalkedModel {
  readonly model: PortableModel;
  readonly distribution: PixelDistribution;
}

/** The images to walk through. */
export interface WalkedImages {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
}

/** What is done at the values of a group of images. */
export interface Visitor {
  /**
   * Called at each value in turn, with the model's outputs for it and its index in an image. Writes the levels that the
   * images have there to `levels` [images].
   */
  visit(present: PresentPixels, index: number, levels: Int32Array): void;
  /** Called after the last value. */
  finish?(): void;
}

/** Images visited together: few enough to need little memory, enough that many share each weight that is loaded. */
const IMAGES_AT_A_TIME = 256;

/**
 * Walks through the values of images in the order rows, columns, channels, one group of images after another. `begin`
 * makes the visitor of a group, given the index of its first image and their number.
 */
export async function walkImages(
  caller: string,
  { model, distribution }: WalkedModel,
  { numImages, imageShape, conditions }: WalkedImages,
  { signal, onProgress }: WalkOptions,
  begin: (first: number, count: number) => Visitor,
): Promise<void> {
  const total = valuesOf(imageShape);
  const [rows, , numChannels] = imageShape;
  const rowSize = total / rows;
  const pause = pauses();
  for (let first = 0; first < numImages; first += IMAGES_AT_A_TIME) {
    const count = Math.min(IMAGES_AT_A_TIME, numImages - first);
    const ofGroup = conditions.map((condition) => slicedCondition(condition, first, count));
    const [evaluator, visitor] = memoryFor(caller, () => [
      evaluatorFor(model, { numImages: count, imageShape, conditions: ofGroup, distribution }),
      begin(first, count),
    ]);
    const ofPixel = new Int32Array(count * numChannels); // levels of the present pixel so far, [images,C]
    const levels = new Int32Array(count);
    for (let index = 0; index < total; index++) {
      signal?.throwIfAborted();
      const place = placeOf(index, imageShape);
      const [row, , channel] = place;
      if (index % rowSize === 0) await inParts(evaluator.beginRow(row), pause, signal);
      const present = { outputs: evaluator.outputs(...place), channel, levels: ofPixel };
      readOutputs(caller, distribution, () => visitor.visit(present, index, levels));
      evaluator.put(...place, levels);
      for (let n = 0; n < count; n++) ofPixel[n * numChannels + channel] = levels[n] as number;
      const isRowDone = (index + 1) % rowSize === 0;
      const done = first * total + count * (index + 1);
      if (onProgress !== undefined && isRowDone)
        await tell(onProgress, { done, total: numImages * total }, signal);
      const paused = pause();
      if (paused !== undefined) await paused;
    }
    visitor.finish?.();
    evaluator.release();
  }
  signal?.throwIfAborted();
}
