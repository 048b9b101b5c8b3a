import * as tf from '@tensorflow/tfjs-core';
import { logProb, normalize } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend } from '../support/backends';
import { goldenPlusPlus, goldenPlusPlusModel } from '../support/plus-plus-golden';
import { expectClose, golden4d, take } from '../support/tensors';

onEachBackend('pixelCNNPlusPlus', () => {
  for (const golden of goldenPlusPlus) {
    it(`gives the parameters and likelihoods of the reference, ${golden.name}`, async () => {
      const model = await goldenPlusPlusModel(golden);
      expect(model.countParams()).toBeGreaterThan(0);
      const images = golden4d(golden.images, 'int32');
      const parameters = tf.tidy(() => model.predict(normalize(images, golden.config.levels)));
      expectClose(await take(parameters), golden.parameters.data, 3e-5);
      const nats = await take(await logProb(model, images));
      for (const [n, expected] of golden.nll_exact_nats_per_image.entries())
        expect(Math.abs((nats[n] as number) / -expected - 1)).toBeLessThan(1e-5);
      tf.dispose([images]);
      model.dispose();
    });
  }
});
