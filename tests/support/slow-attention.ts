// Causal attention in plain numbers (float64), by its definition.

/** Images, places of each, heads and features of each. */
export interface AttentionSizes {
  n: number;
  places: number;
  heads: number;
  size: number;
}

type Numbers = ArrayLike<number>;

/** Attention, and its gradients for sum(y * g), in float64: loops over each image, head, place and earlier place. */
export function slowAttention(
  [q, k, v, g]: readonly [Numbers, Numbers, Numbers, Numbers],
  { n, places, heads, size }: AttentionSizes,
) {
  const length = n * places * heads * size;
  const [y, dq, dk, dv] = Array.from({ length: 4 }, () => new Float64Array(length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const add = (to: Float64Array, at: number, value: number) => {
    to[at] = (to[at] as number) + value;
  };
  for (let image = 0; image < n; image++) {
    for (let head = 0; head < heads; head++) {
      const at = (place: number, f: number) => ((image * places + place) * heads + head) * size + f;
      const dot = (a: Numbers, i: number, b: Numbers, j: number) => {
        let sum = 0;
        for (let f = 0; f < size; f++) sum += (a[at(i, f)] as number) * (b[at(j, f)] as number);
        return sum;
      };
      for (let i = 1; i < places; i++) {
        const scores = Array.from({ length: i }, (_, j) => dot(q, i, k, j) / Math.sqrt(size));
        const largest = Math.max(...scores);
        const powers = scores.map((score) => Math.exp(score - largest));
        const total = powers.reduce((sum, power) => sum + power, 0);
        const weights = powers.map((power) => power / total);
        const slopes = weights.map((_, j) => dot(g, i, v, j)); // of each weight
        const mean = slopes.reduce((sum, slope, j) => sum + slope * (weights[j] as number), 0);
        for (const [j, weight] of weights.entries()) {
          const slope = (weight * ((slopes[j] as number) - mean)) / Math.sqrt(size); // of q k
          for (let f = 0; f < size; f++) {
            add(y, at(i, f), weight * (v[at(j, f)] as number));
            add(dv, at(j, f), weight * (g[at(i, f)] as number));
            add(dq, at(i, f), slope * (k[at(j, f)] as number));
            add(dk, at(j, f), slope * (q[at(i, f)] as number));
          }
        }
      }
    }
  }
  return { y, gradients: [dq, dk, dv] };
}
