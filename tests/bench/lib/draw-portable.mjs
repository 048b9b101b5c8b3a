// Draws images from a portable file, in a process of its own, so that its memory can be told: `node draw-portable.mjs FILE IMAGES`
// prints {"ms": …, "readMs": …, "rowMs": …, "peakBytes": …}: to draw, to read the file, to draw the first row. It knows no tfjs.

import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { readPortable, sample } from 'pixelcnn-layers/runtime';
import { peakBytes } from './process.mjs';

/** In a function of its own, so that nobody holds the file once it is read. */
const load = async (path) => readPortable(await readFile(path));

const [path, count] = process.argv.slice(2);
const start = performance.now();
const model = await load(path);
const before = performance.now();
let rowMs;
const onProgress = () => (rowMs ??= performance.now() - before);
await sample(model, { numImages: Number(count), seed: 1, onProgress });
const ms = performance.now() - before;
console.log(JSON.stringify({ ms, readMs: before - start, rowMs, peakBytes: peakBytes() }));
