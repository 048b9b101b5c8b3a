// Packs a directory of PNGs losslessly into one file, and unpacks it again: `node examples/compress.mjs --help`.
//
// Pixels and names are restored exactly. The PNG files are rewritten: text, colour profiles and dates are not kept. All else in the
// directory, with its subdirectories, is left out, and listed. Unpacking needs exactly the same model: one converted again with another
// precision will not do. Intensities must be the model's levels: any of 256, or of L levels those that level * 255 / (L - 1) rounds to, as
// sample.mjs writes them. A model for images of any size takes PNGs of different sizes.
//
// The file is a zip of one codec file for each size of images, such as 8x8.pxc, and names.json. Nothing else in it is unpacked, nor
// more bytes than it has itself. Names must be possible on Linux, macOS and Windows, and no two may differ only by case.

import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, strToU8, zipSync } from 'fflate';
import { createPool, readPortable } from 'pixelcnn-layers/runtime';
import { command, outputDirectory, outputFile, text, wholeNumber } from '../kit/flags.mjs';
import { colourOf } from '../kit/pictures/look.mjs';
import { levelsOfPng, pngOfLevels } from '../kit/pictures/png-levels.mjs';
import { isPortableName, quoted, sameNameKey } from '../kit/runs/file-names.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';
import { progressBar } from '../kit/runs/progress.mjs';
import { listZip, unzip } from '../kit/weights/zip.mjs';

const flags = command(
  'examples/compress.mjs',
  `Packs all PNGs of a directory into one file without loss, in the bits that a model's likelihood promises; or unpacks that file,
with the same model.`,
)
  .requiredOption(
    '--model <file>',
    'a portable model, NAME.pixelcnn, as convert.mjs writes it. Keep it: without it nothing can be unpacked',
    text('the file of a portable model'),
  )
  .requiredOption(
    '--from <path>',
    "a directory of PNGs, or a packed file. The PNGs are grey or RGB, and as large, as the model's images, without transparency, and each intensity is one of the model's levels, or each colour one of its palette",
    text('a directory of PNGs, or a file'),
  )
  .requiredOption(
    '--to <path>',
    'the file to write, conventionally NAME.zip, or the directory to unpack into; files of the same names are replaced',
    text('a file, or a directory'),
  )
  .option(
    '--class <k>',
    'to pack with a model by class: the class of all images; the file keeps it',
    wholeNumber(0),
  )
  .option('--workers <n>', 'threads (default: as many as there are cores)', wholeNumber(1))
  .parse()
  .opts();
const { model: modelFile, from, workers } = flags;

/** The most bytes of the list of names. */
const MAX_NAME_BYTES = 2 ** 24;
/** Values that are decompressed together, as many as the library does at once. */
const VALUES_AT_A_TIME = 2 ** 24;

const model = await readModel();
const isDirectory = (await named('--from', () => stat(from))).isDirectory();
const pool = createPool(workers === undefined ? {} : { workers });
const abort = new AbortController();
process.once('SIGINT', () => abort.abort()); // ends it between two pixels
const bar = progressBar('{what}  {bar} {percentage} %, {eta} s left');
try {
  await (isDirectory ? pack() : unpack());
} catch (error) {
  bar.stop(); // releases the terminal
  if (!abort.signal.aborted) throw error;
  process.stderr.write('interrupted\n');
  process.exitCode = 130; // the exit code of shells for Ctrl-C
} finally {
  await pool.dispose();
}

