import { type Tensor2D, type Tensor4D, tensor2d, tensor4d } from '@tensorflow/tfjs-core';
import {
  checkArgs,
  checkBoolean,
  checkCategories,
  checkInteger,
  checkMemory,
  checkNumber,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import { normalizedLevel } from '../core/images';
import { uniformsOf } from '../sampling/noise';
import { checkImageSet, type ImageSet } from './image-set';
import { quantized } from './quantize';

/** How classes are dropped, for {@link ImageBatchOptions.dropClass}. */
export interface DropClassArgs {
  /** That of each image, each epoch anew, from 0 to 1; 0.1 is common. */
  probability: number;
  /** What comes instead of the class: that of no class, `numClasses` of a model with `nullClass: true`. */
  nullClass: number;
}

const dropNames: NamesOf<DropClassArgs> = { probability: true, nullClass: true };

/** Options of {@link imageBatches}. */
export interface ImageBatchOptions {
  /** B, images a batch. */
  batchSize: number;
  /** Whether every epoch has an order of its own, or all have that of the set. @default true */
  shuffle?: boolean;
  /** Decides the orders, where they are shuffled, and which classes are dropped. @default 0 */
  seed?: number;
  /** Whether epoch follows epoch without end, or there is one. @default true */
  repeat?: boolean;
  /** L of the batches, to which each is quantized as by {@link quantize}. @default that of the images */
  levels?: number;
  /**
   * Whether a batch also has the class of each image, from the labels of the set: `xs` is then [images,
   * classes], as models conditioned on a class take it.
   * @default false
   */
  withClasses?: boolean;
  /**
   * Takes the classes of some images away, so that a model with a null class also learns what images are like
   * whatever their class. For training: leave it out where a model is evaluated. Comes with `withClasses`.
   *
   * Source: Ho and Salimans, "Classifier-Free Diffusion Guidance" (2022), https://arxiv.org/abs/2207.12598,
   * algorithm 1.
   * @default none is dropped
   */
  dropClass?: DropClassArgs;
  /** The batch to begin with: the steps done so far, to go on where training left off. @default 0 */
  firstStep?: number;
}

const optionNames: NamesOf<ImageBatchOptions> = {
  batchSize: true,
  shuffle: true,
  seed: true,
  repeat: true,
  levels: true,
  withClasses: true,
  dropClass: true,
  firstStep: true,
};

/** What a training step takes. Who takes it disposes it: `tf.dispose(batch)`. */
// A type and not an interface: only so does TypeScript take it for tfjs's TensorContainer.
export type ImageBatch<Inputs extends Tensor4D | [Tensor4D, Tensor2D] = Tensor4D> = {
  /** The model's input: level / (L-1), float32 in [0, 1], [B,H,W,C]; with classes also those, int32 [B,1]. */
  readonly xs: Inputs;
  /** The levels 0..L-1, which it predicts, int32 [B,H,W,C]. */
  readonly ys: Tensor4D;
};

/** Batches of a set of images; every iterator begins anew with batch `firstStep`. */
export interface ImageBatches<Batch = ImageBatch> extends Iterable<Batch> {
  /** The batches that hold N images: N / B, rounded up. */
  readonly stepsPerEpoch: number;
}

/**
 * Batches for training, as tensors made one batch at a time: the set itself stays as it is, a byte or two a value.
 *
 * Epoch e holds every image once, in an order that only `seed` and e decide. With `repeat` the epochs are one
 * sequence without end, and batch k holds its places k*B to k*B+B-1: a batch may end one epoch and begin the
 * next, so every batch is whole. All that an iteration has of state is thus its step, and `firstStep: k` goes
 * on with batch k as if the k before it had been taken. Without `repeat` there is epoch 0 alone, and its last
 * batch may be smaller.
 *
 * Disposal: a batch belongs to who takes it from the iterator, and `tf.dispose(batch)` frees it. tfjs's
 * `fitDataset` and `evaluateDataset` take and free them by themselves: give them `tf.data.generator(() =>
 * batches[Symbol.iterator]())`, and with `repeat` also `batchesPerEpoch: batches.stepsPerEpoch` (`batches`
 * for `evaluateDataset`), since they would never end.
 *
 * @param images are not copied, so they must not change
 * @returns an iterable; no tensor is made before a batch is taken
 * @throws TypeError naming the option; or where the images are not as {@link imageSet} checks them.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { imageBatches, imageSet } from 'pixelcnn-layers/data';
 * const images = imageSet({ data: new Uint8Array(10 * 64), shape: [10, 8, 8, 1], levels: 17 });
 * const batches = imageBatches(images, { batchSize: 4, seed: 1 });
 * console.log(batches.stepsPerEpoch); // 3
 * let step = 0;
 * for (const batch of batches) {
 *   // here: await model.trainOnBatch(batch.xs, batch.ys)
 *   if (step === 0) console.log(batch.xs.shape); // [4, 8, 8, 1]
 *   tf.dispose(batch);
 *   if (++step === 6) break;
 * }
 * ```
 */
export function imageBatches(
  images: ImageSet,
  options: ImageBatchOptions & { withClasses: true },
): ImageBatches<ImageBatch<[Tensor4D, Tensor2D]>>;
export function imageBatches(
  images: ImageSet,
  options: ImageBatchOptions & { withClasses?: false },
): ImageBatches;
export function imageBatches(
  images: ImageSet,
  options: ImageBatchOptions,
): ImageBatches<ImageBatch<Tensor4D | [Tensor4D, Tensor2D]>>;
export function imageBatches(
  images: ImageSet,
  options: ImageBatchOptions,
): ImageBatches<ImageBatch<Tensor4D | [Tensor4D, Tensor2D]>> {
  const { data, shape, levels: imageLevels, labels } = checkImageSet('imageBatches: images', images);
  const [n, h, w, c] = shape;
  checkArgs('imageBatches: options', options, optionNames);
  const { shuffle = true, seed = 0, repeat = true, firstStep = 0, levels = imageLevels } = options;
  const { withClasses = false } = options;
  const batchSize = checkInteger('imageBatches: batchSize', options.batchSize, 1);
  checkMemory('imageBatches: batchSize', [batchSize, h, w, c]);
  checkBoolean('imageBatches: shuffle', shuffle);
  checkInteger('imageBatches: seed', seed);
  checkBoolean('imageBatches: repeat', repeat);
  checkBoolean('imageBatches: withClasses', withClasses);
  if (withClasses && labels === undefined)
    throwTypeError('imageBatches: withClasses', 'images with labels', labels);
  const { dropClass } = options;
  if (dropClass !== undefined) checkDropClass(dropClass, withClasses ? labels : undefined);
  checkInteger('imageBatches: levels', levels, 2, imageLevels);
  checkInteger('imageBatches: firstStep', firstStep, 0, Math.floor(Number.MAX_SAFE_INTEGER / batchSize) - 1);

  const imageSize = h * w * c;
  const stepsPerEpoch = Math.ceil(n / batchSize);
  const toLevel = quantized(imageLevels, levels);

  /** The batch of the images that `imageAt` has at `place` and the `count - 1` places behind it. */
  function batchAt(
    place: number,
    count: number,
    imageAt: (place: number) => number,
    isDroppedAt: (place: number) => boolean,
  ) {
    const xs = new Float32Array(count * imageSize);
    const ys = new Int32Array(count * imageSize);
    const classes = new Int32Array(count);
    for (let b = 0; b < count; b++) {
      const image = imageAt(place + b);
      const from = image * imageSize;
      classes[b] = (isDroppedAt(place + b) ? dropClass?.nullClass : labels?.[image]) ?? 0;
      for (let d = 0; d < imageSize; d++) {
        const level = toLevel[data[from + d] as number] as number;
        xs[b * imageSize + d] = normalizedLevel(level, levels);
        ys[b * imageSize + d] = level;
      }
    }
    const batchShape: [number, number, number, number] = [count, h, w, c];
    const inputs = tensor4d(xs, batchShape, 'float32');
    return {
      xs: withClasses ? ([inputs, tensor2d(classes, [count, 1], 'int32')] as [Tensor4D, Tensor2D]) : inputs,
      ys: tensor4d(ys, batchShape, 'int32'),
    };
  }

  function* iterate(): Generator<ReturnType<typeof batchAt>, void, undefined> {
    const imageAt = shuffle
      ? keptByEpoch(n, (epoch) => epochOrder(n, seed, epoch))
      : (place: number) => place % n;
    const uniformAt = keptByEpoch(n, (epoch) => dropUniforms(n, seed, epoch));
    const isDroppedAt = (place: number) =>
      dropClass !== undefined && uniformAt(place) < dropClass.probability;
    for (let step = firstStep; repeat || step < stepsPerEpoch; step++) {
      const place = step * batchSize;
      yield batchAt(place, repeat ? batchSize : Math.min(batchSize, n - place), imageAt, isDroppedAt);
    }
  }

  return { stepsPerEpoch, [Symbol.iterator]: iterate };
}

/** Checks how classes are dropped, where there are labels. */
function checkDropClass(dropClass: DropClassArgs, labels: ImageSet['labels']): void {
  const what = 'imageBatches: dropClass';
  const { probability, nullClass } = checkArgs(what, dropClass, dropNames);
  if (labels === undefined) throwTypeError(what, 'withClasses: true beside it', labels);
  checkNumber(`${what}: probability`, probability, 'from 0 to 1', (p) => p >= 0 && p <= 1);
  checkCategories(`${what}: nullClass`, nullClass, 1);
  const last = labels.reduce((most, label) => Math.max(most, label), 0);
  if (nullClass <= last)
    throwTypeError(`${what}: nullClass`, `one above all classes, so at least ${last + 1}`, nullClass);
}

/**
 * The number at each place of an endless sequence of epochs, `count` places each, of which the last one asked for
 * is kept.
 */
function keptByEpoch(
  count: number,
  numbersOf: (epoch: number) => ArrayLike<number>,
): (place: number) => number {
  let keptEpoch: number | undefined;
  let numbers: ArrayLike<number> = [];
  return (place) => {
    const epoch = Math.floor(place / count);
    if (epoch !== keptEpoch) {
      numbers = numbersOf(epoch);
      keptEpoch = epoch;
    }
    return numbers[place % count] as number;
  };
}

/** A uniform in [0, 1) for each place of one epoch, of which those below a probability drop their class. */
function dropUniforms(count: number, seed: number, epoch: number): Float64Array {
  return Float64Array.from({ length: count }, uniformsOf(`${seed}/drop/${epoch}`));
}

/**
 * The images 0..count-1 in the order of one epoch: a shuffle (Fisher and Yates) that only the seed and the
 * epoch decide.
 */
export function epochOrder(count: number, seed: number, epoch: number): Uint32Array {
  const random = uniformsOf(`${seed}/epoch/${epoch}`);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const image = order[i] as number;
    order[i] = order[j] as number;
    order[j] = image;
  }
  return order;
}
