/**
 * The Ising model of spins on a periodic square, each with four neighbours: E = -sum of s s' over pairs of neighbours, J = 1.
 * Level 0 is a spin of -1, level 1 one of +1.
 */

/** The inverse temperature at which large magnets lose their magnetization: Onsager 1944. */
export const CRITICAL = Math.log(1 + Math.SQRT2) / 2;

/** How the energy stays the same. */
export const SYMMETRIES = ['flipLevels', 'flipRows', 'flipColumns', 'transpose'];

/**
 * The energies of images.
 *
 * @param {number} size rows and columns
 * @param {readonly number[]} [bonds] for each spin, row by row, J with the spin to its right and with the one below, where it is not 1
 * @returns {import('pixelcnn-layers').Energy}
 */
export function energyOf(size, bonds = new Array(2 * size * size).fill(1)) {
  return (levels, numImages) => {
    const energies = new Float64Array(numImages);
    for (let n = 0; n < numImages; n++) {
      const from = n * size * size;
      let energy = 0;
      for (let row = 0; row < size; row++) {
        const below = ((row + 1) % size) * size;
        for (let column = 0; column < size; column++) {
          const k = row * size + column;
          const spin = levels[from + k];
          energy += bonds[2 * k] * (spin === levels[from + row * size + ((column + 1) % size)] ? -1 : 1);
          energy += bonds[2 * k + 1] * (spin === levels[from + below + column] ? -1 : 1);
        }
      }
      energies[n] = energy;
    }
    return energies;
  };
}

/**
 * The magnetizations of images: the mean spin of each.
 *
 * @param {ArrayLike<number>} levels
 * @param {number} numImages
 */
export function magnetizationsOf(levels, numImages) {
  const size = levels.length / numImages;
  return Float64Array.from({ length: numImages }, (_, n) => {
    let up = 0;
    for (let k = 0; k < size; k++) up += levels[n * size + k];
    return (2 * up) / size - 1;
  });
}

/**
 * The correlations of images: the mean of s s' over pairs of spins 1, 2, … size / 2 rows apart.
 *
 * @param {ArrayLike<number>} levels
 * @param {number} numImages
 * @param {number} size
 * @returns {Float64Array} [numImages * floor(size / 2)]
 */
export function correlationsOf(levels, numImages, size) {
  const distances = Math.floor(size / 2);
  const spins = size * size;
  return Float64Array.from({ length: numImages * distances }, (_, i) => {
    const from = Math.floor(i / distances) * spins;
    const apart = ((i % distances) + 1) * size;
    let alike = 0;
    for (let k = 0; k < spins; k++) if (levels[from + k] === levels[from + ((k + apart) % spins)]) alike++;
    return (2 * alike) / spins - 1;
  });
}

/**
 * The exact correlations of size x size spins, by the transfer matrix from row to row, which has 2^size rows: <s s'> is the trace of
 * S T^r S T^(size - r), divided by that of T^size, with the spins of a column on the diagonal of S.
 *
 * @param {number} size at most 8
 * @param {number} beta
 * @returns {number[]} [floor(size / 2)]
 */
export function exactCorrelations(size, beta) {
  const states = 2 ** size;
  const spin = (state, column) => 2 * ((state >> (column % size)) & 1) - 1;
  const columns = Array.from({ length: size }, (_, column) => column);
  const ofPairs = (a, b, apart) => columns.reduce((sum, j) => sum + spin(a, j) * spin(b, j + apart), 0);
  const transfer = new Float64Array(states * states);
  for (let a = 0; a < states; a++)
    for (let b = 0; b < states; b++)
      transfer[a * states + b] = Math.exp(
        beta * (ofPairs(a, b, 0) + (ofPairs(a, a, 1) + ofPairs(b, b, 1)) / 2 - 2 * size),
      ); // at most 1
  const powers = [transfer]; // of 1, 2, …
  while (powers.length < size) powers.push(product(powers.at(-1), transfer, states));
  /** The trace of the product of two powers, all symmetric, with spins between. */
  const trace = (r, signed) => {
    let sum = 0;
    for (let a = 0; a < states; a++)
      for (let b = 0; b < states; b++) {
        const i = a * states + b;
        sum += (signed ? spin(a, 0) * spin(b, 0) : 1) * powers[r - 1][i] * powers[size - r - 1][i];
      }
    return sum;
  };
  return Array.from({ length: Math.floor(size / 2) }, (_, i) => trace(i + 1, true) / trace(i + 1, false));
}

