// Completes images in the four ways there are: `node examples/complete.mjs --help`.
//
// A model draws an image value by value, row by row, so what is given counts only for values that are drawn after it:
//   halves       where all that is given comes first, drawing on from there is exact;
//   look-ahead   elsewhere, particles are weighed by what is given later;
//   orders       or a model of orientations draws in an order in which what is given comes first;
//   beam         instead of drawing, a search finds the most likely completions.

import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sliceImages } from 'pixelcnn-layers/data';
import { createPool, stepper } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import { inLevels, readForModel } from '../kit/data/model-data.mjs';
import { pickImages } from '../kit/data/pick-images.mjs';
import { command, outputDirectory, outputFile, stop, text, wholeNumber } from '../kit/flags.mjs';
import { conditionsOf, networkOf, numElements } from '../kit/models/image-model.mjs';
import { SYMMETRIES } from '../kit/models/orientations.mjs';
import { loadPortable } from '../kit/models/saved-model.mjs';
import { logMeanExp, mean, standardError, sum, sumByImage } from '../kit/models/statistics.mjs';
import { turned } from '../kit/models/turned.mjs';
import { gridPng } from '../kit/pictures/png.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';
import { BRIDGE, mapsOf, ROAD, SIDE } from './tiles/tiles.mjs';

const program = command('examples/complete.mjs', 'Completes images, in each of the ways there are.');
const seed = ['--seed <n>', 'the same seed gives the same images', wholeNumber(0), 1];
const particles = ['--particles <n>', 'that look ahead, of each image', wholeNumber(1), 64];

program
  .command('halves')
  .description('Draws the lower halves of digits, given the upper ones.')
  .option('--images <n>', 'how many digits', wholeNumber(1, 297), 8)
  .option(...seed)
  .option('--out <file>', 'the picture', outputFile(), 'out/halves.png')
  .action(completeHalves);

program
  .command('look-ahead')
  .description(
    'Fills in holes of digits, halves of emoji and maps around a tile, with look-ahead and without.',
  )
  .option(...particles)
  .option('--maps <n>', 'in the table of roads', wholeNumber(1), 128)
  .option(...seed)
  .option('--out <dir>', 'where the pictures go', outputDirectory(), 'out/look-ahead')
  .action(completeByLookAhead);

program
  .command('orders')
  .summary('Fills in any half of digits, by a model of orientations.')
  .description(
    'Fills in halves and quarters of digits by a model of orientations: in those in which what is given comes first, beside one order with look-ahead and without. Prints what the true missing pixels cost in each, and whole images.',
  )
  .option('--model <path>', 'of orientations, without classes', text('a model'), trained('digits-orders'))
  .option('--one <path>', 'of one order; else the same, in one orientation', text('a model'))
  .option(...particles)
  .option('--images <n>', 'test images of which parts are missing, in the table', wholeNumber(2, 297), 32)
  .option(...seed)
  .option('--out <file>', 'the picture', outputFile(), 'out/orders.png')
  .action(completeInAnyOrder);

program
  .command('beam')
  .description('Searches for the most likely lower halves of a digit, given the upper one.')
  .option('--out <file>', 'the picture', outputFile(), 'out/beam.png')
  .action(searchForLikeliest);

const pool = createPool();
await program.parseAsync();
await pool.dispose();

// What the ways share.

/** The path of a model that comes along. */
function trained(name) {
  return relative('', fileURLToPath(modelURL(name)));
}

/** The test images of a data set, in the levels of a model. */
async function testImages(name, model) {
  const { test } = await readForModel(name, undefined, model);
  return inLevels(test, model);
}

/** So many images, from all over a set. */
function spread(set, count) {
  const places = Array.from({ length: count }, (_, n) => Math.floor(((n + 0.5) * set.shape[0]) / count));
  return pickImages(set, places);
}

