import { callback, optional, optionalSignal } from '../core/arguments';
import { type ConditionData, type NumericArray, readConditions, slicedCondition } from '../core/conditions';
import {
  checkImages,
  checkLevels,
  levelsArray,
  memoryFor,
  resolveImageShape,
  valuesOf,
} from '../core/images';
import type { ModelShape } from '../core/model-shape';
import { pauses } from '../core/pauses';
import { reportProgress } from '../core/progress';
import type { CurrentPixels } from '../distributions/pixel-distribution';
import { logProbsFor, readOutputs } from '../distributions/readers';
import { growingImages } from './growing-images';
import type {
  EngineModel,
  KnownImages,
  OrderedModel,
  ReadOutputs,
  WalkedImages,
  WalkHooks,
} from './image-model';

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

/** Checks images and their conditions, all before anything is computed. */
export function planImages(
  caller: string,
  model: ModelShape,
  images: NumericArray,
  condition: ConditionData | undefined,
): KnownImages {
  const what = `${caller}: images`;
  const { data, shape } = checkImages(what, images);
  const [numImages = 0, ...size] = shape;
  const imageShape = resolveImageShape(what, model.imageShape, size);
  checkLevels(what, data, model.levels);
  const given = `${caller}: condition`;
  const conditions = readConditions(given, model.conditions, condition, numImages, imageShape);
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
  model: EngineModel,
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
      const evaluator = model.source({ numImages: count, imageShape, conditions: ofGroup });
      return [growingImages(evaluator, imageShape, count), begin(first, count)] as const;
    });
    const levels = new Int32Array(count);
    const onRow = (done: number) =>
      onProgress && reportProgress(onProgress, { done: first * ofImage + count * done, total }, signal);
    await images.eachValue({ signal, pause, onRow }, (place, index) => {
      const current = images.current(images.source.outputs(...place), place[2]);
      readOutputs(caller, model.distribution, () => visitor.visit(current, index, levels));
      images.put(place, levels);
    });
    visitor.finish?.();
    images.source.release();
  }
  signal?.throwIfAborted();
}

/** Reads the outputs for all values of known images: in the engine, one value of all images of a group at a time. */
export async function eachOutput(
  caller: string,
  model: OrderedModel,
  images: KnownImages & WalkHooks,
  read: ReadOutputs,
): Promise<void> {
  if ('eachOutput' in model) return model.eachOutput(caller, images, read);
  const { data, imageShape } = images;
  const total = valuesOf(imageShape);
  await walkImages(caller, model, images, (first, count) => {
    const reader = logProbsFor(model.distribution, count);
    const values = new Int32Array(count);
    return {
      visit(current, index, levels) {
        for (let n = 0; n < count; n++) {
          const value = (first + n) * total + index;
          values[n] = value;
          levels[n] = data[value] as number;
        }
        read(reader, current, values);
      },
    };
  });
}
