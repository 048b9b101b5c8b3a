import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pixelCNNPlusPlus } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { particlesSvg } from '../scripts/particles-figure.mjs';
import { networkSvg, plusPlusSvg } from '../scripts/plus-plus-figure.mjs';

const readFigure = (name: string) =>
  readFile(fileURLToPath(new URL(`../docs/images/${name}.svg`, import.meta.url)), 'utf8');

it('the picture of PixelCNN++ is that of the network as it is: `npm run figures` makes it', async () => {
  expect(plusPlusSvg()).toBe(await readFigure('pixel-cnn-plus-plus'));
});

it('the picture of particles is what its script makes', async () => {
  expect(particlesSvg()).toBe(await readFigure('particles'));
});

it('the picture has what the graph has', () => {
  const model = pixelCNNPlusPlus({ imageShape: [16, 8, 1], filters: 1, numResnets: 1, components: 2 });
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
