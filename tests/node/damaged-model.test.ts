import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bitsPerDim, gatedPixelCNN } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { expect, it } from 'vitest';
import { useBackend } from '../support/backends';

/** Loads a model with one bit of its model.json changed, for every 23rd byte; says how many were loaded and refused. */
const program = `
  import { readFileSync, writeFileSync } from 'node:fs';
  import * as tf from '@tensorflow/tfjs-core';
  import '@tensorflow/tfjs-backend-cpu';
  import { loadLayersModel } from '@tensorflow/tfjs-layers';
  import 'pixelcnn-layers';
  import { fileSystem } from 'pixelcnn-layers/node';
  console.warn = () => {};
  const [, directory] = process.argv;
  const file = directory + '/model.json';
  const whole = readFileSync(file);
  const count = { loaded: 0, refused: 0, leaks: 0 };
  for (let i = 0; i < whole.length; i += 23) {
    const damaged = Buffer.from(whole);
    damaged[i] ^= 1 << (i % 7);
    process.stdout.write('byte ' + i + ': ' + damaged.toString('latin1', i - 20, i + 20) + '\\n');
    writeFileSync(file, damaged);
    const before = tf.memory().numTensors;
    const model = await loadLayersModel(fileSystem(directory)).catch(() => null);
    model?.dispose();
    count[model ? 'loaded' : 'refused']++;
    // Another name of its class makes it a model of tfjs's own, which leaves tensors behind.
    if (tf.memory().numTensors > before && damaged.includes('"AutoregressiveModel"')) count.leaks++;
  }
  process.stdout.write(JSON.stringify(count));
`;

it('is loaded or refused, in bounded time and without leaks, whichever bit of it was changed', async () => {
  await useBackend('cpu');
  const directory = await mkdtemp(join(tmpdir(), 'damaged-'));
  const model = gatedPixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 2, outDim: 4, numBlocks: 1, numClasses: 3 }); // biome-ignore format: one line
  model.compile({ optimizer: 'adam', loss: bitsPerDim });
  await model.save(fileSystem(directory), { includeOptimizer: true });
  model.dispose();
  // A process of its own: nothing here could stop one that hangs.
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  await once(child, 'close');
  await rm(directory, { recursive: true });
  const last = output.split('\n').at(-1) as string; // of one that hangs, the byte
  expect(last).toMatch(/^{/);
  const { loaded, refused, leaks } = JSON.parse(last);
  expect(loaded).toBeGreaterThan(20); // a changed seed, say
  expect(refused).toBeGreaterThan(100);
  expect(leaks).toBe(0);
});
