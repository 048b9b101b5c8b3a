import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { maskedConv2d, pixelCNN, sample } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { beforeAll, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { temporaryFolder } from '../support/node/temporary-folder';
import { scoped } from '../support/scoped';
import { expectNoLeaks, setNoise, take } from '../support/tensors';

const directory = temporaryFolder();
beforeAll(() => useBackend('tensorflow'));

it("reads what tfjs-node's own handler saved, and the other way round", async () => {
  const [theirs, ours] = ['theirs', 'ours'].map((name) => join(directory, name)) as [string, string];
  await expectNoLeaks(async () => {
    const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 4, outDim: 4, numBlocks: 1 });
    setNoise(model);
    await model.save(`file://${theirs}`);
    await model.save(fileSystem(ours));
    const loaded = await Promise.all(
      [
        `file://${ours}/model.json`,
        fileSystem(theirs),
        fileSystem(`file://${theirs}/model.json`),
      ].map((from) => tfl.loadLayersModel(from)), // biome-ignore format: one list
    );
    const drawn = await Promise.all([model, ...loaded].map(async (one) => take(await sample(one, { numImages: 2, seed: 1 }))));
    for (const images of drawn) expect(images).toEqual(drawn[0]);
    for (const one of [model, ...loaded]) one.dispose();
  });
  expect(await readdir(theirs)).toContain('model.json');
});

it('takes a batch whose features have more bytes than a buffer of WebGPU may', async () => {
  const layer = scoped(maskedConv2d({ filters: 32, kernelSize: 1, maskType: 'B', imageChannels: 1, seed: 1 }));
  const features = scoped(tf.tidy(() => layer.apply(tf.ones([1400, 28, 28, 1])) as tf.Tensor4D)); // [1400,28,28,32]: 140 MB
  expect(features.size * 4).toBeGreaterThan(2 ** 27);
  const ends = [0, 1399].map((image) => tf.slice(features, [image, 27, 27, 0], [1, 1, 1, 32]));
  const [first, last] = await Promise.all(ends.map(take));
  expect(last).toEqual(first);
  expect(Math.max(...(last as number[]).map(Math.abs))).toBeGreaterThan(0);
});

it('needs the shim of docs/reference/backends.md where Node has no util.isNullOrUndefined, as from 23 on', async () => {
  const built = fileURLToPath(new URL('../../.tfjs-node/node_modules/@tensorflow/tfjs-node', import.meta.url));
  const run = (shim: string) =>
    promisify(execFile)(process.execPath, [
      '-e',
      `const util = require('node:util');
      delete util.isNullOrUndefined; // as Node 23 has it
      ${shim}
      const tf = require(${JSON.stringify(built)});
      console.log(tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0]);`,
    ]);
  await expect(run('')).rejects.toThrow('isNullOrUndefined) is not a function');
  const { stdout } = await run('util.isNullOrUndefined = (x) => x === null || x === undefined;');
  expect(stdout).toBe('11\n');
});
