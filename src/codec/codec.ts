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
interface JobOptions {
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
const compressNames: NamesOf<CompressOptions> = { condition: true, storeCondition: true, ...jobNames };
const decompressNames: NamesOf<DecompressOptions> = {
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
  checkCodedModel('compress: model', model);
  const { storeCondition = false } = checkArgs('compress: options', options, compressNames);
  checkJob('compress', options);
  checkBoolean('compress: storeCondition', storeCondition);
  const { data, shape } = checkImages('compress: images', images);
  const [numImages = 0, ...size] = shape;
  const imageShape = resolveImageShape('compress: images', model.imageShape, size);
  checkLevels('compress: images', data, model.levels);
  const what = 'compress: condition';
  const conditions = readConditions(what, model.conditions, options.condition, numImages, imageShape);
  const total = valuesOf(imageShape);

  const coded: CodedImage[] = [];
  await eachGroup('compress', model, { numImages, imageShape, conditions }, options, (first, count) => {
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
          const levels = Array.prototype.slice.call(data, (first + n) * total, (first + n + 1) * total);
          const code = encoder.finish();
          coded.push({ code, checksum: checksumOf(code, levels, model.levels) });
        }
      },
    };
  });
  const header = { digest: digestOf(model), numImages, imageShape, levels: model.levels };
  return writeFile(
    { ...header, conditions: storeCondition && conditions.length > 0 ? conditions : null },
    model.conditions,
    coded,
  );
}

/**
 * Gives back the images of a file that {@link compress} wrote, or some of them: each is coded by itself.
 *
 * @param model the one that they were compressed with
 * @param bytes the whole file
 * @returns levels [N,H,W,C]
 * @throws TypeError (rejects) naming the option that is wrong; Error where the file is none, is damaged or cut, or of another
 * model; `signal.reason` where the signal aborts. It never gives other images than those that were compressed.
 */
export async function decompress(
  model: PortableModel,
  bytes: Uint8Array,
  options: DecompressOptions = {},
): Promise<Images> {
  checkCodedModel('decompress: model', model);
  const { firstImage = 0, numImages: wanted } = checkArgs('decompress: options', options, decompressNames);
  checkJob('decompress', options);
  if (!(bytes instanceof Uint8Array)) throwTypeError('decompress: bytes', 'a Uint8Array', bytes);
  const file = attempt('decompress', () => new FileReader(bytes, model.conditions, digestOf(model)));
  const { header } = file;
  if (header.levels !== model.levels)
    throw new Error('decompress: file: damaged: it has other levels than its model');
  const imageShape = resolveImageShape('decompress: file: images', model.imageShape, header.imageShape);
  checkInteger('decompress: firstImage', firstImage, 0, header.numImages - 1);
  const numImages = checkInteger(
    'decompress: numImages',
    wanted ?? header.numImages - firstImage,
    1,
    header.numImages - firstImage,
  );
  const conditions = conditionsFor(model, header.conditions, options, firstImage, numImages, imageShape);
  const total = valuesOf(imageShape);
  const data = memoryFor('decompress', () => levelsArray(numImages * total, model.levels));

  await eachGroup('decompress', model, { numImages, imageShape, conditions }, options, (first, count) => {
    const coded = Array.from({ length: count }, (_, n) => file.image(firstImage + first + n));
    const decoders = coded.map(({ code }) => new RangeDecoder(code));
    return {
      code(intervals, n, index) {
        const decoder = decoders[n] as RangeDecoder;
        const { level, begin, frequency } = intervals.at(n, decoder.target());
        decoder.take(begin, frequency);
        data[(first + n) * total + index] = level;
        return level;
      },
      finish() {
        for (const [n, { code, checksum }] of coded.entries()) {
          const levels = data.subarray((first + n) * total, (first + n + 1) * total);
          if (checksumOf(code, levels, model.levels) !== checksum)
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

function checkCodedModel(what: string, model: PortableModel): void {
  checkModel(what, model);
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
  model: PortableModel,
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
  const distribution = distributionOf(model);
  const pause = pauses(YIELD_MILLISECONDS);
  for (let first = 0; first < numImages; first += IMAGES_AT_A_TIME) {
    const group = Math.min(IMAGES_AT_A_TIME, numImages - first);
    const ofGroup = conditions.map((condition) => part(condition, first, group));
    const [evaluator, intervals] = memoryFor(caller, () => [
      evaluatorFor(model, { numImages: group, imageShape, conditions: ofGroup, distribution }),
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
