import * as tf from '@tensorflow/tfjs-core';
import { causalAttention } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { slowAttention } from '../support/slow/attention';
import { setLayerNoise, slowWeightsOf } from '../support/slow/plus-plus';
import { expectClose, noise, take } from '../support/tensors';

type SlowWeights = Awaited<ReturnType<typeof slowWeightsOf>>;
type Three = [number[], number[] | undefined, number[]];

const [N, H, W, Q, K] = [2, 2, 3, 2, 3] as const;
const [heads, size] = [2, 2];
const units = heads * size;

/** What the layer is, of images [N*H*W,Q] and [N*H*W,K], in float64. */
function slowLayer(x: readonly number[], y: readonly number[], weights: SlowWeights): number[] {
  const project = (part: string, of: readonly number[], features: number) => {
    const [kernel, gain, bias] = ['kernel', 'gain', 'bias'].map((name) => weights.get(`${part}_${name}`)?.data) as Three;
    return Array.from({ length: (of.length / features) * units }, (_, at) => {
      const [pixel, unit] = [Math.floor(at / units), at % units];
      const column = Array.from({ length: features }, (_, i) => kernel[i * units + unit] as number);
      const factor = gain === undefined ? 1 : (gain[unit] as number) / Math.hypot(...column);
      const sum = column.reduce((sum, weight, i) => sum + weight * (of[pixel * features + i] as number), 0);
      return sum * factor + (bias[unit] as number);
    });
  };
  const [q, k, v] = [project('query', x, Q), project('key', y, K), project('value', y, K)];
  return Array.from(slowAttention([q, k, v], { n: N, places: H * W, heads, size }));
}

const valuesOf = (features: number, seed: number) => Array.from(noise(N * H * W * features, seed));

onEachBackend('CausalAttention', (_backend) => {
  it.each([false, true])('equals loops in plain numbers; weight normalization: %s', async (weightNormalization) => {
    const layer = scoped(causalAttention({ heads, units, weightNormalization }));
    const values = [valuesOf(Q, 1), valuesOf(K, 2)] as [number[], number[]];
    const inputs = scoped([tf.tensor(values[0], [N, H, W, Q]), tf.tensor(values[1], [N, H, W, K])]);
    tf.dispose(layer.apply(inputs)); // builds it
    setLayerNoise(layer, 3);
    const weights = await slowWeightsOf(layer);
    const parts = weightNormalization ? ['kernel', 'gain', 'bias'] : ['kernel', 'bias'];
    expect([...weights.keys()]).toEqual(['query', 'key', 'value'].flatMap((of) => parts.map((part) => `${of}_${part}`)));
    expect([...weights.values()].map(({ shape }) => shape)).toEqual(
      [Q, K, K].flatMap((features) => [[1, 1, features, units], ...parts.slice(1).map(() => [units])]),
    );

    const y = layer.apply(inputs);
    expect(y.shape).toEqual([N, H, W, units]);
    expectClose(await take(y), slowLayer(...values, weights), 1e-5);
  });

  it('drops weights of places, and doubles what it keeps of half of them', async () => {
    const layer = scoped(causalAttention({ heads: 1, units: 1, dropout: 0.5, seed: 3 }));
    const x = scoped(tf.ones([1, 4, 4, 1]));
    tf.dispose(layer.apply([x, x]));
    layer.setWeights([0, 0, 0, 0, 1, 0].map((weight, i) => tf.fill(i % 2 === 0 ? [1, 1, 1, 1] : [1], weight)));
    const first = await take(layer.apply([x, x], { training: true })); // of values 1
    expect(first[0]).toBe(0);
    expectClose([first[1] as number], [first[1] === 0 ? 0 : 2], 1e-6); // its one weight is dropped, or doubled
    for (const [i, value] of first.entries()) {
      if (i > 0) expectClose([(value * i) / 2], [Math.round((value * i) / 2)], 1e-4); // so many of i are kept
    }
  });
});
