import { exp } from './exp';
import { pmax } from './functions';

/** What assembly/softmax.ts is: `softmax` of {@link SamplingKernels}, over a heap. */
export function softmax(
  heap: Float32Array,
  doubles: Float64Array,
  y: number,
  sums: number,
  x: number,
  images: number,
  levels: number,
  scale: number,
): void {
  for (let n = 0; n < images; n++) {
    const [from, to] = [x + n * levels, y + n * levels];
    let max = heap[from] as number;
    for (let i = 1; i < levels; i++) max = pmax(max, heap[from + i] as number);
    const partial = [0, 0, 0, 0] as [number, number, number, number];
    for (let i = 0; i < levels; i += 4) {
      for (let lane = 0; lane < 4; lane++) {
        const e = exp(((heap[from + i + lane] as number) - max) * scale);
        doubles[to + i + lane] = e;
        partial[lane as 0] += e;
      }
    }
    // in the order of the vectors of WebAssembly
    doubles[sums + n] = partial[0] + partial[2] + (partial[1] + partial[3]);
  }
}
