import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, type ImageGPTArgs, imageGPT } from 'pixelcnn-layers';
import { loadWeights, readSafetensors } from 'pixelcnn-layers/weights';
import { expect, it } from 'vitest';
import { anyBackend, onBackend, onEachBackend } from '../support/backends';
import { bytesOf } from '../support/golden/files';
import { goldenGPT, goldenGPTs } from '../support/golden/gpt';
import { expectReference } from '../support/golden/reference';
import { scoped } from '../support/scoped';

const small = { imageShape: [4, 4, 1], levels: 4, width: 4, heads: 2, layers: 1, seed: 1 } as const;

const build = (args: Partial<ImageGPTArgs> = {}): AutoregressiveModel => imageGPT({ ...small, ...args });

onEachBackend('imageGPT', () => {
  for (const golden of goldenGPTs) {
    it(`computes the logits and likelihoods of the reference, also without tensors: ${golden.name}`, async () => {
      const { images, logits: outputs, nll_nats_per_image: natsPerImage } = golden;
      await expectReference(await goldenGPT(golden), { images, outputs, natsPerImage, tolerance: 2e-5, ofNats: 1e-6 });
    });
  }
});

onBackend(anyBackend, 'imageGPT', () => {
  it('has the weights of the reference: 76 million in the smallest that was published', () => {
    // Kernels and biases of attention and MLP, two norms; embeddings and start token; the last norm and the head.
    const weights = (L: number, P: number, F: number, layers: number, norm: 1 | 2) =>
      layers * (12 * F * F + 9 * F + 2 * norm * F) + (L + 1 + P) * F + norm * F + L * F;
    const model = scoped(build({ layers: 2, width: 6 }));
    expect(model.countParams()).toBe(weights(4, 16, 6, 2, 2));
    const openAI = scoped(build({ layers: 3, norm: 'rms', activation: 'quickGelu' }));
    expect(openAI.countParams()).toBe(weights(4, 16, 4, 3, 1));
    expect(weights(512, 1024, 512, 24, 1)).toBe(76_682_240);
  });

  it('has the defaults that its arguments state', () => {
    const stated = { norm: 'layer', activation: 'gelu', residual: 'input', dropout: 0 } as const;
    const models = scoped([build({ name: 'gpt' }), build({ name: 'gpt', ...stated })]);
    const [given, all] = models.map((model) => model.toJSON(null, false));
    expect(given).toEqual(all);
  });

  it('takes a state dict with what does not belong to the network, and says what is missing', async () => {
    const golden = goldenGPTs[0] as (typeof goldenGPTs)[number];
    const model = scoped(await goldenGPT(golden));
    const tensors = readSafetensors(await bytesOf('tests/golden/image-gpt/openai_square.safetensors'));
    const f32 = (...shape: number[]) => ({ dtype: 'F32', shape, data: new Float32Array(tf.util.sizeFromShape(shape)) });
    tensors.set('transformer.h.0.attn.bias', f32(1, 1, 36, 36)); // the mask
    tensors.set('transformer.h.0.attn.masked_bias', f32());
    const from = 'openai/image-gpt';
    expect(() => loadWeights(model, tensors, { from })).not.toThrow();
    tensors.delete('transformer.h.1.attn.c_attn.bias');
    expect(() => loadWeights(model, tensors, { from })).toThrow('missing (1): transformer.h.1.attn.c_attn.bias');
    tensors.set('transformer.wpe.weight', f32(30, 12));
    expect(() => loadWeights(model, tensors, { from })).toThrow('transformer.wpe.weight: wanted [36,12], got [30,12]');
    const other = scoped(await goldenGPT(goldenGPTs[2] as (typeof goldenGPTs)[number]));
    const bare = [...readSafetensors(await bytesOf('tests/golden/image-gpt/teddykoker.safetensors'))];
    const named = new Map(bare.map(([name, one]) => [name.replace(/^gpt\./, ''), one]));
    named.set('centroids', f32(6, 3));
    expect(() => loadWeights(other, named, { from: 'teddykoker/image-gpt' })).not.toThrow();
  });
});
