import { pixelCNNPlusPlus } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { goldenPlusPlus, goldenPlusPlusModel } from '../support/golden/plus-plus';
import { expectReference } from '../support/golden/reference';
import { scoped } from '../support/scoped';

onEachBackend('pixelCNNPlusPlus', (backend) => {
  for (const golden of isGpu(backend) ? goldenPlusPlus.slice(0, 1) : goldenPlusPlus) {
    it(`computes the parameters and likelihoods of the reference, also without tensors: ${golden.name}`, async () => {
      const { images, parameters: outputs, nll_exact_nats_per_image: natsPerImage } = golden;
      await expectReference(await goldenPlusPlusModel(golden), { images, outputs, natsPerImage, tolerance: 3e-5 });
    });
  }
});

onBackend(anyBackend, 'pixelCNNPlusPlus', () => {
  /** Weights of a convolution: kernel, gain, bias. */
  const conv = (taps: number, featuresIn: number, featuresOut: number) => taps * featuresIn * featuresOut + 2 * featuresOut;

  /** By the paper's code: two streams, of windows 2x3 and 2x2. */
  function count(f: number, resnets: number, features: number, channels: number): number {
    const block = (taps: number, skip: number) => conv(taps, 2 * f, f) + (skip > 0 ? conv(1, 2 * skip, f) : 0) + conv(taps, 2 * f, 2 * f);
    const stem = conv(6, channels + 1, f) + conv(3, channels + 1, f) + conv(2, channels + 1, f);
    const down = 3 * resnets * (block(6, 0) + block(4, f));
    const up = (3 * resnets + 2) * (block(6, f) + block(4, 2 * f));
    return stem + down + up + 4 * (conv(6, f, f) + conv(4, f, f)) + conv(1, f, features);
  }

  it('has as many weights as the published one', () => {
    // biome-ignore format: pairs
    for (const [filters, numResnets, components, channels] of [[1, 5, 10, 3], [2, 5, 10, 3], [3, 2, 1, 1], [5, 1, 3, 2]] as const) {
      const model = scoped(pixelCNNPlusPlus({ imageShape: [8, 8, channels], levels: 4, filters, numResnets, output: { components } }));
      const features = components * (1 + 2 * channels + (channels * (channels - 1)) / 2);
      expect(model.countParams()).toBe(count(filters, numResnets, features, channels));
    }
    expect((count(160, 5, 100, 3) / 1e6).toFixed(2)).toBe('53.66');
  });

  it('has a mixture of 10 logistics by default', () => {
    const model = scoped(pixelCNNPlusPlus({ imageShape: [4, 4, 1], filters: 1, numResnets: 1 }));
    expect(model.outputs[0]?.shape).toEqual([null, 4, 4, 3 * 10]); // a logit, a mean and a log scale each
  });
});