/** What `sample` takes to complete each image so many times: `isGiven` tells by row and column which pixels it keeps. */
function parts(originals, copies, isGiven) {
  const [count, height, width, channels] = originals.shape;
  const size = height * width * channels;
  const shape = [count * copies, height, width, channels];
  const isKnown = (place) =>
    isGiven(Math.floor(place / (width * channels)), Math.floor(place / channels) % width);
  const known = Uint8Array.from({ length: count * copies * size }, (_, i) => Number(isKnown(i % size)));
  const data = known.map((_, i) => originals.data[Math.floor(i / (copies * size)) * size + (i % size)]);
  return { initial: { data, shape }, known: { data: known, shape } };
}

/** For each image a piece of the picture: the image, which is all given, and then its completions. */
function pieces(originals, { known }, drawn) {
  const [count] = originals.shape;
  const ofImage = ({ data }, n) => data.subarray((n * data.length) / count, ((n + 1) * data.length) / count);
  return Array.from({ length: count }, (_, n) => {
    const original = ofImage(originals, n);
    const isGiven = [...original.map(() => 1), ...ofImage(known, n)];
    return { images: [...original, ...ofImage(drawn, n)], known: isGiven };
  });
}

/** Writes pieces one after the other, with so many images in a row. What is given is blue, or has a blue line around it. */
async function writePicture(file, all, { imageShape, levels, palette }, columns, scale = 10) {
  const [images, known] = ['images', 'known'].map((what) => all.flatMap((piece) => piece[what]));
  await writeWhole(file, gridPng({ images, known, imageShape, levels, palette, columns, scale }));
}

/** Whether a row is in the upper half of a digit. */
function isUpper(row) {
  return row < 4;
}

// Halves: the upper ones come first.

async function completeHalves({ images, seed, out }) {
  await prepareFile(out);
  const model = await loadPortable(trained('digits'));
  const originals = spread(await testImages('digits', model), images);
  const given = parts(originals, 7, isUpper);
  const drawn = await pool.sample(model, { ...given, seed });
  await writePicture(out, pieces(originals, given, drawn), model, 8);
  console.log(`written to ${out}: each digit, then seven completions of its upper half`);
}

// Looking ahead: to a tile, to the rest of a digit around a hole, to its lower half, to the right half of an emoji.

async function completeByLookAhead({ particles, maps, seed, out }) {
  await countRoads(maps, seed);
  const ring = (row, column) => row < 2 || row > 5 || column < 2 || column > 5;
  await compare('digits-hole', 'digits', ring);
  await compare('digits-lower', 'digits', (row) => !isUpper(row));
  await compare('emoji-right', 'emoji', (_, column) => column >= 8);

  /** Four images, each with six completions without look-ahead, and below them six with it. */
  async function compare(name, data, isGiven) {
    const file = join(out, `${name}.png`);
    await prepareFile(file);
    const model = await loadPortable(trained(data));
    const originals = spread(await testImages(data, model), 4);
    const given = parts(originals, 6, isGiven);
    const size = originals.data.length / 4;
    const first = given.known.data.indexOf(0);
    const isLater = (place) => place > first && given.known.data[place] === 1; // given after what was drawn
    const made = [];
    for (const lookAhead of [0, particles]) {
      const drawn = await pool.sample(model, { ...given, seed, lookAhead });
      const nats = mean(sumByImage(await pool.logProb(model, drawn, { perValue: true }), size, isLater));
      const what = `log p of what is given later, with ${lookAhead} particles`;
      console.log(`${name}: ${nats.toFixed(1)} nats, ${what}`);
      made.push(pieces(originals, given, drawn));
    }
    const [without, by] = made;
    const both = without.flatMap((piece, n) => [piece, by[n]]);
    await writePicture(file, both, model, 7, 80 / model.imageShape[0]);
    console.log(`written to ${file}`);
  }
}

