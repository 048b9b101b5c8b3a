import seedrandom from 'seedrandom';

/**
 * The images 0..count-1 in the order of one epoch: a shuffle (Fisher and Yates) that only the seed and the
 * epoch decide.
 */
export function epochOrder(count: number, seed: number, epoch: number): Uint32Array {
  const random = seedrandom.alea(`${seed}/epoch/${epoch}`);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const image = order[i] as number;
    order[i] = order[j] as number;
    order[j] = image;
  }
  return order;
}
