// All files of this folder are AssemblyScript, which scripts/build-kernels.mjs compiles to modules of WebAssembly with
// SIMD: for sampling, over a heap of its own, and for training, over the memory of tfjs's wasm backend. Addresses, strides
// and names with `bytes` count bytes.

/** Bytes of a vector of four floats. */
export const V: usize = 16;

/** sum + a b: with one rounding where the module is compiled for it and the processor has it, else with two. */
@inline
export function plusProduct(sum: v128, a: v128, b: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, sum) : f32x4.add(sum, f32x4.mul(a, b));
}

/** Copies the floats of one or a few rows, for which `memory.copy` is slow. */
export function copy(to: usize, from: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + V <= bytes; i += V) v128.store(to + i, v128.load(from + i));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(from + i));
}
