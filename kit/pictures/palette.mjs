/**
 * RGB images as images of one channel, whose levels are the colours of a palette; and back.
 *
 * A palette has red, green and blue of each level, [L,3], 2 to 65,536 levels.
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 */

const MAX_COLOURS = 65_536;

/**
 * Each pixel as the level of the nearest colour, by squared distance; of equally near ones as the lowest.
 *
 * @param {ImageSet} images [N,H,W,3] of 256 levels
 * @param {Uint8Array} palette [L,3]
 * @returns {ImageSet} [N,H,W,1] of L levels
 */
export function toPalette(images, palette) {
  checkRgb('toPalette', images);
  const levels = numColours('toPalette', palette);
  const { data, shape, ...others } = images;
  const known = new Uint32Array(2 ** 24); // of each colour 1 + its level, 0 before it is met
  const found = new (levels <= 256 ? Uint8Array : Uint16Array)(data.length / 3); // [N*H*W*3] -> [N*H*W]
  for (let pixel = 0; pixel < found.length; pixel++) {
    const colour = colourAt(data, pixel);
    known[colour] ||= 1 + nearestLevel(palette, data.subarray(3 * pixel, 3 * pixel + 3));
    found[pixel] = known[colour] - 1;
  }
  return { ...others, data: found, shape: [...shape.slice(0, 3), 1], levels };
}

/**
 * Each level as its colour.
 *
 * @param {ImageSet} images [N,H,W,1] of L levels
 * @param {Uint8Array} palette [L,3]
 * @returns {ImageSet} [N,H,W,3] of 256 levels
 */
export function fromPalette({ data, shape, levels, ...others }, palette) {
  if (levels !== numColours('fromPalette', palette) || shape[3] !== 1)
    throw new Error(`fromPalette: wanted images [N,H,W,1] of ${palette.length / 3} levels, got [${shape}] of ${levels}`); // biome-ignore format: one line
  const colours = new Uint8Array(3 * data.length); // [N*H*W] -> [N*H*W*3]
  for (const [pixel, level] of data.entries()) {
    if (level >= levels) throw new Error(`fromPalette: wanted levels 0 to ${levels - 1}, got ${level}`);
    colours.set(palette.subarray(3 * level, 3 * level + 3), 3 * pixel);
  }
  return { ...others, data: colours, shape: [...shape.slice(0, 3), 3], levels: 256 };
}

/**
 * The level of the colour that is nearest, the lowest of equally near ones.
 *
 * @param {Uint8Array} palette [L,3]
 * @param {ArrayLike<number>} colour red, green and blue
 */
export function nearestLevel(palette, [red, green, blue]) {
  let nearest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < palette.length; at += 3) {
    const r = palette[at] - red;
    const g = palette[at + 1] - green;
    const b = palette[at + 2] - blue;
    const distance = r * r + g * g + b * b;
    if (distance < least) {
      least = distance;
      nearest = at / 3;
    }
  }
  return nearest;
}

/**
 * What a palette throws away: the mean squared error of a value, 0 to 255, and the ratio of the peak to it in decibels.
 *
 * @param {ImageSet} images [N,H,W,3] of 256 levels
 * @param {Uint8Array} palette [L,3]
 * @returns {{ mse: number, psnr: number }} `psnr` is infinite where nothing is thrown away
 */
export function lossOf(images, palette) {
  const { data } = fromPalette(toPalette(images, palette), palette);
  const mse = data.reduce((sum, value, i) => sum + (value - images.data[i]) ** 2, 0) / data.length;
  return { mse, psnr: 10 * Math.log10(255 ** 2 / mse) };
}

/** A palette [L,3] as text: two hexadecimal digits a byte. */
export const textOfPalette = (palette) => Buffer.from(palette).toString('hex');

/**
 * The palette in a file's text.
 *
 * @param {string} what begins the error
 * @param {unknown} text
 * @returns {Uint8Array} [L,3]
 */
export function paletteOfText(what, text) {
  const isHex = typeof text === 'string' && /^[0-9a-f]*$/.test(text);
  if (!isHex || text.length % 6 !== 0)
    throw new Error(
      `${what}: wanted six hexadecimal digits a colour, got ${JSON.stringify(text)?.slice(0, 40)}`,
    );
  const palette = Uint8Array.from(Buffer.from(text, 'hex'));
  numColours(what, palette);
  return palette;
}

/** Red, green and blue of a pixel as one number. */
export const colourAt = (data, pixel) =>
  (data[3 * pixel] << 16) | (data[3 * pixel + 1] << 8) | data[3 * pixel + 2];

/** Checks that images are RGB in bytes. */
export function checkRgb(what, { data, shape, levels }) {
  const isRgb = data instanceof Uint8Array && shape.length === 4 && shape[3] === 3 && levels === 256;
  if (!isRgb || data.length !== shape.reduce((product, size) => product * size))
    throw new Error(`${what}: wanted RGB images [N,H,W,3] of 256 levels, got [${shape}] of ${levels}`);
}

function numColours(what, palette) {
  const levels = palette?.length / 3;
  const isOne = palette instanceof Uint8Array && Number.isInteger(levels);
  if (!isOne || levels < 2 || levels > MAX_COLOURS)
    throw new Error(`${what}: palette: wanted a Uint8Array of 3 bytes for each of 2 to ${MAX_COLOURS} levels, got ${palette?.length ?? palette}`); // biome-ignore format: one line
  return levels;
}
