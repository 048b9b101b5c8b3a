import * as tf from '@tensorflow/tfjs-core';
import {
  type AutoregressiveModel,
  type ImageGPTArgs,
  imageGPT,
  logProb,
  normalize,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import {
  logProb as portableLogProb,
  sample as portableSample,
  readPortable,
  writePortable,
} from 'pixelcnn-layers/runtime';
import { loadWeights } from 'pixelcnn-layers/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { goldenGPT, goldenGPTs } from '../support/gpt-golden';
import { movedBy } from '../support/moved';
import { expectClose, golden4d, setNoise, take } from '../support/tensors';

onEachBackend('imageGPT', () => {
  for (const golden of goldenGPTs) {
    it(`computes the logits and likelihoods of the reference, also without tensors: ${golden.name}`, async () => {
      const model = await goldenGPT(golden);
      const images = golden4d(golden.images, 'int32');
      expectClose(
        await take(model.predict(normalize(images, golden.config.levels))),
        golden.logits.data,
        1e-5,
      );
      const nats = await take(await logProb(model, images));
      const portable = readPortable(writePortable(await toPortable(model)));
      const shape = golden.images.shape as [number, number, number, number];
      const ofEngine = await portableLogProb(portable, { data: Uint8Array.from(golden.images.data), shape });
      for (const [i, expected] of golden.nll_nats_per_image.entries()) {
        expect(Math.abs((nats[i] as number) + expected)).toBeLessThan(1e-4);
        expect(Math.abs((ofEngine[i] as number) + expected)).toBeLessThan(1e-4);
      }
      images.dispose();
      model.dispose();
    });
  }
});
