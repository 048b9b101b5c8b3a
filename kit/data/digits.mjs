import { readFile } from 'node:fs/promises';

/** Height, width and channels of a digit. */
export const IMAGE_SHAPE = [8, 8, 1];
/** Intensities 0 (paper) to 16 (ink). */
export const LEVELS = 17;

/**
 * The embedded digits, as bytes: the levels of all images one after the other, row by row, and the class 0..9 of each.
 *
 * @param {'train' | 'test'} part
 * @returns {Promise<{ images: Uint8Array, labels: Uint8Array }>}
 */
export async function readDigits(part) {
  const read = async (what) =>
    new Uint8Array(await readFile(new URL(`./sets/digits-${part}-${what}.u8`, import.meta.url)));
  const [images, labels] = await Promise.all([read('images'), read('labels')]);
  return { images, labels };
}
