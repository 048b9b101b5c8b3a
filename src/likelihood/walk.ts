import { callback, optional, optionalSignal, type Values } from '../core/arguments';
import {
  type ConditionData,
  type ConditionValues,
  type NumericArray,
  readConditions,
  slicedCondition,
} from '../core/conditions';
import {
  checkImages,
  checkLevels,
  type ImageShape,
  type Images,
  levelsArray,
  memoryFor,
  resolveImageShape,
  valuesOf,
} from '../core/images';
import { pauses } from '../core/pauses';
import { reportProgress } from '../core/progress';
import { givenConditions } from '../core/symmetries';
import type { CurrentPixels, PixelDistribution } from '../distributions/pixel-distribution';
import { readOutputs } from '../distributions/readers';
import { evaluatorFor } from '../engine/evaluator';
import type { PortableModel } from '../program/program';
import { growingImages } from '../sampling/growing-images';
import type { ModelShape } from '../sampling/options';

/** How to stop a walk and follow its progress. */
export const walkArguments = {
  /** Stops the job, which rejects with `signal.reason`. */
  signal: optionalSignal(),
  /**
   * Called as rows are done, with the number of values (channels of pixels) done so far, out of
   * N*H*W*C. The job waits for a promise that it returns, and fails if it throws or rejects.
   */
  onProgress: optional(callback<(progress: { done: number; total: number }) => void>()),
};

export type WalkHooks = Values<typeof walkArguments>;

/** The images to walk through. */
export interface WalkedImages {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
}

/** Checked images that are given before the walk. */
export interface GivenImages extends WalkedImages {
  /** A copy, since the caller may change the original. */
  readonly data: Images['data'];
}

/** Checks images and their conditions, all before anything is computed. */
export function planImages(
  caller: string,
  model: ModelShape,
  images: NumericArray,
  condition: ConditionData | undefined,
): GivenImages {
  const what = `${caller}: images`;
  const { data, shape } = checkImages(what, images);
  const [numImages = 0, ...size] = shape;
  const imageShape = resolveImageShape(what, model.imageShape, size);
  checkLevels(what, data, model.levels);
  const given = `${caller}: condition`;
  const conditions = readConditions(given, givenConditions(model), condition, numImages, imageShape);
  const copy = memoryFor(caller, () => levelsArray(data.length, model.levels));
  copy.set(data);
  return { data: copy, numImages, imageShape, conditions };
}

/** Visits the values of a group of images. */
interface Visitor {
  /** Receives the model's outputs for a value and its index in an image, and writes the value's `levels` [images]. */
  visit(current: CurrentPixels, index: number, levels: Int32Array): void;
  /** Called after the last value. */
  finish?(): void;
}

/** The images of a group: few enough to need little memory, and enough to share each weight that is loaded. */
const IMAGES_AT_A_TIME = 256;

/** Visits values in the order rows, columns, channels, group by group. `begin` makes the visitor of a group. */
export async function walkImages(
  caller: string,
  model: PortableModel,
  distribution: PixelDistribution,
  { numImages, imageShape, conditions, signal, onProgress }: WalkedImages & WalkHooks,
  begin: (first: number, count: number) => Visitor,
): Promise<void> {
  const ofImage = valuesOf(imageShape);
  const total = numImages * ofImage;
  const pause = pauses();
  for (let first = 0; first < numImages; first += IMAGES_AT_A_TIME) {
    const count = Math.min(IMAGES_AT_A_TIME, numImages - first);
    const ofGroup = conditions.map((condition) => slicedCondition(condition, first, count));
    const [images, visitor] = memoryFor(caller, () => {
      const group = { numImages: count, imageShape, conditions: ofGroup, distribution };
      const evaluator = evaluatorFor(model, group);
      return [growingImages(evaluator, imageShape, count), begin(first, count)] as const;
    });
    const levels = new Int32Array(count);
    const onRow = (done: number) =>
      onProgress && reportProgress(onProgress, { done: first * ofImage + count * done, total }, signal);
    await images.eachValue({ signal, pause, onRow }, (place, index) => {
      const current = images.current(images.source.outputs(...place), place[2]);
      readOutputs(caller, distribution, () => visitor.visit(current, index, levels));
      images.put(place, levels);
    });
    visitor.finish?.();
    images.source.release();
  }
  signal?.throwIfAborted();
}
