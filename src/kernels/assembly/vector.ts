/** Bytes of a vector of four floats. */
export const V: usize = 16;

/** Copies floats of a row or a few of them, which `memory.copy` is slow at. */
export function copy(to: usize, from: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + V <= bytes; i += V) v128.store(to + i, v128.load(from + i));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(from + i));
}
