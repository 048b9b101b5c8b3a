import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import { expect, it } from 'vitest';
import { gaussianNats } from '../../src/ops/gaussian';
import golden from '../golden/gaussian.json';
import { isGpu, onEachBackend } from '../support/backends';
import { noise, take } from '../support/tensors';

/** Nats of labels [M] under Gaussians [M,2], and their gradients. */
async function run(labels: readonly number[], parameters: readonly number[][], sizes: { levels: number; offset: number }) {
  const given = tf.tensor2d([...labels], [labels.length, 1], 'int32');
  const x = tf.tensor2d([...parameters]);
  const { value, grad } = tf.valueAndGrad((z: tf.Tensor) => gaussianNats(given, z as tf.Tensor2D, sizes))(x);
  tf.dispose([given, x]);
  return { nats: await take(value), gradients: await take(grad) };
}

onEachBackend('gaussianNats', (backend) => {
  it('is right in the middle, at ends, and far out, to the digits of float32', async () => {
    for (const [levels, offset, level, mean, logScale, logP] of golden.rows as [number, number, number, number, number, number][]) {
      if (Math.abs(mean) > 1e30) continue; // farther than it counts
      const { nats } = await run([level], [[mean, logScale]], { levels, offset });
      // The distance from the mean is rounded, and divided by the scale.
      const z = Math.abs(level - offset - mean) / Math.exp(Math.max(logScale, -3));
      const tolerance = (isGpu(backend) ? 1e-5 : 1e-6) * (1 - logP + z);
      expect(Math.abs((nats[0] as number) + logP)).toBeLessThan(tolerance);
    }
  });

  it('clamps log scales at -3: there the gradient flows, below it does not, and the value stays', async () => {
    const logScales = [-2.9, -3, Math.fround(-3.000001), -9, -3e38];
    const { nats, gradients } = await run(
      logScales.map(() => 7),
      logScales.map((logScale) => [7.6, logScale]),
      { levels: 16, offset: 0 },
    );
    for (const value of nats.slice(2)) expect(value).toBe(nats[1]);
    const ofScale = logScales.map((_, i) => gradients[2 * i + 1] as number);
    expect(Math.abs(ofScale[1] as number)).toBeGreaterThan(1);
    expect(ofScale.slice(2).map(Math.abs)).toEqual([0, 0, 0]);
  });

  it('is finite, and so are its gradients, for parameters of any size', async () => {
    const values = [0, 1, -1, 60, -60, 88.5, 110, 1e4, -1e4, 1e20, -1e20, 3e38, -3e38];
    for (const levels of [2, 256, 65536]) {
      const pick = (x: number) => values[Math.floor(((x + 1) / 2) * values.length)] as number;
      const parameters = Array.from({ length: 400 }, (_, i) => Array.from(noise(2, levels + i), pick));
      const labels = parameters.map((_, i) => [0, 1, levels >> 1, levels - 1][i % 4] as number);
      const { nats, gradients } = await run(labels, parameters, { levels, offset: 3 });
      expect(nats.filter((value) => !(value > -1e-5 && value < 2e18))).toEqual([]);
      expect(gradients.filter((value) => !Number.isFinite(value))).toEqual([]);
    }
  });
});