/** Counts in how many maps a road leads to a road tile that is given on the east edge. */
async function countRoads(numMaps, seed) {
  const model = await loadPortable(trained('tiles'));
  const place = 5 * SIDE + SIDE - 1;
  const shape = [numMaps, SIDE, SIDE, 1];
  const at = (value) =>
    Uint8Array.from({ length: numMaps * SIDE ** 2 }, (_, i) => (i % SIDE ** 2 === place ? value : 0));
  const given = { initial: { data: at(ROAD), shape }, known: { data: at(1), shape } };
  const leads = (map) => [place - SIDE, place - 1].some((side) => [ROAD, BRIDGE].includes(map[side]));
  console.log('particles  a road leads there  log p of the tile');
  for (const lookAhead of [0, 16, 64, 256]) {
    const { images, logGiven } = await pool.sample(model, { ...given, seed, lookAhead, withLogProb: true });
    const share = `${((100 * mapsOf(images.data).filter(leads).length) / numMaps).toFixed(0)} %`;
    const estimate = logGiven === undefined ? '' : logMeanExp(logGiven).toFixed(2);
    console.log(String(lookAhead).padStart(9) + share.padStart(19) + estimate.padStart(20));
  }
}

// Orders: a model that knows how an image is turned draws in the orientations in which all given values come first.

async function completeInAnyOrder({ model: path, one: pathOfOne, particles, images: numImages, seed, out }) {
  await useBackend('cpu');
  const model = await loadPortable(path);
  const { symmetries = [], asCondition } = model.symmetry ?? {};
  const elements = numElements({ symmetries });
  if (!asCondition || String(symmetries) !== String(SYMMETRIES[elements]) || conditionsOf(model).length > 0)
    stop(`--model: wanted a model of orientations, without classes, got ${path}`);
  const network = networkOf(model);
  const one = pathOfOne === undefined ? network : await loadPortable(pathOfOne, '--one');
  const inOrder = pathOfOne === undefined ? { condition: 0 } : {};
  const test = await testImages('digits', model);
  const [count, height, width] = test.shape;
  const size = test.data.length / count;
  await prepareFile(out);
  await wholeImages();

  console.log(`\nbits of a missing value: means of ${numImages} images, and their standard errors`);
  print('given', ['by orientation', `${particles} particles`, 'ignoring']);
  const GIVEN = {
    'upper half': (row) => row < height / 2,
    'lower half': (row) => row >= height / 2,
    'left half': (_, column) => column < width / 2,
    'right half': (_, column) => column >= width / 2,
    'all but a quarter, left': (_, column) => column >= width / 4,
  };
  const originals = spread(test, Object.keys(GIVEN).length);
  const shown = [];
  for (const [n, [name, isGiven]] of Object.entries(GIVEN).entries()) {
    print(name, await bitsOfMissing(isGiven));
    shown.push(...(await completions(sliceImages(originals, n, n + 1), isGiven)));
  }
  await writePicture(out, shown, model, 15, 8);
  const estimate = `${particles} particles in one order`;
  console.log(`${estimate} give an estimate: the more there are, the less it is too low`);
  const ways = ['by orientation', `with ${estimate}`, 'ignoring what comes later'];
  console.log(`written to ${out}: each digit, then completed ${ways.join('; ')}`);

  /** Bits per dimension of whole images: in one order, in each orientation, and averaged over all. */
  async function wholeImages() {
    const bits = async (of, set, options) => mean(await pool.logProb(of, set, options)) / (-size * Math.LN2);
    const each = [];
    for (let element = 0; element < elements; element++)
      each.push(await bits(network, turned(test, element), { condition: element }));
    console.log(`bits/dim of ${count} test images`);
    if (one !== network) print('a model of one order', [await bits(one, test)]);
    print('in one orientation', [mean(each), `  mean of ${each.map((of) => of.toFixed(3)).join(' ')}`]);
    print('averaged over all', [await bits(model, test)]);
  }

  /** What the true missing values of the first images cost, given the rest: exactly, estimated, and given only what precedes them. */
  async function bitsOfMissing(isGiven) {
    const set = sliceImages(test, 0, numImages);
    const given = parts(set, 1, isGiven);
    const { data: known } = given.known;
    const numGiven = sum(known) / numImages;
    const [ofGiven, ofAll] = [[], []]; // log p in the orientations in which the given values come first
    for (let element = 0; element < elements; element++) {
      if (turned(given.known, element).data.subarray(0, numGiven).includes(0)) continue;
      const nats = await pool.logProb(network, turned(set, element), { condition: element, perValue: true });
      ofGiven.push(sumByImage(nats, size, (place) => place < numGiven));
      ofAll.push(sumByImage(nats, size));
    }
    const logMean = (inEach, n) => logMeanExp(inEach.map((nats) => nats[n]));
    const exact = Array.from({ length: numImages }, (_, n) => logMean(ofAll, n) - logMean(ofGiven, n));

    const nats = await pool.logProb(one, set, { ...inOrder, perValue: true });
    const { logGiven } = await pool.sample(one, { ...given, ...inOrder, seed, lookAhead: particles, withLogProb: true }); // biome-ignore format: one line
    const estimates = sumByImage(nats, size).map((all, n) => all - logGiven[n]);
    const ignoring = sumByImage(nats, size, (place) => known[place] === 0);
    const perValue = (log) => log / ((numGiven - size) * Math.LN2); // nats of an image, as bits of each missing value
    return [exact, estimates, ignoring].map((of) => {
      const bits = of.map(perValue);
      return `${mean(bits).toFixed(3)} +- ${standardError(bits).toFixed(3)}`;
    });
  }

  /** An image completed four times in each of the three ways. */
  async function completions(original, isGiven) {
    const given = parts(original, 4, isGiven);
    const drawn = [
      await pool.sample(model, { ...given, seed }),
      await pool.sample(one, { ...given, ...inOrder, seed, lookAhead: particles }),
      await pool.sample(one, { ...given, ...inOrder, seed }),
    ];
    return drawn.flatMap((images) => pieces(original, given, images));
  }
}

