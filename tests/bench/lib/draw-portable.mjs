// Draws images from a portable file, in a process of its own, so that its memory can be told: `node draw-portable.mjs FILE IMAGES`
// prints {"ms": …, "peakBytes": …}. It knows no tfjs.

import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { readPortable, sample } from 'pixelcnn-layers/runtime';

const [path, count] = process.argv.slice(2);
let file = await readFile(path);
const model = readPortable(file);
file = null;
const before = performance.now();
await sample(model, { numImages: Number(count), seed: 1 });
const ms = performance.now() - before;
console.log(JSON.stringify({ ms, peakBytes: 1024 * process.resourceUsage().maxRSS }));
