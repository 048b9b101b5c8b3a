// Brings weights of PixelCNN++ of the published size from a file of safetensors into a portable file, in a process of its own, so that its memory can be
// told: `node load-weights.mjs FILE` prints {"steps": [{"name": …, "ms": …, "peakBytes": …}], "portableBytes": …}.

import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { pixelCNNPlusPlus, toPortable } from 'pixelcnn-layers';
import { writePortable } from 'pixelcnn-layers/runtime';
import { loadWeights, readSafetensors } from 'pixelcnn-layers/weights';
import { useBackend } from '../../../kit/runs/backend.mjs';
import { peakBytes } from './process.mjs';

await useBackend('wasm');
const steps = [];
async function timed(name, act) {
  const before = performance.now();
  const result = await act();
  const ms = performance.now() - before;
  steps.push({ name, ms, peakBytes: peakBytes() });
  return result;
}

const [path] = process.argv.slice(2);
const model = await timed('`pixelCNNPlusPlus({ ... })`', () => pixelCNNPlusPlus({ imageShape: [32, 32, 3], filters: 160, seed: 1 }));
const tensors = await timed('`readSafetensors`, including reading the file', async () => readSafetensors(await readFile(path)));
await timed('`loadWeights`', () => loadWeights(model, tensors, { from: 'pytorch' }));
tensors.clear();
const portable = await timed('`toPortable`', () => toPortable(model));
const { length } = await timed('`writePortable`, float16', () => writePortable(portable, { weights: 'float16' }));
console.log(JSON.stringify({ steps, portableBytes: length }));
