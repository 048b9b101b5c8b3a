import { type AutoregressiveModel, gatedPixelCNN, type InputEncoding, pixelCNN } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomNumbers } from '../../kit/random.mjs';
import { inputLayers, type NetworkArgs, networkArguments } from '../../src/models/network';
import { readArguments } from '../../src/runtime/core/arguments';
import { useBackend } from '../support/backends';

const args = { imageShape: [4, 5, 3] as NetworkArgs['imageShape'], hiddenDim: 2, outDim: 5, numBlocks: 0 };

beforeAll(() => useBackend('cpu'));

describe('the arguments of a network', () => {
  it('are filled in where they are left out', () => {
    const { hiddenDim: _, numBlocks: __, ...given } = args;
    const undefinedOnes = { seed: undefined, name: undefined };
    const kernels = { firstKernelSize: [7, 7], kernelSize: [3, 3], dilationRate: [1, 1] };
    const filled = { levels: 256, input: 'scaled', ...kernels, output: 'softmax', dropout: 0, ...undefinedOnes };
    expect(readArguments('net', given, networkArguments)).toEqual({ ...given, ...filled });
  });

  it('count features of a channel, while weights are for all channels', () => {
    const model = pixelCNN({ ...args, levels: 2, name: 'mine' });
    expect(model.name).toBe('mine');
    expect(model.getWeights().map(({ shape }) => shape.slice(-2))).toEqual([[3, 12], [12], [12, 15], [15], [15, 15], [15], [15, 6], [6]]);
    model.dispose();
  });
});

it('a network reads levels as before without a layer, else by one that is named levels', () => {
  const classes = (input: InputEncoding) => inputLayers({ input, levels: 4, seed: 1 }).map((layer) => [layer.getClassName(), layer.name]);
  expect(classes('scaled')).toEqual([]);
  expect(classes('oneHot')).toEqual([['OneHotLevels', 'levels']]);
  expect(classes({ embedding: 2 })).toEqual([['LevelEmbedding', 'levels']]);
});

const SIZES = { imageShape: [3, 3, 2] as [number, number, number], levels: 4, hiddenDim: 2, outDim: 3, numBlocks: 2 };

type Options = { seed?: number; dropout?: number; input?: InputEncoding };

const networks = {
  pixelCNN: (options: Options) => pixelCNN({ ...SIZES, ...options }),
  gatedPixelCNN: (options: Options) => gatedPixelCNN({ ...SIZES, numClasses: 3, ...options }),
};

/** The weights of a model by their names, which it is disposed after. */
async function weightsOf(model: AutoregressiveModel): Promise<Map<string, number[]>> {
  const read = model.weights.map(
    async (weight): Promise<[string, number[]]> => [weight.originalName, Array.from(await weight.read().data())],
  );
  const weights = new Map(await Promise.all(read));
  model.dispose();
  return weights;
}

it('the names of the weights of a pixelCNN are those of its parts', async () => {
  const convs = (...names: string[]) => names.flatMap((name) => [`${name}/kernel`, `${name}/bias`]);
  const blocks = ['block0', 'block1'].flatMap((block) =>
    ['in', 'mid', 'out'].flatMap((conv) => [`${block}/conv_${conv}_kernel`, `${block}/conv_${conv}_bias`]),
  );
  const head = convs('output_conv1', 'output_conv2', 'final_conv');
  const plain = await weightsOf(networks.pixelCNN({ dropout: 0.5 }));
  expect([...plain.keys()]).toEqual([...convs('input_conv'), ...blocks, ...head]);
  const embedded = await weightsOf(networks.pixelCNN({ input: { embedding: 2 } }));
  expect([...embedded.keys()]).toEqual(['levels/embeddings', ...plain.keys()]);
});

describe.each(Object.keys(networks) as (keyof typeof networks)[])('a seed of %s', (kind) => {
  const build = networks[kind];
  beforeAll(() => useBackend('cpu'));

  it('goes down by the names of parts: network, layer, weight', async () => {
    const part = (seed: number, name: string) => 1 + Math.floor(randomNumbers(`${seed}/${name}`)() * (2 ** 31 - 1));
    const path = { pixelCNN: ['block1', 'conv_mid_kernel'], gatedPixelCNN: ['block1', 'out', 'kernel'] }[kind];
    const name = { pixelCNN: 'block1/conv_mid_kernel', gatedPixelCNN: 'block1_out/kernel' }[kind];
    const uniform = randomNumbers(String(path.reduce(part, 1)));
    const values = (await weightsOf(build({ seed: 1 }))).get(name) as number[];
    // Uniform in [-limit, limit), so ratios are those of 2u - 1.
    const [first, second] = [2 * uniform() - 1, 2 * uniform() - 1];
    expect((values[1] as number) / (values[0] as number)).toBeCloseTo(second / first, 5);
  });
});
