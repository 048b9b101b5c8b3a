/**
 * Draws the page's icon, the picture that stands for it where its link is shared, and what other bits do to a file, by the page's
 * own models:
 *
 *     node demo/make-pictures.mjs
 */
import { fileURLToPath } from 'node:url';
import { compress, loadPortable, sample } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import { codedModel, keptDigest, readFile } from '../dist/runtime/codec/format.js';
import { intervalsFor } from '../dist/runtime/codec/intervals.js';
import { RangeDecoder, TOTAL } from '../dist/runtime/codec/range-coder.js';
import { walkImages } from '../dist/runtime/sampling/walk.js';
import { shapesOf, TILE_PIXELS } from '../examples/tiles/art.mjs';
import { pngOf } from '../kit/pictures/drawing.mjs';
import { writeWhole } from '../kit/runs/files.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const PAPER = '#ffffff';
const INK = '#18181a';
const WRONG = '#a3221b';
const GROUND = '#eceae4';
/** Of the picture: sides of a square and of what is in it, and squares along both sides. */
const [CELL, GLYPH, COLUMNS, ROWS] = [150, 120, 8, 4];
/** Columns and rows from which on the map takes nine squares. */
const MAP = [4, 0];
const SEED = 3;

async function draw(name, options) {
  const model = await loadPortable(modelURL(name));
  const { data, shape } = await sample(model, { seed: SEED, ...options });
  const size = data.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => data.slice(i * size, (i + 1) * size));
}

/** Squares of ink of a glyph whose upper left corner is there; red from the pixel of index `wrongFrom` on. */
function glyph(levels, x, y, pixel, wrongFrom = levels.length) {
  const side = Math.sqrt(levels.length);
  return Array.from(levels).flatMap((level, i) => {
    const [row, column] = [Math.floor(i / side), i % side];
    const fill = i < wrongFrom ? INK : WRONG;
    return level === 0
      ? []
      : [{ x: x + column * pixel, y: y + row * pixel, width: pixel, height: pixel, fill }];
  });
}

const characters = await draw('characters', { numImages: COLUMNS * ROWS, temperature: 0.8 });
const [map] = await draw('tiles', { numImages: 1, temperature: 0.7 });
const side = Math.sqrt(map.length) * TILE_PIXELS;
const [left, top] = MAP.map((cells) => cells * CELL + Math.floor((3 * CELL - side) / 2));
const squares = characters.flatMap((levels, i) => {
  const [column, row] = [i % COLUMNS, Math.floor(i / COLUMNS)];
  if (column >= MAP[0] && column < MAP[0] + 3 && row < 3) return [];
  const [x, y] = [column * CELL + (CELL - GLYPH) / 2, row * CELL + (CELL - GLYPH) / 2];
  const paper = { x: x - 10, y: y - 10, width: GLYPH + 20, height: GLYPH + 20, fill: PAPER };
  return [paper, ...glyph(levels, x, y, 5)];
});
const [width, height] = [COLUMNS * CELL, ROWS * CELL];
const mapShapes = shapesOf(map).map((shape) => ({ ...shape, x: left + shape.x, y: top + shape.y }));
const ground = { x: 0, y: 0, width, height, fill: GROUND };
const shapes = [ground, ...squares, ...mapShapes];
await writeWhole(at('public/picture.png'), pngOf({ width, height, shapes }));

const paper = { x: 0, y: 0, width: 64, height: 64, fill: PAPER };
const icon = { width: 64, height: 64, shapes: [paper, ...glyph(characters[0], 8, 8, 2)] };
await writeWhole(at('public/icon.png'), pngOf(icon));

/** The file of a character, decoded by a machine all of whose chances are off by that share. */
async function decodeOff(program, images, share) {
  const model = codedModel('program', program);
  const file = readFile(await compress(program, images), model.conditions, keptDigest(program));
  const levels = new Uint8Array(images.data.length);
  const walked = { numImages: 1, imageShape: file.imageShape, conditions: [] };
  await walkImages('decode', model, walked, () => {
    const intervalsOf = intervalsFor(model.distribution, 1);
    const decoder = new RangeDecoder(file.image(0).code);
    return {
      visit(current, index, found) {
        const white = Math.round(intervalsOf(current).of(0, 0).frequency * (1 - share));
        levels[index] = found[0] = Number(decoder.target() >= white);
        decoder.take(...(found[0] === 0 ? [0, white] : [white, TOTAL - white]));
      },
      finish() {},
    };
  });
  return levels;
}

const packer = await loadPortable(modelURL('characters'));
const packed = await sample(packer, { seed: 7, numImages: 1 });
const unpacked = [await decodeOff(packer, packed, 0), await decodeOff(packer, packed, 2 ** -24)];
if (String(unpacked[0]) !== String(packed.data)) throw new Error('the same chances decode another character');
for (const [i, name] of ['same-bits', 'other-bits'].entries()) {
  const page = { x: 0, y: 0, width: 200, height: 200, fill: PAPER };
  const first = unpacked[i].findIndex((level, j) => level !== packed.data[j]);
  const shapes = [page, ...glyph(unpacked[i], 16, 16, 7, first < 0 ? undefined : first)];
  await writeWhole(at(`public/${name}.png`), pngOf({ width: 200, height: 200, shapes }));
}
