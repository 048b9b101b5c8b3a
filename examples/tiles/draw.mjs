// Draws maps without tfjs, counts the rules that they break and the roads that connect, and paints some: `node
// examples/tiles/draw.mjs`.

import { createPool, sample } from 'pixelcnn-layers/runtime';
import { command, outputFile, stop, text, wholeNumber } from '../../kit/flags.mjs';
import { loadPortable } from '../../kit/models/saved-model.mjs';
import { pngOf } from '../../kit/pictures/drawing.mjs';
import { prepareFile, writeWhole } from '../../kit/runs/files.mjs';
import { shapesOf, TILE_PIXELS } from './art.mjs';
import { connection, isConnected, towards } from './connected.mjs';
import { makeMaps } from './generator.mjs';
import { brokenRules, RULES } from './rules.mjs';
import { mapsOf, NAMES, ROAD, SIDE } from './tiles.mjs';

const flags = command(
  'examples/tiles/draw.mjs',
  "Draws maps at several temperatures, and counts the rules that they break, beside the generator's own maps.",
)
  .option(
    '--connect',
    'gives a road tile on the west and one on the east edge instead, and counts how often a road connects them: drawn as if by chance, with adjust, with particles, and with a potential',
  )
  .option('--particles <n>', 'with --connect (default: 64)', wholeNumber(1))
  .option('--model <file>', 'what draws', text('a model'), 'models/tiles.pixelcnn')
  .option(
    '--maps <n>',
    'to draw in each way (default: 300; with --connect 100, and 20 times as many by chance)',
    wholeNumber(3),
  )
  .option('--seed <n>', 'of the draws', wholeNumber(0), 1)
  .option(
    '--out <file>',
    "a picture of the generator's first maps, and below them of those drawn at temperature 0.7 (default: out/tiles.png); with --connect a row of maps each by chance, with adjust and with a potential (default: out/tiles-connected.png)",
    outputFile(),
  )
  .parse()
  .opts();
const { connect: connects, particles = 64, seed } = flags;
if (!connects && flags.particles !== undefined) stop('--particles: wanted --connect beside it');
const numImages = flags.maps ?? (connects ? 100 : 300);
const out = flags.out ?? (connects ? 'out/tiles-connected.png' : 'out/tiles.png');
const model = await loadPortable(flags.model);
const drawn = `${model.imageShape} of ${model.levels} levels`;
const wanted = `${SIDE},${SIDE},1 of ${NAMES.length} levels`;
if (drawn !== wanted) stop(`--model: wanted a model of maps, ${wanted}, got one of ${drawn}`);
await prepareFile(out);

const SHOWN = 0.7; // the temperature of the maps in the picture
const [FROM, TO] = [22 * SIDE, 8 * SIDE + SIDE - 1]; // the tiles to connect
await paint(...(connects ? [await connect(), [FROM, TO]] : [await compareTemperatures(), []]));

/** Counts the rules that maps break. Returns the rows of the picture. */
async function compareTemperatures() {
  const pool = createPool();
  const own = mapsOf(makeMaps(numImages, seed));
  let drawn; // at the temperature of the picture
  console.log(table(['', 'flawless', 'broken', ...Object.keys(RULES)]));
  console.log(table(['generator', ...countsOf(own)]));
  for (const temperature of [1, 0.9, 0.8, SHOWN, 0.6]) {
    const maps = mapsOf((await pool.sample(model, { numImages, seed, temperature })).data);
    if (temperature === SHOWN) drawn = maps;
    console.log(table([`temperature ${temperature}`, ...countsOf(maps)]));
  }
  await pool.dispose();
  return [own, drawn];
}

/**
 * Counts how often a road connects two given tiles, and how many draws a flawless map takes in which one does. Returns
 * the rows of the picture.
 */
async function connect() {
  const potential = connection(FROM, TO);
  const ways = [
    { name: 'by chance', count: 20 * numImages, options: {} },
    { name: 'adjust', count: numImages, options: { adjust: towards(potential) } },
    { name: 'particles', count: numImages, options: { lookAhead: particles } },
    { name: 'potential', count: numImages, options: { lookAhead: particles, potential } },
  ];
  const rows = [];
  console.log(table(['', 'connected', 'flawless', 'both', 'broken', 'maps', 'draws']));
  for (const { name, count, options } of ways) {
    const shape = [count, SIDE, SIDE, 1];
    const atBoth = (value) =>
      Uint8Array.from({ length: count * SIDE ** 2 }, (_, i) =>
        [FROM, TO].includes(i % SIDE ** 2) ? value : 0,
      );
    const given = { initial: { data: atBoth(ROAD), shape }, known: { data: atBoth(1), shape } };
    const drawn = await sample(model, { ...given, ...options, seed, temperature: SHOWN });
    const maps = mapsOf(drawn.data);
    const leads = maps.filter((map) => isConnected(map, FROM, TO));
    const [flawless, broken] = countsOf(maps);
    const both = leads.filter((map) => brokenRules(map).length === 0);
    const cells = [percent(leads.length / count), flawless, percent(both.length / count), broken];
    const perMap = options.lookAhead ?? 1; // each particle is a draw
    const draws = both.length === 0 ? '-' : ((perMap * count) / both.length).toFixed(0);
    console.log(table([name, ...cells, String(count), draws]));
    if (name !== 'particles') rows.push(maps);
  }
  return rows;
}

/** The share of maps that keep all rules, and how often a map breaks any, and each of them. */
function countsOf(maps) {
  const broken = maps.map(brokenRules);
  const flawless = broken.filter(({ length }) => length === 0).length / maps.length;
  const perMap = (rule) => broken.flat().filter((breach) => breach.rule === rule).length / maps.length;
  const rules = Object.keys(RULES).map(perMap);
  const sum = broken.flat().length / maps.length;
  return [percent(flawless), ...[sum, ...rules].map((count) => count.toFixed(2))];
}

function percent(share) {
  return `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 0)} %`;
}

function table([name, ...cells]) {
  return name.padEnd(16) + cells.map((cell) => cell.padStart(9)).join('');
}

/** Writes the picture: rows of the first maps of each kind, some places framed. */
async function paint(rows, framed) {
  const COLUMNS = 3;
  const GAP = TILE_PIXELS;
  const pitch = SIDE * TILE_PIXELS + GAP; // from one map to the next
  const shapes = rows.flatMap((maps, row) =>
    maps.slice(0, COLUMNS).flatMap((map, column) => {
      const [left, top] = [column * pitch, row * (pitch + GAP)];
      const all = [...shapesOf(map), ...framed.flatMap(frameOf)];
      return all.map((shape) => ({ ...shape, x: left + shape.x, y: top + shape.y }));
    }),
  );
  const [width, height] = [COLUMNS * pitch - GAP, rows.length * (pitch + GAP) - 2 * GAP];
  await writeWhole(out, pngOf({ width, height, shapes }));
  console.log(`written to ${out}`);
}

/** The four sides of a frame around a tile. */
function frameOf(place) {
  const [x, y] = [TILE_PIXELS * (place % SIDE), TILE_PIXELS * Math.floor(place / SIDE)];
  const end = TILE_PIXELS - 2;
  return [
    { x, y, width: TILE_PIXELS, height: 2 },
    { x, y: y + end, width: TILE_PIXELS, height: 2 },
    { x, y, width: 2, height: TILE_PIXELS },
    { x: x + end, y, width: 2, height: TILE_PIXELS },
  ].map((side) => ({ ...side, fill: '#e3262e' }));
}