/** The product of two matrices [n,n]. */
function product(a, b, n) {
  const sums = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k];
      for (let j = 0; j < n; j++) sums[i * n + j] += factor * b[k * n + j];
    }
  return sums;
}

/**
 * The exact mean energy of size x size spins: the slope of -log Z.
 *
 * @param {number} size
 * @param {number} beta
 */
export const exactEnergy = (size, beta) =>
  (exactLogZ(size, beta - 1e-5) - exactLogZ(size, beta + 1e-5)) / 2e-5;

/**
 * Free energy of each spin.
 *
 * @param {number} logZ
 * @param {number} size
 * @param {number} beta
 */
export const freeEnergyOf = (logZ, size, beta) => -logZ / beta / size ** 2;

/**
 * The exact mean of |magnetization| of size x size spins: sums over all spins, row by row, that count how many point up.
 *
 * @param {number} size
 * @param {number} beta
 */
export function exactMagnetization(size, beta) {
  const [states, counts] = [1 << size, size ** 2 + 1];
  const differs = Math.exp(-2 * beta); // of two neighbours, beside a pair that agrees
  const ones = Array.from({ length: states }, (_, row) => row.toString(2).replaceAll('0', '').length);
  const turnsOf = (row) =>
    ones.slice(0, size).map((_, k) => ((row << k) | (row >> (size - k))) & (states - 1));
  const within = ones.map((_, row) => differs ** ones[row ^ turnsOf(row)[1]]);
  const total = new Float64Array(counts); // the weight of all squares with so many up
  for (let first = 0; first < states; first++) {
    const turns = new Set(turnsOf(first)); // have the same sums
    if (Math.min(...turns) < first) continue;
    let sums = new Float64Array(states * counts); // by the last row, and how many are up so far
    sums[first * counts + ones[first]] = within[first];
    for (let row = 1; row < size; row++) {
      for (let column = 0; column < size; column++) {
        for (let state = 0; state < states; state++) {
          if ((state >> column) & 1) continue;
          const [down, up] = [state * counts, (state | (1 << column)) * counts];
          for (let count = 0; count < counts; count++) {
            const [a, b] = [sums[down + count], sums[up + count]];
            sums[down + count] = a + differs * b;
            sums[up + count] = differs * a + b;
          }
        }
      }
      const counted = new Float64Array(sums.length);
      for (let state = 0; state < states; state++)
        for (let count = ones[state]; count < counts; count++)
          counted[state * counts + count] = within[state] * sums[state * counts + count - ones[state]];
      sums = counted;
    }
    for (let state = 0; state < states; state++)
      for (let count = 0; count < counts; count++)
        total[count] += turns.size * differs ** ones[state ^ first] * sums[state * counts + count];
  }
  const weighted = (of) => total.reduce((sum, weight, count) => sum + weight * of(count), 0);
  return weighted((count) => Math.abs((2 * count) / size ** 2 - 1)) / weighted(() => 1);
}

/**
 * The exact log Z of size x size spins: Kaufman, "Crystal statistics II" (1949), equation 49.
 *
 * @param {number} size
 * @param {number} beta
 */
export function exactLogZ(size, beta) {
  // cosh(gamma_k) = cosh(2 beta) coth(2 beta) - cos(pi k / size); gamma_0 has a sign.
  const gamma = (k) => {
    if (k === 0) return 2 * beta + Math.log(Math.tanh(beta));
    return Math.acosh(Math.cosh(2 * beta) / Math.tanh(2 * beta) - Math.cos((Math.PI * k) / size));
  };
  /** The log and the sign of the product of 2 cosh or 2 sinh of size gamma / 2, of odd k or even ones. */
  const product = (first, sign) => {
    let [log, isNegative] = [0, false];
    for (let k = first; k < 2 * size; k += 2) {
      const x = (size * gamma(k)) / 2;
      log += Math.abs(x) + Math.log1p(sign * Math.exp(-2 * Math.abs(x)));
      if (sign < 0 && x < 0) isNegative = !isNegative;
    }
    return [log, isNegative ? -1 : 1];
  };
  const products = [product(1, 1), product(1, -1), product(0, 1), product(0, -1)];
  const most = Math.max(...products.map(([log]) => log));
  const sum = products.reduce((all, [log, sign]) => all + sign * Math.exp(log - most), 0);
  return (size * size * Math.log(2 * Math.sinh(2 * beta))) / 2 - Math.LN2 + most + Math.log(sum);
}
