import { PNG } from 'pngjs';

const GAP = [203, 208, 216];
/** Colours of level 0 and of the highest: drawn pixels in black on white, given ones in blue. */
const DRAWN = { paper: [255, 255, 255], ink: [24, 24, 32] };
const GIVEN = { paper: [219, 232, 250], ink: [20, 62, 140] };

/**
 * A PNG of grayscale images in rows of `columns`, each pixel enlarged to a square, with gaps between the images and around.
 *
 * @param {object} args
 * @param {ArrayLike<number>} args.images levels, one image after the other, row by row
 * @param {ArrayLike<number>} [args.known] 1 for pixels to set apart as given, 0 for others, as many as there are levels
 * @param {number[]} args.imageShape height and width of an image
 * @param {number} args.levels
 * @param {number} args.columns
 * @param {number} [args.scale] side of a pixel
 * @param {number} [args.gap]
 * @returns {Buffer}
 */
export function gridPng({ images, known, imageShape, levels, columns, scale = 10, gap = 8 }) {
  const [height, width] = imageShape;
  const count = images.length / (height * width);
  const pitchX = width * scale + gap; // from one image to the next
  const pitchY = height * scale + gap;
  const png = new PNG({ width: columns * pitchX + gap, height: Math.ceil(count / columns) * pitchY + gap });

  for (let y = 0; y < png.height; y++) {
    for (let x = 0; x < png.width; x++) {
      const column = Math.floor((x - gap) / pitchX);
      const row = Math.floor((y - gap) / pitchY);
      const image = row * columns + column;
      const i = Math.floor((y - gap - row * pitchY) / scale);
      const j = Math.floor((x - gap - column * pitchX) / scale);
      const isInside = row >= 0 && column >= 0 && image < count && i < height && j < width;
      const at = (image * height + i) * width + j;
      const [r, g, b] = isInside ? colour(images[at] / (levels - 1), known?.[at] ? GIVEN : DRAWN) : GAP;
      png.data.set([r, g, b, 255], (y * png.width + x) * 4);
    }
  }
  return PNG.sync.write(png);
}

function colour(share, { paper, ink }) {
  return paper.map((from, i) => Math.round(from + share * (ink[i] - from)));
}