async function pack() {
  const condition = classOfImages();
  const out = await named('--to', () => outputFile()(flags.to));
  await prepareFile(out, '--to');
  const found = await readdir(from, { withFileTypes: true });
  const isPng = (entry) => !entry.isDirectory() && /\.png$/i.test(entry.name);
  const names = found.filter(isPng).map(({ name }) => name).sort(); // biome-ignore format: one line
  const others = found.filter((entry) => !isPng(entry)).map(({ name }) => name).sort(); // biome-ignore format: one line
  if (names.length === 0) throw new Error(`--from: '${from}' has no PNGs`);
  const odd = names.find((name) => !isPlain(name));
  if (odd !== undefined)
    throw new Error(`--from: wanted names that are such on every machine, got ${quoted(odd)}`);
  const twins = firstTwins(names);
  if (twins !== undefined)
    throw new Error(
      `--from: wanted names that differ on every machine, got ${twins.map(quoted).join(' and ')}`,
    );
  const sizes = new Map(); // the images of each size, and their names
  let before = 0;
  for (const name of names) {
    const bytes = await readFile(join(from, name));
    before += bytes.length;
    const { shape, data } = await named(`'${join(from, name)}'`, () => readImage(bytes));
    const size = shape.slice(0, 2).join('x');
    if (!sizes.has(size)) sizes.set(size, { shape, names: [], images: [] });
    sizes.get(size).names.push(name);
    sizes.get(size).images.push(data);
  }
  const namesOfSize = Object.fromEntries([...sizes].map(([size, { names }]) => [size, names]));
  const entries = { 'names.json': [strToU8(JSON.stringify(namesOfSize)), { level: 9 }] };
  let [values, bits] = [0, 0];
  for (const [size, { shape, images }] of sizes) {
    const [{ length }] = images;
    const data = new images[0].constructor(images.length * length); // bytes, or 16 bits beyond 256 levels
    for (const [n, image] of images.entries()) data.set(image, n * length);
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
  const [percent, perDim] = [Math.round((100 * packed.length) / before), (bits / values).toFixed(3)];
  console.log(`${counted(names)} of ${before} bytes, packed into ${out}: ${packed.length} bytes (${percent} %), its images at ${perDim} bits/dim`); // biome-ignore format: one line
  if (others.length > 0) console.log(`left out, since they are not PNGs: ${firstOf(others)}`);
  console.log(`keep the model, which is needed to unpack it: ${modelFile}`);
}

async function unpack() {
  if (flags.class !== undefined) throw new Error('--class: wanted none to unpack, since the file keeps it');
  const { names, codes } = await readPacked();
  const directory = await named('--to', () => outputDirectory()(flags.to));
  const images = new Map(); // the PNG of each name
  for (const [size, ofSize] of Object.entries(names)) {
    if (!ofSize.every(isPlain)) throw damaged(`wanted ${ofSize.length} names of images of ${size}`);
    const [height, width] = size.split('x').map(Number);
    const imagesAtATime = Math.max(1, Math.floor(VALUES_AT_A_TIME / (height * width * model.imageShape[2])));
    const code = codes[`${size}.pxc`];
    for (let firstImage = 0; firstImage < ofSize.length; firstImage += imagesAtATime) {
      const numImages = Math.min(imagesAtATime, ofSize.length - firstImage);
      const part =
        firstImage === 0 && numImages === ofSize.length ? size : `${size} from ${firstImage + 1} on`;
      const { data, shape } = await named('--from', () =>
        pool.decompress(model, code, {
          ...jobOf(part),
          firstImage,
          ...(numImages === imagesAtATime && { numImages }),
        }),
      );
      bar.stop();
      const [count, ...ofImage] = shape;
      if (count !== numImages) throw damaged(`wanted ${firstImage + count} names of images of ${size}`);
      const values = data.length / count;
      for (let n = 0; n < count; n++) {
        const levels = data.subarray(n * values, (n + 1) * values);
        images.set(ofSize[firstImage + n], pngOfLevels(levels, ofImage, model.levels, model.palette));
      }
    }
  }
  await mkdir(directory, { recursive: true });
  for (const [name, png] of images) await writeWhole(join(directory, name), png);
  console.log(`${counted([...images])} in ${directory}`);
}

/**
 * Whether a name is of a PNG in the directory itself, on every machine, since the file may come from anyone.
 */
function isPlain(name) {
  return isPortableName(name) && /^.+\.png$/i.test(name);
}

/** Two names that refer to one file on some machine, if there are any. */
function firstTwins(names) {
  const seen = new Map();
  for (const name of names) {
    const key = sameNameKey(name);
    if (seen.has(key)) return [seen.get(key), name];
    seen.set(key, name);
  }
  return undefined;
}

/** The model, if its images can be PNGs. */
async function readModel() {
  const model = await named('--model', async () => {
    if ((await stat(modelFile)).isDirectory())
      throw new Error(`wanted a file, ${modelFile} is a directory: convert.mjs makes a file of it`);
    return readPortable(await readFile(modelFile));
  });
  const [, , channels] = model.imageShape;
  if (channels !== 1 && channels !== 3)
    throw new Error(`--model: wanted one of grey or RGB images, got ${channels} channels`);
  const { levels, palette } = model;
  if (levels > 256 && palette === undefined)
    throw new Error(
      `--model: wanted one of at most 256 levels, as PNGs have, got ${levels} without a palette`,
    );
  await named('--model', () => colourOf({ channels, levels, palette })); // a palette that fits
  return model;
}

/** The condition of all images. */
function classOfImages() {
  if (model.symmetry) return undefined; // the pool refuses it
  const kinds = model.conditions.map(({ kind }) => kind);
  if (kinds.some((kind) => kind !== 'class'))
    throw new Error(`--model: wanted one by class, or without conditions, got one by ${kinds.join(' and ')}`);
  if (kinds.length === 0 && flags.class !== undefined)
    throw new Error('--class: wanted none, since the model takes no class');
  if (kinds.length === 0) return undefined;
  const [{ numClasses }] = model.conditions;
  if (flags.class === undefined)
    throw new Error(`--class: wanted the class of all images, from 0 to ${numClasses - 1}, since the model takes one`); // biome-ignore format: one line
  if (flags.class >= numClasses)
    throw new Error(`--class: wanted a whole number from 0 to ${numClasses - 1}, got '${flags.class}'`);
  return flags.class;
}

/** The levels of a PNG, of a size that the model takes. */
function readImage(bytes) {
  const [height, width, channels] = model.imageShape;
  const image = levelsOfPng(bytes, channels, model.levels, model.palette);
  const [rows, columns] = image.shape;
  if (rows !== (height ?? rows) || columns !== (width ?? columns))
    throw new Error(`wanted ${height ?? 'any'} rows and ${width ?? 'any'} columns, as the model has, got ${rows} and ${columns}`); // biome-ignore format: one line
  return image;
}

/** The names of the images of each size, and the codec's files. */
async function readPacked() {
  const bytes = await readFile(from);
  try {
    const found = listZip(bytes);
    const { 'names.json': list } = unzip(bytes, ['names.json'], MAX_NAME_BYTES);
    const names = JSON.parse(strFromU8(list)) ?? {};
    const wanted = Object.keys(names).map((size) => `${size}.pxc`);
    const others = found.filter((name) => name !== 'names.json');
    const isSize = (size) => /^[1-9]\d{0,8}x[1-9]\d{0,8}$/.test(size);
    if (!Object.keys(names).every(isSize) || String(others.sort()) !== String([...wanted].sort()))
      throw damaged(`wanted ${quoted(wanted.sort().join(' '))}, got ${quoted(others.join(' '))}`);
    for (const [size, ofSize] of Object.entries(names))
      if (!Array.isArray(ofSize) || ofSize.length === 0)
        throw damaged(`wanted a list of names of images of ${size}`);
    const all = Object.values(names).flat();
    const twins = all.every(isPlain) ? firstTwins(all) : undefined;
    if (twins !== undefined)
      throw damaged(`two of its names are one on some machine: ${twins.map(quoted).join(' and ')}`);
    return { names, codes: unzip(bytes, wanted, bytes.length) }; // they are stored uncompressed
  } catch (cause) {
    if (cause.isDamage) throw cause;
    throw new Error(`--from: '${from}' is not a file of this program, nor a directory`, { cause });
  }
}

/** An error about the packed file. */
function damaged(problem) {
  return Object.assign(new Error(`--from: '${from}' is damaged: ${problem}`), { isDamage: true });
}

/** Runs an action; the message of an error begins with `what`. */
async function named(what, action) {
  try {
    return await action();
  } catch (cause) {
    const problem = cause.code === 'ENOENT' ? `'${cause.path}' does not exist` : cause.message;
    throw new Error(`${what}: ${problem}`, { cause });
  }
}

/** The first few names, and how many more there are. */
function firstOf(names) {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${names.slice(0, 3).join(', ')}${more}`;
}

function counted({ length }) {
  return `${length} PNG${length === 1 ? '' : 's'}`;
}

/**
 * Options by which the pool reports progress, first once something is done, so that no bar precedes an error.
 */
function jobOf(what) {
  let isShown = false;
  const onProgress = ({ done, total }) => {
    if (!isShown) bar.start(1, 0, { what });
    isShown = true;
    bar.update(done / total);
  };
  return { signal: abort.signal, onProgress };
}
