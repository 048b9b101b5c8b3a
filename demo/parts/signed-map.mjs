import { colour, h } from './dom.mjs';

/** The colours of -1, 0 and 1. */
export const signedColours = () =>
  ['--low', '--zero', '--high'].map((name) => colour(name).match(/\d+/g).map(Number));

/** The colour of a number from -1 to 1. */
export function signedColour([low, zero, high], share) {
  const end = share < 0 ? low : high;
  return zero.map((from, i) => Math.round(from + Math.abs(share) * (end[i] - from)));
}

/**
 * A channel of a gate as a map: zero in the colour of the page, and nothing where the number is not known.
 *
 * @param {import('./trail.mjs').Net} net
 */
export function signedMap({ values, width }, colours, node, channel) {
  const height = values[node].length / width;
  const pixels = new ImageData(width, height);
  for (const [i, { [channel]: value }] of values[node].entries()) {
    if (!Number.isNaN(value)) pixels.data.set([...signedColour(colours, value), 255], 4 * i);
  }
  const canvas = h('canvas', { 'aria-hidden': 'true', width, height });
  canvas.getContext('2d').putImageData(pixels, 0, 0);
  return canvas;
}
