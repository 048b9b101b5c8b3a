import * as tf from '@tensorflow/tfjs-core';
import { logProb } from 'pixelcnn-layers';
import { conditionOf } from '../models/classes.mjs';
import { TEXT_HEIGHT, textWidth } from './drawing.mjs';
import { lookOf } from './look.mjs';

const TEXT = '#3b4454';
const GAP = 12;
/** Colours from no bits to as many as the uniform model needs. */
const COLOURS = ['#f6f7fa', '#f7d794', '#e8883a', '#b5322b', '#4a1036'];

/**
 * The cost of each pixel, in bits per dimension: the mean over its channels of -log2 p(level), each given all
 * before it.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {import('pixelcnn-layers/data').ImageSet} set of the model's levels, with labels where the model is conditioned on them
 * @returns {Promise<Float32Array>} [N,H,W]
 */
export async function bitsByPixel(model, { data, shape, labels }) {
  const condition = conditionOf(model, labels);
  const images = tf.tensor4d(new Int32Array(data), shape, 'int32'); // tfjs takes no Uint16Array
  try {
    const nats = await logProb(model, images, { condition, perValue: true }); // [N,H,W,C]
    const bits = tf.tidy(() => tf.mul(tf.mean(nats, 3), -Math.LOG2E)); // [N,H,W,C] -> [N,H,W]
    nats.dispose();
    const values = await bits.data();
    bits.dispose();
    return values;
  } finally {
    images.dispose();
  }
}

/**
 * The colour of a share of the scale, the darkest beyond 1.
 *
 * @param {number} share
 * @returns {string} '#rrggbb'
 */
export function heatColour(share) {
  const place = Math.min(Math.max(share, 0), 1) * (COLOURS.length - 1);
  const index = Math.min(Math.floor(place), COLOURS.length - 2);
  const [from, to] = [COLOURS[index], COLOURS[index + 1]].map(channelsOf);
  return hex(from.map((value, i) => Math.round(value + (place - index) * (to[i] - value))));
}

const channelsOf = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
const hex = (channels) => `#${channels.map((value) => value.toString(16).padStart(2, '0')).join('')}`;

/**
 * A drawing of images, each next to the cost of its pixels and above its mean cost, with the scale at the foot.
 *
 * @param {import('pixelcnn-layers/data').ImageSet & { palette?: Uint8Array }} set
 * @param {ArrayLike<number>} bits [N,H,W], of {@link bitsByPixel}
 * @param {number} columns pairs side by side
 * @returns {import('./drawing.mjs').Drawing}
 */
export function heatMap({ data, shape: [count, height, width, channels], levels, palette }, bits, columns) {
  const look = lookOf({ channels, levels, palette });
  const uniform = Math.log2(levels);
  const side = Math.max(1, Math.round(80 / height)); // of a pixel
  const pixels = height * width;
  const pair = { width: 2 * width * side + 2 + GAP / 2, height: height * side + TEXT_HEIGHT + GAP };
  const used = Math.min(columns, count);
  const rows = Math.ceil(count / columns);
  const scale = `${uniform.toFixed(1)} bits/dim or more`;
  const bar = 16 * 8; // width of the scale
  const foot = textWidth('0') + bar + textWidth(scale) + 2 * GAP;
  const grid = used * pair.width + (used - 1) * 2 * GAP;
  const size = {
    width: Math.max(grid, foot) + 2 * GAP,
    height: rows * (pair.height + GAP) + TEXT_HEIGHT + 2 * GAP,
  };

  const shapes = [];
  const square = (x, y, fill) => shapes.push({ x, y, width: side, height: side, fill });
  for (let n = 0; n < count; n++) {
    const x = GAP + (n % columns) * (pair.width + 2 * GAP);
    const y = GAP + Math.floor(n / columns) * (pair.height + GAP);
    const beside = x + width * side + GAP / 2;
    let sum = 0;
    for (let i = 0; i < pixels; i++) {
      const at = n * pixels + i;
      const [left, top] = [(i % width) * side, Math.floor(i / width) * side];
      square(x + left, y + top, hex(look(data, at)));
      square(beside + left, y + top, heatColour(bits[at] / uniform));
      sum += bits[at];
    }
    const middle = x + (pair.width >> 1);
    shapes.push({ x: middle, y: y + height * side + GAP / 2, text: (sum / pixels).toFixed(2), fill: TEXT });
  }

  const y = size.height - GAP - TEXT_HEIGHT;
  const left = (size.width - foot) >> 1;
  const barLeft = left + textWidth('0') + GAP;
  shapes.push({ x: left + (textWidth('0') >> 1), y, text: '0', fill: TEXT });
  for (let i = 0; i < 16; i++) {
    shapes.push({ x: barLeft + i * 8, y, width: 8, height: TEXT_HEIGHT, fill: heatColour(i / 15) });
  }
  shapes.push({ x: barLeft + bar + GAP + (textWidth(scale) >> 1), y, text: scale, fill: TEXT });
  return { ...size, title: 'Images, and the bits that each pixel takes', shapes };
}
