import * as tfl from '@tensorflow/tfjs-layers';
import { checkCausality, maskedConv2d, pixelCNN, pixelLogits } from 'pixelcnn-layers';
import { beforeAll, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { expectNoLeaks } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

type Symbolic = tfl.SymbolicTensor;

/** A model of layers one after the other; `C` channels, two levels. */
function stack(channels: number, ...layers: tfl.layers.Layer[]): tfl.LayersModel {
  const image = tfl.input({ shape: [2, 3, channels] });
  let x: Symbolic = image;
  for (const layer of layers) x = layer.apply(x) as Symbolic;
  const logits = pixelLogits({ imageChannels: channels, levels: 2 }).apply(x) as Symbolic;
  return tfl.model({ inputs: image, outputs: logits });
}

const conv = (name: string, maskType: 'A' | 'B', imageChannels: number) =>
  maskedConv2d({ name, filters: 2 * imageChannels, kernelSize: 3, maskType, imageChannels });
const stock = (name: string, filters: number, kernelSize: number) =>
  tfl.layers.conv2d({ name, filters, kernelSize, padding: 'same' });
const linear = () => tfl.layers.activation({ activation: 'linear' });

it.each([
  [
    'a stock convolution, which sees later pixels',
    1,
    [conv('a', 'A', 1), stock('b', 2, 3), conv('c', 'B', 1)],
    'b',
  ],
  [
    'a stock pointwise convolution, which mixes channels',
    3,
    [conv('a', 'A', 3), stock('b', 6, 1), linear()],
    'b',
  ],
  ['a first mask of type B', 1, [linear(), conv('a', 'B', 1), conv('b', 'B', 1)], 'a'],
  ['the same with channels', 3, [conv('a', 'B', 3), conv('b', 'B', 3)], 'a'],
  [
    'one group for all channels',
    2,
    [conv('a', 'A', 2), maskedConv2d({ name: 'b', filters: 4, kernelSize: 1, imageChannels: 1 })],
    'b',
  ],
] as [string, number, tfl.layers.Layer[], string][])('names %s', async (_, channels, layers, name) => {
  const model = stack(channels, ...layers);
  const { causal, layer } = await checkCausality(model);
  expect(causal).toBe(false);
  expect(layer).toBe(name);
  model.dispose();
});

it('names none where nothing leaks, and leaves no tensor behind', async () => {
  const model = pixelCNN({ imageShape: [3, 2, 2], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 1 });
  expect(await checkCausality(model)).toEqual({ causal: true, leaks: [] });
  model.dispose();
  const leaking = stack(1, conv('a', 'B', 1));
  await expectNoLeaks(async () => {
    await checkCausality(leaking);
  });
  leaking.dispose();
});
