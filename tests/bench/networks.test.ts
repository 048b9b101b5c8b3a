import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { useBackend } from '../../kit/runs/backend.mjs';
import { ours, plain, randomBatch, shapes, stock } from './lib/networks.mjs';

await useBackend('cpu');

describe('the networks that are measured', () => {
  for (const [name, shape] of Object.entries(shapes)) {
    it(`have as many weights in each way to make them: ${name}`, () => {
      const models = [ours(shape), stock(shape), plain(shape)];
      expect(new Set(models.map((model) => model.countParams())).size).toBe(1);
      for (const model of models) model.dispose();
    });
  }

  it('are the same network, plainly and ours', async () => {
    const small = { imageShape: [5, 4, 1] as [number, number, number], levels: 3, hiddenDim: 2, outDim: 2 };
    const shape = { ...small, numBlocks: 1, firstKernelSize: 3 };
    const models = [ours(shape), plain(shape)] as const;
    models[1].setWeights(models[0].getWeights());
    const { xs, labels } = randomBatch(shape, 2);
    const [logits, others] = models.map((model) => model.predict(xs) as tf.Tensor) as [tf.Tensor, tf.Tensor];
    const wanted = await logits.data();
    const got = await others.data();
    for (const [i, logit] of wanted.entries()) expect(got[i]).toBeCloseTo(logit, 5);
    tf.dispose([xs, labels, logits, others]);
  });
});
