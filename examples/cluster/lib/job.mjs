import { createRequire } from 'node:module';
import { endianness } from 'node:os';

/**
 * A job for a worker, as JSON in Redis: some images of a run, to draw or to score.
 *
 * @typedef {object} Job
 * @property {string} version of this library: other versions may give other bits
 * @property {'draw' | 'score'} kind
 * @property {string} model the SHA-256 of its file
 * @property {number} first index of the first image in the run
 * @property {number} count
 * @property {[number, number, number]} imageShape [H, W, C]
 * @property {number[]} [classes] [N], if the model is conditioned on them
 * @property {{ seed: number, temperature: number, topK?: number, topP?: number }} [options] of `draw`
 * @property {string} [images] of `score`: levels [N,H,W,C] in base64, a byte each, or two beyond 256 levels
 * @property {true} [isCheck] if it has been done before, and its result must be equal
 * @property {string} [notBy] the worker that did it before, if there are others
 */

export const { version: VERSION } = createRequire(import.meta.url)('pixelcnn-layers/package.json');

/** The most bytes of images that a job may contain or return. */
export const MAX_JOB_BYTES = 4 * 2 ** 20;

const NAMES = ['version', 'kind', 'model', 'first', 'count', 'imageShape', 'classes', 'options', 'images', 'isCheck', 'notBy']; // biome-ignore format: one line
const OPTIONS = ['seed', 'temperature', 'topK', 'topP'];

/**
 * Makes the checks of a job that `sample` and `logProb` do not make.
 *
 * @param {unknown} job
 * @returns {Job}
 * @throws TypeError that names what is wrong
 */
export function checkJob(job) {
  const shown = (value) => String(JSON.stringify(value)).slice(0, 80);
  const wrong = (name, wanted) => {
    throw new TypeError(`job: ${name}: wanted ${wanted}, got ${shown(job[name])}`);
  };
  const checkNames = (what, object, known) => {
    const name = Object.keys(object).find((name) => !known.includes(name));
    if (name !== undefined) throw new TypeError(`${what}: unknown '${name.slice(0, 80)}'`);
  };
  if (!isRecord(job)) throw new TypeError(`job: wanted an object, got ${shown(job)}`);
  if (job.version !== VERSION) {
    throw new TypeError(`job: it is of pixelcnn-layers ${shown(job.version)}, this worker has ${VERSION}`);
  }
  checkNames('job', job, NAMES);
  if (job.kind !== 'draw' && job.kind !== 'score') wrong('kind', 'draw or score');
  if (typeof job.model !== 'string' || !/^[0-9a-f]{64}$/.test(job.model)) wrong('model', 'a SHA-256');
  const isCount = (number) => Number.isSafeInteger(number) && number > 0;
  if (!isCount(job.first + 1)) wrong('first', 'an index');
  if (!isCount(job.count)) wrong('count', 'a number of images');
  if (!Array.isArray(job.imageShape) || job.imageShape.length !== 3 || !job.imageShape.every(isCount))
    wrong('imageShape', '[H, W, C]');
  const values = job.imageShape.reduce((product, size) => product * size, job.count);
  if (values > MAX_JOB_BYTES) wrong('count', `images of at most ${MAX_JOB_BYTES} values`);
  const { classes, options, images, isCheck, notBy } = job;
  if (classes !== undefined && !(Array.isArray(classes) && classes.every(Number.isSafeInteger)))
    wrong('classes', 'a list of classes');
  if (job.kind === 'draw') {
    // Without a seed, every worker would draw other images.
    if (!isRecord(options) || options.seed === undefined) wrong('options', `{ ${OPTIONS.join(', ')} }`);
    checkNames('job: options', options, OPTIONS);
    if (images !== undefined) wrong('images', 'none to draw');
  } else {
    if (options !== undefined) wrong('options', 'none to score');
    if (typeof images !== 'string') wrong('images', 'levels in base64');
  }
  if (isCheck !== undefined && isCheck !== true) wrong('isCheck', 'true or nothing');
  if (notBy !== undefined && typeof notBy !== 'string') wrong('notBy', 'a name');
  return job;
}

const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Does a job. Returns the levels [N,H,W,C] drawn, in one or two bytes each, or log-probabilities [N] as float64.
 *
 * @param {Job} job
 * @param {import('pixelcnn-layers/runtime').PortableModel} model
 * @param {Pick<import('pixelcnn-layers/runtime').Pool, 'sample' | 'logProb'>} pool
 * @returns {Promise<Buffer>} the lowest byte first
 */
export async function perform({ kind, first, count, imageShape, classes, options, images }, model, pool) {
  const condition = classes && { class: classes };
  if (kind === 'draw') {
    const where = { numImages: count, firstImage: first, imageShape };
    return bytesOf((await pool.sample(model, { ...options, ...where, condition })).data);
  }
  const data = levelsIn(Buffer.from(images, 'base64'), model.levels);
  return bytesOf(await pool.logProb(model, { data, shape: [count, ...imageShape] }, { condition }));
}

/** How many bytes a level takes. */
export const bytesOfLevel = (levels) => (levels <= 256 ? 1 : 2);

/**
 * Numbers as bytes, the lowest first.
 *
 * @param {Uint8Array | Uint16Array | Float64Array} numbers
 */
export function bytesOf(numbers) {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return lowestFirst(bytes, numbers.BYTES_PER_ELEMENT);
}

/** Levels of bytes, a byte each or two. */
export function levelsIn(bytes, levels) {
  return bytesOfLevel(levels) === 1 ? bytes : numbersIn(bytes, Uint16Array);
}

/** Numbers of bytes, the lowest first: the reverse of {@link bytesOf}. */
export function numbersIn(bytes, Numbers) {
  return new Numbers(lowestFirst(bytes, Numbers.BYTES_PER_ELEMENT).buffer);
}

const isBigEndian = endianness() === 'BE';

/** A copy in its own memory, reversed if this machine is big-endian. */
function lowestFirst(bytes, each) {
  const copy = Buffer.from(new Uint8Array(bytes).buffer);
  if (!isBigEndian || each === 1) return copy;
  return each === 2 ? copy.swap16() : copy.swap64();
}
