import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { io, util } from '@tensorflow/tfjs-core';
import { checkSavedGraph, limitWeights } from '../models/saved-graph';
import * as check from '../runtime/core/check';

const MODEL_FILE = 'model.json';
const SHARD_BYTES = 4 * 1024 * 1024; // a size that browsers cache, as in tfjs's converter
/** The names of shards that this module writes, which contain a digest of all shards. */
const OWN_SHARD = /^weights\.([0-9a-f]{16})\.\d+of\d+\.bin$/;

const digestOf = (weights: Uint8Array) => createHash('sha256').update(weights).digest('hex').slice(0, 16);

/**
 * Saves and loads models in a directory, in tfjs's layers-model format (`model.json` and weight
 * shards), without tfjs-node. A browser can load the directory by the URL of its `model.json`.
 *
 * A save replaces the model atomically: if the process crashes at any moment, either the old model or the new one is
 * complete. Only one program at a time may save to a directory. Files are checked before tfjs sees them, since tfjs would
 * hang on some damaged files and leak tensors on others.
 *
 * @param directory a directory, created if it is missing. May also be the path of its `model.json`,
 * and begin with `file://` as in tfjs-node
 * @returns a handler for `model.save` and `tf.loadLayersModel`
 * @throws Error (rejects) naming the file that is missing or damaged, and the problem.
 * @example
 * ```js
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { loadLayersModel } from '@tensorflow/tfjs-layers';
 * import { pixelCNN } from 'pixelcnn-layers';
 * import { fileSystem } from 'pixelcnn-layers/node';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 4, outDim: 4, numBlocks: 1 });
 * const directory = await mkdtemp(join(tmpdir(), 'model-'));
 * await model.save(fileSystem(directory));
 * const loaded = await loadLayersModel(fileSystem(directory));
 * console.log(loaded.getClassName()); // AutoregressiveModel
 * ```
 */
export function fileSystem(directory: string): io.IOHandler {
  if (typeof directory !== 'string' || directory === '')
    check.throwTypeError('fileSystem', 'a directory', directory);
  const isURL = directory.startsWith('file:///');
  const given = isURL ? fileURLToPath(directory) : directory.replace(/^file:\/\//, '');
  const path = resolve(basename(given) === MODEL_FILE ? dirname(given) : given);
  return {
    save: (artifacts) => oneAtATime(path, () => save(path, artifacts)),
    load: () => oneAtATime(path, () => load(path)),
  };
}

async function save(directory: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  check.checkByteOrder(); // weights are written as they lie in memory
  if (artifacts.modelTopology instanceof ArrayBuffer || artifacts.modelTopology === undefined)
    throw new Error('fileSystem: wanted a layers model with its topology as JSON');
  await mkdir(directory, { recursive: true }).catch((cause) => {
    if (cause.code === 'EEXIST') throw new Error(`fileSystem: ${directory} is not a directory`, { cause });
    throw cause;
  });
  const bytes = new Uint8Array(io.CompositeArrayBuffer.join(artifacts.weightData));
  const digest = digestOf(bytes);
  const count = Math.ceil(bytes.length / SHARD_BYTES);
  const paths = Array.from({ length: count }, (_, i) => `weights.${digest}.${i + 1}of${count}.bin`);
  for (const [i, name] of paths.entries())
    await replaceFile(join(directory, name), bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES));
  const { weightData, weightSpecs = [], ...rest } = artifacts;
  const json = { ...rest, weightsManifest: [{ paths, weights: weightSpecs }] };
  await replaceFile(join(directory, MODEL_FILE), JSON.stringify(json)); // from here on, the directory holds the new model
  await removeOthers(directory, [MODEL_FILE, ...paths]);
  return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
}