/** A line of a table. */
function print(name, cells) {
  const texts = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(3) : cell));
  console.log(name.padEnd(24) + texts.map((cell) => cell.padStart(18)).join(''));
}

// Beam search: on a stepper, which gives log p of all levels of a value, and then takes the one that is chosen.

async function searchForLikeliest({ out }) {
  await prepareFile(out);
  const BEAMS = 64;
  const model = await loadPortable(trained('digits'));
  const digit = sliceImages(await testImages('digits', model), 0, 1).data; // [64]
  const isGiven = (place) => place < 32; // the upper half
  const beams = stepper(model, { numImages: BEAMS });
  // There is one path at first: the others have probability 0 until it branches.
  let paths = Array.from({ length: BEAMS }, (_, i) => ({ levels: [], nats: i === 0 ? 0 : -Infinity }));
  for (let place = 0; place < digit.length; place++) {
    const logProbs = beams.logProbs(); // [BEAMS * levels]
    const candidates = paths.flatMap(({ nats }, beam) =>
      Array.from({ length: model.levels }, (_, level) => {
        const isAllowed = !isGiven(place) || level === digit[place];
        return { beam, level, nats: isAllowed ? nats + logProbs[beam * model.levels + level] : -Infinity };
      }),
    );
    const kept = candidates.sort((a, b) => b.nats - a.nats || 0).slice(0, BEAMS);
    paths = kept.map(({ beam, level, nats }) => ({ levels: [...paths[beam].levels, level], nats }));
    beams.copy(kept.map(({ beam }) => beam));
    beams.put(kept.map(({ level }) => level));
  }
  beams.dispose();
  const best = paths.slice(0, 8);
  const known = digit.map((_, place) => Number(isGiven(place)));
  const shown = best.map(({ levels }) => ({ images: levels, known: [...known] }));
  await writePicture(out, shown, model, 8);
  console.log(`${best.map(({ nats }) => nats.toFixed(2)).join(' ')} nats, written to ${out}`);
}
