// Measures what bringing weights here costs: time and memory for PixelCNN++ of the published size, from a file of safetensors to a portable file,
// and what float16 takes from the likelihood of a trained model.
//
//   npm run bench:weights -- [--write]
//
// --write puts the figures into docs/results/benchmarks.md.

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pixelCNNPlusPlus, toPortable } from 'pixelcnn-layers';
import { quantize } from 'pixelcnn-layers/data';
import { logProb, readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { readDataset } from '../../kit/data/datasets.mjs';
import { loadImageModel } from '../../kit/models/saved-model.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { machine } from './lib/machine.mjs';
import { markdownTable, writeFigures } from './lib/report.mjs';

const { values: flags } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

await useBackend('wasm');

/** From a file of float32 to a portable one of float16, in a process of its own. */
async function publishedFigures(directory) {
  const file = join(directory, 'weights.safetensors');
  const model = pixelCNNPlusPlus({ imageShape: [32, 32, 3], filters: 160, seed: 1 });
  const weights = model.countParams();
  const bytes = writeSafetensors(saveWeights(model, { to: 'pytorch' }));
  await writeFile(file, bytes);
  model.dispose();
  const program = fileURLToPath(new URL('lib/load-weights.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const { steps, portableBytes } = JSON.parse(stdout);
  const rows = steps.map(({ name, ms, peakBytes }) => [name, (ms / 1000).toFixed(2), mebibytes(peakBytes)]);
  const sizes = `${weights.toLocaleString('en')} weights, PixelCNN++ of the published size: ${mebibytes(bytes.length)} of float32, ${mebibytes(portableBytes)} as a portable file of float16.`;
  return `${sizes}\n\n${markdownTable(['on wasm, in Node', 's', 'peak memory so far'], rows)}`;
}

/** Bits per dimension of the emoji that the shipped model has not seen, as it is and as float16. */
async function rounded() {
  const { test } = await readDataset('emoji', {});
  const directory = fileURLToPath(new URL('../../examples/models/emoji', import.meta.url));
  const { model, levels } = await loadImageModel(directory);
  const images = quantize(test, levels);
  const whole = await toPortable(model);
  const bitsOf = async (portable) => {
    const nats = await logProb(portable, images);
    const values = images.data.length;
    return -nats.reduce((sum, one) => sum + one, 0) / values / Math.LN2;
  };
  const bits = await bitsOf(whole);
  const file = writePortable(whole, { weights: 'float16' });
  const less = (await bitsOf(readPortable(file))) - bits;
  return `Rounding weights to float16 changes the bits/dim of the repository's [emoji model](../../examples/models/README.md), ${bits.toFixed(4)} on the test images, by ${less < 0 ? '' : '+'}${less.toFixed(5)}.`;
}

const directory = await mkdtemp(join(tmpdir(), 'weights-'));
try {
  const text = `${await publishedFigures(directory)}\n\n${await rounded()}\n\nOne run on ${machine()}.`;
  console.log(text);
  if (flags.write) {
    await writeFigures('benchmarks', 'bench:weights', text);
  }
} finally {
  await rm(directory, { recursive: true });
}
