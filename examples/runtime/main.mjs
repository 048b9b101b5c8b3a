// Draws 64 digits of one class in a worker, from a file of 88 kB: no tfjs is loaded.

import { createPool, loadPortable, picture } from 'pixelcnn-layers/runtime';

const [slider, which, canvas, status] = ['digit', 'which', 'canvas', 'status'].map((id) =>
  document.getElementById(id),
);
const createWorker = () => new Worker(new URL('pixelcnn-layers/worker', import.meta.url), { type: 'module' });
const pool = createPool({ workers: 1, createWorker });
const model = await loadPortable(new URL('../models/digits-conditional.pixelcnn', import.meta.url));

async function draw() {
  which.textContent = slider.value;
  status.textContent = 'Drawing';
  const start = performance.now();
  const images = await pool.sample(model, { numImages: 64, condition: Number(slider.value), seed: 1 });
  const { data, width, height } = picture(images, model);
  Object.assign(canvas, { width, height }).getContext('2d').putImageData(new ImageData(data, width), 0, 0);
  status.textContent = `64 digits in ${Math.round(performance.now() - start)} ms`;
}
slider.addEventListener('change', draw);
draw().catch(({ message }) => {
  status.textContent = message;
});
