import { anything, type Given, integer, optional, readArguments, type Values } from '../core/arguments';
import { checkBytes, checkInteger, checkMaxValues, MAX_VALUES, throwTypeError } from '../core/check';
import {
  type ConditionData,
  type ConditionShape,
  checkConditionValues,
  readConditions,
  slicedCondition,
} from '../core/conditions';
import { blankImages, type OwnImages, resolveImageShape, valuesOf } from '../core/images';
import type { PortableModel } from '../program/program';
import { attempt } from '../program/safetensors';
import type { EngineModel } from '../sampling/image-model';
import { walkArguments, walkImages } from '../sampling/walk';
import { checksumOf, codedModel, keptDigest, readFile } from './format';
import { intervalsFor } from './intervals';
import { RangeDecoder } from './range-coder';

/** Arguments of `decompress`, with conditions that are arrays or tensors. */
export const decompressArguments = <GivenCondition>() => ({
  /** The conditions of the images to read, as when they were compressed; only if the file does not hold them. */
  condition: optional(anything<GivenCondition>()),
  /** The first image to read, counting from 0. @default 0 */
  firstImage: optional(integer({ from: 0 }), 0),
  /** How many images to read. @default all from `firstImage` on */
  numImages: optional(integer({ from: 1 })),
  /** The most values to read, N*H*W*C, since even a short file may ask for any number. @default 2^24 */
  maxValues: optional(integer({ from: 1 }), MAX_VALUES),
  ...walkArguments,
});

export const decompressOptions = decompressArguments<ConditionData>();

/** Options of {@link decompress}. */
export interface DecompressOptions extends Given<typeof decompressOptions> {}

/**
 * Restores all or some images of a file that {@link compress} wrote.
 *
 * @param model the model that they were compressed with, in the same precision
 * @param bytes the whole file
 * @returns levels [N,H,W,C]
 * @throws TypeError (rejects) naming the invalid option; RangeError, before anything is computed, if there
 * are more than `maxValues` values to read; Error if the file is not a compressed file, is damaged or
 * truncated, or was made with another model; `signal.reason` if the signal aborts. Digests of 64 bits or more
 * detect accidental damage, but not deliberate changes.
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
): Promise<OwnImages> {
  const values = readArguments('decompress', options, decompressOptions);
  const coded = codedModel('decompress: model', model);
  return decodeImages(coded, planDecompress(coded, bytes, values));
}

/** Checked codes to decode. */
export type DecompressJob = ReturnType<typeof planDecompress>;

/** Checks the file and options of {@link decompress}, all before anything is computed. */
export function planDecompress(
  model: EngineModel,
  bytes: Uint8Array,
  { condition, firstImage, numImages: wanted, maxValues, ...hooks }: Values<typeof decompressOptions>,
) {
  checkBytes('decompress: bytes', bytes);
  const { conditions: kinds } = model;
  const file = attempt('decompress', () => readFile(bytes, kinds, keptDigest(model.program)));
  if (file.levels !== model.levels)
    throw new Error("decompress: file: damaged: its levels differ from its model's");
  checkInteger('decompress: firstImage', firstImage, 0, file.numImages - 1);
  const left = file.numImages - firstImage;
  const numImages = checkInteger('decompress: numImages', wanted ?? left, 1, left);
  checkMaxValues(`decompress: file: ${numImages} images`, numImages * valuesOf(file.imageShape), maxValues);
  const imageShape = attempt('decompress', () =>
    resolveImageShape('file: images', model.imageShape, file.imageShape),
  );
  const what = 'decompress: condition';
  const stored = file.conditions.map((all, index) => {
    attempt('decompress', () =>
      checkConditionValues('file: condition', kinds[index] as ConditionShape, all.values),
    );
    return slicedCondition(all, firstImage, numImages);
  });
  const isStored = stored.length > 0;
  if (isStored && condition !== undefined) throwTypeError(what, 'none, since the file holds it', condition);
  if (!isStored && kinds.length > 0 && condition === undefined)
    throwTypeError(what, 'the condition of the images, which the file does not hold', condition);
  return {
    coded: Array.from({ length: numImages }, (_, n) => file.image(firstImage + n)),
    numImages,
    imageShape,
    conditions: isStored ? stored : readConditions(what, kinds, condition, numImages, imageShape),
    /** The index of the first image in the file, for errors. */
    firstImage,
    ...hooks,
  };
}

/** Decodes images by the model's distribution. */
export async function decodeImages(model: EngineModel, job: DecompressJob): Promise<OwnImages> {
  const { coded, numImages, imageShape, conditions, firstImage } = job;
  const total = valuesOf(imageShape);
  const images = blankImages('decompress', numImages, imageShape, model.levels);
  const { data } = images;
  const damaged = conditions.length > 0 ? 'damaged, or compressed with another condition' : 'damaged';
  await walkImages('decompress', model, job, (first, count) => {
    const intervalsOf = intervalsFor(model.distribution, count);
    const group = coded.slice(first, first + count);
    const decoders = group.map(({ code }) => new RangeDecoder(code));
    return {
      visit(current, index, levels) {
        const intervals = intervalsOf(current);
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
            throw new Error(`decompress: image ${firstImage + first + n}: ${damaged}`);
        }
      },
    };
  });
  return images;
}
