// Draws maps in workers, and counts the rules that they break: no tfjs is loaded.

import { createPool, readPortable } from 'pixelcnn-layers/runtime';
import { shapesOf, TILE_PIXELS } from './art.mjs';
import { brokenRules, RULES } from './rules.mjs';
import { mapsOf, SIDE } from './tiles.mjs';

const SHOWN = 8;
const MOST = 1024; // maps to draw in search of such as keep all rules
const SCALE = 2; // so that maps are crisp on fine screens

const [next, seed, temperature, choosing, marking, status] = [
  'next',
  'seed',
  'temperature',
  'choosing',
  'marking',
  'status', // biome-ignore format: two lines
].map((id) => document.getElementById(id));
const figures = Array.from({ length: SHOWN }, () => {
  const figure = document.createElement('figure');
  const pixels = SCALE * SIDE * TILE_PIXELS;
  figure.innerHTML = `<canvas width="${pixels}" height="${pixels}" role="img"></canvas><figcaption></figcaption>`;
  return document.getElementById('maps').appendChild(figure);
});
const counts = Object.entries(RULES).map(([rule, text]) => {
  const row = document.querySelector('tbody').insertRow();
  row.insertCell().textContent = text;
  return { rule, cell: row.insertCell() };
});

const createWorker = () => new Worker(new URL('pixelcnn-layers/worker', import.meta.url), { type: 'module' });
const pool = createPool({ workers: 2, createWorker });
const file = await fetch(new URL('../models/tiles.pixelcnn', import.meta.url));
const model = readPortable(new Uint8Array(await file.arrayBuffer()));
let maps = [];
let drawing = new AbortController();

async function draw() {
  temperature.nextElementSibling.textContent = temperature.value;
  drawing.abort(); // what is asked for now takes its place
  drawing = new AbortController();
  const { signal } = drawing;
  const options = { seed: seed.valueAsNumber, temperature: temperature.valueAsNumber, signal };
  const isTaken = choosing.checked ? (map) => brokenRules(map).length === 0 : () => true;
  const numImages = choosing.checked ? 4 * SHOWN : SHOWN;
  status.textContent = 'Drawing';
  const start = performance.now();
  try {
    const taken = [];
    let drawn = 0;
    for (; taken.length < SHOWN && drawn < MOST; drawn += numImages) {
      const { data } = await pool.sample(model, { ...options, numImages, firstImage: drawn });
      taken.push(...mapsOf(data).filter(isTaken));
    }
    maps = taken.slice(0, SHOWN);
    show();
    status.textContent = `${maps.length} of ${drawn} maps, drawn in ${Math.round(performance.now() - start)} ms`;
  } catch (error) {
    if (!signal.aborted) status.textContent = error.message;
  }
}

function show() {
  const broken = maps.map(brokenRules);
  for (const [n, figure] of figures.entries()) {
    figure.hidden = n >= maps.length;
    if (figure.hidden) continue;
    const [canvas, caption] = figure.children;
    paint(canvas.getContext('2d'), maps[n], marking.checked ? broken[n].flatMap(({ places }) => places) : []);
    const rules = [...new Set(broken[n].map(({ rule }) => rule))];
    caption.textContent =
      rules.length === 0 ? 'keeps all rules' : `${broken[n].length} broken: ${rules.join(', ')}`;
    caption.className = rules.length === 0 ? '' : 'broken';
    canvas.setAttribute('aria-label', `Map ${n + 1}: ${caption.textContent}`);
  }
  for (const { rule, cell } of counts) {
    const count = broken.flat().filter((breach) => breach.rule === rule).length;
    cell.textContent = count;
    cell.className = count === 0 ? '' : 'broken';
  }
}

function paint(context, map, marked) {
  context.setTransform(SCALE, 0, 0, SCALE, 0, 0);
  for (const { x, y, width, height, fill } of shapesOf(map)) {
    context.fillStyle = fill;
    context.fillRect(x, y, width, height);
  }
  context.strokeStyle = '#e3262e';
  for (const place of marked) {
    const [row, column] = [Math.floor(place / SIDE), place % SIDE];
    context.strokeRect(TILE_PIXELS * column + 0.5, TILE_PIXELS * row + 0.5, TILE_PIXELS - 1, TILE_PIXELS - 1);
  }
}

document.querySelector('form').addEventListener('submit', (event) => event.preventDefault()); // Enter, in the seed
next.addEventListener('click', () => {
  seed.valueAsNumber += 1;
  draw();
});
for (const input of [seed, temperature, choosing]) {
  input.addEventListener('change', () => seed.reportValidity() && draw());
}
marking.addEventListener('change', show);
draw();
