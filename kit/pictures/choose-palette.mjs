import { kmeans } from 'ml-kmeans';
import { randomNumbers } from '../random.mjs';
import { checkRgb, colourAt } from './palette.mjs';

/** Pixels that are clustered, drawn from all. */
const SAMPLED = 50_000;
/** Colours among which the first centres are chosen, at least: among all pixels that takes longer than the clustering. */
const FIRST = 2000;
const ROUNDS = 30;
/** More take minutes. */
const MAX_COLOURS = 4096;

/**
 * Colours for images: k-means over their pixels, as Image GPT's (Chen et al., 2020), from dark to light. Images of
 * exactly as many colours keep them.
 *
 * @param {import('pixelcnn-layers/data').ImageSet} images [N,H,W,3] of 256 levels
 * @param {number} levels from 2 to 4,096, and no more than the images have colours
 * @param {{ seed?: number }} [options] the same palette for the same seed; 1 by default
 * @returns {Uint8Array} [L,3], no two alike
 */
export function choosePalette(images, levels, { seed = 1 } = {}) {
  checkRgb('choosePalette', images);
  if (!(Number.isInteger(levels) && levels >= 2 && levels <= MAX_COLOURS))
    throw new Error(`choosePalette: levels: wanted 2 to ${MAX_COLOURS}, got ${levels}`);
  const { data } = images;
  const random = randomNumbers(`${seed}/palette`);
  const all = coloursOf(data);
  if (levels > all.length)
    throw new Error(`--palette: wanted at most ${all.length}, the colours of the images, got ${levels}`);
  const chosen = levels === all.length ? all : cluster(data, all, levels, { seed, random });
  const sorted = Array.from(chosen, partsOf).sort((a, b) => lightness(a) - lightness(b));
  return Uint8Array.from(sorted.flat());
}

/** @returns {Set<number>} colours */
function cluster(data, all, levels, { seed, random }) {
  const pixels = data.length / 3;
  const pick = (_, i) => partsOf(colourAt(data, pixels <= SAMPLED ? i : Math.floor(random() * pixels)));
  const sample = Array.from({ length: Math.min(pixels, SAMPLED) }, pick);
  const some = firstShuffled(all, Math.max(FIRST, 4 * levels), random);
  const first = kmeans(some.map(partsOf), levels, { seed, maxIterations: 1 }).centroids;
  const { centroids } = kmeans(sample, levels, { maxIterations: ROUNDS, initialization: first });
  const chosen = new Set(centroids.map((centre) => colourAt(centre.map(Math.round), 0)));
  for (const colour of some) if (chosen.size < levels) chosen.add(colour); // where two centres are one in bytes
  return chosen;
}

/** All colours that occur, each once, in increasing order. */
function coloursOf(data) {
  const occurs = new Uint8Array(2 ** 24);
  for (let pixel = 0; pixel < data.length / 3; pixel++) occurs[colourAt(data, pixel)] = 1;
  const colours = [];
  for (let colour = 0; colour < occurs.length; colour++) if (occurs[colour]) colours.push(colour);
  return colours;
}

/** So many of a list in random order, or all. */
function firstShuffled(list, count, random) {
  const copy = list.slice();
  for (let i = 0; i < Math.min(count, copy.length); i++) {
    const other = i + Math.floor(random() * (copy.length - i));
    [copy[i], copy[other]] = [copy[other], copy[i]];
  }
  return copy.slice(0, count);
}

const partsOf = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
const lightness = ([red, green, blue]) => 299 * red + 587 * green + 114 * blue;
