import { exp } from './arithmetic';

/**
 * The components of a mixture of logistics at one pixel and channel, and sums over them, in float64 and with the same
 * bits with and without WebAssembly. Values are x = 2 level / (levels - 1) - 1; a level lies between edges of 1 /
 * (levels - 1) to either side.
 */
export interface MixtureLevels {
  /** A row for each {@link Row}, [6, components]; the number of components is even, and some may have weight 0. */
  readonly table: Float64Array;
  /** The masses of all levels, [levels, 2]: separately for components of even and of odd index. */
  readonly masses: Float64Array;
  /** The first level whose cumulative weight exceeds a threshold. */
  levelAt(threshold: number): number;
  /** Computes the masses, which are accurate down to 1e-90 of the weights. */
  weigh(): void;
}

/** The rows of a table. */
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
   * For how many edges e^-z is updated by multiplication before it is recomputed. The same for components 2 i and 2 i +
   * 1, and small enough that its product with (b - a) of each is at most 96.
   */
  runs: 5,
} as const;

/** How many floats they take. */
export const mixtureFloats = (components: number, levels: number): number =>
  2 * (6 * components + 2 * levels);

/** The upper edge of a level. */
const upperEdge = (level: number, last: number) => (2 * level) / last - 1 + 1 / last;

/** e^-z at an edge, with z limited so that there has room for a run. */
function powerAt(edge: number, mean: number, scale: number): number {
  return exp(Math.min(350, Math.max(-350, -((edge - mean) * scale))));
}

/** The weight of all levels before one, summed over components of even and of odd index as the kernels do it. */
export function weightBefore(
  { table, masses: { length } }: Pick<MixtureLevels, 'table' | 'masses'>,
  level: number,
): number {
  if (level === 0) return 0;
  const components = table.length / 6;
  const edge = upperEdge(level - 1, length / 2 - 1);
  const of = (row: keyof typeof Row, k: number) => table[Row[row] * components + k] as number;
  const sums: [even: number, odd: number] = [0, 0];
  for (let k = 0; k < components; k++)
    sums[(k % 2) as 0 | 1] += of('weights', k) / (1 + powerAt(edge, of('means', k), of('scales', k)));
  return sums[0] + sums[1];
}

/** The mass of one level, identical to the bit to that of {@link MixtureLevels.weigh}. */
export function massOf({ table, masses: { length } }: MixtureLevels, level: number): number {
  const components = table.length / 6;
  const last = length / 2 - 1;
  const sums: [even: number, odd: number] = [0, 0];
  for (let k = 0; k < components; k++) {
    const of = (row: keyof typeof Row) => table[Row[row] * components + k] as number;
    /** e^-z at the upper edge of a level. */
    const power = (at: number) => {
      const start = at - (at % of('runs'));
      let e = powerAt(upperEdge(start, last), of('means'), of('scales'));
      for (let edge = start; edge < at; edge++) e *= of('ratios');
      return e;
    };
    let mass = of(level === 0 || level === last ? 'weights' : 'slopes');
    if (level > 0) {
      const e = power(level - 1);
      mass *= e * (1 / (1 + e));
    }
    if (level < last) mass *= 1 / (1 + power(level));
    sums[(k % 2) as 0 | 1] += mass;
  }
  return sums[0] + sums[1];
}

/** In plain JavaScript. */
export function javascriptMixtureLevels(components: number, levels: number): MixtureLevels {
  const table = new Float64Array(6 * components);
  const masses = new Float64Array(2 * levels);
  const last = levels - 1;
  const rowOf = (row: keyof typeof Row) => table.subarray(Row[row] * components, (Row[row] + 1) * components);
  const [means, scales, weights] = [rowOf('means'), rowOf('scales'), rowOf('weights')];
  const [slopes, ratios, runs] = [rowOf('slopes'), rowOf('ratios'), rowOf('runs')];
  return {
    table,
    masses,
    levelAt(threshold) {
      let [low, high] = [0, last];
      while (low < high) {
        const level = (low + high) >> 1;
        if (weightBefore({ table, masses }, level + 1) > threshold) high = level;
        else low = level + 1;
      }
      return low;
    },
    weigh() {
      masses.fill(0);
      for (let k = 0; k < components; k++) {
        const [weight, slope] = [weights[k] as number, slopes[k] as number];
        const [ratio, run] = [ratios[k] as number, runs[k] as number];
        let [e, below, share, next] = [1, 1, weight, 0]; // e^-z at the upper edge, sigmoid(-z) at the lower one
        let to = k % 2;
        for (let level = 0; level < last; level++, to += 2) {
          if (level === next) {
            e = powerAt(upperEdge(level, last), means[k] as number, scales[k] as number);
            next += run;
          } else e *= ratio;
          const above = 1 / (1 + e); // sigmoid(z) at the upper edge
          masses[to] = (masses[to] as number) + share * below * above;
          share = slope;
          below = e * above;
        }
        masses[to] = (masses[to] as number) + weight * below;
      }
    },
  };
}