/** Removes the shards of earlier models, and partial files left by a crash. Those in use are left to the next save. */
async function removeOthers(directory: string, current: readonly string[]): Promise<void> {
  for (const name of await readdir(directory)) {
    const whole = name.replace(/\.\d+\.tmp$/, '');
    const isOwn = whole === MODEL_FILE || OWN_SHARD.test(whole);
    const isOver = name === whole ? !current.includes(name) : isAbandoned(name);
    if (!isOwn || !isOver) continue;
    await rm(join(directory, name), { force: true }).catch((error) => {
      if (!IN_USE.includes(codeOf(error))) throw error;
    });
  }
}

async function load(directory: string): Promise<io.ModelArtifacts> {
  const file = join(directory, MODEL_FILE);
  const model = parseModel(file, (await readWhole(file)).toString('utf8'));
  const artifacts = await io.getModelArtifactsForJSON(model, async (manifest) => {
    const specs = manifest.flatMap(({ weights }) => weights);
    const names = manifest.flatMap(({ paths }) => paths);
    const wanted = sum(specs.map(byteLength));
    const shards = await Promise.all(names.map((name) => readWhole(join(directory, name))));
    const got = sum(shards.map(({ length }) => length));
    const [what, named] = [`fileSystem: ${file} names weights`, check.shortened(names.join(', '))];
    const problem = 'truncated, or from another model';
    if (got !== wanted) throw new Error(`${what} of ${wanted} bytes, but ${named} has ${got}: ${problem}`);
    const weights = Buffer.concat(shards);
    const [, digest] = OWN_SHARD.exec(names[0] ?? '') ?? []; // other programs use other names
    if (digest !== undefined && digest !== digestOf(weights))
      throw new Error(`${what}, but ${named} is damaged: the digest in its name does not match its contents`);
    return [specs, new Uint8Array(weights).buffer];
  });
  const { modelTopology, weightSpecs = [] } = artifacts;
  const numValues = sum(weightSpecs.map(({ shape }) => util.sizeFromShape(shape)));
  // tfjs makes the model as soon as it has read the topology.
  return Object.defineProperty(artifacts, 'modelTopology', {
    get() {
      limitWeights(`fileSystem: ${file}`, numValues);
      return modelTopology;
    },
  });
}

