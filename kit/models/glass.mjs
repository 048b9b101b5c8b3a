import { randomNumbers } from '../random.mjs';

/**
 * Bonds of a spin glass, each +1 or -1: for each spin, row by row, that with the spin to its right and that with the one below.
 *
 * @param {number} size rows and columns
 * @param {number} seed
 * @returns {number[]}
 */
export function glassBonds(size, seed) {
  const random = randomNumbers(`${seed}/glass`);
  return Array.from({ length: 2 * size * size }, () => (random() < 0.5 ? -1 : 1));
}

/**
 * The exact log Z of size x size spins, by a sum over all 2^(size * size) images: up to 4x4.
 *
 * @param {import('pixelcnn-layers').Energy} energy
 * @param {number} size
 * @param {number} beta
 */
export function summedLogZ(energy, size, beta) {
  const spins = size * size;
  const numImages = 2 ** spins;
  const levels = Int32Array.from({ length: numImages * spins }, (_, k) => (Math.floor(k / spins) >> (k % spins)) & 1); // biome-ignore format: one line
  const energies = Array.from(energy(levels, numImages));
  const least = energies.reduce((a, b) => Math.min(a, b));
  return Math.log(energies.reduce((sum, one) => sum + Math.exp(-beta * (one - least)), 0)) - beta * least;
}
