import { PNG } from 'pngjs';
import { isInk, lookOf } from './look.mjs';

const GAP = [203, 208, 216];
/** Given pixels of images in ink on paper are blue. */
const GIVEN = { paper: [219, 232, 250], ink: [20, 62, 140] };
/** Width of the blue line around the given pixels of other images, in the gap. */
const LINE = 2;

/**
 * A PNG of grey or RGB images in rows of `columns`, with each pixel enlarged to a square, and gaps between
 * and around the images.
 *
 * @param {object} args
 * @param {ArrayLike<number>} args.images levels, one image after the other, row by row
 * @param {ArrayLike<number>} [args.known] 1 for levels to set apart as given, 0 for others, as many as there are levels
 * @param {number[]} args.imageShape height, width and channels of an image: 1, also by default, for grey, or 3
 * @param {number} args.levels
 * @param {Uint8Array} [args.palette] of the model
 * @param {number} args.columns
 * @param {number} [args.scale] side of a pixel
 * @param {number} [args.gap]
 * @returns {Buffer}
 */
export function gridPng({ images, known, imageShape, levels, palette, columns, scale = 10, gap = 8 }) {
  const [height, width, channels = 1] = imageShape;
  const kind = { channels, levels, palette };
  const [drawn, given] = [lookOf(kind), lookOf(kind, GIVEN)];
  const count = images.length / (height * width * channels);
  const pitchX = width * scale + gap; // from one image to the next
  const pitchY = height * scale + gap;
  const png = new PNG({ width: columns * pitchX + gap, height: Math.ceil(count / columns) * pitchY + gap });

  const paint = (left, top, right, bottom, [r, g, b]) => {
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) png.data.set([r, g, b, 255], (y * png.width + x) * 4);
    }
  };
  /** Paints every pixel, or every given one, and a margin around it. */
  const paintPixels = (colour, margin = 0, isGivenOnly = false) => {
    for (let pixel = 0; pixel < count * height * width; pixel++) {
      if (isGivenOnly && !known[pixel * channels]) continue;
      const image = Math.floor(pixel / (height * width));
      const left = gap + (image % columns) * pitchX + (pixel % width) * scale;
      const top = gap + Math.floor(image / columns) * pitchY + (Math.floor(pixel / width) % height) * scale;
      paint(left - margin, top - margin, left + scale + margin, top + scale + margin, colour(pixel));
    }
  };

  paint(0, 0, png.width, png.height, GAP);
  if (!isInk(kind) && known) paintPixels(() => GIVEN.ink, Math.min(LINE, Math.floor(gap / 2)), true);
  paintPixels((pixel) => (known?.[pixel * channels] ? given : drawn)(images, pixel));
  return PNG.sync.write(png);
}

/**
 * The smallest PNG of these images, in a nearly square grid, to measure PNG's compression and not to look at.
 * Levels are stored unchanged, in one byte, or two bytes beyond 256 levels. Tries the filters that do well,
 * with zlib at its best level.
 *
 * @param {object} args
 * @param {Uint8Array | Uint16Array} args.images levels, one image after the other, row by row
 * @param {number[]} args.imageShape height, width and channels of an image, 1 or 3
 * @returns {Buffer}
 */
export function smallestPng({ images, imageShape: [height, width, channels] }) {
  if (channels !== 1 && channels !== 3) throw new Error(`PNG: wanted 1 channel or 3, got ${channels}`);
  const rowSize = width * channels;
  const count = images.length / (height * rowSize);
  const columns = Math.ceil(Math.sqrt(count));
  const size = { width: columns * width, height: Math.ceil(count / columns) * height };
  const data = new images.constructor(size.width * size.height * channels); // unused places are 0
  for (let row = 0; row < count * height; row++) {
    const image = Math.floor(row / height);
    const y = Math.floor(image / columns) * height + (row % height);
    const at = (y * columns + (image % columns)) * rowSize;
    data.set(images.subarray(row * rowSize, (row + 1) * rowSize), at);
  }
  const colorType = channels === 1 ? 0 : 2;
  const bitDepth = 8 * images.BYTES_PER_ELEMENT;
  const format = { colorType, inputColorType: colorType, bitDepth };
  const write = ([filterType, deflateStrategy]) =>
    PNG.sync.write(
      { ...size, data: Buffer.from(data.buffer) },
      { ...format, filterType, deflateStrategy, deflateLevel: 9 },
    );
  return TRIES.map(write).reduce((best, png) => (png.length < best.length ? png : best));
}

/**
 * No filter, Paeth's for all rows, and -1, which chooses one of the five for each row; each with zlib's
 * default strategy and 'filtered'.
 */
const TRIES = [0, 4, -1].flatMap((filter) => [0, 1].map((strategy) => [filter, strategy]));