/** Reads model.json and checks that it has everything that loading needs. */
function parseModel(file: string, text: string): io.ModelJSON {
  const what = `fileSystem: ${file}`;
  let model: Partial<io.ModelJSON> | null;
  try {
    model = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const isShard = (path: unknown) => typeof path === 'string' && path === basename(path) && path !== '..';
  const isGroup = (group: Partial<io.WeightsManifestConfig[number]> | null) =>
    Array.isArray(group?.paths) && Array.isArray(group.weights) && group.paths.every(isShard);
  const isModel =
    typeof model?.modelTopology === 'object' &&
    model.modelTopology !== null &&
    Array.isArray(model.weightsManifest) &&
    model.weightsManifest.every(isGroup);
  if (!isModel) throw new Error(`${what} is not a layers model with modelTopology and weightsManifest`);
  const { modelTopology, weightsManifest, userDefinedMetadata = {} } = model as io.ModelJSON;
  const weights = weightsManifest.flatMap((group) => group.weights);
  checkWeights(what, weights);
  check.checkRecord(`${what}: userDefinedMetadata`, userDefinedMetadata);
  checkSavedGraph(what, modelTopology);
  return model as io.ModelJSON;
}

const BYTES = { float32: 4, int32: 4, complex64: 8, bool: 1 } as const;
const QUANTIZED_BYTES = { uint8: 1, uint16: 2, float16: 2 } as const;

/** Checks weights for errors that tfjs would find only halfway through loading. */
function checkWeights(what: string, specs: readonly unknown[]): asserts specs is io.WeightsManifestEntry[] {
  const names = new Set<unknown>();
  for (const [i, spec] of specs.entries()) {
    const { name, dtype, shape, quantization } = check.checkRecord(`${what}: weight ${i}`, spec);
    if (typeof name !== 'string') check.throwTypeError(`${what}: weight ${i}: name`, 'a string', name);
    if (names.has(name)) throw new Error(`${what}: two weights are named ${check.show(name)}`);
    names.add(name);
    const weight = `${what}: weight ${name}`;
    if (!Array.isArray(shape)) check.throwTypeError(`${weight}: shape`, 'a list', shape);
    for (const length of shape) check.checkInteger(`${weight}: shape`, length, 0);
    if (quantization === undefined) check.checkOneOf(`${weight}: dtype`, dtype, Object.keys(BYTES));
    else checkQuantization(weight, dtype, quantization);
  }
}

function checkQuantization(weight: string, dtype: unknown, quantization: unknown): void {
  const { dtype: stored, scale, min } = check.checkRecord(`${weight}: quantization`, quantization);
  const isHalf =
    check.checkOneOf(`${weight}: quantization`, stored, Object.keys(QUANTIZED_BYTES)) === 'float16';
  check.checkOneOf(`${weight}: dtype`, dtype, isHalf ? ['float32'] : ['float32', 'int32']);
  if (isHalf) return;
  for (const number of [scale, min])
    check.checkNumber(`${weight}: quantization`, number, 'for scale and min', () => true);
}

/** The bytes of a weight in the shards. */
function byteLength({ shape, dtype, quantization }: io.WeightsManifestEntry): number {
  const bytes = quantization ? QUANTIZED_BYTES[quantization.dtype] : BYTES[dtype as keyof typeof BYTES];
  return bytes * util.sizeFromShape(shape);
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** The last save or load of each directory. Each waits for the previous one, whose shards it might remove. */
const lastTurns = new Map<string, Promise<unknown>>();

async function oneAtATime<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const turn = (lastTurns.get(directory) ?? Promise.resolve()).then(work, work);
  lastTurns.set(directory, turn);
  try {
    return await turn;
  } finally {
    if (lastTurns.get(directory) === turn) lastTurns.delete(directory);
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code;

/** Reads a file. Errors name the file, and have Node's error as their cause. */
export async function readWhole(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const problems: Record<string, string> = { ENOENT: 'is missing', EISDIR: 'is a directory' };
    const problem = problems[codeOf(cause) ?? ''] ?? `cannot be read: ${(cause as Error).message}`;
    throw new Error(`fileSystem: ${file} ${problem}`, { cause });
  }
}

/** Whether no one is writing this temporary file: this process has finished its own, others may have been killed. */
export function isAbandoned(name: string): boolean {
  const [, digits] = /\.(\d+)\.tmp$/.exec(name) ?? [];
  if (digits === undefined) return false;
  const pid = Number(digits);
  try {
    return pid === process.pid || !process.kill(pid, 0); // sends nothing
  } catch (error) {
    return codeOf(error) !== 'EPERM'; // EPERM: it is running, under another user
  }
}

/** What Windows answers while another program, often a virus scanner or an indexer, has a file open. */
const IN_USE: readonly unknown[] = ['EPERM', 'EACCES', 'EBUSY'];

/** Does something to a file that others may have open: tries for about a second, with growing pauses. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let pause = 10; ; pause *= 2) {
    try {
      return await work();
    } catch (error) {
      if (!IN_USE.includes(codeOf(error)) || pause > 640) throw error;
    }
    await setTimeout(pause); // milliseconds
  }
}

/** Writes to a temporary file and renames it, so that readers of `file` find the complete old or new contents. */
export async function replaceFile(file: string, contents: Uint8Array | string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(contents);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await patiently(() => rename(temporary, file));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // what went wrong before is what to say
    const found = await stat(file).catch(() => null);
    if (found?.isDirectory())
      throw new Error(`${file} is a directory: no file can be written there`, { cause });
    if (found && IN_USE.includes(codeOf(cause)))
      throw new Error(`${file} may be open in another program: ${(cause as Error).message}`, { cause });
    throw cause;
  }
}
