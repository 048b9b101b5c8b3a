import * as tf from '@tensorflow/tfjs-core';
import { gatedPixelCNN, normalize } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { fullPasses } from '../../src/inference/full-passes';
import { softmaxOf } from '../../src/runtime/distributions/categorical';
import { isGpu, onEachBackend } from '../support/backends';
import { tinyModel } from '../support/models/tiny-space';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks } from '../support/tensors';

onEachBackend('fullPasses', (backend) => {
  it('returns the logits of the values put so far, with zeros for the rest', async () => {
    const model = scoped(tinyModel());
    const evaluator = scoped(fullPasses(model, softmaxOf(1, 3), { numImages: 2, imageShape: [2, 2, 1] }));
    const images = [[2, 0, 1, 0], [1, 2, 2, 1]]; // biome-ignore format: rows
    const drawn = [new Array<number>(4).fill(0), new Array<number>(4).fill(0)];
    for (const place of [0, 1, 2, 3]) {
      const [row, column] = [Math.floor(place / 2), place % 2];
      const got = await evaluator.outputs(row, column, 0);
      const expected = tf.tidy(() => {
        const x = normalize(tf.tensor4d(drawn.flat(), [2, 2, 2, 1]), 3);
        return tf.slice(tf.reshape(model.predict(x) as tf.Tensor, [2, 4, 3]), [0, place, 0], [-1, 1, -1]);
      });
      const unpadded = got.filter((_, i) => i % 4 < 3); // three levels take four places
      expectClose(unpadded, await expected.data(), 1e-6);
      expected.dispose();

      const levels = images.map((image) => image[place] as number);
      for (const [n, level] of levels.entries()) (drawn[n] as number[])[place] = level;
      evaluator.put(row, column, 0, Int32Array.from(levels));
    }
  });

  it.skipIf(isGpu(backend))('leaks none of several conditions', async () => {
    const sizes = { levels: 3, hiddenDim: 1, outDim: 1, numBlocks: 0 };
    const model = scoped(gatedPixelCNN({ imageShape: [2, 2, 1], ...sizes, numClasses: 2, conditionMapSize: 1 }));
    const classes = { shape: [1], values: Float32Array.of(1, 0) };
    const maps = { shape: [2, 2, 1], values: new Float32Array(8) };
    await expectNoLeaks(async () => {
      const evaluator = fullPasses(model, softmaxOf(1, 3), { numImages: 2, imageShape: [2, 2, 1], conditions: [classes, maps] });
      expect(await evaluator.outputs(0, 0, 0)).toHaveLength(2 * 4);
      evaluator.put(0, 0, 0, new Int32Array(2));
      evaluator.dispose?.();
    });
  });

  it('leaves no tensor behind where one cannot be made', async () => {
    const model = scoped(tinyModel());
    const condition = { shape: [1], values: Float32Array.of(1, 2, 0) };
    await expectNoLeaks(() => {
      expect(() => fullPasses(model, softmaxOf(1, 3), { numImages: 3, imageShape: [-2, 2, 1], conditions: [condition] })).toThrow(); // images
      expect(() => fullPasses(model, softmaxOf(1, 3), { numImages: 4, imageShape: [2, 2, 1], conditions: [condition] })).toThrow(); // the condition of a fourth one
    });
  });
});
