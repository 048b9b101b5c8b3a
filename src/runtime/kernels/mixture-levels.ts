import { exp } from './arithmetic';

/**
 * The components of a mixture of logistics at one pixel and channel, and sums over them, in
 * float64, with equal bits with and without WebAssembly. Values are x = 2 level / (levels - 1) - 1.
 * A level lies between edges at a distance of 1 / (levels - 1) on either side.
 */
export interface MixtureLevels {
  /** A row for each {@link Row}, [6, components]; the number of components is even, and some may have weight 0. */
  readonly table: Float64Array;
  /** The masses of all levels, [levels, 2], separate for components of even and odd index. */
  readonly masses: Float64Array;
  /** The first level whose cumulative weight exceeds a threshold. */
  levelAt(threshold: number): number;
  /** Computes the masses, which are accurate down to 1e-90 of the weights. */
  weigh(): void;
}

export const Row = {
  means: 0,
  /** 1 / s */
  scales: 1,
  weights: 2,
  /** weight (1 - e^(a - b)), of the edges a and b of a level. */
  slopes: 3,
  /** e^(a - b) */
  ratios: 4,
  /**
   * For how many edges e^-z is updated by multiplication before it is recomputed. Equal for
   * components 2 i and 2 i + 1, and so small that its product with (b - a) of each is at most 96.
   */
  runs: 5,
} as const;

const of = (table: Float64Array, row: keyof typeof Row, k: number) =>
  table[Row[row] * (table.length / 6) + k] as number;

const upperEdge = (level: number, last: number) => (2 * level) / last - 1 + 1 / last;

/** e^-z of component k at an edge, with z limited so that a run cannot overflow. */
function powerAt(edge: number, table: Float64Array, k: number): number {
  const z = (edge - of(table, 'means', k)) * of(table, 'scales', k);
  return exp(Math.min(350, Math.max(-350, -z)));
}

/** The weight of all levels before one, summed over components in the order of the kernels. */
export function weightBefore(
  { table, masses: { length } }: Pick<MixtureLevels, 'table' | 'masses'>,
  level: number,
): number {
  if (level === 0) return 0;
  const edge = upperEdge(level - 1, length / 2 - 1);
  const sums: [even: number, odd: number] = [0, 0];
  for (let k = 0; k < table.length / 6; k++)
    sums[(k % 2) as 0 | 1] += of(table, 'weights', k) / (1 + powerAt(edge, table, k));
  return sums[0] + sums[1];
}

/** The mass of one level, bit for bit equal to the result of {@link MixtureLevels.weigh}. */
export function massOf({ table, masses }: MixtureLevels, level: number): number {
  const [even, odd] = massesOf(table, level, masses.length / 2 - 1);
  return even + odd;
}

/** The masses of one level, of components of even and of odd index. */
function massesOf(table: Float64Array, level: number, last: number): [even: number, odd: number] {
  const sums: [even: number, odd: number] = [0, 0];
  for (let k = 0; k < table.length / 6; k++) {
    /** e^-z at the upper edge of a level. */
    const power = (at: number) => {
      const start = at - (at % of(table, 'runs', k));
      let e = powerAt(upperEdge(start, last), table, k);
      for (let edge = start; edge < at; edge++) e *= of(table, 'ratios', k);
      return e;
    };
    let mass = of(table, level === 0 || level === last ? 'weights' : 'slopes', k);
    if (level > 0) {
      const e = power(level - 1);
      mass *= e * (1 / (1 + e));
    }
    if (level < last) mass *= 1 / (1 + power(level));
    sums[(k % 2) as 0 | 1] += mass;
  }
  return sums;
}

export function javascriptMixtureLevels(components: number, levels: number): MixtureLevels {
  const table = new Float64Array(6 * components);
  const masses = new Float64Array(2 * levels);
  const last = levels - 1;
  return {
    table,
    masses,
    levelAt(threshold) {
      let low = 0;
      let high = last;
      while (low < high) {
        const level = (low + high) >> 1;
        if (weightBefore({ table, masses }, level + 1) > threshold) high = level;
        else low = level + 1;
      }
      return low;
    },
    weigh() {
      for (let level = 0; level <= last; level++) masses.set(massesOf(table, level, last), 2 * level);
    },
  };
}
