import { h } from './dom.mjs';
import { levelOf } from './pictures.mjs';
import { isSvg, readSvg } from './svg-file.mjs';

/** Points in a row that are averaged for one pixel: a power of two. */
const POINTS = 32;

/**
 * Any image as a model knows images: whole, in the middle of white paper, in the model's size and levels.
 *
 * @param {File} file
 * @param {import('./pictures.mjs').Kind} kind
 * @returns {Promise<Uint8Array>} levels
 */
export async function readImage(file, kind) {
  const [height, width] = kind.shape;
  const read = isSvg(file) ? readSvg(file) : createImageBitmap(file);
  const picture = await read.catch(() => {
    throw new Error(`${file.name} is not an image that this browser can read.`);
  });
  const { data } = pointsOf(file, () => averaged(picture, width, height));
  picture.close?.();
  return Uint8Array.from({ length: height * width }, (_, i) =>
    levelOf(data.subarray(4 * i, 4 * i + 3), kind),
  );
}

/** Chromium and Safari show drawings with HTML inside, but let no page read what they show. */
function pointsOf({ name }, read) {
  try {
    return read();
  } catch (error) {
    if (error.name !== 'SecurityError') throw error;
    throw new Error(
      `${name} holds HTML (a foreignObject): this browser does not let a page read such a drawing.`,
    );
  }
}

/** Takes many points of each pixel as they are, then halves the picture until a point is a pixel: a mean in every browser. */
function averaged(picture, width, height) {
  const canvas = h('canvas', { width: width * POINTS, height: height * POINTS });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
  const [wide, high] = [picture.width * scale, picture.height * scale];
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, (canvas.width - wide) / 2, (canvas.height - high) / 2, wide, high);
  context.imageSmoothingEnabled = true;
  for (let [x, y] = [canvas.width, canvas.height]; x > width; x /= 2, y /= 2) {
    context.drawImage(canvas, 0, 0, x, y, 0, 0, x / 2, y / 2);
  }
  return context.getImageData(0, 0, width, height);
}
