import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import { throwTypeError } from '../core/check';
import { readWhole, replaceFile } from './files';

const MODEL_FILE = 'model.json';
const SHARD_BYTES = 4 * 1024 * 1024; // what browsers cache, as tfjs's converter
/**
 * The files that this module writes, and what a crash may have left of them. Shards are named by their
 * contents.
 */
const OWN_FILE = /^(model\.json|weights\.[0-9a-f]{16}\.\d+of\d+\.bin)(\.\d+\.tmp)?$/;

/**
 * Saves and loads models in a directory, in tfjs's own layers-model format (`model.json` and weight shards),
 * without tfjs-node. A browser loads the same directory by the URL of its `model.json`.
 *
 * A save replaces the model at one stroke: new shards are written beside the old ones, then `model.json` is
 * renamed into place, then what it no longer names is removed. A crash of the process at any moment leaves
 * the old model or the new one, whole. One program at a time may save to a directory.
 *
 * @param directory made where it is missing
 * @returns a handler for `model.save` and `tf.loadLayersModel`
 * @throws Error (rejects) naming the file: missing, truncated, no JSON, no layers model, weights that do not
 * fit its manifest.
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
    throwTypeError('fileSystem', 'a directory', directory);
  const path = resolve(directory);
  return {
    save: (artifacts) => oneAtATime(path, () => save(path, artifacts)),
    load: () => oneAtATime(path, () => load(path)),
  };
}

async function save(directory: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  if (artifacts.modelTopology instanceof ArrayBuffer || artifacts.modelTopology === undefined) {
    throw new Error('fileSystem: wanted a layers model with its topology as JSON');
  }
  await mkdir(directory, { recursive: true });
  const bytes = new Uint8Array(io.CompositeArrayBuffer.join(artifacts.weightData));
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const count = Math.ceil(bytes.length / SHARD_BYTES);
  const paths = Array.from({ length: count }, (_, i) => `weights.${hash}.${i + 1}of${count}.bin`);
  for (const [i, name] of paths.entries()) {
    await replaceFile(join(directory, name), bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES));
  }
  const { weightData, weightSpecs = [], ...rest } = artifacts;
  const json = { ...rest, weightsManifest: [{ paths, weights: weightSpecs }] };
  await replaceFile(join(directory, MODEL_FILE), JSON.stringify(json));

  const current = [MODEL_FILE, ...paths];
  for (const name of await readdir(directory)) {
    if (OWN_FILE.test(name) && !current.includes(name)) await rm(join(directory, name), { force: true });
  }
  return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
}

async function load(directory: string): Promise<io.ModelArtifacts> {
  const file = join(directory, MODEL_FILE);
  const model = parseModel(file, (await readWhole('fileSystem', file)).toString('utf8'));
  return io.getModelArtifactsForJSON(model, async (manifest) => {
    const specs = manifest.flatMap(({ weights }) => weights);
    const names = manifest.flatMap(({ paths }) => paths);
    const wanted = specs.reduce((sum, spec) => sum + byteLength(spec), 0);
    const shards = await Promise.all(names.map((name) => readWhole('fileSystem', join(directory, name))));
    const got = shards.reduce((sum, { length }) => sum + length, 0);
    if (got !== wanted) {
      const problem = `names weights of ${wanted} bytes, but ${names.join(', ')} has ${got}`;
      throw new Error(`fileSystem: ${file} ${problem}: truncated, or not its own`);
    }
    return [specs, io.CompositeArrayBuffer.join(shards.map((shard) => new Uint8Array(shard).buffer))];
  });
}

/** model.json as an object that has all that loading needs. */
function parseModel(file: string, text: string): io.ModelJSON {
  let model: Partial<io.ModelJSON> | null;
  try {
    model = JSON.parse(text);
  } catch (cause) {
    throw new Error(`fileSystem: ${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const isWeight = (weight: Partial<io.WeightsManifestEntry> | null) =>
    typeof weight?.name === 'string' && typeof weight.dtype === 'string' && Array.isArray(weight.shape);
  const isShard = (path: unknown) => typeof path === 'string' && path === basename(path) && path !== '..';
  const isGroup = (group: Partial<io.WeightsManifestConfig[number]> | null) =>
    Array.isArray(group?.paths) &&
    Array.isArray(group.weights) &&
    group.paths.every(isShard) &&
    group.weights.every(isWeight);
  const isModel =
    typeof model?.modelTopology === 'object' &&
    model.modelTopology !== null &&
    Array.isArray(model.weightsManifest) &&
    model.weightsManifest.every(isGroup);
  if (!isModel)
    throw new Error(`fileSystem: ${file} is not a layers model with modelTopology and weightsManifest`);
  return model as io.ModelJSON;
}

const BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  complex64: 8,
  uint16: 2,
  float16: 2,
  uint8: 1,
  bool: 1,
};

/** The bytes that one weight takes in the shards. */
function byteLength({ name, shape, dtype, quantization }: io.WeightsManifestEntry): number {
  const bytes = BYTES[quantization?.dtype ?? dtype];
  if (bytes === undefined)
    throw new Error(`fileSystem: weight ${name} has type ${dtype}, which no layer has`);
  return shape.reduce((size, length) => size * length, bytes);
}

/**
 * The last save or load of each directory: one waits for another, so that none removes the shards that
 * another needs.
 */
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
