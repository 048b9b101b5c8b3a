import { type Given, integer, optional, readArguments } from './arguments';
import { checkBytes, checkCategories, throwTypeError } from './check';
import { checkImages, checkLevels, type Images } from './images';

/** What the levels of images look like: a model, a set of images, or these two. */
export interface Look {
  /** L, the number of levels. */
  readonly levels: number;
  /** The colour of each level, [L, 1 or 3]: a grey, or red, green and blue. @default intensities from black to white */
  readonly palette?: Uint8Array | undefined;
}

/** A sheet of images, as canvases and encoders of PNGs take it. */
export interface Picture {
  /** Red, green, blue and opacity of each pixel, 0 to 255, row by row [height * width * 4]. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  /** Pixels across. */
  readonly width: number;
  /** Pixels down. */
  readonly height: number;
}

export const pictureOptions = {
  /** How many images stand side by side. @default as many as make the sheet nearly square */
  columns: optional(integer({ from: 1 })),
  /** The side of an image's pixel, in pixels of the sheet. @default 1 */
  scale: optional(integer({ from: 1 }), 1),
  /** How many transparent pixels of the sheet are between images. @default 1 */
  gap: optional(integer({ from: 0 }), 1),
};

/** Options of {@link picture}. */
export interface PictureOptions extends Given<typeof pictureOptions> {}

/**
 * Draws images on one sheet, row by row.
 *
 * @param images levels [N,H,W,C], such as those of `sample` or an `imageSet`; C is 1, or 3 for red, green and blue
 * @param look what levels look like: the model that drew them, a set of images, or `{ levels, palette }`
 * @returns for `new ImageData(data, width)`, or any encoder of PNGs
 * @throws TypeError if the images have other channels or levels, or an option is invalid
 * @example
 * ```js
 * import { picture } from 'pixelcnn-layers/runtime';
 * const levels = Uint8Array.of(0, 1, 1, 0); // two images of two pixels
 * const { data, width, height } = picture({ data: levels, shape: [2, 1, 2, 1] }, { levels: 2 }, { columns: 1 });
 * console.log(width, height); // 2 3
 * console.log([...data.slice(0, 8)].join()); // 0,0,0,255,255,255,255,255
 * ```
 */
export function picture(images: Images, look: Look, options: PictureOptions = {}): Picture {
  const { data, shape } = checkImages('picture: images', images);
  const values = readArguments('picture', options, pictureOptions);
  const [numImages, rows, columns, channels] = shape as [number, number, number, number];
  const colourOf = coloursOf(look, channels);
  checkLevels('picture: images', data, look.levels);

  const { scale, gap } = values;
  const across = Math.min(values.columns ?? Math.ceil(Math.sqrt((numImages * rows) / columns)), numImages);
  const down = Math.ceil(numImages / across);
  const width = across * (columns * scale + gap) - gap;
  const height = down * (rows * scale + gap) - gap;
  const sheet = new Uint8ClampedArray(width * height * 4);
  const pixels = new Uint32Array(sheet.buffer); // four bytes each, written at once

  const colour = new Uint8Array(4).fill(255);
  const packed = new Uint32Array(colour.buffer);
  let pixel = 0; // of all images, in their order
  for (let n = 0; n < numImages; n++) {
    const left = (n % across) * (columns * scale + gap);
    const top = Math.floor(n / across) * (rows * scale + gap);
    for (let row = 0; row < rows; row++) {
      const first = (top + row * scale) * width + left; // the line of the sheet that this row of pixels begins
      for (let column = 0; column < columns; column++, pixel++) {
        colourOf(data, pixel, colour);
        pixels.fill(packed[0] as number, first + column * scale, first + (column + 1) * scale);
      }
      for (let line = 1; line < scale; line++)
        pixels.copyWithin(first + line * width, first, first + columns * scale);
    }
  }
  return { data: sheet, width, height };
}

/** Writes the colour of a pixel, of all pixels of all images. */
type ColourOf = (data: ArrayLike<number>, pixel: number, colour: Uint8Array) => void;

function coloursOf(look: Look, channels: number): ColourOf {
  if (typeof look !== 'object' || look === null)
    throwTypeError('picture: model', 'a model, a set of images or { levels, palette }', look);
  const levels = checkCategories('picture: model: levels', look.levels, 2);
  const palette = look.palette ?? intensities(levels);
  checkBytes('picture: model: palette', palette);
  const colours = palette.length / levels;
  if (colours !== 1 && colours !== 3)
    throwTypeError('picture: model: palette', `1 or 3 bytes for each of ${levels} levels`, palette.length);
  if (channels === 3 && colours === 3)
    throwTypeError(
      'picture: model: palette',
      'a grey for each level, for images of 3 channels',
      palette.length,
    );
  if (channels !== 1 && channels !== 3)
    throwTypeError('picture: images', 'images of 1 or 3 channels', channels);
  return (data, pixel, colour) => {
    for (let part = 0; part < 3; part++) {
      const level = data[channels === 1 ? pixel : 3 * pixel + part] as number;
      colour[part] = palette[colours === 1 ? level : 3 * level + part] as number;
    }
  };
}

const intensities = (levels: number) =>
  Uint8Array.from({ length: levels }, (_, level) => Math.round((255 * level) / (levels - 1)));
