import { readFile } from 'node:fs/promises';
import { sliceImages } from 'pixelcnn-layers/data';
import { readPortable } from 'pixelcnn-layers/runtime';
import { inLevels, readForModel } from '../../../kit/data/model-data.mjs';
import { HIGHEST_CLASS, labelsOf } from '../../../kit/models/classes.mjs';
import { parseNpy } from '../../../kit/weights/npy.mjs';
import { bytesOf, bytesOfLevel, MAX_JOB_BYTES, VERSION } from './job.mjs';
import { MAX_MODEL_BYTES, sha256 } from './redis.mjs';

const MAX_JOBS = 100_000;

/**
 * The whole of a run, checked before anything is queued.
 *
 * @typedef {object} Plan
 * @property {object} settings plain data, which the run keeps: the same settings, the same results
 * @property {Uint8Array} model its file
 * @property {number} levels
 * @property {{ name: string, type: 'u1' | 'u2' | 'f8', shape: number[] }} result the array that comes out
 * @property {number} jobs
 * @property {number} bytesPerJob at most, that go to a worker or come from it
 * @property {number} bytesPerResult those of an image that come from it
 * @property {(k: number) => { first: number, count: number }} rangeOf the images of a job
 * @property {(k: number) => import('./job.mjs').Job} jobOf
 *
 * @param {ReturnType<import('./submit-flags.mjs').readSubmitFlags>} flags
 * @returns {Promise<Plan>}
 * @throws Error that names the flag
 */
export async function planOf(flags) {
  const { bytes, model } = await readModel(flags.model);
  const { images, imageShape, classes, settings, imagesOf } =
    flags.kind === 'draw' ? drawing(flags, model) : await scoring(flags, model);

  const { levels } = model;
  const bytesEach = imageShape.reduce((product, size) => product * size, bytesOfLevel(levels));
  const mostPerJob = Math.floor(MAX_JOB_BYTES / bytesEach);
  if (mostPerJob === 0) throw new Error(`an image takes ${bytesEach} bytes; wanted at most ${MAX_JOB_BYTES}`);
  const { perJob = Math.min(256, mostPerJob) } = flags;
  if (perJob > mostPerJob) {
    throw new Error(
      `--per-job: wanted at most ${mostPerJob}, ${MAX_JOB_BYTES / 2 ** 20} MiB of images, got '${perJob}'`,
    );
  }
  const jobs = Math.ceil(images / perJob);
  if (jobs > MAX_JOBS) {
    throw new Error(`--per-job: wanted at most ${MAX_JOBS} jobs, got ${jobs} of ${perJob} images each`);
  }

  const common = { version: VERSION, kind: flags.kind, model: sha256(bytes), imageShape };
  const rangeOf = (k) => ({ first: k * perJob, count: Math.min(perJob, images - k * perJob) });
  return {
    settings: { ...common, images, perJob, ...settings },
    model: bytes,
    levels,
    result:
      flags.kind === 'draw'
        ? { name: 'images.npy', type: levels <= 256 ? 'u1' : 'u2', shape: [images, ...imageShape] }
        : { name: 'log-probs.npy', type: 'f8', shape: [images] },
    jobs,
    bytesPerJob: perJob * bytesEach,
    bytesPerResult: flags.kind === 'draw' ? bytesEach : 8,
    rangeOf,
    jobOf(k) {
      const { first, count } = rangeOf(k);
      return {
        ...common,
        first,
        count,
        classes: classes && Array.from({ length: count }, (_, i) => classes(first + i)),
        options: flags.options,
        images: imagesOf?.(first, count),
      };
    },
  };
}

async function readModel(path) {
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_MODEL_BYTES) {
      throw new Error(
        `wanted a file of at most ${MAX_MODEL_BYTES / 2 ** 20} MiB, since it goes through Redis`,
      );
    }
    const model = readPortable(bytes);
    if (model.levels > 2 ** 16)
      throw new Error(`wanted a model of at most 65536 levels, got ${model.levels}`);
    const other = model.conditions.find(({ kind }) => kind !== 'class');
    if (other !== undefined)
      throw new Error(`the model takes a condition of kind '${other.kind}': only classes are taken here`);
    return { bytes, model };
  } catch (cause) {
    throw new Error(`--model: ${path}: ${cause.message}`, { cause });
  }
}

