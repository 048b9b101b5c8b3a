import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageSet } from 'pixelcnn-layers/data';
import { PNG } from 'pngjs';
import { listDirectory } from './files.mjs';
import { onWhite } from './on-white.mjs';
import { splitTenths } from './tenths.mjs';

const WANTED = 'wanted --path to a directory of at least 10 PNGs, all of one size';

/**
 * PNGs in the order of their names: grey if every pixel of all of them is grey, else RGB.
 *
 * @param {string} [path]
 */
export async function folder(path) {
  const names = (await listDirectory(path, WANTED)).filter((name) => /\.png$/i.test(name)).sort();
  if (names.length < 10) throw new Error(`'${path}' has ${names.length}; ${WANTED}`);
  const files = names.map((name) => join(path, name));

  const first = await readPng(files[0]);
  const size = first.width * first.height * 3;
  const rgb = new Uint8Array(files.length * size);
  for (const [i, file] of files.entries()) {
    const { width, height, data } = await readPng(file);
    if (width !== first.width || height !== first.height) {
      throw new Error(
        `'${file}' is ${width}x${height}, '${files[0]}' ${first.width}x${first.height}; ${WANTED}`,
      );
    }
    rgb.set(onWhite(data), i * size);
  }

  const isGray = rgb.every((level, i) => level === rgb[i - (i % 3)]);
  const data = isGray ? rgb.filter((_, i) => i % 3 === 0) : rgb;
  const shape = [files.length, first.height, first.width, isGray ? 1 : 3];
  return { ...splitTenths(imageSet({ data, shape, levels: 256 })), about: `PNGs of ${path}` };
}

async function readPng(file) {
  const bytes = await readFile(file);
  try {
    return PNG.sync.read(bytes);
  } catch (error) {
    throw new Error(`'${file}' is not a readable PNG`, { cause: error });
  }
}
