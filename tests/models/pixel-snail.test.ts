import { logProb, normalize } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { isGpu, onEachBackend } from '../support/backends';
import { goldenSnail, goldenSnails } from '../support/snail-golden';
import { expectClose, golden4d, take } from '../support/tensors';

onEachBackend('pixelSNAIL', (backend) => {
  for (const golden of isGpu(backend) ? goldenSnails.slice(1) : goldenSnails) {
    it(`gives the logits and likelihoods of the reference, ${golden.name}`, async () => {
      const model = await goldenSnail(golden);
      const [n, h, w] = golden.codes.shape as [number, number, number];
      const codes = golden4d({ data: golden.codes.data, shape: [n, h, w, 1] }, 'int32');
      const options = golden.condition === undefined ? {} : { condition: golden.condition };
      const logits = model.predict(normalize(codes, golden.config.levels), options);
      expectClose(await take(logits), golden.logits.data, 5e-5);
      const nats = await take(await logProb(model, codes, options));
      for (const [i, expected] of golden.nll_nats_per_image.entries())
        expect(Math.abs((nats[i] as number) / -expected - 1)).toBeLessThan(1e-5);
      codes.dispose();
      model.dispose();
    });
  }
});
