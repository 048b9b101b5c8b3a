import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { type AutoregressiveModel, loadModel, pixelCNN } from 'pixelcnn-layers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { savedArtifacts } from '../support/models/memory-file';
import { listening } from '../support/node/listening.mjs';
import { expectCleanRefusal, expectNoLeaks } from '../support/tensors';

let artifacts: tf.io.ModelArtifacts;
let model: AutoregressiveModel;
let server: Awaited<ReturnType<typeof listening>>;
beforeAll(async () => {
  await useBackend('cpu');
  model = pixelCNN({ imageShape: [2, 2, 1], levels: 3, hiddenDim: 2, outDim: 2, numBlocks: 1, seed: 1 });
  artifacts = await savedArtifacts(model);
  server = await listening(({ url }, response) => {
    if (url === '/none/model.json') response.writeHead(404).end();
    else response.end('<html>');
  });
});
afterAll(() => {
  model.dispose();
  server.close();
});

it('loads a model from a handler', () =>
  expectNoLeaks(async () => {
    const loaded = await loadModel(tf.io.fromMemory(artifacts));
    expect([loaded.levels, loaded.imageShape]).toEqual([3, [2, 2, 1]]);
    const [before, after] = [model, loaded].map((one) => one.getWeights().map((weight) => weight.dataSync()));
    expect(after).toEqual(before);
    loaded.dispose();
  }));

/** The artifacts with some of the topology's text replaced. */
const edited = (from: string, to: string) =>
  tf.io.fromMemory({ ...artifacts, modelTopology: JSON.parse(JSON.stringify(artifacts.modelTopology).replaceAll(from, to)) });

it.each<[string, () => Promise<unknown>]>([
  ['loadModel: wanted a URL, or a handler such as fileSystem(directory), got 7', () => loadModel(7 as never)],
  ['/none/model.json: the server answers 404', () => loadModel(`${server.address}none/model.json`)],
  ['/page: wanted the model.json of a saved model, got no JSON; is the URL right?', () => loadModel(new URL('page', server.address))],
  [
    'loadModel: Strange is not registered: if it is your own, call serialization.registerClass(Strange) of tfjs before',
    () => loadModel(edited('PixelCNNResBlock', 'Strange')),
  ],
])('refuses: %s', (message, load) => expectCleanRefusal(load, message));

it('refuses a model that is none of this library, and leaves nothing of it', async () => {
  const other = sequential({ layers: [layers.dense({ units: 1, inputShape: [2] })] });
  const saved = await savedArtifacts(other);
  other.dispose();
  const load = () => loadModel(tf.io.fromMemory(saved));
  await expectNoLeaks(async () => {
    await expect(load()).rejects.toThrow('loadModel: wanted an AutoregressiveModel, got a Sequential, which loadLayersModel of tfjs loads');
  });
});
