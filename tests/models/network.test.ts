import { type AutoregressiveModel, gatedPixelCNN, type InputEncoding, pixelCNN } from 'pixelcnn-layers';
import { beforeAll, expect, it } from 'vitest';
import { randomNumbers } from '../../kit/random.mjs';
import { inputLayers, type NetworkArgs, networkArguments } from '../../src/models/network';
import { readArguments } from '../../src/runtime/core/arguments';
import { useBackend } from '../support/backends';
import { scoped } from '../support/scoped';

beforeAll(() => useBackend('cpu'));

it('the arguments of a network are filled in where they are left out', () => {
  const given = { imageShape: [4, 5, 3] as NetworkArgs['imageShape'], outDim: 5 };
  const undefinedOnes = { seed: undefined, name: undefined };
  const kernels = { firstKernelSize: [7, 7], kernelSize: [3, 3], dilationRate: [1, 1] };
  const filled = { levels: 256, input: 'scaled', ...kernels, output: 'softmax', dropout: 0, ...undefinedOnes };
  expect(readArguments('net', given, networkArguments)).toEqual({ ...given, ...filled });
});

it('a network reads levels as before without a layer, else by one that is named levels', () => {
  const classes = (input: InputEncoding) => inputLayers({ input, levels: 4, seed: 1 }).map((layer) => [layer.getClassName(), layer.name]);
  expect(classes('scaled')).toEqual([]);
  expect(classes('oneHot')).toEqual([['OneHotLevels', 'levels']]);
  expect(classes({ embedding: 2 })).toEqual([['LevelEmbedding', 'levels']]);
});

const SIZES = { imageShape: [3, 3, 2] as [number, number, number], levels: 4, hiddenDim: 2, outDim: 3, numBlocks: 2 };

it.each<[string, () => AutoregressiveModel, path: string[]]>([
  ['pixelCNN', () => pixelCNN({ ...SIZES, seed: 1 }), ['block1', 'conv_mid_kernel']],
  ['gatedPixelCNN', () => gatedPixelCNN({ ...SIZES, seed: 1 }), ['block1', 'out', 'kernel']],
])('the seed of a %s goes down by the names of parts: network, layer, weight', async (_, make, path) => {
  const part = (seed: number, name: string) => 1 + Math.floor(randomNumbers(`${seed}/${name}`)() * (2 ** 31 - 1));
  const uniform = randomNumbers(String(path.reduce(part, 1)));
  const model = scoped(make());
  const weight = model.weights.find(({ originalName }) => originalName.replace('/', '_') === path.join('_'));
  const values = (await weight?.read().data()) as Float32Array;
  // Uniform in [-limit, limit), so ratios are those of 2u - 1.
  const [first, second] = [2 * uniform() - 1, 2 * uniform() - 1];
  expect((values[1] as number) / (values[0] as number)).toBeCloseTo(second / first, 5);
});
