import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { onWhite } from '../datasets/on-white.mjs';

/**
 * The emoji of an unpacked package emoji-datasource-google or emoji-datasource-twitter, without variants in skin colour.
 *
 * @param {string} path of the package
 * @param {'google' | 'twitter'} style
 * @param {16 | 32} side in pixels
 * @returns {Promise<{ name: string, category: string, image: Uint8Array }[]>} `image`: RGB on white, [side,side,3]
 */
export async function readEmoji(path, style, side) {
  const entries = JSON.parse(await readFile(join(path, 'emoji.json'), 'utf8'));
  const sheet = PNG.sync.read(await readFile(join(path, `img/${style}/sheets-clean/${side}.png`)));
  const cell = side + 2; // a border of one pixel around every image
  return entries
    .filter((entry) => entry[`has_img_${style}`])
    .map(({ short_name: name, category, sheet_x, sheet_y }) => {
      const image = new PNG({ width: side, height: side });
      PNG.bitblt(sheet, image, sheet_x * cell + 1, sheet_y * cell + 1, side, side, 0, 0);
      return { name, category, image: onWhite(image.data) };
    });
}
