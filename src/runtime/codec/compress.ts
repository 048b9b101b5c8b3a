import { anything, flag, type Given, optional, readArguments, type Values } from '../core/arguments';
import type { ConditionData, NumericArray } from '../core/conditions';
import { valuesOf } from '../core/images';
import type { PortableModel } from '../program/program';
import type { EngineModel } from '../sampling/image-model';
import { planImages, walkArguments, walkImages } from '../sampling/walk';
import { type CodedImage, checksumOf, codedModel, keptDigest, writeFile } from './format';
import { intervalsFor } from './intervals';
import { RangeEncoder } from './range-coder';

/** Arguments of `compress`, with conditions that are arrays or tensors. */
export const compressArguments = <GivenCondition>() => ({
  /** The conditions of the images, as for `sample`. */
  condition: optional(anything<GivenCondition>()),
  /**
   * Whether to store the conditions in the file. Otherwise, pass the same conditions to {@link decompress}. They are
   * stored uncompressed: a class or code below 128 takes one byte, a number of a vector or map four. @default false
   */
  storeCondition: flag(false),
  ...walkArguments,
});

export const compressOptions = compressArguments<ConditionData>();

/** Options of {@link compress}. */
export interface CompressOptions extends Given<typeof compressOptions> {}

/**
 * Compresses images losslessly. The size of the file is the model's -log2 p(x) bits, to within
 * 0.0011 bits a value and 16 bytes an image, plus a header. With the same model, {@link decompress}
 * restores the images on any machine, since the probabilities are bit for bit equal everywhere.
 *
 * Source: the coder is a range coder (Martin, 1979); the format is docs/reference/codec-format.md.
 *
 * @param model a model of at most 65,536 levels; do not change its numbers later, since its digest is computed once
 * @param images levels 0..L-1 [N,H,W,C], of any size that the model takes
 * @returns the bytes of a file
 * @throws TypeError (rejects) if shapes do not fit the model, or a value is not one of its levels;
 * `signal.reason` if the signal aborts; Error if the model's outputs are not finite
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
  const values = readArguments('compress', options, compressOptions);
  const coded = codedModel('compress: model', model);
  const job = planCompress(coded, images, values);
  return packed(coded, job, await encodeImages(coded, job));
}

/** Checked images to encode. */
export type CompressJob = ReturnType<typeof planCompress>;

/** Checks the images and options of {@link compress}. */
export function planCompress(
  model: EngineModel,
  images: NumericArray,
  { condition, ...values }: Values<typeof compressOptions>,
) {
  return { ...planImages('compress', model, images, condition), ...values };
}

/** Encodes images by the model's distribution. */
export async function encodeImages(model: EngineModel, job: CompressJob): Promise<CodedImage[]> {
  const { data, imageShape } = job;
  const total = valuesOf(imageShape);
  const coded: CodedImage[] = [];
  await walkImages('compress', model, job, (first, count) => {
    const intervalsOf = intervalsFor(model.distribution, count);
    const encoders = Array.from({ length: count }, () => new RangeEncoder());
    return {
      visit(current, index, levels) {
        const intervals = intervalsOf(current);
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

/** The file of encoded images. */
export function packed(model: EngineModel, job: CompressJob, coded: readonly CodedImage[]): Uint8Array {
  const conditions = job.storeCondition ? job.conditions : [];
  const header = { ...job, conditions, digest: keptDigest(model.program), levels: model.levels };
  return writeFile(header, model.conditions, coded);
}
