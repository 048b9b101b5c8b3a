import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { PNG } from 'pngjs';

const run = promisify(execFile);

/**
 * Codecs of images, by the programs that encode and decode one file. Debian's packages zopfli, webp and libjxl-tools have them.
 * Each does its best, whatever it takes.
 */
export const IMAGE_CODECS = {
  'JPEG XL, `-e 9`': {
    ending: 'jxl',
    encode: (png, file) => run('cjxl', ['-d', '0', '-e', '9', '--num_threads=0', png, file]),
    decode: (file) => run('djxl', ['--num_threads=0', file, `${file}.png`]),
  },
  'WebP, lossless, `-z 9`': {
    ending: 'webp',
    encode: (png, file) => run('cwebp', ['-quiet', '-lossless', '-z', '9', png, '-o', file]),
    decode: (file) => run('dwebp', ['-quiet', file, '-o', `${file}.png`]),
  },
  'PNG, by Zopfli': {
    ending: 'zopfli.png',
    encode: (png, file) => run('zopflipng', ['-y', png, file]),
    decode: async (file) => PNG.sync.read(await readFile(file)),
  },
};

const MIB = 2 ** 20;

/** Compressors of bytes; zstd is Debian's package of that name. */
export const BYTE_CODECS = {
  'brotli, 11, on the bytes': {
    encode: (bytes) =>
      brotliCompressSync(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
          [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    decode: brotliDecompressSync,
  },
  'zstd, 22, on the bytes': {
    encode: (bytes) => filtered(bytes, ['--ultra', '-22', '-c']),
    decode: (bytes) => filtered(bytes, ['-d', '-c']),
  },
  'gzip, 9, on the bytes': { encode: (bytes) => gzipSync(bytes, { level: 9 }), decode: gunzipSync },
};

async function filtered(bytes, flags) {
  const job = run('zstd', flags, { encoding: 'buffer', maxBuffer: 256 * MIB });
  job.child.stdin.end(bytes);
  return (await job).stdout;
}

/** A PNG whose bytes are the levels as they are: of a few levels, the predictors of all codecs do best so. */
export function plainPng(levels, [height, width, channels]) {
  const colorType = channels === 1 ? 0 : 2;
  return PNG.sync.write({ width, height, data: Buffer.from(levels) }, { colorType, inputColorType: colorType });
}

/** Images in one, in a grid as square as may be. */
export function sheetOf(images, [height, width, channels]) {
  const size = height * width * channels;
  const count = images.length / size;
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const sheet = new Uint8Array(rows * height * columns * width * channels);
  for (let n = 0; n < count; n++) {
    for (let row = 0; row < height; row++) {
      const from = n * size + row * width * channels;
      const y = Math.floor(n / columns) * height + row;
      const at = (y * columns + (n % columns)) * width * channels;
      sheet.set(images.subarray(from, from + width * channels), at);
    }
  }
  return { levels: sheet, shape: [rows * height, columns * width, channels] };
}

/** How many bytes a codec makes of a PNG, and the milliseconds to compress and decompress it. */
export async function codeFile({ ending, encode, decode }, png) {
  const file = `${png}.${ending}`;
  const start = performance.now();
  await encode(png, file);
  const encoded = performance.now();
  await decode(file);
  return { bytes: (await stat(file)).size, encode: encoded - start, decode: performance.now() - encoded };
}

/** How many bytes a codec makes of images that are each a file of their own. */
export async function codeFiles(codec, directory) {
  const names = (await readdir(directory)).filter((name) => /^\d+\.png$/.test(name));
  let bytes = 0;
  for (const name of names) {
    const file = join(directory, `${name}.${codec.ending}`);
    await codec.encode(join(directory, name), file);
    bytes += (await stat(file)).size;
  }
  return bytes;
}

/** Writes images as PNGs of their own, 0.png and so on. */
export async function writeFiles(directory, images, imageShape) {
  await mkdir(directory, { recursive: true });
  const size = imageShape.reduce((a, b) => a * b);
  for (let n = 0; n < images.length / size; n++) {
    await writeFile(join(directory, `${n}.png`), plainPng(images.subarray(n * size, (n + 1) * size), imageShape));
  }
}
