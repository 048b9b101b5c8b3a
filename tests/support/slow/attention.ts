// Causal attention in plain numbers (float64), by its definition.

/** Images, places of each, heads and features of each. */
interface AttentionSizes {
  n: number;
  places: number;
  heads: number;
  /** Of queries and keys. */
  size: number;
  /** @default size */
  valueSize?: number;
  /** Whether places see themselves. @default false */
  own?: boolean;
}

type Numbers = ArrayLike<number>;

/** Attention in float64: loops over each image, head, place and earlier place. */
export function slowAttention(
  [q, k, v]: readonly [Numbers, Numbers, Numbers],
  { n, places, heads, size, valueSize = size, own = false }: AttentionSizes,
): Float64Array {
  const y = new Float64Array(n * places * heads * valueSize);
  for (let image = 0; image < n; image++) {
    for (let head = 0; head < heads; head++) {
      const at = (place: number, f: number) => ((image * places + place) * heads + head) * size + f;
      const valueAt = (place: number, f: number) => ((image * places + place) * heads + head) * valueSize + f;
      for (let i = 0; i < places; i++) {
        const scores = Array.from({ length: i + (own ? 1 : 0) }, (_, j) => {
          let sum = 0;
          for (let f = 0; f < size; f++) sum += (q[at(i, f)] as number) * (k[at(j, f)] as number);
          return sum / Math.sqrt(size);
        });
        const largest = Math.max(...scores);
        const powers = scores.map((score) => Math.exp(score - largest));
        const total = powers.reduce((sum, power) => sum + power, 0);
        for (const [j, power] of powers.entries())
          for (let f = 0; f < valueSize; f++)
            y[valueAt(i, f)] = (y[valueAt(i, f)] as number) + (power / total) * (v[valueAt(j, f)] as number);
      }
    }
  }
  return y;
}
