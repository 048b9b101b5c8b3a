import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { bitsPerDim, gatedPixelCNN } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { afterEach, expect, it, vi } from 'vitest';
import { useBackend } from '../support/backends';
import { temporaryFolder } from '../support/node/temporary-folder';
import { sampled } from '../support/runs';

afterEach(() => vi.restoreAllMocks());

const directory = temporaryFolder();

it('is loaded or refused, without leaks, whichever bit of its model.json was changed', async () => {
  await useBackend('cpu');
  vi.spyOn(console, 'warn').mockReturnValue();
  const model = gatedPixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1, numClasses: 3 });
  model.compile({ optimizer: 'adam', loss: bitsPerDim });
  await model.save(fileSystem(directory), { includeOptimizer: true });
  model.dispose();
  const file = join(directory, 'model.json');
  const whole = await readFile(file);
  const count = { loaded: 0, refused: 0 };
  for (const i of sampled(whole.length, 100)) {
    const damaged = Uint8Array.from(whole);
    damaged[i] = (damaged[i] as number) ^ (1 << (i % 7));
    await writeFile(file, damaged);
    const before = tf.memory().numTensors;
    const loaded = await tfl.loadLayersModel(fileSystem(directory)).catch(() => null);
    loaded?.dispose();
    count[loaded ? 'loaded' : 'refused']++;
    // Another name of its class makes it a model of tfjs's own, which leaves tensors behind.
    if (new TextDecoder('latin1').decode(damaged).includes('"AutoregressiveModel"'))
      expect(tf.memory().numTensors, `byte ${i}`).toBe(before);
  }
  expect(count.loaded).toBeGreaterThan(2); // a changed seed, say
  expect(count.refused).toBeGreaterThan(25);
});
