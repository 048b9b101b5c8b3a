// Draws 64 digits of one class in a worker, from a file of 88 kB: no tfjs is loaded.

import { createPool, readPortable } from 'pixelcnn-layers/runtime';

const [slider, which, canvas, status] = ['digit', 'which', 'canvas', 'status'].map((id) =>
  document.getElementById(id),
);
const createWorker = () => new Worker(new URL('pixelcnn-layers/worker', import.meta.url), { type: 'module' });
const pool = createPool({ workers: 1, createWorker });
const file = await fetch(new URL('../models/digits-conditional.pixelcnn', import.meta.url));
const model = readPortable(new Uint8Array(await file.arrayBuffer()));

async function draw() {
  which.textContent = slider.value;
  status.textContent = 'Drawing';
  const start = performance.now();
  const { data } = await pool.sample(model, { numImages: 64, condition: Number(slider.value), seed: 1 });
  const pixels = canvas.getContext('2d').createImageData(72, 72); // eight rows of eight, 9 pixels apart
  for (const [i, level] of data.entries()) {
    const [image, row, column] = [i >> 6, (i >> 3) & 7, i & 7];
    const at = 72 * (9 * (image >> 3) + row) + 9 * (image & 7) + column;
    pixels.data.set([0, 0, 0, (255 * level) / (model.levels - 1)], 4 * at);
  }
  canvas.getContext('2d').putImageData(pixels, 0, 0);
  status.textContent = `64 digits in ${Math.round(performance.now() - start)} ms`;
}
slider.addEventListener('change', draw);
draw().catch(({ message }) => {
  status.textContent = message;
});
