import * as tf from '@tensorflow/tfjs-core';
import type { SymmetricModel } from '../models/symmetric';
import {
  checked,
  flag,
  type Given,
  group,
  integer,
  number,
  optional,
  readArguments,
} from '../runtime/core/arguments';
import { checkInteger, checkMemory, MAX_CATEGORIES, throwTypeError } from '../runtime/core/check';
import { normalizedLevel } from '../runtime/core/images';
import { uniformsOf } from '../runtime/core/random';
import { checkImageSet, type ImageSetArgs, quantized } from './image-set';

const dropArguments = {
  /** The probability of dropping the class of an image, in each epoch; 0.1 is common. */
  probability: number('from 0 to 1', (p) => p >= 0 && p <= 1),
  /** The null class, which replaces dropped classes: `numClasses` of a model with `nullClass: true`. */
  nullClass: integer({ from: 1, to: MAX_CATEGORIES }),
};

/** How classes are dropped, for {@link ImageBatchOptions.dropClass}. */
export interface DropClassArgs extends Given<typeof dropArguments> {}

const declared = {
  /** B, the number of images in a batch. */
  batchSize: integer({ from: 1 }),
  /** Whether to shuffle each epoch; otherwise images keep the order of the set. @default true */
  shuffle: flag(true),
  /** Determines the order of shuffled images, which classes are dropped, and orientations. @default 0 */
  seed: optional(integer(), 0),
  /** Whether epochs repeat endlessly; otherwise there is only one. @default true */
  repeat: flag(true),
  /** L of the batches, to which images are quantized as by {@link quantize}. @default the images' L */
  levels: optional(integer({ from: 2 })),
  /** Whether batches have the class of each image; `xs` is then [images, classes]. @default false */
  withClasses: flag(false),
  /**
   * Drops the classes of some images, so that a model with a null class also learns to draw without a class
   * (Ho and Salimans, "Classifier-Free Diffusion Guidance", https://arxiv.org/abs/2207.12598, algorithm 1).
   * For training only, not for evaluation. Requires `withClasses`.
   * @default drops none
   */
  dropClass: optional(group(dropArguments)),
  /**
   * A symmetric model, with `asCondition`. Each image is then in one of its G elements, drawn anew in each epoch, which
   * is also its class, or with `withClasses` the image's class * G plus that, and `xs` is [images, classes]. Excludes
   * `dropClass`, which would drop elements too.
   * @default images as they are
   */
  orientations: optional(
    checked<Pick<SymmetricModel, 'numElements' | 'orient'>>((what, given) => {
      if (!(given as SymmetricModel).orient) throwTypeError(what, 'a symmetric model', given);
      return given as SymmetricModel;
    }),
  ),
  /** The first batch: the number of steps done so far, to continue where training left off. @default 0 */
  firstStep: optional(integer(), 0),
};

/** Options of {@link imageBatches}. */
export interface ImageBatchOptions extends Given<typeof declared> {}

/** The input of a training step. Whoever receives it disposes it by `tf.dispose(batch)`. */
// A type, not an interface: otherwise TypeScript would not accept it as a TensorContainer of tfjs.
export type ImageBatch<Inputs extends tf.Tensor4D | [tf.Tensor4D, tf.Tensor2D] = tf.Tensor4D> = {
  /**
   * The model's input: level / (L-1), float32 in [0, 1], [B,H,W,C]; with `withClasses` or `orientations` also the
   * classes, int32 [B,1].
   */
  readonly xs: Inputs;
  /** The levels 0..L-1 that the model predicts, int32 [B,H,W,C]. */
  readonly ys: tf.Tensor4D;
};

/** Batches of a set of images. Every iterator starts again at batch `firstStep`. */
export interface ImageBatches<Batch = ImageBatch> extends Iterable<Batch> {
  /** How many batches contain all N images: N / B, rounded up. */
  readonly stepsPerEpoch: number;
}

/**
 * Makes batches for training. Epoch e contains every image once, in an order that depends only on `seed` and e. With
 * `repeat`, epochs form one endless sequence of full batches, which may span two epochs; `firstStep: k` starts with
 * batch k of that sequence. Without `repeat` there is only epoch 0, and its last batch may be smaller.
 *
 * Whoever takes a batch from the iterator must dispose it, by `tf.dispose(batch)`. `fitDataset` and `evaluateDataset`
 * do so themselves: pass them `tf.data.generator(() => batches[Symbol.iterator]())`, and with `repeat` also
 * `batchesPerEpoch: batches.stepsPerEpoch` (`batches` for `evaluateDataset`), so that they end.
 *
 * @param images the images, which are not copied, so do not change them
 * @returns an iterable, which makes the tensors of one batch at a time
 * @throws TypeError naming the invalid option, or if the images fail the checks of {@link imageSet}.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { imageBatches, imageSet } from 'pixelcnn-layers/data';
 * const images = imageSet({ data: new Uint8Array(10 * 64), shape: [10, 8, 8, 1], levels: 17 });
 * const batches = imageBatches(images, { batchSize: 4, seed: 1 });
 * console.log(batches.stepsPerEpoch); // 3
 * for (const batch of batches) {
 *   console.log(batch.xs.shape); // [4, 8, 8, 1]
 *   tf.dispose(batch); // after await model.trainOnBatch(batch.xs, batch.ys)
 *   break; // the epochs repeat without end
 * }
 * ```
 */
