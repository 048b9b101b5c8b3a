// Draws maps in workers, counts the rules that they break, and draws parts of them again: no tfjs is loaded.

import { createPool, readPortable } from 'pixelcnn-layers/runtime';
import { shapesOf, TILE_PIXELS } from './art.mjs';
import { brokenRules, RULES } from './rules.mjs';
import { around, mapsOf, SIDE } from './tiles.mjs';

const SHOWN = 8;
const MOST = 1024; // maps to draw in search of such as keep all rules
const PARTICLES = 64; // that look ahead, where tiles are drawn again
const TRIES = 8; // to mend a map
const SCALE = 2; // so that maps are crisp on fine screens

const [next, mend, seed, temperature, choosing, marking, status] = [
  'next',
  'mend',
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
let timesDrawnAgain = 0;

/** Does one job at a time, the last one that was requested, and shows its maps, its message and its duration. */
async function run(job) {
  drawing.abort();
  drawing = new AbortController();
  const { signal } = drawing;
  status.textContent = 'Drawing';
  const start = performance.now();
  try {
    const said = await job({ temperature: temperature.valueAsNumber, signal });
    show();
    status.textContent = `${said} in ${Math.round(performance.now() - start)} ms`;
  } catch (error) {
    if (!signal.aborted) status.textContent = error.message;
  }
}

const draw = () =>
  run(async (options) => {
    temperature.nextElementSibling.textContent = temperature.value;
    const isTaken = choosing.checked ? (map) => brokenRules(map).length === 0 : () => true;
    const numImages = choosing.checked ? 4 * SHOWN : SHOWN;
    const taken = [];
    let drawn = 0;
    for (; taken.length < SHOWN && drawn < MOST; drawn += numImages) {
      const part = { numImages, firstImage: drawn, seed: seed.valueAsNumber };
      const { data } = await pool.sample(model, { ...options, ...part });
      taken.push(...mapsOf(data).filter(isTaken));
    }
    maps = taken.slice(0, SHOWN);
    return `${maps.length} of ${drawn} maps, drawn`;
  });

/** Draws places of some maps again, by the number of the map, with regard to all other tiles: of so many tries the one with the fewest flaws. */
const drawAgain = (holes, tries) =>
  run(async (options) => {
    const numbers = [...holes.keys()].flatMap((n) => new Array(tries).fill(n));
    const shape = [numbers.length, SIDE, SIDE, 1];
    const initial = { data: Uint8Array.from(numbers.flatMap((n) => [...maps[n]])), shape };
    const known = { data: new Uint8Array(initial.data.length).fill(1), shape };
    for (const [i, n] of numbers.entries())
      for (const place of holes.get(n)) known.data[i * SIDE ** 2 + place] = 0;
    timesDrawnAgain++; // other tiles each time
    const given = { initial, known, lookAhead: PARTICLES, seed: seed.valueAsNumber + 1e6 * timesDrawnAgain };
    const drawn = mapsOf((await pool.sample(model, { ...options, ...given })).data);
    const flawsOf = (map) => brokenRules(map).length;
    const better = (a, b) => (flawsOf(b) < flawsOf(a) ? b : a);
    for (const n of holes.keys()) maps[n] = drawn.filter((_, i) => numbers[i] === n).reduce(better);
    const count = [...holes.values()].reduce((sum, { size }) => sum + size, 0);
    return `${count} ${count === 1 ? 'tile' : 'tiles'} drawn again`;
  });

/** The tiles that break a rule and those around them, by the number of the map. */
function flaws() {
  const holes = new Map();
  for (const [n, map] of maps.entries()) {
    const places = brokenRules(map).flatMap((breach) => breach.places);
    const near = places.flatMap((place) => [place, ...around(place)]).filter((place) => place !== null);
    if (near.length > 0) holes.set(n, new Set(near));
  }
  return holes;
}

/** Tiles that are painted over are drawn again when the pointer is lifted. */
function letPaint(canvas, n) {
  let hole = null;
  const take = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const [row, column] = [(event.clientY - top) / height, (event.clientX - left) / width].map((share) => Math.floor(SIDE * share)); // biome-ignore format: one line
    if (Math.min(row, column) < 0 || Math.max(row, column) >= SIDE) return;
    hole.add(row * SIDE + column);
    cover(canvas.getContext('2d'), row, column);
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    hole = new Set();
    take(event);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (hole !== null) for (const each of event.getCoalescedEvents()) take(each);
  });
  canvas.addEventListener('pointerup', () => {
    if (hole !== null) drawAgain(new Map([[n, hole]]), 1);
    hole = null;
  });
  canvas.addEventListener('pointercancel', () => {
    hole = null;
    show();
  });
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

function cover(context, row, column) {
  context.fillStyle = 'white';
  context.fillRect(TILE_PIXELS * column, TILE_PIXELS * row, TILE_PIXELS, TILE_PIXELS);
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
mend.addEventListener('click', () => {
  const holes = flaws();
  if (holes.size > 0) drawAgain(holes, TRIES);
  else status.textContent = 'There are no flaws';
});
for (const [n, figure] of figures.entries()) letPaint(figure.firstElementChild, n);
marking.addEventListener('change', show);
draw();
