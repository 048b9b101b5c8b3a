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

/**
 * Configurations by Metropolis's rule, each cooled from a random one: what a network may have missed is found without it.
 *
 * @param {import('pixelcnn-layers').Energy} energy
 * @param {number} size
 * @param {{ beta: number, count: number, seed: number, sweeps?: number }} args beta grows evenly to `beta`
 * @returns {Int32Array} [count*size*size] levels, 0 and 1
 */
export function cooled(energy, size, { beta, count, seed, sweeps = 200 }) {
  const random = randomNumbers(`${seed}/cooled`);
  const spins = size * size;
  const levels = Int32Array.from({ length: count * spins }, () => (random() < 0.5 ? 0 : 1));
  const turn = (n, site) => {
    levels[n * spins + site] = 1 - levels[n * spins + site];
  };
  let energies = Float64Array.from(energy(levels, count));
  for (let step = 1; step <= sweeps * spins; step++) {
    const sites = Array.from({ length: count }, () => Math.floor(random() * spins)); // one spin of each configuration
    for (const [n, site] of sites.entries()) turn(n, site);
    const turned = Float64Array.from(energy(levels, count));
    const now = (beta * step) / (sweeps * spins);
    for (const [n, site] of sites.entries()) {
      if (random() < Math.exp(now * (energies[n] - turned[n]))) continue;
      turn(n, site);
      turned[n] = energies[n];
    }
    energies = turned;
  }
  return levels;
}
