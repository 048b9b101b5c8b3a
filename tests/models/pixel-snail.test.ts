import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, initializeFromData, logProb, type PixelSNAILArgs, pixelSNAIL } from 'pixelcnn-layers';
import { loadWeights } from 'pixelcnn-layers/weights';
import { expect, it } from 'vitest';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { expectReference } from '../support/golden/reference';
import { goldenSnail, goldenSnails } from '../support/golden/snail';
import { scoped } from '../support/scoped';
import { setNoise, take } from '../support/tensors';

const CODES = { levels: 3, shape: [2, 2], resBlocks: 1, resFilters: 2 } as const;

/** A small network; weights are noise where a seed of it is given. */
function build(args: Partial<PixelSNAILArgs> = {}, noiseSeed?: number): AutoregressiveModel {
  const small = { imageShape: [4, 4, 1], levels: 4, filters: 4, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 2, seed: 1 } as const;
  const model = pixelSNAIL({ ...small, ...args });
  if (noiseSeed !== undefined) setNoise(model, noiseSeed, 1.5);
  return scoped(model);
}

onEachBackend('pixelSNAIL', (backend) => {
  for (const golden of isGpu(backend) ? goldenSnails.slice(1, 2) : goldenSnails) {
    it(`computes the logits and likelihoods of the reference, also without tensors: ${golden.name}`, async () => {
      const { codes, logits: outputs, nll_nats_per_image: natsPerImage, condition } = golden;
      const images = { data: codes.data, shape: [...codes.shape, 1] };
      const reference = { images, outputs, natsPerImage, tolerance: 5e-5, ...(condition && { condition }) };
      await expectReference(await goldenSnail(golden), reference);
    });
  }
});

onBackend(anyBackend, 'pixelSNAIL', () => {
  /** Weights of a convolution: kernel, gain, bias. */
  const conv = (taps: number, featuresIn: number, featuresOut: number) => taps * featuresIn * featuresOut + 2 * featuresOut;
  const block = (taps: number, f: number, h: number, skip = 0) =>
    conv(taps, f, h) + (skip > 0 ? conv(1, skip, h) : 0) + conv(taps, h, 2 * f);

  it('has the weights of the repository', () => {
    // biome-ignore format: pairs
    for (const [f, r, k, levels, blocks, res, out] of [[8, 3, 3, 5, 1, 2, 0], [16, 4, 5, 7, 2, 1, 2]] as const) {
      const codeCondition = { ...CODES, resBlocks: 2, resFilters: 6 };
      const sizes = { filters: f, resFilters: r, kernelSize: k, levels, numBlocks: blocks, numResBlocks: res, outResBlocks: out };
      const model = build({ ...sizes, heads: 4, codeCondition });
      const half = k >> 1;
      const stem = conv(half * k, levels, f) + conv((half + 1) * half, levels, f);
      const attention =
        block(1, 2 * f + 2, f) + block(1, f + 2, f) + block(1, f, f, f / 2) + conv(1, f + 2, f / 2) + 2 * conv(1, 2 * f + 2, f / 2);
      const codes = conv(9, CODES.levels, 6) + 2 * block(9, 6, 6);
      const all = blocks * (res * (block(k * k, f, r) + 6 * 2 * f) + attention);
      expect(model.countParams()).toBe(stem + all + codes + out * block(1, f, r) + conv(1, f, levels));
    }
  });

  it('has the defaults that its arguments state', () => {
    const needed = { imageShape: [4, 4, 1], filters: 16, numBlocks: 1, numResBlocks: 1, resFilters: 2, name: 'snail' } as const;
    const sizes = { levels: 256, kernelSize: 3, heads: 8, outResBlocks: 0 };
    const stated = { ...sizes, attention: true, dropout: 0, input: 'oneHot', output: 'softmax' } as const;
    const ofCodes = { ...CODES, kernelSize: 3 };
    const models = scoped([pixelSNAIL({ ...needed, codeCondition: CODES }), pixelSNAIL({ ...needed, ...stated, codeCondition: ofCodes })]);
    const [given, all] = models.map((model) => model.toJSON(null, false));
    expect(given).toEqual(all);
  });

  it('sets the window and dropout of each part', () => {
    const codeCondition = { ...CODES, kernelSize: 1 };
    const model = build({ kernelSize: 5, dropout: 0.25, outResBlocks: 1, codeCondition });
    const configOf = (name: string) => model.getLayer(name).getConfig();
    const parts = { res0: 5, keys: 1, queries: 1, out: 1 };
    for (const [part, size] of Object.entries(parts))
      expect(configOf(`block0_${part}`)).toMatchObject({ kernelSize: [size, size], dropout: 0.25 });
    expect(configOf('block0_attention')).toMatchObject({ dropout: 0.25 });
    expect(configOf('codes_conv')).toMatchObject({ kernelSize: [1, 1] });
    expect(configOf('codes_res0')).toMatchObject({ kernelSize: [1, 1], dropout: 0.25 });
    expect(configOf('out_res0')).toMatchObject({ kernelSize: [1, 1], dropout: 0 });
  });

  it('reads what ends a block without attention by its name in the repository', () => {
    const model = build({ attention: false, numResBlocks: 0, outResBlocks: 1 });
    const load = () => loadWeights(model, new Map(), { from: 'rosinality/vq-vae-2-pytorch' });
    for (const name of ['blocks.0.out.conv.weight_v', 'blocks.0.out.conv.bias', 'out.0.conv1.conv.weight_g', 'out.2.conv.weight_v'])
      expect(load).toThrow(name);
  });

  it('begins with data, also the network on codes', async () => {
    const model = build({ codeCondition: CODES, numResBlocks: 2 });
    const labels = scoped(tf.randomUniform<tf.Rank.R4>([6, 4, 4, 1], 0, 4, 'int32', 3));
    const condition = { data: Array.from({ length: 24 }, (_, i) => (i * i) % 3), shape: [6, 2, 2] };
    await initializeFromData(model, labels, { condition });
    const gain = model.getLayer('codes_conv').getWeights()[1] as tf.Tensor;
    expect(Array.from(await gain.data()).every((g) => g !== 1)).toBe(true);
    expect(Number.isFinite((await take(await logProb(model, labels, { condition })))[0] as number)).toBe(true);
  });
});
