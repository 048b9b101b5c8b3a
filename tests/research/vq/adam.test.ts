import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { expect, it } from 'vitest';
import { adam, restorePowers, saveWithOptimizer } from '../../../research/vq/adam.mjs';
import { useBackend } from '../../support/backends';
import { temporaryFolder } from '../../support/node/temporary-folder';
import { expectNoLeaks } from '../../support/tensors';

const directory = temporaryFolder();

it('a saved model goes on to the bit, and saving it leaves no tensor behind', async () => {
  await useBackend('wasm');
  const model: LayersModel = sequential({ layers: [layers.dense({ units: 3, inputShape: [2] })] });
  model.compile({ optimizer: adam(0.01), loss: 'meanSquaredError' });
  const [x, y] = [tf.tensor2d([1, 2, 3, -1], [2, 2]), tf.tensor2d([0, 1, 2, 3, 4, 5], [2, 3])];
  const weightsAfter = async (model: LayersModel, steps: number) => {
    for (let step = 0; step < steps; step++) await model.trainOnBatch(x, y);
    return Promise.all(model.getWeights().map(async (weight) => Array.from(await weight.data())));
  };
  await weightsAfter(model, 123);
  await expectNoLeaks(() => saveWithOptimizer(model, fileSystem(directory)));
  const loaded = await loadLayersModel(fileSystem(directory));
  restorePowers(loaded.optimizer as tf.AdamOptimizer);
  expect(await weightsAfter(loaded, 20)).toEqual(await weightsAfter(model, 20));
  tf.dispose([x, y]);
  for (const owner of [loaded.optimizer, model.optimizer, loaded, model]) owner.dispose();
});
