import {
  checkArgs,
  checkBoolean,
  checkFunction,
  checkInteger,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import {
  type ConditionData,
  type ConditionValues,
  checkConditionValues,
  type NumericArray,
  part,
  readConditions,
} from '../core/conditions';
import {
  checkImages,
  checkLevels,
  type ImageShape,
  type Images,
  levelsArray,
  placeOf,
  resolveImageShape,
  valuesOf,
} from '../core/images';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { distributionOf } from '../distributions/readers';
import { evaluatorFor } from '../engine/evaluator';
import { programText } from '../program/file';
import { checkModel, type PortableModel } from '../program/program';
import { attempt, bytesOf } from '../program/safetensors';
import { checkSignal, pauses } from '../sampling/options';
import { memoryFor } from '../sampling/sample';
import { Digest } from './digest';
import { type CodedImage, checksumOf, FileReader, writeFile } from './format';
import { type Intervals, intervalsFor } from './intervals';
import { RangeDecoder, RangeEncoder } from './range-coder';

/** How a job is stopped, and who hears how far it is. */
export interface JobOptions {
  /** Stops the job: it rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Called after each row: values coded so far, of all. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** Options of {@link compress}. */
export interface CompressOptions extends JobOptions {
  /** What the images are conditioned on, for models that take it; several by name, `{ class, map }`. */
  condition?: ConditionData;
  /** Whether the file holds the conditions. Without them, {@link decompress} is to be given them. @default false */
  storeCondition?: boolean;
}

/** Options of {@link decompress}. */
export interface DecompressOptions extends JobOptions {
  /** What the images that are read are conditioned on, where the file does not hold it. */
  condition?: ConditionData;
  /** The first image of the file that is read. @default 0 */
  firstImage?: number;
  /** How many are. @default all from there on */
  numImages?: number;
}

const jobNames = { signal: true, onProgress: true } as const;
export const compressNames: NamesOf<CompressOptions> = { condition: true, storeCondition: true, ...jobNames };
export const decompressNames: NamesOf<DecompressOptions> = {
  condition: true,
  firstImage: true,
  numImages: true,
  ...jobNames,
};

/** The most levels that are coded: more would leave no room for how they differ. */
const MOST_LEVELS = 2 ** 16;

/**
 * Compresses images without loss: the bits of a file are those that the model's likelihood promises, -log2 p(x), within
 * 0.1 % and 16 bytes an image, and a header. {@link decompress} gives the images back from it with the same model, on any
 * machine, since the probabilities are the same bits everywhere.
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

/** A model, and what its outputs mean. */
export interface CodedModel {
  readonly model: PortableModel;
  readonly distribution: PixelDistribution;
  /** The user's own functions, which `closure` nodes name by index. */
  readonly closures: readonly ((x: number) => number)[];
}

/** A model that is data alone. */
export function codedModel(what: string, model: PortableModel): CodedModel {
  checkModel(what, model);
  return { model, distribution: distributionOf(model), closures: [] };
}

/** The same by a distribution that may be a user's own. */
export async function compressWith(
  given: CodedModel,
  images: NumericArray,
  options: CompressOptions,
): Promise<Uint8Array> {
  const job = planCompress(given.model, images, options);
  return packed(given.model, job, await encodeImages(given, job, options));
}

/** Images that are to be coded, checked. */
export interface CompressJob {
  readonly data: ArrayLike<number>;
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
  readonly storeCondition: boolean;
}

/** Checks the images and options of {@link compress}, all before anything is computed. */
export function planCompress(
  model: PortableModel,
  images: NumericArray,
  options: CompressOptions,
): CompressJob {
  checkModel('compress: model', model);
  checkLevelCount('compress: model', model);
  const { condition, storeCondition = false } = checkArgs('compress: options', options, compressNames);
  checkJob('compress', options);
  checkBoolean('compress: storeCondition', storeCondition);
  const { data, shape } = checkImages('compress: images', images);
  const [numImages = 0, ...size] = shape;
  const imageShape = resolveImageShape('compress: images', model.imageShape, size);
  checkLevels('compress: images', data, model.levels);
  const what = 'compress: condition';
  const conditions = readConditions(what, model.conditions, condition, numImages, imageShape);
  return { data, numImages, imageShape, conditions, storeCondition };
}

/** The codes of images. */
export async function encodeImages(
  given: CodedModel,
  job: Omit<CompressJob, 'storeCondition'>,
  options: JobOptions,
): Promise<CodedImage[]> {
  const { data, imageShape } = job;
  const { levels } = given.model;
  const total = valuesOf(imageShape);
  const coded: CodedImage[] = [];
  await eachGroup('compress', given, job, options, (first, count) => {
    const encoders = Array.from({ length: count }, () => new RangeEncoder());
    return {
      code(intervals, n, index) {
        const level = data[(first + n) * total + index] as number;
        const { begin, frequency } = intervals.of(n, level);
        (encoders[n] as RangeEncoder).encode(begin, frequency);
        return level;
      },
      finish() {
        for (const [n, encoder] of encoders.entries()) {
          const ofImage = Array.prototype.slice.call(data, (first + n) * total, (first + n + 1) * total);
          const code = encoder.finish();
          coded.push({ code, checksum: checksumOf(code, ofImage, levels) });
        }
      },
    };
  });
  return coded;
}

/** The file of images that have been coded. */
export function packed(
  model: PortableModel,
  { numImages, imageShape, conditions, storeCondition }: CompressJob,
  coded: readonly CodedImage[],
): Uint8Array {
  const stored = storeCondition && conditions.length > 0 ? conditions : null;
  const header = { digest: digestOf(model), numImages, imageShape, levels: model.levels, conditions: stored };
  return writeFile(header, model.conditions, coded);
}

/**
 * Gives back the images of a file that {@link compress} wrote, or some of them: each is coded by itself.
 *
 * @param model the one that they were compressed with
 * @param bytes the whole file
 * @returns levels [N,H,W,C]
 * @throws TypeError (rejects) naming the option that is wrong; Error where the file is none, is damaged or cut, or of another
 * model; `signal.reason` where the signal aborts. It never gives other images than those that were compressed.
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

/** The same by a distribution that may be a user's own. */
export async function decompressWith(
  given: CodedModel,
  bytes: Uint8Array,
  options: DecompressOptions,
): Promise<Images> {
  return decodeImages(given, planDecompress(given.model, bytes, options), options);
}

/** Codes that are to be read, checked. */
export interface DecompressJob {
  readonly coded: readonly CodedImage[];
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
  /** The number of the first of them in the file, for errors. */
  readonly firstImage: number;
}

/** Checks the file and options of {@link decompress}, all before anything is computed. */
export function planDecompress(
  model: PortableModel,
  bytes: Uint8Array,
  options: DecompressOptions,
): DecompressJob {
  checkModel('decompress: model', model);
  checkLevelCount('decompress: model', model);
  const { firstImage = 0, numImages: wanted } = checkArgs('decompress: options', options, decompressNames);
  checkJob('decompress', options);
  if (!(bytes instanceof Uint8Array)) throwTypeError('decompress: bytes', 'a Uint8Array', bytes);
  const file = attempt('decompress', () => new FileReader(bytes, model.conditions, digestOf(model)));
  const { header } = file;
  if (header.levels !== model.levels)
    throw new Error('decompress: file: damaged: it has other levels than its model');
  const imageShape = resolveImageShape('decompress: file: images', model.imageShape, header.imageShape);
  checkInteger('decompress: firstImage', firstImage, 0, header.numImages - 1);
  const left = header.numImages - firstImage;
  const numImages = checkInteger('decompress: numImages', wanted ?? left, 1, left);
  return {
    coded: Array.from({ length: numImages }, (_, n) => file.image(firstImage + n)),
    imageShape,
    conditions: conditionsFor(model, header.conditions, options, firstImage, numImages, imageShape),
    firstImage,
  };
}

/** The images of codes. */
export async function decodeImages(
  given: CodedModel,
  { coded, imageShape, conditions, firstImage }: DecompressJob,
  options: JobOptions,
): Promise<Images> {
  const { levels } = given.model;
  const numImages = coded.length;
  const total = valuesOf(imageShape);
  const data = memoryFor('decompress', () => levelsArray(numImages * total, levels));
  const job = { numImages, imageShape, conditions };
  await eachGroup('decompress', given, job, options, (first, count) => {
    const group = coded.slice(first, first + count);
    const decoders = group.map(({ code }) => new RangeDecoder(code));
    return {
      code(intervals, n, index) {
        const decoder = decoders[n] as RangeDecoder;
        const { level, begin, frequency } = intervals.at(n, decoder.target());
        decoder.take(begin, frequency);
        data[(first + n) * total + index] = level;
        return level;
      },
      finish() {
        for (const [n, { code, checksum }] of group.entries()) {
          const ofImage = data.subarray((first + n) * total, (first + n + 1) * total);
          if (checksumOf(code, ofImage, levels) !== checksum)
            throw new Error(`decompress: image ${firstImage + first + n}: damaged, or of another condition`);
        }
      },
    };
  });
  return { data, shape: [numImages, ...imageShape] };
}

/** The conditions of the images that are read: the file's, or the caller's. */
function conditionsFor(
  { conditions: kinds }: PortableModel,
  stored: readonly ConditionValues[] | null,
  { condition }: DecompressOptions,
  firstImage: number,
  numImages: number,
  imageShape: ImageShape,
): ConditionValues[] {
  if (stored === null)
    return readConditions('decompress: condition', kinds, condition, numImages, imageShape);
  if (condition !== undefined)
    throwTypeError('decompress: condition', 'none, since the file holds it', condition);
  return stored.map((all, index) => {
    attempt('decompress', () =>
      checkConditionValues('file: condition', kinds[index] as (typeof kinds)[number], all.values),
    );
    return part(all, firstImage, numImages);
  });
}

function checkLevelCount(what: string, model: PortableModel): void {
  if (model.levels > MOST_LEVELS) throwTypeError(what, `at most ${MOST_LEVELS} levels`, model.levels);
}

function checkJob(caller: string, { signal, onProgress }: JobOptions): void {
  checkSignal(`${caller}: signal`, signal);
  checkFunction(`${caller}: onProgress`, onProgress ?? (() => {}));
}

/** Tells models apart: of the program, and of the weights by their names in order. */
function digestOf(model: PortableModel): Uint8Array {
  const text = (of: string) => new TextEncoder().encode(of);
  const digest = new Digest().add(text(programText(model)));
  for (const name of [...model.weights.keys()].sort()) {
    const { shape, data } = model.weights.get(name) as NonNullable<ReturnType<typeof model.weights.get>>;
    digest.add(text(JSON.stringify([name, shape]))).add(bytesOf(data));
  }
  return digest.finish();
}

/** Images that are coded side by side: few enough for a modest memory, and enough that each weight loaded is shared by many. */
const IMAGES_AT_A_TIME = 256;

/** Lets other work run so often. */
const YIELD_MILLISECONDS = 125;

/** What is done with a group of images. */
interface GroupCoder {
  /** Codes the value of the group's image n that comes next, and gives its level. */
  code(intervals: Intervals, n: number, index: number): number;
  finish(): void;
}

/** Walks through the values of images, group by group, in the order rows, columns, channels. */
async function eachGroup(
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
