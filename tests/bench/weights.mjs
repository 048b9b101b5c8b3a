// Measures what bringing weights here costs: time and memory for PixelCNN++ of the published size, from a file of safetensors to a portable file,
// and what 8 bits take from the likelihood of trained models.
//
//   npm run bench:weights -- [--write]
//
// --write puts the figures into docs/results/benchmarks.md.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pixelCNNPlusPlus } from 'pixelcnn-layers';
import { quantize, sliceImages } from 'pixelcnn-layers/data';
import { loadPortable, logProb, readPortable, sample, writePortable } from 'pixelcnn-layers/runtime';
import { saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { modelURL } from 'pixelcnn-models';
import { useBackend } from '../../kit/runs/backend.mjs';
import { benchmark, inTemporaryFolder } from './lib/benchmark.mjs';
import { machine } from './lib/machine.mjs';
import { outputOf } from './lib/process.mjs';
import { markdownTable, mebibytes, showRow } from './lib/report.mjs';
import { conditionOf, SHIPPED } from './lib/shipped.mjs';
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

/** What each precision of the weights takes: bytes, bits per dimension, and the time from them to the first picture. */
async function precisions() {
  const rows = [];
  for (const { name, read, isOwn } of SHIPPED) {
    const model = await loadPortable(modelURL(name));
    const whole = quantize(await read(), model.levels);
    const numImages = Math.min(whole.shape[0], MAX_IMAGES);
    const images = sliceImages(whole, 0, numImages);
    const condition = conditionOf(model, whole, numImages);
    const files = ['float16', 'int8'].map((weights) => writePortable(model, { weights }));
    const bits = [];
    for (const bytes of files) {
      const nats = await logProb(readPortable(bytes), images, condition);
      bits.push(-nats.reduce((sum, one) => sum + one, 0) / images.data.length / Math.LN2);
    }
    const first = conditionOf(model, whole, 1);
    const draw = (bytes) => () => sample(readPortable(bytes), { seed: 1, ...first });
    const { half, eight } = await timeInTurn({ half: draw(files[0]), eight: draw(files[1]) }, { seconds: 3 });
    const kilobytes = files.map(({ length }) => (length / 1000).toFixed(0));
    rows.push([
      name,
      `${numImages}${isOwn ? ' of its own' : ''}`,
      ...kilobytes,
      bits[0].toFixed(4),
      signed(bits[1] - bits[0]),
      (eight.median / half.median).toFixed(2),
    ]);
    showRow(rows.at(-1));
  }
  const header = ['model', 'images', 'float16, kB', 'int8, kB', 'float16, bits/dim', 'int8', 'time to a picture, int8 to float16'];
  return `Each model that comes with the repository, in a file of float16, as it is, and of int8:\n\n${markdownTable(header, rows)}`;
}

const MAX_IMAGES = 300;
const signed = (bits) => `${bits < 0 ? '' : '+'}${bits.toFixed(4)}`;

await inTemporaryFolder(async (directory) => {
  await publish(`${await publishedFigures(directory)}\n\n${await precisions()}\n\nOne run on ${machine()}.`);
});