export function imageBatches(
  images: ImageSetArgs,
  options: ImageBatchOptions & Required<Pick<ImageBatchOptions, 'orientations'>>,
): ImageBatches<ImageBatch<[tf.Tensor4D, tf.Tensor2D]>>;
export function imageBatches<WithClasses extends boolean = false>(
  images: ImageSetArgs,
  options: ImageBatchOptions & { withClasses?: WithClasses },
): ImageBatches<ImageBatch<WithClasses extends true ? [tf.Tensor4D, tf.Tensor2D] : tf.Tensor4D>>;
export function imageBatches(
  images: ImageSetArgs,
  options: ImageBatchOptions,
): ImageBatches<ImageBatch<tf.Tensor4D | [tf.Tensor4D, tf.Tensor2D]>> {
  const { data, shape, levels: imageLevels, labels } = checkImageSet('imageBatches: images', images);
  const [n, h, w, c] = shape;
  const values = readArguments('imageBatches', options, declared);
  const { batchSize, shuffle, seed, repeat, withClasses, dropClass, orientations, firstStep } = values;
  checkMemory('imageBatches: batchSize', [batchSize, h, w, c]);
  if (withClasses && labels === undefined)
    throwTypeError('imageBatches: withClasses', 'images with labels', labels);
  const { numElements = 1, orient } = orientations ?? {};
  if (dropClass !== undefined) {
    const what = 'imageBatches: dropClass';
    if (labels === undefined || !withClasses) throwTypeError(what, 'withClasses: true too', undefined);
    const { nullClass } = dropClass;
    if (orient) throwTypeError(what, 'no orientations', nullClass);
    let last = 0;
    for (const label of labels) last = Math.max(last, label);
    if (nullClass <= last)
      throwTypeError(`${what}: nullClass`, `one above all classes, so at least ${last + 1}`, nullClass);
  }
  const ownClasses = withClasses ? labels : undefined;
  const levels = checkInteger('imageBatches: levels', values.levels ?? imageLevels, 2, imageLevels);
  checkInteger('imageBatches: firstStep', firstStep, 0, Math.floor(Number.MAX_SAFE_INTEGER / batchSize) - 1);

  const imageSize = h * w * c;
  const stepsPerEpoch = Math.ceil(n / batchSize);
  const toLevel = quantized(imageLevels, levels);

  function* iterate(): Generator<ImageBatch<tf.Tensor4D | [tf.Tensor4D, tf.Tensor2D]>, void, undefined> {
    const imageAt = shuffle
      ? keptByEpoch(n, (epoch) => epochOrder(n, seed, epoch))
      : (place: number) => place % n;
    const noiseOf = (name: string) =>
      keptByEpoch(n, (epoch) => Float64Array.from({ length: n }, uniformsOf(`${seed}/${name}/${epoch}`)));
    const [dropAt, orientationAt] = [noiseOf('drop'), noiseOf('orientation')];
    for (let step = firstStep; repeat || step < stepsPerEpoch; step++) {
      const start = step * batchSize;
      const count = repeat ? batchSize : Math.min(batchSize, n - start);
      const upright = new Int32Array(count * imageSize);
      const classes = new Int32Array(count);
      const elements = new Int32Array(count);
      for (let b = 0; b < count; b++) {
        const image = imageAt(start + b);
        const isDropped = dropClass !== undefined && dropAt(start + b) < dropClass.probability;
        const own = (isDropped ? dropClass.nullClass : ownClasses?.[image]) ?? 0;
        elements[b] = orientationAt(start + b) * numElements; // rounded down
        classes[b] = own * numElements + (elements[b] as number);
        const from = image * imageSize;
        for (let d = 0; d < imageSize; d++)
          upright[b * imageSize + d] = toLevel[data[from + d] as number] as number;
      }
      const ys = orient?.(upright, [h, w, c], elements) ?? upright;
      const xs = new Float32Array(ys).map((level) => normalizedLevel(level, levels));
      const inputs = tf.tensor4d(xs, [count, h, w, c]);
      yield {
        xs: withClasses || orient ? [inputs, tf.tensor2d(classes, [count, 1])] : inputs,
        ys: tf.tensor4d(ys, [count, h, w, c]), // int32, as its numbers
      };
    }
  }

  return { stepsPerEpoch, [Symbol.iterator]: iterate };
}

/** Returns the number at each place of endless epochs of `count` places each. Keeps the numbers of one epoch. */
function keptByEpoch(count: number, numbersOf: (epoch: number) => ArrayLike<number>) {
  let kept: { epoch: number; numbers: ArrayLike<number> } | undefined;
  return (place: number): number => {
    const epoch = Math.floor(place / count);
    if (kept?.epoch !== epoch) kept = { epoch, numbers: numbersOf(epoch) };
    return kept.numbers[place % count] as number;
  };
}

/** The images 0..count-1 in the order of one epoch: a shuffle (Fisher and Yates). */
export function epochOrder(count: number, seed: number, epoch: number): Uint32Array {
  const random = uniformsOf(`${seed}/epoch/${epoch}`);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
