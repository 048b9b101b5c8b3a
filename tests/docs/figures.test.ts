import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pixelCNNPlusPlus } from 'pixelcnn-layers';
import { describe, expect, it } from 'vitest';
import { BLOCK_FIGURES } from '../../scripts/block-figures.mjs';
import { drawingSvg } from '../../scripts/drawing-figure.mjs';
import { diagram, isTapSeen } from '../../scripts/lib/diagram.mjs';
import { magnetizationSvg } from '../../scripts/magnetization-figure.mjs';
import { natsSvg } from '../../scripts/nats-figure.mjs';
import { particlesSvg } from '../../scripts/particles-figure.mjs';
import { networkSvg, plusPlusSvg } from '../../scripts/plus-plus-figure.mjs';
import { windowOf } from '../../src/runtime/core/declared-window';
import { visibilityAt } from '../../src/runtime/core/window';

const readFigure = (name: string) => readFile(fileURLToPath(new URL(`../../docs/images/${name}.svg`, import.meta.url)), 'utf8');

it('the picture of PixelCNN++ is that of the network as it is: `npm run figures` makes it', async () => {
  expect(plusPlusSvg()).toBe(await readFigure('pixel-cnn-plus-plus'));
});

it('the picture of particles is what its script makes', async () => {
  expect(particlesSvg()).toBe(await readFigure('particles'));
});

it('the curves of binarized MNIST are those of the runs', async () => {
  expect(await natsSvg()).toBe(await readFigure('results-binarized'));
});

it('the magnetizations are those of the runs', async () => {
  expect(magnetizationSvg()).toBe(await readFigure('results-ising-magnetization'));
});

it('the moving picture of README is that of the model as it is, and is small', async () => {
  const svg = await readFigure('drawing');
  expect(await drawingSvg()).toBe(svg);
  expect(svg.length).toBeLessThan(100_000);
  expect(svg).toContain('A picture nobody has drawn before.');
});

it('the picture has what the graph has', () => {
  const model = pixelCNNPlusPlus({ imageShape: [16, 8, 1], filters: 1, numResnets: 1, output: { components: 2 } });
  const svg = networkSvg(model);
  const count = (part: string) => svg.split(part).length - 1;
  // One block at each of three resolutions on the way down, then 1, 2 and 2, and two convolutions each way; as many
  // of both streams. Beside them the stem's, and those of the legend, of the window and inside a block.
  expect(count('>2×3</text>')).toBe(3 + 5 + 4 + 1 + 1);
  expect(count('>2×2</text>')).toBe(3 + 5 + 4 + 1 + 2);
  // Each block of the way up reads a map of the way down; those of ul also u beside them, on both ways.
  expect(count('url(#skip)')).toBe(5 + 5 + (3 + 5) + 2);
  for (const words of ['16×8', '8×4', '4×2', 'image 16×8×1', 'ones 16×8×2', 'mixture of 2 logistics 16×8×6'])
    expect(svg).toContain(`${words}</text>`);
  model.dispose();
});

it.each(Object.entries(BLOCK_FIGURES))('the picture %s is what its script makes', async (name, draw) => {
  expect(await draw()).toBe(await readFigure(name));
});

describe('the drawings of blocks', () => {
  /** How often each of some words stands in a picture as the whole of a text. */
  const countsIn = async (name: string, words: string[]) => {
    const svg = await readFigure(name);
    return words.map((one) => svg.split(`>${one}</text>`).length - 1);
  };
  const tapsIn = async (name: string) =>
    ((await readFigure(name)).match(/class="tap (seen|hidden)"/g) ?? []).map((tap) => (tap.includes('seen') ? 1 : 0)).join('');

  it('have what the papers have', async () => {
    // Three convolutions, each followed by a ReLU, and one sum; mask B of 3x3.
    expect(await countsIn('block-pixel-cnn', ['1×1', '3×3, B', 'ReLU', '+'])).toEqual([2, 1, 3, 1]);
    expect(await tapsIn('block-pixel-cnn')).toBe('111110000');
    // n x n and 1 x n; 1x1 from the vertical to the horizontal stack, behind its gate, and of the condition into each
    // gate; sums there, of the condition twice, and of the residual connection.
    const gated = ['3×3', '1×3, B', '1×1', 'tanh', 'sigmoid', '+', '×', 'condition'];
    expect(await countsIn('block-gated', gated)).toEqual([1, 1, 4, 2, 2, 4, 2, 1]);
    expect(await tapsIn('block-gated')).toBe(`${'111111000'}${'110'}`);
    const plusPlus = ['concat-ELU', '2×3', '1×1', 'sigmoid', 'tanh', '+', '×', 'skip'];
    expect(await countsIn('block-plus-plus', plusPlus)).toEqual([3, 2, 2, 1, 0, 3, 1, 1]);
    // The current pixel, in the middle of the last row, is left out.
    expect(await tapsIn('block-snail')).toBe('111111100'.repeat(2));
    expect(await countsIn('block-snail', ['residual, 3×3', 'residual', 'concatenate'])).toEqual([2, 3, 2]);
  });

  it('show the taps that windows have', () => {
    const windows = [
      ...(['A', 'B'] as const).flatMap((maskType) =>
        [true, false].map((vertical) => windowOf({ kernelSize: 5, maskType, imageChannels: 1, vertical })),
      ),
      ...(['down', 'downRight', 'excludesCentre'] as const).map((shift) => windowOf({ kernelSize: [3, 5], shift })),
    ];
    for (const window of windows)
      for (let tap = 0; tap < window.kernelSize[0] * 5; tap++) {
        const place = [Math.floor(tap / 5), tap % 5] as const;
        expect(isTapSeen(window, ...place)).toBe(visibilityAt(window, ...place) !== 'nothing');
      }
  });

  it('are legible at 700 pixels', async () => {
    for (const name of Object.keys(BLOCK_FIGURES)) {
      const svg = await readFigure(name);
      expect(svg).toContain('width="700"');
      const sizes = [...svg.matchAll(/font-size="([\d.]+)"/g)].map(([, size]) => Number(size));
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(12);
      expect(svg).toContain('prefers-color-scheme: dark');
    }
  });

  it('refuse a line through a node, and nodes without a place', () => {
    const node = (...inputs: string[]) => ({ kind: 'sum', inputs });
    const nodes = { a: node(), b: node('a'), c: node('a', 'b') };
    const size = { title: 'three', width: 100, height: 100, nodes };
    expect(() => diagram({ ...size, places: { a: [20, 50], b: [50, 50], c: [80, 50] } })).toThrow('three: a>c runs into b');
    expect(() => diagram({ ...size, places: { a: [20, 50], b: [50, 50] } })).toThrow('nodes a, b, c; places a, b');
  });
});
