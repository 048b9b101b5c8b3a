import * as tfl from '@tensorflow/tfjs-layers';
import { autoregressiveModel, maskedConv2d, pixelLogits, sample } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { take } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

describe('strategy', () => {
  it('names the layer that cannot be evaluated pixel by pixel, and uses whole passes by itself', async () => {
    const image = tfl.input({ shape: [3, 3, 1] });
    const masked = maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 1 }).apply(image);
    const odd = tfl.layers.prelu({ name: 'odd', sharedAxes: [1, 2] }).apply(masked as tfl.SymbolicTensor);
    const logits = pixelLogits({ imageChannels: 1, levels: 4 }).apply(odd as tfl.SymbolicTensor);
    const model = autoregressiveModel({ inputs: image, outputs: logits as tfl.SymbolicTensor });
    await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow(
      "sample: strategy 'incremental': layer 'odd' (PReLU) cannot be evaluated pixel by pixel",
    );
    expect((await take(await sample(model, { seed: 1 }))).length).toBe(9);
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
