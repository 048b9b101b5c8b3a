import { picture } from 'pixelcnn-layers/runtime';
import { lookOf } from '../../kit/pictures/look.mjs';
import { sizeOf } from '../catalogue.mjs';
import { colour, h } from './dom.mjs';

/** Between the images of a picture that is downloaded. */
const GAP_COLOUR = '#cbd0d8';

/** Ink on this page is not quite black. */
const INK = 24;
const TINT = { paper: [255, 255, 255], ink: [INK, INK, INK] };

/**
 * @typedef {{ shape: [number, number, number], levels: number, palette?: Uint8Array }} Kind of image; `palette` is red, green and blue of each
 * level, [L,3]; without it level 0 is paper, and the highest ink
 */

/**
 * How this page shows pixels.
 *
 * @param {Kind} kind
 * @returns {(values: ArrayLike<number>, pixel: number) => number[]} red, green and blue
 */
export const pageLook = ({ levels, palette }) => lookOf({ channels: 1, levels, palette }, TINT);

/** The other way round, of any colour: the level of ink. */
export function levelOf([red, green, blue], { levels }) {
  const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
  return Math.min(levels - 1, Math.round(((levels - 1) * (255 - grey)) / (255 - INK)));
}

/**
 * One image as pixels; those for which `isDrawn(pixel)` is false are transparent.
 *
 * @param {ArrayLike<number>} values levels
 * @param {Kind} kind
 */
export function imageData(values, { shape, levels, palette }, isDrawn = () => true) {
  const tint = pageLook({ levels });
  const look = {
    levels,
    palette: palette ?? Uint8Array.from({ length: levels }, (_, level) => tint([level], 0)[0]),
  };
  const { data, width } = picture({ data: Uint8Array.from(values), shape: [1, ...shape] }, look);
  for (let i = 0; i < data.length / 4; i++) if (!isDrawn(i)) data[4 * i + 3] = 0;
  return new ImageData(data, width);
}

/**
 * A picture of some images side by side.
 *
 * @param {{ label: string, columns?: (count: number) => number }} options
 */
export function gallery({ label, columns = (count) => Math.ceil(Math.sqrt(count)) }) {
  const canvas = h('canvas.pictures', { role: 'img', 'aria-label': label, width: 1, height: 1 });
  const context = canvas.getContext('2d');
  const scratch = h('canvas');

  /**
   * @param {ArrayLike<number>} values levels, one image after the other
   * @param {Kind} kind
   * @param {(pixel: number) => boolean} [isDrawn]
   * @param {number | null} [next] the pixel to mark in each image, as the next to be drawn
   * @param {((pixel: number) => boolean) | null} [isMarked] the pixels to draw a line around, in each image
   */
  function show(values, kind, isDrawn = () => true, next = null, isMarked = null) {
    const [height, width] = kind.shape;
    const count = values.length / sizeOf(kind.shape);
    const perRow = Math.min(count, columns(count));
    const scale = Math.max(4, Math.floor(128 / width));
    const gap = Math.round(scale * width * 0.1);
    const left = (i) => gap + (i % perRow) * (width * scale + gap);
    const top = (i) => gap + Math.floor(i / perRow) * (height * scale + gap);
    const size = height * width;
    setSize(canvas, left(perRow - 1) + width * scale + gap, top(count - 1) + height * scale + gap);
    setSize(scratch, width, height);
    if (next !== null) context.fillStyle = colour('--accent');
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = false;
    for (let i = 0; i < count; i++) {
      const image = values.slice(i * size, (i + 1) * size);
      scratch.getContext('2d').putImageData(imageData(image, kind, isDrawn), 0, 0);
      context.drawImage(scratch, left(i), top(i), width * scale, height * scale);
      if (isMarked !== null) drawOutline(context, [left(i), top(i)], scale, kind.shape, isMarked);
      if (next === null) continue;
      context.fillRect(
        left(i) + (next % width) * scale,
        top(i) + Math.floor(next / width) * scale,
        scale,
        scale,
      );
    }
    canvas.dataset.images = String(count);
  }

  /** As a PNG, on an opaque ground. */
  async function toPng() {
    const copy = h('canvas', { width: canvas.width, height: canvas.height });
    const painter = copy.getContext('2d');
    painter.fillStyle = GAP_COLOUR;
    painter.fillRect(0, 0, copy.width, copy.height);
    painter.drawImage(canvas, 0, 0);
    return new Promise((resolve, reject) => {
      copy.toBlob(
        (blob) => (blob ? resolve(blob) : reject(new Error('The browser made no PNG.'))),
        'image/png',
      );
    });
  }

  return { element: canvas, show, toPng };
}

/** A line along the border of the pixels that are marked, just outside them at the edge of the image. */
function drawOutline(context, [left, top], scale, [height, width], isMarked) {
  const at = (row, column) =>
    row >= 0 && column >= 0 && row < height && column < width && isMarked(row * width + column);
  const line = Math.max(2, Math.round(scale / 6));
  context.fillStyle = colour('--accent');
  for (let row = 0; row <= height; row++) {
    for (let column = 0; column <= width; column++) {
      const [x, y] = [left + column * scale - line / 2, top + row * scale - line / 2];
      if (at(row, column) !== at(row - 1, column)) context.fillRect(x, y, scale + line, line);
      if (at(row, column) !== at(row, column - 1)) context.fillRect(x, y, line, scale + line);
    }
  }
}

/** Setting a canvas's size clears it, also where the size is the same. */
function setSize(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
