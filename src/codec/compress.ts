import { checkArgs, checkBoolean, type NamesOf } from '../core/check';
import { type ConditionData, type NumericArray, readConditions } from '../core/conditions';
import {
  checkImages,
  checkLevels,
  type Images,
  levelsArray,
  resolveImageShape,
  valuesOf,
} from '../core/images';
import { memoryFor } from '../core/memory';
import {
  checkWalkOptions,
  type WalkedImages,
  type WalkedModel,
  type WalkOptions,
  walkImages,
  walkOptionNames,
} from '../likelihood/walk';
import { digestOf } from '../program/file';
import type { PortableModel } from '../program/program';
import { checkCodedModel, codedModel } from './coded-model';
import { type CodedImage, checksumOf, writeFile } from './format';
import { intervalsFor } from './intervals';
import { RangeEncoder } from './range-coder';

/** Options of {@link compress}. */
export interface CompressOptions extends WalkOptions {
  /**
   * What the images are conditioned on, for models that take it: a class, or one class for each image; a vector or a
   * map as `{ data, shape }`, [N,K] or [N,H,W,K]; several conditions by name, `{ class, map }`.
   */
  condition?: ConditionData;
  /**
   * Whether to store the conditions in the file. If so, {@link decompress} needs none; otherwise it must be given the
   * same ones. They are stored uncompressed: a class or a code below 128 takes one byte, a number of a vector or a map
   * four. @default false
   */
  storeCondition?: boolean;
}

export const compressNames: NamesOf<CompressOptions> = {
  condition: true,
  storeCondition: true,
  ...walkOptionNames,
};

/**
 * Compresses images without loss. The size of the file is what the model's likelihood promises, -log2 p(x) bits, to
 * within 0.0011 bits a value and 16 bytes an image, plus a header. With the same model, {@link decompress} restores the
 * images on any machine, since the probabilities are the same everywhere, bit for bit.
 *
 * Source: the coder is a range coder (Martin, 1979); the format is docs/codec-format.md.
 *
 * @param model as `toPortable` makes it or `readPortable` reads it, of at most 65,536 levels
 * @param images levels 0..L-1 [N,H,W,C], of any size that the model takes
 * @returns the bytes of a file
 * @throws TypeError (rejects) where shapes do not fit, or a value is not one of the model's levels; `signal.reason` where the
 * signal aborts; Error where the model gives outputs that are not finite.
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { compress, decompress, sample } from 'pixelcnn-layers/runtime';
 * const model = await toPortable(pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 }));
 * const images = await sample(model, { numImages: 2, seed: 1 });
 * const bytes = await compress(model, images);
 * const same = await decompress(model, bytes);
 * console.log(String(same.data) === String(images.data)); // true
 * ```
 */
export async function compress(
  model: PortableModel,
  images: NumericArray,
  options: CompressOptions = {},
): Promise<Uint8Array> {
  return compressWith(codedModel('compress: model', model), images, options);
}

/** The same with any distribution, including a user's own. */
export async function compressWith(
  given: WalkedModel,
  images: NumericArray,
  options: CompressOptions,
): Promise<Uint8Array> {
  const job = planCompress(given.model, images, options);
  return packed(given.model, job, await encodeImages(given, job, options));
}

/** Images to be coded, checked. */
export interface CompressJob extends WalkedImages {
  /** A copy: the caller may change the original in the meantime. */
  readonly data: Images['data'];
  readonly storeCondition: boolean;
}

/** Checks the images and options of {@link compress}, all before anything is computed. */
export function planCompress(
  model: PortableModel,
  images: NumericArray,
  options: CompressOptions,
): CompressJob {
  checkCodedModel('compress: model', model);
  const { condition, storeCondition = false } = checkArgs('compress: options', options, compressNames);
  checkWalkOptions('compress', options);
  checkBoolean('compress: storeCondition', storeCondition);
  const { data, shape } = checkImages('compress: images', images);
  const [numImages = 0, ...size] = shape;
  const imageShape = resolveImageShape('compress: images', model.imageShape, size);
  checkLevels('compress: images', data, model.levels);
  const what = 'compress: condition';
  const conditions = readConditions(what, model.conditions, condition, numImages, imageShape);
  const own = memoryFor('compress', () => levelsArray(data.length, model.levels));
  own.set(data);
  return { data: own, numImages, imageShape, conditions, storeCondition };
}

/** The codes of images. */
export async function encodeImages(
  given: WalkedModel,
  job: Omit<CompressJob, 'storeCondition'>,
  options: WalkOptions,
): Promise<CodedImage[]> {
  const { data, imageShape } = job;
  const total = valuesOf(imageShape);
  const coded: CodedImage[] = [];
  await walkImages('compress', given, job, options, (first, count) => {
    const intervals = intervalsFor(given.distribution, count);
    const encoders = Array.from({ length: count }, () => new RangeEncoder());
    return {
      visit(present, index, levels) {
        intervals.take(present);
        for (const [n, encoder] of encoders.entries()) {
          const level = data[(first + n) * total + index] as number;
          const { begin, frequency } = intervals.of(n, level);
          encoder.encode(begin, frequency);
          levels[n] = level;
        }
      },
      finish() {
        for (const [n, encoder] of encoders.entries()) {
          const ofImage = data.subarray((first + n) * total, (first + n + 1) * total);
          const code = encoder.finish();
          coded.push({ code, checksum: checksumOf(code, ofImage) });
        }
      },
    };
  });
  return coded;
}

/** Writes the coded images to a file. */
export function packed(
  model: PortableModel,
  { numImages, imageShape, conditions, storeCondition }: CompressJob,
  coded: readonly CodedImage[],
): Uint8Array {
  const stored = storeCondition && conditions.length > 0 ? conditions : null;
  const header = { digest: digestOf(model), numImages, imageShape, levels: model.levels, conditions: stored };
  return writeFile(header, model.conditions, coded);
}
