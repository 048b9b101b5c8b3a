import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { weightsOf } from '../../../demo/parts/networks.mjs';
import { shifted } from '../../../demo/parts/shifted.mjs';
import { unpackBits } from '../../../demo/worker/bits.mjs';
import { disposeNetwork, newNetwork } from '../../../demo/worker/network.mjs';

describe("the page's networks", () => {
  it.each([
    ['plain', { width: 8, depth: 1, levels: 2 }],
    ['plain', { width: 24, depth: 6, levels: 2 }],
    ['gated', { width: 8, depth: 1, levels: 17 }],
    ['gated', { width: 24, depth: 6, levels: 17 }],
  ] as const)('have as many weights as the page says: %s, %j', async (name, settings) => {
    await tf.setBackend('cpu');
    const before = tf.memory().numTensors;
    const network = newNetwork(name, { shape: [8, 8, 1], ...settings });
    expect(weightsOf(name, settings)).toBe(network.model.countParams().toLocaleString('en'));
    disposeNetwork(network);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('bits', () => {
  it('are eight pixels a byte, the first of them the highest', () => {
    expect([...unpackBits(Uint8Array.of(0b10000001, 0b01000000))]).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
  });

  it.each([['train', 2115], ['test', 235]])('of Korean syllables, %s, are %i images, none blank', async (part, count) => {
    const file = new URL(`../../../kit/data/sets/syllables-16-${part}.bits`, import.meta.url);
    const pixels = unpackBits(await readFile(file));
    expect(pixels.length).toBe(count * 256);
    for (let i = 0; i < count; i++) expect(pixels.subarray(256 * i, 256 * (i + 1))).toContain(1);
  }); // biome-ignore format: one line
});

describe('drawings to train on', () => {
  const drawing = (...inked: number[]) => Array.from({ length: 64 }, (_, pixel) => (inked.includes(pixel) ? '1' : '0')).join('');
  const imagesOf = (pixels: Uint8Array) =>
    Array.from({ length: pixels.length / 64 }, (_, i) => pixels.subarray(64 * i, 64 * (i + 1)).join(''));

  it('are shifted by up to a pixel in eight each way', () => {
    const images = imagesOf(shifted([drawing(9)], 8, false)); // row 1, column 1
    expect(images.sort()).toEqual([0, 1, 2, 8, 9, 10, 16, 17, 18].map((pixel) => drawing(pixel)).sort());
    expect(shifted([drawing(9)], 16, false).length).toBe(25 * 64);
  });

  it('lose what is shifted over the edge', () => {
    const blank = imagesOf(shifted([drawing(0)], 8, false)).filter((image) => image === drawing());
    expect(blank.length).toBe(5);
  });

  it('are mirrored where asked for', () => {
    const images = imagesOf(shifted([drawing(9), drawing(20)], 8, true));
    expect(images.length).toBe(36);
    for (const pixel of [9, 14, 20, 19]) expect(images).toContain(drawing(pixel)); // 14: row 1, column 6; 19: row 2, column 3
  });
});
