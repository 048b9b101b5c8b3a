import init, { optimise_raw } from '@jsquash/oxipng/codec/pkg/squoosh_oxipng.js';
import { colourOf } from '../../kit/pictures/look.mjs';

/** The highest level: tries the most filters. */
const LEVEL = 6;

/** @type {Promise<unknown> | null} */
let ready = null;

/**
 * The smallest PNG of one image that OxiPNG finds: it tries grey, palettes and RGB, bit depths and filters.
 *
 * @param {import('./protocol.mjs').PngJob} job
 */
export async function pngOf({ shape: [height, width], numLevels, levels }) {
  ready ??= init();
  await ready.catch((error) => {
    ready = null; // to try again
    throw error;
  });
  const rgba = new Uint8ClampedArray(4 * height * width).fill(255);
  const colour = colourOf({ channels: 1, levels: numLevels });
  for (let pixel = 0; pixel < height * width; pixel++) rgba.set(colour(levels, pixel), 4 * pixel);
  return { bytes: optimise_raw(rgba, width, height, LEVEL, false, false) };
}
