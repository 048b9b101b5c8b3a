import { anything, type Given, integer, optional, readArguments, type Values } from '../core/arguments';
import { checkInteger, checkLevel, throwTypeError } from '../core/check';
import { type ConditionData, numConditions, readConditions } from '../core/conditions';
import { type ImageShape, memoryFor, type Place, placeOf, resolveImageShape, valuesOf } from '../core/images';
import { logProbsFor, readOutputs } from '../distributions/readers';
import type { PortableModel } from '../program/program';
import { growingImages } from './growing-images';
import type { EngineModel } from './image-model';
import { portableImageModel } from './portable';

export const stepperOptions = {
  /** The number of images. @default 1, or the number in `condition` */
  numImages: optional(integer({ from: 1 })),
  /** [H, W, C]; required if the model takes images of any size. @default the model's */
  imageShape: optional(anything<ImageShape>()),
  /** The conditions of the images, as for `sample`. */
  condition: optional(anything<ConditionData>()),
};

/** Options of {@link stepper}. */
export interface StepperOptions extends Given<typeof stepperOptions> {}

/** Images that grow value by value under the caller's control: for search, particles, codecs, games. */
export interface Stepper {
  /** The next value; null after the last. */
  readonly place: Readonly<Place> | null;
  /**
   * The log-probabilities of every level of the next value given all values before it, in nats, [numImages * levels].
   * Valid until the next `put` or `copy`.
   */
  logProbs(): Float64Array;
  /** Sets the next value of each image, [numImages], and advances to the one after it. */
  put(levels: ArrayLike<number>): void;
  /** Replaces image n by image from[n], for all n, [numImages], for beams and particles. */
  copy(from: ArrayLike<number>): void;
  /** Releases all memory. */
  dispose(): void;
}

/**
 * Steps through images value by value, in the order rows, columns, channels. Its log-probabilities
 * are those that `sample` draws from, before temperature and filters, and that `logProb` sums.
 *
 * @throws TypeError naming the invalid option, here and in the methods; Error after the last value
 * or after `dispose`, and if the model's outputs are not finite
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { stepper } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const steps = stepper(await toPortable(model));
 * let nats = 0;
 * while (steps.place !== null) {
 *   nats += steps.logProbs()[0]; // of level 0
 *   steps.put([0]);
 * }
 * steps.dispose();
 * console.log(nats < 0); // true: log p of the image of zeros
 * ```
 */
export function stepper(model: PortableModel, options: StepperOptions = {}): Stepper {
  const engine = portableImageModel('stepper: model', model).inOrder('stepper: model');
  return stepThrough(engine, readArguments('stepper', options, stepperOptions));
}

/** Steps through images of a model that the engine evaluates: see {@link stepper}. */
export function stepThrough(
  model: EngineModel,
  { condition, ...given }: Values<typeof stepperOptions>,
): Stepper {
  const { levels, distribution } = model;
  const imageShape = resolveImageShape('stepper: imageShape', model.imageShape, given.imageShape);
  const numImages = checkInteger('stepper: numImages', given.numImages ?? (numConditions(condition) || 1), 1);
  const conditions = memoryFor('stepper', () =>
    readConditions('stepper: condition', model.conditions, condition, numImages, imageShape),
  );
  const total = valuesOf(imageShape);
  const allocate = () => {
    const evaluator = model.source({ numImages, imageShape, conditions });
    return {
      images: growingImages(evaluator, imageShape, numImages),
      reader: logProbsFor(distribution, numImages),
      logProbs: new Float64Array(numImages * levels),
    };
  };
  let memory: ReturnType<typeof allocate> | null = memoryFor('stepper', allocate);
  let index = 0;
  let isComputed = false;

  const held = () => {
    if (memory === null) throw new Error('stepper: it has been disposed');
    return memory;
  };
  const nextPlace = (): Place => {
    if (index === total) throw new Error('stepper: all values have been put');
    return placeOf(index, imageShape);
  };
  const checkLength = (what: string, list: ArrayLike<number>) => {
    if (list?.length !== numImages)
      throwTypeError(what, `an array of ${numImages}, one for each image`, list);
  };
  return {
    get place() {
      return index < total && memory !== null ? placeOf(index, imageShape) : null;
    },
    logProbs() {
      const { images, reader, logProbs } = held();
      const place = nextPlace();
      if (!isComputed) {
        const current = images.current(images.source.outputs(...place), place[2]);
        readOutputs('stepper', distribution, () => reader.ofAll(current, logProbs));
      }
      isComputed = true;
      return logProbs;
    },
    put(drawn) {
      const { images } = held();
      const place = nextPlace();
      checkLength('stepper: put', drawn);
      for (let n = 0; n < numImages; n++) checkLevel('stepper: put', drawn[n] as number, levels);
      images.put(place, drawn);
      index++;
      isComputed = false;
    },
    copy(from) {
      const { images } = held();
      checkLength('stepper: copy', from);
      for (let n = 0; n < numImages; n++) checkInteger('stepper: copy', from[n], 0, numImages - 1);
      images.copy(Int32Array.from(from));
      isComputed = false;
    },
    dispose() {
      memory?.images.source.release();
      memory = null;
    },
  };
}
