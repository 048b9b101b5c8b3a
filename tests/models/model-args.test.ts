import { expect, it } from 'vitest';
import { checkNetworkArgs, type NetworkArgs } from '../../src/models/model-args';

const args = { imageShape: [4, 5, 3] as NetworkArgs['imageShape'], hiddenDim: 2, outDim: 5, numBlocks: 1 };

it('fills in what is left out, and counts features of all channels', () => {
  const filled = { imageChannels: 3, levels: 256, hidden: 6, out: 15, numBlocks: 1, firstKernelSize: 7, kernelSize: 3, named: {} }; // biome-ignore format: one line
  expect(checkNetworkArgs('net', args)).toEqual({ imageShape: [4, 5, 3], ...filled });
  const any = checkNetworkArgs('net', { ...args, imageShape: [null, 5, 1], levels: 2, name: 'mine' });
  expect(any).toMatchObject({ imageChannels: 1, levels: 2, hidden: 2, out: 5, named: { name: 'mine' } });
});

it('names what is no image shape', () => {
  const shapes = [undefined, null, 4, '4,4,1', [], [4, 4], [4, 4, 1, 1], [4, 4, null], [0, 4, 1], [4, -1, 1], [4, 1.5, 1], [4, 4, 0], [undefined, 4, 1]]; // biome-ignore format: one line
  for (const imageShape of shapes as never[]) {
    expect(() => checkNetworkArgs('net', { ...args, imageShape })).toThrow(
      'net: imageShape: wanted [H, W, C], with null for a size that may vary',
    );
  }
});

it('names every other argument that is out of range', () => {
  const wrong = {
    hiddenDim: 0,
    outDim: 1.5,
    numBlocks: -1,
    levels: 1,
    firstKernelSize: 2,
    kernelSize: [3, 4],
  };
  for (const [name, value] of Object.entries(wrong)) {
    expect(() => checkNetworkArgs('net', { ...args, [name]: value })).toThrow(`net: ${name}: wanted`);
  }
});
