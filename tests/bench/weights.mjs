// Measures what bringing weights here costs: time and memory for PixelCNN++ of the published size, from a file of safetensors to a portable file,
// and from a file of float16 or int8 to the first picture of each trained model.
//
//   npm run bench:weights -- [--write]

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pixelCNNPlusPlus } from 'pixelcnn-layers';
import { loadPortable, readPortable, sample, stepper, writePortable } from 'pixelcnn-layers/runtime';
import { saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { models, modelURL } from 'pixelcnn-models';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark, inTemporaryFolder } from './lib/benchmark.mjs';
import { machine } from './lib/machine.mjs';
import { outputOf } from './lib/process.mjs';
import { markdownTable, mebibytes, ms, msAndTimes, showRow, tableOf } from './lib/report.mjs';
import { timeInTurn } from './lib/timing.mjs';

const { publish } = benchmark('benchmarks', 'bench:weights');

await useBackend('wasm');

/** From a file of float32 to a portable one of float16, in a process of its own. */
async function publishedFigures(directory) {
  const file = join(directory, 'weights.safetensors');
  const model = pixelCNNPlusPlus({ imageShape: [32, 32, 3], filters: 160, seed: 1 });
  const weights = model.countParams();
  const bytes = writeSafetensors(saveWeights(model, { to: 'pytorch' }));
  await writeFile(file, bytes);
  model.dispose();
  const { steps, portableBytes } = outputOf('load-weights.mjs', file);
  const rows = steps.map(({ name, ms, peakBytes }) => [name, (ms / 1000).toFixed(2), mebibytes(peakBytes)]);
  const sizes = `${weights.toLocaleString('en')} weights, PixelCNN++ of the published size: ${mebibytes(bytes.length)} of float32, ${mebibytes(portableBytes)} as a portable file of float16.`;
  return `${sizes}\n\n${markdownTable(['on wasm, in Node', 's', 'peak memory so far'], rows)}`;
}

/** What each precision of the weights takes: bytes, and the time from them to the first picture. */
async function precisions() {
  const rows = [];
  for (const [name, { bytes }] of Object.entries(models)) {
    const model = await loadPortable(modelURL(name));
    const files = ['float16', 'int8'].map((weights) => writePortable(model, { weights }));
    const draw = (file) => () => sample(readPortable(file), { seed: 1, ...conditionOf(model) });
    const first = () => stepper(readPortable(files.find(({ length }) => length === bytes)), conditionOf(model)).logProbs();
    const tasks = { half: draw(files[0]), eight: draw(files[1]), ...(model.symmetry ? {} : { first }) };
    const { half, eight, first: pixel } = await timeInTurn(tasks, { seconds: 3 });
    const [float16, int8] = files.map(({ length }) => `${(length / 1000).toFixed(0)}${length === bytes ? ' (ships)' : ''}`);
    rows.push({
      model: name,
      'float16, kB': float16,
      'int8, kB': int8,
      'bytes to a picture, float16, ms': ms(half.median),
      'int8, ms (ratio)': msAndTimes(eight, half),
      'to the first pixel, as it ships, ms': pixel ? ms(pixel.median) : 'symmetric',
    });
    showRow(rows.at(-1));
  }
  return `Each model of pixelcnn-models, from the bytes of its file to its first picture:\n\n${tableOf(rows)}`;
}

/** A class, or a vector of nothing, for a model that is told one; a symmetric one is not. */
function conditionOf({ conditions: [condition], symmetry }) {
  if (condition === undefined || symmetry !== undefined) return {};
  return { condition: condition.kind === 'class' ? 0 : { data: new Float32Array(condition.size), shape: [1, condition.size] } };
}

await inTemporaryFolder(async (directory) => {
  await publish(`${await publishedFigures(directory)}\n\n${await precisions()}\n\nOne run on ${machine()}.`);
});
