// Causal attention in plain numbers (float64), by its definition.

/** Images, places of each, heads and features of each. */
interface AttentionSizes {
  n: number;
  places: number;
  heads: number;
  size: number;
}

type Numbers = ArrayLike<number>;

/** Attention in float64: loops over each image, head, place and earlier place. */
export function slowAttention(
  [q, k, v]: readonly [Numbers, Numbers, Numbers],
  { n, places, heads, size }: AttentionSizes,
): Float64Array {
  const y = new Float64Array(n * places * heads * size);
  for (let image = 0; image < n; image++) {
    for (let head = 0; head < heads; head++) {
      const at = (place: number, f: number) => ((image * places + place) * heads + head) * size + f;
      for (let i = 1; i < places; i++) {
        const scores = Array.from({ length: i }, (_, j) => {
          let sum = 0;
          for (let f = 0; f < size; f++) sum += (q[at(i, f)] as number) * (k[at(j, f)] as number);
          return sum / Math.sqrt(size);
        });
        const largest = Math.max(...scores);
        const powers = scores.map((score) => Math.exp(score - largest));
        const total = powers.reduce((sum, power) => sum + power, 0);
        for (const [j, power] of powers.entries())
          for (let f = 0; f < size; f++)
            y[at(i, f)] = (y[at(i, f)] as number) + (power / total) * (v[at(j, f)] as number);
      }
    }
  }
  return y;
}
