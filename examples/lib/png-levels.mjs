import { PNG } from 'pngjs';

/** The intensity of each level, 0 to 255, in PNGs of 8 bits a channel. */
const intensitiesOf = (levels) =>
  Uint8Array.from({ length: levels }, (_, level) => Math.round((255 * level) / (levels - 1)));

/**
 * The levels of a PNG from which {@link pngOfLevels} would make exactly its pixels.
 *
 * @param {Uint8Array} bytes
 * @param {number} channels 1 for grey, 3 for RGB
 * @param {number} levels at most 256
 * @returns {{ shape: [number, number, number], data: Uint8Array }} levels [H,W,C]
 */
export function levelsOfPng(bytes, channels, levels) {
  const { width, height, depth, data } = readPng(Buffer.from(bytes));
  if (depth === 16) throw new Error('wanted 8 bits a channel, got 16');
  const levelOf = new Map([...intensitiesOf(levels)].map((intensity, level) => [intensity, level]));
  const read = new Uint8Array(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const [r, g, b, opacity] = data.subarray(4 * pixel, 4 * pixel + 4);
    const where = `row ${Math.floor(pixel / width)}, column ${pixel % width}`;
    if (opacity !== 255) throw new Error(`wanted no transparency, got opacity ${opacity} in ${where}`);
    if (channels === 1 && (r !== g || g !== b))
      throw new Error(`wanted grey, got ${r}, ${g}, ${b} in ${where}`);
    for (const [channel, intensity] of [r, g, b].slice(0, channels).entries()) {
      const level = levelOf.get(intensity);
      if (level === undefined)
        throw new Error(`wanted intensities of ${levels} levels (${listOf([...levelOf.keys()])}), got ${intensity} in ${where}`); // biome-ignore format: one line
      read[pixel * channels + channel] = level;
    }
  }
  return { shape: [height, width, channels], data: read };
}

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
 * A PNG of one image, with one pixel for each of the image's.
 *
 * @param {ArrayLike<number>} image levels [H,W,C]
 * @param {number[]} shape [H,W,C], C 1 or 3
 * @param {number} levels at most 256
 * @returns {Buffer}
 */
export function pngOfLevels(image, [height, width, channels], levels) {
  const intensities = intensitiesOf(levels);
  const colorType = channels === 1 ? 0 : 2;
  const data = Buffer.from(Array.from(image, (level) => intensities[level]));
  return PNG.sync.write({ width, height, data }, { colorType, inputColorType: colorType });
}
