import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  maskedConv2d,
  pixelCNN,
  pixelLogits,
  type SampleOptions,
  sample,
} from 'pixelcnn-layers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { useBackend } from '../support/backends';
import { setNoise, take } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

/** Images [2,3,2], with a layer between that mixes nothing and is not known to programs. */
function odd(): AutoregressiveModel {
  const image = tfl.input({ shape: [2, 3, 2] });
  const masked = maskedConv2d({ filters: 8, kernelSize: 3, maskType: 'A', imageChannels: 2 }).apply(image);
  const features = tfl.layers.prelu({ name: 'odd', sharedAxes: [1, 2] }).apply(masked as tfl.SymbolicTensor);
  const logits = pixelLogits({ imageChannels: 2, levels: 4 }).apply(features as tfl.SymbolicTensor);
  const model = autoregressiveModel({ inputs: image, outputs: logits as tfl.SymbolicTensor });
  setNoise(model);
  return model;
}

/** What is drawn, and in how many forward passes of the model. */
async function drawn(model: AutoregressiveModel, strategy: SampleOptions['strategy']) {
  const apply = vi.spyOn(model, 'apply');
  const images = await take(await sample(model, { numImages: 2, seed: 1, ...(strategy && { strategy }) }));
  const passes = apply.mock.calls.length;
  apply.mockRestore();
  return { images, passes };
}

const VALUES = 2 * 3 * 2; // of an image

describe('strategy', () => {
  it('is incremental by itself: no forward pass, where whole passes make one a value', async () => {
    const model = pixelCNN({ imageShape: [2, 3, 2], levels: 4, hiddenDim: 2, outDim: 3, numBlocks: 1 });
    setNoise(model);
    const { images, passes } = await drawn(model, 'full');
    expect(passes).toBe(VALUES);
    for (const strategy of [undefined, 'auto', 'incremental'] as const) {
      expect(await drawn(model, strategy)).toEqual({ images, passes: 0 });
    }
    model.dispose();
  });

  it('is whole passes by itself where a layer cannot be evaluated pixel by pixel, which is named where asked', async () => {
    const model = odd();
    const full = await drawn(model, 'full');
    expect(full.passes).toBe(VALUES);
    expect(new Set(full.images).size).toBeGreaterThan(1);
    expect(await drawn(model, 'auto')).toEqual(full);
    await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow(
      "sample: strategy 'incremental': layer 'odd' (PReLU) cannot be evaluated pixel by pixel",
    );
    model.dispose();
  });

  it('refuses a model that is not causal', async () => {
    const image = tfl.input({ shape: [3, 3, 2] });
    const masked = maskedConv2d({ filters: 8, kernelSize: 3, imageChannels: 2 }).apply(image);
    const logits = pixelLogits({ imageChannels: 2, levels: 4 }).apply(masked as tfl.SymbolicTensor);
    const model = autoregressiveModel({ inputs: image, outputs: logits as tfl.SymbolicTensor });
    await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow(
      'the model is not causal: its logits of channel 0 see that channel or a later one',
    );
    model.dispose();
  });
});
