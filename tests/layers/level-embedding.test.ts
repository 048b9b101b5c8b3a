import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type LevelEmbedding, levelEmbedding, normalize } from 'pixelcnn-layers';
import { alea } from 'seedrandom';
import { beforeAll, describe, expect, it } from 'vitest';
import { partSeed } from '../../src/layers/seeds';
import { backends, onEachBackend, useBackend } from '../support/backends';
import { expectClose, expectNoLeaks, take, weightGradients } from '../support/tensors';

/** Levels of two pixels with two channels, and a table of three levels with two units. */
const LEVELS = [2, 0, 2, 1];
const TABLE = [
  [1, 10],
  [2, 20],
  [3, 30],
];

onEachBackend('LevelEmbedding', () => {
  /** A layer with that table, and those levels as input. */
  function built(args: Partial<Parameters<typeof levelEmbedding>[0]> = {}) {
    const layer = levelEmbedding({ levels: 3, units: 2, ...args });
    const labels = tf.tensor4d(LEVELS, [1, 1, 2, 2], 'int32');
    const x = normalize(labels, 3);
    const table = tf.tensor2d(TABLE);
    tf.dispose(layer.apply(x)); // builds it
    layer.setWeights([table]);
    tf.dispose([labels, table]);
    return { layer, x };
  }

  it('is a row of one table for each channel, from what normalize makes', async () => {
    const { layer, x } = built();
    const y = layer.apply(x);
    expect(y.shape).toEqual([1, 1, 2, 4]);
    expect(await take(y)).toEqual(LEVELS.flatMap((level) => TABLE[level] as number[]));
    x.dispose();
    layer.dispose();
  });

  it('has a gradient for its table: the sum over all places with the level', async () => {
    const { layer, x } = built();
    const dy = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]);
    const loss = () => tf.tidy(() => tf.sum(tf.mul(layer.apply(x), dy))) as tf.Scalar;
    const [gradient] = weightGradients(layer, loss) as [tf.Tensor];
    expectClose(await take(gradient), [3, 4, 7, 8, 1 + 5, 2 + 6], 1e-6); // levels 0, 1 and twice 2
    tf.dispose([x, dy]);
    layer.dispose();
  });

  it('trains, is regularized and constrained, and leaves no tensor behind', async () => {
    await expectNoLeaks(async () => {
      const x = tfl.input({ shape: [1, 2, 2] });
      const embeddingsRegularizer = tfl.regularizers.l2({ l2: 0.01 });
      const layer = levelEmbedding({ levels: 3, units: 2, embeddingsRegularizer, embeddingsConstraint: 'nonNeg' });
      const model = tfl.model({ inputs: x, outputs: layer.apply(x) });
      const optimizer = tf.train.sgd(0.1);
      model.compile({ optimizer, loss: 'meanSquaredError' });
      const table = tf.tensor2d([
        [1, 1],
        [-5, 0],
        [2, 2],
      ]);
      layer.setWeights([table]); // of which -5 becomes 0
      const images = tf.tensor4d([0, 0.5, 0.5, 0.5], [1, 1, 2, 2]); // levels 0, 1, 1, 1
      const target = tf.tensor4d([5, 5, 8, 8, 8, 8, 8, 8], [1, 1, 2, 4]);
      await model.trainOnBatch(images, target);
      // of mean((t - target)^2) + 0.01 sum(t^2), where the mean is over 8 numbers: level 0 has (1 - 5) / 4 + 0.02,
      // level 1 three times (0 - 8) / 4, and level 2, which does not come, 0.04
      expectClose(await (layer.getWeights()[0] as tf.Tensor).data(), [1.098, 1.098, 0.6, 0.6, 1.996, 1.996], 1e-5);
      model.dispose();
      optimizer.dispose();
      return [table, images, target];
    });
  });
});

describe('LevelEmbedding', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  const weightsOf = async (layer: LevelEmbedding) => {
    layer.apply(tfl.input({ shape: [2, 2, 3] }));
    const [table] = layer.getWeights() as [tf.Tensor];
    return [table.shape, Array.from(await table.data())] as const;
  };

  it('begins as the embedding of tfjs: uniform within 0.05, by its seed', async () => {
    const [shape, values] = await weightsOf(levelEmbedding({ levels: 3, units: 4, seed: 7 }));
    expect(shape).toEqual([3, 4]);
    const uniform = alea(String(partSeed(7, 'embeddings')));
    expect(values).toEqual(values.map(() => Math.fround(-0.05 + uniform() * (0.05 - -0.05))));
    expect((await weightsOf(levelEmbedding({ levels: 3, units: 4, seed: 8 })))[1]).not.toEqual(values);
    const ones = levelEmbedding({ levels: 2, units: 2, embeddingsInitializer: 'ones', seed: 7 });
    expect((await weightsOf(ones))[1]).toEqual([1, 1, 1, 1]);
  });
});
