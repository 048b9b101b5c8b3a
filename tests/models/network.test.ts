import { type AutoregressiveModel, gatedPixelCNN, type InputEncoding, pixelCNN } from 'pixelcnn-layers';
import { alea } from 'seedrandom';
import { beforeAll, describe, expect, it } from 'vitest';
import { inputLayers, type NetworkArgs, networkArguments } from '../../src/models/network';
import { readArguments } from '../../src/runtime/core/arguments';
import { useBackend } from '../support/backends';

const args = { imageShape: [4, 5, 3] as NetworkArgs['imageShape'], hiddenDim: 2, outDim: 5, numBlocks: 0 };
const make = (others: object) => () => pixelCNN({ ...args, ...others }).dispose();

beforeAll(() => useBackend('cpu'));

describe('the arguments of a network', () => {
  it('are filled in where they are left out', () => {
    const { hiddenDim: _, numBlocks: __, ...given } = args;
    const filled = {
      levels: 256,
      input: 'scaled',
      firstKernelSize: [7, 7],
      kernelSize: [3, 3],
      output: 'softmax',
      dropout: 0,
      seed: undefined,
      name: undefined,
    };
    expect(readArguments('net', given, networkArguments)).toEqual({ ...given, ...filled });
  });

  it('count features of a channel, while weights are for all channels', () => {
    const model = pixelCNN({ ...args, levels: 2, name: 'mine' });
    expect(model.name).toBe('mine');
    expect(model.getWeights().map(({ shape }) => shape.slice(-2))).toEqual([[3, 12], [12], [12, 15], [15], [15, 15], [15], [15, 6], [6]]);
    model.dispose();
  });

  it('are named where they are no image shape', () => {
    const shapes = [
      undefined,
      null,
      4,
      '4,4,1',
      [],
      [4, 4],
      [4, 4, 1, 1],
      [4, 4, null],
      [0, 4, 1],
      [4, -1, 1],
      [4, 1.5, 1],
      [4, 4, 0],
      [undefined, 4, 1],
    ];
    for (const imageShape of shapes) {
      expect(make({ imageShape })).toThrow('pixelCNN: imageShape: wanted [H, W, C], with null for a size that may vary');
    }
  });

  it('are named where they are out of range', () => {
    const wrong = {
      hiddenDim: 0,
      outDim: 1.5,
      numBlocks: -1,
      levels: 1,
      firstKernelSize: 2,
      kernelSize: [3, 4],
      dropout: 1,
      seed: 0.5,
      input: 'onehot',
    };
    for (const [name, value] of Object.entries(wrong)) expect(make({ [name]: value })).toThrow(`pixelCNN: ${name}: wanted`);
  });
});

describe('how a network reads levels', () => {
  const check = (input: unknown, levels = 256) => make({ input, levels });

  it('is one of three ways, or named', () => {
    for (const wrong of ['onehot', 3, true]) expect(check(wrong)).toThrow("pixelCNN: input: wanted 'scaled' or 'oneHot' or { embedding }");
    expect(check([8])).toThrow('pixelCNN: input: wanted an object of arguments');
    expect(check({ embeding: 8 })).toThrow("pixelCNN: input: unknown option 'embeding': did you mean embedding?");
    expect(check({})).toThrow('pixelCNN: input: embedding: wanted an integer of at least 1, got undefined');
    expect(check({ embedding: 0 })).toThrow('pixelCNN: input: embedding: wanted an integer of at least 1, got 0');
    expect(check({ embedding: 1e7 })).toThrow('pixelCNN: firstKernelSize: wanted sizes whose product');
    expect(check('oneHot', 2 ** 20 + 1)).toThrow('pixelCNN: firstKernelSize: wanted sizes whose product');
    expect(check({ embedding: 1 }, 2 ** 20 + 1)).toThrow('levels: wanted an integer from 2 to 1048576, got 1048577');
    const wide = { hiddenDim: 99, levels: 65536, input: 'oneHot' };
    expect(make(wide)).toThrow('pixelCNN: firstKernelSize: wanted sizes whose product');
  });

  it('is as before without a layer, else by one that is named levels', () => {
    const classes = (input: InputEncoding) => inputLayers({ input, levels: 4, seed: 1 }).map((layer) => [layer.getClassName(), layer.name]);
    expect(classes('scaled')).toEqual([]);
    expect(classes('oneHot')).toEqual([['OneHotLevels', 'levels']]);
    expect(classes({ embedding: 2 })).toEqual([['LevelEmbedding', 'levels']]);
  });
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

describe('the names of weights', () => {
  it('are the same in every program, whatever was created before', async () => {
    const convs = (...names: string[]) => names.flatMap((name) => [`${name}/kernel`, `${name}/bias`]);
    const blocks = ['block0', 'block1'].flatMap((block) =>
      ['in', 'mid', 'out'].flatMap((conv) => [`${block}/conv_${conv}_kernel`, `${block}/conv_${conv}_bias`]),
    );
    const head = convs('output_conv1', 'output_conv2', 'final_conv');
    const gatedNames = [
      ...convs('block0_vertical', 'block0_horizontal'),
      'block0_across/kernel',
      'block0_horizontal_gate/condition_kernel',
      'block0_vertical_gate/condition_kernel',
      ...convs('block0_out'),
    ];
    for (const _ of ['first', 'second']) {
      const plain = await weightsOf(networks.pixelCNN({ dropout: 0.5 }));
      expect([...plain.keys()]).toEqual([...convs('input_conv'), ...blocks, ...head]);
      const embedded = await weightsOf(networks.pixelCNN({ input: { embedding: 2 } }));
      expect([...embedded.keys()]).toEqual(['levels/embeddings', ...plain.keys()]);
      const gated = [...(await weightsOf(networks.gatedPixelCNN({ dropout: 0.5 }))).keys()];
      expect(gated.filter((name) => name.startsWith('block0'))).toEqual(gatedNames);
      expect(gated.slice(-6)).toEqual(head);
      expect(gated.every((name) => /^(block[012]_|output_conv|final_conv)/.test(name))).toBe(true);
    }
  });
});

describe.each(Object.keys(networks) as (keyof typeof networks)[])('a seed of %s', (kind) => {
  const build = networks[kind];
  beforeAll(() => useBackend('cpu'));

  it('goes down by the names of parts: network, layer, weight', async () => {
    const part = (seed: number, name: string) => 1 + Math.floor(alea(`${seed}/${name}`)() * (2 ** 31 - 1));
    const path = { pixelCNN: ['block1', 'conv_mid_kernel'], gatedPixelCNN: ['block1', 'out', 'kernel'] }[kind];
    const name = { pixelCNN: 'block1/conv_mid_kernel', gatedPixelCNN: 'block1_out/kernel' }[kind];
    const uniform = alea(String(path.reduce(part, 1)));
    const values = (await weightsOf(build({ seed: 1 }))).get(name) as number[];
    // Uniform in [-limit, limit), so ratios are those of 2u - 1.
    const [first, second] = [2 * uniform() - 1, 2 * uniform() - 1];
    expect((values[1] as number) / (values[0] as number)).toBeCloseTo(second / first, 5);
  });
});