function drawing({ images, options, classes: given }, model) {
  const [{ numClasses } = {}] = model.conditions;
  if (model.imageShape.includes(null))
    throw new Error('--model: wanted one of images of one size, not of any');
  if (given !== undefined && numClasses === undefined)
    throw new Error('--classes: the model takes no classes');
  const wrong = given?.find((label) => label >= numClasses);
  if (wrong !== undefined) throw new Error(`--classes: wanted 0 to ${numClasses - 1}, got '${wrong}'`);
  const inTurn = given ?? Array.from({ length: numClasses ?? 0 }, (_, label) => label);
  return {
    images,
    imageShape: model.imageShape,
    classes: numClasses && ((image) => inTurn[image % inTurn.length]),
    settings: { options, classes: given },
  };
}

async function scoring(flags, model) {
  const set = await readImages(flags, model);
  const { data, shape, labels } = set;
  const [images, ...imageShape] = shape;
  const fits = model.imageShape.every((size, i) => size === null || size === imageShape[i]);
  if (!fits) {
    const wanted = model.imageShape.map((size) => size ?? 'any').join('x');
    throw new Error(`${set.flag}: the model takes images of ${wanted}, got ${imageShape.join('x')}`);
  }
  const [{ numClasses } = {}] = model.conditions;
  if (numClasses !== undefined) {
    if (labels === undefined)
      throw new Error(`${set.flag}: the model is conditioned on classes, these images have none`);
    const wrong = labels.find((label) => label >= numClasses);
    if (wrong !== undefined)
      throw new Error(`${set.flag}: the model has classes 0 to ${numClasses - 1}, got ${wrong}`);
  }
  const size = data.length / images;
  const part = (first, count) => bytesOf(data.subarray(first * size, (first + count) * size));
  return {
    images,
    imageShape,
    classes: numClasses && ((image) => labels[image]),
    settings: { data: sha256(bytesOf(data)), labels: numClasses && sha256(bytesOf(labels)) },
    imagesOf: (first, count) => part(first, count).toString('base64'),
  };
}

/** Images as levels of the model, bytes, or 16-bit integers beyond 256; and the flag that they came by. */
async function readImages({ data: name, path, part, npy, labels, images }, model) {
  const flag = name === undefined ? '--npy' : '--data';
  const set =
    name === undefined
      ? await readArrays(npy, labels, model.levels)
      : (await readForModel(name, path, model))[part];
  const [count] = set.shape;
  if (images > count) throw new Error(`--images: there are ${count}, got '${images}'`);
  return { ...inLevels(sliceImages(set, 0, images ?? count), model), flag };
}

async function readArrays(npy, labels, levels) {
  const read = async (flag, path) => {
    try {
      return parseNpy(await readFile(path));
    } catch (cause) {
      throw new Error(`${flag}: ${path}: ${cause.message}`, { cause });
    }
  };
  const { data, shape } = await read('--npy', npy);
  const [count, height, width, channels = 1] = shape;
  if (![3, 4].includes(shape.length) || data.length === 0) {
    throw new Error(`--npy: wanted [N,H,W] or [N,H,W,C], got [${shape}]`);
  }
  const wrong = Array.prototype.find.call(data, (level) => level < 0 || level >= levels);
  if (wrong !== undefined)
    throw new Error(`--npy: wanted levels 0 to ${levels - 1} of the model, got ${wrong}`);
  const set = {
    data: levels <= 256 ? Uint8Array.from(data) : Uint16Array.from(data),
    shape: [count, height, width, channels],
    levels,
  };
  if (labels === undefined) return set;
  const classes = await read('--labels', labels);
  if (String(classes.shape) !== String([count])) {
    throw new Error(`--labels: wanted [${count}], one an image, got [${classes.shape}]`);
  }
  const none = Array.prototype.find.call(classes.data, (label) => label < 0 || label > HIGHEST_CLASS);
  if (none !== undefined) throw new Error(`--labels: wanted classes 0 to ${HIGHEST_CLASS}, got ${none}`);
  return { ...set, labels: labelsOf(classes.data) };
}
