import * as tf from '@tensorflow/tfjs-core';
import { transformerBlock } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onBackend } from '../support/backends';

onBackend('cpu', 'transformerBlock', () => {
  /** The largest of the initial kernels by their names, over the limit of Glorot's uniform distribution. */
  function sizesOf(weights: readonly { name: string; read(): tf.Tensor }[]) {
    const kernels = weights.filter(({ name }) => name.endsWith('kernel')).map(({ name, read }) => [name, read()] as const);
    return new Map(
      kernels.map(([name, kernel]) => {
        const [features, units] = kernel.shape.slice(2) as [number, number];
        const largest = Math.max(...kernel.dataSync().map(Math.abs));
        return [name.split('/').at(-1), largest / Math.sqrt(6 / (features + units))];
      }),
    );
  }

  it('begins with kernels of projection and mlp_out that are smaller by initialScale', () => {
    const block = transformerBlock({ heads: 2, initialScale: 0.25, seed: 1 });
    block.apply(tf.zeros([1, 2, 2, 16]));
    const sizes = sizesOf(block.weights.map((weight) => ({ name: weight.originalName, read: () => weight.read() })));
    for (const name of ['query_kernel', 'key_kernel', 'value_kernel', 'mlp_in_kernel']) expect(sizes.get(name)).toBeGreaterThan(0.9); // of at least 256 numbers
    for (const name of ['projection_kernel', 'mlp_out_kernel']) {
      expect(sizes.get(name)).toBeGreaterThan(0.25 * 0.9);
      expect(sizes.get(name)).toBeLessThanOrEqual(0.25 + 1e-6);
    }
  }); // biome-ignore format: one expectation a line
});
