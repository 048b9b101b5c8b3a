import init, { optimise_raw } from '@jsquash/oxipng/codec/pkg/squoosh_oxipng.js';

/** The highest level: tries the most filters. */
const LEVEL = 6;

/** @type {Promise<unknown> | null} */
let ready = null;

/**
 * The smallest PNG of one image that OxiPNG finds: it tries grey, palettes and RGB, bit depths and filters.
 *
 * @param {import('./protocol.mjs').PngJob} job
 */
export async function pngOf({ shape: [height, width, channels], numLevels, levels }) {
  ready ??= init();
  await ready.catch((error) => {
    ready = null; // to try again
    throw error;
  });
  const rgba = new Uint8ClampedArray(4 * height * width).fill(255);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let part = 0; part < 3; part++) {
      const level = levels[pixel * channels + (channels === 3 ? part : 0)];
      rgba[4 * pixel + part] = Math.round((255 * level) / (numLevels - 1));
    }
  }
  return { bytes: optimise_raw(rgba, width, height, LEVEL, false, false) };
}
