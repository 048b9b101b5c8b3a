// Packs a directory of PNGs into one file without loss, and unpacks it again: `node examples/compress.mjs --help`.

import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SingleBar } from 'cli-progress';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { createPool, readPortable } from 'pixelcnn-layers/runtime';
import { prepareFile, writeWhole } from './lib/files.mjs';
import { outputDirectory, outputFile, parseFlags, pathTo, wholeNumber } from './lib/flags.mjs';
import { levelsOfPng, pngOfLevels } from './lib/png-levels.mjs';

const help = `Packs a directory of PNGs into one file without loss, in the bits that a model's likelihood promises; or unpacks that file.

  node examples/compress.mjs --model FILE --from DIR --to FILE    packs all PNGs of a directory
  node examples/compress.mjs --model FILE --from FILE --to DIR    unpacks them, with the same model

  --model FILE   a portable model, as export.mjs writes it
  --from PATH    what is read. Gray or RGB as the model's images, without transparency, in intensities that are its levels
  --to PATH      what is written: conventionally NAME.zip, a zip of a file of the codec for each size of image, and names
  --class K      the class of all images, for a model by class; the file keeps it
  --workers N    threads (as many as there are cores)
  --help         prints this
`;
const text = { type: 'string' };
const flags = parseFlags(
  { model: text, from: text, to: text, class: text, workers: text, help: { type: 'boolean' } },
  help,
  process.argv.slice(2),
);
const modelFile = pathTo('the file of a portable model', '--model', flags.model);
const from = pathTo('a directory of PNGs, or a file', '--from', flags.from);
const condition = flags.class === undefined ? undefined : wholeNumber('--class', flags.class, 0);
const workers = flags.workers === undefined ? {} : { workers: wholeNumber('--workers', flags.workers, 1) };

const model = readPortable(await readFile(modelFile));
const pool = createPool(workers);
const abort = new AbortController();
process.once('SIGINT', () => abort.abort()); // ends it between two pixels
const bar = new SingleBar({ format: '{what}  {bar} {percentage} %, {eta} s left', noTTYOutput: true });
try {
  await ((await stat(from)).isDirectory() ? pack() : unpack());
} catch (error) {
  if (!abort.signal.aborted) throw error;
  bar.stop();
  process.stderr.write('interrupted\n');
  process.exitCode = 130; // as shells have it for Ctrl-C
} finally {
  await pool.terminate();
}

async function pack() {
  const [, , channels] = model.imageShape;
  if (channels !== 1 && channels !== 3)
    throw new Error(`--model: wanted one of gray or RGB images, got ${channels} channels`);
  const out = outputFile('--to', flags.to);
  await prepareFile(out, '--to');
  const names = (await readdir(from)).filter((name) => /\.png$/i.test(name)).sort();
  if (names.length === 0) throw new Error(`--from: '${from}' has no PNGs`);
  const odd = names.find((name) => !isPlain(name));
  if (odd !== undefined) throw new Error(`--from: wanted names that are such on every machine, got '${odd}'`);
  const sizes = new Map(); // the images of each size, and their names
  let before = 0;
  for (const name of names) {
    const bytes = await readFile(join(from, name));
    before += bytes.length;
    const { shape, data } = readNamed(name, () => levelsOfPng(bytes, channels, model.levels));
    const size = shape.slice(0, 2).join('x');
    if (!sizes.has(size)) sizes.set(size, { shape, names: [], images: [] });
    sizes.get(size).names.push(name);
    sizes.get(size).images.push(data);
  }
  const namesOfSize = Object.fromEntries([...sizes].map(([size, { names }]) => [size, names]));
  const entries = { 'names.json': [strToU8(JSON.stringify(namesOfSize)), { level: 9 }] };
  let [values, bits] = [0, 0];
  for (const [size, { shape, images }] of sizes) {
    const data = Buffer.concat(images);
    const given = { data, shape: [images.length, ...shape] };
    const job = jobOf(`${images.length} of ${size}`);
    const code = await pool.compress(model, given, { ...job, condition, storeCondition: true });
    bar.stop();
    entries[`${size}.pxc`] = [code, { level: 0 }];
    values += data.length;
    bits += 8 * code.length;
  }
  const packed = zipSync(entries);
  await writeWhole(out, packed);
  const perDim = (bits / values).toFixed(3);
  console.log(`${names.length} PNGs of ${before} bytes: ${packed.length} bytes in ${out}, of which the images take ${perDim} bits/dim`); // biome-ignore format: one line
}

async function unpack() {
  const directory = outputDirectory('--to', flags.to);
  const { 'names.json': list, ...codes } = unzipSync(await readFile(from));
  if (list === undefined) throw new Error(`--from: '${from}' is not a file of this program`);
  const names = readNamed('names.json', () => JSON.parse(strFromU8(list)));
  const wanted = Object.keys(names ?? {}).map((size) => `${size}.pxc`).sort(); // biome-ignore format: one line
  if (String(Object.keys(codes).sort()) !== String(wanted))
    throw new Error(`--from: '${from}' is damaged: wanted [${wanted}], got [${Object.keys(codes)}]`);
  const images = new Map(); // the PNG of each name
  for (const [size, ofSize] of Object.entries(names)) {
    const { data, shape } = await pool.decompress(model, codes[`${size}.pxc`], jobOf(size));
    bar.stop();
    const [count, ...ofImage] = shape;
    if (!Array.isArray(ofSize) || ofSize.length !== count || !ofSize.every(isPlain))
      throw new Error(`--from: '${from}' is damaged: wanted ${count} names of images of ${size}`);
    const values = data.length / count;
    for (const [n, name] of ofSize.entries()) {
      if (images.has(name)) throw new Error(`--from: '${from}' is damaged: it has two images '${name}'`);
      images.set(name, pngOfLevels(data.subarray(n * values, (n + 1) * values), ofImage, model.levels));
    }
  }
  await mkdir(directory, { recursive: true });
  for (const [name, png] of images) await writeWhole(join(directory, name), png);
  console.log(`${images.size} PNGs in ${directory}`);
}

/** Whether a name is of a file in the directory itself: the file may be anyone's. */
function isPlain(name) {
  return typeof name === 'string' && name === basename(name) && /^[^\\]+\.png$/i.test(name);
}

function readNamed(name, read) {
  try {
    return read();
  } catch (cause) {
    throw new Error(`'${join(from, name)}': ${cause.message}`, { cause });
  }
}

/** How the pool says how far it is. */
function jobOf(what) {
  bar.start(1, 0, { what });
  return { signal: abort.signal, onProgress: ({ done, total }) => bar.update(done / total) };
}
