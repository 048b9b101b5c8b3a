import { checkFunction, throwTypeError } from '../core/check';
import { type ConditionValues, part } from '../core/conditions';
import { type ImageShape, placeOf, valuesOf } from '../core/images';
import { memoryFor } from '../core/memory';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { distributionOf } from '../distributions/readers';
import { evaluatorFor } from '../engine/evaluator';
import { checkModel, type PortableModel } from '../program/program';
import { checkSignal, pauses } from '../sampling/options';
import { type Intervals, intervalsFor } from './intervals';

/** How to stop a job and follow its progress. */
export interface JobOptions {
  /** Stops the job: it rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Called as rows are done: values (channels of pixels) coded so far, of N*H*W*C in all images of the job. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

export const jobNames = { signal: true, onProgress: true } as const;

/** The greatest number of levels that can be coded: with more, frequencies would have no room to differ. */
const MOST_LEVELS = 2 ** 16;

/** A model and its distribution. */
export interface CodedModel {
  readonly model: PortableModel;
  readonly distribution: PixelDistribution;
  /** The user's own functions, to which `closure` nodes refer by index. */
  readonly closures: readonly ((x: number) => number)[];
}

/** A model that is plain data. */
export function codedModel(what: string, model: PortableModel): CodedModel {
  checkModel(what, model);
  return { model, distribution: distributionOf(model), closures: [] };
}

export function checkLevelCount(what: string, model: PortableModel): void {
  if (model.levels > MOST_LEVELS) throwTypeError(what, `at most ${MOST_LEVELS} levels`, model.levels);
}

export function checkJob(caller: string, { signal, onProgress }: JobOptions): void {
  checkSignal(`${caller}: signal`, signal);
  checkFunction(`${caller}: onProgress`, onProgress ?? (() => {}));
}

/** Images coded together: few enough to need little memory, enough that many share each weight that is loaded. */
const IMAGES_AT_A_TIME = 256;

/** How often other work gets a turn. */
const YIELD_MILLISECONDS = 125;

/** How a group of images is coded or decoded. */
interface GroupCoder {
  /** Codes the next value of the group's image n, and returns its level. */
  code(intervals: Intervals, n: number, index: number): number;
  finish(): void;
}

/** Walks through the values of images, group by group, in the order rows, columns, channels. */
export async function eachGroup(
  caller: string,
  { model, distribution, closures }: CodedModel,
  {
    numImages,
    imageShape,
    conditions,
  }: { numImages: number; imageShape: ImageShape; conditions: readonly ConditionValues[] },
  { signal, onProgress }: JobOptions,
  begin: (first: number, count: number) => GroupCoder,
): Promise<void> {
  const total = valuesOf(imageShape);
  const [rows, , numChannels] = imageShape;
  const pause = pauses(YIELD_MILLISECONDS);
  for (let first = 0; first < numImages; first += IMAGES_AT_A_TIME) {
    const group = Math.min(IMAGES_AT_A_TIME, numImages - first);
    const ofGroup = conditions.map((condition) => part(condition, first, group));
    const [evaluator, intervals] = memoryFor(caller, () => [
      evaluatorFor(model, { numImages: group, imageShape, conditions: ofGroup, distribution, closures }),
      intervalsFor(distribution, group),
    ]);
    const coder = begin(first, group);
    const [ofPixel, levels] = [new Int32Array(group * numChannels), new Int32Array(group)];
    for (let index = 0; index < total; index++) {
      signal?.throwIfAborted();
      const place = placeOf(index, imageShape);
      const [, , channel] = place;
      intervals.take({ outputs: evaluator.outputs(...place), channel, levels: ofPixel });
      for (let n = 0; n < group; n++) levels[n] = coder.code(intervals, n, index);
      evaluator.put(...place, levels);
      for (let n = 0; n < group; n++) ofPixel[n * numChannels + channel] = levels[n] as number;
      if ((index + 1) % (total / rows) === 0)
        onProgress?.({ done: first * total + group * (index + 1), total: numImages * total });
      const paused = pause();
      if (paused !== undefined) await paused;
    }
    coder.finish();
  }
  signal?.throwIfAborted();
}
