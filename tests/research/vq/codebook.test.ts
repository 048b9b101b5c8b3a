import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { Codebook } from '../../../research/vq/codebook.mjs';
import { onEachBackend } from '../../support/backends';
import { expectClose, expectNoLeaks, take } from '../../support/tensors';

/** Entries (0, 0), (4, 0), (0, 2), with counts 2, 1, 1. */
const ENTRIES = [0, 0, 4, 0, 0, 2];
const COUNTS = [2, 1, 1];
const SUMS = ENTRIES.map((x, i) => x * (COUNTS[i >> 1] as number));
/** Three vectors and the entries nearest to them: (4, 0), (0, 2), (0, 2). */
const VECTORS = [3, 1, 0, 1.5, 1, 4];

function codebook(decay = 0.9): Codebook {
  const layer = new Codebook({ numEntries: 3, decay });
  tf.tidy(() => layer.apply(tf.zeros([1, 1, 3, 2])) as tf.Tensor); // builds it
  tf.tidy(() => layer.setWeights([tf.tensor2d(ENTRIES, [3, 2]), tf.tensor1d(COUNTS), tf.tensor2d(SUMS, [3, 2])]));
  return layer;
}

const vectorsOf = (values: number[]) => tf.tensor4d(values, [1, 1, values.length / 2, 2]);
const weights = (layer: Codebook) => Promise.all(layer.getWeights().map(async (w) => Array.from(await w.data())));

onEachBackend('Codebook', () => {
  it('takes the nearest entry of each vector', async () => {
    const [layer, vectors] = [codebook(), vectorsOf(VECTORS)];
    await expectNoLeaks(async () => {
      const codes = layer.codesOf(vectors);
      expect([codes.dtype, codes.shape]).toEqual(['int32', [1, 1, 3]]);
      expect(await take(layer.lookUp(codes))).toEqual([4, 0, 0, 2, 0, 2]);
      expect(await take(codes)).toEqual([1, 2, 2]);
      expect(await take(layer.apply(vectors) as tf.Tensor)).toEqual([4, 0, 0, 2, 0, 2]);
    });
  });

  it('hands on the gradient of the entries to the vectors', async () => {
    const [layer, vectors] = [codebook(), vectorsOf(VECTORS)];
    await expectNoLeaks(async () => {
      // d/dq of the sum of q^2 is 2 q, at the entries (4, 0), (0, 2), (0, 2).
      const gradient = tf.grad((x) => tf.sum(tf.square(layer.quantize(x as tf.Tensor4D))))(vectors);
      expect(await take(gradient)).toEqual([8, 0, 0, 4, 0, 4]);
    });
  });

  it('holds vectors to their entries, not entries to vectors', async () => {
    const [layer, vectors] = [codebook(), vectorsOf(VECTORS)];
    await expectNoLeaks(async () => {
      // Apart by (-1, 1), (0, -0.5), (1, 2): squares sum to 2 + 0.25 + 5, the mean is of 6 numbers. Times 3.
      const distance = (x: tf.Tensor) => tf.mul(layer.distance(x as tf.Tensor4D), 3);
      const value = tf.tidy(() => distance(vectors));
      expectClose(await take(value), [(3 * 7.25) / 6], 1e-6);
      expectClose(await take(tf.grad(distance)(vectors)), [-1, 1, 0, -0.5, 1, 2], 1e-6); // 3 * 2 / 6 of what is apart
    });
  });

  it('averages the vectors that chose an entry', async () => {
    const [layer, vectors] = [codebook(), vectorsOf(VECTORS)];
    await expectNoLeaks(() => layer.update(vectors));
    const [entries, counts, sums] = await weights(layer);
    // 0.9 of what was and 0.1 of what came: none, (3, 1), and (0, 1.5) + (1, 4)
    const wantedCounts = [1.8, 0.9 + 0.1, 0.9 + 0.2];
    const wantedSums = [0, 0, 0.9 * 4 + 0.1 * 3, 0.1, 0.1, 0.9 * 2 + 0.1 * 5.5];
    expectClose(counts as number[], wantedCounts, 1e-6);
    expectClose(sums as number[], wantedSums, 1e-6);
    const wanted = wantedSums.map((sum, i) => sum / (wantedCounts[i >> 1] as number));
    expectClose(entries as number[], wanted, 1e-6);
  });

  it('puts dead entries, and only those, where vectors are', async () => {
    const layer = codebook();
    // 120 vectors of 3 entries: the average one has 40, dead is what has fewer than 2.
    const vectors = vectorsOf(Array.from({ length: 240 }, (_, i) => 10 + i));
    tf.tidy(() => {
      const [entries, , sums] = layer.getWeights() as [tf.Tensor, tf.Tensor, tf.Tensor];
      layer.setWeights([entries, tf.tensor1d([1.9, 2.1, 0]), sums]);
    });
    const uniforms = [0, 0.999];
    await expectNoLeaks(async () => {
      expect(await layer.revive(vectors, () => uniforms.shift() as number)).toBe(2);
    });
    expect(uniforms).toEqual([]);
    const [entries, counts, sums] = await weights(layer);
    expect(entries).toEqual([10, 11, 4, 0, 248, 249]); // the first vector, its own, the last
    expectClose(counts as number[], [40, 2.1, 40], 1e-6);
    expectClose(sums as number[], [400, 440, 4, 0, 9920, 9960], 1e-6);
  });
});

it('makes its first entries of vectors', async () => {
  const layer = new Codebook({ numEntries: 4, decay: 0.99 });
  tf.tidy(() => layer.apply(tf.zeros([1, 1, 3, 2])) as tf.Tensor);
  const vectors = vectorsOf(VECTORS);
  expect(await layer.revive(vectors, () => 0.5)).toBe(4);
  expect((await weights(layer))[0]).toEqual([0, 1.5, 0, 1.5, 0, 1.5, 0, 1.5]);
  vectors.dispose();
  layer.dispose();
});
