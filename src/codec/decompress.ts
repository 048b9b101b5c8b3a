import {
  checkArgs,
  checkInteger,
  checkMaxValues,
  MOST_VALUES,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import {
  type ConditionData,
  type ConditionValues,
  checkConditionValues,
  readConditions,
  slicedCondition,
} from '../core/conditions';
import { type ImageShape, type Images, levelsArray, resolveImageShape, valuesOf } from '../core/images';
import { memoryFor } from '../core/memory';
import {
  checkWalkOptions,
  type WalkedModel,
  type WalkOptions,
  walkImages,
  walkOptionNames,
} from '../likelihood/walk';
import { digestOf } from '../program/file';
import type { PortableModel } from '../program/program';
import { attempt } from '../program/safetensors';
import { checkCodedModel, codedModel } from './coded-model';
import { type CodedImage, checksumOf, FileReader } from './format';
import { intervalsFor } from './intervals';
import { RangeDecoder } from './range-coder';

/** Options of {@link decompress}. */
export interface DecompressOptions extends WalkOptions {
  /**
   * What the images were conditioned on when they were compressed, if the file does not hold it. Only for the images
   * being read: with `firstImage: 2, numImages: 1`, the condition of image 2.
   */
  condition?: ConditionData;
  /** The first image to read, counting from 0. @default 0 */
  firstImage?: number;
  /** How many to read. @default all from `firstImage` on */
  numImages?: number;
  /**
   * The most values to read, N*H*W*C. Even a short file may ask for any number of them, and each takes time and memory.
   * @default 2^24
   */
  maxValues?: number;
}

export const decompressNames: NamesOf<DecompressOptions> = {
  condition: true,
  firstImage: true,
  numImages: true,
  maxValues: true,
  ...walkOptionNames,
};

/**
 * Restores the images of a file that {@link compress} wrote, or some of them: each image is coded separately.
 *
 * @param model the model that they were compressed with, with the same weights: the same model in another precision
 * will not do
 * @param bytes the whole file
 * @returns levels [N,H,W,C]
 * @throws TypeError (rejects) naming the option that is wrong; RangeError before anything is computed if there are more
 * than `maxValues` values to read; Error if the file is not a compressed file, is damaged
 * or truncated, or was made with another model; `signal.reason` if the signal aborts. Damage is noticed by digests of 64
 * bits or more: what is returned is what was compressed, unless someone made the file to deceive, which digests without a
 * secret cannot prevent.
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { compress, decompress } from 'pixelcnn-layers/runtime';
 * const model = await toPortable(pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 }));
 * const bytes = await compress(model, { data: new Uint8Array(48), shape: [3, 4, 4, 1] });
 * const last = await decompress(model, bytes, { firstImage: 2 });
 * console.log(last.shape); // [1, 4, 4, 1]
 * ```
 */
export async function decompress(
  model: PortableModel,
  bytes: Uint8Array,
  options: DecompressOptions = {},
): Promise<Images> {
  return decompressWith(codedModel('decompress: model', model), bytes, options);
}

/** The same with any distribution, including a user's own. */
export async function decompressWith(
  given: WalkedModel,
  bytes: Uint8Array,
  options: DecompressOptions,
): Promise<Images> {
  return decodeImages(given, planDecompress(given.model, bytes, options), options);
}

/** Codes to be read, checked. */
export interface DecompressJob {
  readonly coded: readonly CodedImage[];
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
  /** The index in the file of the first one, for errors. */
  readonly firstImage: number;
}

/** Checks the file and options of {@link decompress}, all before anything is computed. */
export function planDecompress(
  model: PortableModel,
  bytes: Uint8Array,
  options: DecompressOptions,
): DecompressJob {
  checkCodedModel('decompress: model', model);
  const {
    firstImage = 0,
    numImages: wanted,
    maxValues = MOST_VALUES,
  } = checkArgs('decompress: options', options, decompressNames);
  checkWalkOptions('decompress', options);
  checkInteger('decompress: maxValues', maxValues, 1);
  if (!(bytes instanceof Uint8Array)) throwTypeError('decompress: bytes', 'a Uint8Array', bytes);
  const file = attempt('decompress', () => new FileReader(bytes, model.conditions, digestOf(model)));
  const { header } = file;
  if (header.levels !== model.levels)
    throw new Error('decompress: file: damaged: its levels are not those of its model');
  checkInteger('decompress: firstImage', firstImage, 0, header.numImages - 1);
  const left = header.numImages - firstImage;
  const numImages = checkInteger('decompress: numImages', wanted ?? left, 1, left);
  checkMaxValues(`decompress: file: ${numImages} images`, numImages * valuesOf(header.imageShape), maxValues);
  const imageShape = attempt('decompress', () =>
    resolveImageShape('file: images', model.imageShape, header.imageShape),
  );
  return {
    coded: Array.from({ length: numImages }, (_, n) => file.image(firstImage + n)),
    imageShape,
    conditions: conditionsFor(model, header.conditions, options, firstImage, numImages, imageShape),
    firstImage,
  };
}

/** Decodes the images. */
export async function decodeImages(
  given: WalkedModel,
  { coded, imageShape, conditions, firstImage }: DecompressJob,
  options: WalkOptions,
): Promise<Images> {
  const { levels } = given.model;
  const numImages = coded.length;
  const total = valuesOf(imageShape);
  const data = memoryFor('decompress', () => levelsArray(numImages * total, levels));
  const job = { numImages, imageShape, conditions };
  await walkImages('decompress', given, job, options, (first, count) => {
    const intervals = intervalsFor(given.distribution, count);
    const group = coded.slice(first, first + count);
    const decoders = group.map(({ code }) => new RangeDecoder(code));
    return {
      visit(present, index, levels) {
        intervals.take(present);
        for (const [n, decoder] of decoders.entries()) {
          const { level, begin, frequency } = intervals.at(n, decoder.target());
          decoder.take(begin, frequency);
          data[(first + n) * total + index] = level;
          levels[n] = level;
        }
      },
      finish() {
        for (const [n, { code, checksum }] of group.entries()) {
          const ofImage = data.subarray((first + n) * total, (first + n + 1) * total);
          if (checksumOf(code, ofImage) !== checksum)
            throw new Error(
              `decompress: image ${firstImage + first + n}: damaged${conditions.length > 0 ? ', or compressed with another condition' : ''}`,
            );
        }
      },
    };
  });
  return { data, shape: [numImages, ...imageShape] };
}

/** The conditions of the images being read, from the file or from the caller. */
function conditionsFor(
  { conditions: kinds }: PortableModel,
  stored: readonly ConditionValues[] | null,
  { condition }: DecompressOptions,
  firstImage: number,
  numImages: number,
  imageShape: ImageShape,
): ConditionValues[] {
  if (stored === null && kinds.length > 0 && condition === undefined)
    throwTypeError('decompress: condition', 'that of the images, which the file does not hold', condition);
  if (stored === null)
    return readConditions('decompress: condition', kinds, condition, numImages, imageShape);
  if (condition !== undefined)
    throwTypeError('decompress: condition', 'none, since the file holds it', condition);
  return stored.map((all, index) => {
    attempt('decompress', () =>
      checkConditionValues('file: condition', kinds[index] as (typeof kinds)[number], all.values),
    );
    return slicedCondition(all, firstImage, numImages);
  });
}
