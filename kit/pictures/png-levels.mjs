import { PNG } from 'pngjs';
import { colourOf } from './look.mjs';

/**
 * The levels of a PNG from which {@link pngOfLevels} would make exactly its pixels; the lowest, where several look alike.
 *
 * @param {Uint8Array} bytes
 * @param {number} channels 1 or 3
 * @param {number} levels at most 256 without a palette
 * @param {Uint8Array} [palette] of the model, [L,1] or [L,3]
 * @returns {{ shape: [number, number, number], data: Uint8Array | Uint16Array }} levels [H,W,C]
 */
export function levelsOfPng(bytes, channels, levels, palette) {
  const { width, height, depth, data } = readPng(Buffer.from(bytes));
  if (depth === 16) throw new Error('wanted 8 bits a channel, got 16');
  const isOfColours = palette?.length === 3 * levels;
  const colour = colourOf({ channels: 1, levels, palette });
  const keyOf = isOfColours ? nameOf : ([intensity]) => intensity;
  const levelOf = new Map();
  for (let level = levels - 1; level >= 0; level--) levelOf.set(keyOf(colour([level], 0)), level);
  const wanted = `${isOfColours ? 'colours of the palette' : `intensities of ${levels} levels`} (${listOf([...levelOf.keys()].reverse())})`; // biome-ignore format: one line
  const read = new (levels <= 256 ? Uint8Array : Uint16Array)(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const [r, g, b, opacity] = data.subarray(4 * pixel, 4 * pixel + 4);
    const where = `row ${Math.floor(pixel / width)}, column ${pixel % width}`;
    if (opacity !== 255) throw new Error(`wanted no transparency, got opacity ${opacity} in ${where}`);
    if (channels === 1 && !isOfColours && (r !== g || g !== b))
      throw new Error(`wanted grey, got ${r}, ${g}, ${b} in ${where}`);
    for (let channel = 0; channel < channels; channel++) {
      const key = keyOf([r, g, b].slice(channel));
      const level = levelOf.get(key);
      if (level === undefined) throw new Error(`wanted ${wanted}, got ${key} in ${where}`);
      read[pixel * channels + channel] = level;
    }
  }
  return { shape: [height, width, channels], data: read };
}

/** A colour as #rrggbb. */
const nameOf = (colour) => `#${Buffer.from(colour).toString('hex')}`;

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

function readPng(bytes) {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new Error('not a PNG, but for its name');
  try {
    return PNG.sync.read(bytes);
  } catch (cause) {
    throw new Error(`a damaged PNG: ${cause.message}`, { cause });
  }
}

/** The first numbers, and the last. */
const listOf = (numbers) =>
  numbers.length > 4 ? `${numbers.slice(0, 3).join(', ')}, … ${numbers.at(-1)}` : numbers.join(', ');

/**
 * A PNG of one image, with one pixel for each of the image's: grey, unless it has three channels or a palette of colours.
 *
 * @param {ArrayLike<number>} image levels [H,W,C]
 * @param {number[]} shape [H,W,C], C 1 or 3
 * @param {number} levels at most 256 without a palette
 * @param {Uint8Array} [palette] of the model, [L,1] or [L,3]
 * @returns {Buffer}
 */
export function pngOfLevels(image, [height, width, channels], levels, palette) {
  const colour = colourOf({ channels, levels, palette });
  const isGrey = channels === 1 && palette?.length !== 3 * levels;
  const parts = isGrey ? 1 : 3;
  const data = Buffer.alloc(height * width * parts);
  for (let pixel = 0; pixel < height * width; pixel++) {
    data.set(colour(image, pixel).slice(0, parts), pixel * parts);
  }
  const colorType = isGrey ? 0 : 2;
  return PNG.sync.write({ width, height, data }, { colorType, inputColorType: colorType });
}
