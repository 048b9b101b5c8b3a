// Times a pool of two workers against one thread, in turn, on 2,000 images 28x28x1 of a small model, and prints how many times
// faster it is. Ends with an error below 1.7, where the machine has two cores to itself.
//
//   npm run bench:pool -- [--images 2000] [--rounds 5]

import { createPool, sample } from 'pixelcnn-layers/runtime';
import { portableModel } from '../support/models/portable-model.mjs';
import { readFlags } from './lib/benchmark.mjs';
import { summary } from './lib/timing.mjs';

const LEAST_RATIO = 1.7;
const { images: numImages, rounds } = readFlags({ images: 2000, rounds: 5 });
const model = portableModel({ imageShape: [28, 28, 1], levels: 16, features: 16, blocks: 3 });
const pool = createPool({ workers: 2 });
const draws = { alone: (options) => sample(model, options), together: (options) => pool.sample(model, options) };

/** Milliseconds that a draw takes. */
async function time(draw) {
  const start = performance.now();
  await draw({ numImages, seed: 1 });
  return performance.now() - start;
}

for (const draw of Object.values(draws)) await draw({ numImages: 64 }); // workers started, loops compiled
const ratios = [];
for (let round = 0; round < rounds; round++) {
  const alone = await time(draws.alone);
  const together = await time(draws.together);
  ratios.push(alone / together);
  console.error(`round ${round + 1}: ${(alone / together).toFixed(2)}`);
}
const { median, low, high } = summary(ratios);
console.log(`2 workers: ${median.toFixed(2)} times one thread (${low.toFixed(2)} to ${high.toFixed(2)})`);
if (median < LEAST_RATIO) process.exitCode = 1;
