// Draws maps in workers: no tfjs is loaded.

import { createPool, loadPortable } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import { shapesOf, TILE_PIXELS } from './art.mjs';
import { mapsOf, SIDE } from './tiles.mjs';

const createWorker = () => new Worker(new URL('pixelcnn-layers/worker', import.meta.url), { type: 'module' });
const pool = createPool({ workers: 2, createWorker });
const model = await loadPortable(modelURL('tiles'));
const canvases = [...document.querySelectorAll('canvas')];
const button = document.querySelector('button');
let seed = 0;

async function draw() {
  button.disabled = true;
  seed++;
  const { data } = await pool.sample(model, { numImages: canvases.length, seed, temperature: 0.7 });
  for (const [n, map] of mapsOf(data).entries()) paint(canvases[n], map);
  button.disabled = false;
}

function paint(canvas, map) {
  canvas.width = canvas.height = SIDE * TILE_PIXELS;
  canvas.setAttribute('aria-label', `Map ${canvases.indexOf(canvas) + 1} of seed ${seed}`);
  const context = canvas.getContext('2d');
  for (const { x, y, width, height, fill } of shapesOf(map)) {
    context.fillStyle = fill;
    context.fillRect(x, y, width, height);
  }
}

button.addEventListener('click', draw);
draw();
